/** The tests that hold for the native path in either browser. */
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, describe, test} from 'node:test';
import {openBrowser, preferNative} from './browser.js';
import {Desktop} from './desktop.js';
import {askUntil} from './own.js';
import {startServer} from './server.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {Record<string, any>} Answer */

/**
 * Calls a verb of pages/probe.js.
 * @param {Page | import('puppeteer-core').Frame} page
 * @param {string} verb
 * @param {...any} args
 * @returns {Promise<any>}
 */
export function probe(page, verb, ...args) {
	return page.evaluate((v, a) => /** @type {any} */ (window).probe[v](...a), verb, args);
}

/**
 * @param {Page | import('puppeteer-core').Frame} page
 * @param {string} name of a field of the probe
 */
export function probed(page, name) {
	return page.evaluate((n) => /** @type {any} */ (window).probe[n], name);
}

/** One browser for a file's tests, a site for each of them, and the words that the tests are written in. */
export class Bench {
	/** @param {import('./browser.js').Options} options */
	constructor(options) {
		this.options = options;
		this.desktop = new Desktop();
		/** @type {Page[]} */
		this.pages = [];
	}

	async open() {
		this.site = await startServer();
		this.elsewhere = await startServer();
		await this.launch();
	}

	async launch() {
		this.browser = await openBrowser(this.options);
		if (this.options.kind === 'chromium' && !this.options.chooser) {
			await preferNative(this.browser);
		}
	}

	async close() {
		await this.browser?.close();
		await this.site?.close();
		await this.elsewhere?.close();
	}

	get ours() {
		assert(this.browser);
		return this.browser.ours;
	}

	/** @param {string} [path] @param {string} [origin] @param {'tab' | 'window'} [where] a new one of which it opens in */
	async page(path = '/pages/probe.html', origin = this.site?.origin, where = 'tab') {
		assert(this.browser);
		const page = await this.browser.open(`${origin}${path}`, where);
		this.pages.push(page);
		await page.waitForFunction(() => 'probe' in window || document.querySelector('iframe') || document.querySelector('#share, #wish'));
		return page;
	}

	/** Asks, with a person who agrees. @param {Page} page @param {import('./desktop.js').Consent} [consent] */
	async granted(page, consent = 'screen') {
		await this.desktop.willAnswer(consent);
		const answer = await probe(page, 'ask');
		assert.match(answer.sourceId ?? '', /^portlight:[\w-]{22,}/, `the page was answered ${JSON.stringify(answer)}`);
		return answer.sourceId;
	}

	/** A page that plays the desktop. */
	async sharing() {
		const page = await this.page();
		await this.share(page);
		return page;
	}

	/** @param {Page} page @param {import('./desktop.js').Consent} [consent] */
	async share(page, consent = 'screen') {
		const redeemed = await probe(page, 'redeem', await this.granted(page, consent));
		assert.deepEqual(redeemed, {ok: true, tracks: ['video live']});
		assertReal(await probe(page, 'play'));
		const {hosts, captures} = this.ours.now();
		assert.equal(hosts.length > 0 && captures.length > 0, true, 'a host and a helper run during a share');
		return {host: hosts[0], capture: captures[0]};
	}

	/** After any end: nothing of ours within a second. */
	async assertNothingLeft() {
		const {left, ms} = await this.ours.gone(1000);
		assert.deepEqual(left, [], `left after ${ms} ms`);
	}

	/** @param {Page} page @param {number} [limitMs] */
	async assertEnded(page, limitMs = 1000) {
		const ended = await page
			.waitForFunction(() => /** @type {any} */ (window).probe.ended.length === 1, {timeout: limitMs, polling: 20})
			.then(() => true, () => false);
		assert.equal(ended, true, 'the page saw `ended`, once, within a second');
		assert.equal((await probe(page, 'track')).readyState, 'ended');
	}

	/** Closes what a test opened. The next one has another site, which has no part in what was refused to this one. */
	async tidy() {
		await Promise.all(this.pages.splice(0).map((page) => page.close().catch(() => {})));
		await this.site?.close();
		this.site = await startServer();
		const {left} = await this.ours.gone(5000);
		assert.deepEqual(left, [], 'nothing of ours outlives a test');
	}
}

/**
 * A marker that was drawn on this desktop just now; on a machine that does much else that can be some seconds ago.
 * @param {{counter: number, latencyMs: number, width: number, height: number} | null} sample
 */
export function assertReal(sample) {
	assert.notEqual(sample, null, "the desktop's marker was read from a decoded frame");
	const ms = /** @type {{latencyMs: number}} */ (sample).latencyMs;
	assert.equal(ms > 0 && ms < 5000, true, `the marker was drawn just now: ${Math.round(ms)} ms ago`);
}

