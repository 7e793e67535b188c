/**
 * Inside a desktop of its own: people in Chromium at the rooms' pages. Prints JSON, a Result of browsers.js.
 *
 *   with-desktop --apps none --size 1280x720 -- node tests/bench/rooms/people.js '{"turns", "seconds", "views", "strokes"}'
 */
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {openBrowser, preferNative} from '../../e2e/lib/browser.js';
import {Desktop} from '../../e2e/lib/desktop.js';
import {fill, press, RoomsServer, until} from '../../e2e/lib/rooms.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../../e2e/lib/browser.js').TestBrowser} TestBrowser */

const plan = JSON.parse(process.argv[2]);
const SETTLE_MS = 3000;
const FPS = 30;
const file = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Reads markers from frames, for pages that don't serve it: without imports and exports. */
const watching = ['../../desktop/marker.js', '../../e2e/pages/watch.js']
	.map((path) => readFileSync(file(path), 'utf8').replace(/^import .*$/gm, '').replace(/^export /gm, ''))
	.join('\n');

const server = new RoomsServer();
const desktop = new Desktop();
/** @type {Record<'native' | 'browser' | 'far', TestBrowser>} */
let browsers;

/** @param {TestBrowser} browser @param {string} path */
async function page(browser, path) {
	const opened = await browser.open(`${server.origin}/rooms/${path}`);
	await until(opened, '#link', /Online|Extension|Looking/);
	return opened;
}

/** @param {Page} opened @param {string} name */
async function login(opened, name) {
	// A screen alone: no camera, no microphone.
	await opened.$$eval('#login input[type="checkbox"]', (boxes) => boxes.forEach((box) => /** @type {HTMLInputElement} */ (box).checked && /** @type {HTMLInputElement} */ (box).click()));
	await fill(opened, '#name', name);
	await press(opened, '#login .main');
	await until(opened, '#title', new RegExp(name));
}

/** A call in which one shows a screen; what the other's track brings. @param {'native' | 'browser'} path @param {number} turn @returns {Promise<import('./browsers.js').Turn>} */
async function call(path, turn) {
	const near = await page(browsers[path], 'call.html');
	const far = await page(browsers.far, 'call.html');
	await login(near, `Near${turn}`);
	await login(far, `Far${turn}`);
	await fill(near, '#callee', `Far${turn}`);
	await press(near, '#dial .main');
	await press(far, '#accept');
	await until(near, '#link', /Connected/);
	await press(near, '#screen');
	await far.bringToFront();
	await far.evaluate(`{${watching}; window.FrameWatch = FrameWatch;}`);
	await far.waitForFunction(() => {
		const video = /** @type {HTMLVideoElement} */ (document.querySelector('.stage video'));
		return video.videoWidth > 0 && video.srcObject;
	});
	await far.evaluate(() => {
		const {srcObject} = /** @type {HTMLVideoElement} */ (document.querySelector('.stage video'));
		const watch = new /** @type {any} */ (window).FrameWatch({srcObject});
		Object.assign(window, {watch});
		watch.start();
	});
	await sleep(SETTLE_MS);
	await far.evaluate(() => /** @type {any} */ (window).watch.clear());
	await sleep(plan.seconds * 1000);
	const {p50, p95, fps, last} = await far.evaluate(() => /** @type {any} */ (window).watch.summary());
	if (!last) {
		throw new Error(`no marker came to the far side of a call by the ${path} path`);
	}
	await near.close();
	await far.close();
	return {path, p50, p95, fps, width: last.width, height: last.height};
}

/** One who lets in whoever knocks, at once. */
async function share() {
	const sharer = await page(browsers.native, 'assist.html');
	await fill(sharer, '#sharerName', 'Sharon');
	await press(sharer, '#share .main');
	await until(sharer, '#title', /You share/);
	await sharer.evaluate(async () => {
		const {side} = (await import('/rooms/assist.js')).now();
		side?.addEventListener('knock', (event) => /** @type {any} */ (side).admit(/** @type {CustomEvent} */ (event).detail.knock, true));
	});
	return {sharer, url: await sharer.$eval('#url', (field) => /** @type {HTMLInputElement} */ (field).value)};
}

/** In the viewer's page, from its beginning: one who types no slower than the page is there; notes when what came, in ms. */
function hurry() {
	/** @type {Record<string, number>} */
	const noted = {};
	Object.assign(window, {noted});
	const shown = (/** @type {string} */ selector) => {
		const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
		return found && !found.hidden ? found : null;
	};
	const look = () => {
		const form = /** @type {HTMLFormElement | null} */ (shown('#knock'));
		if (form && !noted.knocked) {
			noted.knocked = performance.now();
			/** @type {HTMLInputElement} */ (form.querySelector('input')).value = 'Vera';
			form.requestSubmit();
		}
		if (shown('#room') && !noted.admitted) {
			noted.admitted = performance.now();
			const video = /** @type {HTMLVideoElement} */ (document.querySelector('.stage video'));
			video.requestVideoFrameCallback(() => (noted.picture = performance.now()));
		}
		if (!noted.picture) {
			setTimeout(look, 5);
		}
	};
	look();
}

