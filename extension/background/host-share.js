/** One share of the host's: what it tells of it, and what it can be asked for. */
import { Failure } from '../shared/failure.js';

/** The host gives a helper 800 ms before it kills it; letting go of the host ends every share. */
const STOP_MS = 2_500;

/**
 * @typedef {import('./native.js').FrameMessage} FrameMessage
 * @typedef {import('./native.js').CursorMessage} CursorMessage
 * @typedef {import('./native.js').Settings} Settings
 * @typedef {import('./native.js').OpenOptions} OpenOptions
 * @typedef {import('./native.js').Opened} Opened
 * @typedef {import('./native.js').NativeHost} NativeHost
 */

/** One share that the person granted, until it ended. */
export class HostShare {
	#host;
	/** @type {((frame: FrameMessage) => void) | null} */
	onFrame = null;
	/** @type {((cursor: CursorMessage) => void) | null} where the share was asked for with the cursor `metadata` */
	onCursor = null;
	/** @type {((failure: Failure) => void) | null} called once, whoever ended it */
	onEnded = null;
	/** What it was asked for with: `hidden`, `embedded` or `metadata`. */
	cursor = 'embedded';
	/** @type {HostShare[]} what the person chose beside it, where several were asked for */
	others = [];
	/** @type {Failure | null} why it ended */
	ended = null;

	/**
	 * @param {NativeHost} host
	 * @param {{share: number, surface: string, width: number, height: number, restored?: boolean}} granted
	 * @param {string[]} supports what the host's hello named
	 */
	constructor(host, granted, supports) {
		this.#host = host;
		this.supports = supports;
		this.id = granted.share;
		this.surface = granted.surface;
		/** Whether the person's remembered choice was used: no dialog was shown. */
		this.restored = granted.restored === true;
		this.width = granted.width;
		this.height = granted.height;
	}

	/**
	 * @param {OpenOptions} options
	 * @returns {Promise<Opened>}
	 */
	open(options) {
		return this.#host.request('open', { share: this.id, ...options });
	}

	/** @param {number} frames */
	credit(frames) {
		this.#host.notify('credit', { share: this.id, frames });
	}

	/** @param {Settings} settings what is to change */
	configure(settings) {
		this.#host.notify('configure', { share: this.id, ...settings });
	}

	keyframe() {
		this.#host.notify('keyframe', { share: this.id });
	}

	/**
	 * What it costs; for hosts that support `stats`.
	 *
	 * @returns {Promise<{cpuMs: number, rssKiB: number, frames: number, bytes: number, codec?: string}>}
	 */
	stats() {
		return this.#host.request('stats', { share: this.id });
	}

	/** Ends it. A host that does not answer in time is let go of, which ends it too. */
	async stop() {
		if (this.ended) {
			return;
		}
		const timer = setTimeout(() => this.#host.close('The host did not stop a share in time.'), STOP_MS);
		try {
			await this.#host.request('stop', { share: this.id });
		} catch (error) {
			if (!this.ended && Failure.from(error).code !== 'unknown-share') {
				this.#host.close('The host refused to stop a share.');
			}
		} finally {
			clearTimeout(timer);
		}
		this.#host.endShare(this.id, new Failure('stopped'));
	}
}
