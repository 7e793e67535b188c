/** One share as a page has it, from frames on a port to its tracks. */
import { FrameDecoder } from './decoder.js';
import { addEventListener, apply, postMessage } from './pristine.js';
import { fit, select, wishOf } from './select-settings.js';
import { SharedTrack } from './shared-track.js';

const REPEAT_FIRST_MS = 100;
const REPEAT_MS = 1000;
const REDEEM_MS = 30_000;
const SILENCE_MAX = 3;
/** More than this is claimed only when the page asked for it from the start. */
const FPS_CLAIMED = 60;
/** Of all that is shared with this document: the user's desktop. */
const GROUP_ID = crypto.randomUUID();

/**
 * @typedef {import('./select-settings.js').Size} Size
 * @typedef {import('./select-settings.js').Limits} Limits
 * @typedef {{codec: string, chroma?: string, width: number, height: number, maxFps: number, maxHeight?: number,
 *   surface: string, cursor: string, source?: Size}} Opened `source`: the size of what is shared, as far as the desktop says;
 *   `maxHeight`: what bounds the picture, which the page need not have said; 0: nothing
 */

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

export class Share {
	/** @type {Set<SharedTrack>} those that the page hasn't stopped */
	tracks = new Set();
	muted = false;
	over = false;
	/** @type {Size} of the decoded picture */
	size = { width: 0, height: 0 };
	/** @type {Size} of what is shared: known while the picture is not scaled down, else as it was last */
	full = { width: 0, height: 0 };
	/** Names what the user chose; another choice has another name. */
	#deviceId = '';
	#port;
	#index;
	/** The largest that its tracks want. @type {Limits} */
	#limits = {};
	/** What the host was told of that. @type {string | undefined} */
	#told;
	#constraints;
	#adopt;
	/** @type {FrameDecoder | null} */
	#decoder = null;
	/** @type {VideoFrame | null} the last picture, for snapshots and for tracks that are added on a still screen */
	#last = null;
	#lastShown = 0;
	#repeatMs = REPEAT_FIRST_MS;
	/** @type {ReturnType<typeof setTimeout> | undefined} until it begins, for that; then for the repeats */
	#timer;
	/** @type {((track: MediaStreamTrack) => void) | null} */
	#resolve = null;
	/** @type {((reason: Error) => void) | null} */
	#reject = null;
	/** @type {Opened | null} */
	#opened = null;
	/** How often the relay was asked for a sign of life since its last one. */
	#silence = 0;

	/**
	 * @param {MessagePort} port
	 * @param {number} index
	 * @param {Record<string, any>} constraints
	 * @param {(shared: SharedTrack) => void} adopt is told of each track, before the page has it
	 */
	constructor(port, index, constraints, adopt) {
		this.#port = port;
		this.#adopt = adopt;
		this.#index = index;
		this.#constraints = constraints;
	}

	/** @returns {Promise<MediaStreamTrack>} */
	track() {
		return new Promise((resolve, reject) => {
			this.#resolve = resolve;
			this.#reject = reject;
			this.#timer = setTimeout(() => this.#giveUp('The share did not begin in time.'), REDEEM_MS);
			this.#port.onmessage = ({ data }) => this.#receive(data);
			const gone = () => this.#finish({ name: 'NotReadableError', message: 'The extension went away.' });
			apply(addEventListener, this.#port, ['close', gone]);
		});
	}

	/** @param {object} message @param {Transferable[]} [transfer] */
	#tell(message, transfer = []) {
		apply(postMessage, this.#port, [message, transfer]);
	}

	/** @param {any} message */
	#receive(message) {
		this.#silence = 0;
		switch (message.type) {
		case 'opened':
			this.#open(message);
			break;
		case 'frame':
			this.#decoder?.take(message);
			break;
		case 'muted':
			this.#mute(message.muted);
			break;
		case 'ended':
			this.#finish(message);
			break;
		case 'ask':
			void this.#answer(message);
			break;
		}
	}

	/** @param {{ask: number, what: 'source' | 'snapshot', as?: string}} question */
	async #answer({ ask, what, as }) {
		try {
			const ok = await (what === 'source' ? this.#source() : snapshot(this.#last, as));
			this.#tell({ type: 'answer', ask, ok }, ok instanceof ImageBitmap ? [ok] : []);
		} catch {
			this.#tell({ type: 'answer', ask, failed: 'bad-state' });
		}
	}

