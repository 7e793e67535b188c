/** The options page: each site's choices, what is remembered, which way a request takes, and whether all is well. */
import { ext } from '../background/ext.js';
import { managed } from '../background/managed.js';
import { capturePath, dialectsOff, managedDialects, setCapturePath, setDialect } from '../background/settings.js';
import { dialectNames } from '../shared/dialect-names.js';
import { diagnose } from './diagnostics.js';
import { showGrants, showSites } from './sites-list.js';
import { element, make, setState, text, translate } from './text.js';

/** @type {ReturnType<typeof setTimeout> | undefined} */
let quiet;

/** @param {string} words said for a moment */
function announce(words) {
	element('announce').textContent = words;
	clearTimeout(quiet);
	quiet = setTimeout(() => (element('announce').textContent = ''), 2500);
}

const saved = () => announce(text('saved'));

async function showCapturePath() {
	const [chosen, { nativePath }] = await Promise.all([capturePath(), managed()]);
	element('capture-managed').hidden = nativePath === undefined;
	for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name=capture]'))) {
		input.checked = input.value === chosen;
		input.disabled = nativePath !== undefined;
		input.addEventListener('change', async () => {
			await setCapturePath(/** @type {import('../background/settings.js').CapturePath} */ (input.value));
			saved();
		});
	}
}

/** A switch for each dialect; one that the organization decided about shows that and stays. */
async function showDialects() {
	const [off, decided] = await Promise.all([dialectsOff(), managedDialects()]);
	const inputs = Object.entries(dialectNames).map(([name, title]) => {
		const input = make('input', '');
		input.type = 'checkbox';
		input.name = name;
		input.checked = !off.includes(name);
		input.disabled = name in decided;
		input.addEventListener('change', async () => {
			await setDialect(name, input.checked);
			count();
			saved();
		});
		element('dialects').append(make('li', '', make('label', 'choice', input, make('span', '', title))));
		return input;
	});
	const count = () => {
		const on = inputs.filter(({ checked }) => checked).length;
		element('dialects-count').textContent = text('dialectsCount', String(on), String(inputs.length));
	};
	count();
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
		...findings.map(({ kind, words, remedy = '' }) => {
			const line = make('p', '');
			setState(line, kind, words);
			return make('li', '', line, ...(remedy ? [make('p', 'remedy quiet', remedy)] : []));
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
const listSites = () => showSites(decodeURIComponent(location.hash.slice(1)), saved);
window.addEventListener('hashchange', () => void listSites());
await Promise.all([listSites(), showGrants(announce), showCapturePath(), showDialects(), showShortcut(), showHealth()]);
