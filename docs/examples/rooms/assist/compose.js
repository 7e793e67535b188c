/**
 * What the page itself makes of a screen's pictures: a part of them, with black boxes over what others must not see.
 * Only finished pictures go into the track. Parts and boxes are fractions of the source, so they go with its size.
 */

/** A still screen's picture goes out again after so long, for who came meanwhile. */
const REPEAT_MS = 1000;
const LEAST = 16;

/** @typedef {import('./annotate.js').Rect} Rect */
/** @typedef {{width: number, height: number}} Size in pixels */
/** @typedef {{canvas: OffscreenCanvas, size: Size, cut: Rect}} Bare a part's picture, the size of its source, and where it was, in pixels */

/** @param {number} value */
const even = (value) => value & ~1;

/**
 * A wanted part, within the source, whole and even: codecs want that.
 * @param {Rect} wanted in pixels; a width or height below 0, or none, is all there is
 * @param {Size} size of the source
 */
export function fit({ x, y, width, height }, size) {
	const left = even(Math.max(0, Math.min(x, size.width - LEAST)));
	const top = even(Math.max(0, Math.min(y, size.height - LEAST)));
	/** @param {number} length @param {number} most */
	const within = (length, most) => even(Math.min(most, Math.max(LEAST, length >= 0 ? length : most)));
	return { x: left, y: top, width: within(width, size.width - left), height: within(height, size.height - top) };
}

/** @param {Rect} rect in fractions @param {Size} size @returns {Rect} in pixels */
export const pixels = ({ x, y, width, height }, size) =>
	fit({ x: Math.round(x * size.width), y: Math.round(y * size.height), width: Math.round(width * size.width), height: Math.round(height * size.height) }, size);

/**
 * Where a part's picture is black. Boxes grow to even pixels, since two neighbours share their colour.
 * @param {Rect[]} masks in fractions of the source @param {Size} size of the source @param {Rect} cut the part, in pixels
 * @returns {Rect[]} in the part's pixels
 */
export function blackIn(masks, size, cut) {
	/** @param {number} from @param {number} length @param {number} side @param {number} start @param {number} most */
	const span = (from, length, side, start, most) => {
		const begin = even(Math.floor(from * side)) - start;
		const end = even(Math.ceil((from + length) * side) + 1) - start;
		const [low, high] = [Math.max(0, begin), Math.min(most, end)];
		return [low, high - low];
	};
	return masks
		.map((mask) => {
			const [x, width] = span(mask.x, mask.width, size.width, cut.x, cut.width);
			const [y, height] = span(mask.y, mask.height, size.height, cut.y, cut.height);
			return { x, y, width, height };
		})
		.filter(({ width, height }) => width > 0 && height > 0);
}

/** @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context @param {Rect[]} boxes */
export function blacken(context, boxes) {
	context.fillStyle = '#000';
	boxes.forEach(({ x, y, width, height }) => context.fillRect(x, y, width, height));
}

export class Composer {
	/** @type {VideoFrame | null} as it came */
	#last = null;
	/** When that was, and which time the newest picture bears, in microseconds. */
	#shown = { at: 0, timestamp: 0 };
	/** Pictures of this size are not of the whole source yet. @type {Size | null} */
	#not;
	/** @type {(() => void) | null} told when pictures stop being of the whole source */
	#left = null;
	#canvas = new OffscreenCanvas(2, 2);
	#context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#canvas.getContext('2d', { alpha: false, willReadFrequently: true }));

