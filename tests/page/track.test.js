/** page/track.js in a real page: real tracks, streams, decoders and pictures; only the relay's words are the test's. */
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

test('the wish names the id, what can be decoded, and the frame rate of either spelling', async () => {
	const { wishes, others } = await run(async () => {
		const { redeem, video } = window;
		const { mandatory } = video().video;
		const both = [video({ maxFrameRate: 12 }), { video: { ...mandatory, frameRate: { ideal: 30, max: 12 } } }];
		const wishOf = async (constraints) => (await redeem(constraints)).wish;
		const wishes = [await wishOf(both[0]), await wishOf(both[1])];
		const others = [];
		for (const maxFrameRate of [0, -3, 'fast', NaN, null]) {
			others.push((await wishOf(video({ maxFrameRate }))).maxFps ?? 'none');
		}
		return { wishes, others };
	});
	const wish = { type: 'portlight:redeem', sourceId: 'portlight:abc', codecs: ['vp9', 'vp8', 'vp9-444'], maxFps: 12 };
	assert.deepEqual(wishes, [wish, wish]);
	assert.deepEqual(others, Array(5).fill('none'));
});

test('the track says of itself what a display-capture track says', async () => {
	const said = await run(async () => {
		const { track } = await window.live();
		const { deviceId, groupId, ...settings } = track.getSettings();
		return [track.kind, track.label, track.contentHint, typeof deviceId, typeof groupId, settings];
	});
	assert.deepEqual(said, ['video', 'screen:0:0', '', 'string', 'string', {
		width: 1920,
		height: 1080,
		aspectRatio: 1920 / 1080,
		frameRate: 30,
		resizeMode: 'none',
		displaySurface: 'monitor',
		logicalSurface: true,
		cursor: 'always',
	}]);
});

test('tracks that are not ours are as they were', async () => {
	const before = () => {
		const { get } = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'label');
		window.nativeLabel = get;
		window.natives = Object.getOwnPropertyNames(MediaStreamTrack.prototype).sort();
	};
	const page = await open({ prepare: before });
	const said = await page.evaluate(async () => {
		await window.live();
		const [other] = document.createElement('canvas').captureStream().getVideoTracks();
		const own = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'label').get;
		const { stop } = MediaStreamTrack.prototype;
		const text = Function.prototype.toString;
		const settings = other.getSettings();
		const copy = other.clone();
		other.stop();
		return {
			label: other.label === Reflect.apply(window.nativeLabel, other, []),
			surface: settings.displaySurface ?? 'none',
			states: [other.readyState, copy.readyState],
			looks: [own.name, /\[native code\]/.test(text.call(stop))],
			same: window.natives.join() === Object.getOwnPropertyNames(MediaStreamTrack.prototype).sort().join(),
		};
	});
	assert.deepEqual(said, { label: true, surface: 'none', states: ['ended', 'live'], looks: ['get label', true], same: true });
});

test("the picture keeps its shape within the page's limits, and the settings follow", async () => {
	const table = [
		[{ maxWidth: 1280, maxHeight: 720 }, [1280, 720]],
		[{ maxWidth: 1000 }, [1000, 562]],
		[{ maxHeight: 300 }, [534, 300]],
		[{ maxWidth: 99999, maxHeight: 99999 }, [1920, 1080]],
		[{ maxWidth: 1 }, [2, 2]],
		[{ maxWidth: 0, maxHeight: 'tall' }, [1920, 1080]],
	];
	const sizes = await run(async (all) => {
		const sizes = [];
		for (const limits of all) {
			const { track, show, size } = await window.live(window.video(limits));
			const next = window.pictures(track);
			await show(1920, 1080);
			sizes.push([(await next()).size, size()]);
		}
		return sizes;
	}, table.map(([limits]) => limits));
	assert.deepEqual(sizes, table.map(([, size]) => [size, size]));
});

