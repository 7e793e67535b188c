/**
 * Glass to track, inside an embedded desktop: the marker that the desktop draws is read from the tracks of Portlight's
 * native path and of Chromium's own getDisplayMedia, of the same monitor, in turns, in one browser. Prints JSON: a list of
 * {engine, p50, p95, fps, cpuPercent, width, height}, one for each turn, for Portlight with fromCompositor: how much of p50
 * is left after the compositor handed the picture over.
 *
 *   with-desktop --apps none -- node tests/bench/glass.js ROUND SECONDS     who begins changes from round to round
 */
import {spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {openBrowser, preferNative} from '../e2e/lib/browser.js';
import {Desktop} from '../e2e/lib/desktop.js';
import {descendants, usage} from '../e2e/lib/processes.js';
import {startServer} from '../e2e/lib/server.js';

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
 * In the page: notes when each frame of a track was read, and its own time stamp, which for Portlight is when the picture
 * left the compositor (CLOCK_MONOTONIC).
 */
function noteTimestamps() {
	const {MediaStreamTrackProcessor: Processor} = /** @type {any} */ (window);
	/** @type {{at: number, timestamp: number}[]} */
	const notes = [];
	class Noting {
		/** @param {object} options */
		constructor(options) {
			const reader = new Processor(options).readable.getReader();
			const read = async () => {
				const result = await reader.read();
				if (result.value) {
					notes.push({at: performance.timeOrigin + performance.now(), timestamp: result.value.timestamp});
				}
				return result;
			};
			this.readable = {getReader: () => ({read, cancel: () => reader.cancel()})};
		}
	}
	Object.assign(window, {MediaStreamTrackProcessor: Noting, notes});
}

/**
 * From the compositor to the page, the median, in milliseconds.
 * @param {{at: number, timestamp: number}[]} notes
 */
function fromCompositor(notes) {
	const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
	const ages = notes.map(({at, timestamp}) => at - (timestamp / 1000 + offset)).sort((a, b) => a - b);
	return ages[ages.length >> 1] ?? null;
}

/** CPU time so far of everything on the desktop, in milliseconds: compositor, PipeWire, marker, browser, ours. */
function cpuMs() {
	return descendants(process.ppid)
		.concat({pid: process.ppid, ppid: 0, name: '', start: ''})
		.filter(({pid}) => pid !== process.pid)
		.reduce((sum, {pid}) => sum + usage(pid).cpuNs / 1e6, 0);
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
	const page = await browser.open(url);
	await page.waitForFunction(() => 'probe' in window);
	await page.addScriptTag({type: 'module', content: "import {FrameWatch} from '/pages/watch.js'; window.FrameWatch = FrameWatch;"});
	await page.waitForFunction(() => 'FrameWatch' in window);
	await page.evaluate(`window.openStream = ${openStream}`);
	await page.evaluate(noteTimestamps);
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
	const before = cpuMs();
	const began = performance.now();
	await page.evaluate(() => {
		const {watch, notes} = /** @type {any} */ (window);
		watch.clear();
		notes.length = 0;
	});
	await sleep(ms);
	const seen = await page.evaluate(() => /** @type {any} */ (window).watch.summary());
	const notes = await page.evaluate(() => /** @type {any} */ (window).notes);
	const cpuPercent = ((cpuMs() - before) / (performance.now() - began)) * 100;
	await page.evaluate(() => {
		const {watch, stream} = /** @type {any} */ (window);
		watch.stop();
		stream.getTracks().forEach((/** @type {MediaStreamTrack} */ track) => track.stop());
	});
	await page.close();
	const {p50, p95, last} = seen;
	const own = native ? {engine: 'portlight', fromCompositor: fromCompositor(notes)} : {engine: 'chromium'};
	return {...own, p50, p95, fps: seen.fps, cpuPercent, width: last.width, height: last.height};
}

async function main() {
	const [round, seconds] = process.argv.slice(2).map(Number);
	const marker = spawn(fileURLToPath(new URL('../desktop/marker', import.meta.url)), ['--rate', String(fps)], {stdio: 'ignore'});
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
