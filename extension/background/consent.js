/** Who may ask, and what is remembered: all that is decided before a dialog opens. docs/SECURITY.md has the rules. */
import { Failure } from '../shared/failure.js';
import { Cooldown } from './cooldown.js';
import { frameMayShare } from './frame-policy.js';
import { inFront } from './front.js';
import { siteAt } from './sites.js';
import { touchedNow, touchedSince, watchTouch } from './touch.js';

/** @typedef {import('./source-ids.js').Place} Place */

const SECURE = /^(https:\/\/|http:\/\/(localhost|[^/]+\.localhost|127\.0\.0\.1|\[::1\])(:\d+)?$)/;

export class Consent {
	#cooldown = new Cooldown();

	/**
	 * Rejects with a Failure when what is asked for is none of ours there. It is no answer to the person's rules: the page
	 * goes on with the browser's own, whatever these say.
	 *
	 * @param {Place} place
	 * @param {{display?: unknown}} wish
	 */
	async expectOffered(place, { display }) {
		if (display === true && !(await siteAt(place)).displayMedia) {
			throw new Failure('not-supported', 'getDisplayMedia is not switched on for this site.');
		}
	}

	/**
	 * Rejects with a Failure when this place may never ask: it starts no host, and learns nothing of it.
	 *
	 * @param {Place} place
	 */
	async expectRights(place) {
		if (!SECURE.test(place.origin)) {
			throw new Failure('insecure-page', place.origin);
		}
		if ((await siteAt(place)).consent === 'block') {
			throw new Failure('site-blocked', place.origin);
		}
		if (!(await frameMayShare(place))) {
			throw new Failure('frame-forbidden', place.origin);
		}
	}

	/**
	 * Rejects with a Failure when this place may not ask now.
	 *
	 * @param {Place} place
	 */
	async admit(place) {
		await this.expectRights(place);
		if (!(await inFront(place))) {
			throw new Failure('not-in-front', place.origin);
		}
		if (await this.#cooldown.holds(place, (since) => touchedSince(place, since))) {
			throw new Failure('cool-down', place.origin);
		}
	}

	/**
	 * How a request that was admitted ended.
	 *
	 * @param {Place} place
	 * @param {Failure | null} failure null: granted
	 */
	async settle(place, failure) {
		if (!failure) {
			await this.#cooldown.forgive(place);
		} else if (failure.code === 'denied' || failure.code === 'cancelled') {
			await this.#cooldown.note(place, failure.code === 'denied' ? 1 : 0.5);
			watchTouch(place);
		}
	}

	/**
	 * Whether what the person chooses is kept for this site, and what they chose before is used: they allowed that, the
	 * page does not object, the window is no private one, and they are at the page just now. It is the tab's own page, in
	 * front: a click into a frame may be meant for what is drawn over it.
	 *
	 * @param {Place} place
	 * @param {chrome.runtime.MessageSender} sender
	 * @param {{remember?: unknown}} wish
	 */
	async remembers(place, sender, wish) {
		if (wish.remember === false || sender.tab?.incognito !== false || place.frameId !== 0) {
			return false;
		}
		const { consent } = await siteAt(place);
		return consent === 'allow' && (await inFront(place)) && (await touchedNow(place));
	}
}