	#source() {
		const { width, height } = fit(this.size, this.#limits);
		return { surface: this.surface, width, height, frameRate: this.maxFps, cursor: this.cursor, source: { ...this.full } };
	}

	/** The user pauses the share, or goes on with it. @param {boolean} muted */
	#mute(muted) {
		if (muted !== this.muted) {
			this.muted = muted;
			this.tracks.forEach(({ track }) => track.dispatchEvent(new Event(muted ? 'mute' : 'unmute')));
		}
	}

	/**
	 * From here on frames are of this picture: the first one, or one that the user chose instead of it.
	 *
	 * @param {Opened} opened
	 */
	#open(opened) {
		this.#opened = opened;
		this.size = { width: opened.width, height: opened.height };
		this.full = opened.source && opened.source.width > opened.width ? opened.source : this.size;
		this.#deviceId = crypto.randomUUID();
		this.#decoder?.close();
		this.#decoder = new FrameDecoder(opened.chroma === '444' ? 'vp9-444' : opened.codec, {
			onPicture: (/** @type {VideoFrame} */ picture) => this.#show(picture),
			onCredit: (/** @type {number} */ frames) => this.#tell({ type: 'credit', frames }),
			onKeyframeNeeded: () => this.#tell({ type: 'keyframe' }),
			onFailed: () => this.#giveUp('The browser could not decode the shared picture.'),
		});
		if (this.#resolve) {
			this.#begin(opened);
		}
	}

	/** The constraints are applied to what the user chose. @param {Opened} opened */
	#begin({ maxFps, maxHeight = 0 }) {
		const { maxWidth, maxHeight: wanted } = wishOf(this.#constraints);
		this.#limits = { maxWidth, maxHeight: maxHeight || wanted };
		this.#told = JSON.stringify({ maxFps, ...this.#limits });
		try {
			const chosen = select(this.#constraints, this, { frameRate: maxFps, height: maxHeight || undefined });
			this.#resolve?.(this.add(new SharedTrack(this, this.#constraints, chosen)));
		} catch (error) {
			this.#reject?.(/** @type {Error} */ (error));
			this.#giveUp('');
			return;
		}
		this.#resolve = null;
		if (this.#wanted() !== this.#told) {
			this.configure();
		}
	}

	/**
	 * Counts a track in: the share lives as long as one of its tracks.
	 *
	 * @param {SharedTrack} shared
	 */
	add(shared) {
		this.#adopt(shared);
		this.tracks.add(shared);
		if (this.#last) {
			shared.show(this.#last);
		}
		this.#repeatMs = REPEAT_FIRST_MS;
		this.#scheduleRepeat();
		return shared.track;
	}

	/** Looks which tracks are left, and ends the capture with the last one. */
	settle() {
		const before = this.tracks.size;
		for (const shared of this.tracks) {
			if (!shared.live) {
				this.tracks.delete(shared);
				shared.end();
			}
		}
		if (this.tracks.size === 0 && this.#opened) {
			this.#tell({ type: 'stop' });
			this.#finish(null);
		} else if (this.tracks.size < before && this.#wanted() !== this.#told) {
			this.configure();
		}
	}

	/** The largest of what its tracks want: each has its picture made from that. @returns {Limits} */
	#wishes() {
		const tracks = [...this.tracks];
		const most = (/** @type {'maxWidth' | 'maxHeight'} */ name) =>
			tracks.some(({ limits }) => limits[name] === undefined) ? undefined : Math.max(...tracks.map(({ limits }) => Number(limits[name])));
		return { maxWidth: most('maxWidth'), maxHeight: most('maxHeight') };
	}

	#wanted() {
		return JSON.stringify({ maxFps: this.maxFps, ...this.#wishes() });
	}

	/** @param {object | null} [region] null: all of it; undefined: as it is */
	configure(region) {
		this.#limits = this.#wishes();
		this.#told = this.#wanted();
		this.#tell({ type: 'configure', maxFps: this.maxFps, ...this.#limits, region });
		this.#repeatMs = REPEAT_FIRST_MS;
		this.#scheduleRepeat();
	}

	get maxFps() {
		return Math.round(Math.max(...[...this.tracks].map(({ maxFps }) => maxFps)));
	}

	/**
	 * The picture's size: a picture that no limit holds down is as large as what is shared, and none is larger.
	 *
	 * @param {Size} size
	 */
	#follow(size) {
		const { maxWidth = Infinity, maxHeight = Infinity } = this.#limits;
		const { width, height } = this.full;
		const waiting = [...this.tracks].some((track) => track.waiting);
		const free = !waiting && size.width < maxWidth - 1 && size.height < maxHeight - 1;
		const reshaped = Math.abs(size.width / size.height / (width / height) - 1) > 0.02;
		if (free || reshaped || size.width > width || size.height > height) {
			this.full = size;
		}
		this.size = size;
		this.tracks.forEach((track) => track.measure());
	}

	/** @param {VideoFrame} frame */
	#show(frame) {
		this.#follow({ width: frame.displayWidth, height: frame.displayHeight });
		// The encoder scales; what was on its way when the limits changed is scaled here.
		const { width: displayWidth, height: displayHeight } = fit(this.size, this.#limits);
		let shown = frame;
		if (displayWidth !== this.size.width || displayHeight !== this.size.height) {
			shown = new VideoFrame(frame, { displayWidth, displayHeight });
			frame.close();
		}
		if (this.#last && (displayWidth !== this.#last.displayWidth || displayHeight !== this.#last.displayHeight)) {
			this.#tell({ type: 'resize', width: displayWidth, height: displayHeight });
		}
		this.#last?.close();
		this.#last = shown;
		this.#lastShown = performance.now();
		this.tracks.forEach((track) => track.show(shown));
		this.settle();
	}

	/** A still screen's picture is shown again now and then, for later subscribers. */
	#scheduleRepeat() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			this.#repeatMs = Math.min(2 * this.#repeatMs, REPEAT_MS);
			this.settle();
			if (this.over) {
				return;
			}
			const last = this.#last;
			const idle = performance.now() - this.#lastShown;
			if (last && idle > REPEAT_FIRST_MS) {
				// Well before the time of any picture that may be on its way, which must not seem older.
				const timestamp = last.timestamp + Math.round(1000 * (idle - REPEAT_FIRST_MS));
				this.tracks.forEach((track) => void track.repeat(last, timestamp));
			}
			// An extension that is removed takes its relay with it, in Firefox without a word.
			if (this.#silence++ === SILENCE_MAX) {
				this.#finish({ name: 'NotReadableError', message: 'The extension went away.' });
				return;
			}
			this.#tell({ type: 'ping' });
			this.#scheduleRepeat();
		}, this.#repeatMs);
	}

	/**
	 * Ends a share that can't be shown.
	 *
	 * @param {string} message
	 */
	#giveUp(message) {
		this.#tell({ type: 'stop' });
		this.#finish({ name: 'NotReadableError', message });
	}

	/**
	 * The end, from either side, once.
	 *
	 * @param {{name: string, message: string} | null} reason null when the page stopped it
	 */
	#finish(reason) {
		if (this.over) {
			return;
		}
		this.over = true;
		clearTimeout(this.#timer);
		this.#last?.close();
		this.#decoder?.close();
		this.#decoder = null;
		this.#port.close();
		this.tracks.forEach((track) => track.end());
		this.tracks.clear();
		if (!this.#opened && reason) {
			const { name, message } = reason;
			this.#reject?.(name === 'TypeError' ? new TypeError(message) : new DOMException(message, name));
		}
	}

	get label() {
		return `${this.surface === 'window' ? 'window' : 'screen'}:${this.#index}:0`;
	}

	get surface() {
		return this.#opened?.surface === 'window' ? 'window' : 'monitor';
	}

	get cursor() {
		return this.#opened?.cursor;
	}

	/** The settings that nothing changes. */
	get inherent() {
		const { cursor, full, surface } = this;
		const ids = { deviceId: this.#deviceId, groupId: GROUP_ID };
		return { ...ids, aspectRatio: full.width / full.height, displaySurface: surface, logicalSurface: true, cursor };
	}

	get fpsMax() {
		return Math.max(FPS_CLAIMED, this.#opened?.maxFps ?? 0);
	}
}
