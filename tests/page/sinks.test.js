/** page/sink-generator.js and sink-canvas.js in a real page: a generator's and a canvas's track, and the pictures that come out of them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { standForRelay } from './lib/in-page.js';
import { Pages } from './lib/pages.js';

/** @type {Pages} */
let pages;
before(async () => (pages = await Pages.start()));
after(() => pages.close());
afterEach(() => pages.tidy());

/** What the tests use in the page. */
function prepare() {
	/** A picture of one colour, as a decoder gives it: its pixels are its own. */
	window.picture = (timestamp, width = 4, height = 2) => {
		const data = new Uint8Array(width * height * 1.5).fill(128);
		return new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp });
	};
}

/** Runs the test's part in a page with the script. @param {() => unknown} fn @param {'generator' | 'canvas'} kind */
async function run(fn, kind) {
	const page = await pages.open('/blank.html', {
		async before(page) {
			await page.evaluateOnNewDocument(standForRelay);
			await page.evaluateOnNewDocument(prepare);
		},
	});
	await page.evaluate(async (path) => {
		const { createSink } = await import(path);
		window.makeSink = createSink;
	}, `/page/sink-${kind}.js`);
	return page.evaluate(fn);
}

test('a repeated picture is a copy with a time of its own', async () => {
	const said = await run(async () => {
		const sink = window.makeSink();
		const reader = new window.MediaStreamTrackProcessor({ track: sink.track }).readable.getReader();
		const shown = window.picture(5);
		await sink.repeat(shown, 99);
		const { value } = await reader.read();
		const data = new Uint8Array(value.allocationSize());
		await value.copyTo(data);
		const { timestamp, format, displayWidth, displayHeight } = value;
		return { timestamp, format, displayWidth, displayHeight, data: [...data], open: shown.format };
	}, 'generator');
	assert.deepEqual(said, { timestamp: 99, format: 'I420', displayWidth: 4, displayHeight: 2, data: Array(12).fill(128), open: 'I420' });
});

test('a picture that a newer one replaced meanwhile is not repeated after it', async () => {
	const times = await run(async () => {
		const sink = window.makeSink();
		const next = window.pictures(sink.track);
		const old = window.picture(5);
		const repeated = sink.repeat(old, 99).catch(() => {});
		old.close();
		await repeated;
		sink.show(window.picture(7));
		return (await next()).timestamp;
	}, 'generator');
	assert.equal(times, 7);
});

test('a generator that ends ends its clones, with their event', async () => {
	const states = await run(async () => {
		const sink = window.makeSink();
		const clone = sink.track.clone();
		const over = window.ended(clone);
		sink.end(new Set([clone]));
		await over;
		return [sink.track.readyState, clone.readyState];
	}, 'generator');
	assert.deepEqual(states, ['ended', 'ended']);
});

test('a canvas is asked for its frame before it is painted, in the size of the picture', async () => {
	const said = await run(async () => {
		const order = [];
		for (const [prototype, name] of [[CanvasCaptureMediaStreamTrack.prototype, 'requestFrame'], [CanvasRenderingContext2D.prototype, 'drawImage']]) {
			const native = prototype[name];
			prototype[name] = function (...args) {
				order.push(name);
				return Reflect.apply(native, this, args);
			};
		}
		const sink = window.makeSink();
		const next = window.pictures(sink.track);
		const shown = window.picture(5, 320, 180);
		sink.show(shown);
		const { size } = await next();
		return { order, size, closed: shown.format === null, repeats: sink.repeat };
	}, 'canvas');
	assert.deepEqual(said, { order: ['requestFrame', 'drawImage'], size: [320, 180], closed: true, repeats: null });
});

test('a canvas ends its clones with their event', async () => {
	const said = await run(() => {
		const sink = window.makeSink();
		const clones = [sink.track.clone(), sink.track.clone()];
		let events = 0;
		clones.forEach((clone) => clone.addEventListener('ended', () => events++));
		sink.end(new Set(clones));
		return [events, ...[sink.track, ...clones].map(({ readyState }) => readyState)];
	}, 'canvas');
	assert.deepEqual(said, [2, 'ended', 'ended', 'ended']);
});
