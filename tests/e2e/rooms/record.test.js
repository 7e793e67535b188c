import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {locateMarker, readMarker} from '../../desktop/marker.js';
import {decodingErrors, facts, pictures} from '../../integration/recording.js';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('../lib/own.js');
const {marker, press, until, useRooms} = await import('../lib/rooms.js');
const {startShare, watch} = await import('../lib/assist.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

/** The Matroska element of the index of places. */
const CUES = Buffer.from([0x1c, 0x53, 0xbb, 0x6b]);
const RED = '#ff0000';

/** @param {Page} page @param {number} count of the marker's drawings that go by in its picture */
async function watchOn(page, count) {
	await page.bringToFront();
	const from = (await askUntil(() => marker(page, '.stage video')))?.counter ?? 0;
	return askUntil(() => marker(page, '.stage video'), (seen) => (seen?.counter ?? 0) >= from + count);
}

/** The file that a browser saved, once it is whole. @param {import('../lib/browser.js').TestBrowser} browser */
async function saved({home}) {
	const folder = join(home, 'Downloads');
	const name = await askUntil(() => {
		const all = existsSync(folder) ? readdirSync(folder) : [];
		// Browsers write under another name first.
		return all.length === 1 && all[0].endsWith('.webm') && readFileSync(join(folder, all[0])).length ? all[0] : '';
	});
	return join(folder, name);
}

/** The first picture that a player shows after a jump to there. @param {string} path @param {number} seconds @param {{width: number, height: number}} size */
function seek(path, seconds, {width, height}) {
	const args = ['-v', 'error', '-ss', String(seconds), '-i', path, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'];
	const image = {data: execFileSync('ffmpeg', args, {maxBuffer: 2 ** 28}), width, height};
	const place = locateMarker(image);
	return place && readMarker(image, place);
}

/** A file with a length, an index, no damage, and the right picture after a jump. @param {string} path */
function assertSeekable(path) {
	const {codec, duration, pts, keys} = facts(path);
	assert.equal(codec, 'vp8');
	assert.equal(duration >= pts[pts.length - 1] && duration < pts[pts.length - 1] + 2, true, `${duration} s, pictures until ${pts[pts.length - 1]}`);
	assert.equal(readFileSync(path).includes(CUES) && keys > 0, true, `an index, ${keys} places`);
	assert.equal(decodingErrors(path), '');
	const all = pictures(path);
	const wanted = pts.findIndex((time) => time >= duration / 2);
	const expected = all[wanted].marker;
	assert(expected, 'the picture in the middle has a marker');
	assert.deepEqual(seek(path, pts[wanted], all[wanted]), expected);
	const counters = all.map(({marker: seen}) => seen?.counter ?? 0).filter(Boolean);
	assert.deepEqual(counters, [...counters].sort((a, b) => a - b));
	return {all, duration};
}

const library = fileURLToPath(new URL('../../../docs/examples/library/mediabunny.min.mjs', import.meta.url));
assert(existsSync(library), `There is no ${library}. Run packaging/install-deps --pages first.`);

for (const [sharing, watching] of /** @type {[Kind, Kind][]} */ ([['firefox', 'chromium'], ['chromium', 'firefox']])) {
	describe(`recording an assistance share from ${sharing} to ${watching}`, () => {
		const rooms = useRooms();

		test('a viewer records: all see it, the file has a length, an index and what was drawn', async () => {
			const share = await startShare(rooms, sharing);
			const viewer = await watch(rooms, watching, share, 'Vera');
			await press(viewer, '#record');
			await until(viewer, '#recorders', /You record · 0:/);
			await until(share.sharer, '#recorders', /Vera records · 0:/);
			const late = await watch(rooms, watching, share, 'Lea');
			await until(late, '#recorders', /Vera records · 0:/);
			assert.doesNotMatch(await viewer.$eval('#recorders', (list) => list.textContent ?? ''), /Vera/);
			// In Chromium behind another tab, as while one works; Firefox draws one picture a second there.
			await watchOn(watching === 'chromium' ? late : viewer, 25);
			const change = {id: 'box', by: '1', tool: 'box', colour: RED, points: [[0.8, 0.2], [0.95, 0.8]]};
			await viewer.evaluate(async (add) => (await import('/rooms/assist.js')).now().side?.change({add}), change);
			await watchOn(viewer, 15);
			await press(viewer, '#record');
			await until(viewer, '#keptList', /recording-.*\.webm/);
			await until(share.sharer, '#notice', /Vera stopped recording/);
			assert.deepEqual(await Promise.all([share.sharer, viewer, late].map((page) => page.$eval('#recorders', (list) => list.childElementCount))), [0, 0, 0]);
			await press(viewer, '#keptList button');
			await until(viewer, '#notice', /The recording is saved/);
			const path = await saved(rooms.browsers[watching]);
			const {all} = assertSeekable(path);
			rmSync(path);
			const distinct = new Set(all.map(({marker: seen}) => seen?.counter).filter(Boolean));
			assert.equal(distinct.size >= 20, true, `${distinct.size} drawings of the marker, of 40`);
			/** @param {{image: {data: Uint8Array, width: number, height: number}}} picture */
			const marked = ({image: {data, width, height}}) => {
				const at = 4 * (Math.round(0.5 * height) * width + Math.round(0.8 * width));
				return data[at] > 150 && data[at + 1] < 100 && data[at + 2] < 100;
			};
			assert.deepEqual([marked(all[0]), marked(all[all.length - 1])], [false, true]);
		});

		test('the sharer records, and the page is closed: the next visit has it; also without the library; until it is discarded', async () => {
			const share = await startShare(rooms, sharing);
			const viewer = await watch(rooms, watching, share, 'Vera');
			await share.sharer.bringToFront();
			await press(share.sharer, '#record');
			await until(viewer, '#recorders', /Sharon records · 0:/);
			await until(share.sharer, '#recorders', /You record · 0:\d\d · \d+\.\d (k|M)B/);
			await watchOn(share.sharer, 15);
			await share.sharer.close({runBeforeUnload: false});
			const browser = rooms.browsers[sharing];
			const page = await rooms.page(sharing, 'assist.html');
			await until(page, '#keptList', /recording-.*\.webm/);
			await until(page, '#keptList', /left from an earlier visit/);
			await page.setRequestInterception(true);
			page.on('request', (request) => (request.url().includes('/library/') ? request.abort() : request.continue()));
			await press(page, '#keptList button');
			await until(page, '#notice', /players can’t jump to a place in it\. This server has no mediabunny/);
			const plain = await saved(browser);
			// A tab that is closed leaves the last chunk as far as it was written.
			assert.match(decodingErrors(plain), /^(.* File ended prematurely .*\n)?$/);
			assert.equal(readFileSync(plain).includes(CUES), false);
			rmSync(plain);
			await page.close();
			const again = await rooms.page(sharing, 'assist.html');
			await until(again, '#keptList', /left from an earlier visit/);
			await press(again, '#keptList button');
			await until(again, '#notice', /The recording is saved/);
			assertSeekable(await saved(browser));
			await press(again, '#keptList button:last-child');
			await until(again, '#kept', /^$/);
			const left = await again.evaluate(async () => {
				const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('recordings');
				const names = [];
				for await (const name of /** @type {any} */ (folder).keys()) {
					names.push(name);
				}
				return names;
			});
			assert.deepEqual(left, []);
		});
	});
}
