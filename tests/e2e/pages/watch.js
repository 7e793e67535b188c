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
 * @property {number} drawnAt  milliseconds since 1970
 * @property {number} latencyMs  from the drawing of the marker to this frame in the page
 * @property {number} at  epochNow() of the reading
 * @property {number} width
 * @property {number} height
 */

/** @typedef {import('/desktop/marker.js').Place} Place */

/** What is read of a frame once the marker's place is known: a picture of it, four pixels a cell. */
const small = {width: 88, height: 48};

/** Formats whose first plane is brightness, a byte each. */
const lumaFirst = ['I420', 'I420A', 'I422', 'I444', 'NV12'];

/** How long something may take that is to happen. */
const CAP_MS = 20_000;

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
		/** @type {Place | null} */
		this.place = null;
		this.pixels = new Uint8Array(4 * small.width * small.height);
		this.luma = new Uint8Array(0);
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

	/**
	 * @param {number} count
	 * @param {number} [since]  markers that were drawn before do not count
	 * @returns {Promise<Sample[]>} that many, each with another counter than the one before; fewer when no more came
	 */
	markers(count, since = 0) {
		/** @type {Sample[]} */
		const found = [];
		return new Promise((resolve) => {
			let late = false;
			const timer = setTimeout(() => {
				late = true;
				resolve(found);
			}, CAP_MS);
			/** @param {Sample} sample */
			const take = (sample) => {
				if (late) {
					return;
				}
				if (sample.drawnAt > since && sample.counter !== found.at(-1)?.counter) {
					found.push(sample);
				}
				if (found.length < count) {
					this.waiting.push(take);
					return;
				}
				clearTimeout(timer);
				resolve(found);
			};
			this.waiting.push(take);
		});
	}

	/** @param {number} since @returns {Promise<Sample>} the first marker that was drawn after that */
	async first(since) {
		const [sample] = await this.markers(1, since);
		if (!sample) {
			const {total, unread, video} = this;
			const [track] = /** @type {MediaStream} */ (video.srcObject).getVideoTracks();
			const seen = `${total} frames of ${video.videoWidth}x${video.videoHeight}, ${unread} without one since the last clear()`;
			const state = `the track is ${track.readyState}${track.muted ? ' and muted' : ''}, the page ${document.visibilityState}`;
			throw new Error(`No marker came that was drawn since the page asked: ${seen}; ${state}.`);
		}
		return sample;
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
			// How often the desktop drew it meanwhile: more than could be seen.
			drawn: last ? last.counter - this.samples[0].counter + 1 : 0,
			frames: this.frames,
			unread: this.unread,
			distinct: counters.size,
			since: this.since,
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
				const at = epochNow();
				const {width, height} = frame.visibleRect;
				this.#take((await this.#readLuma(frame)) ?? this.#search(frame, width, height), width, height, at);
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
			const at = epochNow();
			const {videoWidth: width, videoHeight: height} = this.video;
			this.#take(this.#readCanvas(this.video) ?? this.#search(this.video, width, height), width, height, at);
			this.video.requestVideoFrameCallback(onFrame);
		};
		this.video.requestVideoFrameCallback(onFrame);
	}

	/**
	 * @param {{counter: number, clockMs: number} | null} mark
	 * @param {number} width
	 * @param {number} height
	 * @param {number} at
	 */
	#take(mark, width, height, at) {
		this.frames += 1;
		this.total += 1;
		if (!mark) {
			this.unread += 1;
			return;
		}
		const sample = {counter: mark.counter, drawnAt: mark.clockMs, latencyMs: at - mark.clockMs, at, width, height};
		this.samples.push(sample);
		this.waiting.splice(0).forEach((resolve) => resolve(sample));
	}

	/**
	 * The marker at its place, from the brightness alone: no conversion, and no more than its area is copied.
	 * @param {VideoFrame} frame
	 */
	async #readLuma(frame) {
		const {place} = this;
		const all = /** @type {DOMRectReadOnly} */ (frame.visibleRect);
		if (!place || !lumaFirst.includes(String(frame.format))) {
			return null;
		}
		const x = Math.max(0, place.x & ~1);
		const y = Math.max(0, place.y & ~1);
		const rect = {x, y, width: (place.x + place.width - x + 1) & ~1, height: (place.y + place.height - y + 1) & ~1};
		if (x + rect.width > all.width || y + rect.height > all.height) {
			return null;
		}
		const size = frame.allocationSize({rect});
		if (this.luma.length < size) {
			this.luma = new Uint8Array(size);
		}
		const [{offset, stride}] = await frame.copyTo(this.luma, {rect});
		for (let row = 0; row < small.height; row++) {
			const down = Math.floor(place.y - y + ((row + 0.5) * place.height) / small.height);
			for (let column = 0; column < small.width; column++) {
				const across = Math.floor(place.x - x + ((column + 0.5) * place.width) / small.width);
				this.pixels[4 * (row * small.width + column) + 1] = this.luma[offset + Math.max(0, down) * stride + Math.max(0, across)];
			}
		}
		return readMarker({data: this.pixels, ...small}, {x: 0, y: 0, ...small});
	}

	/**
	 * The marker at its place, through a canvas of that little.
	 * @param {CanvasImageSource} source
	 */
	#readCanvas(source) {
		if (!this.place) {
			return null;
		}
		const {x, y, width, height} = this.place;
		return readMarker(this.#pixels(source, {x, y, width, height}, small), {x: 0, y: 0, ...small});
	}

	/**
	 * Looks through a whole frame.
	 * @param {CanvasImageSource} source
	 * @param {number} width
	 * @param {number} height
	 */
	#search(source, width, height) {
		const image = this.#pixels(source, {x: 0, y: 0, width, height}, {width, height});
		this.place = locateMarker(image);
		return this.place && readMarker(image, this.place);
	}

	/**
	 * @param {CanvasImageSource} source
	 * @param {Place} from
	 * @param {{width: number, height: number}} size  of the picture that is made of it
	 */
	#pixels(source, from, size) {
		if (this.canvas.width !== size.width || this.canvas.height !== size.height) {
			this.canvas.width = size.width;
			this.canvas.height = size.height;
			this.context.imageSmoothingEnabled = false;
		}
		this.context.drawImage(source, from.x, from.y, from.width, from.height, 0, 0, size.width, size.height);
		return this.context.getImageData(0, 0, size.width, size.height);
	}
}