test('a bound that the page did not ask for shows in its settings, until it asks for something itself', async () => {
	const said = await run(async () => {
		const { next, show, size, track } = await window.live(window.video(), { width: 1280, height: 720, maxHeight: 720, source: { width: 1920, height: 1080 } });
		await show(1280, 720);
		const before = [size(), track.getSettings().resizeMode, track.getCapabilities().height.max];
		const applied = track.applyConstraints({ frameRate: 10 });
		const { maxHeight = 'none', maxFps } = await next('configure');
		await show(1920, 1080);
		await applied;
		return [...before, maxHeight, maxFps, size()];
	});
	assert.deepEqual(said, [[1280, 720], 'crop-and-scale', 1080, 'none', 10, [1920, 1080]]);
});

test('a picture of another size changes the settings, and is told', async () => {
	const said = await run(async () => {
		const { next, show, size } = await window.live();
		await show(1920, 1080);
		await show(800, 600);
		return [size(), await next('resize')];
	});
	assert.deepEqual(said, [[800, 600], { type: 'resize', width: 800, height: 600 }]);
});

test('every picture is passed on, or closed where a smaller one stands for it', async () => {
	const closes = await run(async () => {
		let closes = 0;
		const { close } = VideoFrame.prototype;
		const counts = [];
		for (const limits of [{}, { maxWidth: 100 }]) {
			const { show } = await window.live(window.video(limits));
			await show(200, 100);
			VideoFrame.prototype.close = function () {
				// The one that the test encodes is another's.
				closes += this.colorSpace.matrix === 'rgb' ? 0 : 1;
				Reflect.apply(close, this, []);
			};
			closes = 0;
			await show(200, 100);
			VideoFrame.prototype.close = close;
			counts.push(closes);
		}
		return counts;
	});
	// The copy of the picture before, and then the picture itself.
	assert.deepEqual(closes, [1, 2]);
});

test('a still screen is shown again, in its own time, and at once to a late subscriber', async () => {
	const { times, pts, late } = await run(async () => {
		const { show, track } = await window.live();
		const next = window.pictures(track);
		const pts = await show(320, 180);
		const times = [(await next()).timestamp];
		window.passTime(1000);
		times.push((await next()).timestamp, (await next()).timestamp);
		return { times, pts, late: await window.pictures(track.clone())() };
	});
	assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b));
	assert.ok(times[0] === pts && times[2] < pts + 1_000_000, `${times}`);
	assert.deepEqual(late, { size: [320, 180], timestamp: pts });
});

test('where a track keeps its picture, a still screen costs nothing', async () => {
	const page = await open({ firefox: true });
	const draws = await page.evaluate(async () => {
		const { show } = await window.live();
		let draws = 0;
		const { drawImage } = CanvasRenderingContext2D.prototype;
		CanvasRenderingContext2D.prototype.drawImage = function (...args) {
			draws++;
			Reflect.apply(drawImage, this, args);
		};
		await show(320, 180);
		window.passTime(300);
		return draws;
	});
	assert.equal(draws, 1);
});

