/** What the person chose in the options page. */
import { ext } from './ext.js';

/**
 * Which way a page's request takes: `native` is always the host, `auto` is chrome.desktopCapture where the browser has
 * it and the host elsewhere.
 *
 * @typedef {'auto' | 'native'} CapturePath
 */

/** @returns {Promise<CapturePath>} */
export async function capturePath() {
	const { capturePath: chosen } = await ext.storage.local.get({ capturePath: 'auto' });
	return chosen === 'native' ? chosen : 'auto';
}

/** @param {CapturePath} chosen */
export async function setCapturePath(chosen) {
	await ext.storage.local.set({ capturePath: chosen });
}
