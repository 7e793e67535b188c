/**
 * In the page's own world, before its scripts: lets getUserMedia in all its forms take a source id of ours. A call with
 * such an id is handed to page/track.js, which is in the page only when one was granted there. Every other call goes to
 * the browser's function as it is.
 */
(() => {
	'use strict';
	if (!window.isSecureContext) {
		return;
	}
	const { apply } = Reflect;
	const { isPrototypeOf } = Object.prototype;
	const { dispatchEvent } = window;

	/**
	 * Whether constraints name a source id of ours, in the documented spelling or without its `mandatory`.
	 *
	 * @param {any} constraints
	 */
	function ours(constraints) {
		try {
			const video = constraints.video;
			return [video.mandatory, video].some(
				(where) =>
					where?.chromeMediaSource === 'desktop' &&
					typeof where.chromeMediaSourceId === 'string' &&
					where.chromeMediaSourceId.startsWith('portlight:'),
			);
		} catch {
			return false; // The browser's function says what is wrong with them.
		}
	}

	/** @param {any} constraints @returns {Promise<MediaStream>} */
	function redeem(constraints) {
		return new Promise((resolve, reject) => {
			const detail = { constraints, resolve, reject };
			const event = new CustomEvent('portlight:redeem', { cancelable: true, detail });
			if (apply(dispatchEvent, window, [event])) {
				reject(new DOMException('This source id was not given to this page.', 'NotAllowedError'));
			}
		});
	}

	/**
	 * Replaces a method in its place; a Proxy keeps its name, length, text and the rest.
	 *
	 * @param {any} prototype
	 * @param {string} name
	 * @param {(args: any[]) => unknown} call answers a call with a source id of ours
	 * @param {number} needed fewer arguments are the browser's to refuse
	 */
	function wrap(prototype, name, call, needed) {
		const property = prototype && Object.getOwnPropertyDescriptor(prototype, name);
		if (!property?.value) {
			return;
		}
		// Of no prototype: the page may put members on that of all objects, which would be traps.
		const handler = Object.create(null);
		handler.apply = (/** @type {Function} */ target, /** @type {any} */ self, /** @type {any[]} */ args) => {
			const taken = args.length >= needed && apply(isPrototypeOf, prototype, [self]) && ours(args[0]);
			return taken ? call(args) : apply(target, self, args);
		};
		property.value = new Proxy(property.value, handler);
		Object.defineProperty(prototype, name, property);
	}

	wrap(window.MediaDevices?.prototype, 'getUserMedia', (args) => redeem(args[0]), 1);
	for (const name of ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia']) {
		wrap(Navigator.prototype, name, (args) => void redeem(args[0]).then(args[1], args[2]), 3);
	}

	// For pages that show signs of asking other extensions.
	const SIGNS =
		/jitsi|erizo|bigblue|opentok|tokbox|twilio|temasys|skylink|kandy|getscreen|simplewebrtc|screen-?(shar|capt)|rtcmulti|openvidu|janus|skyway|bistri|rong-?(rtc|cloud)|respoke|desktopcapture/i;
	function look() {
		const tag = document.querySelector('link[rel*=webstore],#app[class*=nc-enable]');
		if (calls || !(tag || [...document.scripts].some(({ src }) => SIGNS.test(src)))) {
			return;
		}
		calls = [];
		// Firefox has no `chrome`, and its pages' extensions were not spoken to by it.
		const { chrome } = /** @type {any} */ (window);
		if (chrome) {
			const runtime = (chrome.runtime ??= {});
			const own = runtime.sendMessage;
			let take = calls.push.bind(calls);
			runtime.sendMessage = (/** @type {any} */ ...args) => new Promise((done) => take({ args, done, own }));
			window.addEventListener('portlight:runtime', (/** @type {any} */ { detail }) => calls?.forEach((take = detail)));
		}
		window.dispatchEvent(new Event('portlight:signs'));
	}

	/** @type {any[] | null} what was said to other extensions before page/runtime.js came; null where no sign is */
	let calls = null;
	/** And again after document.open(), which removes a window's listeners. */
	const listen = () => window.addEventListener('DOMContentLoaded', look);
	listen();
	new MutationObserver(listen).observe(document, { childList: true });
})();
