/**
 * The live shares of the native path. Each joins one share of the host with the port of the page that redeemed its source
 * id. When one side goes, the other is told.
 */
import { Failure } from '../shared/failure.js';
import { Share } from './share.js';
import { placeOf, SourceIds } from './source-ids.js';

/**
 * @typedef {import('./host.js').HostShare} HostShare
 * @typedef {import('./share.js').Redeem} Redeem
 * @typedef {import('./share.js').ShareInfo} ShareInfo
 * @typedef {import('./share.js').Who} Who
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{maxFps?: number, maxHeight?: number, fidelity?: string}} Bounds
 */

const GUESS_MS = 100;

/** @param {chrome.runtime.Port} port of a page that redeemed another's id */
function refuse(port) {
	try {
		port.postMessage({ type: 'ended', ...new Failure('bad-source-id').forPage() });
		port.disconnect();
	} catch {
		// The page went away.
	}
}

/** @param {Redeem} wish @param {Bounds} bounds @returns {Redeem} the wish, with the user's bounds where it has none */
function within(wish, { maxFps, maxHeight, fidelity }) {
	const sized = wish.maxWidth !== undefined || wish.maxHeight !== undefined;
	return {
		...wish,
		maxFps: wish.maxFps ?? maxFps,
		maxHeight: sized ? wish.maxHeight : maxHeight,
		fidelity: wish.fidelity ?? fidelity,
	};
}

export class Shares {
	/** @type {SourceIds<{hostShare: HostShare, page: chrome.runtime.Port, bounds: Bounds}>} */
	#ids = new SourceIds();
	/** @type {Map<number, Share>} */
	#live = new Map();
	#nextKey = 1;
	#onChange;
	#onFailure;

	/**
	 * @param {(live: ShareInfo[]) => void} onChange called when a share begins, ends, is paused or goes on
	 * @param {(failure: Failure) => void} [onFailure] called for every share that ended and shouldn't have
	 */
	constructor(onChange, onFailure) {
		this.#onChange = onChange;
		this.#onFailure = onFailure;
	}

	/**
	 * Returns the source id for a share that the user granted to a page. The share ends if that page's port closes or the id
	 * isn't redeemed in time.
	 * @param {Place} place @param {HostShare} hostShare @param {chrome.runtime.Port} page
	 * @param {Bounds} [bounds] what applies if the page that redeems it sets none
	 */
	grant(place, hostShare, page, bounds = {}) {
		const grant = { hostShare, page, bounds };
		hostShare.onEnded = (failure) => {
			this.#ids.forget(grant);
			this.#over(failure);
		};
		page.onDisconnect.addListener(() => {
			if (this.#ids.forget(grant)) {
				void hostShare.stop();
			}
		});
		return this.#ids.mint(place, grant, () => void hostShare.stop());
	}

	/** Takes the port on which a page's track redeems a source id. @param {chrome.runtime.Port} port */
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
				// Late, so that guessing ids is slow.
				setTimeout(() => refuse(port), GUESS_MS);
				return;
			}
			this.#start(port, place, grant.hostShare, within(message, grant.bounds));
		};
		port.onMessage.addListener(first);
	}

	/** A live share; without one throws a Failure. @param {number} key */
	expect(key) {
		const share = this.#live.get(key);
		if (!share) {
			throw new Failure('unknown-share');
		}
		return share;
	}

	/** @returns {ShareInfo[]} */
	list() {
		return [...this.#live.values()].map((share) => share.info);
	}

	/** Whether this site has a share, or is about to. @param {string} origin */
	has(origin) {
		return this.#ids.some((place) => place.origin === origin) || this.list().some((share) => share.origin === origin);
	}

	/** Stops a share for the user. @param {number} key */
	async stop(key) {
		await this.#live.get(key)?.stop();
	}

	/** Stops every share, including those granted and not redeemed yet. */
	async stopAll() {
		const granted = this.#ids.drain().map(({ hostShare }) => hostShare);
		await Promise.all([...this.#live.values(), ...granted].map((share) => share.stop()));
	}

	/** The page gets no pictures until whoever paused the share resumes it. @param {number} key @param {Who} [who] */
	pause(key, who = 'person') {
		this.#live.get(key)?.pause(who);
		this.#onChange(this.list());
	}

	/** @param {number} key @param {Who} [who] */
	resume(key, who = 'person') {
		this.#live.get(key)?.resume(who);
		this.#onChange(this.list());
	}

	/**
	 * Switches a live share to another source. If that fails it goes on as it is, and this rejects with a Failure.
	 * @param {Share} share @param {HostShare} next @param {unknown} [region] of it
	 */
	async change(share, next, region) {
		await share.change(next, region);
		this.#onChange(this.list());
	}

	/** What a share costs; null if there is no such share or the host can't tell. @param {number} key */
	async stats(key) {
		return this.#live.get(key)?.stats() ?? null;
	}

	/**
	 * Takes the port on which one of the extension's own pages asks for copies of a share's frames.
	 * @param {chrome.runtime.Port} port
	 */
	preview(port) {
		/** @param {any} message */
		const first = (message) => {
			port.onMessage.removeListener(first);
			const share = this.#live.get(message?.key);
			if (share) {
				share.preview(port);
			} else {
				port.disconnect();
			}
		};
		port.onMessage.addListener(first);
	}

	/** @param {chrome.runtime.Port} port @param {Place} place @param {HostShare} hostShare @param {Redeem} wish */
	#start(port, place, hostShare, wish) {
		const key = this.#nextKey++;
		const share = new Share(port, hostShare, {
			key,
			origin: place.origin,
			...(place.top && { top: place.top }),
			title: port.sender?.tab?.title ?? '',
			tabId: place.tabId,
			since: Date.now(),
		});
		port.onMessage.addListener((message) => this.#fromPage(key, place, message));
		this.#live.set(key, share);
		this.#onChange(this.list());
		void share.run(wish, (failure) => {
			this.#live.delete(key);
			this.#onChange(this.list());
			this.#over(failure);
		});
	}

	/** @param {Failure} failure */
	#over(failure) {
		if (!failure.intended) {
			this.#onFailure?.(failure);
		}
	}

	/** @param {number} key @param {Place} place @param {any} message */
	#fromPage(key, place, message) {
		if (message?.type === 'pause') {
			this.pause(key, 'page');
		} else if (message?.type === 'resume') {
			this.resume(key, 'page');
		} else if (message?.type === 'change') {
			void this.#changeForPage(key, this.#ids.redeem(message.sourceId, place), message.region);
		}
	}

	/** @param {number} key @param {{hostShare: HostShare} | null} grant @param {unknown} region */
	async #changeForPage(key, grant, region) {
		const share = this.#live.get(key);
		if (!share || !grant) {
			share?.refuse(new Failure('bad-source-id'));
			await grant?.hostShare.stop();
			return;
		}
		try {
			await this.change(share, grant.hostShare, region);
		} catch (error) {
			share.refuse(Failure.from(error));
		}
	}
}
