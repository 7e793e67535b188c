/** What the person chose in the options page. */
import { dialectNames } from '../shared/dialect-names.js';
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

/**
 * Each switch and each default has a key of its own in the storage: what one page of settings changes undoes nothing that
 * another has changed meanwhile.
 */
const DIALECT = 'dialect:';
const DEFAULT = 'default:';

/** @returns {Promise<string[]>} the dialects that are switched off; by themselves they all are on */
export async function dialectsOff() {
	const names = Object.keys(dialectNames);
	const [chosen, decided] = await Promise.all([
		ext.storage.local.get(Object.fromEntries(names.map((name) => [DIALECT + name, true]))),
		managedDialects(),
	]);
	return names.filter((name) => (decided[name] ?? chosen[DIALECT + name]) === false);
}

/**
 * @param {string} name
 * @param {boolean} on
 */
export async function setDialect(name, on) {
	await ext.storage.local.set({ [DIALECT + name]: on });
}

/**
 * What holds on the native path where a page asks for nothing of the kind, and what can be chosen: the first is what holds
 * where the person chose nothing. `maxHeight` is in pixels, 0: no bound.
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

/**
 * @param {string} name
 * @param {unknown} value
 */
export async function setDefault(name, value) {
	await ext.storage.local.set({ [DEFAULT + name]: value });
}
