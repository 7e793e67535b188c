import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('./lib/own.js');
const {fill, marker, moves, plays, press, until, useRooms} = await import('./lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */

/** What takes long, in `make check-all` (ALL=1) alone. */
const rest = process.env.ALL ? test : () => {};

describe('a conference of three, Firefox with Chromium', () => {
	const rooms = useRooms();

	/** @param {import('./lib/browser.js').Kind} kind @param {string} nickname @param {string} room */
	async function join(kind, nickname, room) {
		const page = await rooms.page(kind, `conference.html?room=${room}`);
		await fill(page, '#nickname', nickname);
		await press(page, '#join .main');
		return page;
	}

	/** @param {string} room */
	async function three(room) {
		const pages = [];
		for (const [kind, nickname] of /** @type {const} */ ([['firefox', 'Fiona'], ['chromium', 'Carl'], ['chromium', 'Chris']])) {
			const page = await join(kind, nickname, room);
			await until(page, '#title', new RegExp(room));
			pages.push(page);
		}
		for (const page of pages) {
			await page.bringToFront();
			await askUntil(() => plays(page), ({count}) => count === 3);
		}
		return pages;
	}

	/** @param {Page} page @param {string} name */
	const button = (page, name) => press(page, `#people button[aria-label="${name}"]`);

	test('everyone sees and hears of everyone, a screen comes to all and goes, denied is said', async () => {
		const [fiona, carl, chris] = await three('team');
		await fill(chris, '#line', 'Hello all');
		await press(chris, '#chat .main');
		for (const page of [fiona, carl]) {
			await until(page, '#log', /Chris\s+Hello all/);
			assert.equal(await page.$$eval('#log li', (lines) => lines.length), 1);
		}
		await rooms.share(fiona, '#screen', 'deny');
		await until(fiona, '#notice', /you declined/);
		await rooms.share(fiona, '#screen');
		await until(fiona, '#notice', /Everybody sees your screen, by Portlight/);
		for (const page of [carl, chris]) {
			await moves(page);
			await until(page, '#people', /Fiona · owner, shares a screen/);
			// A click makes another picture the main one, and back.
			await press(page, '.tile:not(.screen) button');
			await askUntil(() => marker(page, '.stage video'), (seen) => seen === null);
			await press(page, '.tile.screen button');
			await moves(page);
		}
		await press(fiona, '#screen');
		await until(fiona, '#screen', /Share screen/);
		for (const page of [carl, chris]) {
			await page.bringToFront();
			await askUntil(() => page.$$eval('.tile.screen', (all) => all.length), (count) => count === 0);
		}
	});

	rest('the owner mutes, stops a screen, sends away, locks; leaving is seen', async () => {
		const [fiona, carl, chris] = await three('owned');
		assert.equal(await carl.$eval('#lock', (lock) => /** @type {HTMLElement} */ (lock).hidden), true);
		await button(fiona, 'Mute: Carl');
		await until(carl, '#notice', /A moderator muted you/);
		await until(carl, '#microphone', /off/);
		await rooms.share(carl, '#screen');
		await moves(fiona);
		await button(fiona, 'Stop screen: Carl');
		await until(carl, '#notice', /A moderator stopped your screen/);
		await button(fiona, 'Remove: Chris');
		await until(chris, '#notice', /A moderator removed you/);
		await press(fiona, '#lock');
		await until(fiona, '#lock', /Locked/);
		await press(chris, '#join .main');
		await until(chris, '#notice', /The room is locked/);
		await press(carl, '#leave');
		await until(carl, '#notice', /You left/);
		await fiona.bringToFront();
		await askUntil(() => fiona.$$eval('.tile', (all) => all.length), (count) => count === 1);
		assert.equal(await fiona.$$eval('#people li', (all) => all.length), 1);
	});

	rest('the server is killed and started again: the room stands again, with the same people', async () => {
		const pages = await three('again');
		await rooms.share(pages[1], '#screen');
		await moves(pages[0]);
		await rooms.server.stop('SIGKILL');
		await moves(pages[0]);
		await rooms.server.start();
		for (const page of pages) {
			await page.bringToFront();
			await askUntil(() => page.evaluate(async () => {
				const {mesh, server} = await import('/rooms/conference.js');
				return server.state === 'connected' && mesh.screen > 0 && [...mesh.people.values()].every(({peer}) => peer?.state === 'connected') && mesh.people.size;
			}), (people) => people === 2);
		}
		await moves(pages[0]);
		await fill(pages[0], '#line', 'All here?');
		await press(pages[0], '#chat .main');
		for (const page of pages.slice(1)) {
			await until(page, '#log', /All here/);
		}
	});
});
