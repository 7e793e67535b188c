/**
 * What `make rooms DESKTOP=embedded` plays: a call, a conference of three and an assistance share, by people in Firefox and
 * Chromium, and what came of it at the far ends.
 */
import {join} from 'node:path';
import {askUntil} from './own.js';
import {say} from './program.js';
import {fill, marker, moves, press, until} from './rooms.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./browser.js').Kind} Kind */
/** @typedef {{name: string, browser: Kind, page: Page}} Person */

/**
 * @typedef {object} Media what one was sent, as it is at the other's
 * @property {string} from
 * @property {string} to
 * @property {'screen' | 'camera'} what
 * @property {'native' | 'browser' | 'camera'} path how it was captured
 * @property {number} width
 * @property {number} height
 * @property {number} fps pictures shown a second
 * @property {number} [setupMs] from the click that began it to its first picture there
 * @property {{first: number, last: number, ageMs: number}} [marker] the desktop's, read back: its counter, and how old the last one was
 */

const WATCH_MS = 3000;
/** A desktop without a GPU draws its dialog beside three people's pictures, all on the same processors. */
const DIALOG_MS = 60_000;

/** @param {string} name */
function newPart(name) {
	return {
		name,
		/** @type {{name: string, browser: Kind}[]} */
		people: [],
		/** What else was waited for, in milliseconds. @type {Record<string, number>} */
		setupMs: {},
		/** @type {Media[]} */
		media: [],
		/** What the pages showed, in words. @type {string[]} */
		seen: [],
		/** @type {string[]} */
		errors: [],
	};
}

export class Play {
	/** @param {import('./rooms.js').Rooms} rooms @param {string} folder of the screenshots */
	constructor(rooms, folder) {
		this.rooms = rooms;
		this.folder = folder;
		/** What is being played. */
		this.current = newPart('');
		/** @type {ReturnType<typeof newPart>[]} */
		this.plays = [];
		/** @type {string[]} */
		this.errors = [];
		/** @type {string[]} */
		this.screenshots = [];
	}

