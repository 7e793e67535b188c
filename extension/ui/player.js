/** Plays a share's frames on a canvas of one of the extension's own pages, with what decodes them in pages. */
import { FrameDecoder } from '../page/decoder.js';

/** A preview needs no more. */
const WIDTH_MAX = 720;


/**
 * Takes a port's frames to a canvas until the port closes.
 *
 * @param {chrome.runtime.Port} port
 * @param {HTMLCanvasElement} canvas
 * @param {{onPicture?: () => void, onFailed?: () => void}} [listener] of each picture drawn, and of decoding given up
 */
export function play(port, canvas, { onPicture, onFailed } = {}) {
	const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
	/** @type {FrameDecoder | null} */
	let decoder = null;

	/** @param {VideoFrame} picture */
	function show(picture) {
		const width = Math.min(WIDTH_MAX, picture.displayWidth);
		const height = Math.max(1, Math.round((picture.displayHeight * width) / picture.displayWidth));
		if (canvas.width !== width || canvas.height !== height) {
			canvas.width = width;
			canvas.height = height;
		}
		context.drawImage(picture, 0, 0, width, height);
		picture.close();
		canvas.dataset.pictures = String(Number(canvas.dataset.pictures ?? 0) + 1);
		onPicture?.();
	}

	port.onMessage.addListener((message) => {
		if (message.type === 'opened') {
			decoder?.close(); // The share has another source now.
			decoder = new FrameDecoder(message.chroma === '444' ? 'vp9-444' : message.codec, {
				onPicture: show,
				onCredit: (/** @type {number} */ frames) => port.postMessage({ type: 'credit', frames }),
				onKeyframeNeeded: () => port.postMessage({ type: 'keyframe' }),
				onFailed: () => {
					port.disconnect();
					onFailed?.();
				},
			});
		} else if (message.type === 'frame') {
			decoder?.take(message);
		}
	});
	port.onDisconnect.addListener(() => decoder?.close());
}