/**
 * Every test of the native path in one browser.
 * @param {import('./browser.js').Kind} kind
 */
export function nativeSuite(kind) {
	describe(`the native path in ${kind}`, () => {
		const bench = new Bench({kind});
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		test('the documented page plays the real desktop, and its Stop ends everything', async () => {
			const page = await bench.page('/examples/share.html');
			await page.addScriptTag({type: 'module', content: "import {FrameWatch} from '/pages/watch.js'; window.FrameWatch = FrameWatch;"});
			await bench.desktop.willAnswer('screen');
			await page.click('#share');
			await page.waitForFunction(() => /** @type {HTMLVideoElement} */ (document.querySelector('video')).videoWidth > 0, {timeout: 15000});
			const sample = await page.evaluate(() => {
				const {FrameWatch} = /** @type {any} */ (window);
				const watch = new FrameWatch(document.querySelector('video'));
				watch.start();
				return watch.next(5000).finally(() => watch.stop());
			});
			assertReal(sample);
			assert.equal(bench.ours.now().captures.length, 1);
			await page.click('#stop');
			await bench.assertNothingLeft();
		});

		test('the track is a display-capture track', async () => {
			const page = await bench.sharing();
			const {label, kind: trackKind, readyState, settings} = await probe(page, 'track');
			assert.equal(trackKind, 'video');
			assert.equal(readyState, 'live');
			assert.notEqual(label, '');
			assert.equal(settings.width, 1920);
			assert.equal(settings.height, 1080);
			assert.equal(settings.displaySurface, 'monitor');
			assert.match(settings.cursor, /^(always|never|motion)$/);
			assert.equal(settings.frameRate > 0, true);
			const {distinct} = await probe(page, 'measure', 2000);
			assert.equal(distinct > 2, true, `the picture moves: ${distinct} distinct frames`);
		});

		test('the person declines: the page gets the one string and nothing else', async () => {
			const page = await bench.page();
			await bench.desktop.willAnswer('deny');
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			await sleep(300);
			assert.deepEqual(await probed(page, 'messages'), ['requestScreenSourceId', 'PermissionDeniedError']);
			await bench.assertNothingLeft();
		});

		test('the page goes away while the dialog is open', async () => {
			const page = await bench.page();
			await bench.desktop.willAnswer('ignore');
			void probe(page, 'ask').catch(() => {});
			await bench.desktop.untilDialogs(1);
			assert.equal(bench.ours.now().hosts.length, 1);
			await page.goto('about:blank');
			await bench.assertNothingLeft();
			await bench.desktop.untilDialogs(0);
			await bench.desktop.mendPortal();
		});

		test('a request while another is pending is refused, and the first goes on', async () => {
			const page = await bench.page();
			await bench.desktop.willAnswer('ignore');
			const first = probe(page, 'ask');
			await bench.desktop.untilDialogs(1);
			await page.evaluate(() => window.postMessage('requestScreenSourceId', '*'));
			await sleep(700);
			assert.equal(await bench.desktop.dialogs(), 1, 'one dialog');
			await bench.desktop.willAnswer('screen');
			const answer = await first;
			assert.match(answer.sourceId ?? '', /^portlight:/);
			const ids = (await probed(page, 'messages')).filter((/** @type {any} */ m) => m?.sourceId);
			assert.equal(ids.length, 1, 'one source id');
			assert.equal((await probe(page, 'redeem', answer.sourceId)).ok, true);
			assertReal(await probe(page, 'play'));
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});

		test('stop() ends the capture', async () => {
			const page = await bench.sharing();
			await probe(page, 'stop');
			await bench.assertNothingLeft();
			assert.equal((await probe(page, 'track')).readyState, 'ended');
			assert.deepEqual(await probed(page, 'ended'), [], 'stop() itself does not fire `ended`');
		});

		test('the tab is closed', async () => {
			const page = await bench.sharing();
			await page.close();
			await bench.assertNothingLeft();
		});

		test('the tab navigates away', async () => {
			const page = await bench.sharing();
			await page.goto(`${bench.site?.origin}/examples/share.html`);
			await bench.assertNothingLeft();
		});

		for (const victim of /** @type {const} */ (['host', 'capture'])) {
			test(`portlight-${victim} is killed`, async () => {
				const page = await bench.page();
				const pids = await bench.share(page);
				process.kill(pids[victim].pid, 'SIGKILL');
				await bench.assertEnded(page);
				await bench.assertNothingLeft();
			});
		}

		test('the background is killed in mid-share, and the next share works', async () => {
			const page = await bench.sharing();
			await bench.browser?.killBackground();
			await bench.assertEnded(page);
			await bench.assertNothingLeft();
			const again = await bench.page();
			await bench.share(again);
			await probe(again, 'stop');
			await bench.assertNothingLeft();
		});

		test('the background is killed while the dialog is open: the page is told, and may ask again', async () => {
			const page = await bench.page();
			await bench.desktop.willAnswer('ignore');
			const asked = probe(page, 'ask');
			await bench.desktop.untilDialogs(1);
			const killed = performance.now();
			await bench.browser?.killBackground();
			assert.equal(await asked, 'PermissionDeniedError');
			assert.equal(performance.now() - killed < 2000, true, 'soon');
			await bench.assertNothingLeft();
			await bench.desktop.untilDialogs(0);
			await bench.desktop.mendPortal();
			await bench.share(page);
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});

		test('a source id is good once', async () => {
			const page = await bench.page();
			const id = await bench.granted(page);
			assert.equal((await probe(page, 'redeem', id)).ok, true);
			assertReal(await probe(page, 'play'));
			const second = await probe(page, 'redeem', id);
			assert.equal(second.ok, false);
			assert.equal(second.name, 'NotAllowedError');
			assert.equal(second.isDOMException, true);
		});

		test('a page that leaves with an unused source id takes the share with it', async () => {
			const page = await bench.page();
			await bench.granted(page);
			assert.equal(bench.ours.now().hosts.length, 1);
			await page.goto('about:blank');
			await bench.assertNothingLeft();
		});

		test('a source id is worth nothing to another frame, tab or origin', async () => {
			const page = await bench.page();
			const id = await bench.granted(page);
			const tab = await bench.page();
			const origin = await bench.page('/pages/probe.html', bench.elsewhere?.origin);
			const framed = await bench.page(`/pages/framed.html?inner=/pages/probe.html`);
			const inner = await (await framed.waitForSelector('iframe'))?.contentFrame();
			assert(inner);
			await inner.waitForFunction(() => 'probe' in window);
			for (const thief of [tab, origin, inner]) {
				const stolen = await probe(thief, 'redeem', id);
				assert.equal(stolen.ok, false);
				assert.equal(stolen.name, 'NotAllowedError');
			}
			assert.equal((await probe(page, 'redeem', id)).ok, true, 'the theft did not spend it');
		});

		test('a page in a frame shares like any other', async () => {
			const page = await bench.page(`/pages/framed.html?inner=/pages/probe.html`);
			const inner = await (await page.waitForSelector('iframe'))?.contentFrame();
			assert(inner);
			await inner.waitForFunction(() => 'probe' in window);
			await bench.desktop.willAnswer('screen');
			const {sourceId} = await probe(inner, 'ask');
			assert.match(sourceId, /^portlight:/);
			const fromTop = await page.evaluate(async (id) => {
				/** @type {any} */
				const wanted = {video: {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: id}}};
				return navigator.mediaDevices.getUserMedia(wanted).then(() => 'ok', (error) => error.name);
			}, sourceId);
			assert.equal(fromTop, 'NotAllowedError', "not even to the frame's own page");
			assert.equal((await probe(inner, 'redeem', sourceId)).ok, true);
			assertReal(await probe(inner, 'play'));
			await page.close();
			await bench.assertNothingLeft();
		});

		test('it goes through an RTCPeerConnection to a second page, from a hidden tab too', async () => {
			const page = await bench.sharing();
			const viewer = await bench.page();
			await connect(page, viewer);
			await viewer.bringToFront();
			assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
			assertReal(await probe(viewer, 'play'));
			// What hangs on a hidden tab's timers comes once a second.
			const seen = await askUntil(() => probe(viewer, 'measure', 2000), ({fps}) => fps > 4);
			assert.equal(seen?.fps > 4, true, `${seen?.fps.toFixed(1)} distinct frames a second from a hidden tab`);
			assertReal(seen?.last);
			assert.deepEqual(await probed(page, 'ended'), []);
			await probe(page, 'hangUp');
			await page.bringToFront();
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});

		test('MediaRecorder records it', async () => {
			const page = await bench.sharing();
			const recording = await probe(page, 'record', 2500);
			assert.equal(recording.bytes > 10000, true, `${recording.bytes} bytes`);
			assert.equal(recording.distinct >= 3, true, `${recording.distinct} distinct markers in the recording`);
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});
	});
}

/**
 * A call from one page to another.
 * @param {Page} from
 * @param {Page} to
 */
export async function connect(from, to) {
	await probe(from, 'connect', await probe(to, 'answer', await probe(from, 'offer')));
}
