/** Everything that the background runs in a page: what it reads there, and scripts that come when they are needed. */
import * as desktopCapture from './desktop-capture.js';
import { ext } from './ext.js';

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {'ISOLATED' | 'MAIN'} World the extension's own, or the page's
 */

/**
 * Runs a script, in a turn of its own. In Chromium a page's message brings along its user activation, and a script that
 * is injected in the same turn gives the page new activation: with each message it could renew one click.
 * @template {any[]} Args @template Result
 * @param {{target: chrome.scripting.InjectionTarget, world?: World, files?: string[], func?: (...args: Args) => Result, args?: Args}} script
 * @returns {Promise<chrome.scripting.InjectionResult<Awaited<Result>>[]>}
 */
async function execute(script) {
	await new Promise((resolve) => setTimeout(resolve));
	return ext.scripting.executeScript(/** @type {any} */ ({ ...script, injectImmediately: true }));
}

/**
 * The document itself if the browser names it: by now its frame may have another one.
 * @param {Place} place @returns {chrome.scripting.InjectionTarget}
 */
function targetOf({ tabId, frameId, documentId }) {
	return documentId ? { tabId, documentIds: [documentId] } : { tabId, frameIds: [frameId] };
}

/** @param {Place} place @param {World} world @param {...string} files */
async function load(place, world, ...files) {
	const [{ error }] = /** @type {{error?: {message: string}}[]} */ (await execute({ target: targetOf(place), world, files }));
	if (error) {
		throw new Error(error.message); // So Firefox tells of a script that failed.
	}
}

/**
 * Runs a function in the document, in the extension's own world.
 * @template {any[]} Args @template Result @param {Place} place @param {(...args: Args) => Result} func
 * @param {...any} args
 * @returns {Promise<Awaited<Result> | undefined>} undefined if the document is gone, or the extension may not enter it
 */
export async function runIn(place, func, ...args) {
	try {
		const [{ result }] = await execute({ target: targetOf(place), func, args: /** @type {Args} */ (args) });
		return result;
	} catch {
		return undefined;
	}
}

/**
 * Runs a function in every frame of a tab, in the extension's own world.
 * @template {any[]} Args @template Result @param {number} tabId @param {(...args: Args) => Result} func
 * @param {...any} args
 * @returns {Promise<Map<number, Awaited<Result>>>} by frame; those that the extension may not enter are missing
 */
export async function runInTab(tabId, func, ...args) {
	try {
		const results = await execute({ target: { tabId, allFrames: true }, func, args: /** @type {Args} */ (args) });
		return new Map(results.flatMap(({ frameId, result }) => (result == null ? [] : [[frameId, result]])));
	} catch {
		return new Map();
	}
}

/**
 * The table of dialects, into a frame whose page may have said one of their words. Only Chromium ever had the pages that
 * speak to an extension by runtime.sendMessage.
 * @param {Place} place @param {boolean} [runtime] whether the page may be one of those
 */
export async function loadDialects(place, runtime) {
	await load(place, 'ISOLATED', 'scripts/dialects.js');
	if (runtime && desktopCapture.available()) {
		await load(place, 'MAIN', 'scripts/runtime.js');
	}
}

/** Runs in the page. @param {string} name */
function raise(name) {
	Object.assign(window, { [name]: true });
}

/** Sets a global that pages of a dialect look for. @param {Place} place @param {string} name */
export async function raiseFlag(place, name) {
	await execute({ target: targetOf(place), world: 'MAIN', func: raise, args: [name] });
}

/** What answers a page that asks in the words of the page API. @param {Place} place */
export async function loadPageApi(place) {
	await load(place, 'ISOLATED', 'scripts/page-api.js');
}

/** Runs in the frame. Whether it was granted a share before. */
function isJoined() {
	return /** @type {any} */ (globalThis).portlight?.redeem !== undefined;
}

/** The track, into a document that was granted a share; once. @param {Place} place */
export async function loadTrack(place) {
	if (!(await runIn(place, isJoined))) {
		await Promise.all([load(place, 'ISOLATED', 'scripts/share.js'), load(place, 'MAIN', 'scripts/track.js')]);
	}
}
