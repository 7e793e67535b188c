/** page/shared-track.js in a real page: each track for itself, in pages that froze or replaced what tracks have. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { openGranted } from './lib/granted.js';
import { Pages } from './lib/pages.js';

/** @type {Pages} */
let pages;
before(async () => (pages = await Pages.start({ fakeCamera: true })));
after(() => pages.close());
afterEach(() => pages.tidy());

/** @param {Parameters<typeof openGranted>[1]} [how] */
const open = (how) => openGranted(pages, how);

/** Runs the test's part in such a page, where it may use what lib/in-page.js has. */
const run = async (fn, ...args) => (await open()).evaluate(fn, ...args);

test('the constraints of a clone are its own: the capture takes the largest, each track its size and rate', async () => {
	const said = await run(async () => {
		const { next, show, size, track } = await window.live(window.video({ maxWidth: 1280, maxFrameRate: 20 }));
		const copy = track.clone();
		const [originals, copies] = [track, copy].map(window.pictures);
		const sizes = [];
		const both = async () => {
			await show(1280, 720);
			sizes.push((await originals()).size, (await copies()).size);
		};
		await both();
		await copy.applyConstraints({ width: 640 });
		await both();
		await copy.applyConstraints({ width: 640, frameRate: 5 });
		const told = [await next('configure'), await next('configure')];
		const pts = await show(1280, 720); // Sooner than the copy's next one; it gets it with the repeats.
		window.passTime(1000);
		const { timestamp } = await copies();
		const left = timestamp - pts;
		const settings = [size(), copy.getSettings().width, copy.getSettings().frameRate, copy.getConstraints()];
		track.stop();
		told.push(await next('configure'));
		return { left, sizes, told: JSON.parse(JSON.stringify(told)), settings };
	});
	assert.deepEqual(said.sizes, [[1280, 720], [1280, 720], [1280, 720], [640, 360]]);
	const largest = { type: 'configure', maxFps: 30, maxWidth: 1280 };
	assert.deepEqual(said.told, [largest, largest, { type: 'configure', maxFps: 5, maxWidth: 640 }]);
	assert.ok(said.left > 0, String(said.left));
	assert.deepEqual(said.settings, [[1280, 720], 640, 5, { width: 640, frameRate: 5 }]);
});

test('applyConstraints takes only what is a dictionary', async () => {
	const names = await run(async () => {
		const { track } = await window.live();
		return Promise.all([7, 'text', true].map((wrong) => window.refusal(track.applyConstraints(wrong)).then(({ name }) => name)));
	});
	assert.deepEqual(names, ['TypeError', 'TypeError', 'TypeError']);
});

for (const [sink, how] of /** @type {const} */ ([['generator', {}], ['canvas', { firefox: true }]])) {
	describe(`by a ${sink}`, () => {
		test("the person's pause mutes every track, with its events", async () => {
			const page = await open(how);
			const said = await page.evaluate(async () => {
				const { port, show, track } = await window.live();
				const copy = track.clone();
				const said = [track.muted];
				for (const [name, one] of [['track', track], ['copy', copy]]) {
					one.addEventListener('mute', () => said.push(`${name} ${one.muted}`));
					one.onunmute = () => said.push(`${name} ${one.muted}`);
				}
				for (const muted of [true, true, false, false]) {
					port.postMessage({ type: 'muted', muted });
				}
				await show(320, 180);
				return said;
			});
			assert.deepEqual(said, [false, 'track true', 'copy true', 'track false', 'copy false']);
		});

		test('a page that froze its prototypes, or put members on that of all objects, has its share', async () => {
			for (const harden of [
				() => [MediaStreamTrack, MediaStream, Navigator, EventTarget, MediaDevices].forEach(({ prototype }) => Object.freeze(prototype)),
				() => Object.assign(Object.prototype, { get: () => 'the page', set() {}, has: () => true }),
			]) {
				const page = await open({ ...how, prepare: harden });
				const said = await page.evaluate(async () => {
					const { port, show, stream, track } = await window.live();
					await show(320, 180);
					const [copy] = stream.clone().getVideoTracks();
					const said = [track, copy, track.clone()].map((one) => [one.label, one.getSettings().width]);
					const over = window.ended(copy);
					port.postMessage({ type: 'ended', code: 'stopped', name: 'NotReadableError', message: 'Over.' });
					await over;
					return said;
				});
				assert.deepEqual(said, Array(3).fill(['screen:0:0', 320]));
			}
		});
	});
}
