/** One live share of the native path: the port of the page that redeemed it on one side, the host's share on the other. */
import { Failure } from '../shared/failure.js';
import { Meter } from './meter.js';
import { Preview } from './preview.js';

/** Frames that may be under way to a page: enough to hide its jitter, few enough to add no delay. */
export const CREDIT = 3;
const CREDIT_MAX = 16;
const FPS_MAX = 240;
const FPS_DEFAULT = 30;
const SIDE_MAX = 16_384;
const CODECS = ['vp9', 'vp8'];

/**
 * @typedef {import('./host-share.js').HostShare} HostShare
 * @typedef {import('./native.js').FrameMessage} FrameMessage
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {'person' | 'page'} Who paused a share; it goes on when nobody has it paused any more
 * @typedef {{key: number, origin: string, top?: string, title: string, tabId: number, since: number}} About where it goes, since when
 * @typedef {About & {surface: string, restored: boolean, paused: boolean, pausedBy: Who[], fps: number, kbps: number,
 *   width: number, height: number, codec: string}} ShareInfo
 * @typedef {{codecs?: unknown, maxFps?: unknown, maxWidth?: unknown, maxHeight?: unknown, fidelity?: unknown,
 *   region?: unknown, sourceId?: unknown}} Redeem what a page's track says first
 */

/**
 * Enough for readable text in motion at this size; it crosses a pipe, not a network.
 *
 * @param {number} width
 * @param {number} height
 */
function maxKbps(width, height) {
	const pixels = width * height || 1920 * 1080;
	return Math.round(Math.min(60_000, Math.max(4_000, pixels / 200)));
}

/** @param {unknown} value */
function fps(value) {
	return typeof value === 'number' && value > 0 ? Math.min(FPS_MAX, Math.max(1, Math.round(value))) : FPS_DEFAULT;
}

/**
 * A bound of the picture's side; 0: none.
 *
 * @param {unknown} value
 */
function side(value) {
	return typeof value === 'number' && value > 0 ? Math.min(SIDE_MAX, Math.max(2, Math.floor(value))) : 0;
}

/**
 * The field that crops the picture to a part of it; none for what is no region.
 *
 * @param {any} value `{x, y, width, height}` in the picture's pixels; null: all of it
 * @returns {{region?: import('./native.js').Region | null}}
 */
function region(value) {
	if (value === null) {
		return { region: null };
	}
	const { x, y, width, height } = Object(value);
	if (![x, y, width, height].every(Number.isFinite)) {
		return {};
	}
	const within = (/** @type {number} */ place, least = 0) => Math.min(SIDE_MAX, Math.max(least, Math.round(place)));
	const left = within(x);
	const top = within(y);
	return { region: { x: left, y: top, width: within(x + width - left, 2), height: within(y + height - top, 2) } };
}

export class Share {
	#port;
	#hostShare;
	#about;
	/** @type {Redeem} */
	#wish = {};
	/** @type {(failure: Failure) => void} */
	#onOver = () => {};
	/** @type {Failure | null} why it is stopped, where that is no one's wish */
	#why = null;
	/** Whether the page is gone. */
	#left = false;
	/** Frames that the host may still send. */
	#outstanding = CREDIT;
	/** Credit that the host gets when the pause is over. */
	#held = 0;
	/** What the host may spend, by the size that it was told for. */
	#maxKbps = 0;
	#keyframeAsked = false;
	/** @type {Set<Who>} */
	#pauses = new Set();
	/** Whether the page missed frames, so that only a keyframe is of use to it. */
	#missed = false;
	/** The cursor that the page gets when the pause is over: its image comes only once. @type {{data?: string} | null} */
	#cursor = null;
	#meter = new Meter();
	/** @type {Set<Preview>} */
	#previews = new Set();
	/** @type {import('./preview.js').Picture | null} */
	#picture = null;

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {HostShare} hostShare
	 * @param {About} about
	 */
	constructor(port, hostShare, about) {
		this.#port = port;
		this.#hostShare = hostShare;
		this.#about = about;
	}

	/** @returns {ShareInfo} */
	get info() {
		const { surface, restored } = this.#hostShare;
		const { width, height } = this.#picture ?? this.#hostShare;
		const codec = this.#picture?.codec ?? '–';
		const pausedBy = [...this.#pauses];
		return { ...this.#about, surface, restored, paused: this.paused, pausedBy, ...this.#meter.read(), width, height, codec };
	}

	get paused() {
		return this.#pauses.size > 0;
	}

	/**
	 * @param {Redeem} wish
	 * @param {(failure: Failure) => void} onOver told why
	 */
	async run(wish, onOver) {
		this.#wish = { ...wish };
		this.#onOver = onOver;
		this.#adopt(this.#hostShare);
		this.#port.onDisconnect.addListener(() => {
			this.#left = true;
			void this.stop();
		});
		this.#port.onMessage.addListener((message) => this.#fromPage(message));
		try {
			this.#opened(await this.#open(this.#hostShare, wish));
		} catch (error) {
			this.#why = Failure.from(error);
			this.#post({ type: 'ended', ...this.#why.forPage() });
			await this.stop();
		}
	}

