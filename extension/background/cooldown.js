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
 * @param {Refusals} refusals
 * @param {number} now
 */
function waits(table, { count, at }, now) {
	return at + table[Math.min(Math.floor(count), table.length - 1)] > now;
}

/** The part of a host name that is registered: its last two labels, or three where the last two are a country's. */
const REGISTERED = /[^.]+\.((com?|org|net|edu|gov|ac|or|ne|go)\.[a-z]{2}|(?!\d+$)[^.]+)$/;

/**
 * Whoever has one name of a site has them all, and every port; on this machine each port is somebody's own. An extension
 * is told of no public suffixes, so those who share a less common one are one site here.
 *
 * @param {string} origin
 */
function siteOf(origin) {
	const { hostname, port } = new URL(origin);
	if (/(^|\.)localhost$|^127\.|^\[/.test(hostname)) {
		return `${hostname.replace(/.*\.localhost$/, 'localhost')}:${port}`;
	}
	const name = hostname.replace(/\.$/, '');
	return REGISTERED.exec(name)?.[0] ?? name;
}

/**
 * The tab counts too: its page can have frames of any site. A site does not learn in one world what happened to it in the
 * other, so private windows count for themselves.
 *
 * @param {Place} place
 */
const keysOf = ({ tabId, origin, incognito }) => [`${incognito ? 'private' : 'site'} ${siteOf(origin)}`, `tab ${tabId}`];

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
	 * @param {(since: number) => Promise<boolean>} touched asked only where it matters
	 * @returns {Promise<boolean>} whether it is too early
	 */
	async holds(place, touched) {
		const kept = await this.#load();
		const now = Date.now();
		const refusals = keysOf(place).flatMap((key) => kept.get(key) ?? []);
		const any = (/** @type {number[]} */ table) => refusals.some((one) => waits(table, one, now));
		// Asked even where a touch does not help yet: from then on a frame that is new is watched.
		return any(ALONE_MS) && (!(await touched(Math.max(...refusals.map(({ at }) => at)))) || any(TOUCHED_MS));
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
