import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';
import {rest} from '../lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('../lib/own.js');
const {Assist, board, crop, drag, draw, same, shape, write} = await import('../lib/assist.js');
const {fill, marker, moves, press, until, useRooms} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

/** @type {[Kind, Kind][]} */
const pairs = [['firefox', 'chromium'], ...(process.env.GATE ? [] : [/** @type {[Kind, Kind]} */ (['chromium', 'firefox'])])];
for (const [sharing, watching] of pairs) {
	describe(`an assistance share from ${sharing} to ${watching}`, () => {
		const rooms = useRooms();

		const assist = new Assist(rooms, sharing, watching);

		/** The board drawn at a size, as a fingerprint. @param {Page} page @param {number} width @param {number} height */
		const drawn = (page, width, height) => page.evaluate(async (w, h) => {
			const {board: held} = (await import('/rooms/assist.js')).now();
			const context = /** @type {any} */ (new OffscreenCanvas(w, h).getContext('2d'));
			held?.draw(context, w, h, {pointers: false});
			const {data} = context.getImageData(0, 0, w, h);
			// Every eighth pixel: whether something is there.
			let text = '';
			for (let y = 4; y < h; y += 8) {
				for (let x = 4; x < w; x += 8) {
					text += data[4 * (y * w + x) + 3] > 128 ? '1' : '0';
				}
			}
			return text;
		}, width, height);

		test('who knocks is let in or refused; one is sent away; the end is the end of the link', async () => {
			const {sharer, path} = await assist.shared();
			await until(sharer, '#path', /Portlight’s helper crops/);
			const refused = await rooms.page(watching, path);
			await fill(refused, '#viewerName', 'Rita');
			// A double click is one.
			await refused.$eval('#knock .main', (knock) => [1, 2].forEach(() => /** @type {HTMLElement} */ (knock).click()));
			await press(sharer, '#knocking button[aria-label="Refuse: Rita"]');
			await until(refused, '#notice', /did not let you in/);
			const viewer = await assist.watch(sharer, path, 'Vera');
			await until(sharer, '#people', /Vera/);
			await press(sharer, '#people button[aria-label="Send away: Vera"]');
			await until(viewer, '#notice', /sent you away/);
			const second = await assist.watch(sharer, path, 'Vic');
			await press(sharer, '#stop');
			await until(second, '#notice', /The share is over/);
			const late = await assist.knock(path, 'Lea');
			await until(late, '#notice', /There is no such room/);
		});

		rest('one who waits gives up; one who watches is sent away without the server, too', async () => {
			const {sharer, path} = await assist.shared();
			const waits = await assist.knock(path, 'Wanda');
			await until(sharer, '#knocking', /Wanda/);
			await press(waits, '#giveUp');
			await askUntil(() => sharer.$$eval('#knocking li', (all) => all.length), (count) => count === 0);
			const viewer = await assist.watch(sharer, path, 'Vera');
			await rooms.server.stop('SIGKILL');
			try {
				await press(sharer, '#people button[aria-label="Send away: Vera"]');
				await until(viewer, '#notice', /sent you away/);
				await until(sharer, '#people', /Nobody yet/);
			} finally {
				await rooms.server.start();
			}
		});

		rest('a part is shown, live: by numbers, by dragging, all again', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			const whole = await askUntil(() => marker(viewer, '.stage video'), (seen) => seen?.width === 1280);
			assert(whole);
			// The marker lies in the part, nearer to its edge by as much as was cut.
			const [x, y] = [whole.place.x, whole.place.y].map((value) => Math.max(0, Math.round(value) - 20) & ~1);
			await crop(sharer, String(x), String(y), '640', '-1');
			await viewer.bringToFront();
			const cut = await askUntil(() => marker(viewer, '.stage video'), (seen) => seen?.width === 640);
			assert(cut);
			assert.equal(Math.abs(whole.place.x - x - cut.place.x) < 4 && Math.abs(whole.place.y - y - cut.place.y) < 4, true, JSON.stringify({whole, cut, x, y}));
			await press(sharer, '#whole');
			await viewer.bringToFront();
			await askUntil(() => marker(viewer, '.stage video'), (seen) => seen?.width === 1280);
			await press(sharer, '#drag');
			await drag(sharer, [0.25, 0.25], [0.75, 0.75]);
			await askUntil(() => viewer.$eval('.stage video', (video) => /** @type {HTMLVideoElement} */ (video).videoWidth), (width) => width < 700);
			const {crop: held} = await board(viewer);
			assert(held);
			assert.equal([held.x - 0.25, held.y - 0.25, held.width - 0.5, held.height - 0.5].every((off) => Math.abs(off) < 0.01), true, JSON.stringify(held));
		});

		test('what one draws the others have: in one order, at any size, after a crop, and late', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await draw(viewer, 'circle', [0.1, 0.1], [0.3, 0.4]);
			await draw(sharer, 'arrow', [0.8, 0.9], [0.6, 0.6]);
			await draw(viewer, 'pen', [0.1, 0.9], [0.4, 0.8]);
			await draw(sharer, 'box', [0.5, 0.4], [0.75, 0.6]);
			await write(viewer, [0.5, 0.5], 'This one?');
			await askUntil(() => board(sharer), ({marks}) => marks.length === 5);
			await same(sharer, viewer);
			const {marks} = await board(viewer);
			assert.deepEqual(marks.map(({tool, n}) => [tool, n]), [['circle', 1], ['arrow', 2], ['pen', 3], ['box', 4], ['text', 5]]);
			assert.equal(Math.abs(marks[0].points[0][0] - 0.1) < 0.01 && Math.abs(marks[0].points[1][1] - 0.4) < 0.01, true, JSON.stringify(marks[0]));
			assert.equal(new Set(marks.map(({by}) => by)).size, 2);
			await press(viewer, '#undo');
			await askUntil(() => board(sharer), ({marks: left}) => left.length === 4);
			// The left half: what lies in the right one is gone.
			await crop(sharer, '0', '0', '576', '720');
			await askUntil(() => board(viewer), (now) => now.crop?.width === 0.45);
			await same(sharer, viewer);
			// The marker is in the other half.
			const late = await assist.letIn(sharer, path, 'Lea');
			await shape(late, 576, 720);
			await same(sharer, late);
			assert.deepEqual((await board(late)).marks.map(({tool}) => tool), ['circle', 'pen']);
			for (const [w, h] of [[320, 400], [576, 720], [1000, 1250]]) {
				const [ours, theirs] = [await drawn(sharer, w, h), await drawn(late, w, h)];
				const differing = [...ours].filter((bit, at) => bit !== theirs[at]).length;
				assert.equal(ours.includes('1') && differing <= ours.length / 200, true, `${differing} of ${ours.length} differ at ${w}x${h}`);
			}
			await press(late, '#clearAll');
			await askUntil(() => board(sharer), ({marks: left}) => left.length === 0);
			await same(late, viewer);
		});

		rest('a page is opened only by the other’s click, and only by https', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await fill(sharer, '#page', 'https://portlight.invalid/help?topic=1');
			await press(sharer, '#open button');
			await until(viewer, '#address', /^https:\/\/portlight\.invalid\/help\?topic=1$/);
			await press(viewer, '#refuse');
			// One who asks again and again is not heard for a while. What came after it is here.
			await sharer.evaluate(async () => (await import('/rooms/assist.js')).now().side?.openPage('https://portlight.invalid/again'));
			await draw(sharer, 'box', [0.5, 0.4], [0.75, 0.6]);
			await askUntil(() => board(viewer), ({marks}) => marks.length === 1);
			assert.equal(await viewer.$eval('#ask', (ask) => /** @type {HTMLDialogElement} */ (ask).open), false);
			await viewer.evaluate(async () => (await import('/rooms/assist.js')).now().side?.openPage('javascript:alert(1)'));
			await viewer.evaluate(async () => (await import('/rooms/assist.js')).now().side?.openPage('https://portlight.invalid/second'));
			await until(sharer, '#address', /second/);
			assert.equal(await sharer.$eval('#follow', (link) => /** @type {HTMLAnchorElement} */ (link).rel), 'noopener noreferrer');
		});
	});
}

(process.env.GATE ? () => {} : describe)('the documented flow', () => {
	const rooms = useRooms();

	for (const kind of /** @type {Kind[]} */ (['firefox', 'chromium'])) {
		test(`${kind}: its five steps, declined and granted, beside the code that does them`, async () => {
			const page = await rooms.page(kind, 'request-video.html');
			await until(page, '#link', /Extension found/);
			await until(page, '#step1 pre', /postMessage\('requestScreenSourceId', '\*'\)/);
			await until(page, '#step5 pre', /chromeMediaSourceId: sourceId/);
			const states = () => page.$$eval('.steps li', (steps) => steps.map((step) => step.getAttribute('data-state')));
			await rooms.share(page, '#share', 'deny');
			await until(page, '#step4 output', /PermissionDeniedError/);
			assert.deepEqual(await states(), ['done', 'done', 'failed', 'done', '']);
			await rooms.share(page, '#share');
			await until(page, '#step5', /A live video track/);
			assert.deepEqual(await states(), ['done', 'done', 'done', 'done', 'done']);
			await until(page, '#step4 output', /portlight:/);
			await moves(page, '#screen');
			await press(page, '#stop');
			await until(page, '#notice', /You stopped/);
		});
	}
});
