/** What the toolbar shows: how many shares are live, and for the popup what went wrong last. */
import { ext } from './ext.js';

/**
 * @typedef {import('./shares.js').ShareInfo} ShareInfo
 * @typedef {import('../shared/failure.js').Failure} Failure
 */

/** @param {ShareInfo[]} live */
export function show(live) {
	const count = live.length;
	const title = count === 0 ? ext.i18n.getMessage('name') : ext.i18n.getMessage('sharing', [String(count)]);
	void ext.action.setBadgeBackgroundColor({ color: '#c01c28' });
	void ext.action.setBadgeTextColor({ color: '#ffffff' });
	void ext.action.setBadgeText({ text: count === 0 ? '' : String(count) });
	void ext.action.setTitle({ title });
	if (count > 0) {
		void ext.storage.session.remove('failure');
	}
	// Nobody listens while no popup is open.
	ext.runtime.sendMessage({ type: 'shares-changed' }).catch(() => {});
}

/**
 * Keeps the reason of a request that failed, for the popup; it survives the worker.
 *
 * @param {Failure} failure
 */
export function report(failure) {
	console.warn('Portlight:', failure.code, failure.message, failure.detail);
	const { code, message, remedy, detail } = failure;
	void ext.storage.session.set({ failure: { code, message, remedy, detail, when: Date.now() } });
}
