/** Whether the person is at a page: clicks into it or types, just now or since it was last refused. */
import { ext } from './ext.js';

/** @typedef {import('./source-ids.js').Place} Place */

/** The browsers count an act for 5 s; what counts later than this after a refusal is younger than that. */
const ACTIVE_MS = 6_000;

/**
 * Runs in frames, in the extension's own world, whose events no page can forge unnoticed. A document that came since the
 * refusal is not watched yet, and what the browser says of it may be older: Chromium keeps the acts of a document for the
 * next one of its origin in that frame.
 *
 * @param {boolean} anew only what comes from now on counts
 * @param {boolean} late what the browser counts as an act of the person came since the refusal
 */
function watch(anew, late) {
	const world = /** @type {any} */ (globalThis);
	for (const type of world.portlightTouched === undefined ? ['pointerdown', 'keydown'] : []) {
		const note = (/** @type {any} */ event) => {
			world.portlightTouched ||= event.isTrusted && event.key !== 'Escape';
		};
		window.addEventListener(type, note, true);
	}
	world.portlightTouched = !anew && (world.portlightTouched === true || (late && navigator.userActivation.isActive));
	return world.portlightTouched;
}

/** Runs there too. */
function isActive() {
	return navigator.userActivation.isActive;
}

/**
 * @template {any[]} Args
 * @template Result
 * @param {chrome.scripting.InjectionTarget} target
 * @param {(...args: Args) => Result} func
 * @param {Args} args
 * @returns {Promise<Result | undefined>} of the first frame; undefined when there is none
 */
async function run(target, func, args) {
	try {
		const [{ result }] = await ext.scripting.executeScript({ target, func, args, injectImmediately: true });
		return /** @type {Result} */ (result);
	} catch {
		return undefined;
	}
}

/**
 * From now on only what comes counts, in whichever frame of the tab. Nobody has to wait for that: a frame runs what it is
 * sent in order, and one that hangs never.
 *
 * @param {Place} place
 */
export function watchTouch({ tabId }) {
	void run({ tabId, allFrames: true }, watch, [true, false]);
}

/**
 * Whether the person touched the frame since the tab or the site was refused; from now on it is watched for that.
 *
 * @param {Place} place
 * @param {number} since
 */
export async function touchedSince({ tabId, frameId }, since) {
	const late = Date.now() - since > ACTIVE_MS;
	return (await run({ tabId, frameIds: [frameId] }, watch, [false, late])) === true;
}

/** Whether they do so just now. @param {Place} place */
export async function touchedNow({ tabId, frameId }) {
	return (await run({ tabId, frameIds: [frameId] }, isActive, [])) === true;
}
