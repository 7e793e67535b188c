/** The extension's own pages, which drivers see less of than of others: Firefox tells nothing that could be waited for. */
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';

/** @typedef {import('puppeteer-core').Page} Page */

/**
 * Asks until the answer pleases, at most 10 s; resolves with the last one. What fails, as in a page that is just being
 * loaded, is asked again.
 * @template T
 * @param {() => T | Promise<T>} ask
 * @param {(answer: T) => unknown} [pleases]
 * @returns {Promise<T | undefined>}
 */
export async function askUntil(ask, pleases = (answer) => answer) {
	const end = performance.now() + 10_000;
	/** @type {T | undefined} */
	let answer;
	for (;;) {
		try {
			answer = await ask();
			if (pleases(answer)) {
				return answer;
			}
		} catch (error) {
			if (performance.now() > end) {
				throw error;
			}
		}
		if (performance.now() > end) {
			return answer;
		}
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
export async function until(page, fn, ...args) {
	const value = await askUntil(() => page.evaluate(fn, ...args));
	assert.ok(value, `waited in vain for ${fn} ${args}`);
	return value;
}

/** Loads a page anew. @param {Page} page */
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
