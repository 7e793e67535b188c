import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { CustomEvent, makeWindow, run } from './classic.js';
import { FakeTime, settle, until } from './clock.js';
import { makeMedia } from './media.js';

const id = 'portlight:abc';
const opened = { type: 'opened', codec: 'vp9', width: 1920, height: 1080, maxFps: 30, surface: 'monitor', cursor: 'always' };
const open = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

/** A window with tracks and streams as far as page/track.js goes, and a sink and decoder that note what they get. */
function setUp(repeats = true) {
	const sinks = [];
	const decoders = [];
	const ends = [];
	const time = new FakeTime();
	const { MediaStreamTrack, MediaStream, VideoFrame } = makeMedia();
	class Navigator {
		mediaDevices = { getUserMedia: async () => new MediaStream([Object.assign(new MediaStreamTrack(), { kind: 'audio' })]) };
	}
	/** Notes the track's ends, to tell when something has arrived there. */
	class Channel extends MessageChannel {
		constructor() {
			super();
			ends.push(this.port1);
		}
	}
	const media = { MediaStreamTrack, MediaStream, MediaStreamTrackGenerator: MediaStreamTrack, VideoFrame };
	const window = makeWindow({ ...media, MessageChannel: Channel, Navigator, navigator: new Navigator() }, time);
	class FrameDecoder {
		constructor(codec, listener) {
			Object.assign(this, { codec, listener, taken: [] });
			decoders.push(this);
		}
		take(message) {
			this.taken.push(message);
		}
		close() {
			this.closed = true;
		}
	}
	const createSink = () => {
		const sink = {
			track: new MediaStreamTrack(),
			repeat: repeats ? async (picture, timestamp) => void sink.repeated.push({ picture, timestamp }) : null,
			repeated: [],
			shown: [],
			show: (picture) => sink.shown.push(picture),
			end: (clones) => (sink.ended = [...clones]),
		};
		sinks.push(sink);
		return sink;
	};
	window.addEventListener('portlight:parts', ({ detail }) =>
		Object.assign(detail, { createSink, FrameDecoder, decodable: async () => ['vp9', 'vp8'] }),
	);
	run(window, 'page/constraints.js', 'page/track.js');
	/** The shim's part and the relay's: what the page gets, and the port on which the background speaks. */
	const redeem = async (constraints) => {
		const stream = new Promise((resolve, reject) =>
			window.dispatchEvent(
				new CustomEvent('portlight:redeem', { cancelable: true, detail: { constraints, resolve, reject } }),
			),
		);
		stream.catch(() => {});
		const port = await new Promise((resolve) =>
			window.addEventListener('message', (event) => resolve(Object.assign(event.ports[0], { wish: event.data })), {
				once: true,
			}),
		);
		open.push(port);
		Object.assign(port, { heard: [], closed: false });
		port.on('message', (data) => port.heard.push(data));
		port.on('close', () => (port.closed = true));
		return { port, stream };
	};
	return { decoders, ends, redeem, sinks, time, window, VideoFrame };
}

const video = (mandatory = {}) => ({ video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: id, ...mandatory } } });
const plain = (value) => JSON.parse(JSON.stringify(value));

/** Waits for a message of this type from the track. */
async function said(port, type) {
	const find = () => port.heard.find((message) => message.type === type);
	await until(find);
	return find();
}

async function live(constraints = video(), repeats = true) {
	const all = setUp(repeats);
	const { port, stream } = await all.redeem(constraints);
	port.postMessage(opened);
	const [track] = (await stream).getVideoTracks();
	return { ...all, port, stream: await stream, track, sink: all.sinks[0], decoder: all.decoders[0] };
}

test('the wish names the id, what can be decoded, and the frame rate of either spelling', async () => {
	const both = [
		video({ maxFrameRate: 12 }),
		{ video: { chromeMediaSource: 'desktop', chromeMediaSourceId: id, frameRate: { ideal: 30, max: 12 } } },
	];
	for (const constraints of both) {
		const { port } = await setUp().redeem(constraints);
		assert.deepEqual(plain(port.wish), { type: 'portlight:redeem', sourceId: id, codecs: ['vp9', 'vp8'], maxFps: 12 });
	}
	for (const maxFrameRate of [0, -3, 'fast', NaN, null]) {
		const { port } = await setUp().redeem(video({ maxFrameRate }));
		assert.equal(port.wish.maxFps, undefined);
	}
});

