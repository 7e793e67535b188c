/**
 * In the page's own world, before page/track.js: from pictures to a native track, in the way that this browser has.
 */
(() => {
	'use strict';

	/**
	 * @typedef {object} Sink
	 * @property {MediaStreamTrack} track that the pictures come out of; pages get clones of it
	 * @property {boolean} keepsPicture whether who comes late to the track gets the last picture
	 * @property {(picture: VideoFrame) => void} show takes the picture over
	 * @property {(clones: Set<MediaStreamTrack>) => void} end ends the track; the live clones get their `ended`
	 */

	const nativeStop = MediaStreamTrack.prototype.stop;

	/**
	 * Where MediaStreamTrackGenerator is: pictures go straight into a track.
	 *
	 * @returns {Sink}
	 */
	function generatorSink() {
		const generator = new MediaStreamTrackGenerator({ kind: 'video' });
		const writer = generator.writable.getWriter();
		return {
			track: generator,
			keepsPicture: false,
			show(picture) {
				writer.write(picture).catch(() => picture.close());
			},
			end() {
				writer.close().catch(() => {});
				generator.stop();
			},
		};
	}

	/**
	 * Elsewhere: pictures are painted on a canvas that is captured on request.
	 *
	 * @returns {Sink}
	 */
	function canvasSink() {
		const canvas = document.createElement('canvas');
		const context = /** @type {CanvasRenderingContext2D} */ (
			canvas.getContext('2d', { alpha: false, willReadFrequently: true })
		);
		const stream = /** @type {MediaStream & {requestFrame?: () => void}} */ (canvas.captureStream(0));
		const track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
		return {
			track,
			keepsPicture: true,
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

	const createSink = 'MediaStreamTrackGenerator' in window ? generatorSink : canvasSink;
	window.addEventListener(
		'portlight:parts',
		(event) => Object.assign(/** @type {CustomEvent} */ (event).detail, { createSink }),
		{ once: true },
	);
})();
