/**
 * Reads the marker that the desktop shows from the frames that the page plays.
 *
 * A frame is looked through as a whole until the marker is found; after that only the marker's own area is read, so
 * that measuring costs next to nothing. In Chromium frames are taken from the track itself; elsewhere from the video
 * element as it presents them.
 */
import {locateMarker, readMarker} from '/desktop/marker.js';

/** Milliseconds since 1970, finer than Date.now(). */
export function epochNow() {
	return performance.timeOrigin + performance.now();
}

/**
 * @typedef {object} Sample
 * @property {number} counter
 * @property {number} latencyMs  from the drawing of the marker to this frame in the page
 * @property {number} at  epochNow() of the reading
 * @property {number} width
 * @property {number} height
 */

/** Where to look and how far around, since windows move. */
const margin = 8;

export class FrameWatch {
	/**
	 * @param {HTMLVideoElement} video
	 * @param {{track?: boolean}} [options]  track: false reads the element where the track could be read as well
	 */
	constructor(video, {track = true} = {}) {
		this.video = video;
		this.fromTrack = track && 'MediaStreamTrackProcessor' in window;
		this.canvas = new OffscreenCanvas(16, 16);
		this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (
			this.canvas.getContext('2d', {willReadFrequently: true})
		);
		/** @type {Sample[]} */
		this.samples = [];
		this.frames = 0;
		this.unread = 0;
		/** All frames since start(). */
		this.total = 0;
		/** Since when `samples` counts. */
		this.since = epochNow();
		/** @type {{x: number, y: number, width: number, height: number} | null} */
		this.place = null;
		this.running = false;
		/** @type {((sample: Sample) => void)[]} */
		this.waiting = [];
	}

	start() {
		this.running = true;
		if (this.fromTrack) {
			void this.#readTrack();
		} else {
			this.#readElement();
		}
	}

	stop() {
		this.running = false;
		this.reader?.cancel().catch(() => {});
	}

	clear() {
		this.samples = [];
		this.frames = 0;
		this.unread = 0;
		this.since = epochNow();
	}

	/**
	 * @param {number} timeoutMs
	 * @returns {Promise<Sample | null>} the next marker, null when none came
	 */
	next(timeoutMs) {
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve(null), timeoutMs);
			this.waiting.push((sample) => {
				clearTimeout(timer);
				resolve(sample);
			});
		});
	}

	summary() {
		const seconds = (epochNow() - this.since) / 1000;
		const counters = new Set(this.samples.map((s) => s.counter));
		// A marker that stands still grows old without anything being late: only its first sight tells.
		const first = this.samples.filter((s, i) => i > 0 && s.counter !== this.samples[i - 1].counter);
		const latencies = first.map((s) => s.latencyMs).sort((a, b) => a - b);
		/** @param {number} q */
		const quantile = (q) => (latencies.length ? latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] : null);
		const last = this.samples.at(-1) ?? null;
		return {
			frames: this.frames,
			unread: this.unread,
			distinct: counters.size,
			seconds,
			fps: counters.size / seconds,
			p50: quantile(0.5),
			p95: quantile(0.95),
			last,
		};
	}

	async #readTrack() {
		const stream = /** @type {MediaStream} */ (this.video.srcObject);
		/** @type {any} */
		const {MediaStreamTrackProcessor} = window;
		const processor = new MediaStreamTrackProcessor({track: stream.getVideoTracks()[0], maxBufferSize: 1});
		this.reader = processor.readable.getReader();
		while (this.running) {
			const {value: frame, done} = await this.reader.read();
			if (done) {
				return;
			}
			try {
				this.#look(frame, frame.visibleRect.width, frame.visibleRect.height, epochNow());
			} finally {
				frame.close();
			}
		}
	}

	#readElement() {
		const onFrame = () => {
			if (!this.running) {
				return;
			}
			this.#look(this.video, this.video.videoWidth, this.video.videoHeight, epochNow());
			this.video.requestVideoFrameCallback(onFrame);
		};
		this.video.requestVideoFrameCallback(onFrame);
	}

	/**
	 * @param {CanvasImageSource} source
	 * @param {number} width
	 * @param {number} height
	 * @param {number} at
	 */
	#look(source, width, height, at) {
		this.frames += 1;
		this.total += 1;
		const mark = this.#readAt(source, width, height) ?? this.#search(source, width, height);
		if (!mark) {
			this.unread += 1;
			return;
		}
		const sample = {counter: mark.counter, latencyMs: at - mark.clockMs, at, width, height};
		this.samples.push(sample);
		this.waiting.splice(0).forEach((resolve) => resolve(sample));
	}

	/**
	 * @param {CanvasImageSource} source
	 * @param {number} width
	 * @param {number} height
	 */
	#readAt(source, width, height) {
		if (!this.place) {
			return null;
		}
		const x = Math.max(0, this.place.x - margin);
		const y = Math.max(0, this.place.y - margin);
		const w = Math.min(width - x, this.place.width + 2 * margin);
		const h = Math.min(height - y, this.place.height + 2 * margin);
		const image = w > 0 && h > 0 ? this.#pixels(source, x, y, w, h) : null;
		const place = image && locateMarker(image);
		return image && place ? readMarker(image, place) : null;
	}

	/**
	 * @param {CanvasImageSource} source
	 * @param {number} width
	 * @param {number} height
	 */
	#search(source, width, height) {
		const image = this.#pixels(source, 0, 0, width, height);
		this.place = locateMarker(image);
		return this.place && readMarker(image, this.place);
	}

	/**
	 * @param {CanvasImageSource} source
	 * @param {number} x
	 * @param {number} y
	 * @param {number} w
	 * @param {number} h
	 */
	#pixels(source, x, y, w, h) {
		if (this.canvas.width !== w || this.canvas.height !== h) {
			this.canvas.width = w;
			this.canvas.height = h;
		}
		this.context.drawImage(source, x, y, w, h, 0, 0, w, h);
		return this.context.getImageData(0, 0, w, h);
	}
}
