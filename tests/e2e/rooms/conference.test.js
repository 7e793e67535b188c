import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';
import {rest} from '../lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('../lib/own.js');
const {connections, fill, hears, marker, moves, plays, press, until, useRooms} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */


describe('a conference of three, Firefox with Chromium', () => {
	const rooms = useRooms();

	/** @param {import('../lib/browser.js').Kind} kind @param {string} nickname @param {string} room */
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

	/** What is written under the pictures. @param {Page} page */
	const names = (page) => page.$$eval('.tile .name', (all) => all.map((name) => String(name.textContent)).sort());

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
			const me = page === carl ? 'Carl' : 'Chris';
			assert.deepEqual(await names(page), ['Carl', 'Chris', 'Fiona', 'Fiona’s screen'].map((name) => (name === me ? `${me} (you)` : name)));
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
		await press(chris, '#leave');
		await until(chris, '#notice', /You left/);
		await askUntil(() => connections(rooms.server), (count) => count === 4);
		for (const page of [fiona, carl]) {
			await page.bringToFront();
			await askUntil(() => page.$$eval('.tile', (all) => all.length), (count) => count === 2);
			assert.equal(await page.$$eval('#people li', (all) => all.length), 2);
		}
	});

	rest('six pictures come to all; the seventh is refused, whoever has it; one less, and it comes', async () => {
		const pages = await three('full');
		for (const page of pages) {
			await rooms.share(page, '#screen');
			await until(page, '#notice', /Everybody sees your screen/);
		}
		for (const page of pages) {
			await page.bringToFront();
			await askUntil(() => plays(page), ({count}) => count === 6);
			for (const tile of (await page.$$('.tile.screen button'))) {
				await tile.click();
				await moves(page);
			}
		}
		const dora = await join('firefox', 'Dora', 'full');
		await until(dora, '#notice', /shows 6 pictures already.*Somebody must turn off a camera or a screen first\. You are in without your camera/);
		await until(dora, '#camera', /off/);
		await until(dora, '#screen', /Share screen/);
		for (const what of ['#camera', '#screen']) {
			await dora.$eval('#notice', (notice) => (notice.textContent = ''));
			await press(dora, what);
			await until(dora, '#notice', /shows 6 pictures already/);
		}
		assert.equal(await rooms.desktop.dialogs(), 0);
		await press(pages[1], '#camera');
		await until(pages[1], '#camera', /off/);
		await askUntil(() => names(dora), (all) => all.includes('Carl · no camera'));
		await press(dora, '#camera');
		await until(dora, '#camera', /on/);
		await askUntil(() => names(pages[0]), (all) => all.includes('Dora'));
	});

	rest('a person who claims another’s id is listed as one more person, and gets nothing of the other’s', async () => {
		const [fiona, carl] = await three('impostor');
		const id = await fiona.evaluate(async () => (await import('/rooms/conference.js')).mesh.me);
		const mallory = await rooms.page('chromium', 'conference.html');
		await mallory.evaluate(async (person) => {
			const {mesh} = await import('/rooms/conference.js');
			await mesh.server.request('join', {room: 'impostor', nickname: 'Mallory', kind: 'screen', data: {person}});
			const {connection} = await mesh.server.request('join', {room: 'impostor', nickname: 'Mallory', kind: 'camera', data: {person}});
			await mesh.server.request('send', {room: 'impostor', as: connection, body: {chat: 'I am Fiona'}});
		}, id);
		await until(carl, '#log', /Mallory\s+I am Fiona/);
		for (const page of [fiona, carl]) {
			await until(page, '#people', /Mallory/);
			await until(page, '#people', page === fiona ? /Fiona \(you\)/ : /Fiona · owner/);
		}
		await fill(fiona, '#line', 'I am, too');
		await press(fiona, '#chat .main');
		await until(carl, '#log', /Fiona\s+I am, too/);
		await button(fiona, 'Remove: Mallory');
		await askUntil(() => connections(rooms.server), (count) => count === 6);
		await carl.bringToFront();
		await askUntil(() => plays(carl), ({count}) => count === 3);
	});

	rest('“Share screen” comes with its connection; one who leaves before leaves no connection behind', async () => {
		// One that knows of nobody: those of the tests before may be in their grace.
		await rooms.server.stop();
		await rooms.server.start();
		const fiona = await rooms.page('firefox', 'conference.html?room=slow');
		await fiona.evaluate(async () => {
			const {server} = await import('/rooms/conference.js');
			const request = server.request.bind(server);
			/** What the server is asked for a screen's connection waits for `letGo`. */
			const slow = {asked: 0, answered: 0, letGo: () => {}};
			Object.assign(window, {slow});
			server.request = async (type, fields) => {
				if (type !== 'join' || /** @type {any} */ (fields).kind !== 'screen') {
					return request(type, fields);
				}
				slow.asked++;
				await new Promise((resolve) => (slow.letGo = () => resolve(undefined)));
				const answer = await request(type, fields);
				slow.answered++;
				return answer;
			};
		});
		const slow = () => fiona.evaluate(() => {
			const {asked, answered} = /** @type {any} */ (window).slow;
			return {asked, answered};
		});
		const letGo = () => fiona.evaluate(() => /** @type {any} */ (window).slow.letGo());
		await fill(fiona, '#nickname', 'Fiona');
		await press(fiona, '#join .main');
		await until(fiona, '#title', /slow/);
		await askUntil(slow, ({asked}) => asked === 1);
		assert.equal(await fiona.$eval('#screen', (screen) => /** @type {HTMLElement} */ (screen).hidden), true);
		assert.equal(await connections(rooms.server), 1);
		await letGo();
		await until(fiona, '#screen', /Share screen/);
		assert.equal(await connections(rooms.server), 2);
		await press(fiona, '#leave');
		await askUntil(() => connections(rooms.server), (count) => count === 0);
		await press(fiona, '#join .main');
		await askUntil(slow, ({asked}) => asked === 2);
		await press(fiona, '#leave');
		await until(fiona, '#notice', /You left/);
		await letGo();
		await askUntil(slow, ({answered}) => answered === 2);
		await askUntil(() => connections(rooms.server), (count) => count === 0);
	});

	rest('one who stops on the desktop gets the button back, and the others’ picture goes', async () => {
		const [fiona, carl] = await three('stopped');
		await rooms.share(carl, '#screen');
		await moves(fiona);
		await rooms.desktop.tell('stop-share');
		await until(carl, '#screen', /Share screen/);
		await until(carl, '#notice', /\S/);
		await askUntil(() => fiona.$$eval('.tile.screen', (all) => all.length), (count) => count === 0);
		await rooms.share(carl, '#screen');
		await moves(fiona);
	});

	rest('one is not heard who muted themselves, or whom a moderator muted, until they turn it on again', async () => {
		const [fiona, carl, chris] = await three('sound');
		await hears(chris, 'Carl', true);
		for (const mute of [() => press(carl, '#microphone'), () => button(fiona, 'Mute: Carl')]) {
			await mute();
			await until(carl, '#microphone', /off/);
			await hears(chris, 'Carl', false);
			for (const page of [fiona, chris]) {
				await askUntil(() => names(page), (all) => all.includes('Carl · muted'));
			}
			await press(carl, '#microphone');
			await hears(chris, 'Carl', true);
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
