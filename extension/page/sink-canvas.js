/** From pictures to a native track, elsewhere: they are painted on a canvas that is captured on request. */
import { nativeStop } from './native-track.js';

/** @returns {import('./sink-generator.js').Sink} */
export function createSink() {
	const canvas = document.createElement('canvas');
	const context = /** @type {CanvasRenderingContext2D} */ (
		canvas.getContext('2d', { alpha: false, willReadFrequently: true })
	);
	const stream = /** @type {MediaStream & {requestFrame?: () => void}} */ (canvas.captureStream(0));
	const track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
	return {
		track,
		repeat: null,
		show(picture) {
			const { displayWidth: width, displayHeight: height } = picture;
			if (canvas.width !== width || canvas.height !== height) {
				canvas.width = width;
				canvas.height = height;
			}
			// In this order: a canvas that becomes dirty with a frame requested is captured at once, hidden tab or not.
			(stream.requestFrame ?? track.requestFrame).call(stream.requestFrame ? stream : track);
			context.drawImage(picture, 0, 0, width, height);
			picture.close();
		},
		end(clones) {
			track.stop();
			for (const each of clones) {
				nativeStop.call(each);
				each.dispatchEvent(new Event('ended'));
			}
		},
	};
}
