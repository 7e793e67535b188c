/** The rooms' pages under test: the real server, Firefox and Chromium with the extension, and what people do in the pages. */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {after, afterEach, before} from 'node:test';
import {fileURLToPath} from 'node:url';
import {locateMarker, readMarker} from '../../desktop/marker.js';
import {openBrowser, preferNative} from './browser.js';
import {Desktop} from './desktop.js';
import {askUntil, shows} from './own.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./browser.js').Kind} Kind */
/** @typedef {(kind: Kind) => Partial<import('./browser.js').Options>} More options of a browser than these tests need anyway */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(process.env.PORTLIGHT_BUILD ?? join(root, 'build'), 'bin/portlight-rooms');

/** portlight-rooms on a port of its own, which it keeps when it is started again. */
export class RoomsServer {
	port = 0;

	/** @param {{address?: string, args?: string[], within?: (...command: string[]) => string[]}} [options] `within`: the command as it is run */
	constructor({address = '127.0.0.1', args = ['--open=yes'], within = (...command) => command} = {}) {
		this.address = address;
		this.args = args;
		this.within = within;
	}

	async start() {
		assert(existsSync(program), `There is no ${program}. Run \`make programs\` first.`);
		const [command, ...args] = this.within(program, ...this.args, `--listen=${this.address}:${this.port}`, `--pages=${join(root, 'docs/examples')}`);
		const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe']});
		this.child = child;
		/** @type {string[]} */
		const lines = [];
		for (const stream of [child.stdout, child.stderr]) {
			createInterface({input: stream}).on('line', (line) => lines.push(line));
		}
		const line = await askUntil(() => lines.find((text) => text.includes('"listening"')) ?? lines, (said) => typeof said === 'string');
		const url = new URL(JSON.parse(String(line)).at);
		this.port = Number(url.port);
		this.origin = url.origin;
	}

	/** @param {NodeJS.Signals} [signal] */
	async stop(signal = 'SIGTERM') {
		const {child} = this;
		if (child && child.exitCode === null && child.signalCode === null) {
			const ended = once(child, 'exit');
			child.kill(signal);
			await ended;
		}
	}
}

export class Rooms {
	/** @param {{server?: RoomsServer, browser?: More}} [options] */
	constructor({server = new RoomsServer(), browser = () => ({})} = {}) {
		this.server = server;
		this.more = browser;
	}

	desktop = new Desktop();
	/** @type {Record<string, import('./browser.js').TestBrowser>} */
	browsers = {};
	/** @type {Page[]} */
	pages = [];

	async open() {
		await this.server.start();
		for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
			this.browsers[kind] = await openBrowser({kind, fakeCamera: true, ...this.more(kind)});
		}
		if (this.more('chromium').extension !== false) {
			await preferNative(this.browsers.chromium);
		}
	}

	async close() {
		await Promise.all(Object.values(this.browsers).map((browser) => browser.close()));
		await this.server.stop();
	}

	/** @param {Kind} kind @param {string} path below rooms/ */
	async page(kind, path) {
		const page = await this.browsers[kind].open(`${this.server.origin}/rooms/${path}`);
		this.pages.push(page);
		await until(page, '#link', /Online|Extension|Looking/);
		return page;
	}

	async tidy() {
		await Promise.all(this.pages.splice(0).map((page) => page.close().catch(() => {})));
		for (const browser of Object.values(this.browsers)) {
			assert.deepEqual((await browser.ours.gone()).left, [], 'nothing of ours is left of a test');
		}
	}

	/** Presses what asks for a screen, with a person who answers. @param {Page} page @param {string} selector @param {import('./desktop.js').Consent} [consent] */
	async share(page, selector, consent = 'screen') {
		await this.desktop.willAnswer(consent);
		await page.bringToFront();
		await page.click(selector);
	}
}

/** One for a file's tests. @param {ConstructorParameters<typeof Rooms>[0]} [options] */
export function useRooms(options) {
	const rooms = new Rooms(options);
	before(() => rooms.open());
	after(() => rooms.close());
	afterEach(() => rooms.tidy());
	return rooms;
}

