/**
 * What a page sets, and what then is in the picture: size and frame rate, text in full colour, the cursor. And a page beside them
 * that leaves its source id unused until it is dead.
 */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1920x1080']);
const {askUntil} = await import('./lib/own.js');
const {Fixture, probe, useFixture} = await import('./lib/fixture.js');

/** Within the window of strokes, which Mutter puts to the right of the marker. */
const strokes = {x: 1400, y: 500, width: 64, height: 16};

/** Of that window, which the picture is cropped to. */
const film = {x: 1020, y: 100, width: 800, height: 800};

/** The colours of the chart, as tests/desktop/strokes fills the screen with them: 5 in a row. */
const chart = [
	...Array.from({length: 17}, (_, i) => Array(3).fill(Math.min(16 * i, 255))),
	...Array.from({length: 8}, (_, i) => [4, 2, 1].map((bit) => (i & bit ? 255 : 0))),
];

/**
 * The colours on the page that are not those on the screen: by more than 3 of 255, or 4 in blue, for which both browsers' own
 * way back from YUV, libyuv's, has a factor of 2 in place of 2.018.
 * @param {import('puppeteer-core').Page} page
 */
async function wrongColours(page) {
	const wrong = [];
	for (const [i, colour] of chart.entries()) {
		const pixels = await probe(page, 'pixels', {x: (i % 5) * 384 + 192, y: Math.floor(i / 5) * 216 + 108, width: 2, height: 2});
		if (colour.some((value, channel) => Math.abs(value - pixels[channel]) > (channel === 2 ? 4 : 3))) {
			wrong.push(`${colour} is ${pixels.slice(0, 3)}`);
		}
	}
	return wrong;
}

/** Starts the window, and waits until it has drawn. @param {string[]} args */
async function openStrokes(...args) {
	const window = spawn(fileURLToPath(new URL('../desktop/strokes', import.meta.url)), args, {stdio: ['ignore', 'pipe', 'inherit']});
	await once(window.stdout, 'data');
	return window;
}

/**
 * How much neighbours in a row differ in red, of 255.
 * @param {number[]} pixels  RGBA
 */
