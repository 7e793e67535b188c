/** What the person chose in the options page. */
import { ext } from './ext.js';

/**
 * Which way a page's request takes: `browser` is chrome.desktopCapture, `native` the host; `auto` prefers the browser's
 * own where there is one.
 *
 * @typedef {'auto' | 'browser' | 'native'} CapturePath
 */

/** @returns {Promise<CapturePath>} */
export async function capturePath() {
	const { capturePath: chosen } = await ext.storage.local.get({ capturePath: 'auto' });
	return chosen === 'browser' || chosen === 'native' ? chosen : 'auto';
}

/** @param {CapturePath} chosen */
export async function setCapturePath(chosen) {
	await ext.storage.local.set({ capturePath: chosen });
}
