/** Pages' requests for a source id: one dialog per tab at a time, one answer per request. */
import { Failure } from '../shared/failure.js';
import { placeOf } from './source-ids.js';

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{sourceId: string, sourceIds?: string[], canRequestAudioTrack?: boolean, restored?: boolean}} Given
 *   `sourceIds`: if several were asked for; `restored`: perhaps no dialog was shown
 * @typedef {{dialect?: unknown, sources?: unknown, cursor?: unknown, region?: unknown, multiple?: unknown, display?: unknown,
 *   exact?: unknown, remember?: unknown}} Wish
 * @typedef {(port: chrome.runtime.Port, place: Place, signal: AbortSignal, sources: string[], wish: Wish) =>
 *   Promise<string | Given>} Choose asks the user and returns the source id; rejects with a Failure
 */

/** A page that gets no dialog gets one answer in PAUSE_MS, however fast it asks, and each within PAUSE_MAX_MS. */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 5_000;
/** Portlight's own documented flow, and its API. @type {unknown[]} */
const OWN = [undefined, 'deepstream', 'portlight'];
const SOURCES = ['screen', 'window', 'tab', 'audio'];

/**
 * The sources that a page wants, in chrome.desktopCapture's words. Unknown ones are left out; sound alone isn't a source.
 * @param {unknown} wanted
 */
export function sourcesOf(wanted) {
	const known = Array.isArray(wanted) ? SOURCES.filter((name) => wanted.includes(name)) : [];
	return known.some((name) => name !== 'audio') ? known : ['screen', 'window', ...known];
}

/**
 * The same for the portal, which has no tabs and no sound: for a tab the user may choose the window that it is in.
 * @param {string[]} sources
 */
export function nativeSources(sources) {
	const monitor = sources.includes('screen') ? ['monitor'] : [];
	return [...monitor, ...(sources.some((name) => name === 'window' || name === 'tab') ? ['window'] : [])];
}

export class Requests {
	/** @type {Map<number, AbortController>} by tab, closes its open dialog */
	#pending = new Map();
	/** @type {Set<chrome.runtime.Port>} whose request has no answer yet */
	#asking = new Set();
	/** Closes every open dialog. */
	#withdrawal = new AbortController();
	/** @type {Map<number, number>} by tab, the time of the last refusal */
	#refused = new Map();
	#choose;
	#onFailure;
	#others;
	#consent;
	#onUnexplained;

	/**
	 * @param {Choose} choose
	 * @param {(failure: Failure) => void} onFailure called for every request that failed, unless the user or a rule decided so
	 * @param {() => Promise<boolean>} [others] whether pages made for other extensions are answered
	 * @param {Pick<import('./consent.js').Consent, 'expectOffered' | 'admit' | 'settle'>} [consent] who may ask
	 * @param {(failure: Failure, place: Place) => void} [onUnexplained] called for each failure that the page's dialect can't express
	 */
	constructor(choose, onFailure, others, consent, onUnexplained) {
		this.#choose = choose;
		this.#onFailure = onFailure;
		this.#others = others;
		this.#consent = consent;
		this.#onUnexplained = onUnexplained;
	}

	/** Aborts when the user closes the dialogs that are open now. */
	get withdrawn() {
		return this.#withdrawal.signal;
	}

	/**
	 * Opens a dialog that the user wants, not the page: no rule holds, and no refusal counts.
	 * @template Result @param {number} tabId of the page that it is for
	 * @param {(signal: AbortSignal) => Promise<Result>} open the signal closes the dialog
	 */
	openForUser(tabId, open) {
		return this.#alone(tabId, this.withdrawn, open);
	}

	/** The user declined a tab's dialog, in our popup. @param {number} tabId */
	decline(tabId) {
		this.#pending.get(tabId)?.abort();
	}

	/** Closes every open dialog; the pages are told `cancelled`. */
	withdraw() {
		this.#withdrawal.abort();
		this.#withdrawal = new AbortController();
	}

	/** Takes the port of a page's relay. @param {chrome.runtime.Port} port */
	connect(port) {
		const place = placeOf(port.sender);
		if (!place) {
			port.disconnect();
			return;
		}
		const gone = new AbortController();
		port.onDisconnect.addListener(() => gone.abort());
		port.onMessage.addListener((message) => {
			if (message?.type === 'request') {
				void this.#ask(port, place, gone.signal, message);
			}
		});
	}

	/** @param {chrome.runtime.Port} port @param {Place} place @param {AbortSignal} gone @param {Wish} wish */
	async #ask(port, place, gone, wish) {
		if (!OWN.includes(wish.dialect) && this.#others && !(await this.#others())) {
			return;
		}
		if (this.#asking.has(port)) {
			return; // The answer to the pending request answers this one too.
		}
		this.#asking.add(port);
		let answer;
		try {
			const given = await this.#admitted(port, place, AbortSignal.any([gone, this.withdrawn]), wish);
			answer = { type: 'granted', ...(typeof given === 'string' ? { sourceId: given } : given) };
		} catch (error) {
			const failure = Failure.from(error);
			if (!failure.intended) {
				this.#onFailure(failure);
			}
			if (wish.dialect !== 'portlight') {
				this.#onUnexplained?.(failure, place);
			}
			if (failure.code !== 'denied') {
				await this.#pause(place);
			}
			answer = { type: 'refused', ...failure.forPage() };
		}
		this.#asking.delete(port);
		if (!gone.aborted) {
			port.postMessage(answer);
		}
	}

	/** @param {chrome.runtime.Port} port @param {Place} place @param {AbortSignal} signal @param {Wish} wish */
	async #admitted(port, place, signal, wish) {
		await this.#consent?.expectOffered(place, wish);
		await this.#consent?.admit(place);
		if (signal.aborted) {
			throw new Failure('cancelled');
		}
		// Only after that: otherwise a frame that may not ask could keep its page from asking.
		return this.#alone(place.tabId, signal, async (either) => {
			try {
				const given = await this.#choose(port, place, either, sourcesOf(wish.sources), wish);
				if (typeof given === 'string' || !given.restored) {
					await this.#consent?.settle(place, null);
				}
				return given;
			} catch (error) {
				const failure = this.#pending.get(place.tabId)?.signal.aborted ? new Failure('denied') : Failure.from(error);
				await this.#consent?.settle(place, failure);
				throw failure;
			}
		});
	}

	/**
	 * Opens a dialog for a tab that has none open.
	 * @template Result @param {number} tabId @param {AbortSignal} signal
	 * @param {(signal: AbortSignal) => Promise<Result>} open the signal closes the dialog
	 */
	async #alone(tabId, signal, open) {
		if (this.#pending.has(tabId)) {
			throw new Failure('busy');
		}
		const declined = new AbortController();
		this.#pending.set(tabId, declined);
		try {
			return await open(AbortSignal.any([signal, declined.signal]));
		} finally {
			this.#pending.delete(tabId);
		}
	}

	/** @param {Place} place */
	async #pause({ tabId }) {
		const now = Date.now();
		const wait = Math.min(PAUSE_MAX_MS, (this.#refused.get(tabId) ?? 0) + PAUSE_MS - now);
		this.#refused.set(tabId, now + Math.max(0, wait));
		if (wait > 0) {
			await new Promise((resolve) => setTimeout(resolve, wait));
		}
	}
}
