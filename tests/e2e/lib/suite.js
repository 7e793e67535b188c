/** The tests that hold for the native path in either browser. */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {took} from '../../tools/times.js';
import {assertInOrder, probe, probed, tookReal, useFixture} from './fixture.js';
import {askUntil} from './own.js';
import {turns} from './turns.js';

/** @typedef {import('puppeteer-core').Page} Page */

/**
 * Every test of the native path in one browser.
 * @param {import('./browser.js').Kind} kind
 */
export function nativeSuite(kind) {
	describe(`the native path in ${kind}`, () => {
		const fixture = useFixture({kind});
		const inTurn = turns(kind);

		test('the documented page plays the real desktop, and its Stop ends everything', async () => {
			const page = await fixture.page('/examples/share.html');
			await page.addScriptTag({type: 'module', content: "import {FrameWatch} from '/pages/watch.js'; window.FrameWatch = FrameWatch;"});
			await fixture.desktop.willAnswer('screen');
			await page.click('#share');
			await page.waitForFunction(() => /** @type {HTMLVideoElement} */ (document.querySelector('video')).videoWidth > 0);
			const sample = await page.evaluate(() => {
				const {FrameWatch} = /** @type {any} */ (window);
				const watch = new FrameWatch(document.querySelector('video'));
				watch.start();
				return watch.first(performance.timeOrigin + performance.now()).finally(() => watch.stop());
			});
			tookReal(sample);
			assert.equal(fixture.ours.now().captures.length, 1);
			await page.click('#stop');
			await fixture.assertNothingLeft();
		});

		test('the track is a display-capture track', async () => {
			const page = await fixture.sharing();
			const {label, kind: trackKind, readyState, settings} = await probe(page, 'track');
			assert.equal(trackKind, 'video');
			assert.equal(readyState, 'live');
			assert.notEqual(label, '');
			assert.equal(settings.width, 1920);
			assert.equal(settings.height, 1080);
			assert.equal(settings.displaySurface, 'monitor');
			assert.match(settings.cursor, /^(always|never|motion)$/);
			assert.equal(settings.frameRate > 0, true);
			await fixture.gap(page, 5);
		});

		test('the user declines: the page gets the one string and nothing else', async () => {
			const page = await fixture.page();
			await fixture.desktop.willAnswer('deny');
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			// What else is said of the first request comes before the answer to the second.
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			const once = ['requestScreenSourceId', 'PermissionDeniedError'];
			assert.deepEqual(await probed(page, 'messages'), [...once, ...once]);
			await fixture.assertNothingLeft();
		});

		inTurn('the page goes away while the dialog is open', async () => {
			const page = await fixture.page();
			await fixture.dialog(page);
			assert.equal(fixture.ours.now().hosts.length, 1);
			await page.goto('about:blank');
			await fixture.assertNothingLeft();
			await fixture.withdrawn();
		});

		inTurn('a request while another is pending is refused, and the first goes on', async () => {
			const page = await fixture.page();
			const asked = await fixture.desktop.tell('asked');
			const {answer} = await fixture.dialog(page);
			await page.evaluate(() => window.postMessage('requestScreenSourceId', '*'));
			await fixture.desktop.willAnswer('screen');
			const {sourceId} = await answer;
			assert.match(sourceId ?? '', /^portlight:/);
			await fixture.redeemed(page, sourceId);
			const ids = (await probed(page, 'messages')).filter((/** @type {any} */ m) => m?.sourceId);
			assert.equal(ids.length, 1, 'one source id');
			assert.equal(await fixture.desktop.tell('asked'), asked + 1, 'one dialog');
			await fixture.stop(page);
		});

		test('stop() ends the capture', async () => {
			const page = await fixture.sharing();
			await fixture.stop(page);
			assert.equal((await probe(page, 'track')).readyState, 'ended');
			assert.deepEqual(await probed(page, 'ended'), [], 'stop() itself does not fire `ended`');
		});

		inTurn('the tab is closed', async () => {
			const page = await fixture.sharing();
			await page.close();
			await fixture.assertNothingLeft();
		});

		inTurn('the tab navigates away', async () => {
			const page = await fixture.sharing();
			await page.goto(`${fixture.site.origin}/examples/share.html`);
			await fixture.assertNothingLeft();
		});

		for (const victim of /** @type {const} */ (['host', 'capture'])) {
			test(`portlight-${victim} is killed`, async () => {
				const page = await fixture.page();
				const pids = await fixture.share(page);
				process.kill(pids[victim].pid, 'SIGKILL');
				await fixture.assertEnded(page);
				await fixture.assertNothingLeft();
				if (victim === 'host') {
					// xdg-desktop-portal-wlr 0.7 may crash where a session closes before its helper has ended.
					await fixture.desktop.mendPortal();
				}
			});
		}

		inTurn('the background is killed in mid-share, and the next share works', async () => {
			const page = await fixture.sharing();
			await fixture.browser.killBackground();
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();
			const again = await fixture.page();
			await fixture.share(again);
			await fixture.stop(again);
		});

		inTurn('the background is killed while the dialog is open: the page is told, and may ask again', async () => {
			const page = await fixture.page();
			const {answer} = await fixture.dialog(page);
			const killed = performance.now();
			await fixture.browser.killBackground();
			assert.equal(await answer, 'PermissionDeniedError');
			took('page told that its request is lost', performance.now() - killed);
			await fixture.assertNothingLeft();
			await fixture.withdrawn();
			await fixture.share(page);
			await fixture.stop(page);
		});

		inTurn('a source id is good once', async () => {
			const page = await fixture.page();
			const id = await fixture.granted(page);
			await fixture.redeemed(page, id);
			const second = await probe(page, 'redeem', id);
			assert.equal(second.ok, false);
			assert.equal(second.name, 'NotAllowedError');
			assert.equal(second.isDOMException, true);
		});

		inTurn('a page that leaves with an unused source id takes the share with it', async () => {
			const page = await fixture.page();
			await fixture.granted(page);
			assert.equal(fixture.ours.now().hosts.length, 1);
			await page.goto('about:blank');
			await fixture.assertNothingLeft();
		});

		inTurn('a source id is worth nothing to another frame, tab or origin', async () => {
			const page = await fixture.page();
			const id = await fixture.granted(page);
			const tab = await fixture.page();
			const origin = await fixture.page('/pages/probe.html', fixture.elsewhere.origin);
			const framed = await fixture.page(`/pages/framed.html?inner=/pages/probe.html`);
			const inner = await fixture.frame(framed);
			for (const thief of [tab, origin, inner]) {
				assert.equal((await probe(thief, 'redeem', id)).ok, false);
			}
			await tab.bringToFront();
			await fixture.granted(tab); // With Portlight's scripts in it.
			const stolen = await probe(tab, 'redeem', id);
			assert.deepEqual([stolen.ok, stolen.name], [false, 'NotAllowedError']);
			await page.bringToFront();
			assert.equal((await probe(page, 'redeem', id)).ok, true, 'the theft did not spend it');
		});

		inTurn('a page in a frame shares like any other', async () => {
			const page = await fixture.page(`/pages/framed.html?inner=/pages/probe.html`);
			const inner = await fixture.frame(page);
			const sourceId = await fixture.granted(inner);
			const fromTop = await page.evaluate(async (id) => {
				/** @type {any} */
				const wanted = {video: {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: id}}};
				return navigator.mediaDevices.getUserMedia(wanted).then(() => 'ok', (error) => error.name);
			}, sourceId);
			assert.notEqual(fromTop, 'ok', "not even to the frame's own page, which has no script of Portlight");
			await fixture.redeemed(inner, sourceId);
			await page.close();
			await fixture.assertNothingLeft();
		});

		test('it goes through an RTCPeerConnection to a second page, from a hidden tab too', async () => {
			const page = await fixture.sharing();
			const viewer = await fixture.page();
			await connect(page, viewer);
			await viewer.bringToFront();
			assert.equal(await page.evaluate(() => document.visibilityState), 'hidden');
			await fixture.plays(viewer);
			// What hangs on a hidden tab's timers comes once a second, which is every tenth drawing.
			await askUntil(() => fixture.gap(viewer, 6), (gap) => gap < 4);
			await fixture.moves(viewer);
			assert.deepEqual(await probed(page, 'ended'), []);
			await probe(page, 'hangUp');
			await page.bringToFront();
			await fixture.stop(page);
		});

		inTurn('MediaRecorder records it', async () => {
			const page = await fixture.sharing();
			const {bytes, counters} = await probe(page, 'record', 15);
			assert.equal(bytes > 10000, true, `${bytes} bytes`);
			// How many of them it takes and plays is the browser's affair, and the machine's.
			assert.equal(counters.length >= 2, true, `markers in the recording: ${counters}`);
			assertInOrder(counters);
			await fixture.stop(page);
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
