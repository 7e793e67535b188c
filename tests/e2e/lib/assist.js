/** What people do in an assistance share: one shares from a browser, others watch from another. */
import assert from 'node:assert/strict';
import {askUntil} from './own.js';
import {fill, moves, press, until} from './rooms.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./browser.js').Kind} Kind */
/** @typedef {[number, number]} Point in the picture, as fractions */

export class Assist {
	/** @param {import('./rooms.js').Rooms} rooms @param {Kind} sharing @param {Kind} watching */
	constructor(rooms, sharing, watching) {
		this.rooms = rooms;
		this.sharing = sharing;
		this.watching = watching;
	}

	shared() {
		return startShare(this.rooms, this.sharing);
	}

	/** @param {string} path @param {string} name */
	async knock(path, name) {
		const page = await this.rooms.page(this.watching, path);
		await fill(page, '#viewerName', name);
		await press(page, '#knock .main');
		return page;
	}

	/** @param {Page} sharer @param {string} path @param {string} name */
	async letIn(sharer, path, name) {
		const page = await this.knock(path, name);
		await press(sharer, `#knocking button[aria-label="Let in: ${name}"]`);
		await until(page, '#title', /Sharon shares/);
		return page;
	}

	/** @param {Page} sharer @param {string} path @param {string} name */
	watch(sharer, path, name) {
		return watch(this.rooms, this.watching, {sharer, path}, name);
	}
}

/** Drags over the picture. @param {Page} page @param {Point} from @param {Point} to */
export async function drag(page, from, to) {
	await page.bringToFront();
	const box = await page.$eval('canvas.marks', (canvas) => {
		const {x, y, width, height} = canvas.getBoundingClientRect();
		return {x, y, width, height};
	});
	const at = (/** @type {number} */ part) => /** @type {const} */ ([box.x + (from[0] + (to[0] - from[0]) * part) * box.width, box.y + (from[1] + (to[1] - from[1]) * part) * box.height]);
	await page.mouse.move(...at(0));
	await page.mouse.down();
	for (let part = 0.25; part <= 1; part += 0.25) {
		await page.mouse.move(...at(part));
	}
	await page.mouse.up();
}

/** @param {Page} page @param {string} tool @param {Point} from @param {Point} to */
export async function draw(page, tool, from, to) {
	await press(page, `[data-tool="${tool}"]`);
	await drag(page, from, to);
}

/** @param {Page} page @param {Point} at @param {string} words */
export async function write(page, at, words) {
	await press(page, '[data-tool="text"]');
	await drag(page, at, at);
	await page.waitForSelector('#words', {visible: true});
	await page.type('#words', words);
	await page.keyboard.press('Enter');
}

/** @param {Page} sharer @param {...string} values x, y, width, height */
export async function crop(sharer, ...values) {
	for (const [index, id] of ['#x', '#y', '#width', '#height'].entries()) {
		await fill(sharer, id, values[index]);
	}
	await press(sharer, '#crop .main');
}

/** What is on a page's board. @param {Page} page */
export const board = (page) => page.evaluate(async () => {
	const {board: held} = (await import('/rooms/assist.js')).now();
	return {crop: held?.crop, marks: [...(held?.marks.values() ?? [])].map(({tool, by, n, points, text}) => ({tool, by, n, points, text}))};
});

/** @param {Page} page @param {Page} other */
export const same = (page, other) => askUntil(async () => JSON.stringify(await board(page)) === JSON.stringify(await board(other)));

/**
 * Waits until the video has this shape: a slow machine's encoder makes pictures smaller, but keeps their shape.
 * @param {Page} page @param {number} width @param {number} height
 */
export const shape = (page, width, height) => askUntil(() => page.$eval('.stage video', (found) => {
	const {videoWidth, videoHeight} = /** @type {HTMLVideoElement} */ (found);
	return videoHeight ? videoWidth / videoHeight : 0;
}), (ratio) => Math.abs(ratio / (width / height) - 1) < 0.02);

/**
 * What is shown, by its pixels: a fingerprint of all, and how bright the brightest one is in a part of it.
 * @param {Page} page @param {string} selector of a canvas or a video @param {{x: number, y: number, width: number, height: number}} [part] in fractions
 */
export const pixels = (page, selector, part = {x: 0, y: 0, width: 1, height: 1}) => page.$eval(selector, async (found, {x, y, width: w, height: h}) => {
	const source = /** @type {any} */ (found);
	const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
	if (!width || source.hidden) {
		return null;
	}
	const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext('2d'));
	context.drawImage(source, 0, 0);
	const digest = await crypto.subtle.digest('SHA-256', context.getImageData(0, 0, width, height).data);
	const {data} = context.getImageData(Math.round(x * width), Math.round(y * height), Math.max(1, Math.round(w * width)), Math.max(1, Math.round(h * height)));
	let brightest = 0;
	for (let at = 0; at < data.length; at += 4) {
		brightest = Math.max(brightest, data[at], data[at + 1], data[at + 2]);
	}
	return {width, height, brightest, hash: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')};
}, part);

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
	const page = await new Assist(rooms, kind, kind).letIn(sharer, path, name);
	await moves(page);
	return page;
}
