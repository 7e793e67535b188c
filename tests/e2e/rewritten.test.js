/** Pages that rewrite themselves, harden their prototypes or replace what they find there share like any other. */
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {untilProbe, useFixture} = await import('./lib/fixture.js');

/** Writes a document with the probe into a window, as playgrounds do with what was typed into them. */
async function write() {
	const target = /** @type {Window} */ (document.querySelector('iframe')?.contentWindow ?? window);
	const html = await (await fetch('/pages/probe.html')).text();
	const base = `<base href="${location.origin}/pages/probe.html">`;
	target.document.open();
	target.document.write(html.replace('<html lang="en">', `<html lang="en">${base}`));
	target.document.close();
}

/** What pages and their libraries do to what they are given. @type {Record<string, () => void>} */
const changes = {
	'frozen prototypes': () => {
		[MediaStreamTrack, MediaStream, MediaDevices, Navigator, EventTarget].forEach(({prototype}) => Object.freeze(prototype));
	},
	'members on the prototype of all objects': () => {
		Object.assign(Object.prototype, {get: () => 'the page', set() {}, has: () => true});
	},
	'functions of its own around those that it found, as adapter.js has them': () => {
		const devices = navigator.mediaDevices;
		const native = devices.getUserMedia.bind(devices);
		devices.getUserMedia = async ({audio, video} = {}) => native({audio, video: video && typeof video === 'object' ? {width: video.width} : video});
		Object.assign(navigator, {
			/** @param {any} constraints @param {any} succeed @param {any} fail */
			getUserMedia: (constraints, succeed, fail) => devices.getUserMedia(constraints).then(succeed, fail),
		});
	},
	'other media devices in the place of the browser\'s': () => {
		const devices = navigator.mediaDevices;
		const own = Object.assign(new EventTarget(), {
			getUserMedia: (/** @type {any} */ constraints) => devices.getUserMedia(constraints),
			enumerateDevices: () => devices.enumerateDevices(),
		});
		Object.defineProperty(navigator, 'mediaDevices', {configurable: true, value: own});
	},
	'wrappers that pass on what they know of': () => {
		const {addEventListener, removeEventListener} = EventTarget.prototype;
		/** @param {Function} native */
		const wrap = (native) =>
			/** @this {EventTarget} @param {string} type @param {any} listener @param {any} options */
			function (type, listener, options) {
				return native.call(this, type, listener, options);
			};
		EventTarget.prototype.addEventListener = wrap(addEventListener);
		EventTarget.prototype.removeEventListener = wrap(removeEventListener);
		const {postMessage} = window;
		window.postMessage = (/** @type {any} */ message, /** @type {any} */ target) => postMessage.call(window, message, target);
	},
};

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: pages that change what they are given`, () => {
		const fixture = useFixture({kind});

		turn('a page that rewrites itself', async () => {
			const page = await fixture.page();
			await page.evaluate(write);
			await untilProbe(page);
			await fixture.share(page);
			await fixture.stop(page);
		});

		for (const [name, change] of Object.entries(changes)) {
			turn(name, async () => {
				const page = await fixture.page();
				await page.evaluate(change);
				const {capture} = await fixture.share(page);
				const copied = await page.evaluate(() => {
					const [track] = /** @type {any} */ (window).probe.stream.clone().getVideoTracks();
					const {label} = track;
					track.stop();
					return label;
				});
				assert.match(copied, /^screen:/);
				process.kill(capture.pid, 'SIGKILL');
				await fixture.assertEnded(page);
			});
		}

		turn('a frame that the page around it writes', async () => {
			const page = await fixture.page('/pages/framed.html?inner=');
			await page.evaluate(write);
			const frame = await fixture.frame(page);
			await untilProbe(frame);
			await fixture.redeemed(frame, await fixture.granted(frame));
			await page.close();
			await fixture.assertNothingLeft();
		});
	});
}
