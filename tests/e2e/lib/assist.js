/** What people do in an assistance share. */
import assert from 'node:assert/strict';
import {fill, moves, press, until} from './rooms.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./browser.js').Kind} Kind */

/**
 * Shares the desktop.
 * @param {import('./rooms.js').Rooms} rooms @param {Kind} kind
 * @returns {Promise<{sharer: Page, path: string}>} path: of the private link, below rooms/
 */
export async function startShare(rooms, kind) {
	const sharer = await rooms.page(kind, 'assist.html');
	await fill(sharer, '#sharerName', 'Sharon');
	await rooms.share(sharer, '#share .main');
	await until(sharer, '#title', /You share/);
	const url = await sharer.$eval('#url', (field) => /** @type {HTMLInputElement} */ (field).value);
	assert.match(url, /\/rooms\/assist\.html#[\w-]{22}$/);
	return {sharer, path: url.slice(url.indexOf('assist.html'))};
}

/**
 * Somebody opens the link and is let in; the picture moves.
 * @param {import('./rooms.js').Rooms} rooms @param {Kind} kind @param {{sharer: Page, path: string}} share @param {string} name
 */
export async function watch(rooms, kind, {sharer, path}, name) {
	const page = await rooms.page(kind, path);
	await fill(page, '#viewerName', name);
	await press(page, '#knock .main');
	await press(sharer, `#knocking button[aria-label="Let in: ${name}"]`);
	await until(page, '#title', /Sharon shares/);
	await moves(page);
	return page;
}
