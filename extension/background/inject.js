/** Runs scripts in the document that asked, and puts the track into one that was granted a native share: once. */
import { ext } from './ext.js';

/** @typedef {import('./source-ids.js').Place} Place */

/**
 * In Chromium an act of the person comes with the message of a page, and a script that is put into a frame in the same turn
 * counts there as another one: each time the page could renew the click that it had.
 */
export function nextTurn() {
	return new Promise((resolve) => setTimeout(resolve));
}

/**
 * The document itself where the browser names it: its frame may have another one by now.
 *
 * @param {Place} place
 * @returns {chrome.scripting.InjectionTarget}
 */
export function targetOf({ tabId, frameId, documentId }) {
	return documentId ? { tabId, documentIds: [documentId] } : { tabId, frameIds: [frameId] };
}

/**
 * Runs a function in the document, in the extension's own world.
 *
 * @template {any[]} Args
 * @template Result
 * @param {Place} place
 * @param {(...args: Args) => Result} func
 * @param {...any} args
 * @returns {Promise<Result | undefined>} undefined when the document is gone, or is not ours to see
 */
export async function runIn(place, func, ...args) {
	const script = { target: targetOf(place), func, args: /** @type {Args} */ (args), injectImmediately: true };
	try {
		const [{ result }] = await ext.scripting.executeScript(script);
		return /** @type {Result} */ (result);
	} catch {
		return undefined;
	}
}

/** Runs in the frame. Whether it was granted a share before. */
function isJoined() {
	return /** @type {any} */ (globalThis).portlight?.redeem !== undefined;
}

/** @param {Place} place */
export async function injectTrack(place) {
	if (await runIn(place, isJoined)) {
		return;
	}
	const target = targetOf(place);
	await Promise.all([
		ext.scripting.executeScript({ target, files: ['scripts/share.js'], injectImmediately: true }),
		ext.scripting.executeScript({ target, world: 'MAIN', files: ['scripts/track.js'], injectImmediately: true }),
	]);
}
