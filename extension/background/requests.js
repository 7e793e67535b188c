/** Pages' requests for a source id: one dialog per tab at a time, each request answered once. */
import { Failure } from '../shared/failure.js';
import { placeOf } from './source-ids.js';

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {(port: chrome.runtime.Port, place: Place, signal: AbortSignal) => Promise<string>} Choose asks the person and
 *   gives the source id; rejects with a Failure
 */

export class Requests {
	/** @type {Map<number, chrome.runtime.Port>} by tab, the page that asks */
	#pending = new Map();
	#choose;
	#onFailure;

	/**
	 * @param {Choose} choose
	 * @param {(failure: Failure) => void} onFailure told of every request that failed other than by a person's decision
	 */
	constructor(choose, onFailure) {
		this.#choose = choose;
		this.#onFailure = onFailure;
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
				void this.#ask(port, place, gone.signal);
			}
		});
	}

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {Place} place
	 * @param {AbortSignal} gone
	 */
	async #ask(port, place, gone) {
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
			answer = { type: 'granted', sourceId: await this.#choose(port, place, gone) };
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
