/**
 * Glass to track, inside an embedded desktop: the marker that the desktop draws is read from the tracks of Portlight's
 * native path and of Chromium's own getDisplayMedia, of the same monitor, in turns, in one browser. Prints JSON: a list of
 * {engine, p50, p95, fps, cpuPercent, width, height}, one for each turn, with cpuMs: of each kind of process per distinct
 * frame, and for Portlight with hops: how long each took (lib/hops.js).
 *
 *   with-desktop --apps none -- node tests/bench/glass.js ROUND SECONDS     who begins changes from round to round
 */
import {spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {openBrowser, preferNative} from '../e2e/lib/browser.js';
import {Desktop} from '../e2e/lib/desktop.js';
import {startServer} from '../e2e/lib/server.js';
import {cpuByKind, hopsOf, notePage, noteWorker} from './lib/hops.js';

const fps = 60;
const settleMs = 3000;

/** The track's picture, in the page. @param {boolean} native @param {number} rate */
async function openStream(native, rate) {
	if (!native) {
		const video = {frameRate: rate, width: {ideal: 1920}, height: {ideal: 1080}};
		return navigator.mediaDevices.getDisplayMedia({video, audio: false});
	}
	const {sourceId} = await /** @type {any} */ (window).probe.ask();
	const mandatory = {chromeMediaSource: 'desktop', chromeMediaSourceId: sourceId, maxFrameRate: rate};
	return navigator.mediaDevices.getUserMedia(/** @type {any} */ ({audio: false, video: {mandatory}}));
}

/**
 * @param {import('../e2e/lib/browser.js').TestBrowser} browser
 * @param {string} url
 * @param {boolean} native
 * @param {number} ms
 */
async function turnInTime(browser, url, native, ms) {
	const late = new AbortController();
	const tooLong = sleep(ms + 25000, undefined, {signal: late.signal}).then(() => {
		throw new Error(`${native ? 'Portlight' : 'Chromium'} gave no picture in time`);
	});
	try {
		return await Promise.race([turn(browser, url, native, ms), tooLong]);
	} finally {
		late.abort();
		tooLong.catch(() => {});
	}
}

/**
 * @param {import('../e2e/lib/browser.js').TestBrowser} browser
 * @param {string} url
 * @param {boolean} native
 * @param {number} ms
 */
async function turn(browser, url, native, ms) {
	if (native) {
		await browser.inBackground(noteWorker);
	}
	const page = await browser.open(url);
	await page.waitForFunction(() => 'probe' in window);
	await page.addScriptTag({type: 'module', content: "import {FrameWatch} from '/pages/watch.js'; window.FrameWatch = FrameWatch;"});
	await page.waitForFunction(() => 'FrameWatch' in window);
	await page.evaluate(`window.openStream = ${openStream}`);
	await page.evaluate(notePage);
	await page.evaluate(async (own, rate) => {
		const stream = await /** @type {any} */ (window).openStream(own, rate);
		// The track alone: nothing plays it, which would cost both the same and measure the player.
		const watch = new (/** @type {any} */ (window).FrameWatch)({srcObject: stream});
		Object.assign(window, {stream, watch});
		watch.start();
		if (!(await watch.next(10000))) {
			throw new Error('no marker is in the track');
		}
	}, native, fps);
	await sleep(settleMs);
	const before = cpuByKind(process.ppid);
	const began = performance.now();
	await page.evaluate(() => {
		const {watch, notes} = /** @type {any} */ (window);
		watch.clear();
		notes.track.length = 0;
	});
	await sleep(ms);
	const seen = await page.evaluate(() => /** @type {any} */ (window).watch.summary());
	const notes = await page.evaluate(() => /** @type {any} */ (window).notes);
	const after = cpuByKind(process.ppid);
	const elapsed = performance.now() - began;
	const worker = native ? await browser.inBackground(() => /** @type {any} */ (globalThis).notes) : [];
	await page.evaluate(() => {
		const {watch, stream} = /** @type {any} */ (window);
		watch.stop();
		stream.getTracks().forEach((/** @type {MediaStreamTrack} */ track) => track.stop());
	});
	await page.close();
	const {p50, p95, last, distinct} = seen;
	const cpu = [...after].map(([kind, cpuMs]) => /** @type {const} */ ([kind, cpuMs - (before.get(kind) ?? 0)]));
	return {
		engine: native ? 'portlight' : 'chromium',
		...{p50, p95, fps: seen.fps, width: last.width, height: last.height},
		cpuPercent: (cpu.reduce((sum, [, cpuMs]) => sum + cpuMs, 0) / elapsed) * 100,
		cpuMs: Object.fromEntries(cpu.map(([kind, cpuMs]) => [kind, cpuMs / distinct])),
		...(native && {hops: hopsOf({worker, ...notes})}),
	};
}

async function main() {
	const [round, seconds] = process.argv.slice(2).map(Number);
	// As the tests' desktops have it: the marker hides Mutter's own background, which costs half a processor without a GPU.
	const look = ['--bare', '--size', '959x539', '--backdrop', '1920x1080', '--rate', String(fps)];
	const marker = spawn(fileURLToPath(new URL('../desktop/marker', import.meta.url)), look, {stdio: 'ignore'});
	const site = await startServer();
	let browser = null;
	const turns = [];
	try {
		browser = await openBrowser({
			kind: 'chromium',
			// Chromium's own picker takes the screen; the portal's dialog is answered as for Portlight.
			args: ['--use-fake-ui-for-media-stream'],
			env: {XDG_SESSION_TYPE: 'wayland'},
		});
		await preferNative(browser);
		const desktop = new Desktop();
		await desktop.willAnswer('screen');
		for (const native of round % 2 ? [false, true] : [true, false]) {
			turns.push(await turnInTime(browser, site.url('/pages/probe.html'), native, seconds * 1000));
			await desktop.untilDialogs(0);
		}
	} finally {
		// What it leaves behind ends with the desktop, and the numbers are there already.
		await browser?.close().catch(() => {});
		await site.close();
		marker.kill();
	}
	console.log(JSON.stringify(turns));
}

await main();
