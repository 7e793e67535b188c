/**
 * The shared part of a screen, and what is black in it. On Portlight's native path its helper crops, and what lies
 * outside never leaves it; on the browser's path this page does. Black boxes are the page's on both: while there are
 * any, it crops too, since only of whole pictures it knows for sure where a box belongs.
 */
import { t } from '../language.js';
import { blacken, blackIn, Composer, fit, pixels } from './compose.js';

/** @typedef {{x: number, y: number, width: number, height: number}} Region in pixels of the source */
/** @typedef {import('./annotate.js').Rect} Rect in fractions of the source */

const WHOLE = { x: 0, y: 0, width: 1, height: 1 };
export const MOST_MASKS = 20;

export class Cropped {
	/** What is sent. */
	stream = new MediaStream();
	/** @type {Region | null} */
	region = null;
	/** The same in fractions. @type {Rect | null} */
	part = null;
	/** @type {Rect[]} */
	masks = [];
	/** Of the whole source, in pixels. */
	size = { width: 0, height: 0 };
	/** @type {Composer | null} */
	composer = null;
	/** @type {Region | null} what the helper was told */
	helped = null;
	queue = Promise.resolve();

	/**
	 * @param {import('../media.js').Screen} screen
	 * @param {(track: MediaStreamTrack) => unknown} replaced sends another track in the first one's place
	 * @param {() => void} resized told when the source, and so the region, has another size
	 */
	constructor(screen, replaced, resized) {
		this.resized = resized;
		this.screen = screen;
		this.replaced = replaced;
		this.native = screen.path === 'native';
		this.stream.addTrack(screen.track);
	}

	/** Resolves once the size of the whole source is known. */
	async open() {
		const { share, stream } = this.screen;
		if (share) {
			const measure = async () => this.#measured(this.helped ? this.size : (await share.source()).source);
			await measure();
			['source', 'resize'].forEach((type) => share.addEventListener(/** @type {'source'} */ (type), () => measure().catch(() => {})));
			return;
		}
		this.video = document.createElement('video');
		Object.assign(this.video, { muted: true, playsInline: true, srcObject: stream });
		await this.video.play();
		const measure = () => this.#measured({ width: this.video?.videoWidth ?? 0, height: this.video?.videoHeight ?? 0 });
		this.video.addEventListener('resize', measure);
		measure();
	}

	/** Of another size, this page shows the same share of the source, and the helper the same pixels. @param {import('./compose.js').Size} size */
	#measured(size) {
		this.size = size;
		if (this.byPage) {
			this.region = this.part && pixels(this.part, size);
		} else {
			this.part = this.#fractions(this.region);
		}
		this.resized();
	}

	/** @param {Region | null} region @returns {Rect | null} */
	#fractions(region) {
		const { width, height } = this.size;
		return region && { x: region.x / width, y: region.y / height, width: region.width / width, height: region.height / height };
	}

	/** The shown part. @returns {Rect} */
	get crop() {
		return this.part ?? WHOLE;
	}

	/** Whether this page crops, now that there are boxes or the browser captures. */
	get byPage() {
		return !this.native || this.masks.length > 0;
	}

	/** @param {Region | null} wanted null for all of it @returns {Promise<Rect>} what came of it */
	async set(wanted) {
		const region = wanted && fit(wanted, this.size);
		const all = region && region.width >= (this.size.width & ~1) && region.height >= (this.size.height & ~1);
		const { region: before, part } = this;
		this.region = all ? null : region;
		this.part = this.#fractions(this.region);
		try {
			await this.#apply();
		} catch (error) {
			Object.assign(this, { region: before, part });
			throw error;
		}
		return this.crop;
	}

	/** Resolves once the last picture without the new box was sent. @param {Rect[]} masks */
	async cover(masks) {
		this.masks = masks.slice(0, MOST_MASKS);
		await this.#apply();
	}

	/** The shown part without its boxes. @returns {Promise<import('./compose.js').Bare>} */
	async bare() {
		const { composer, region, screen, size, video } = this;
		const composed = composer?.bare();
		if (composed) {
			return composed;
		}
		const picture = screen.share ? await screen.share.snapshot() : video;
		const [width, height] = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture?.width ?? 0, picture?.height ?? 0];
		if (composer || !picture || !width) {
			throw new Error(t('There is no picture yet. Wait for it, then try again.'));
		}
		const canvas = new OffscreenCanvas(width, height);
		canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0);
		return region ? { canvas, size, cut: region } : { canvas, size: { width, height }, cut: { x: 0, y: 0, width, height } };
	}

	/** One change after the other. */
	#apply() {
		const done = this.queue.then(() => (this.masks.length || (this.region && !this.native) ? this.#compose() : this.#leave()));
		this.queue = done.catch(() => {});
		return done;
	}

	async #compose() {
		const { crop, helped, masks, screen } = this;
		if (this.composer) {
			this.composer.set(crop, masks);
			return;
		}
		this.composer = new Composer(screen.track, crop, masks, helped);
		await this.#send(this.composer.track);
		// Only now, when nothing else is sent, may pictures of all of it come.
		if (this.native) {
			await this.#help(null);
		}
	}

	async #leave() {
		const { composer, region, screen } = this;
		const left = composer && region && this.native ? composer.left() : null;
		if (this.native) {
			await this.#help(region);
		}
		// What is on its way to the page may still show more than the part.
		await left;
		if (composer) {
			await this.#send(screen.track);
			composer.stop();
			this.composer = null;
		}
	}

	/** @param {Region | null} region */
	async #help(region) {
		this.helped = region ?? this.helped;
		await this.screen.track.applyConstraints(/** @type {any} */ ({ portlightRegion: region }));
		this.helped = region;
	}

	/** @param {MediaStreamTrack} track */
	async #send(track) {
		const [old] = this.stream.getVideoTracks();
		this.stream.removeTrack(old);
		this.stream.addTrack(track);
		await this.replaced(track);
	}

	stop() {
		this.composer?.stop();
		this.screen.track.stop();
		if (this.video) {
			this.video.srcObject = null;
		}
	}
}

/**
 * A picture as others may see it.
 * @param {import('./compose.js').Bare} bare @param {Rect[]} masks
 * @returns {Promise<Blob>} a PNG
 */
export function covered({ canvas, size, cut }, masks) {
	const copy = new OffscreenCanvas(canvas.width, canvas.height);
	const context = /** @type {OffscreenCanvasRenderingContext2D} */ (copy.getContext('2d', { alpha: false }));
	context.drawImage(canvas, 0, 0);
	blacken(context, blackIn(masks, size, cut));
	return copy.convertToBlob({ type: 'image/png' });
}
