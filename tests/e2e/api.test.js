import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {insideDesktop} from './lib/inside.js';
import {restSuite, turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, say} = await import('./lib/own.js');
const {probe, useFixture} = await import('./lib/fixture.js');

/** @typedef {import('puppeteer-core').Page} Page */

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: the page API`, () => {
		// The browser's own way stays open: the page API takes the desktop's all the same.
		const fixture = useFixture({kind, chooser: true});

		/** @param {string} [path] @param {'tab' | 'window'} [where] */
		const open = (path = '/pages/api.html', where = 'tab') => fixture.page(path, undefined, where);

		/** @param {object} [wish] @param {'tab' | 'window'} [where] */
		async function sharing(wish = {}, where = /** @type {'tab' | 'window'} */ ('tab')) {
			const page = await open(undefined, where);
			await fixture.desktop.willAnswer('screen');
			const {ok, error} = await probe(page, 'request', wish);
			assert.equal(error, undefined);
			assert.match(ok.id, /^portlight:/);
			await fixture.plays(page);
			return page;
		}

		/** @param {Page} page @param {string} type */
		const heard = (page, type) => askUntil(() => probe(page, 'heard', type), (events) => events.length > 0);

		turn('it says its version and what can be had, and starts nothing that stays', async () => {
			const page = await open();
			assert.match((await probe(page, 'version')).version, /^\d+\.\d+\.\d+$/);
			const {ok} = await probe(page, 'capabilities');
			assert.equal(ok.available, true);
			assert.deepEqual(ok.sources, ['screen', 'window']);
			assert.deepEqual(ok.cursor, ['always', 'never', 'send']);
			assert.deepEqual(ok.codecs, ['vp9', 'vp8']);
			assert.equal(ok.controls && ok.region, true);
			await fixture.assertNothingLeft();
		});

		turn('wishes are met: rate, size, region, cursor', async () => {
			const page = await sharing({frameRate: 1, width: 640, cursor: 'never', region: {x: 0, y: 0, width: 960, height: 540}});
			const {ok} = await probe(page, 'tell', 'source');
			assert.deepEqual([ok.surface, ok.width, ok.height, ok.frameRate, ok.cursor], ['monitor', 640, 360, 1, 'never']);
			const gap = await fixture.gap(page, 3);
			assert.equal(gap > 3, true, `of ten drawings a second one in ${gap} is seen`);
		});

		turn('pause keeps the picture and encodes nothing; resume goes on', async () => {
			const page = await sharing();
			const other = await sharing({}, 'window');
			await fixture.moves(page);
			assert.deepEqual(await probe(page, 'tell', 'pause'), {ok: {pausedBy: ['page']}});
			await heard(page, 'paused');
			await fixture.standsStill(page, other);
			assert.equal((await probe(page, 'track')).readyState, 'live');
			const kept = await probe(page, 'snapshot');
			await fixture.moves(other);
			assert.equal((await probe(page, 'snapshot')).counter, kept.counter, 'a snapshot of a paused share is the picture that stands');
			assert.deepEqual(await probe(page, 'tell', 'resume'), {ok: {pausedBy: []}});
			await heard(page, 'resumed');
			const {counter} = await fixture.moves(page);
			assert.equal(counter > kept.counter + 5, true, `the picture after ${kept.counter} is ${counter}`);
			await fixture.gap(page, 4);
		});

		turn('a snapshot is the picture of now, as a bitmap or a file', async () => {
			const page = await sharing();
			for (const [as, constructor] of [['', 'ImageBitmap'], ['image/png', 'Blob']]) {
				const seen = await fixture.moves(page);
				const snapshot = await probe(page, 'snapshot', as || undefined);
				assert.deepEqual([snapshot.kind, snapshot.type, snapshot.width, snapshot.height], [constructor, as, 1280, 720]);
				assert.equal(snapshot.counter >= seen.counter, true, `${snapshot.counter}, after ${seen.counter}`);
			}
			assert.equal((await probe(page, 'snapshot', 'text/html')).error.code, 'bad-ask');
		});

		turn('the source is changed in mid-share: the same track goes on, the first helper ends', async () => {
			const page = await sharing();
			const before = await probe(page, 'track');
			const [first] = fixture.ours.now().captures;
			const {ok, error} = await probe(page, 'tell', 'change', {region: {x: 0, y: 0, width: 960, height: 540}});
			assert.equal(error, undefined);
			assert.equal(ok.width, 960);
			const [source] = await heard(page, 'source');
			assert.equal(source.width, 960);
			await fixture.moves(page);
			const now = await probe(page, 'track');
			assert.deepEqual([now.id, now.readyState, now.settings.width], [before.id, 'live', 960]);
			const {captures} = fixture.ours.now();
			assert.deepEqual([captures.length, captures[0].pid === first.pid], [1, false]);
			await probe(page, 'tell', 'stop');
			await fixture.assertNothingLeft();
		});

		turn('a change that the user declines leaves the share as it was', async () => {
			const page = await sharing();
			await fixture.desktop.willAnswer('deny');
			const {error} = await probe(page, 'tell', 'change', {});
			assert.deepEqual([error.code, error.name], ['denied', 'NotAllowedError']);
			assert.notEqual(error.remedy, '');
			await fixture.moves(page);
			assert.deepEqual(await probe(page, 'heard', 'source'), []);
			assert.equal(fixture.ours.now().captures.length, 1);
		});

		turn('the user changes the source without the page: the same track goes on, and the page hears what it shows', async () => {
			const page = await sharing();
			const own = await fixture.own('ui/popup.html');
			const [{key}] = await say(own, {type: 'shares'});
			const [first] = fixture.ours.now().captures;
			await fixture.desktop.willAnswer('deny');
			assert.equal((await say(own, {type: 'change', key})).code, 'denied');
			await fixture.desktop.willAnswer('screen');
			assert.deepEqual(await say(own, {type: 'change', key}), {ok: true});
			await page.bringToFront();
			await heard(page, 'source');
			await fixture.moves(page);
			assert.equal((await probe(page, 'track')).readyState, 'live');
			const {captures} = await askUntil(() => fixture.ours.now(), (now) => now.captures.length === 1);
			assert.notEqual(captures[0].pid, first.pid);
		});

		turn('the cursor comes beside the picture, where the page wants that', async () => {
			const page = await sharing({cursor: 'send'});
			assert.equal((await probe(page, 'track')).settings.cursor, 'never');
			await fixture.desktop.tell('click', 1000, 500);
			const cursors = () => probe(page, 'heard', 'cursor');
			await askUntil(cursors, (seen) => seen.some((/** @type {any} */ {x, y}) => Math.abs(x - 1000) < 3 && Math.abs(y - 500) < 3));
			const shaped = await askUntil(async () => (await cursors()).find((/** @type {any} */ e) => e.bytes));
			assert.equal(shaped.bytes, 4 * shaped.width * shaped.height);
			assert.equal(shaped.opaque, true);
		});

		turn('a page that asks for its events late gets the cursor with its image all the same', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('screen');
			const {ok: share} = await probe(page, 'playUnheard', {cursor: 'send'});
			await fixture.desktop.tell('click', 1000, 500);
			// The cursor comes before the pictures of what was drawn later.
			await fixture.moves(page);
			await fixture.moves(page);
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
			assert.equal(Math.abs(told.x - 1000) < 3 && Math.abs(told.y - 500) < 3, true, JSON.stringify(told));
		});

		turn('a region is changed in mid-share', async () => {
			const page = await sharing();
			await probe(page, 'constrain', {portlightRegion: {x: 0, y: 0, width: 960, height: 600}});
			const [{width, height}] = await heard(page, 'resize');
			assert.deepEqual([width, height], [960, 600]);
			await fixture.moves(page);
		});

		turn('the end comes with its reason', async () => {
			const page = await sharing();
			const [{pid}] = fixture.ours.now().captures;
			process.kill(pid, 'SIGKILL');
			const [ended] = await heard(page, 'ended');
			assert.deepEqual([ended.code, ended.name], ['helper-crashed', 'NotReadableError']);
			assert.notEqual(ended.remedy, '');
			assert.equal((await probe(page, 'tell', 'pause')).error.code, 'unknown-share');
		});

		turn('several may be chosen at once: each is a share of its own', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('screen');
			const answer = await probe(page, 'requestSeveral');
			assert.deepEqual(answer, [{id: true, width: 1280, readyState: 'live'}], 'here the user chooses one');
			await fixture.plays(page);
		});

		turn('the user declines', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('deny');
			const {error} = await probe(page, 'request', {});
			assert.deepEqual([error.code, error.name], ['denied', 'NotAllowedError']);
			await fixture.assertNothingLeft();
		});

		turn('what a page makes up gets a typed error', async () => {
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
			assert.equal(fixture.ours.now().captures.length, 0);
		});

		turn('the example page: shared, paused, kept and stopped by keys', async () => {
			const page = await open('/examples/controls.html');
			await fixture.desktop.willAnswer('screen');
			await page.waitForFunction(() => document.querySelector('#state')?.textContent === 'Not sharing');
			await page.focus('#wish button');
			await page.keyboard.press('Enter');
			await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
			await page.keyboard.press('p');
			await page.waitForSelector('#paused', {visible: true});
			await page.keyboard.press('s');
			await page.waitForFunction(() => (document.querySelector('img')?.naturalWidth ?? 0) === 1280);
			await page.keyboard.press('p');
			await page.waitForSelector('#paused', {hidden: true});
			await page.keyboard.press('Escape');
			await page.waitForSelector('#wish', {visible: true});
			await fixture.assertNothingLeft();
		});

		turn('a frame of another origin is neither heard nor believed', async () => {
			const page = await open(`/pages/framed.html?inner=${fixture.elsewhere.origin}/pages/api.html`);
			const inner = await fixture.frame(page);
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

restSuite('firefox: a share that sends nothing', () => {
	const IDLE_MS = 300;
	const fixture = useFixture({kind: 'firefox', prefs: {'extensions.background.idle.timeout': IDLE_MS}});

	test('outlives what Firefox gives a background that is idle', async () => {
		const page = await fixture.page('/pages/api.html');
		await fixture.desktop.willAnswer('screen');
		assert.equal((await probe(page, 'request', {})).error, undefined);
		await fixture.plays(page);
		assert.deepEqual(await probe(page, 'tell', 'pause'), {ok: {pausedBy: ['page']}});
		await sleep(20 * IDLE_MS);
		assert.deepEqual(await probe(page, 'tell', 'resume'), {ok: {pausedBy: []}});
		await fixture.moves(page);
	});
});
