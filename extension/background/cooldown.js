/**
 * How long a page has to wait after a refusal before it may ask again: longer after each, less if the user clicked or typed
 * in it since. A request that the page withdraws counts half; otherwise a page could flash dialogs. The count is kept in
 * the browser's session, because the worker doesn't live that long.
 */
import { ext } from './ext.js';
import { runIn, runInTab } from './inject.js';

/** By refusals in a row: if the page asks by itself, and if the user touched it since. */
const ALONE_MS = [0, 2_000, 10_000, 60_000, 300_000, 1_800_000];
const TOUCHED_MS = [0, 0, 0, 2_000, 10_000, 60_000];
const FORGET_MS = 3_600_000;
const KEPT_MAX = 200;

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{count: number, at: number}} Refusals
 */

/** @param {number[]} table @param {Refusals} refusals @param {number} now */
function waits(table, { count, at }, now) {
	return at + table[Math.min(Math.floor(count), table.length - 1)] > now;
}

/** The registered part of a host name: its last two labels, or three below `co.uk` and its like. */
const REGISTERED = /[^.]+\.((com?|org|net|edu|gov|ac|or|ne|go)\.[a-z]{2}|(?!\d+$)[^.]+)$/;

/**
 * Whoever owns one name of a site owns all of them, and every port; on this machine each port is a site of its own.
 * Extensions can't read the public suffix list, so sites below a less common suffix count as one.
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
 * The tab counts too: its page can have frames of any site. Private windows count separately, so that a site can't
 * recognize a user by what it was refused there.
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
	 * @param {Place} place @param {(since: number) => Promise<boolean>} touched only called if it matters
	 * @returns {Promise<boolean>} whether it is too early
	 */
	async holds(place, touched) {
		const kept = await this.#load();
		const now = Date.now();
		const refusals = keysOf(place).flatMap((key) => kept.get(key) ?? []);
		const any = (/** @type {number[]} */ table) => refusals.some((one) => waits(table, one, now));
		// Called even if a touch doesn't help yet: a new frame is watched from then on.
		return any(ALONE_MS) && (!(await touched(Math.max(...refusals.map(({ at }) => at)))) || any(TOUCHED_MS));
	}

	/** @param {Place} place @param {number} weight 1: the user refused */
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

	/** The user agreed. @param {Place} place */
	async forgive(place) {
		const kept = await this.#load();
		if (keysOf(place).filter((key) => kept.delete(key)).length > 0) {
			await this.#save(kept);
		}
	}
}

/** Browsers report user activation for 5 s; what they report this long after a refusal began after it. */
const ACTIVE_MS = 6_000;

/**
 * Runs in frames, in the extension's own world, which can tell the page's events from the user's. A document that loaded
 * after the refusal isn't watched yet, and the browser's user activation may be older: Chromium carries it over to the
 * next document of the same origin in that frame.
 * @param {boolean} fresh forget earlier clicks
 * @param {boolean} late user activation that the browser reports now began after the refusal
 */
function watch(fresh, late) {
	const world = /** @type {any} */ (globalThis);
	// A symbol: any other name on a window may belong to an element of the page.
	const touched = Symbol.for('portlight touched');
	for (const type of world[touched] === undefined ? ['pointerdown', 'keydown'] : []) {
		const note = (/** @type {any} */ event) => {
			world[touched] ||= event.isTrusted && event.key !== 'Escape';
		};
		window.addEventListener(type, note, true);
	}
	world[touched] = !fresh && (world[touched] === true || (late && navigator.userActivation.isActive));
	return world[touched];
}

/** Runs there too. */
function isActive() {
	return navigator.userActivation.isActive;
}

/**
 * Restarts the watch in every frame of the tab: only later clicks count. Not awaited: a frame runs scripts in the order in
 * which they were sent, and a frame that hangs runs none.
 * @param {Place} place
 */
export function watchTouch({ tabId }) {
	void runInTab(tabId, watch, true, false);
}

/**
 * Whether the user clicked or typed in the frame since the tab or the site was refused. From now on the frame is watched.
 * @param {Place} place @param {number} since
 */
export async function touchedSince(place, since) {
	const late = Date.now() - since > ACTIVE_MS;
	return (await runIn(place, watch, false, late)) === true;
}

/** Whether the user just clicked or typed in the frame. @param {Place} place */
export async function touchedNow(place) {
	return (await runIn(place, isActive)) === true;
}
