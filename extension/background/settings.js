/** What the person chose in the options page. */
import { ext } from './ext.js';
import { managed } from './managed.js';

/**
 * Which way a page's request takes: `native` is always the host, `auto` is chrome.desktopCapture where the browser has
 * it and the host elsewhere. `browser` is never the host; only an organization can say so.
 *
 * @typedef {'auto' | 'native' | 'browser'} CapturePath
 */

/** @returns {Promise<CapturePath | null>} what the organization decided */
export async function managedCapturePath() {
	const { nativePath } = await managed();
	return nativePath === 'forced' ? 'native' : nativePath === 'off' ? 'browser' : null;
}

/** @returns {Promise<CapturePath>} */
export async function capturePath() {
	const { capturePath: chosen } = await ext.storage.local.get({ capturePath: 'auto' });
	return (await managedCapturePath()) ?? (chosen === 'native' ? chosen : 'auto');
}

/** @param {CapturePath} chosen */
export async function setCapturePath(chosen) {
	await ext.storage.local.set({ capturePath: chosen });
}

/** @returns {Promise<Record<string, boolean>>} by name, what the organization decided about dialects */
export async function managedDialects() {
	return (await managed()).dialects ?? {};
}

/** @returns {Promise<Record<string, boolean>>} by name, what the person decided about dialects */
async function chosenDialects() {
	const { dialects } = await ext.storage.local.get({ dialects: {} });
	return /** @type {any} */ (dialects);
}

/** @returns {Promise<string[]>} the dialects that are switched off; by themselves they all are on */
export async function dialectsOff() {
	const all = { ...(await chosenDialects()), ...(await managedDialects()) };
	return Object.keys(all).filter((name) => all[name] === false);
}

/**
 * @param {string} name
 * @param {boolean} on
 */
export async function setDialect(name, on) {
	await ext.storage.local.set({ dialects: { ...(await chosenDialects()), [name]: on } });
}
