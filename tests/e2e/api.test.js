import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('./lib/own.js');
const {assertReal, Bench, probe} = await import('./lib/suite.js');

/** @typedef {import('puppeteer-core').Page} Page */

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: the page API`, () => {
		// The browser's own way stays open: the page API takes the desktop's all the same.
		const bench = new Bench({kind, chooser: true});
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		/** @param {string} [path] */
		const open = (path = '/pages/api.html') => bench.page(path);

		/** @param {object} [wish] */
		async function sharing(wish = {}) {
			const page = await open();
			await bench.desktop.willAnswer('screen');
			const {ok, error} = await probe(page, 'request', wish);
			assert.equal(error, undefined);
			assert.match(ok.id, /^portlight:/);
			assertReal(await probe(page, 'play'));
			return page;
		}

		/** @param {Page} page @param {string} type @param {number} [timeout] */
		async function heard(page, type, timeout = 3000) {
			await page.waitForFunction((t) => /** @type {any} */ (window).probe.heard(t).length > 0, {timeout, polling: 20}, type);
			return probe(page, 'heard', type);
		}

		test('it says its version and what can be had, and starts nothing that stays', async () => {
			const page = await open();
			assert.match((await probe(page, 'version')).version, /^\d+\.\d+\.\d+$/);
			const {ok} = await probe(page, 'capabilities');
			assert.equal(ok.available, true);
			assert.deepEqual(ok.sources, ['screen', 'window']);
			assert.deepEqual(ok.cursor, ['always', 'never', 'send']);
			assert.deepEqual(ok.codecs, ['vp9', 'vp8']);
			assert.equal(ok.controls && ok.region, true);
			await bench.assertNothingLeft();
		});

		test('wishes are met: rate, size, region, cursor', async () => {
			const page = await sharing({frameRate: 12, width: 640, cursor: 'never', region: {x: 0, y: 0, width: 960, height: 540}});
			const {ok} = await probe(page, 'tell', 'source');
			assert.deepEqual([ok.surface, ok.width, ok.height, ok.frameRate, ok.cursor], ['monitor', 640, 360, 12, 'never']);
			const {fps} = await probe(page, 'measure', 2000);
			assert.equal(fps > 1 && fps < 14, true, `${fps} frames a second`);
		});

		test('pause keeps the picture and encodes nothing; resume goes on', async () => {
			const page = await sharing();
			assert.deepEqual(await probe(page, 'tell', 'pause'), {ok: {pausedBy: ['page']}});
			await heard(page, 'paused');
			// Once what was on its way is there.
			const still = await askUntil(() => probe(page, 'measure', 1000), ({distinct}) => distinct <= 1);
			assert.equal(still.distinct <= 1, true, `${still.distinct} different pictures`);
			assert.equal((await probe(page, 'track')).readyState, 'live');
			const kept = await probe(page, 'snapshot');
			assert.equal(kept.ageMs > 1000, true, 'a snapshot of a paused share is the picture that stands');
			assert.deepEqual(await probe(page, 'tell', 'resume'), {ok: {pausedBy: []}});
			await heard(page, 'resumed');
			assertReal(await probe(page, 'next'));
			const moving = await askUntil(() => probe(page, 'measure', 1000), ({distinct}) => distinct > 3);
			assert.equal(moving.distinct > 3, true, `${moving.distinct} different pictures`);
		});

		test('a snapshot is the picture of now, as a bitmap or a file', async () => {
			const page = await sharing();
			for (const [as, constructor] of [['', 'ImageBitmap'], ['image/png', 'Blob']]) {
				const snapshot = await probe(page, 'snapshot', as || undefined);
				assert.deepEqual([snapshot.kind, snapshot.type, snapshot.width, snapshot.height], [constructor, as, 1280, 720]);
				assert.equal(snapshot.ageMs > 0 && snapshot.ageMs < 2000, true, `${snapshot.ageMs} ms old`);
			}
			assert.equal((await probe(page, 'snapshot', 'text/html')).error.code, 'bad-ask');
		});

		test('the source is changed in mid-share: the same track goes on, the first helper ends', async () => {
			const page = await sharing();
			const before = await probe(page, 'track');
			const [first] = bench.ours.now().captures;
			const {ok, error} = await probe(page, 'tell', 'change', {region: {x: 0, y: 0, width: 960, height: 540}});
			assert.equal(error, undefined);
			assert.equal(ok.width, 960);
			const [source] = await heard(page, 'source');
			assert.equal(source.width, 960);
			assertReal(await probe(page, 'next'));
			const now = await probe(page, 'track');
			assert.deepEqual([now.id, now.readyState, now.settings.width], [before.id, 'live', 960]);
			const {captures} = bench.ours.now();
			assert.deepEqual([captures.length, captures[0].pid === first.pid], [1, false]);
			await probe(page, 'tell', 'stop');
			await bench.assertNothingLeft();
		});

		test('a change that the person declines leaves the share as it was', async () => {
			const page = await sharing();
			await bench.desktop.willAnswer('deny');
			const {error} = await probe(page, 'tell', 'change', {});
			assert.deepEqual([error.code, error.name], ['denied', 'NotAllowedError']);
			assert.notEqual(error.remedy, '');
			assertReal(await probe(page, 'next'));
			assert.deepEqual(await probe(page, 'heard', 'source'), []);
			assert.equal(bench.ours.now().captures.length, 1);
		});

		test('the cursor comes beside the picture, where the page wants that', async () => {
			const page = await sharing({cursor: 'send'});
			assert.equal((await probe(page, 'track')).settings.cursor, 'never');
			await bench.desktop.tell('click', 1000, 500);
			await page.waitForFunction(
				() => /** @type {any} */ (window).probe.heard('cursor').some((/** @type {any} */ e) => Math.abs(e.x - 1000) < 3 && Math.abs(e.y - 500) < 3),
				{timeout: 5000, polling: 20},
			);
			const find = async () => (await probe(page, 'heard', 'cursor')).find((/** @type {any} */ e) => e.bytes);
			const shaped = await askUntil(find);
			assert.equal(shaped.bytes, 4 * shaped.width * shaped.height);
			assert.equal(shaped.opaque, true);
		});

		test('a page that asks for its events late gets the cursor with its image all the same', async () => {
			const page = await open();
			await bench.desktop.willAnswer('screen');
			const {ok: share} = await probe(page, 'playUnheard', {cursor: 'send'});
			await bench.desktop.tell('click', 1000, 500);
			await sleep(1000);
			const {ok} = await probe(page, 'raw', 'source', {share});
			assert.equal(ok.cursor, 'never');
			const told = await askUntil(
				() => page.evaluate(() => {
					const {messages} = /** @type {any} */ (window).probe;
					const {x, y, width, height, pixels} = messages.find((/** @type {any} */ {event}) => event === 'cursor') ?? {};
					return {x, y, missing: 4 * width * height - pixels?.length};
				}),
				({missing}) => missing === 0,
			);
			assert.equal(told?.missing, 0, JSON.stringify(told));
			assert.equal(Math.abs(told.x - 1000) < 3 && Math.abs(told.y - 500) < 3, true, JSON.stringify(told));
		});

		test('a region is changed in mid-share', async () => {
			const page = await sharing();
			await probe(page, 'constrain', {portlightRegion: {x: 0, y: 0, width: 960, height: 600}});
			const [{width, height}] = await heard(page, 'resize');
			assert.deepEqual([width, height], [960, 600]);
			assertReal(await probe(page, 'next'));
		});

		test('the end comes with its reason', async () => {
			const page = await sharing();
			const [{pid}] = bench.ours.now().captures;
			process.kill(pid, 'SIGKILL');
			const [ended] = await heard(page, 'ended', 1500);
			assert.deepEqual([ended.code, ended.name], ['helper-crashed', 'NotReadableError']);
			assert.notEqual(ended.remedy, '');
			assert.equal((await probe(page, 'tell', 'pause')).error.code, 'unknown-share');
		});

		test('several may be chosen at once: each is a share of its own', async () => {
			const page = await open();
			await bench.desktop.willAnswer('screen');
			const answer = await probe(page, 'requestSeveral');
			assert.deepEqual(answer, [{id: true, width: 1280, readyState: 'live'}], 'here the person chooses one');
			assertReal(await probe(page, 'play'));
		});

		test('the person declines', async () => {
			const page = await open();
			await bench.desktop.willAnswer('deny');
			const {error} = await probe(page, 'request', {});
			assert.deepEqual([error.code, error.name], ['denied', 'NotAllowedError']);
			await bench.assertNothingLeft();
		});

		test('what a page makes up gets a typed error', async () => {
			const page = await open();
			for (const [ask, more, code] of [
				['nothing', {}, 'bad-ask'],
				['constructor', {}, 'bad-ask'],
				['request', {cursor: 'sometimes'}, 'bad-ask'],
				['request', {region: {x: 0}}, 'bad-ask'],
				['pause', {share: 'portlight:made-up'}, 'unknown-share'],
				['snapshot', {share: 'xyz=='}, 'not-supported'],
			]) {
				assert.equal((/** @type {any} */ (await probe(page, 'raw', ask, more))).error.code, code, String(ask));
			}
			assert.equal(bench.ours.now().captures.length, 0);
		});

		test('the example page: shared, paused, kept and stopped by keys', async () => {
			const page = await open('/examples/controls.html');
			await bench.desktop.willAnswer('screen');
			await page.waitForFunction(() => document.querySelector('#state')?.textContent === 'Not sharing');
			await page.focus('#wish button');
			await page.keyboard.press('Enter');
			await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0, {timeout: 15000});
			await page.keyboard.press('p');
			await page.waitForSelector('#paused', {visible: true});
			await page.keyboard.press('s');
			await page.waitForFunction(() => (document.querySelector('img')?.naturalWidth ?? 0) === 1280);
			await page.keyboard.press('p');
			await page.waitForSelector('#paused', {hidden: true});
			await page.keyboard.press('Escape');
			await page.waitForSelector('#wish', {visible: true});
			await bench.assertNothingLeft();
		});

		test('a frame of another origin is neither heard nor believed', async () => {
			const page = await open(`/pages/framed.html?inner=${bench.elsewhere?.origin}/pages/api.html`);
			const inner = await (await page.waitForSelector('iframe'))?.contentFrame();
			assert(inner);
			await inner.waitForFunction(() => 'probe' in window);
			await page.evaluate(() => {
				/** @type {any[]} */
				const seen = [];
				Object.assign(window, {seen});
				window.addEventListener('message', ({data}) => seen.push(data));
			});
			await inner.evaluate(() => window.parent.postMessage({portlight: 1, id: 7, ask: 'version'}, '*'));
			const version = await inner.evaluate(() => /** @type {any} */ (window).probe.version());
			assert.equal(version.api, 1, 'it is answered in its own window');
			const seen = await page.evaluate(() => /** @type {any} */ (window).seen);
			assert.deepEqual(seen, [{portlight: 1, id: 7, ask: 'version'}], 'and nothing is answered around it');
		});
	});
}
