/**
 * In the page's own world, before page/track.js: from pictures to a native track, in the way that this browser has, and
 * to what a page may keep of them.
 */
(() => {
	'use strict';

	/**
	 * @typedef {object} Sink
	 * @property {MediaStreamTrack} track that the pictures come out of; pages get clones of it
	 * @property {(picture: VideoFrame) => void} show takes the picture over
	 * @property {((picture: VideoFrame, timestamp: number) => Promise<void>) | null} repeat shows it once more; null where
	 *   the track keeps its last picture for who comes late
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
		/** @param {VideoFrame} picture */
		const show = (picture) => void writer.write(picture).catch(() => picture.close());
		return {
			track: generator,
			show,
			async repeat(picture, timestamp) {
				// A copy: the generator goes by the time of the pixels, whatever a VideoFrame around them says, and sinks
				// take no picture of the same time twice.
				const data = new Uint8Array(picture.allocationSize());
				const layout = await picture.copyTo(data);
				const { format, visibleRect, colorSpace, displayWidth, displayHeight } = picture;
				if (format && visibleRect) {
					const { width: codedWidth, height: codedHeight } = visibleRect;
					const size = { codedWidth, codedHeight, displayWidth, displayHeight };
					show(new VideoFrame(data, { format, layout, timestamp, colorSpace, ...size }));
				}
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

	/**
	 * A picture that a page may keep; rejects when there was none yet.
	 *
	 * @param {VideoFrame | null} picture
	 * @param {string} [as] its type as a file; without it an ImageBitmap
	 * @returns {Promise<ImageBitmap | Blob>}
	 */
	async function snapshot(picture, as) {
		if (!picture) {
			throw new DOMException('There is no picture yet.', 'InvalidStateError');
		}
		const canvas = new OffscreenCanvas(picture.displayWidth, picture.displayHeight);
		canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0, canvas.width, canvas.height);
		return as ? canvas.convertToBlob({ type: as }) : canvas.transferToImageBitmap();
	}

	const createSink = 'MediaStreamTrackGenerator' in window ? generatorSink : canvasSink;
	window.addEventListener(
		'portlight:parts',
		(event) => Object.assign(/** @type {CustomEvent} */ (event).detail, { createSink, snapshot }),
		{ once: true },
	);
})();
