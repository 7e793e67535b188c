/** The options page: which way a request takes, and whether the host is well. */
import { ext } from '../background/ext.js';
import { capturePath, dialectsOff, managedDialects, setCapturePath, setDialect } from '../background/settings.js';
import { dialectNames } from '../shared/dialect-names.js';
import { errors } from '../shared/errors.js';
import { element, text, translate } from './text.js';

/**
 * @param {string} id
 * @param {'good' | 'bad' | ''} kind
 * @param {string} words
 */
function state(id, kind, words) {
	element(id).className = `state ${kind}`;
	element(id).textContent = words;
	element(id).hidden = words === '';
}

async function checkHost() {
	state('host', '', text('hostAsking'));
	state('portal', '', '');
	element('remedy').textContent = '';
	element('portal-remedy').textContent = '';
	const status = await ext.runtime.sendMessage({ type: 'host-status' });
	if (!status.ok) {
		state('host', 'bad', status.message);
		element('host').title = status.detail;
		element('remedy').textContent = status.remedy;
		return;
	}
	state('host', 'good', text('hostReady', status.version));
	if (status.portal > 0) {
		state('portal', 'good', text('portalReady', String(status.portal)));
	} else {
		const { message, remedy } = errors['portal-missing'];
		state('portal', 'bad', message);
		element('portal-remedy').textContent = remedy;
	}
}

async function showCapturePath() {
	const chosen = await capturePath();
	for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name=capture]'))) {
		input.checked = input.value === chosen;
		input.addEventListener('change', async () => {
			await setCapturePath(/** @type {import('../background/settings.js').CapturePath} */ (input.value));
			element('saved').textContent = text('saved');
		});
	}
}

/** A switch for each dialect; one that the organization decided about shows that and stays. */
async function showDialects() {
	const [off, managed] = await Promise.all([dialectsOff(), managedDialects()]);
	for (const [name, title] of Object.entries(dialectNames)) {
		const input = document.createElement('input');
		input.type = 'checkbox';
		input.name = name;
		input.checked = !off.includes(name);
		input.disabled = name in managed;
		input.addEventListener('change', async () => {
			await setDialect(name, input.checked);
			element('dialects-saved').textContent = text('saved');
		});
		const words = document.createElement('span');
		words.textContent = title;
		const label = document.createElement('label');
		label.className = 'choice';
		label.append(input, words);
		const item = document.createElement('li');
		item.append(label);
		element('dialects').append(item);
	}
}

translate();
element('check').addEventListener('click', () => void checkHost());
await showCapturePath();
await showDialects();
await checkHost();
