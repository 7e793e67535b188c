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
		const { next, show, size, track } = await window.live(window.video({ maxWidth: 1280 }));
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

test('a clone has the content hint of its original, and both change it for themselves', async () => {
	const hints = await run(async () => {
		const { track } = await window.live();
		const hints = [track.contentHint];
		track.contentHint = 'text';
		const copy = track.clone();
		hints.push(copy.contentHint);
		copy.contentHint = 'motion';
		return [...hints, track.contentHint];
	});
	assert.deepEqual(hints, ['', 'text', 'text']);
});

test('the ids are of what is shared: those of a clone too, other ones of another choice, and those of an ended track', async () => {
	const same = await run(async () => {
		const [first, second] = [await window.live(), await window.live()];
		const { deviceId, groupId } = first.track.getSettings();
		const idsOf = (track) => track.getSettings().deviceId === deviceId && track.getCapabilities().deviceId === deviceId;
		const same = [deviceId.length > 0, idsOf(first.track.clone()), idsOf(second.track), second.track.getSettings().groupId === groupId];
		second.track.stop();
		same.push(Object.keys(second.track.getSettings()).sort().join(), await second.track.applyConstraints({ width: { exact: 9999 } }));
		first.port.postMessage({ type: 'opened', codec: 'vp8', width: 1920, height: 1080, maxFps: 30, surface: 'window', cursor: 'always' });
		await first.show(1920, 1080);
		return [...same, idsOf(first.track), first.track.getSettings().displaySurface];
	});
	assert.deepEqual(same, [true, true, false, true, 'deviceId,groupId', null, false, 'window']);
});

/** Applied one after the other to a track of 1920 by 1080, the settings then; `over` and `wrong`: refused. */
const over = (constraint) => `OverconstrainedError ${constraint}`;
const wrong = 'TypeError undefined';
const size = (width, height, more) => ({ width, height, ...more });
const full = (more) => size(1920, 1080, { resizeMode: 'none', ...more });
const APPLIED = {
	'a size': [
		[{ width: { exact: 640 } }, size(640, 360, { resizeMode: 'crop-and-scale' })],
		[{ width: 640, height: 480 }, size(640, 360)],
		[{ width: { max: 1280, ideal: 640 } }, size(640, 360)],
		[{ width: { min: 1280, ideal: 640 } }, size(1280, 720)],
		[{ width: 640, height: { min: 540 } }, size(960, 540)],
		[{ width: { exact: 640 }, height: { min: 540 } }, over('height')],
		[{ width: { min: 1921.6 } }, over('width')],
		[{ height: { max: 0 } }, over('height')],
		[{ width: 0, height: { min: 0 } }, full()],
		[{ width: 99999 }, full()],
		[{}, full()],
	],
	'a frame rate': [
		[{ frameRate: { max: 60 } }, { frameRate: 60 }],
		[{ frameRate: { min: 50 } }, { frameRate: 50 }],
		[{ frameRate: { exact: 29.97 } }, { frameRate: 29.97 }],
		[{ frameRate: 500 }, { frameRate: 60 }],
		[{ frameRate: { min: 61 } }, over('frameRate')],
		[{ frameRate: { max: 0.5 } }, over('frameRate')],
	],
	'whether it is scaled': [
		[{ resizeMode: 'none', width: 640, height: 360 }, full()],
		[{ resizeMode: { exact: 'none' }, width: 640 }, full()],
		[{ resizeMode: 'none', width: { max: 640 } }, size(640, 360)],
		[{ resizeMode: { exact: 'none' }, width: { exact: 640 } }, over('width')],
		[{ resizeMode: { exact: ['none', 'crop-and-scale'] }, width: 640 }, size(640, 360)],
		[{ resizeMode: { exact: 'crop-and-scale' } }, full({ resizeMode: 'crop-and-scale' })],
		[{ resizeMode: { exact: 'both' } }, over('resizeMode')],
		[{ resizeMode: 'both' }, full()],
	],
	'what is as it is': [
		[{ aspectRatio: { exact: 16 / 9 }, width: 1000 }, { width: 1000, aspectRatio: 16 / 9 }],
		[{ aspectRatio: { exact: 4 / 3 } }, over('aspectRatio')],
		[{ aspectRatio: { max: 1 } }, over('aspectRatio')],
		[{ aspectRatio: 1 }, { aspectRatio: 16 / 9 }],
		[{ deviceId: { exact: 'other' } }, over('deviceId')],
		[{ deviceId: 'other', groupId: { exact: [] } }, full()],
		[{ groupId: { exact: ['other', 'another'] } }, over('groupId')],
		[{ groupId: 'x'.repeat(501) }, over('')],
		[{ cursor: { exact: 'never' } }, over('cursor')],
		[{ cursor: { exact: ['never', 'always'] } }, { cursor: 'always' }],
		[{ logicalSurface: { exact: false } }, over('logicalSurface')],
		[{ facingMode: { exact: 'user' } }, over('facingMode')],
		[{ displaySurface: { exact: 'window' }, restrictOwnAudio: { exact: true } }, { displaySurface: 'monitor' }],
	],
	'advanced sets, in their order': [
		[{ advanced: [{ width: 640 }, { width: 320 }, { frameRate: { min: 50 } }] }, size(640, 360, { frameRate: 50 })],
		[{ advanced: [{ width: 640, height: 640 }, { aspectRatio: 1 }, { height: { max: 540 } }] }, size(960, 540)],
		[{ width: { min: 1280 }, advanced: [{ width: 640 }, { resizeMode: 'none' }] }, full()],
		[{ width: { min: 4000 }, advanced: [{ width: 640 }] }, over('width')],
	],
	'other types, as Web IDL says': [
		[{ width: true, height: '540' }, size(2, 2)],
		[{ width: 'wide', frameRate: null, resizeMode: 7 }, full()],
		[{ frameRate: 'fast' }, wrong],
		[{ aspectRatio: { ideal: [] } }, { aspectRatio: 16 / 9 }],
		[{ aspectRatio: { max: {} } }, wrong],
		[{ advanced: 7 }, wrong],
		[{ advanced: [7] }, wrong],
		[{ advanced: [null, {}] }, full()],
	],
	'the older form, whose bounds are wishes': [
		[{ mandatory: { minWidth: 4000, maxWidth: 640, maxFrameRate: 5, googLeakyBucket: true }, optional: [{ minWidth: 640 }] }, size(640, 360, { frameRate: 5 })],
		[{ mandatory: { maxHeight: 540 }, width: 320 }, size(320, 180)],
		[{ mandatory: { maxWidth: 0, maxHeight: 'tall' } }, full()],
		[{ mandatory: { maxWidth: 640 }, groupId: { exact: 'other' } }, over('groupId')],
	],
};

