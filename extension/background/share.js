/** One live share of the native path: joins the port of the page that redeemed it with the host's share. */
import { Failure } from '../shared/failure.js';
import { fps, maxKbps, region, side } from './bounds.js';
import { Preview } from './preview.js';

/** Frames that may be on their way to a page: enough to hide its jitter, too few to add delay. */
export const CREDIT = 3;
const CREDIT_MAX = 16;
const CODECS = ['vp9', 'vp8'];
const METER_MS = 2_000;

/**
 * @typedef {import('./host.js').HostShare} HostShare
 * @typedef {import('./host.js').FrameMessage} FrameMessage
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {'person' | 'page'} Who paused a share; it goes on once neither has it paused. 'person' is the page API's word for the user
 * @typedef {{key: number, origin: string, top?: string, title: string, tabId: number, since: number}} About where it goes, and since when
 * @typedef {About & {surface: string, restored: boolean, paused: boolean, pausedBy: Who[], fps: number, kbps: number,
 *   width: number, height: number, codec: string, region: import('./host.js').Region | null}} ShareInfo `region`: the crop
 * @typedef {{codecs?: unknown, maxFps?: unknown, maxWidth?: unknown, maxHeight?: unknown, fidelity?: unknown,
 *   region?: unknown, sourceId?: unknown}} Redeem the first message of a page's track
 */

/** Counts a share's pictures and bytes over the last two seconds. */
class Meter {
	/** @type {{at: number, bytes: number, frames: number}[]} oldest first */
	#samples = [];
	#began = NaN;

	/** Counts a fragment. @param {number} bytes @param {boolean} last whether it is the last of its frame */
	count(bytes, last) {
		const now = Date.now();
		this.#began ||= now;
		this.#samples.push({ at: now, bytes, frames: last ? 1 : 0 });
		this.#forget(now);
	}

	/** @returns {{fps: number, kbps: number}} now: 0 on a still screen */
	read() {
		const now = Date.now();
		this.#forget(now);
		const seconds = Math.max(1000, Math.min(METER_MS, now - this.#began || 0)) / 1000;
		let [bytes, frames] = [0, 0];
		for (const sample of this.#samples) {
			bytes += sample.bytes;
			frames += sample.frames;
		}
		return { fps: Math.round((10 * frames) / seconds) / 10, kbps: Math.round((8 * bytes) / 1000 / seconds) };
	}

	/** @param {number} now */
	#forget(now) {
		const first = this.#samples.findIndex(({ at }) => at > now - METER_MS);
		this.#samples.splice(0, first < 0 ? this.#samples.length : first);
	}
}

export class Share {
	#port;
	#hostShare;
	#about;
	/** @type {Redeem} */
	#wish = {};
	/** @type {(failure: Failure) => void} */
	#onOver = () => {};
	#over = new AbortController();
	/** @type {Failure | null} why it is being stopped, if nobody asked for that */
	#why = null;
	/** Whether the page is gone. */
	#left = false;
	/** Frames that the host may still send. */
	#outstanding = CREDIT;
	/** Credit that the host gets after the pause. */
	#held = 0;
	/** The bound that the host has, by the picture's size. */
	#maxKbps = 0;
	#keyframeAsked = false;
	/** @type {Set<Who>} */
	#pauses = new Set();
	/** Whether the page missed frames, so that it needs a keyframe next. */
	#missed = false;
	/** The keyframe of the moment that a pause began, for previews: the fragments that came so far. @type {FrameMessage[]} */
	#still = [];
	/** The cursor that the page gets after the pause: the host sends its image only once. @type {{data?: string} | null} */
	#cursor = null;
	#meter = new Meter();
	/** @type {Set<Preview>} */
	#previews = new Set();
	/** @type {import('./preview.js').Picture | null} */
	#picture = null;

	/** @param {chrome.runtime.Port} port @param {HostShare} hostShare @param {About} about */
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
		const crop = this.#crop(this.#hostShare, this.#wish.region).region ?? null;
		const picture = { width, height, codec, region: crop };
		return { ...this.#about, surface, restored, paused: this.paused, pausedBy, ...this.#meter.read(), ...picture };
	}

	/** The cursor that it was asked for with, in the host's words. */
	get cursor() {
		return this.#hostShare.cursor;
	}

	/** Aborts when the share is over. */
	get over() {
		return this.#over.signal;
	}

	get paused() {
		return this.#pauses.size > 0;
	}