test('the track says of itself what a display-capture track says', async () => {
	const { track } = await live();
	assert.equal(track.label, 'screen:0:0');
	assert.equal(track.contentHint, 'detail');
	assert.deepEqual(plain(track.getSettings()), {
		width: 1920,
		height: 1080,
		aspectRatio: 1920 / 1080,
		frameRate: 30,
		resizeMode: 'none',
		displaySurface: 'monitor',
		logicalSurface: true,
		cursor: 'always',
	});
});

test('tracks that are not ours are as they were', async () => {
	const { window } = await live();
	const other = new window.MediaStreamTrack();
	assert.equal(other.label, 'native label');
	assert.deepEqual(other.getSettings(), {});
	assert.equal(other.clone().label, 'native label');
	const { get } = Object.getOwnPropertyDescriptor(window.MediaStreamTrack.prototype, 'label');
	assert.equal(get.name, 'get label');
	assert.match(Function.prototype.toString.call(window.MediaStreamTrack.prototype.stop), /\[native code\]/);
});

test('the picture keeps its shape within the page\'s limits, and the settings follow', async () => {
	for (const [limits, size] of [
		[{ maxWidth: 1280, maxHeight: 720 }, [1280, 720]],
		[{ maxWidth: 1000 }, [1000, 562]],
		[{ maxHeight: 300 }, [534, 300]],
		[{ maxWidth: 99999, maxHeight: 99999 }, [1920, 1080]],
		[{ maxWidth: 1 }, [2, 2]],
		[{ maxWidth: 0, maxHeight: 'tall' }, [1920, 1080]],
	]) {
		const { decoder, sink, track, VideoFrame } = await live(video(limits));
		decoder.listener.onPicture(new VideoFrame({ displayWidth: 1920, displayHeight: 1080, timestamp: 5 }));
		assert.deepEqual([sink.shown[0].displayWidth, sink.shown[0].displayHeight], size);
		assert.deepEqual([track.getSettings().width, track.getSettings().height], size);
	}
});

test('a bound that the page did not ask for shows in its settings, until it asks for something itself', async () => {
	const { decoder, port, stream, VideoFrame } = await (async () => {
		const all = setUp();
		const { port, stream } = await all.redeem(video());
		port.postMessage({ ...opened, width: 1280, height: 720, maxHeight: 720, source: { width: 1920, height: 1080 } });
		return { ...all, port, stream: await stream, decoder: all.decoders[0] };
	})();
	const [track] = stream.getVideoTracks();
	const picture = (displayWidth, displayHeight) => decoder.listener.onPicture(new VideoFrame({ displayWidth, displayHeight, timestamp: 5 }));
	picture(1280, 720);
	assert.deepEqual([track.getSettings().height, track.getSettings().resizeMode], [720, 'crop-and-scale']);
	assert.equal(track.getCapabilities().height.max, 1080);
	const applied = track.applyConstraints({ frameRate: 10 });
	assert.equal((await said(port, 'configure')).maxHeight, undefined);
	picture(1920, 1080);
	await applied;
	assert.equal(track.getSettings().height, 1080);
});

test('a picture of another size changes the settings', async () => {
	const { decoder, track, VideoFrame } = await live();
	decoder.listener.onPicture(new VideoFrame({ displayWidth: 800, displayHeight: 600, timestamp: 5 }));
	assert.deepEqual([track.getSettings().width, track.getSettings().height], [800, 600]);
});

test('every picture is passed on, or closed where a smaller one stands for it', async () => {
	for (const [limits, passed] of [[{}, true], [{ maxWidth: 100 }, false]]) {
		const { decoder, sink, VideoFrame } = await live(video(limits));
		const picture = new VideoFrame({ displayWidth: 200, displayHeight: 100, timestamp: 10 });
		decoder.listener.onPicture(picture);
		assert.equal(sink.shown[0] === picture, passed);
		assert.equal(picture.closed === true, !passed);
	}
});

test('a still screen is shown again to whoever comes late', async () => {
	const { decoder, sink, time, VideoFrame } = await live();
	decoder.listener.onPicture(new VideoFrame({ displayWidth: 2, displayHeight: 2, timestamp: 10 }));
	await time.pass(1000);
	assert.deepEqual(sink.repeated.map(({ timestamp }) => timestamp), [200_010, 600_010]);
	assert.equal(sink.repeated[0].picture.displayWidth, 2);
});

test('where a track keeps its picture, a still screen costs nothing', async () => {
	const { decoder, sink, time, VideoFrame } = await live(video(), false);
	decoder.listener.onPicture(new VideoFrame({ displayWidth: 2, displayHeight: 2, timestamp: 10 }));
	await time.pass(1000);
	assert.deepEqual([sink.shown.length, sink.repeated.length], [1, 0]);
});