/** @param {string} url @param {boolean} cold */
async function view(url, cold) {
	const viewer = await browsers.far.browser.newPage();
	await viewer.evaluateOnNewDocument(hurry);
	await viewer.goto(url, {waitUntil: 'domcontentloaded'});
	await viewer.waitForFunction(() => /** @type {any} */ (window).noted.picture);
	const {knocked, admitted, picture} = await viewer.evaluate(() => /** @type {any} */ (window).noted);
	return {viewer, first: {cold, knocked, opened: picture, admitted: picture - admitted}};
}

/** How long strokes of the viewer take to the sharer's canvas. @param {Page} sharer @param {Page} viewer */
async function draw(sharer, viewer) {
	await viewer.bringToFront();
	await sharer.bringToFront();
	await press(viewer, '[data-tool="pen"]');
	const box = await viewer.$eval('canvas.marks', (canvas) => {
		const {x, y, width, height} = canvas.getBoundingClientRect();
		return {x, y, width, height};
	});
	await viewer.evaluate(() => {
		const canvas = /** @type {HTMLElement} */ (document.querySelector('canvas.marks'));
		canvas.addEventListener('pointermove', ({timeStamp}) => Object.assign(window, {moved: performance.timeOrigin + timeStamp}));
	});
	const times = [];
	for (let stroke = 0; stroke < plan.strokes; stroke++) {
		const at = /** @type {const} */ ([0.1 + 0.8 * ((stroke % 20) / 20), 0.1 + 0.8 * (Math.floor(stroke / 20) / 20)]);
		const to = /** @type {const} */ ([at[0] + 0.02, at[1]]);
		await sharer.evaluate((x, y) => {
			const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas.marks'));
			const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
			const look = () => {
				const [, , , alpha] = context.getImageData(Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data;
				if (alpha > 128) {
					Object.assign(window, {seen: performance.timeOrigin + performance.now()});
				} else {
					requestAnimationFrame(look);
				}
			};
			Object.assign(window, {seen: 0});
			look();
		}, ...to);
		await viewer.mouse.move(box.x + at[0] * box.width, box.y + at[1] * box.height);
		await viewer.mouse.down();
		// The dot of its beginning is drawn; what is timed is how the line goes on.
		await sleep(150);
		await viewer.mouse.move(box.x + to[0] * box.width, box.y + to[1] * box.height);
		await sharer.waitForFunction(() => /** @type {any} */ (window).seen > 0);
		const seen = await sharer.evaluate(() => /** @type {any} */ (window).seen);
		times.push(seen - (await viewer.evaluate(() => /** @type {any} */ (window).moved)));
		await viewer.mouse.up();
	}
	return times;
}

/** @param {import('node:child_process').ChildProcess} marker stands still for every second viewer */
async function assistance(marker) {
	const {sharer, url} = await share();
	const first = [];
	let strokes = /** @type {number[]} */ ([]);
	for (let turn = 0; turn < plan.views; turn++) {
		const still = turn % 2 === 1;
		marker.kill(still ? 'SIGSTOP' : 'SIGCONT');
		const {viewer, first: times} = await view(url, turn === 0);
		first.push({...times, still});
		if (turn === plan.views - 1) {
			strokes = await draw(sharer, viewer);
		}
		await viewer.close();
	}
	marker.kill('SIGCONT');
	await sharer.close();
	return {first, strokes};
}

async function main() {
	// The marker hides Mutter's own background, which costs half a processor without a GPU.
	const look = ['--bare', '--size', '959x539', '--backdrop', '1280x720', '--rate', String(FPS)];
	const marker = spawn(file('../../desktop/marker'), look, {stdio: 'ignore'});
	await server.start();
	/** @type {TestBrowser[]} */
	const opened = [];
	const open = async (/** @type {boolean} */ extension) => {
		// Chromium's own picker takes the screen; the portal's dialog is answered as for Portlight.
		opened.push(await openBrowser({kind: 'chromium', extension, args: ['--use-fake-ui-for-media-stream'], env: {XDG_SESSION_TYPE: 'wayland'}}));
		return opened[opened.length - 1];
	};
	try {
		browsers = {native: await open(true), browser: await open(false), far: await open(false)};
		await preferNative(browsers.native);
		await desktop.willAnswer('screen');
		const assisted = await assistance(marker);
		const turns = [];
		for (let turn = 0; turn < plan.turns; turn++) {
			turns.push(await call((turn >> 1) % 2 === turn % 2 ? 'native' : 'browser', turn));
			await desktop.untilDialogs(0);
		}
		console.log(JSON.stringify({turns, ...assisted}));
	} finally {
		await Promise.all(opened.map((browser) => browser.close().catch(() => {})));
		await server.stop();
		marker.kill('SIGKILL');
	}
}

await main();
