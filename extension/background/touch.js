/** Whether the person is at a page: clicks into it or types, just now or since it was last refused. */
import { ext } from './ext.js';
import { runIn } from './inject.js';

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
	// A symbol: every other name on a window may be that of an element of the page.
	const touched = Symbol.for('portlight touched');
	for (const type of world[touched] === undefined ? ['pointerdown', 'keydown'] : []) {
		const note = (/** @type {any} */ event) => {
			world[touched] ||= event.isTrusted && event.key !== 'Escape';
		};
		window.addEventListener(type, note, true);
	}
	world[touched] = !anew && (world[touched] === true || (late && navigator.userActivation.isActive));
	return world[touched];
}

/** Runs there too. */
function isActive() {
	return navigator.userActivation.isActive;
}

/**
 * From now on only what comes counts, in whichever frame of the tab. Nobody has to wait for that: a frame runs what it is
 * sent in order, and one that hangs never.
 *
 * @param {Place} place
 */
export function watchTouch({ tabId }) {
	const target = { tabId, allFrames: true };
	ext.scripting.executeScript({ target, func: watch, args: [true, false], injectImmediately: true }).catch(() => {});
}

/**
 * Whether the person touched the frame since the tab or the site was refused; from now on it is watched for that.
 *
 * @param {Place} place
 * @param {number} since
 */
export async function touchedSince(place, since) {
	const late = Date.now() - since > ACTIVE_MS;
	return (await runIn(place, watch, false, late)) === true;
}

/** Whether they do so just now. @param {Place} place */
export async function touchedNow(place) {
	return (await runIn(place, isActive)) === true;
}