	/**
	 * Goes on with the pictures of another share that the person granted to the same page. The one before goes on until
	 * these are there, and for good when they don't come; then the page is told `unchanged`.
	 *
	 * @param {HostShare} next
	 * @param {unknown} region of it
	 */
	async change(next, region) {
		try {
			if (next.ended) {
				throw next.ended;
			}
			const wish = { ...this.#wish, region };
			const opened = await this.#open(next, wish);
			if (this.#left || this.#hostShare.ended) {
				throw new Failure('cancelled');
			}
			const before = this.#hostShare;
			before.onEnded = before.onFrame = before.onCursor = null;
			this.#wish = wish;
			this.#hostShare = next;
			this.#adopt(next);
			this.#opened(opened);
			await before.stop();
		} catch (error) {
			await next.stop();
			this.refuse(Failure.from(error));
		}
	}

	/** @param {Failure} failure why it goes on unchanged */
	refuse(failure) {
		this.#post({ type: 'unchanged', ...failure.forPage() });
	}

	/** @param {HostShare} share the one whose pictures the page gets from now on */
	#adopt(share) {
		this.#outstanding = this.paused ? 0 : CREDIT;
		this.#held = CREDIT - this.#outstanding;
		this.#keyframeAsked = false;
		this.#missed = this.paused;
		this.#cursor = null;
		share.onEnded = (failure) => {
			this.#post({ type: 'ended', ...failure.forPage() });
			this.#port.disconnect();
			this.#previews.forEach((preview) => preview.end());
			this.#onOver(this.#why ?? failure);
		};
		share.onFrame = (frame) => this.#frame(frame);
		share.onCursor = ({ share: _share, ...cursor }) => {
			// An image costs a credit, as a frame does. The page grants it again.
			this.#outstanding -= cursor.data ? 1 : 0;
			if (!this.paused) {
				this.#post(cursor);
				return;
			}
			// The page never sees the image that this one replaces.
			this.#credit(cursor.data && this.#cursor?.data ? 1 : 0);
			this.#cursor = { ...this.#cursor, ...cursor };
		};
	}

