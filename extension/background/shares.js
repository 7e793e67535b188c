/**
 * The live shares of the native path: each ties one share of the host to the port of the one page that redeemed its
 * source id. Whichever side goes first, the other is told and nothing stays.
 */
import { Failure } from '../shared/failure.js';
import { placeOf, SourceIds } from './source-ids.js';

/** Frames that may be under way to a page: enough to hide its jitter, few enough to add no delay. */
export const CREDIT = 3;
const CREDIT_MAX = 16;
const FPS_MAX = 240;
const FPS_DEFAULT = 30;
const SIDE_MAX = 16_384;
const CODECS = ['vp9', 'vp8'];

/**
 * @typedef {import('./native.js').HostShare} HostShare
 * @typedef {import('./native.js').FrameMessage} FrameMessage
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{key: number, origin: string, title: string, tabId: number, surface: string, since: number}} ShareInfo
 * @typedef {{codecs?: unknown, maxFps?: unknown, maxWidth?: unknown, maxHeight?: unknown, fidelity?: unknown,
 *   sourceId?: unknown}} Redeem what a page's track says first
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

/** One redeemed share: the page's port on one side, the host's share on the other. */
class Share {
	#port;
	#hostShare;
	/** Frames that the host may still send. */
	#outstanding = CREDIT;
	#keyframeAsked = false;

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {HostShare} hostShare
	 * @param {ShareInfo} info
	 */
	constructor(port, hostShare, info) {
		this.#port = port;
		this.#hostShare = hostShare;
		this.info = info;
	}

	/**
	 * @param {Redeem} wish
	 * @param {() => void} onOver
	 */
	async run(wish, onOver) {
		const share = this.#hostShare;
		share.onEnded = (failure) => {
			this.#post({ type: 'ended', ...failure.forPage() });
			this.#port.disconnect();
			onOver();
		};
		share.onFrame = (frame) => this.#frame(frame);
		this.#port.onDisconnect.addListener(() => void share.stop());
		this.#port.onMessage.addListener((message) => this.#fromPage(message));
		try {
			const wanted = Array.isArray(wish.codecs) ? wish.codecs : [];
			const codec = CODECS.find((name) => wanted.includes(name) && share.supports.includes(name));
			if (!codec) {
				throw new Failure('decoder-failed', 'The page decodes nothing that the host encodes.');
			}
			const maxFps = fps(wish.maxFps);
			const text = wish.fidelity === 'text' && codec === 'vp9' && wanted.includes('vp9-444');
			const opened = await share.open({
				codec,
				maxFps,
				maxKbps: maxKbps(share.width, share.height),
				credit: CREDIT,
				...(share.supports.includes('scale') && { maxWidth: side(wish.maxWidth), maxHeight: side(wish.maxHeight) }),
				...(share.supports.includes('fidelity-text') && text && { fidelity: 'text' }),
			});
			const { width, height, chroma } = opened;
			const source = { width: share.width, height: share.height };
			const cursor = share.supports.includes('cursor-embedded') ? 'always' : 'never';
			const { surface } = share;
			this.#post({ type: 'opened', codec: opened.codec, chroma, width, height, source, maxFps, surface, cursor });
		} catch (error) {
			this.#post({ type: 'ended', ...Failure.from(error).forPage() });
			await share.stop();
		}
	}

	stop() {
		return this.#hostShare.stop();
	}

	/** @param {FrameMessage & {share?: number}} frame */
	#frame(frame) {
		if (frame.part === frame.parts - 1) {
			this.#outstanding--;
		}
		if (frame.key) {
			this.#keyframeAsked = false;
		}
		// The host's numbers would tell one page of another's shares.
		const { share: _share, ...rest } = frame;
		this.#post(rest);
	}

	/** @param {any} message */
	#fromPage(message) {
		if (message?.type === 'credit') {
			const room = CREDIT_MAX - this.#outstanding;
			const frames = Math.min(room, Math.trunc(Number(message.frames)) || 0);
			if (frames > 0) {
				this.#outstanding += frames;
				this.#hostShare.credit(frames);
			}
		} else if (message?.type === 'configure' && this.#hostShare.supports.includes('configure')) {
			const { maxFps, maxWidth, maxHeight } = message;
			this.#hostShare.configure({ maxFps: fps(maxFps), maxWidth: side(maxWidth), maxHeight: side(maxHeight) });
		} else if (message?.type === 'keyframe' && !this.#keyframeAsked) {
			this.#keyframeAsked = true;
			this.#hostShare.keyframe();
		}
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

export class Shares {
	/** @type {SourceIds<{hostShare: HostShare, page: chrome.runtime.Port}>} */
	#ids = new SourceIds();
	/** @type {Map<number, Share>} */
	#live = new Map();
	#nextKey = 1;
	#onChange;

	/** @param {(live: ShareInfo[]) => void} onChange called whenever a share begins or ends */
	constructor(onChange) {
		this.#onChange = onChange;
	}

	/**
	 * The source id for a share that the person granted to a page. The share ends with the page's port, when the id is
	 * not redeemed in time, and of course by itself.
	 *
	 * @param {Place} place
	 * @param {HostShare} hostShare
	 * @param {chrome.runtime.Port} page
	 */
	grant(place, hostShare, page) {
		const grant = { hostShare, page };
		hostShare.onEnded = () => this.#ids.forget(grant);
		page.onDisconnect.addListener(() => {
			if (this.#ids.forget(grant)) {
				void hostShare.stop();
			}
		});
		return this.#ids.mint(place, grant, () => void hostShare.stop());
	}

	/**
	 * Takes the port on which a page's track redeems a source id.
	 *
	 * @param {chrome.runtime.Port} port
	 */
	connect(port) {
		const place = placeOf(port.sender);
		if (!place) {
			port.disconnect();
			return;
		}
		/** @param {Redeem & {type?: unknown}} message */
		const first = (message) => {
			port.onMessage.removeListener(first);
			const grant = message?.type === 'redeem' ? this.#ids.redeem(message.sourceId, place) : null;
			if (!grant) {
				port.postMessage({ type: 'ended', ...new Failure('bad-source-id').forPage() });
				port.disconnect();
				return;
			}
			this.#start(port, place, grant.hostShare, message);
		};
		port.onMessage.addListener(first);
	}

	/** @returns {ShareInfo[]} */
	list() {
		return [...this.#live.values()].map((share) => share.info);
	}

	/**
	 * Stops a share on the person's behalf.
	 *
	 * @param {number} key
	 */
	async stop(key) {
		await this.#live.get(key)?.stop();
	}

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {Place} place
	 * @param {HostShare} hostShare
	 * @param {Redeem} wish
	 */
	#start(port, place, hostShare, wish) {
		const key = this.#nextKey++;
		const share = new Share(port, hostShare, {
			key,
			origin: place.origin,
			title: port.sender?.tab?.title ?? '',
			tabId: place.tabId,
			surface: hostShare.surface,
			since: Date.now(),
		});
		this.#live.set(key, share);
		this.#onChange(this.list());
		void share.run(wish, () => {
			this.#live.delete(key);
			this.#onChange(this.list());
		});
	}
}
