/** Runs scripts in the document that asked, and puts the track into one that was granted a native share: once. */
import { ext } from './ext.js';

/** @typedef {import('./source-ids.js').Place} Place */

const FILES = ['constraints', 'frames', 'sinks', 'shared-track', 'share', 'track'].map((name) => `page/${name}.js`);

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

/** Runs in the page. */
function present() {
	return !window.dispatchEvent(new CustomEvent('portlight:present', { cancelable: true }));
}

/** @param {Place} place */
export async function injectTrack(place) {
	const target = targetOf(place);
	const inPage = { target, world: /** @type {'MAIN'} */ ('MAIN'), injectImmediately: true };
	const [, [{ result }]] = await Promise.all([
		ext.scripting.executeScript({ target, files: ['content/share.js'], injectImmediately: true }),
		ext.scripting.executeScript({ ...inPage, func: present }),
	]);
	if (result !== true) {
		await ext.scripting.executeScript({ ...inPage, files: FILES });
	}
}