	/** Plays something, and goes on with the next where it fails. @param {string} name @param {() => Promise<void>} act */
	async play(name, act) {
		const began = performance.now();
		this.current = newPart(name);
		this.plays.push(this.current);
		say(`${name}: begins`);
		try {
			await act();
			say(`${name}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
		} catch (error) {
			this.#wrong(`${name}: ${/** @type {Error} */ (error).message}`);
		}
		await this.rooms.tidy().catch((error) => this.#wrong(`${name}: ${error.message}`));
	}

	/** @param {string} text */
	#wrong(text) {
		this.current.errors.push(text);
		this.errors.push(text);
		say(`failed: ${text}`);
	}

	/** @param {string} name @param {Kind} browser @param {string} path @returns {Promise<Person>} */
	async come(name, browser, path) {
		const page = await this.rooms.page(browser, path);
		const {current} = this;
		page.on('pageerror', (error) => this.#wrong(`${current.name}: ${name}’s page: ${error}`));
		current.people.push({name, browser});
		return {name, browser, page};
	}

	/** Something that the pages show. @param {string} text */
	saw(text) {
		this.current.seen.push(text);
		say(`${this.current.name}: ${text}`);
	}

	/** @template T @param {string} what @param {() => Promise<T>} act */
	async timed(what, act) {
		const began = performance.now();
		const result = await act();
		this.current.setupMs[what] = Math.round(performance.now() - began);
		return result;
	}

	/** One shares a screen, and all others see the desktop in it. @param {Person} from @param {Person[]} others @param {string} button */
	async shareTo(from, others, button) {
		const began = performance.now();
		await this.rooms.share(from.page, button);
		const path = await pathOf(from.page);
		for (const to of others) {
			await moves(to.page);
			const setupMs = Math.round(performance.now() - began);
			this.#media({from: from.name, to: to.name, what: 'screen', path, setupMs, ...(await watchScreen(to.page, '.stage video'))});
		}
	}

	/** One sees the cameras of all others. @param {Person} to @param {Person[]} others @param {number} [began] what opened them all */
	async cameras(to, others, began) {
		await to.page.bringToFront();
		await Promise.all(others.map(async (from) => {
			const selector = await askUntil(() => to.page.evaluate(tileOf, from.name));
			const {firstAt, ...picture} = await watchCamera(to.page, selector);
			this.#media({from: from.name, to: to.name, what: 'camera', path: 'camera', ...(began && {setupMs: Math.round(firstAt - began)}), ...picture});
		}));
	}

	/** @param {Media} media */
	#media(media) {
		this.current.media.push(media);
		const {from, to, what, path, width, height, fps, marker: read} = media;
		const how = what === 'screen' ? ` (${path}), markers ${read?.first} to ${read?.last} read back` : '';
		this.saw(`${to} sees ${from}’s ${what}: ${width}x${height}, ${fps} a second${how}`);
	}

	/** @param {Person} person @param {string} name */
	async shoot({page}, name) {
		await page.bringToFront();
		await page.screenshot({path: /** @type {`${string}.png`} */ (join(this.folder, name))});
		this.screenshots.push(name);
	}
}

/** @param {Play} play */
export async function playCall(play) {
	const fiona = await play.come('Fiona', 'firefox', 'call.html');
	const carl = await play.come('Carl', 'chromium', 'call.html');
	for (const {name, page} of [fiona, carl]) {
		await fill(page, '#name', name);
		await press(page, '#login .main');
		await until(page, '#title', new RegExp(`Logged in as ${name}`));
	}
	await fill(fiona.page, '#callee', carl.name);
	await press(fiona.page, '#dial .main');
	await play.timed('ringing', () => until(carl.page, '#caller', /Fiona calls you/));
	const began = performance.now();
	await press(carl.page, '#accept');
	await play.timed('connected', () => Promise.all([fiona, carl].map(({page}) => until(page, '#link', /Connected/))));
	await Promise.all([play.cameras(carl, [fiona], began), play.cameras(fiona, [carl], began)]);
	await chat(fiona.page, 'Can you see me?');
	await until(carl.page, '#log', /Can you see me\?/);
	play.saw('Carl reads what Fiona wrote');
	await play.shareTo(carl, [fiona], '#screen');
	await press(carl.page, '#showQuality');
	await until(carl.page, '#quality', /direct, UDP/);
	await play.shoot(fiona, 'call.png');
	await press(carl.page, '#screen');
	await play.shareTo(fiona, [carl], '#screen');
	await press(fiona.page, '#hangUp');
	await until(carl.page, '#notice', /Fiona ended the call/);
	play.saw('Carl is told that Fiona ended the call');
}

/** @param {Play} play */
export async function playConference(play) {
	const people = [];
	for (const [name, browser] of /** @type {const} */ ([['Fiona', 'firefox'], ['Carl', 'chromium'], ['Chris', 'chromium']])) {
		const person = await play.come(name, browser, 'conference.html?room=team');
		await fill(person.page, '#nickname', name);
		const began = performance.now();
		await press(person.page, '#join .main');
		await play.timed(`${name} in the room`, () => until(person.page, '#title', /team/));
		await play.cameras(person, people, began);
		people.push(person);
	}
	const [fiona, carl, chris] = people;
	await play.cameras(fiona, [carl, chris]);
	await play.cameras(carl, [chris]);
	await chat(chris.page, 'Hello all');
	await Promise.all([fiona, carl].map(({page}) => until(page, '#log', /Chris\s+Hello all/)));
	play.saw('Fiona and Carl read what Chris wrote');
	await play.shareTo(fiona, [carl, chris], '#screen');
	await play.shoot(chris, 'conference.png');
	await press(fiona.page, '#screen');
	await until(fiona.page, '#screen', /Share screen/);
	await press(fiona.page, '#people button[aria-label="Mute: Carl"]');
	await until(carl.page, '#notice', /A moderator muted you/);
	play.saw('Carl is told that a moderator muted him');
	await press(chris.page, '#leave');
	await until(chris.page, '#notice', /You left the room/);
	await askUntil(() => fiona.page.$$eval('#people li', (rows) => rows.length), (count) => count === 2);
	play.saw('Fiona sees that Chris left');
}

/** @param {Play} play */
export async function playAssist(play) {
	const sharon = await play.come('Sharon', 'firefox', 'assist.html');
	await fill(sharon.page, '#sharerName', 'Sharon');
	await play.rooms.share(sharon.page, '#share .main');
	const path = await pathOf(sharon.page);
	const url = await sharon.page.$eval('#url', (field) => /** @type {HTMLInputElement} */ (field).value);
	const vera = await play.come('Vera', 'chromium', url.slice(url.indexOf('assist.html')));
	await fill(vera.page, '#viewerName', 'Vera');
	await press(vera.page, '#knock .main');
	await sharon.page.bringToFront();
	await sharon.page.waitForSelector('#knocking .main', {visible: true});
	const began = performance.now();
	await press(sharon.page, '#knocking .main');
	await until(vera.page, '#title', /Sharon shares/);
	await moves(vera.page);
	play.current.media.push({from: 'Sharon', to: 'Vera', what: 'screen', path, setupMs: Math.round(performance.now() - began), ...(await watchScreen(vera.page, '.stage video'))});
	play.saw('Vera, whom Sharon let in, sees Sharon’s screen');
	await drag(vera.page, 'circle', [0.05, 0.05], [0.45, 0.45]);
	await drag(vera.page, 'arrow', [0.75, 0.8], [0.5, 0.5]);
	await drag(sharon.page, 'box', [0.6, 0.2], [0.9, 0.6]);
	const marks = (/** @type {Page} */ page) => page.evaluate(async () => {
		const {board} = (await import('/rooms/assist.js')).now();
		return JSON.stringify([...(board?.marks.values() ?? [])].map(({tool, by, n, points}) => ({tool, by, n, points})));
	});
	await askUntil(async () => [await marks(sharon.page), await marks(vera.page)], ([ours, theirs]) => ours === theirs && JSON.parse(ours).length === 3);
	play.saw('Sharon and Vera have the same three marks');
	await play.shoot(sharon, 'assist-sharer.png');
	await play.shoot(vera, 'assist-viewer.png');
	await press(sharon.page, '#stop');
	await until(vera.page, '#notice', /The share is over/);
	play.saw('Vera is told that the share is over');
}

/** @param {Page} page @param {string} text */
async function chat(page, text) {
	await fill(page, '#line', text);
	await press(page, '#chat .main');
}

/** @param {Page} page @param {string} tool @param {[number, number]} from in the picture @param {[number, number]} to */
async function drag(page, tool, from, to) {
	await press(page, `[data-tool="${tool}"]`);
	const box = await page.$eval('canvas.marks', (canvas) => {
		const {x, y, width, height} = canvas.getBoundingClientRect();
		return {x, y, width, height};
	});
	await page.mouse.move(box.x + from[0] * box.width, box.y + from[1] * box.height);
	await page.mouse.down();
	await page.mouse.move(box.x + to[0] * box.width, box.y + to[1] * box.height, {steps: 4});
	await page.mouse.up();
}

/** How the page says that it captures. @param {Page} page @returns {Promise<'native' | 'browser'>} */
async function pathOf(page) {
	const ways = /by Portlight|by the browser|Portlight’s helper crops|This page crops/;
	const text = await askUntil(() => page.evaluate(() => `${document.querySelector('#notice')?.textContent} ${document.querySelector('#path')?.textContent}`), (said) => ways.test(said), DIALOG_MS);
	return /Portlight/.test(text) ? 'native' : 'browser';
}

/** A desktop that is played: the marker is read before and after a while. @param {Page} page @param {string} selector */
async function watchScreen(page, selector) {
	const first = await askUntil(() => marker(page, selector));
	const fps = await rate(page, selector);
	const last = await askUntil(() => marker(page, selector), (read) => (read?.counter ?? 0) > (first?.counter ?? 0));
	if (!first || !last) {
		throw new Error('There is no marker in the picture.');
	}
	const {width, height, counter, ageMs} = last;
	return {width, height, fps, marker: {first: first.counter, last: counter, ageMs}};
}

/** A camera that is played: its picture is not one colour, and changes. @param {Page} page @param {string} selector */
async function watchCamera(page, selector) {
	const print = () => page.$eval(selector, (found) => {
		const video = /** @type {HTMLVideoElement} */ (found);
		const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(32, 24).getContext('2d'));
		context.drawImage(video, 0, 0, 32, 24);
		const pixels = [...context.getImageData(0, 0, 32, 24).data];
		return {width: video.videoWidth, height: video.videoHeight, sum: pixels.reduce((sum, value, at) => (sum + value * (at + 1)) % 2 ** 32, 0), colours: new Set(pixels.filter((_, at) => at % 4 !== 3)).size};
	});
	const first = await askUntil(print, ({width, colours}) => width > 0 && colours > 2);
	const firstAt = performance.now();
	await askUntil(print, ({sum}) => sum !== first.sum);
	return {firstAt, width: first.width, height: first.height, fps: await rate(page, selector)};
}

/** How many pictures a second a video shows. @param {Page} page @param {string} selector @returns {Promise<number>} */
function rate(page, selector) {
	return page.$eval(selector, async (found, ms) => {
		const video = /** @type {HTMLVideoElement} */ (found);
		let count = 0;
		const next = () => {
			count++;
			handle = video.requestVideoFrameCallback(next);
		};
		let handle = video.requestVideoFrameCallback(next);
		const began = performance.now();
		await new Promise((resolve) => setTimeout(resolve, ms));
		video.cancelVideoFrameCallback(handle);
		return Math.round((10_000 * count) / (performance.now() - began)) / 10;
	}, WATCH_MS);
}

/** In the page: the selector of a camera's small picture. @param {string} name @returns {string} '' where there is none */
function tileOf(name) {
	const tile = [...document.querySelectorAll('.tile:not(.screen)')].find((one) => one.querySelector('.name')?.textContent?.split(' · ')[0] === name);
	return tile ? `.tile[data-key="${tile.getAttribute('data-key')}"] video` : '';
}
