import assert from 'node:assert/strict';
import test from 'node:test';
import { runInContext } from 'node:vm';
import { contextOf, makeWindow, run } from './classic.js';
import { settle } from './clock.js';

/** A window whose decoder notes what it gets, and fails on chunks that begin with 0xff. */
function setUp(globals = {}) {
	const decoders = [];
	class VideoDecoder {
		static isConfigSupported = async ({ codec }) => ({ supported: codec !== 'vp8' });
		state = 'unconfigured';
		chunks = [];
		calls = [];
		constructor(init) {
			Object.assign(this, init);
			decoders.push(this);
		}
		configure(config) {
			this.state = 'configured';
			this.config = config;
			this.calls.push(config.codec);
		}
		flush() {
			this.calls.push('flush');
			return this.broken ? Promise.reject(new Error('closed')) : Promise.resolve();
		}
		decode(chunk) {
			this.chunks.push(chunk);
			this.calls.push(chunk.type);
		}
		close() {
			this.state = 'closed';
		}
	}
	class EncodedVideoChunk {
		constructor({ type, timestamp, data }) {
			Object.assign(this, { type, timestamp, bytes: Buffer.from(data) });
		}
	}
	const window = makeWindow({ VideoDecoder, EncodedVideoChunk, Uint8Array, atob, ...globals });
	run(window, 'page/decoder.js');
	const parts = runInContext('({ FrameDecoder, decodable })', contextOf(window));
	const log = [];
	const decoder = new parts.FrameDecoder('vp9', {
		onPicture: (picture) => log.push(['picture', picture.name]),
		onCredit: (frames) => log.push(['credit', frames]),
		onKeyframeNeeded: () => log.push(['keyframe']),
		onFailed: () => log.push(['failed']),
	});
	return { decoder, decoders, log, parts };
}

const message = (seq, bytes, { part = 0, parts = 1, key = false, pts = seq * 1000, codec } = {}) => ({
	seq,
	part,
	parts,
	data: Buffer.from(bytes).toString('base64'),
	...(part === 0 ? { key, pts, codec } : {}),
});
const picture = (name) => ({ name, close() {} });

test('a frame in one fragment is decoded as it is, with its time and kind', () => {
	const { decoder, decoders } = setUp();
	decoder.take(message(0, [1, 2, 3], { key: true, pts: 77 }));
	decoder.take(message(1, [4], { pts: 99 }));
	assert.equal(decoders.length, 1);
	assert.equal(decoders[0].config.codec, 'vp09.00.10.08');
	assert.equal(decoders[0].config.colorSpace.matrix, 'smpte170m');
	assert.equal(decoders[0].config.colorSpace.fullRange, false);
	assert.deepEqual(decoders[0].chunks.map(({ type, timestamp, bytes }) => [type, timestamp, ...bytes]), [
		['key', 77, 1, 2, 3],
		['delta', 99, 4],
	]);
});

test('4:4:4 is named to the decoder, with the same colours', () => {
	const { decoders, parts } = setUp();
	new parts.FrameDecoder('vp9-444', {}).take(message(0, [1], { key: true }));
	assert.equal(decoders[0].config.codec, 'vp09.01.10.08');
	assert.deepEqual(
		{ ...decoders[0].config.colorSpace },
		{ matrix: 'smpte170m', primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: false },
	);
});

test('a keyframe of another codec goes to the same decoder, once all before it is out', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true, codec: 'vp9' }));
	decoder.take(message(1, [1]));
	decoder.take(message(2, [1], { key: true, codec: 'vp8', parts: 2 }));
	assert.equal(decoders[0].config.codec, 'vp09.00.10.08', 'not before its last fragment');
	decoder.take(message(2, [1], { part: 1, parts: 2 }));
	decoder.take(message(3, [1]));
	decoder.take(message(4, [1], { key: true, codec: 'vp8' }));
	decoder.take(message(5, [1], { key: true, codec: 'vp9' }));
	const vp9 = 'vp09.00.10.08';
	assert.deepEqual(decoders[0].calls, [vp9, 'key', 'delta', 'flush', 'vp8', 'key', 'delta', 'key', 'flush', vp9, 'key']);
	for (const name of 'abcdef') {
		decoders[0].output(picture(name));
	}
	assert.deepEqual(log.filter(([what]) => what === 'picture').map(([, name]) => name).join(''), 'abcdef');
	assert.deepEqual(log.filter(([what]) => what === 'credit').length, 6);
	assert.equal(decoders.length, 1);
});

test('a decoder that fails within a change of codec is replaced by one of the new codec', async () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true }));
	decoders[0].broken = true;
	decoder.take(message(1, [1], { key: true, codec: 'vp8' }));
	decoders[0].error(new Error('broken'));
	await settle();
	assert.deepEqual(log, [['keyframe'], ['credit', 2]]);
	decoder.take(message(2, [1], { key: true, codec: 'vp8' }));
	assert.deepEqual(decoders[1].calls, ['vp8', 'key']);
});

