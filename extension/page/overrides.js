/** What tracks of Portlight answer themselves. Those of the page's other tracks answer as before. */
import { defineProperty } from './pristine.js';
import { wrapped } from './wrap.js';

/** @typedef {import('./shared-track.js').SharedTrack} SharedTrack */

/** @type {WeakMap<MediaStreamTrack, SharedTrack>} */
export const known = new WeakMap();
/** What each track gets for itself, where the page has frozen what all tracks have. @type {[string, PropertyDescriptor][]} */
const own = [];

/**
 * Gives a method or getter of tracks another answer for ours.
 *
 * @param {string} name
 * @param {(shared: SharedTrack, native: () => any, args: any[]) => unknown} answer
 */
export function override(name, answer) {
	const { prototype } = MediaStreamTrack;
	/** @type {Parameters<typeof wrapped>[2]} */
	const either = (args, native, self) => {
		const shared = known.get(self);
		return shared ? answer(shared, native, args) : native();
	};
	const property = wrapped(prototype, name, either) ?? wrapped(EventTarget.prototype, name, either);
	if (property && !defineProperty(prototype, name, property)) {
		own.push([name, property]);
	}
}

/** @param {SharedTrack} shared */
export function keep(shared) {
	known.set(shared.track, shared);
	for (const [name, property] of own) {
		defineProperty(shared.track, name, property);
	}
}
