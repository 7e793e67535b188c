/** Pages' requests for a source id: one dialog per tab at a time, each request answered once. */
import { Failure } from '../shared/failure.js';
import { placeOf } from './source-ids.js';

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{sourceId: string, canRequestAudioTrack?: boolean}} Given
 * @typedef {(port: chrome.runtime.Port, place: Place, signal: AbortSignal, sources: string[]) => Promise<string | Given>}
 *   Choose asks the person and gives the source id; rejects with a Failure
 */

const SOURCES = ['screen', 'window', 'tab', 'audio'];

/**
 * The sources that a page wants, in chrome.desktopCapture's words. What is none of these is left out; sound is no
 * source by itself.
 *
 * @param {unknown} wanted
 */
export function sourcesOf(wanted) {
	const known = Array.isArray(wanted) ? SOURCES.filter((name) => wanted.includes(name)) : [];
	return known.some((name) => name !== 'audio') ? known : ['screen', 'window', ...known];
}

/**
 * The same for the portal, which knows no tabs and no sound: for a tab the person may choose the window that it is in.
 *
 * @param {string[]} sources
 */
export function nativeSources(sources) {
	const monitor = sources.includes('screen') ? ['monitor'] : [];
	return [...monitor, ...(sources.some((name) => name === 'window' || name === 'tab') ? ['window'] : [])];
}

export class Requests {
	/** @type {Map<number, chrome.runtime.Port>} by tab, the page that asks */
	#pending = new Map();
	#choose;
	#onFailure;
	#off;

	/**
	 * @param {Choose} choose
	 * @param {(failure: Failure) => void} onFailure told of every request that failed other than by a person's decision
	 * @param {() => Promise<string[]>} [off] the dialects that are switched off: what they ask is never answered
	 */
	constructor(choose, onFailure, off) {
		this.#choose = choose;
		this.#onFailure = onFailure;
		this.#off = off;
	}

	/**
	 * Takes the port of a page's relay.
	 *
	 * @param {chrome.runtime.Port} port
	 */
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

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {Place} place
	 * @param {AbortSignal} gone
	 * @param {{dialect?: unknown, sources?: unknown}} wish
	 */
	async #ask(port, place, gone, wish) {
		if (this.#off && (await this.#off()).includes(String(wish.dialect ?? 'deepstream'))) {
			return;
		}
		const asking = this.#pending.get(place.tabId);
		if (asking === port) {
			return; // The answer to the request that is pending answers this one too.
		}
		let answer;
		try {
			if (asking) {
				throw new Failure('busy');
			}
			this.#pending.set(place.tabId, port);
			const given = await this.#choose(port, place, gone, sourcesOf(wish.sources));
			answer = { type: 'granted', ...(typeof given === 'string' ? { sourceId: given } : given) };
		} catch (error) {
			const failure = Failure.from(error);
			if (!failure.intended) {
				this.#onFailure(failure);
			}
			answer = { type: 'refused', code: failure.code, message: failure.message, remedy: failure.remedy };
		}
		if (this.#pending.get(place.tabId) === port) {
			this.#pending.delete(place.tabId);
		}
		if (!gone.aborted) {
			port.postMessage(answer);
		}
	}
}
