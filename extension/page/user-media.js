/** getUserMedia in all its forms takes source ids of Portlight. A call without one goes to the browser's function as it is. */
import { apply, dispatchEvent, getPrototypeOf } from './pristine.js';
import { wrap } from './wrap.js';

const CALLBACK_FORMS = ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'];

/**
 * Whether constraints name a source id of Portlight, in the documented spelling or without its `mandatory`.
 *
 * @param {any} constraints
 */
function isOurs(constraints) {
	try {
		const { video } = constraints;
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

/**
 * Hands the constraints to page/track.js, which is in the page only when a share was granted there.
 *
 * @param {any} constraints
 * @returns {Promise<MediaStream>}
 */
export function redeemByTrack(constraints) {
	return new Promise((resolve, reject) => {
		const detail = { constraints, resolve, reject };
		const event = new CustomEvent('portlight:redeem', { cancelable: true, detail });
		if (apply(dispatchEvent, window, [event])) {
			reject(new DOMException('This source id was not given to this page.', 'NotAllowedError'));
		}
	});
}

/**
 * Each object that has the function counts: libraries give `navigator` and `navigator.mediaDevices` functions of their own.
 *
 * @param {any} object
 * @param {string} name
 * @param {Parameters<typeof wrap>[2]} answer
 */
function wrapAlong(object, name, answer) {
	for (let holder = object; holder; holder = getPrototypeOf(holder)) {
		wrap(holder, name, answer, object);
	}
}

/** @param {(constraints: any) => Promise<MediaStream>} redeem */
export function wrapUserMedia(redeem) {
	wrapAlong(navigator.mediaDevices, 'getUserMedia', (args, native) => (isOurs(args[0]) ? redeem(args[0]) : native()));
	for (const name of CALLBACK_FORMS) {
		wrapAlong(navigator, name, (args, native) =>
			args.length > 2 && isOurs(args[0]) ? void redeem(args[0]).then(args[1], args[2]) : native(),
		);
	}
}