	/**
	 * @param {MediaStreamTrack} track of the whole source; it is not stopped
	 * @param {Rect} view @param {Rect[]} masks
	 * @param {Size | null} not pictures of this size are left out until the first other one
	 */
	constructor(track, view, masks, not) {
		this.view = view;
		this.masks = masks;
		this.#not = not;
		this.sink = createSink();
		this.end = feed(track, (frame) => this.#take(frame));
		this.timer = setInterval(() => this.#repeat(REPEAT_MS), REPEAT_MS);
	}

	get track() {
		return this.sink.track;
	}

	/** From now on, on a still screen too. @param {Rect} view @param {Rect[]} masks */
	set(view, masks) {
		Object.assign(this, { view, masks });
		this.#repeat(0);
	}

	/** Resolves with the first picture of another size. */
	left() {
		return new Promise((resolve) => (this.#left = () => resolve(undefined)));
	}

	/** The shown part without boxes; null before the first picture. @returns {Bare | null} */
	bare() {
		const frame = this.#last;
		if (!frame) {
			return null;
		}
		const size = sizeOf(frame);
		const cut = pixels(this.view, size);
		const canvas = new OffscreenCanvas(cut.width, cut.height);
		canvas.getContext('2d', { alpha: false })?.drawImage(frame, cut.x, cut.y, cut.width, cut.height, 0, 0, cut.width, cut.height);
		return { canvas, size, cut };
	}

	stop() {
		clearInterval(this.timer);
		this.end();
		this.sink.end();
		this.#last?.close();
		this.#last = null;
	}

	/** @param {VideoFrame} frame */
	#take(frame) {
		const size = sizeOf(frame);
		const other = this.#last && !same(size, sizeOf(this.#last));
		if ((this.#not && same(size, this.#not)) || (other && this.#left)) {
			frame.close();
			if (other) {
				this.#left?.();
			}
			return;
		}
		this.#not = null;
		this.#last?.close();
		this.#last = frame;
		this.#shown.at = performance.now();
		this.#emit(frame, frame.timestamp);
	}

	/** @param {number} idleMs */
	#repeat(idleMs) {
		const idle = performance.now() - this.#shown.at;
		if (this.#last && idle >= idleMs) {
			this.#emit(this.#last, this.#last.timestamp + 500 * idle);
		}
	}

	/** @param {VideoFrame} frame @param {number} wanted */
	#emit(frame, wanted) {
		const cut = pixels(this.view, sizeOf(frame));
		const { visibleRect, displayWidth } = frame;
		// Sinks take no picture of the same time twice.
		const timestamp = Math.round(Math.max(wanted, this.#shown.timestamp + 1));
		this.#shown.timestamp = timestamp;
		if (this.sink.frames && !this.masks.length && visibleRect?.width === displayWidth && timestamp === frame.timestamp) {
			// Not copied.
			const visible = { ...cut, x: cut.x + visibleRect.x, y: cut.y + visibleRect.y };
			this.sink.show(new VideoFrame(frame, { visibleRect: visible, displayWidth: cut.width, displayHeight: cut.height }));
			return;
		}
		if (this.#canvas.width !== cut.width || this.#canvas.height !== cut.height) {
			Object.assign(this.#canvas, { width: cut.width, height: cut.height });
		}
		this.#context.drawImage(frame, cut.x, cut.y, cut.width, cut.height, 0, 0, cut.width, cut.height);
		blacken(this.#context, blackIn(this.masks, sizeOf(frame), cut));
		this.sink.show(this.sink.frames ? new VideoFrame(this.#canvas, { timestamp }) : this.#canvas);
	}
}

/** @param {VideoFrame} frame @returns {Size} */
const sizeOf = ({ displayWidth, displayHeight }) => ({ width: displayWidth, height: displayHeight });
/** @param {Size} a @param {Size} b */
const same = (a, b) => a.width === b.width && a.height === b.height;

/**
 * The pictures of a track. Chromium gives each, in a hidden tab too; in Firefox a video is looked at, in a hidden tab
 * about once a second.
 * @param {MediaStreamTrack} track @param {(frame: VideoFrame) => void} take @returns {() => void} ends it
 */
function feed(track, take) {
	const { MediaStreamTrackProcessor } = /** @type {any} */ (window);
	if (MediaStreamTrackProcessor) {
		const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
		const read = async () => {
			for (let next = await reader.read(); !next.done; next = await reader.read()) {
				take(next.value);
			}
		};
		read().catch(() => {});
		return () => void reader.cancel().catch(() => {});
	}
	const video = document.createElement('video');
	Object.assign(video, { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
	video.play().catch(() => {});
	// A hidden tab is not told of new pictures; one that is shown takes none twice.
	let fresh = true;
	const look = () => {
		fresh = true;
		video.requestVideoFrameCallback?.(look);
	};
	video.requestVideoFrameCallback?.(look);
	const timer = setInterval(() => {
		if (video.readyState >= 2 && video.videoWidth && (fresh || document.hidden || !video.requestVideoFrameCallback)) {
			fresh = false;
			// Its size is that of its pixels, where the video's own may be late.
			take(new VideoFrame(video, { timestamp: 1000 * performance.now() }));
		}
	}, 33);
	return () => {
		clearInterval(timer);
		video.srcObject = null;
	};
}

/** Where finished pictures become a track. `frames`: it takes VideoFrames, else a canvas. */
function createSink() {
	if ('MediaStreamTrackGenerator' in window) {
		const generator = new /** @type {any} */ (window).MediaStreamTrackGenerator({ kind: 'video' });
		const writer = generator.writable.getWriter();
		/** @param {any} frame */
		const show = (frame) => void writer.write(frame).catch(() => frame.close());
		return { frames: true, track: /** @type {MediaStreamTrack} */ (generator), show, end: () => generator.stop() };
	}
	const canvas = document.createElement('canvas');
	const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
	const stream = canvas.captureStream(0);
	const track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
	/** @param {any} picture */
	const show = (picture) => {
		if (canvas.width !== picture.width || canvas.height !== picture.height) {
			Object.assign(canvas, { width: picture.width, height: picture.height });
		}
		// In this order: a canvas that becomes dirty with a frame requested is captured at once, hidden tab or not. Hence
		// one drawing, of a finished picture.
		(/** @type {any} */ (stream).requestFrame ?? track.requestFrame).call('requestFrame' in stream ? stream : track);
		context.drawImage(picture, 0, 0);
	};
	return { frames: false, track: /** @type {MediaStreamTrack} */ (track), show, end: () => track.stop() };
}
