/** What two people do in the call page. */
import {askUntil} from './own.js';
import {fill, press, until} from './rooms.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./rooms.js').Rooms} Rooms */

/** @param {Page} page @param {string} name */
export async function login(page, name) {
	await fill(page, '#name', name);
	await press(page, '#login .main');
}

/** Two who are logged in: Fiona in Firefox, Carl in Chromium. @param {Rooms} rooms @param {{fiona?: string, carl?: string}} [queries] of their pages */
export async function two(rooms, queries = {}) {
	const fiona = await rooms.page('firefox', `call.html${queries.fiona ?? ''}`);
	const carl = await rooms.page('chromium', `call.html${queries.carl ?? ''}`);
	await login(fiona, 'Fiona');
	await until(fiona, '#title', /Fiona/);
	await login(carl, 'Carl');
	await until(carl, '#title', /Carl/);
	return {fiona, carl};
}

/** @param {Page} page @param {string} whom */
export async function dial(page, whom) {
	await fill(page, '#callee', whom);
	await press(page, '#dial .main');
}

/** In a call: the first named calls the other. @param {Rooms} rooms @param {{fiona?: string, carl?: string}} [queries] @param {[string, string]} [names] */
export async function calling(rooms, queries, [caller, callee] = ['Fiona', 'Carl']) {
	const pages = await two(rooms, queries);
	const [from, to] = caller === 'Fiona' ? [pages.fiona, pages.carl] : [pages.carl, pages.fiona];
	await dial(from, callee);
	await until(to, '#caller', new RegExp(`${caller} calls you`));
	await press(to, '#accept');
	await until(from, '#link', /Connected/);
	await until(to, '#link', /Connected/);
	return pages;
}

/** @param {Page} page @param {string} text */
export async function chat(page, text) {
	await fill(page, '#line', text);
	await press(page, '#chat .main');
}

/** Offers a file to the other side. @param {Page} page @param {string} path */
export async function send(page, path) {
	const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('#files'));
	await input.uploadFile(path);
}

/** Waits for the file as long as more of it comes. @param {Page} page */
export async function arrives(page) {
	for (let last = ''; ;) {
		const state = await askUntil(() => page.$eval('#transfers li', (item) => `${item.getAttribute('data-state')} ${item.textContent}`), (now) => now !== last);
		if (!state.startsWith('moving')) {
			return;
		}
		last = state;
	}
}
