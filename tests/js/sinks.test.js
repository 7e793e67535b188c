import assert from 'node:assert/strict';
import test from 'node:test';
import { makeWindow, run, takeParts } from './classic.js';
import { makeMedia } from './media.js';

/** A window whose tracks, generator and canvas note in one log what is done to them, and the sink made there. */
function setUp({ generator }) {
	const log = [];
	const { MediaStreamTrack, VideoFrame } = makeMedia();
	class MediaStreamTrackGenerator extends MediaStreamTrack {
		writable = {
			getWriter: () => ({
				write: async (picture) => void log.push(['write', picture]),
				close: async () => void log.push(['close']),
			}),
		};
	}
	const canvas = {
		width: 300,
		height: 150,
		getContext: () => ({ drawImage: (...args) => log.push(['draw', ...args]) }),
		captureStream: (fps) => ({
			fps,
			getVideoTracks: () => [new MediaStreamTrack()],
			requestFrame: () => log.push(['request']),
		}),
	};
	const window = makeWindow({
		MediaStreamTrack,
		VideoFrame,
		document: { createElement: () => canvas },
		...(generator ? { MediaStreamTrackGenerator } : {}),
	});
	run(window, 'page/sinks.js');
	return { canvas, log, sink: takeParts(window).createSink(), MediaStreamTrack };
}

/** A picture of 4x2 as a decoder gives it. */
const picture = () => ({
	format: 'I420',
	visibleRect: { x: 0, y: 0, width: 4, height: 2 },
	displayWidth: 4,
	displayHeight: 2,
	colorSpace: 'bt601',
	allocationSize: () => 12,
	async copyTo(data) {
		data.fill(7);
		return ['layout'];
	},
	close() {
		Object.assign(this, { closed: true, format: null, visibleRect: null });
	},
});

test('a repeated picture is a copy with a time of its own', async () => {
	const { log, sink } = setUp({ generator: true });
	await sink.repeat(picture(), 99);
	const [[, copy]] = log;
	assert.deepEqual([...copy.data], new Array(12).fill(7));
	assert.deepEqual(
		[copy.timestamp, copy.format, copy.codedWidth, copy.codedHeight, copy.displayWidth, copy.colorSpace, copy.layout[0]],
		[99, 'I420', 4, 2, 4, 'bt601', 'layout'],
	);
});

test('a picture that a newer one replaced meanwhile is not repeated after it', async () => {
	const { log, sink } = setUp({ generator: true });
	const old = picture();
	const repeated = sink.repeat(old, 99);
	old.close();
	await repeated;
	assert.deepEqual(log, []);
});

test('a generator is closed, which ends its clones, and then stopped', () => {
	const { log, sink } = setUp({ generator: true });
	const { stop } = sink.track;
	sink.track.stop = () => log.push(['stop']) && stop.call(sink.track);
	sink.end(new Set());
	assert.deepEqual(log, [['close'], ['stop']]);
	assert.equal(sink.track.readyState, 'ended');
});

test('a canvas is asked for its frame before it is painted, in the size of the picture', () => {
	const { canvas, log, sink } = setUp({ generator: false });
	const shown = picture();
	sink.show(shown);
	assert.deepEqual(log, [['request'], ['draw', shown, 0, 0, 4, 2]]);
	assert.deepEqual([canvas.width, canvas.height], [4, 2]);
	assert.equal(shown.closed, true);
	assert.equal(sink.repeat, null);
});

test('a canvas ends its clones with their event', () => {
	const { MediaStreamTrack, sink } = setUp({ generator: false });
	const clones = new Set([new MediaStreamTrack(), new MediaStreamTrack()]);
	let ended = 0;
	clones.forEach((clone) => clone.addEventListener('ended', () => ended++));
	sink.end(clones);
	assert.equal(ended, 2);
	assert.ok([sink.track, ...clones].every(({ readyState }) => readyState === 'ended'));
});
