/** The browsers' own capture, without Portlight, in all pages: on X11, where the switch and the preference choose the screen. */
import assert from 'node:assert/strict';
import {before, describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'xvfb', '--size', '1920x1080']);
const {askUntil} = await import('../lib/own.js');
const {fill, marker, moves, press, until, useRooms} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

describe('the browser’s own path, without the extension', () => {
	// The marker is at the top left, with Firefox below and Chromium beside it: one that is covered plays nothing.
	const places = {
		firefox: {at: {x: 0, y: 470}, size: {width: 900, height: 600}},
		chromium: {at: {x: 910, y: 10}, size: {width: 1000, height: 1000}},
	};
	const rooms = useRooms({browser: (kind) => ({
		extension: false,
		visible: true,
		...places[kind],
		// Chromium's fake dialog would share a fake screen too.
		...(kind === 'chromium' && {fakeCamera: false, args: ['--use-fake-device-for-media-stream', '--auto-select-desktop-capture-source=Entire screen']}),
	})});
	before(async () => {
		const {firefox, chromium} = rooms.browsers;
		await chromium.browser.defaultBrowserContext().overridePermissions(String(rooms.server.origin), ['camera', 'microphone']);
		await firefox.inWindow(() => globalThis.moveTo(0, 470));
	});
	/** @type {[Kind, Kind][]} */
	const pairs = [['firefox', 'chromium'], ['chromium', 'firefox']];

	/** The whole screen is there, as it is now. @param {Page} page */
	async function sees(page) {
		await moves(page);
		const seen = await askUntil(() => marker(page, '.stage video'), (read) => read?.width === 1920);
		assert.equal(seen?.height, 1080);
	}

	for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
		test(`${kind}: the documented flow says that no extension answers, and may be tried again`, async () => {
			const page = await rooms.page(kind, 'request-video.html');
			await press(page, '#share');
			await until(page, '#step2 output', /No screen sharing extension answered/);
			assert.equal(await page.$eval('#share', (share) => /** @type {HTMLButtonElement} */ (share).disabled), false);
		});
	}

	for (const [from, to] of pairs) {
		test(`call: a screen from ${from} to ${to}`, async () => {
			const sharer = await rooms.page(from, 'call.html');
			const other = await rooms.page(to, 'call.html');
			for (const [page, name] of /** @type {[Page, string][]} */ ([[sharer, 'Sue'], [other, 'Otto']])) {
				await fill(page, '#name', name);
				await press(page, '#login .main');
				await until(page, '#title', new RegExp(name));
			}
			await fill(sharer, '#callee', 'Otto');
			await press(sharer, '#dial .main');
			await press(other, '#accept');
			await until(sharer, '#link', /Connected/);
			await press(sharer, '#screen');
			await until(sharer, '#notice', /You share your screen, by the browser/);
			await sees(other);
			await press(sharer, '#screen');
			await askUntil(() => other.$$eval('.tile.screen', (all) => all.length), (count) => count === 0);
		});

		test(`conference: a screen from ${from} to ${to}`, async () => {
			const [sharer, other] = [await rooms.page(from, 'conference.html?room=own'), await rooms.page(to, 'conference.html?room=own')];
			for (const [page, name] of /** @type {[Page, string][]} */ ([[sharer, 'Sue'], [other, 'Otto']])) {
				await fill(page, '#nickname', name);
				await press(page, '#join .main');
				await until(page, '#title', /own/);
			}
			await press(sharer, '#screen');
			await until(sharer, '#notice', /Everybody sees your screen, by the browser/);
			await sees(other);
			await press(sharer, '#screen');
			await askUntil(() => other.$$eval('.tile.screen', (all) => all.length), (count) => count === 0);
		});

		test(`assist: a screen from ${from} to ${to}, of which the page cuts a part`, async () => {
			const sharer = await rooms.page(from, 'assist.html');
			await fill(sharer, '#sharerName', 'Sue');
			await press(sharer, '#share .main');
			await until(sharer, '#title', /You share/);
			await until(sharer, '#path', /This page crops/);
			const url = await sharer.$eval('#url', (field) => /** @type {HTMLInputElement} */ (field).value);
			const viewer = await rooms.page(to, url.slice(url.indexOf('assist.html')));
			await fill(viewer, '#viewerName', 'Vera');
			await press(viewer, '#knock .main');
			await press(sharer, '#knocking .main');
			await sees(viewer);
			for (const [id, value] of Object.entries({x: '0', y: '0', width: '960', height: '540'})) {
				await fill(sharer, `#${id}`, value);
			}
			await press(sharer, '#crop .main');
			await askUntil(() => marker(viewer, '.stage video'), (read) => read?.width === 960 && read.height === 540);
			await sharer.bringToFront();
			await moves(viewer);
			await press(sharer, '#stop');
			await until(viewer, '#notice', /The share is over/);
		});
	}
});
