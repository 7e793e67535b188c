/**
 * Functions that the page can't have changed. Libraries replace those of the page (Zone.js, Sentry and their like), and
 * put members on Object.prototype. A script that comes before the page's first takes them from its window, any other from
 * the realm of a new, empty frame: they do the same for the page's own objects.
 */

/** @param {any} realm a window */
function functionsOf({ EventTarget, MessagePort, Object, Reflect }) {
	const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
	const { addEventListener, dispatchEvent } = EventTarget.prototype;
	const { postMessage } = MessagePort.prototype;
	const { assign, create, prototype: { isPrototypeOf } } = Object;
	return { addEventListener, apply, assign, create, defineProperty, dispatchEvent, getOwnPropertyDescriptor, getPrototypeOf, isPrototypeOf, postMessage };
}

function pristine() {
	try {
		const frame = document.head.appendChild(document.createElement('iframe'));
		const functions = functionsOf(frame.contentWindow);
		frame.remove();
		return functions;
	} catch {
		return functionsOf(window); // Before the page's first script, or createElement() makes none.
	}
}

export const { addEventListener, apply, assign, create, defineProperty, dispatchEvent, getOwnPropertyDescriptor, getPrototypeOf, isPrototypeOf, postMessage } = pristine();
