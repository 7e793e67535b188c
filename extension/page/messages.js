/**
 * Hands the relay the messages that are for it, and reads no others. Chromium deserializes a message once for each world
 * that reads it, when it is first read, and what the page transferred goes to the first reader. So there this runs in the
 * page's own world, and reads a message after the page's listeners did. Firefox deserializes it once for all, so there it
 * runs beside the relay.
 *
 * A page must not be able to tell that this is there: it changes nothing, and calls nothing that a page may have replaced.
 */
(() => {
	'use strict';
	if (!window.isSecureContext) {
		return;
	}
	const { apply, getOwnPropertyDescriptor } = Reflect;
	const { addEventListener, dispatchEvent, MessageEvent } = window;
	const { scheduler } = /** @type {any} */ (window);
	const postTask = scheduler?.postTask;
	const { hasOwn } = Object;
	const { exec } = RegExp.prototype;
	const { stopImmediatePropagation } = Event.prototype;
	/** @param {'data' | 'ports' | 'source'} name @returns {(event: MessageEvent) => any} */
	const getter = (name) => {
		const { get } = /** @type {any} */ (getOwnPropertyDescriptor(MessageEvent.prototype, name));
		return (event) => apply(get, event, []);
	};
	const [dataOf, portsOf, sourceOf] = [getter('data'), getter('ports'), getter('source')];
	/** The first words of content/dialects.js. */
	const SPOKEN = /^(requestScreenSourceId$|check-add|csio[CR]|are-you|is-ext|get-[sR]|audio-p|SS_UI|janus[GC]|getScreen$|cancelG|getStr)/;

	/** No getter runs, not even one that the page put into its message. @param {any} thing @param {string | number} name */
	function own(thing, name) {
		const property = typeof thing === 'object' && thing ? getOwnPropertyDescriptor(thing, name) : undefined;
		return property && hasOwn(property, 'value') ? property.value : undefined;
	}

	/** @param {any} data whether it may be a question to the relay */
	function isSpoken(data) {
		const word = own(data, 'type') ?? data;
		return (
			(typeof word === 'string' && apply(exec, SPOKEN, [word])) ||
			(own(data, 'portlight') && own(data, 'ask')) ||
			own(data, 'from') === 'jsapi' ||
			own(data, 'get-custom-sourceId') ||
			(own(data, 'requestId') && own(own(data, 'data'), 0))
		);
	}

	/** @param {MessageEvent} event @returns {boolean} whether the page's other listeners are not to see it */
	function pass(event) {
		const data = dataOf(event);
		if (!isSpoken(data)) {
			return false;
		}
		const heard = new MessageEvent('portlight:heard', { data, ports: portsOf(event), cancelable: true });
		return !apply(dispatchEvent, window, [heard]);
	}

	/** @param {MessageEvent} event */
	function hear(event) {
		if (!event.isTrusted || sourceOf(event) !== window) {
			return;
		}
		if (postTask && portsOf(event).length === 0) {
			apply(postTask, scheduler, [() => void pass(event)]);
		} else if (pass(event)) {
			apply(stopImmediatePropagation, event, []);
		}
	}

	/** And again after document.open(), which removes a window's listeners. */
	const listen = () => apply(addEventListener, window, ['message', hear, true]);
	listen();
	new MutationObserver(listen).observe(document, { childList: true });
})();
