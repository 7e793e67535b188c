import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {openBrowser} = await import('./lib/browser.js');
const {startServer} = await import('./lib/server.js');
const {probe} = await import('./lib/fixture.js');

/** What a page may ask of the browser's own getUserMedia, and mostly should not. @type {Record<string, any>} */
const calls = {
	'a camera': {video: true},
	'a camera and a microphone': {video: true, audio: true},
	'nothing at all': {},
	'neither': {video: false, audio: false},
	'a camera that does not exist': {video: {deviceId: {exact: 'no such camera'}}},
	'more than any camera has': {video: {width: {exact: 99999}}},
	'a source id that is not ours': {
		video: {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: 'c2b1xyz=='}},
	},
	'a source id that is like ours': {
		video: {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: 'portlight:AAAAAAAAAAAAAAAAAAAAAA'}},
	},
	'no object': 7,
};

/** How the page finds the function. */
function shape() {
	const fn = navigator.mediaDevices.getUserMedia;
	const own = Object.getOwnPropertyDescriptor(MediaDevices.prototype, 'getUserMedia');
	return {
		name: fn.name,
		length: fn.length,
		native: String(fn).includes('[native code]'),
		constructs: 'prototype' in fn,
		onInstance: Object.hasOwn(navigator.mediaDevices, 'getUserMedia'),
		enumerable: own?.enumerable,
		writable: own?.writable,
		configurable: own?.configurable,
		globals: Object.keys(window).filter((key) => /portlight/i.test(key)),
		callbacks: ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'].filter((key) => key in navigator),
	};
}

/** @param {string} withThis  the receiver that the function is called on */
async function misused(withThis) {
	const receiver = withThis === 'nothing' ? undefined : {};
	return navigator.mediaDevices.getUserMedia.call(/** @type {any} */ (receiver), {video: true}).then(
		() => 'ok',
		(error) => [error.constructor.name, error.name, error.message],
	);
}

/** What a page transfers to its own window, and how it finds it there. @returns {Promise<Record<string, string>>} */
async function transferred() {
	/** @type {Record<string, [() => Transferable, (given: any) => unknown]>} */
	const kinds = {
		readable: [
			() => new ReadableStream({start: (controller) => (controller.enqueue('hello'), controller.close())}),
			async (stream) => (await stream.getReader().read()).value,
		],
		writable: [() => new WritableStream(), (stream) => stream.locked],
		transform: [() => new TransformStream(), (stream) => Object.keys(stream).length],
		buffer: [() => new ArrayBuffer(3), (buffer) => buffer.byteLength],
		port: [() => new MessageChannel().port2, (port) => String(port)],
		canvas: [() => new OffscreenCanvas(9, 9), (canvas) => canvas.width],
	};
	/** @type {Record<string, string>} */
	const found = {};
	for (const [name, [make, read]] of Object.entries(kinds)) {
		// One is read at once, the other when everything else has had its turn.
		for (const wait of [0, 100]) {
			const one = make();
			const arrived = new Promise((resolve) => {
				window.addEventListener('message', resolve, {once: true});
				window.addEventListener('messageerror', resolve, {once: true});
			});
			window.postMessage({one}, '*', [one]);
			const event = await arrived;
			await new Promise((resolve) => setTimeout(resolve, wait));
			found[`${name} ${wait}`] = event.data ? String(await read(event.data.one)) : event.type;
		}
	}
	return found;
}

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}'s own getUserMedia`, () => {
		/** @type {Awaited<ReturnType<typeof startServer>>} */
		let site;
		/** With the extension, and the same browser without it. @type {import('./lib/browser.js').TestBrowser[]} */
		const browsers = [];
		/** @type {import('puppeteer-core').Page[]} */
		const pages = [];

		before(async () => {
			site = await startServer();
			for (const extension of [true, false]) {
				const browser = await openBrowser({kind, fakeCamera: true, extension});
				browsers.push(browser);
				pages.push(await browser.open(site.url('/pages/probe.html')));
				await pages[pages.length - 1].waitForFunction(() => 'probe' in window);
			}
		});
		after(async () => {
			for (const browser of browsers) {
				await browser.close();
			}
			await site.close();
		});

		for (const [name, wanted] of Object.entries(calls)) {
			test(`asked for ${name}, the browser answers as it does without the extension`, async () => {
				const [ours, own] = await Promise.all(pages.map((page) => probe(page, 'camera', wanted)));
				assert.deepEqual(ours, own);
				if (name === 'a camera') {
					assert.equal(ours.ok, true, 'the fake camera plays');
				}
			});
		}

		test('the function looks like the browser\'s own', async () => {
			const [ours, own] = await Promise.all(pages.map((page) => page.evaluate(shape)));
			assert.deepEqual(ours, own);
		});

		test('called on the wrong object, it fails like the browser\'s own', async () => {
			for (const receiver of ['nothing', 'an object']) {
				const [ours, own] = await Promise.all(pages.map((page) => page.evaluate(misused, receiver)));
				assert.deepEqual(ours, own);
			}
		});

		test('what a page transfers to its own window arrives as it does without the extension', async () => {
			const [ours, own] = await Promise.all(pages.map((page) => page.evaluate(transferred)));
			assert.deepEqual(ours, own);
			assert.equal(ours['readable 0'], 'hello');
		});

		test('a page that looks for the extension everywhere finds the same with it and without', async () => {
			const [ours, own] = await Promise.all(
				browsers.map(async (browser) => {
					const page = await browser.open(site.url('/pages/unseen.html'));
					const seen = await page.evaluate(() => /** @type {any} */ (window).look());
					await page.close();
					return seen;
				}),
			);
			assert.ok(own.shapes.length > 5000 && own.heard.length === 10 && own.before['Object defineProperty'] >= 0);
			assert.deepEqual(ours, own);
		});

		test('no host was started for any of it', () => {
			assert.deepEqual(browsers[0].ours.now(), {hosts: [], captures: []});
			assert.equal(browsers[0].ours.seen.size, 0);
		});
	});
}