test('the name of the codec leaves the chroma as it is, and an unknown one is no change', () => {
	const { decoders, parts } = setUp();
	const text = new parts.FrameDecoder('vp9-444', {});
	text.take(message(0, [1], { key: true, codec: 'vp9' }));
	text.take(message(1, [1], { key: true, codec: 'toString' }));
	text.take(message(2, [1], { key: true, codec: 'h264' }));
	assert.deepEqual(decoders[0].calls, ['vp09.01.10.08', 'key', 'key', 'key']);
});

test('fragments are put together, in every size', () => {
	for (const globals of [{}, { Uint8Array: Object.assign(class extends Uint8Array {}, { fromBase64: undefined }) }]) {
		const { decoder, decoders } = setUp(globals);
		const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) % 255));
		[1, 2, 3, 7, 128].forEach((parts, seq) => {
			const size = Math.ceil(bytes.length / parts);
			for (let part = 0; part < parts; part++) {
				decoder.take(message(seq, bytes.subarray(part * size, (part + 1) * size), { part, parts, key: seq === 0 }));
				assert.equal(decoders[0]?.chunks.length ?? 0, seq + (part === parts - 1 ? 1 : 0));
			}
			assert.deepEqual(decoders[0].chunks[seq].bytes, bytes);
		});
	}
});

test('nothing is decoded before a keyframe', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(5, [1]));
	assert.equal(decoders.length, 0);
	assert.deepEqual(log, [['keyframe'], ['credit', 1]]);
	decoder.take(message(6, [1], { key: true }));
	assert.equal(decoders[0].chunks.length, 1);
});

test('a lost fragment loses its frame, and what follows waits for a keyframe', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true }));
	decoder.take(message(1, [1], { parts: 3 }));
	decoder.take(message(1, [1], { part: 2, parts: 3 }));
	assert.deepEqual(log, [['keyframe'], ['credit', 1]]);
	decoder.take(message(2, [1]));
	assert.equal(decoders[0].chunks.length, 1);
	decoder.take(message(3, [9], { key: true }));
	assert.deepEqual(decoders[0].chunks.map(({ bytes }) => bytes[0]), [1, 9]);
});

test("a fragment of another frame in between is never mixed in", () => {
	const { decoder, decoders } = setUp();
	decoder.take(message(0, [1], { parts: 2, key: true }));
	decoder.take(message(1, [2], { part: 1, parts: 2 }));
	assert.equal(decoders.length, 0);
});

test('each picture gives one credit back', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true }));
	decoder.take(message(1, [1]));
	decoders[0].output(picture('a'));
	assert.deepEqual(log, [['credit', 1], ['picture', 'a']]);
});

test('a decoder that fails is replaced at the next keyframe, and all its credit comes back', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true }));
	decoder.take(message(1, [1]));
	decoders[0].output(picture('a'));
	log.length = 0;
	decoder.take(message(2, [1]));
	decoders[0].error(new Error('broken'));
	assert.equal(decoders[0].state, 'closed');
	assert.deepEqual(log, [['keyframe'], ['credit', 2]]);
	decoder.take(message(3, [1]));
	decoder.take(message(4, [1], { key: true }));
	assert.equal(decoders.length, 2);
	decoders[1].output(picture('b'));
	let closed = false;
	decoders[0].output({ close: () => (closed = true) });
	decoders[0].error(new Error('late'));
	assert.ok(closed);
	assert.deepEqual(log.slice(2), [['keyframe'], ['credit', 1], ['credit', 1], ['picture', 'b']]);
});

test('it gives up after three failures in a row, not after three in all', () => {
	const { decoder, decoders, log } = setUp();
	const fail = (seq) => {
		decoder.take(message(seq, [1], { key: true }));
		decoders.at(-1).error(new Error('broken'));
	};
	fail(0);
	fail(1);
	decoder.take(message(2, [1], { key: true }));
	decoders.at(-1).output(picture('a'));
	fail(3);
	fail(4);
	assert.ok(!log.some(([what]) => what === 'failed'));
	fail(5);
	assert.deepEqual(log.at(-1), ['failed']);
});

test('after close, nothing comes out', () => {
	const { decoder, decoders, log } = setUp();
	decoder.take(message(0, [1], { key: true }));
	decoder.close();
	assert.equal(decoders[0].state, 'closed');
	decoders[0].output(picture('late'));
	assert.deepEqual(log, []);
});

test('the codecs are what the browser decodes, best first', async () => {
	const { parts } = setUp();
	assert.deepEqual([...(await parts.decodable())], ['vp9', 'vp9-444']);
});