for (const [sink, how] of /** @type {const} */ ([['generator', {}], ['canvas', { firefox: true }]])) {
	describe(`by a ${sink}`, () => {
		test("the page's stop ends the share, without an event", async () => {
			const page = await open(how);
			const said = await page.evaluate(async () => {
				const { next, port, said, show, track } = await window.live();
				await show(320, 180);
				let events = 0;
				track.addEventListener('ended', () => events++);
				track.stop();
				await next('stop');
				port.postMessage({ type: 'frame', seq: 9, part: 0, parts: 1, key: true, data: 'AAAA' });
				await (await window.live()).show(320, 180); // By then it would have said something.
				return [events, track.readyState, said];
			});
			assert.deepEqual(said, [0, 'ended', []]);
		});

		test('a share lives as long as one of its clones, however they were made', async () => {
			const page = await open(how);
			const said = await page.evaluate(async () => {
				const { next, said, show, stream, track } = await window.live();
				const copy = track.clone();
				const [another] = stream.clone().getVideoTracks();
				const labels = [copy.label, another.label];
				track.stop();
				copy.stop();
				await show(320, 180);
				const before = [...said];
				another.stop();
				await next('stop');
				return [...labels, before, track.clone().readyState];
			});
			assert.deepEqual(said, ['screen:0:0', 'screen:0:0', [], 'ended']);
		});

		test('the end from outside reaches every live clone', async () => {
			const page = await open(how);
			const said = await page.evaluate(async () => {
				const { port, track } = await window.live();
				const copy = track.clone();
				const stopped = track.clone();
				stopped.stop();
				let events = 0;
				stopped.addEventListener('ended', () => events++);
				const both = Promise.all([window.ended(track), window.ended(copy)]);
				port.postMessage({ type: 'ended', code: 'session-closed', name: 'NotReadableError', message: 'Over.' });
				await both;
				return [track.readyState, copy.readyState, events];
			});
			assert.deepEqual(said, ['ended', 'ended', 0]);
		});

		test('a decoder that gives up ends the share on both sides', async () => {
			const page = await open(how);
			const name = await page.evaluate(async () => {
				const { next, port, show, track } = await window.live();
				await show(320, 180);
				const over = window.ended(track);
				for (let seq = 1; seq < 4; seq++) {
					port.postMessage({ type: 'frame', seq, part: 0, parts: 1, key: true, data: 'AAAA' });
					await next(seq < 3 ? 'keyframe' : 'stop');
				}
				await over;
				return track.readyState;
			});
			assert.equal(name, 'ended');
		});

		test('what the page gets is the picture', async () => {
			const page = await open(how);
			const colors = await page.evaluate(async () => {
				const { show, stream } = await window.live();
				const video = Object.assign(document.createElement('video'), { srcObject: stream, muted: true });
				const presented = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
				await Promise.all([show(320, 180, '#00ff00'), video.play(), presented]);
				const context = new OffscreenCanvas(320, 180).getContext('2d');
				context.drawImage(video, 0, 0);
				return [...context.getImageData(100, 100, 1, 1).data];
			});
			assert.ok(colors[0] < 60 && colors[1] > 200 && colors[2] < 60, `${colors}`);
		});
	});
}

test('an end before the share begins rejects with the name that the background gave', async () => {
	const names = ['NotAllowedError', 'NotReadableError', 'TypeError'];
	const said = await run(async (all) => {
		const said = [];
		for (const name of all) {
			const { port, stream } = await window.redeem();
			port.postMessage({ type: 'ended', code: 'x', name, message: 'Why.' });
			said.push(await window.refusal(stream));
		}
		return said;
	}, names);
	assert.deepEqual(said.map(({ name, message }) => [name, message]), names.map((name) => [name, 'Why.']));
});

test('a share that does not begin in time is given up', async () => {
	const { name, message } = await run(async () => {
		const { stream } = await window.redeem();
		window.passTime(30_000);
		return window.refusal(stream);
	});
	assert.deepEqual([name, message], ['NotReadableError', 'The share did not begin in time.']);
});

test('every picture gives its credit back; one that nothing can be made of asks for a keyframe', async () => {
	const said = await run(async () => {
		const { next, port } = await window.live();
		const frames = await window.encodeClip({ colors: ['#f00', '#0f0', '#00f'], width: 320, height: 180 });
		port.postMessage(frames[1]); // No keyframe before it.
		const lost = [await next('keyframe'), await next('credit')];
		frames.forEach((frame) => port.postMessage(frame));
		const shown = [await next('credit'), await next('credit'), await next('credit')];
		return { lost, shown };
	});
	const credit = { type: 'credit', frames: 1 };
	assert.deepEqual(said, { lost: [{ type: 'keyframe' }, credit], shown: [credit, credit, credit] });
});

