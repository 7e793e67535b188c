/**
 * Hands the relay the messages that are for it, and reads no others. Chromium deserializes a message once for each world
 * that reads it, when it is first read, and what the page transferred goes to the first reader. So there this runs in the
 * page's own world, and reads a message after the page's listeners did. Firefox deserializes it once for all, so there it
 * runs beside the relay.
 *
 * A page must not be able to tell that this is there: it changes nothing, and calls nothing that a page may have replaced.
 */
const { apply, getOwnPropertyDescriptor } = Reflect;
const { addEventListener, dispatchEvent, MessageEvent, scheduler } = /** @type {any} */ (window);
const { hasOwn } = Object;
const { exec } = RegExp.prototype;
const { stopImmediatePropagation } = Event.prototype;
/** @type {any[]} */
const [getData, getPorts, getSource] = ['data', 'ports', 'source'].map((name) => getOwnPropertyDescriptor(MessageEvent.prototype, name)?.get);
const postTask = scheduler?.postTask;
/** The first words of content/dialects.js. */
const SPOKEN = /^(requestScreenSourceId$|check-add|csio[CR]|(desktopcapture-)?(are-you-there|get-sourceId)$|is-ext|get-R|audio-p|SS_UI|janus[GC]|getScreen$|cancelG|getStr)/;

/** No getter runs, not even one that the page put into its message. @param {any} thing @param {string | number} name */
function ownOf(thing, name) {
	const property = typeof thing === 'object' && thing && getOwnPropertyDescriptor(thing, name);
	return property && hasOwn(property, 'value') && property.value;
}

/** @param {any} data whether it may be a question to the relay */
function isSpoken(data) {
	const word = ownOf(data, 'type') || data;
	return (
		(typeof word === 'string' && apply(exec, SPOKEN, [word])) ||
		(ownOf(data, 'portlight') && ownOf(data, 'ask')) ||
		ownOf(data, 'from') === 'jsapi' ||
		ownOf(data, 'get-custom-sourceId') ||
		(ownOf(data, 'requestId') && ownOf(ownOf(data, 'data'), 0))
	);
}

/** @param {MessageEvent} event */
function onMessage(event) {
	if (!event.isTrusted || apply(getSource, event, []) !== window) {
		return;
	}
	const ports = apply(getPorts, event, []);
	const pass = () => {
		const data = apply(getData, event, []);
		const isKept = isSpoken(data) && !apply(dispatchEvent, window, [new MessageEvent('portlight:heard', { data, ports, cancelable: true })]);
		isKept && apply(stopImmediatePropagation, event, []);
	};
	ports.length || !postTask ? pass() : apply(postTask, scheduler, [pass]);
}

if (window.isSecureContext) {
	/** And again after document.open(), which removes a window's listeners. */
	const listen = () => apply(addEventListener, window, ['message', onMessage, true]);
	listen();
	new MutationObserver(listen).observe(document, { childList: true });
}