test("the page's stop ends the share, without an event", async () => {
	const { decoder, port, sink, track } = await live();
	track.addEventListener('ended', () => assert.fail('ended'));
	track.stop();
	await said(port, 'stop');
	assert.deepEqual(sink.ended, []);
	assert.ok(decoder.closed);
});

test('a share lives as long as one of its clones, however they were made', async () => {
	const { port, sink, stream, track } = await live();
	const copy = track.clone();
	const [another] = stream.clone().getVideoTracks();
	assert.equal(copy.label, 'screen:0:0');
	assert.equal(another.label, 'screen:0:0');
	track.stop();
	copy.stop();
	assert.equal(sink.ended, undefined);
	another.stop();
	await said(port, 'stop');
	assert.deepEqual(sink.ended, []);
	assert.equal(track.clone().readyState, 'ended');
});

test('the end from outside reaches every live clone', async () => {
	const { decoder, port, sink, track } = await live();
	const copy = track.clone();
	const stopped = track.clone();
	stopped.stop();
	port.postMessage({ type: 'ended', code: 'session-closed', name: 'NotReadableError', message: 'Over.' });
	await until(() => port.closed);
	assert.deepEqual(new Set(sink.ended), new Set([track, copy]));
	assert.ok(decoder.closed);
});

test('an end before the share begins rejects with the name that the background gave', async () => {
	for (const name of ['NotAllowedError', 'NotReadableError', 'TypeError']) {
		const { redeem, sinks } = setUp();
		const { port, stream } = await redeem(video());
		port.postMessage({ type: 'ended', code: 'x', name, message: 'Why.' });
		await assert.rejects(stream, { name, message: 'Why.' });
		assert.equal(sinks.length, 0);
	}
});

test('a share that does not begin is given up', async () => {
	const { redeem, sinks, time } = setUp();
	const { port, stream } = await redeem(video());
	await time.pass(30_000);
	await said(port, 'stop');
	await assert.rejects(stream, { name: 'NotReadableError' });
	assert.equal(sinks.length, 0);
});

test('a decoder that gives up ends the share on both sides', async () => {
	const { decoder, port, sink, track } = await live();
	decoder.listener.onFailed();
	await said(port, 'stop');
	assert.deepEqual(sink.ended, [track]);
});

test('credit and keyframe requests go to the background, frames to the decoder', async () => {
	const { decoder, port } = await live();
	decoder.listener.onCredit(2);
	decoder.listener.onKeyframeNeeded();
	port.postMessage({ type: 'frame', seq: 3 });
	await until(() => port.heard.length === 2 && decoder.taken.length === 1);
	assert.deepEqual(port.heard, [{ type: 'credit', frames: 2 }, { type: 'keyframe' }]);
	assert.deepEqual(decoder.taken, [{ type: 'frame', seq: 3 }]);
});

test('constraints can be changed; what can not be met is refused', async () => {
	const { track } = await live();
	await track.applyConstraints({ width: 640 });
	assert.deepEqual([track.getSettings().width, track.getSettings().height], [640, 360]);
	assert.deepEqual(plain(track.getConstraints()), { width: 640 });
	await assert.rejects(track.applyConstraints({ width: { min: 4000 } }), { name: 'OverconstrainedError', constraint: 'width' });
	await assert.rejects(track.applyConstraints({ frameRate: { exact: 61 } }), { constraint: 'frameRate' });
	await assert.rejects(track.applyConstraints({ frameRate: { max: 0 } }), { constraint: 'frameRate' });
	await assert.rejects(track.applyConstraints({ width: { exact: 640 }, height: { min: 480 } }), { constraint: 'height' });
	assert.deepEqual(plain(track.getConstraints()), { width: 640 });
	await track.applyConstraints({ width: { exact: 641 }, height: { exact: 361 } });
	await track.applyConstraints();
	assert.equal(track.getSettings().width, 1920);
	await track.applyConstraints(null);
	assert.deepEqual(plain(track.getConstraints()), {});
});