test('constraints can be changed; what can not be met is refused', async () => {
	const said = await run(async () => {
		const { size, track } = await window.live();
		const refused = async (constraints) => {
			const { name, constraint } = await window.refusal(track.applyConstraints(constraints));
			return `${name} ${constraint}`;
		};
		await track.applyConstraints({ width: 640 });
		const said = [size(), track.getConstraints()];
		said.push(await refused({ width: { min: 4000 } }), await refused({ frameRate: { exact: 61 } }), await refused({ frameRate: { max: 0 } }));
		said.push(await refused({ width: { exact: 640 }, height: { min: 480 } }), track.getConstraints());
		await track.applyConstraints({ width: { exact: 641 }, height: { exact: 361 } });
		await track.applyConstraints();
		said.push(size());
		await track.applyConstraints(null);
		return [...said, track.getConstraints()];
	});
	const over = (constraint) => `OverconstrainedError ${constraint}`;
	assert.deepEqual(said, [
		...[[640, 360], { width: 640 }, over('width'), over('frameRate'), over('frameRate'), over('height'), { width: 640 }],
		...[[1920, 1080], {}],
	]);
});

test('bounds go to the encoder, the first ones with the wish', async () => {
	const { first, fidelities, rates, told } = await run(async () => {
		const { live, redeem, video } = window;
		const { wish, next, track } = await live(video({ maxWidth: 1280, maxHeight: 800, maxFrameRate: 20, portlightFidelity: 'text' }));
		const fidelities = [];
		for (const portlightFidelity of ['motion', 'sharp', undefined]) {
			fidelities.push((await redeem(video({ portlightFidelity }))).wish.fidelity ?? 'none');
		}
		await track.applyConstraints({ width: { max: 640 }, frameRate: 12.4 });
		const rates = [track.getSettings().frameRate];
		await track.applyConstraints({});
		rates.push(track.getSettings().frameRate);
		await window.refusal(track.applyConstraints({ width: { min: 9999 } }));
		await track.applyConstraints({ frameRate: 7 });
		const told = [await next('configure'), await next('configure'), await next('configure')];
		return { first: [wish.maxWidth, wish.maxHeight, wish.fidelity], fidelities, rates, told: JSON.parse(JSON.stringify(told)) };
	});
	assert.deepEqual(first, [1280, 800, 'text']);
	assert.deepEqual(fidelities, ['motion', 'none', 'none']);
	assert.deepEqual(rates, [12.4, 30]);
	// What was refused is not told.
	assert.deepEqual(told, [{ type: 'configure', maxFps: 12, maxWidth: 640 }, { type: 'configure', maxFps: 30 }, { type: 'configure', maxFps: 7 }]);
});

test('a larger picture is there when applyConstraints is done, and the settings say what is shown', async () => {
	const said = await run(async () => {
		const { show, size, track } = await window.live(window.video({ maxWidth: 640 }), { width: 640, height: 360, source: { width: 1920, height: 1080 } });
		await show(640, 360);
		const said = [track.getCapabilities().width.max, track.getSettings().resizeMode];
		let done = false;
		const applied = track.applyConstraints({ width: 1280 }).then(() => (done = true));
		await show(640, 360);
		said.push(done, size());
		await show(1280, 720);
		await applied;
		said.push(size(), track.getCapabilities().width.max);
		// A host that never sends such a picture does not hold the page up for ever; nor does the share's end.
		const never = track.applyConstraints({});
		await show(1280, 720);
		window.passTime(1000);
		await never;
		said.push(size());
		const waiting = track.applyConstraints({});
		track.stop();
		await waiting;
		return said;
	});
	assert.deepEqual(said, [1920, 'crop-and-scale', false, [640, 360], [1280, 720], 1920, [1280, 720]]);
});

