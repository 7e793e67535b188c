/**
 * The source ids of the native path: `portlight:` and 128 random bits, single use, bound to the tab, frame and origin
 * that asked, dead after 30 seconds.
 */

export const PREFIX = 'portlight:';
export const LIFETIME_MS = 30_000;

/**
 * Where a message came from: the browser says so, never the page. `documentId`: if the browser tells the documents of a
 * frame apart; `incognito`: in a private window; `top`: in a frame of another site, the origin of the tab's page, "null" if
 * that is unknown.
 *
 * @typedef {{tabId: number, frameId: number, origin: string, documentId?: string, incognito?: boolean, top?: string}} Place
 */

/** @param {chrome.runtime.MessageSender | undefined} sender @returns {Place | null} null: it wasn't a page in a tab */
export function placeOf(sender) {
	const { documentId, frameId, origin, tab } = sender ?? {};
	if (tab?.id === undefined || frameId === undefined || origin === undefined) {
		return null;
	}
	const around = frameId === 0 ? origin : URL.canParse(tab.url ?? '') ? new URL(/** @type {string} */ (tab.url)).origin : 'null';
	return {
		...{ tabId: tab.id, frameId, origin },
		...(documentId && { documentId }),
		...(tab.incognito && { incognito: true }),
		...(around !== origin && { top: around }),
	};
}

/** @param {Place} a @param {Place} b */
export function samePlace(a, b) {
	return a.tabId === b.tabId && a.frameId === b.frameId && a.origin === b.origin && a.documentId === b.documentId;
}

function randomId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	const text = btoa(String.fromCharCode(...bytes));
	return PREFIX + text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @template Grant what the id stands for */
export class SourceIds {
	/** @type {Map<string, {place: Place, grant: Grant, timer: ReturnType<typeof setTimeout>}>} */
	#entries = new Map();

	/**
	 * Returns a new id for `grant`.
	 * @param {Place} place @param {Grant} grant
	 * @param {(grant: Grant) => void} onExpired called if nobody redeems it in time
	 */
	mint(place, grant, onExpired) {
		const id = randomId();
		const timer = setTimeout(() => {
			this.#entries.delete(id);
			onExpired(grant);
		}, LIFETIME_MS);
		this.#entries.set(id, { place, grant, timer });
		return id;
	}

	/**
	 * Returns what the id stands for, once, to the place it was given to; else null. An attempt from another place doesn't
	 * use the id up.
	 * @param {unknown} id @param {Place} place @returns {Grant | null}
	 */
	redeem(id, place) {
		const entry = typeof id === 'string' ? this.#entries.get(id) : undefined;
		if (!entry || !samePlace(entry.place, place)) {
			return null;
		}
		this.#remove(/** @type {string} */ (id));
		return entry.grant;
	}

	/** @param {(place: Place, grant: Grant) => boolean} which */
	some(which) {
		return [...this.#entries.values()].some(({ place, grant }) => which(place, grant));
	}

	/**
	 * Forgets the id of a grant that ended or whose page is gone. Returns whether there was one.
	 * @param {Grant} grant
	 */
	forget(grant) {
		for (const [id, entry] of this.#entries) {
			if (entry.grant === grant) {
				this.#remove(id);
				return true;
			}
		}
		return false;
	}

	/** Forgets every id. Returns what they stood for. */
	drain() {
		const entries = [...this.#entries];
		entries.forEach(([id]) => this.#remove(id));
		return entries.map(([, { grant }]) => grant);
	}

	/** @param {string} id */
	#remove(id) {
		clearTimeout(this.#entries.get(id)?.timer);
		this.#entries.delete(id);
	}
}
