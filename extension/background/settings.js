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

/** @returns {Promise<Record<string, boolean>>} by name, what the organization decided about dialects */
export async function managedDialects() {
	try {
		const { dialects } = await ext.storage.managed.get('dialects');
		return dialects ?? {};
	} catch {
		return {}; // Firefox rejects where nothing is managed.
	}
}

/** @returns {Promise<string[]>} the dialects that are switched off; by themselves they all are on */
export async function dialectsOff() {
	const { dialects } = await ext.storage.local.get({ dialects: {} });
	const all = { ...dialects, ...(await managedDialects()) };
	return Object.keys(all).filter((name) => all[name] === false);
}

/**
 * @param {string} name
 * @param {boolean} on
 */
export async function setDialect(name, on) {
	const { dialects } = await ext.storage.local.get({ dialects: {} });
	await ext.storage.local.set({ dialects: { ...dialects, [name]: on } });
}
