/** The tools of an assistance share, all of them in `make check-all` (ALL=1). */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('../lib/own.js');
const {Assist, board, crop, drag, draw, pixels, same, shape, write} = await import('../lib/assist.js');
const {marker, moves, press, until, useRooms} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

/** Black, as a codec leaves it. */
const DARK = 40;

/** Where the marker is, in fractions of the whole picture, with a margin. @param {NonNullable<Awaited<ReturnType<typeof marker>>>} seen */
const partOf = ({place, width: w, height: h}) => {
	const x = Math.max(0, place.x - 10) / w;
	const y = Math.max(0, place.y - 10) / h;
	return {x, y, width: Math.min(1, (place.x + place.width + 10) / w) - x, height: Math.min(1, (place.y + place.height + 10) / h) - y};
};

/** @param {Page} page @param {string} [selector] */
const gone = (page, selector = '.stage video') => askUntil(() => marker(page, selector), (seen) => seen === null);
/** @param {Page} page */
const isFrozen = (page) => askUntil(() => pixels(page, 'canvas.still'));
/** @param {Page} page */
const thawed = (page) => askUntil(() => page.$eval('canvas.still', (canvas) => canvas.hidden));

/** What the button saves. @param {Page} page */
async function saved(page) {
	await page.evaluate(() => {
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => {
			Object.assign(window, {savedFile: blob});
			URL.createObjectURL = make;
			return make(blob);
		};
	});
	await press(page, '#snapshot');
	await askUntil(() => page.evaluate(() => 'savedFile' in window));
	await page.evaluate(async () => {
		const {savedFile} = /** @type {any} */ (window);
		delete (/** @type {any} */ (window).savedFile);
		const bitmap = await createImageBitmap(savedFile);
		document.querySelector('#saved')?.remove();
		const canvas = Object.assign(document.createElement('canvas'), {id: 'saved', width: bitmap.width, height: bitmap.height});
		canvas.style.display = 'none';
		canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
		document.body.append(canvas);
	});
}

/** The marks as they are on the page: which pixels are covered. @param {Page} page */
const shown = (page) => page.$eval('canvas.marks', (found) => {
	const {width: w, height: h} = /** @type {HTMLCanvasElement} */ (found);
	const {data} = /** @type {any} */ (found).getContext('2d').getImageData(0, 0, w, h);
	return {width: w, height: h, bits: Array.from({length: w * h}, (_, at) => (data[4 * at + 3] > 128 ? '1' : '0')).join('')};
});

/** The board of another page, drawn in that size. @param {Page} page @param {number} w @param {number} h */
const drawnAt = (page, w, h) => page.evaluate(async (wide, high) => {
	const context = /** @type {any} */ (new OffscreenCanvas(wide, high).getContext('2d'));
	(await import('/rooms/assist.js')).now().board?.draw(context, wide, high, {pointers: false});
	const {data} = context.getImageData(0, 0, wide, high);
	return Array.from({length: wide * high}, (_, at) => (data[4 * at + 3] > 128 ? '1' : '0')).join('');
}, w, h);

/** Pixels of one that have none within two pixels in the other: browsers smooth edges each in their own way. @param {string} bits @param {string} others @param {number} w */
function apart(bits, others, w) {
	let count = 0;
	for (let at = 0; at < bits.length; at++) {
		if (bits[at] === '1') {
			let near = false;
			for (let dy = -2; dy <= 2 && !near; dy++) {
				near = others.slice(at + dy * w - 2, at + dy * w + 3).includes('1');
			}
			count += Number(!near);
		}
	}
	return count;
}