	/** @param {Redeem} wish @param {(failure: Failure) => void} onOver called at the end, with the reason */
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
	 * Switches to another share that the user granted to the same page. The current one goes on until the new one has a
	 * picture; if none comes, it just goes on, and this rejects with a Failure.
	 * @param {HostShare} next @param {unknown} [region] of it
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
			throw error;
		}
	}

	/** Tells the page why its share goes on unchanged. @param {Failure} failure */
	refuse(failure) {
		this.#post({ type: 'unchanged', ...failure.forPage() });
	}

	/** @param {HostShare} share whose pictures the page gets from now on */
	#adopt(share) {
		this.#outstanding = this.paused ? 0 : CREDIT;
		this.#held = CREDIT - this.#outstanding;
		this.#keyframeAsked = false;
		this.#missed = this.paused;
		this.#still = [];
		this.#cursor = null;
		share.onEnded = (failure) => {
			this.#post({ type: 'ended', ...failure.forPage() });
			this.#port.disconnect();
			this.#previews.forEach((preview) => preview.end());
			this.#over.abort();
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
			// The page never gets the image that this one replaces, so it can't give its credit back.
			this.#credit(cursor.data && this.#cursor?.data ? 1 : 0);
			this.#cursor = { ...this.#cursor, ...cursor };
		};
	}

	/** @param {HostShare} share @param {Redeem} wish @returns {Promise<import('./host.js').Opened>} */
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
			...this.#crop(share, wish.region),
			...(share.cursor === 'metadata' && { cursor: 'send' }),
		});
	}

	/** @param {import('./host.js').Opened} opened */
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
	 * Adapts the bound to the real size, which differs from what the desktop said: outputs are scaled, windows grow, pages
	 * want less.
	 * @param {number} width @param {number} height
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

	/** What the share costs; null if the host can't tell. */
	stats() {
		return this.#hostShare.supports.includes('stats') ? this.#hostShare.stats() : null;
	}

	/**
	 * The page gets no more pictures: its track keeps the last one. What the host still sends on its credit is dropped,
	 * except one keyframe for previews; then it encodes nothing.
	 * @param {Who} who
	 */
	pause(who) {
		const before = this.paused;
		this.#keyframe();
		this.#pauses.add(who);
		if (!before) {
			this.#still = [];
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

	/** Tells a page that asked who has the share paused now. While the user has, the track is muted. @param {Who} who */
	#account(who) {
		if (who === 'page') {
			this.#post({ type: 'pauses', by: [...this.#pauses] });
		} else {
			this.#post({ type: 'muted', muted: this.#pauses.has('person') });
		}
	}

	/** Copies the frames to one of the extension's own pages, too. @param {chrome.runtime.Port} port */
	preview(port) {
		const preview = new Preview(port, () => this.#keyframe());
		this.#previews.add(preview);
		port.onDisconnect.addListener(() => this.#previews.delete(preview));
		if (this.#picture) {
			preview.open(this.#picture);
		}
		if (this.paused) {
			this.#still.forEach((frame) => preview.take(frame));
		}
	}

	/** @param {FrameMessage} frame that the page doesn't get */
	#keepStill(frame) {
		const [first = frame] = this.#still;
		if (this.paused && first.key && first.seq === frame.seq && this.#still.length === frame.part) {
			this.#still.push(frame);
			this.#previews.forEach((preview) => preview.take(frame));
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
		// The host's numbers would tell a page about other shares.
		const { share: _share, ...rest } = frame;
		if (this.#missed) {
			this.#keepStill(rest);
			if (last) {
				this.#credit(1);
			}
			return;
		}
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

	/** @param {any} wish without a bound, only with a region, it leaves the bounds as they are */
	#configure(wish) {
		const { maxFps, maxWidth, maxHeight } = wish;
		const bounds = ['maxFps', 'maxWidth', 'maxHeight'].some((name) => name in wish);
		const crop = this.#crop(this.#hostShare, wish.region);
		Object.assign(this.#wish, bounds && { maxFps, maxWidth, maxHeight }, crop);
		const settings = {
			...crop,
			...(bounds && { maxFps: fps(maxFps), maxWidth: side(maxWidth), maxHeight: side(maxHeight) }),
		};
		if (Object.keys(settings).length > 0) {
			this.#hostShare.configure(settings);
		}
	}

	/** @param {HostShare} share @param {unknown} wanted */
	#crop(share, wanted) {
		return share.supports.includes('region') ? region(wanted) : {};
	}

	/** Passes credit on, up to CREDIT_MAX frames on their way. @param {number} frames */
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
			// The page is gone; its port's disconnect stops the share.
		}
	}
}
