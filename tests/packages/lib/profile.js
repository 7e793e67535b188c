/** What a browser's own files say of the extension, once the browser is closed. */
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {chromiumId, firefoxId} from '../../e2e/lib/browser.js';

/** @typedef {import('../../e2e/lib/browser.js').Kind} Kind */

/**
 * @typedef {object} Profile
 * @property {boolean} on  whether the extension is there and on
 * @property {string[]} sites  that it may enter
 * @property {boolean | null} onToolbar  whether its button is there; null: the profile does not say
 * @property {string} welcomed  what it keeps of its first run: '', 'not needed' or 'shown'
 * @property {string[]} tabs  that were open at the end
 */

/** Every file below, with what is in it. @param {string} folder @param {RegExp} name */
function contents(folder, name) {
	const files = /** @type {string[]} */ (existsSync(folder) ? readdirSync(folder, {recursive: true}) : []);
	return files.filter((file) => name.test(file)).map((file) => readFileSync(join(folder, file), 'latin1'));
}

/** @param {string} file */
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Firefox's own packing of JSON. @param {string} file */
const mozLz4 = (file) => JSON.parse(spawnSync('lz4jsoncat', [file], {encoding: 'utf8'}).stdout);

/** @param {string} home */
function firefoxFolder(home) {
	const folder = join(home, '.config/mozilla/firefox');
	return join(folder, readdirSync(folder).find((name) => name.endsWith('.default-esr')) ?? '');
}

/** What the extension keeps of its first run, also while the browser runs. @param {import('./person.js').Person} person @param {Kind} kind */
export function welcomed({home}, kind) {
	const texts =
		kind === 'firefox'
			? contents(join(firefoxFolder(home), 'storage/default'), /^moz-extension.*\.sqlite(-wal)?$/)
			: contents(join(home, '.config/chromium/Default/Local Extension Settings'), /\.(log|ldb)$/);
	return ['shown', 'not needed'].find((word) => texts.some((text) => text.includes(word))) ?? '';
}

/** @param {string} home */
function firefox(home) {
	const profile = firefoxFolder(home);
	const addon = json(join(profile, 'extensions.json')).addons.find((/** @type {any} */ {id}) => id === firefoxId);
	const prefs = readFileSync(join(profile, 'prefs.js'), 'utf8');
	const state = /^user_pref\("browser\.uiCustomization\.state", (".*")\);$/m.exec(prefs)?.[1];
	const bar = state ? JSON.parse(JSON.parse(state)).placements['nav-bar'] : [];
	const {windows} = mozLz4(join(profile, 'sessionstore.jsonlz4'));
	return {
		on: addon?.active === true,
		sites: json(join(profile, 'extension-preferences.json'))[firefoxId]?.origins ?? [],
		onToolbar: bar.includes('portlight_portlight-browser-action'),
		tabs: windows.flatMap((/** @type {any} */ {tabs}) => tabs.map((/** @type {any} */ {entries}) => entries.at(-1).url)),
	};
}

/** @param {string} home */
function chromium(home) {
	const profile = join(home, '.config/chromium/Default');
	const settings = ['Preferences', 'Secure Preferences'].map((file) => json(join(profile, file)).extensions?.settings?.[chromiumId]);
	const found = settings.find((one) => one?.path && one.disable_reasons?.length === 0);
	// Commands of a tab's history, each address as it is.
	const [session] = readdirSync(join(profile, 'Sessions')).filter((name) => name.startsWith('Session_')).sort().reverse();
	const commands = readFileSync(join(profile, 'Sessions', session), 'latin1');
	return {
		on: found !== undefined,
		sites: found?.active_permissions.explicit_host ?? [],
		onToolbar: null,
		tabs: commands.match(/(?:https?|file|chrome-extension):\/\/[!-~]+/g) ?? [],
	};
}

/** @param {import('./person.js').Person} person @param {Kind} kind @returns {Profile} */
export function profileOf(person, kind) {
	return {...(kind === 'firefox' ? firefox(person.home) : chromium(person.home)), welcomed: welcomed(person, kind)};
}
