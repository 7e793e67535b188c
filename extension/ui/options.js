/** The settings: whose dialog opens, defaults, each site's choices, the shortcut, and whether all is well. */
import { ext } from '../background/ext.js';
import { capturePath, DEFAULTS, defaults, managed, otherExtensions, setCapturePath, setDefault, setOtherExtensions } from '../background/settings.js';
import { diagnose } from './diagnostics.js';
import { showGrants, showSites } from './sites-list.js';
import { announce, element, make, number, say, setState, text, translate } from './text.js';

const saved = () => announce(text('saved'));

/** @typedef {{show: () => Promise<void>}} Part of the page that is shown again when another page changed what it shows */

/** Only browsers with a dialog of their own leave a choice. @returns {Part} */
function capturePart() {
	element('capture-card').hidden = !ext.desktopCapture;
	const inputs = [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name=capture]'))];
	for (const input of inputs) {
		input.addEventListener('change', async () => {
			await setCapturePath(/** @type {import('../background/settings.js').CapturePath} */ (input.value));
			saved();
		});
	}
	const show = async () => {
		const [chosen, { nativePath }] = await Promise.all([capturePath(), managed()]);
		element('capture-managed').hidden = nativePath === undefined;
		for (const input of inputs) {
			input.checked = input.value === chosen;
			input.disabled = nativePath !== undefined;
		}
	};
	return { show };
}

/** What each default can be, in words. @type {Record<string, (value: any) => string>} */
const DEFAULT_WORDS = {
	cursor: (value) => text(value === 'never' ? 'cursorNever' : 'cursorAlways'),
	maxFps: (value) => text('defaultFpsMost', number(value)),
	maxHeight: (value) => (value === 0 ? text('defaultHeightAny') : text('defaultHeightMost', String(value))),
	fidelity: (value) => text(value === 'text' ? 'fidelityText' : 'fidelityMotion'),
};
const DEFAULT_TITLES = { cursor: 'defaultCursor', maxFps: 'defaultFps', maxHeight: 'defaultHeight', fidelity: 'defaultFidelity' };

/** @returns {Part} */
function defaultsPart() {
	const selects = Object.entries(DEFAULTS).map(([name, values]) => {
		const select = make('select', '');
		select.name = name;
		const ordered = [...values].sort((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : 0));
		select.append(...ordered.map((value) => new Option(DEFAULT_WORDS[name](value), String(value))));
		select.addEventListener('change', async () => {
			await setDefault(name, values.find((value) => String(value) === select.value));
			saved();
		});
		const title = make('span', '', text(DEFAULT_TITLES[/** @type {keyof typeof DEFAULT_TITLES} */ (name)]));
		element('defaults').append(make('label', '', title, select));
		return select;
	});
	const show = async () => {
		const chosen = /** @type {Record<string, unknown>} */ (await defaults());
		selects.forEach((select) => (select.value = String(chosen[select.name])));
	};
	return { show };
}

/** @returns {Part} */
function othersPart() {
	const input = /** @type {HTMLInputElement} */ (element('other-extensions'));
	input.addEventListener('change', async () => {
		await setOtherExtensions(input.checked);
		saved();
	});
	const show = async () => {
		const [answered, { dialects }] = await Promise.all([otherExtensions(), managed()]);
		input.checked = answered;
		input.disabled = dialects !== undefined;
		element('others-managed').hidden = !input.disabled;
	};
	return { show };
}

async function showShortcut() {
	const commands = await ext.commands.getAll();
	const keys = commands.find(({ name }) => name === 'stop-all')?.shortcut;
	element('shortcut').replaceChildren(keys ? make('kbd', '', keys) : text('shortcutNone'));
	element('shortcut-change').addEventListener('click', () => {
		const { openShortcutSettings } = /** @type {any} */ (ext.commands);
		if (openShortcutSettings) {
			openShortcutSettings();
		} else {
			void ext.tabs.create({ url: 'chrome://extensions/shortcuts' });
		}
	});
}

/** @param {chrome.permissions.Permissions} missing which the browser is asked for: only a click may do that */
function allowButton(missing) {
	const button = make('button', 'remedy', text('accessAllow'));
	button.addEventListener('click', async () => {
		await ext.permissions.request(missing).catch(() => false);
		await showHealth();
		element('check').focus();
	});
	return button;
}

let report = '';

async function showHealth() {
	const list = element('health');
	const asking = make('p', '');
	setState(asking, 'asking', text('hostAsking'));
	list.replaceChildren(make('li', '', asking));
	const { findings, report: words } = await diagnose().catch((reason) => ({
		findings: [
			/** @type {import('./diagnostics.js').Finding} */
			({ kind: 'bad', words: text('backgroundSilent'), remedy: text('backgroundSilentRemedy') }),
		],
		report: `Portlight\n${reason}\n`,
	}));
	report = words;
	list.replaceChildren(
		...findings.map(({ kind, words, remedy, missing }) => {
			const item = make('li', '', make('p', ''));
			setState(/** @type {HTMLElement} */ (item.firstChild), kind, words);
			if (remedy) {
				say(item.appendChild(make('p', 'remedy quiet')), remedy);
			}
			if (missing) {
				item.append(allowButton(missing));
			}
			return item;
		}),
	);
}

translate();
element('check').addEventListener('click', () => void showHealth());
element('copy').addEventListener('click', async () => {
	await showHealth();
	try {
		await navigator.clipboard.writeText(report);
		announce(text('copied'));
	} catch {
		announce(text('copyFailed'));
	}
});
async function listSites() {
	await showSites(decodeURIComponent(location.hash.slice(1)));
	await showGrants();
}
window.addEventListener('hashchange', () => void listSites());
const parts = [capturePart(), defaultsPart(), othersPart()];
const showParts = () => Promise.all(parts.map(({ show }) => show()));
ext.storage.onChanged.addListener(() => void showParts());
ext.permissions.onAdded.addListener(() => void showHealth());
ext.permissions.onRemoved.addListener(() => void showHealth());
await Promise.all([listSites(), showParts(), showShortcut(), showHealth()]);