/** @type {[Kind, Kind][]} */
const pairs = [['firefox', 'chromium'], ['chromium', 'firefox']];
for (const [sharing, watching] of pairs) {
	describe(`tools of an assistance share from ${sharing} to ${watching}`, () => {
		const rooms = useRooms();
		const assist = new Assist(rooms, sharing, watching);

		test('frozen: the same pixels on both sides, for somebody who joins later too, marked, and live again', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await press(sharer, '#freeze');
			const ours = await isFrozen(sharer);
			const theirs = await isFrozen(viewer);
			assert.deepEqual(theirs, ours);
			assert.equal(ours?.width, 1280);
			await until(viewer, '#stands', /Frozen by Sharon$/);
			const still = await marker(viewer, 'canvas.still');
			assert(still, 'it is a picture of the screen');
			await moves(viewer);
			assert.equal((await marker(viewer, 'canvas.still'))?.counter, still.counter, 'what goes on beneath does not show');
			await draw(viewer, 'box', [0.6, 0.6], [0.9, 0.9]);
			await same(sharer, viewer);
			// A new part waits until the picture moves again.
			await crop(sharer, '0', '0', '480', '360');
			await shape(viewer, 480, 360);
			assert.equal((await board(viewer)).crop?.width, 1);
			const late = await assist.letIn(sharer, path, 'Lea');
			assert.deepEqual(await isFrozen(late), ours);
			await same(sharer, late);
			assert.equal((await board(late)).marks.length, 1);
			await press(late, '#freeze');
			await Promise.all([sharer, viewer, late].map(thawed));
			await askUntil(() => board(viewer), ({crop: now}) => now?.width === 0.375);
			assert.equal((await board(viewer)).marks.length, 0, 'the mark lies outside of the new part');
			// The sharer looks at something else.
			const other = await rooms.browsers[sharing].open(`${rooms.server.origin}/rooms/index.html`);
			rooms.pages.push(other);
			await other.bringToFront();
			await press(late, '#freeze');
			await until(late, '#stands', /Frozen by Lea$/);
			assert.equal((await isFrozen(late))?.width, 480);
			await sharer.bringToFront();
			assert.deepEqual(await isFrozen(sharer), await isFrozen(late));
		});

		test('a black box: no pixel below it leaves, in any part, frozen or saved; it is taken away again', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			const whole = await askUntil(() => marker(viewer, '.stage video'), (seen) => seen);
			assert(whole);
			const part = partOf(whole);
			const [from, to] = /** @type {[[number, number], [number, number]]} */ ([[part.x, part.y], [part.x + part.width, part.y + part.height]]);
			await press(sharer, '#mask');
			await drag(sharer, from, to);
			await until(sharer, '#masks', /Box 1/);
			await until(sharer, '#path', /This page crops/);
			await viewer.bringToFront();
			await gone(viewer);
			const inner = {x: part.x + 0.01, y: part.y + 0.01, width: part.width - 0.02, height: part.height - 0.02};
			assert.equal(/** @type {any} */ (await pixels(viewer, '.stage video', inner)).brightest < DARK, true);
			assert.equal(/** @type {any} */ (await pixels(viewer, '.stage video')).brightest > 2 * DARK, true, 'the rest is there');
			// It stays at its place of the screen in another part.
			const left = Math.round(part.x * 1280 / 2) & ~1;
			await crop(sharer, String(left), '0', '640', '720');
			await viewer.bringToFront();
			await shape(viewer, 640, 720);
			const moved = {...inner, x: (inner.x * 1280 - left) / 640, width: Math.min(1 - (inner.x * 1280 - left) / 640, inner.width * 2)};
			assert.equal(/** @type {any} */ (await pixels(viewer, '.stage video', moved)).brightest < DARK, true);
			await press(sharer, '#whole');
			await viewer.bringToFront();
			await shape(viewer, 1280, 720);
			assert.equal(await marker(viewer, '.stage video'), null);
			// Frozen, and saved.
			await press(viewer, '#freeze');
			const frozen = await isFrozen(viewer);
			assert(frozen);
			assert.equal(/** @type {any} */ (await pixels(viewer, 'canvas.still', inner)).brightest, 0);
			await saved(sharer);
			assert.equal(/** @type {any} */ (await pixels(sharer, '#saved', inner)).brightest, 0);
			// Without it the picture that stands still has what it had.
			await press(sharer, '#masks button[aria-label="Remove Box 1"]');
			await askUntil(() => marker(viewer, 'canvas.still'));
			await press(sharer, '#mask');
			await drag(sharer, from, to);
			await gone(viewer, 'canvas.still');
			await press(sharer, '#freeze');
			await thawed(viewer);
			await press(sharer, '#masks button[aria-label="Remove Box 1"]');
			await viewer.bringToFront();
			await moves(viewer);
			await until(sharer, '#path', /Portlight’s helper crops/);
		});

		test('all of it covered: nothing is seen while parts change, and nothing beside the part when the box goes', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await crop(sharer, '0', '0', '300', '400');
			await shape(viewer, 300, 400);
			await press(sharer, '#mask');
			await drag(sharer, [0.002, 0.002], [1.05, 1.05]);
			await until(sharer, '#masks', /Box 1/);
			await viewer.bringToFront();
			await askUntil(() => pixels(viewer, '.stage video'), (seen) => seen && seen.brightest < DARK);
			await viewer.evaluate(() => {
				const video = /** @type {HTMLVideoElement} */ (document.querySelector('.stage video'));
				/** @type {{wide: number, brightest: number, frames: number}} */
				const seen = {wide: 0, brightest: 0, frames: 0};
				Object.assign(window, {seen});
				const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(64, 36).getContext('2d', {willReadFrequently: true}));
				const look = () => {
					context.drawImage(video, 0, 0, 64, 36);
					seen.brightest = Math.max(seen.brightest, ...context.getImageData(0, 0, 64, 36).data.filter((_, at) => at % 4 < 3));
					seen.wide += Number(video.videoWidth / video.videoHeight > 1.5);
					seen.frames++;
					video.requestVideoFrameCallback(look);
				};
				video.requestVideoFrameCallback(look);
			});
			const seen = () => viewer.evaluate(() => /** @type {any} */ (window).seen);
			for (const [x, y, w, h] of [[50, 50, 200, 200], [0, 0, 300, 360]]) {
				await sharer.evaluate(async (region) => {
					const {cropped, side} = (await import('/rooms/assist.js')).now();
					/** @type {any} */ (side).show(await /** @type {any} */ (cropped).set(region));
				}, {x, y, width: w, height: h});
				await shape(viewer, w, h);
			}
			assert.equal((await seen()).frames > 1, true);
			// The last part lies within the box.
			assert.equal((await seen()).brightest < DARK, true, JSON.stringify(await seen()));
			await sharer.evaluate(async () => /** @type {any} */ (await import('/rooms/assist.js')).now().cropped.cover([]));
			await askUntil(async () => (await pixels(viewer, '.stage video'))?.brightest, (brightest) => Number(brightest) > 2 * DARK);
			assert.equal((await seen()).wide, 0, 'no picture of the whole screen');
		});

		test('a snapshot is a PNG of the picture’s full size with its marks', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await press(sharer, '#freeze');
			await isFrozen(viewer);
			await draw(sharer, 'box', [0.5, 0.55], [0.9, 0.95]);
			await same(sharer, viewer);
			for (const page of [sharer, viewer]) {
				await saved(page);
				const picture = await pixels(page, '#saved');
				assert.deepEqual([picture?.width, picture?.height], [1280, 720]);
				const differing = await page.evaluate(async () => {
					const {board: held} = (await import('/rooms/assist.js')).now();
					/** @param {any} source */
					const read = (source) => {
						const context = /** @type {any} */ (new OffscreenCanvas(1280, 720).getContext('2d'));
						context.drawImage(source, 0, 0);
						return context.getImageData(0, 0, 1280, 720).data;
					};
					const [still, file] = [read(document.querySelector('canvas.still')), read(document.querySelector('#saved'))];
					const marks = new OffscreenCanvas(1280, 720);
					held?.draw(/** @type {any} */ (marks.getContext('2d')), 1280, 720, {pointers: false});
					const covered = read(marks);
					let outside = 0;
					let inside = 0;
					for (let at = 0; at < file.length; at += 4) {
						const same = [0, 1, 2].every((channel) => file[at + channel] === still[at + channel]);
						outside += Number(!same && !covered[at + 3]);
						inside += Number(!same && covered[at + 3] > 0);
					}
					return {outside, inside};
				});
				assert.equal(differing.outside, 0, 'the rest is the picture itself');
				assert.equal(differing.inside > 2000, true, 'the box is drawn on it');
			}
		});

		test('marks are the same pixels on the other side in windows of three sizes, after a crop, and each tool can draw', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await draw(sharer, 'pen', [0.1, 0.2], [0.3, 0.3]);
			await draw(viewer, 'arrow', [0.2, 0.8], [0.4, 0.5]);
			await draw(sharer, 'circle', [0.3, 0.2], [0.4, 0.4]);
			await draw(viewer, 'box', [0.25, 0.55], [0.45, 0.75]);
			await write(sharer, [0.15, 0.45], 'This one?');
			await askUntil(() => board(viewer), ({marks}) => marks.length === 5);
			const before = viewer.viewport();
			const compare = async () => {
				await same(sharer, viewer);
				for (const size of [{width: 390, height: 844}, {width: 1024, height: 700}, {width: 1600, height: 1000}]) {
					await viewer.bringToFront();
					await viewer.setViewport(size);
					const theirs = await askUntil(async () => {
						const now = await shown(viewer);
						return now.width > size.width / 3 && now.width <= size.width && now.bits.includes('1') ? now : null;
					});
					assert(theirs);
					const ours = await drawnAt(sharer, theirs.width, theirs.height);
					const [there, here] = [apart(theirs.bits, ours, theirs.width), apart(ours, theirs.bits, theirs.width)];
					assert.deepEqual([there, here], [0, 0], `${theirs.width}x${theirs.height} in a window of ${size.width}`);
				}
			};
			await compare();
			await crop(sharer, '0', '0', '800', '600');
			await shape(viewer, 800, 600);
			await askUntil(() => board(viewer), (now) => now.crop?.width === 0.625);
			await compare();
			await viewer.setViewport(before);
			assert.deepEqual((await board(viewer)).marks.map(({tool}) => tool), ['pen', 'arrow', 'circle', 'box', 'text']);
			await press(viewer, '#undo');
			await askUntil(() => board(sharer), ({marks}) => marks.map(({tool}) => tool).join() === 'pen,arrow,circle,text');
			await press(sharer, '#clearMine');
			await askUntil(() => board(viewer), ({marks}) => marks.map(({tool}) => tool).join() === 'arrow');
			await press(sharer, '#clearAll');
			await askUntil(() => board(viewer), ({marks}) => marks.length === 0);
		});

		test('by keys alone: tools are chosen, a mark is drawn, undone, the picture frozen; a pointer shows and fades', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			await viewer.bringToFront();
			await viewer.focus('canvas.marks');
			await viewer.keyboard.press('b');
			await until(viewer, '[data-tool="box"][aria-pressed="true"]', /./);
			for (const key of /** @type {const} */ (['Enter', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'Enter'])) {
				await viewer.keyboard.press(key);
			}
			const {marks: [mark]} = await askUntil(() => board(sharer), ({marks}) => marks[0]?.points.at(-1)?.[0] === 0.52);
			assert.deepEqual([mark.tool, mark.points[0], mark.points.at(-1)], ['box', [0.5, 0.5], [0.52, 0.51]]);
			await viewer.keyboard.press('Enter');
			await viewer.keyboard.press('Escape');
			// Both have had the second one, and have it no more.
			for (const page of [sharer, viewer]) {
				await askUntil(() => page.evaluate(async () => {
					const {board: held} = (await import('/rooms/assist.js')).now();
					return held?.count === 2 && held.marks.size === 1;
				}));
			}
			await viewer.keyboard.down('Control');
			await viewer.keyboard.press('z');
			await viewer.keyboard.up('Control');
			await askUntil(() => board(sharer), ({marks}) => marks.length === 0);
			await viewer.keyboard.press('v');
			const pointers = (/** @type {Page} */ page) => page.evaluate(async () => [.../** @type {any} */ (await import('/rooms/assist.js')).now().board.pointers.values()].map(({name}) => name));
			await viewer.keyboard.press('ArrowLeft');
			await askUntil(() => pointers(sharer), (names) => names.join() === 'Vera');
			await askUntil(() => pointers(sharer), (names) => names.length === 0);
			await viewer.keyboard.press('f');
			await isFrozen(sharer);
			// What is typed is text.
			await viewer.type('#page', 'bbb');
			assert.equal(await viewer.$eval('[data-tool="pointer"]', (button) => button.getAttribute('aria-pressed')), 'true');
		});

		test('the server dies with -9 and comes back: viewers go on, and come back without another knock, but for one sent away', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			const second = await assist.watch(sharer, path, 'Vic');
			await draw(viewer, 'box', [0.6, 0.6], [0.9, 0.9]);
			const pass = (/** @type {Page} */ page) => page.evaluate(async () => /** @type {any} */ (await import('/rooms/assist.js')).now().side.pass);
			const passes = await Promise.all([viewer, second].map(pass));
			await rooms.server.stop('SIGKILL');
			await until(viewer, '#link', /Reconnecting/);
			await moves(viewer);
			await draw(viewer, 'circle', [0.1, 0.1], [0.3, 0.3]);
			await askUntil(() => board(sharer), ({marks}) => marks.length === 2);
			await rooms.server.start();
			for (const [at, page] of [viewer, second].entries()) {
				await askUntil(() => pass(page), (now) => now !== passes[at]);
			}
			assert.equal(await sharer.$eval('#knocking', (list) => list.childElementCount), 0, 'nobody had to be let in');
			// Their signalling works again: a broken path is replaced.
			const frames = () => viewer.evaluate(async () => /** @type {any} */ (await import('/rooms/assist.js')).now().side.host.peer.pc.localDescription.sdp.match(/ice-ufrag:(.*)/)[1]);
			const before = await frames();
			await viewer.evaluate(async () => /** @type {any} */ (await import('/rooms/assist.js')).now().side.host.peer.restart());
			await askUntil(frames, (now) => now !== before);
			await moves(viewer);
			await until(viewer, '#notice', /^$/);
			await press(viewer, '#clearMine');
			await askUntil(() => board(sharer), ({marks}) => marks.length === 0);
			// A session that ended while its page was away comes back by a connection of its own.
			await second.evaluate(async () => {
				const {server} = await import('/rooms/assist.js');
				Object.assign(/** @type {any} */ (server).session, {secret: 'none'});
				server.reopen();
			});
			await moves(second);
			assert.equal(await sharer.$eval('#knocking', (list) => list.childElementCount), 0);
			await press(sharer, '#people button[aria-label="Send away: Vera"]');
			await until(viewer, '#notice', /sent you away/);
			await viewer.reload();
			await until(viewer, '#link', /Online/);
			await viewer.type('#viewerName', 'Somebody');
			await press(viewer, '#knock .main');
			await until(sharer, '#knocking', /Somebody\s*You sent this person away before, as Vera\./);
		});

		test('files go to all who watch, and from one of them to the sharer', async () => {
			const {sharer, path} = await assist.shared();
			const viewer = await assist.watch(sharer, path, 'Vera');
			for (const [from, to, name] of /** @type {[Page, Page, string][]} */ ([[sharer, viewer, 'for all.txt'], [viewer, sharer, 'back.txt']])) {
				await from.bringToFront();
				await from.evaluate((title) => {
					const chosen = new DataTransfer();
					chosen.items.add(new File(['x'.repeat(300_000)], title));
					const field = /** @type {HTMLInputElement} */ (document.querySelector('#files'));
					field.files = chosen.files;
					field.dispatchEvent(new Event('change'));
				}, name);
				await press(to, '#transfers button.main');
				await until(to, '#transfers', new RegExp(`${name}[^]*Complete; the checksum`));
				await until(from, '#transfers', new RegExp(`${name}[^]*the checksum \\(SHA-256\\) is the same`));
			}
		});
	});
}
