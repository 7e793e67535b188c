/** One track of a share, with constraints and a picture of its own. */
import { check, fit, near, readConstraints } from './constraints.js';
import { nativeClone, nativeStop } from './native-track.js';
import { createSink } from './sink-generator.js';

const FPS_DEFAULT = 30;
const FPS_MAX = 240;
/** How long a picture of a new size may take, once it was asked for. */
const APPLY_MS = 1000;

/**
 * @typedef {import('./constraints.js').Size} Size
 * @typedef {import('./constraints.js').Limits} Limits
 * @typedef {import('./share.js').Share} Share
 */

export class SharedTrack {
	/** Its picture is not the last one, or not as it should be. */
	late = false;
	#sink;
	#constraints;
	#shownAt = -Infinity;
	/** @type {(() => void) | null} ends the wait for a picture of the size that was asked for last */
	#reached = null;

	/**
	 * @param {Share} share
	 * @param {{limits: Limits, constraints: object, maxFps: number}} wish
	 */
	constructor(share, { limits, constraints, maxFps }) {
		this.share = share;
		this.limits = limits;
		this.maxFps = maxFps;
		this.#constraints = constraints;
		this.#sink = createSink();
		/** @type {MediaStreamTrack} */
		this.track = nativeClone.call(this.#sink.track);
		if ('contentHint' in this.track) {
			this.track.contentHint = 'detail';
		}
	}

	get live() {
		return this.track.readyState === 'live';
	}

	get waiting() {
		return this.#reached !== null;
	}

	clone() {
		const copy = new SharedTrack(this.share, { ...this, constraints: this.#constraints });
		copy.track.enabled = this.track.enabled;
		if ('contentHint' in this.track) {
			copy.track.contentHint = this.track.contentHint;
		}
		return this.share.add(copy);
	}

	/** @param {VideoFrame} picture lent */
	show(picture) {
		const since = picture.timestamp - this.#shownAt;
		this.late = this.maxFps < this.share.maxFps && since >= 0 && since < 950_000 / this.maxFps;
		if (!this.late) {
			this.#shownAt = picture.timestamp;
			this.#sink.show(this.#fitted(picture));
		}
	}

	/**
	 * A still screen's picture, where the track keeps none for a late subscriber or is late itself.
	 *
	 * @param {VideoFrame} picture lent
	 * @param {number} timestamp
	 */
	async repeat(picture, timestamp) {
		const again = this.#fitted(picture);
		if (this.#sink.repeat) {
			await this.#sink.repeat(again, timestamp).catch(() => {});
			again.close();
		} else if (this.late) {
			this.#sink.show(again);
		} else {
			again.close();
		}
		this.late = false;
	}

	/** @param {VideoFrame} picture */
	#fitted(picture) {
		const { displayWidth, displayHeight } = picture;
		const { width, height } = fit({ width: displayWidth, height: displayHeight }, this.limits);
		return width === displayWidth && height === displayHeight
			? picture.clone()
			: new VideoFrame(picture, { displayWidth: width, displayHeight: height });
	}

	/** The page's own stop ends it without an event, the share's end with one. */
	end() {
		this.#reached?.();
		this.#sink.end(new Set(this.live ? [this.track] : []));
	}

	/** Whether the picture is of the size that was asked for. */
	measure() {
		const { size, full } = this.share;
		if (near(fit(size, this.limits), fit(full, this.limits))) {
			this.#reached?.();
		}
	}

	settings() {
		const { cursor, full, size, surface } = this.share;
		const { width, height } = fit(size, this.limits);
		return {
			width,
			height,
			aspectRatio: width / height,
			frameRate: this.maxFps,
			resizeMode: width === full.width ? 'none' : 'crop-and-scale',
			displaySurface: surface,
			logicalSurface: true,
			cursor,
		};
	}

	capabilities() {
		const { cursor, fpsMax, full: { width, height }, surface } = this.share;
		return {
			width: { min: 1, max: width },
			height: { min: 1, max: height },
			aspectRatio: { min: width / height, max: width / height },
			frameRate: { min: 1, max: fpsMax },
			resizeMode: ['none', 'crop-and-scale'],
			displaySurface: surface,
			logicalSurface: true,
			cursor: [cursor],
		};
	}

	constraints() {
		return { ...this.#constraints };
	}

	/**
	 * Takes new limits; what can't be met is refused as the Media Capture text says. Done once the picture is as asked
	 * for.
	 *
	 * @param {any} constraints
	 */
	async constrain(constraints) {
		constraints ??= {};
		if (Object(constraints) !== constraints) {
			throw new TypeError("The provided value is not of type 'MediaTrackConstraints'.");
		}
		const { full, fpsMax } = this.share;
		const limits = readConstraints(constraints);
		const wanted = fit(full, limits);
		check(constraints, wanted, fpsMax);
		this.limits = limits;
		this.#constraints = { ...constraints };
		this.maxFps = Math.min(FPS_MAX, Math.round(limits.maxFps ?? FPS_DEFAULT));
		this.late = true; // A still screen brings no frame of the new size where another track keeps the larger one.
		this.share.configure(limits.region);
		this.#reached?.();
		if (!this.share.over && !near(fit(this.share.size, limits), wanted)) {
			await this.#resized();
		}
	}

	/** @returns {Promise<void>} */
	#resized() {
		return new Promise((resolve) => {
			const timer = setTimeout(() => this.#reached?.(), APPLY_MS);
			this.#reached = () => {
				clearTimeout(timer);
				this.#reached = null;
				resolve();
			};
		});
	}

	/** Instead of the browser's copy, whose picture would follow the constraints of its original. @param {MediaStreamTrack} copy */
	replace(copy) {
		nativeStop.call(copy);
		return this.clone();
	}
}
