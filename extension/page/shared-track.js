/** One track of a share, with constraints and a picture of its own. */
import { convert } from './constraints.js';
import { nativeClone, nativeStop } from './native-track.js';
import { fit, near, regionOf, select } from './select-settings.js';
import { createSink } from './sink-generator.js';

/** How long a picture of a new size may take, once it was asked for. */
const APPLY_MS = 1000;

/**
 * @typedef {import('./select-settings.js').Chosen} Chosen
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
	 * @param {Record<string, any>} constraints
	 * @param {Chosen} chosen what they make of the picture
	 */
	constructor(share, constraints, { limits, maxFps, scales }) {
		this.share = share;
		this.limits = limits;
		this.maxFps = maxFps;
		this.scales = scales;
		this.#constraints = constraints;
		this.#sink = createSink();
		/** @type {MediaStreamTrack} */
		this.track = nativeClone.call(this.#sink.track);
	}

	get live() {
		return this.track.readyState === 'live';
	}

	get waiting() {
		return this.#reached !== null;
	}

	clone() {
		const copy = new SharedTrack(this.share, this.#constraints, this);
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
		const { full, inherent, size } = this.share;
		const { deviceId, groupId } = inherent;
		if (!this.live) {
			return { deviceId, groupId };
		}
		const { width, height } = fit(size, this.limits);
		const scaled = this.scales || width !== full.width;
		return { ...inherent, width, height, frameRate: this.maxFps, resizeMode: scaled ? 'crop-and-scale' : 'none' };
	}

	capabilities() {
		const { fpsMax, full, inherent } = this.share;
		const { aspectRatio, cursor } = inherent;
		return {
			...inherent,
			width: { min: 1, max: full.width },
			height: { min: 1, max: full.height },
			aspectRatio: { min: aspectRatio, max: aspectRatio },
			frameRate: { min: 1, max: fpsMax },
			resizeMode: ['none', 'crop-and-scale'],
			cursor: [cursor],
		};
	}

	constraints() {
		return convert(this.#constraints);
	}

	/**
	 * Applies other constraints. Done once the picture is as asked for.
	 *
	 * @param {any} given
	 */
	async constrain(given) {
		const constraints = convert(given);
		if (!this.live) {
			return;
		}
		const { limits, maxFps, scales } = select(constraints, this.share);
		Object.assign(this, { limits, maxFps, scales });
		this.#constraints = constraints;
		this.late = true; // A still screen brings no frame of the new size where another track keeps the larger one.
		this.share.configure(regionOf(constraints));
		this.#reached?.();
		const { full, over, size } = this.share;
		if (!over && !near(fit(size, limits), fit(full, limits))) {
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
