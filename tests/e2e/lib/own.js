/** The extension's own pages, which drivers see less of than of others: Firefox tells nothing that could be waited for. */
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {inspect} from 'node:util';
import {CAP_MS} from './processes.js';

/** @typedef {import('puppeteer-core').Page} Page */

/**
 * Asks until the answer pleases, and resolves with it. What fails, as in a page that is just being loaded, is asked again.
 * @template T
 * @param {() => T | Promise<T>} ask
 * @param {(answer: T) => unknown} [pleases]
 * @param {number} [capMs]
 * @returns {Promise<T>}
 */
export async function askUntil(ask, pleases = (answer) => answer, capMs = CAP_MS) {
	const end = performance.now() + capMs;
	for (;;) {
		let last;
		try {
			const answer = await ask();
			if (pleases(answer)) {
				return answer;
			}
			last = inspect(answer);
		} catch (error) {
			last = String(error);
		}
		assert(performance.now() < end, `waited in vain for ${pleases}; the last answer to ${ask} is ${last}`);
		await sleep(50);
	}
}

/**
 * Waits until something holds in a page.
 * @template T
 * @param {Page} page
 * @param {(...args: any[]) => T} fn
 * @param {...any} args
 */
export const until = (page, fn, ...args) => askUntil(() => page.evaluate(fn, ...args));

/** What the extension answers one of its own pages. @param {Page} page @param {object} message @returns {Promise<any>} */
export const say = (page, message) =>
	page.evaluate((m) => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).runtime.sendMessage(m), message);

/** Reloads a page. @param {Page} page */
export async function reload(page) {
	await page.evaluate(() => {
		Object.assign(window, {before: true});
		location.reload();
	});
	await until(page, () => !('before' in window) && document.readyState !== 'loading');
}

/** @param {Page} page @param {string} selector */
export const press = (page, selector) =>
	page.evaluate((s) => /** @type {HTMLElement} */ (document.querySelector(s)).click(), selector);

/** In the page: what can be read of an element that is shown. @param {string} selector */
export const shows = (selector) => {
	const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
	return found?.checkVisibility() ? found.innerText || 'shown' : '';
};
