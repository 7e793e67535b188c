/** Whether the person has touched a page: clicked into it or typed, since it was last watched for that, or ever. */
import { ext } from './ext.js';

/** @typedef {import('./source-ids.js').Place} Place */

/** Runs in the frame, in the extension's own world, whose events no page can forge unnoticed. */
function startWatch() {
	const world = /** @type {any} */ (globalThis);
	const watched = world.portlightTouched !== undefined;
	world.portlightTouched = false;
	for (const type of watched ? [] : ['pointerdown', 'keydown']) {
		const note = (/** @type {any} */ event) => {
			world.portlightTouched ||= event.isTrusted && event.key !== 'Escape';
		};
		window.addEventListener(type, note, true);
	}
}

/** Runs there too. A document that came since the watch began tells whether it was touched at all. */
function readWatch() {
	return /** @type {any} */ (globalThis).portlightTouched ?? navigator.userActivation.hasBeenActive;
}

/**
 * @template Result
 * @param {Place} place
 * @param {() => Result} func
 * @returns {Promise<Result | undefined>} undefined when the frame is gone
 */
async function run({ tabId, frameId }, func) {
	try {
		const target = { tabId, frameIds: [frameId] };
		const [{ result }] = await ext.scripting.executeScript({ target, func, injectImmediately: true });
		return /** @type {Result} */ (result);
	} catch {
		return undefined;
	}
}

/** From now on only what comes counts. @param {Place} place */
export async function watchTouch(place) {
	await run(place, startWatch);
}

/** @param {Place} place */
export async function wasTouched(place) {
	return (await run(place, readWatch)) === true;
}