for (const [what, rows] of Object.entries(APPLIED)) {
	test(`constraints: ${what}`, async () => {
		const said = await run(async (all) => {
			const { show, track } = await window.live();
			await show(1920, 1080);
			const said = [];
			for (const [constraints, expected] of all) {
				const refused = await window.refusal(track.applyConstraints(constraints));
				const settings = track.getSettings();
				const names = Object.keys(expected);
				said.push(refused ? `${refused.name} ${refused.constraint}` : Object.fromEntries(names.map((name) => [name, settings[name] ?? expected])));
			}
			return said;
		}, rows);
		rows.forEach(([constraints, expected], index) => assert.deepEqual(said[index], expected, JSON.stringify(constraints)));
	});
}

test('getConstraints returns a copy of what was applied last, as far as it is known', async () => {
	const same = await run(async () => {
		const { track } = await window.live(window.video({ maxWidth: 640 }));
		const same = [track.getConstraints().mandatory.maxWidth];
		const given = { width: { exact: 640 }, resizeMode: ['none', 'crop-and-scale'], advanced: [{ height: 360 }], unknown: 7 };
		await track.applyConstraints(given);
		given.width.exact = 1;
		track.getConstraints().advanced[0].height = 1;
		const { advanced: [{ height }], ...rest } = track.getConstraints();
		same.push(height, rest.width.exact, rest.resizeMode.join(), 'unknown' in rest);
		await track.applyConstraints();
		return [...same, Object.keys(track.getConstraints()).length];
	});
	assert.deepEqual(same, [640, 360, 640, 'none,crop-and-scale', false, 0]);
});

test('what the first constraints require is kept, or ends the share; the bound of the user is only for pages that say nothing', async () => {
	const bound = { width: 1280, height: 720, maxHeight: 720, source: { width: 1920, height: 1080 } };
	const said = await run(async (how) => {
		const source = { chromeMediaSource: 'desktop', chromeMediaSourceId: 'portlight:abc' };
		const { next, port, stream } = await window.redeem({ video: { ...source, aspectRatio: { max: 1 } } });
		port.postMessage({ type: 'opened', codec: 'vp8', width: 1920, height: 1080, maxFps: 30, surface: 'monitor', cursor: 'always' });
		await next('stop');
		const { name, constraint } = await window.refusal(stream);
		const least = await window.live({ video: { ...source, width: { min: 1600 }, frameRate: { min: 40 } } }, how);
		const { maxWidth, maxHeight, maxFps } = await least.next('configure');
		const { wish } = await window.redeem({ video: { ...source, resizeMode: 'none' } });
		return [name, constraint, maxWidth, maxHeight, maxFps, wish.maxWidth, wish.maxHeight];
	}, bound);
	assert.deepEqual(said, ['OverconstrainedError', 'aspectRatio', 1600, 900, 40, 16384, 16384]);
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