test('4:4:4 is decoded as such', async () => {
	const codecs = await run(async () => {
		const codecs = [];
		const { configure } = VideoDecoder.prototype;
		VideoDecoder.prototype.configure = function (config) {
			codecs.push(config.codec);
			Reflect.apply(configure, this, [config]);
		};
		for (const chroma of ['444', undefined]) {
			const { next, port } = await window.live(undefined, { codec: 'vp9', chroma });
			port.postMessage({ type: 'frame', seq: 0, part: 0, parts: 1, key: true, data: 'AAAA' });
			await next('keyframe');
		}
		return codecs;
	});
	assert.deepEqual(codecs, ['vp09.01.10.08', 'vp09.00.10.08']);
});

test("a microphone is asked for beside it, the desktop's sound is not", async () => {
	const said = await run(async () => {
		const { live, redeem, video } = window;
		const kinds = ({ stream }) => stream.getTracks().map(({ kind }) => kind).sort();
		const said = [kinds(await live({ ...video(), audio: true })), kinds(await live({ ...video(), audio: { mandatory: { chromeMediaSource: 'desktop' } } }))];
		// One that can not be had ends the share.
		const { next, port, stream } = await redeem({ ...video(), audio: { deviceId: { exact: 'none' } } });
		port.postMessage({ type: 'opened', codec: 'vp8', width: 2, height: 2, maxFps: 30 });
		await next('stop');
		return [...said, (await window.refusal(stream)).name];
	});
	assert.deepEqual(said, [['audio', 'video'], ['video'], 'OverconstrainedError']);
});

test('the callback forms are there for the page that was granted a share, where the browser has none', async () => {
	const prepare = () => {
		delete Navigator.prototype.getUserMedia;
		delete Navigator.prototype.webkitGetUserMedia;
	};
	const page = await open({ prepare });
	const said = await page.evaluate(async () => {
		const said = [];
		for (const name of ['getUserMedia', 'webkitGetUserMedia']) {
			const stream = await new Promise((resolve, reject) => navigator[name]({ audio: true }, resolve, reject));
			said.push([navigator[name].name, navigator[name].length, stream.getTracks().length]);
		}
		return said;
	});
	assert.deepEqual(said, [['getUserMedia', 3, 1], ['webkitGetUserMedia', 3, 1]]);
});

test('a second share of a page is told from the first by its label', async () => {
	const said = await run(async () => {
		const [first, second] = [await window.live(), await window.live(undefined, { surface: 'window' })];
		return [first.track.label, second.track.label, second.track.getSettings().displaySurface];
	});
	assert.deepEqual(said, ['screen:0:0', 'window:1:0', 'window']);
});

test('a relay that is gone without a word ends the track; one that answers keeps it', async () => {
	const states = await run(async () => {
		const [silent, answering] = [await window.live(), await window.live()];
		silent.silent = true;
		const over = window.ended(silent.track);
		for (let spells = 0; silent.track.readyState === 'live' && spells < 20; spells++) {
			window.passTime(400);
			await answering.show(320, 180); // A round trip: what was asked before is answered.
		}
		await over;
		return [silent.track.readyState, answering.track.readyState];
	});
	assert.deepEqual(states, ['ended', 'live']);
});

test('snapshots and the source are told to who asks; there is none before the first picture', async () => {
	const said = await run(async () => {
		const { next, port, show } = await window.live();
		const ask = async (what, as) => {
			port.postMessage({ type: 'ask', ask: 1, what, as });
			return next('answer');
		};
		const said = [(await ask('snapshot')).failed];
		await show(320, 180);
		const { ok } = await ask('snapshot');
		said.push(ok instanceof ImageBitmap, ok.width, (await ask('snapshot', 'image/png')).ok.type);
		return [...said, (await ask('source')).ok];
	});
	const source = { surface: 'monitor', width: 320, height: 180, frameRate: 30, cursor: 'always', source: { width: 320, height: 180 } };
	assert.deepEqual(said, ['bad-state', true, 320, 'image/png', source]);
});