test('bounds go to the encoder, the first ones with the wish', async () => {
	const { port, track } = await live(video({ maxWidth: 1280, maxHeight: 800, maxFrameRate: 20, portlightFidelity: 'text' }));
	const { maxWidth, maxHeight, fidelity } = port.wish;
	assert.deepEqual([maxWidth, maxHeight, fidelity], [1280, 800, 'text']);
	for (const [said, told] of [['motion', 'motion'], ['sharp', undefined], [undefined, undefined]]) {
		const { port: other } = await live(video({ portlightFidelity: said }));
		assert.equal(other.wish.fidelity, told);
	}
	await track.applyConstraints({ width: { max: 640 }, frameRate: 12.4 });
	assert.equal(track.getSettings().frameRate, 12);
	await track.applyConstraints({});
	assert.equal(track.getSettings().frameRate, 30);
	await assert.rejects(track.applyConstraints({ width: { min: 9999 } }));
	track.stop();
	await until(() => port.closed);
	assert.deepEqual(plain(port.heard), [
		{ type: 'configure', maxFps: 12, maxWidth: 640 },
		{ type: 'configure', maxFps: 30 },
		{ type: 'stop' },
	]);
});

test('a larger picture is there when applyConstraints is done, and the settings say what is shown', async () => {
	const all = setUp();
	const { port, stream } = await all.redeem(video({ maxWidth: 640 }));
	port.postMessage({ ...opened, width: 640, height: 360, source: { width: 1920, height: 1080 } });
	const [track] = (await stream).getVideoTracks();
	const picture = (displayWidth, displayHeight) =>
		all.decoders[0].listener.onPicture(new all.VideoFrame({ displayWidth, displayHeight, timestamp: 5 }));
	const width = () => track.getSettings().width;
	picture(640, 360);
	assert.equal(track.getCapabilities().width.max, 1920);
	assert.equal(track.getSettings().resizeMode, 'crop-and-scale');
	let done = false;
	void track.applyConstraints({ width: 1280 }).then(() => (done = true));
	picture(640, 360);
	await settle();
	assert.deepEqual([done, width()], [false, 640]);
	picture(1280, 720);
	await settle();
	assert.deepEqual([done, width()], [true, 1280]);
	assert.equal(track.getCapabilities().width.max, 1920);
	// A host that never sends such a picture does not hold the page up for ever; nor does the share's end.
	done = false;
	void track.applyConstraints({}).then(() => (done = true));
	await all.time.pass(999);
	assert.equal(done, false);
	await all.time.pass(1);
	assert.deepEqual([done, width()], [true, 1280]);
	done = false;
	void track.applyConstraints({}).then(() => (done = true));
	track.stop();
	await settle();
	assert.equal(done, true);
});

test('4:4:4 is decoded as such', async () => {
	const { redeem, decoders } = setUp();
	const { port, stream } = await redeem(video());
	port.postMessage({ ...opened, chroma: '444' });
	await stream;
	assert.equal(decoders[0].codec, 'vp9-444');
	assert.equal((await live()).decoder.codec, 'vp9');
});

test('a microphone is asked for beside it, the desktop\'s sound is not', async () => {
	const microphone = await live({ ...video(), audio: true });
	assert.deepEqual(plain(microphone.stream.getTracks().map(({ kind }) => kind)), ['video', 'audio']);
	const desktop = await live({ ...video(), audio: { mandatory: { chromeMediaSource: 'desktop' } } });
	assert.deepEqual(plain(desktop.stream.getTracks().map(({ kind }) => kind)), ['video']);
});

test('the callback forms are there for the page that was granted a share', async () => {
	const { window } = setUp();
	for (const name of ['getUserMedia', 'webkitGetUserMedia']) {
		assert.equal(window.navigator[name].name, name);
		assert.equal(window.navigator[name].length, 3);
		const stream = await new Promise((resolve, reject) => window.navigator[name]({}, resolve, reject));
		assert.equal(stream.getTracks().length, 1);
	}
});

test('a second page of shares is told from the first by its label', async () => {
	const all = await live();
	const second = await all.redeem(video());
	second.port.postMessage({ ...opened, surface: 'window' });
	const [track] = (await second.stream).getVideoTracks();
	assert.equal(track.label, 'window:1:0');
	assert.equal(track.getSettings().displaySurface, 'window');
	assert.equal(all.track.label, 'screen:0:0');
});

test('a relay that is gone without a word ends the track; one that answers keeps it', async () => {
	const silent = await live();
	await silent.time.pass(1_500);
	assert.deepEqual(silent.sink.ended, [silent.track]);
	const { ends, port, sink, time } = await live();
	let pongs = 0;
	ends[0].on('message', () => pongs++);
	for (let seconds = 1; seconds <= 10; seconds++) {
		await time.pass(1_000);
		await said(port, 'ping');
		port.heard.length = 0;
		port.postMessage({ type: 'pong' });
		await until(() => pongs === seconds);
	}
	assert.equal(sink.ended, undefined);
});
