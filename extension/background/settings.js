/** What the user chose in the settings, with what the organization manages (managed.json is its schema) laid over it. */
import { ext } from './ext.js';

/**
 * @typedef {{dialects?: boolean, allowedSites?: string[], blockedSites?: string[], nativePath?: 'forced' | 'off',
 *   remember?: boolean}} Managed
 */

/** @returns {Promise<Managed>} */
export async function managed() {
	try {
		return await ext.storage.managed.get(null);
	} catch {
		return {}; // Firefox rejects where nothing is managed.
	}
}

/**
 * Whose dialog a page's request opens, in a browser that has its own. `auto`: the desktop's if the host answers, the
 * session is Wayland and the page wants no tab and no sound, because there the browser would open the desktop's too;
 * else the browser's. `chooser`: the browser's. `native`: the desktop's. `browser`: never the desktop's, in no browser;
 * only an organization can say so.
 *
 * @typedef {'auto' | 'chooser' | 'native' | 'browser'} CapturePath
 */

/** @type {CapturePath[]} */
const PATHS = ['auto', 'chooser', 'native'];

/** @returns {Promise<CapturePath>} */
export async function capturePath() {
	const [{ nativePath }, { capturePath: chosen }] = await Promise.all([managed(), ext.storage.local.get({ capturePath: 'auto' })]);
	return nativePath === 'forced' ? 'native' : nativePath === 'off' ? 'browser' : (PATHS.find((path) => path === chosen) ?? 'auto');
}

/** @param {CapturePath} chosen */
export async function setCapturePath(chosen) {
	await ext.storage.local.set({ capturePath: chosen });
}

/**
 * Whether pages that were made for other screen-sharing extensions are answered. Portlight's own documented flow
 * (`requestScreenSourceId`) always is.
 * @returns {Promise<boolean>}
 */
export async function otherExtensions() {
	const [{ dialects }, { otherExtensions: chosen }] = await Promise.all([managed(), ext.storage.local.get({ otherExtensions: true })]);
	return (dialects ?? chosen) !== false;
}

/** @param {boolean} answered */
export async function setOtherExtensions(answered) {
	await ext.storage.local.set({ otherExtensions: answered });
}

/** Each default has a key of its own in the storage: what one page of settings changes undoes nothing that another changed. */
const DEFAULT = 'default:';

/**
 * What holds on the native path where a page asks for nothing of the kind, and what can be chosen: the first is what holds
 * where the user chose nothing. `maxHeight` is in pixels, 0: no bound.
 *
 * @typedef {{cursor: string, maxFps: number, maxHeight: number, fidelity: string}} Defaults
 */
export const DEFAULTS = Object.freeze({
	cursor: ['always', 'never'],
	maxFps: [30, 15, 60],
	maxHeight: [0, 1440, 1080, 720],
	fidelity: ['motion', 'text'],
});

/** @returns {Promise<Defaults>} */
export async function defaults() {
	const known = Object.entries(DEFAULTS);
	const chosen = await ext.storage.local.get(Object.fromEntries(known.map(([name, [first]]) => [DEFAULT + name, first])));
	const valid = known.map(([name, values]) => [name, values.find((value) => value === chosen[DEFAULT + name]) ?? values[0]]);
	return Object.fromEntries(valid);
}

/** @param {string} name @param {unknown} value */
export async function setDefault(name, value) {
	await ext.storage.local.set({ [DEFAULT + name]: value });
}
