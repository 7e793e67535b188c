/**
 * How long a page that was refused has to wait before it may ask again. The first refusals cost little, each further one
 * more; a page that the person has touched since waits less. What a page takes back counts half, or it could flash dialogs.
 * It is kept for the browser's session, so that it outlives the worker.
 */
import { ext } from './ext.js';

/** By how often in a row, without and with a touch since. */
const ALONE_MS = [0, 2_000, 10_000, 60_000, 300_000, 1_800_000];
const TOUCHED_MS = [0, 0, 0, 2_000, 10_000, 60_000];
const FORGET_MS = 3_600_000;
const KEPT_MAX = 200;

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{count: number, at: number}} Refusals
 */

/**
 * @param {number[]} table
 * @param {Refusals | undefined} refusals
 * @param {number} now
 */
function left(table, refusals, now) {
	const wait = table[Math.min(Math.floor(refusals?.count ?? 0), table.length - 1)];
	return Math.max(0, (refusals?.at ?? 0) + wait - now);
}

/**
 * The tab counts too: its page can have frames of any origin, and origins of any name. A site does not learn in one world
 * what happened to it in the other, so private windows count for themselves.
 *
 * @param {Place} place
 */
const keysOf = ({ tabId, origin, incognito }) => [`${incognito ? 'private' : 'origin'} ${origin}`, `tab ${tabId}`];

export class Cooldown {
	/** @type {Promise<Map<string, Refusals>> | null} */
	#kept = null;

	/** @returns {Promise<Map<string, Refusals>>} */
	#load() {
		this.#kept ??= ext.storage.session
			.get({ refusals: [] })
			.then(({ refusals }) => new Map(/** @type {[string, Refusals][]} */ (refusals)));
		return this.#kept;
	}

	/** @param {Map<string, Refusals>} kept */
	async #save(kept) {
		await ext.storage.session.set({ refusals: [...kept] });
	}

	/**
	 * @param {Place} place
	 * @param {() => Promise<boolean>} touched asked only where it matters
	 * @returns {Promise<boolean>} whether it is too early
	 */
	async holds(place, touched) {
		const kept = await this.#load();
		const now = Date.now();
		const [ofOrigin, ofTab] = keysOf(place).map((key) => kept.get(key));
		if (Math.max(left(ALONE_MS, ofOrigin, now), left(ALONE_MS, ofTab, now)) === 0) {
			return false;
		}
		return left(TOUCHED_MS, ofOrigin, now) > 0 || !(await touched());
	}

	/**
	 * @param {Place} place
	 * @param {number} weight 1 for the person's refusal
	 */
	async note(place, weight) {
		const kept = await this.#load();
		const now = Date.now();
		for (const [key, { at }] of kept) {
			if (now - at > FORGET_MS) {
				kept.delete(key);
			}
		}
		for (const key of keysOf(place)) {
			const count = (kept.get(key)?.count ?? 0) + weight;
			kept.delete(key);
			kept.set(key, { count, at: now });
		}
		for (const key of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT_MAX))) {
			kept.delete(key);
		}
		await this.#save(kept);
	}

	/** The person agreed. @param {Place} place */
	async forgive(place) {
		const kept = await this.#load();
		if (keysOf(place).filter((key) => kept.delete(key)).length > 0) {
			await this.#save(kept);
		}
	}
}