function contrast(pixels) {
	let sum = 0;
	let count = 0;
	for (let i = 4; i < pixels.length; i += 4) {
		if ((i / 4) % strokes.width > 0) {
			sum += Math.abs(pixels[i] - pixels[i - 4]);
			count++;
		}
	}
	return sum / count;
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
const distance = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;

/** In a browser of its own; both kinds run the same code for this. @type {{page: import('puppeteer-core').Page, id: string}} */
let unused;
const patient = new Fixture({kind: 'chromium'});
before(async () => {
	await patient.open();
	const page = await patient.page();
	unused = {page, id: await patient.granted(page)};
	assert.equal(patient.ours.now().hosts.length, 1);
});
after(() => patient.close());

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`what a page sets, in ${kind}`, () => {
		const fixture = useFixture({kind});

		turn('applyConstraints changes size and frame rate, in the settings and in the pictures', async () => {
			const page = await fixture.sharing();
			const small = await probe(page, 'apply', {width: {max: 960}, frameRate: {max: 1}});
			assert.deepEqual([small.width, small.height, small.frameRate], [960, 540, 1]);
			await askUntil(() => fixture.moves(page), ({width, height}) => width === 960 && height === 540);
			const slow = await fixture.gap(page, 3);
			assert.ok(slow > 3, `of ten drawings a second one in ${slow} is seen`);
			const free = await probe(page, 'apply', {});
			assert.deepEqual([free.width, free.height], [1920, 1080]);
			await askUntil(() => fixture.moves(page), ({width, height}) => width === 1920 && height === 1080);
			await askUntil(() => fixture.gap(page, 6), (gap) => gap <= 2);
			await fixture.stop(page);
		});

		turn('thin coloured strokes keep their colours where the page asks for text', async () => {
			const window = await openStrokes();
			try {
				for (const [fidelity, decodes, low, high] of /** @type {const} */ ([
					['text', true, 200, 255],
					// In 4:2:0 red and blue have one colour, and differ by their brightness alone.
					['text', false, 20, 90],
					['motion', true, 20, 90],
				])) {
					const page = await fixture.page();
					if (!decodes) {
						await page.evaluate(() => {
							const ask = VideoDecoder.isConfigSupported;
							VideoDecoder.isConfigSupported = async (config) =>
								config.codec.startsWith('vp09.01') ? {supported: false, config} : ask.call(VideoDecoder, config);
						});
					}
					await fixture.redeemed(page, await fixture.granted(page), {portlightFidelity: fidelity});
					const read = () => probe(page, 'pixels', strokes).then(contrast);
					const seen = await askUntil(read, (value) => value > low);
					assert.ok(seen < high, `${fidelity}${decodes ? '' : ', not decoded'}: they differ by ${seen.toFixed(0)}`);
					await probe(page, 'stop');
				}
			} finally {
				window.kill();
				await once(window, 'exit');
			}
		});

		turn('greys and saturated colours come out as they are on the screen', async () => {
			const window = await openStrokes('--chart');
			try {
				for (const fidelity of ['motion', 'text']) {
					const page = await fixture.page();
					const id = await fixture.granted(page);
					assert.equal((await probe(page, 'redeem', id, 'promise', {portlightFidelity: fidelity})).ok, true);
					await probe(page, 'show'); // The chart hides the marker.
					await askUntil(() => wrongColours(page), (wrong) => wrong.length === 0);
					await probe(page, 'stop');
				}
			} finally {
				window.kill();
				await once(window, 'exit');
			}
		});

		turn('a film changes the codec, and its end changes it back, in the same track', async () => {
			const window = await openStrokes('--film');
			const page = await fixture.page();
			await page.evaluate(() => {
				const {configure} = VideoDecoder.prototype;
				const codecs = /** @type {any} */ (window).codecs = /** @type {string[]} */ ([]);
				VideoDecoder.prototype.configure = function (/** @type {VideoDecoderConfig} */ config) {
					codecs.push(config.codec);
					return configure.call(this, config);
				};
			});
			const codecs = () => page.evaluate(() => /** @type {any} */ (window).codecs.join(' '));
			const [vp9, vp8] = ['vp09.00.10.08', 'vp8'];
			try {
				const id = await fixture.granted(page);
				assert.equal((await probe(page, 'redeem', id, 'promise', {portlightRegion: film})).ok, true);
				await probe(page, 'show'); // There is no marker in this part.
				assert.equal(await askUntil(codecs, (seen) => seen.endsWith(vp8)), `${vp9} ${vp8}`);
				const read = () => probe(page, 'pixels', {x: 100, y: 100, width: 64, height: 16});
				const before = await read();
				await askUntil(read, (pixels) => distance(pixels, before) > 5);
			} finally {
				window.kill();
				await once(window, 'exit');
			}
			assert.equal(await askUntil(codecs, (seen) => seen.endsWith(vp9)), `${vp9} ${vp8} ${vp9}`);
			await probe(page, 'apply', {portlightRegion: null});
			await fixture.moves(page);
			assert.equal((await probe(page, 'track')).readyState, 'live');
			await probe(page, 'stop');
		});

		turn('the cursor is in the picture', async () => {
			const page = await fixture.sharing();
			assert.equal((await probe(page, 'track')).settings.cursor, 'always');
			const place = {x: 1390, y: 890, width: 48, height: 48};
			const read = () => probe(page, 'pixels', place);
			await fixture.desktop.tell('click', 1100, 200);
			await fixture.gap(page, 3);
			const without = await read();
			await fixture.desktop.tell('click', 1400, 900);
			await askUntil(read, (pixels) => distance(pixels, without) > 5);
			await fixture.desktop.tell('click', 1100, 200);
			await askUntil(read, (pixels) => distance(pixels, without) < 2);
			await probe(page, 'stop');
		});
	});
}

test('a source id that nobody redeems is dead one day, and its share ended', async () => {
	// It lives for half a minute, which is more than others wait for anything.
	await askUntil(() => patient.ours.now().hosts.length === 0, undefined, 60_000);
	const late = await probe(unused.page, 'redeem', unused.id);
	assert.equal(late.ok, false);
	assert.equal(late.name, 'NotAllowedError');
});
