/** getUserMedia in all its forms takes source ids of Portlight. A call without one goes to the browser's function as it is. */
import { apply, dispatchEvent, getPrototypeOf, isPrototypeOf } from './pristine.js';
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
 * Each object that has the function counts: libraries give `navigator` and `navigator.mediaDevices` functions of their own,
 * or replace them.
 *
 * @param {any[]} objects
 * @param {string} name
 * @param {number} needed a call with fewer arguments is the browser's to refuse
 * @param {(args: any[]) => unknown} answer
 */
function wrapAlong(objects, name, needed, answer) {
	const holders = new Set();
	for (const object of objects) {
		for (let holder = object; holder; holder = getPrototypeOf(holder)) {
			holders.has(holder) || wrap(holder, name, answered(holder), object);
			holders.add(holder);
		}
	}

	/** @param {any} holder @returns {Parameters<typeof wrap>[2]} */
	function answered(holder) {
		return (args, native, self) => {
			const isCall = args.length >= needed && (self === holder || apply(isPrototypeOf, holder, [self]));
			return isCall && isOurs(args[0]) ? answer(args) : native();
		};
	}
}

/** @param {(constraints: any) => Promise<MediaStream>} redeem */
export function wrapUserMedia(redeem) {
	wrapAlong([navigator.mediaDevices, window.MediaDevices?.prototype], 'getUserMedia', 1, (args) => redeem(args[0]));
	for (const name of CALLBACK_FORMS) {
		wrapAlong([navigator], name, 3, (args) => void redeem(args[0]).then(args[1], args[2]));
	}
}
