/** Decides, before any dialog opens, who may ask and whether a choice is remembered. docs/SECURITY.md has the rules. */
import { Failure } from '../shared/failure.js';
import { Cooldown, touchedNow, touchedSince, watchTouch } from './cooldown.js';
import { ext } from './ext.js';
import { frameMayShare } from './frame-policy.js';
import { runIn } from './inject.js';
import { siteAt } from './sites.js';

/** @typedef {import('./source-ids.js').Place} Place */

const SECURE = /^(https:\/\/|http:\/\/(localhost|[^/]+\.localhost|127\.0\.0\.1|\[::1\])(:\d+)?$)/;

/**
 * Runs in the frame, in the extension's own world. It reads the prototype's getters, because an element that the page
 * names `visibilityState` hides the document's property.
 */
function isVisible() {
	const read = (/** @type {string} */ name) => Object.getOwnPropertyDescriptor(Document.prototype, name)?.get?.call(document);
	return read('visibilityState') === 'visible' && read('prerendering') !== true;
}

/**
 * Whether the user sees this document now: it is visible, in the active tab of the browser window that last had the focus.
 * A document that nobody sees opens no dialog, uses no remembered choice and starts no host.
 * @param {Place} place
 */
export async function inFront(place) {
	const [front] = await ext.tabs.query({ active: true, lastFocusedWindow: true });
	return front?.id === place.tabId && (await runIn(place, isVisible)) === true;
}

export class Consent {
	#cooldown = new Cooldown();

	/**
	 * Rejects with a Failure if Portlight doesn't offer this here. The user's rules don't matter then: the page goes on
	 * with the browser's own function.
	 * @param {Place} place @param {{display?: unknown}} wish
	 */
	async expectOffered(place, { display }) {
		if (display === true && !(await siteAt(place)).displayMedia) {
			throw new Failure('not-supported', 'getDisplayMedia is not switched on for this site.');
		}
	}

	/**
	 * Rejects with a Failure if this place may never ask: then it starts no host and learns nothing about it.
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

	/** Rejects with a Failure if this place may not ask now. @param {Place} place */
	async admit(place) {
		await this.expectRights(place);
		if (!(await inFront(place))) {
			throw new Failure('not-in-front', place.origin);
		}
		if (await this.#cooldown.holds(place, (since) => touchedSince(place, since))) {
			throw new Failure('cool-down', place.origin);
		}
	}

	/** Takes the result of an admitted request. @param {Place} place @param {Failure | null} failure null: granted */
	async settle(place, failure) {
		if (!failure) {
			await this.#cooldown.forgive(place);
		} else if (failure.code === 'denied' || failure.code === 'cancelled') {
			await this.#cooldown.note(place, failure.code === 'denied' ? 1 : 0.5);
			watchTouch(place);
		}
	}

	/**
	 * Whether the user's choice is kept for this site, and an earlier one used: they allowed that, the page doesn't object,
	 * the window isn't private, and they just clicked or typed in the page. Only for a tab's own page, in front: a click
	 * into a frame may be meant for what the page draws over it.
	 * @param {Place} place @param {chrome.runtime.MessageSender} sender @param {{remember?: unknown}} wish
	 */
	async remembers(place, sender, wish) {
		if (wish.remember === false || sender.tab?.incognito !== false || place.frameId !== 0) {
			return false;
		}
		const { consent } = await siteAt(place);
		return consent === 'allow' && (await inFront(place)) && (await touchedNow(place));
	}
}
