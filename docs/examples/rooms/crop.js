/**
 * A part of a screen. On Portlight's native path its helper crops, and what lies outside never leaves it; on the
 * browser's path this page does, which has the whole picture but sends only the part.
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Region in pixels of the source */

export class Cropped extends EventTarget {
	/** What is sent; its track may be replaced by another (`track` event). */
	stream = new MediaStream();
	/** @type {Region | null} */
	region = null;
	size = { width: 0, height: 0 };
	/** @type {{stop: () => void} | null} */
	cutter = null;

	/** @param {import('./media.js').Screen} screen */
	constructor(screen) {
		super();
		this.screen = screen;
		this.native = screen.path === 'native';
		this.stream.addTrack(screen.track);
	}

	/** Resolves once the size of the whole source is known. */
	async open() {
		const { share, stream } = this.screen;
		if (share) {
			this.size = (await share.source()).source;
			share.addEventListener('source', ({ detail }) => (this.size = detail.source));
			return;
		}
		this.video = document.createElement('video');
		Object.assign(this.video, { muted: true, playsInline: true, srcObject: stream });
		await this.video.play();
		const measure = () => (this.size = { width: this.video?.videoWidth ?? 0, height: this.video?.videoHeight ?? 0 });
		this.video.addEventListener('resize', measure);
		measure();
	}

	/**
	 * @param {Region | null} wanted null for all of it
	 * @returns {Promise<import('./annotate.js').Rect>} what came of it, in fractions of the source
	 */
	async set(wanted) {
		const { width, height } = this.size;
		const region = wanted && fit(wanted, this.size);
		if (this.native) {
			await this.screen.track.applyConstraints(/** @type {any} */ ({ portlightRegion: region }));
		} else {
			this.#cut(region);
		}
		this.region = region;
		return region ? { x: region.x / width, y: region.y / height, width: region.width / width, height: region.height / height } : { x: 0, y: 0, width: 1, height: 1 };
	}

	/** @param {Region | null} region */
	#cut(region) {
		this.cutter?.stop();
		this.cutter = null;
		let { track } = this.screen;
		if (region) {
			const cutter = 'MediaStreamTrackProcessor' in window ? cutFrames(track, region) : cutCanvas(/** @type {HTMLVideoElement} */ (this.video), region);
			this.cutter = cutter;
			track = cutter.track;
		}
		const [old] = this.stream.getVideoTracks();
		this.stream.removeTrack(old);
		this.stream.addTrack(track);
		this.dispatchEvent(new CustomEvent('track', { detail: track }));
	}

	stop() {
		this.cutter?.stop();
		this.screen.track.stop();
		if (this.video) {
			this.video.srcObject = null;
		}
	}
}

/** Within the source, whole and even: codecs want that. @param {Region} region @param {{width: number, height: number}} size @returns {Region} */
function fit({ x, y, width, height }, size) {
	const left = Math.max(0, Math.min(x, size.width - 16)) & ~1;
	const top = Math.max(0, Math.min(y, size.height - 16)) & ~1;
	/** @param {number} wanted @param {number} most */
	const length = (wanted, most) => Math.max(16, Math.min(wanted < 0 ? most : wanted, most)) & ~1;
	return { x: left, y: top, width: length(width, size.width - left), height: length(height, size.height - top) };
}

/** Chromium: frames are cut without being copied, in a hidden tab too. @param {MediaStreamTrack} track @param {Region} region */
function cutFrames(track, region) {
	const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = /** @type {any} */ (window);
	const copy = track.clone();
	const generator = new MediaStreamTrackGenerator({ kind: 'video' });
	const transform = new TransformStream({
		transform(frame, controller) {
			const { x, y, width, height } = region;
			const fits = x + width <= frame.codedWidth && y + height <= frame.codedHeight;
			// One of a size that the region was not chosen for shows more than it should: it is left out.
			if (fits) {
				controller.enqueue(new VideoFrame(frame, { visibleRect: region, displayWidth: width, displayHeight: height }));
			}
			frame.close();
		},
	});
	new MediaStreamTrackProcessor({ track: copy }).readable.pipeThrough(transform).pipeTo(generator.writable).catch(() => {});
	return { track: /** @type {MediaStreamTrack} */ (generator), stop: () => (copy.stop(), generator.stop()) };
}

/** Firefox: a canvas, which a hidden tab draws only once a second. @param {HTMLVideoElement} video @param {Region} region */
function cutCanvas(video, { x, y, width, height }) {
	const canvas = Object.assign(document.createElement('canvas'), { width, height });
	const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
	const draw = () => context.drawImage(video, x, y, width, height, 0, 0, width, height);
	draw();
	const [track] = canvas.captureStream(30).getVideoTracks();
	const timer = setInterval(draw, 33);
	return { track, stop: () => (clearInterval(timer), track.stop()) };
}