	/**
	 * @param {HostShare} share
	 * @param {Redeem} wish
	 * @returns {Promise<import('./native.js').Opened>}
	 */
	#open(share, wish) {
		const wanted = Array.isArray(wish.codecs) ? wish.codecs : [];
		const [codec, second] = CODECS.filter((name) => wanted.includes(name) && share.supports.includes(name));
		if (!codec) {
			throw new Failure('decoder-failed', 'The page decodes nothing that the host encodes.');
		}
		const text = wish.fidelity === 'text' && codec === 'vp9' && wanted.includes('vp9-444');
		return share.open({
			codec: second && !text && share.supports.includes('codec-auto') ? 'auto' : codec,
			maxFps: fps(wish.maxFps),
			maxKbps: maxKbps(share.width, share.height),
			credit: this.paused ? 0 : CREDIT,
			...(share.supports.includes('scale') && { maxWidth: side(wish.maxWidth), maxHeight: side(wish.maxHeight) }),
			...(share.supports.includes('fidelity-text') && text && { fidelity: 'text' }),
			...(share.supports.includes('region') && region(wish.region)),
			...(share.cursor === 'metadata' && { cursor: 'send' }),
		});
	}

	/** @param {import('./native.js').Opened} opened */
	#opened(opened) {
		const { surface, supports, width: sourceWidth, height: sourceHeight } = this.#hostShare;
		// An output with a scale has more pixels than the desktop says.
		const { codec, chroma, width, height, fullWidth = sourceWidth, fullHeight = sourceHeight } = opened;
		const embedded = this.#hostShare.cursor === 'embedded' && supports.includes('cursor-embedded');
		this.#post({
			type: 'opened',
			codec,
			chroma,
			width,
			height,
			source: { width: fullWidth, height: fullHeight },
			maxFps: fps(this.#wish.maxFps),
			maxHeight: supports.includes('scale') ? side(this.#wish.maxHeight) : 0,
			surface,
			cursor: embedded ? 'always' : 'never',
		});
		this.#picture = opened;
		this.#maxKbps = maxKbps(sourceWidth, sourceHeight);
		this.#spend(width, height);
		this.#previews.forEach((preview) => preview.open(opened));
	}

	/**
	 * Pictures turn out larger or smaller than the desktop said: outputs are scaled, windows grow, pages want less.
	 *
	 * @param {number} width
	 * @param {number} height
	 */
	#spend(width, height) {
		const wanted = maxKbps(width, height);
		if (Math.abs(wanted - this.#maxKbps) > this.#maxKbps / 10 && this.#hostShare.supports.includes('configure')) {
			this.#maxKbps = wanted;
			this.#hostShare.configure({ maxKbps: wanted });
		}
	}

	stop() {
		return this.#hostShare.stop();
	}

	/** What the host's helper takes of the machine; null where the host can't say. */
	stats() {
		return this.#hostShare.supports.includes('stats') ? this.#hostShare.stats() : null;
	}

	/**
	 * From here on the page gets no picture: its track keeps the last one. What the host may still send on its credit
	 * is dropped, and then it encodes nothing.
	 *
	 * @param {Who} who
	 */
	pause(who) {
		const before = this.paused;
		this.#pauses.add(who);
		if (!before) {
			this.#missed = true;
			this.#tell({ type: 'paused' });
		}
		this.#account(who);
	}

	/** @param {Who} who */
	resume(who) {
		if (this.#pauses.delete(who) && !this.paused) {
			this.#tell({ type: 'resumed' });
			if (this.#cursor) {
				this.#post(this.#cursor);
				this.#cursor = null;
			}
			this.#keyframe();
			const held = this.#held;
			this.#held = 0;
			this.#credit(held);
		}
		this.#account(who);
	}

	/**
	 * A page that asked hears who has the share paused now; the track that the person pauses is muted.
	 *
	 * @param {Who} who
	 */
	#account(who) {
		if (who === 'page') {
			this.#post({ type: 'pauses', by: [...this.#pauses] });
		} else {
			this.#post({ type: 'muted', muted: this.#pauses.has('person') });
		}
	}

	/**
	 * Copies the frames to one of the extension's own pages as well.
	 *
	 * @param {chrome.runtime.Port} port
	 */
	preview(port) {
		const preview = new Preview(port, () => this.#keyframe());
		this.#previews.add(preview);
		port.onDisconnect.addListener(() => this.#previews.delete(preview));
		if (this.#picture) {
			preview.open(this.#picture);
		}
	}

	/** @param {FrameMessage & {share?: number}} frame */
	#frame(frame) {
		const last = frame.part === frame.parts - 1;
		if (last) {
			this.#outstanding--;
		}
		if (frame.key) {
			this.#keyframeAsked = false;
			this.#missed = this.paused;
		}
		if (this.#picture && frame.width && frame.height) {
			const { width, height, codec = this.#picture.codec } = frame;
			this.#picture = { ...this.#picture, width, height, codec };
			this.#spend(width, height);
		}
		this.#meter.count((frame.data.length * 3) / 4, last);
		if (this.#missed) {
			if (last) {
				this.#credit(1);
			}
			return;
		}
		// The host's numbers would tell one page of another's shares.
		const { share: _share, ...rest } = frame;
		this.#post(rest);
		this.#previews.forEach((preview) => preview.take(rest));
	}

	/** @param {any} message */
	#fromPage(message) {
		if (message?.type === 'credit') {
			this.#credit(Math.trunc(Number(message.frames)) || 0);
		} else if (message?.type === 'configure' && this.#hostShare.supports.includes('configure')) {
			this.#configure(message);
		} else if (message?.type === 'keyframe') {
			this.#keyframe();
		}
	}

	/** @param {any} wish what names no bound, only a region, leaves the bounds as they are */
	#configure(wish) {
		const { maxFps, maxWidth, maxHeight } = wish;
		const bounds = ['maxFps', 'maxWidth', 'maxHeight'].some((name) => name in wish);
		const crop = region(wish.region);
		Object.assign(this.#wish, bounds && { maxFps, maxWidth, maxHeight }, crop);
		const settings = {
			...(this.#hostShare.supports.includes('region') && crop),
			...(bounds && { maxFps: fps(maxFps), maxWidth: side(maxWidth), maxHeight: side(maxHeight) }),
		};
		if (Object.keys(settings).length > 0) {
			this.#hostShare.configure(settings);
		}
	}

	/**
	 * Passes credit on, but never so much that more than CREDIT_MAX frames are under way.
	 *
	 * @param {number} frames
	 */
	#credit(frames) {
		const granted = Math.min(CREDIT_MAX - this.#outstanding - this.#held, frames);
		if (granted <= 0) {
			return;
		}
		if (this.paused) {
			this.#held += granted;
		} else {
			this.#outstanding += granted;
			this.#hostShare.credit(granted);
		}
	}

	#keyframe() {
		if (!this.#keyframeAsked && !this.paused) {
			this.#keyframeAsked = true;
			this.#hostShare.keyframe();
		}
	}

	/** @param {object} message to the page and to every preview */
	#tell(message) {
		this.#post(message);
		this.#previews.forEach((preview) => preview.say(message));
	}

	/** @param {object} message */
	#post(message) {
		try {
			this.#port.postMessage(message);
		} catch {
			// The page went away; its port's disconnect stops the share.
		}
	}
}