/** Waits until what is shown there reads like that. @param {Page} page @param {string} selector @param {RegExp} text */
export const until = (page, selector, text) => askUntil(() => page.evaluate(shows, selector), (shown) => text.test(shown ?? ''));

/** @param {Page} page @param {string} selector @param {string} text */
export async function fill(page, selector, text) {
	await page.bringToFront();
	await page.$eval(selector, (field) => (/** @type {HTMLInputElement} */ (field).value = ''));
	await page.type(selector, text);
}

/** @param {Page} page @param {string} selector */
export async function press(page, selector) {
	await page.bringToFront();
	await page.waitForSelector(selector, {visible: true});
	await page.click(selector);
}

/**
 * The desktop's marker in the newest picture of a video, or in a canvas.
 * @param {Page} page @param {string} selector of it
 * @returns {Promise<{counter: number, clockMs: number, ageMs: number, width: number, height: number, place: import('../../desktop/marker.js').Place} | null>}
 */
export async function marker(page, selector) {
	const taken = await page.$eval(selector, (found) => {
		const video = /** @type {any} */ (found);
		const [width, height] = [video.videoWidth ?? video.width, video.videoHeight ?? video.height];
		if (!width) {
			return null;
		}
		const canvas = new OffscreenCanvas(width, height);
		const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
		context.drawImage(video, 0, 0);
		const {data} = context.getImageData(0, 0, width, height);
		let text = '';
		for (let at = 0; at < data.length; at += 0x8000) {
			text += String.fromCharCode(...data.subarray(at, at + 0x8000));
		}
		return {width, height, bytes: btoa(text), now: Date.now()};
	});
	if (!taken) {
		return null;
	}
	const {width, height, now} = taken;
	const image = {width, height, data: new Uint8Array(Buffer.from(taken.bytes, 'base64'))};
	const place = locateMarker(/** @type {any} */ (image));
	const read = place && readMarker(/** @type {any} */ (image), place);
	return read && place ? {...read, ageMs: now - read.clockMs, width, height, place} : null;
}

/** The far side plays the desktop, and what is drawn from now on comes to it. @param {Page} page @param {string} [selector] */
export async function moves(page, selector = '.stage video') {
	await page.bringToFront();
	const first = await askUntil(() => marker(page, selector));
	return askUntil(() => marker(page, selector), (next) => next && next.counter > (first?.counter ?? 0));
}

/** What a page plays, and where it does not, what may tell why. @param {Page} page */
export const plays = (page) => page.evaluate(() => {
	const videos = /** @type {HTMLVideoElement[]} */ ([...document.querySelectorAll('.tile video')]);
	return {
		count: videos.filter(({videoWidth}) => videoWidth).length,
		videos: videos.map(({videoWidth, paused, readyState, srcObject}) => [videoWidth, paused, readyState, /** @type {MediaStream | null} */ (srcObject)?.getTracks().map(({kind, muted}) => kind + muted).join()]),
		visible: document.visibilityState,
		notice: document.querySelector('#notice')?.textContent,
		title: document.querySelector('#title')?.textContent,
	};
});

/** How many connections to rooms the server has, as its /metrics tells. @param {RoomsServer} server */
export async function connections(server) {
	const text = await (await fetch(`${server.origin}/metrics`)).text();
	return Number(/^portlight_rooms_room_connections (\d+)$/m.exec(text)?.[1]);
}

/** Waits until there is sound in what comes of a person in a conference, or silence. @param {Page} page @param {string} name @param {boolean} heard */
export const hears = (page, name, heard) => askUntil(() => page.evaluate(async (whom) => {
	const {mesh} = await import('/rooms/conference.js');
	const peer = [...mesh.people.values()].find(({nickname}) => nickname === whom)?.peer;
	const energy = async () => [...((await peer?.pc.getStats())?.values() ?? [])].find(({type, kind}) => type === 'inbound-rtp' && kind === 'audio').totalAudioEnergy;
	const before = await energy();
	// Chromium's own microphone beeps once a second.
	await new Promise((resolve) => setTimeout(resolve, 1500));
	return (await energy()) - before;
}, name), (sound) => (heard ? sound > 1e-5 : sound < 1e-7));
