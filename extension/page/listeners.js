/**
 * In Firefox a track's listeners hear no event that a page dispatches, and `onended` does. So they listen elsewhere, by what
 * the page has for that now, which libraries hook into.
 */
import { override } from './overrides.js';
import { apply, defineProperty, dispatchEvent } from './pristine.js';

/** @typedef {import('./shared-track.js').SharedTrack} SharedTrack */

/** @type {WeakMap<SharedTrack, {target: EventTarget, bound: WeakMap<object, any>}>} */
const listening = new WeakMap();
const stateOf = (/** @type {SharedTrack} */ shared) => {
	const state = listening.get(shared) ?? { target: new EventTarget(), bound: new WeakMap() };
	listening.set(shared, state);
	return state;
};

for (const name of /** @type {const} */ (['addEventListener', 'removeEventListener'])) {
	override(name, (shared, _native, [type, listener, ...rest]) => {
		const { target, bound } = stateOf(shared);
		if (typeof listener === 'function' && !bound.has(listener)) {
			bound.set(listener, (/** @type {Event} */ event) => listener.call(shared.track, event));
		}
		target[name](type, bound.get(listener) ?? listener, ...rest);
	});
}
override('dispatchEvent', (shared, native, [event]) => {
	native();
	for (const name of ['target', 'currentTarget']) {
		defineProperty(event, name, { __proto__: null, configurable: true, value: shared.track });
	}
	return apply(dispatchEvent, stateOf(shared).target, [event]);
});
