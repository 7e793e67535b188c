/** The popup: what is shared with whom, with Pause and Stop; who asks; what failed last; this site's choices. */
import { ext } from '../background/ext.js';
import { capturePath } from '../background/settings.js';
import { site } from '../background/sites.js';
import { showHints } from './hints.js';
import { ShareCard } from './share-card.js';
import { consentSelect, siteSwitches } from './site-choices.js';
import { announce, ask, element, failureText, lacking, make, say, setState, text, translate } from './text.js';

/** @typedef {import('../background/share.js').ShareInfo} ShareInfo */

const AGAIN_MS = 3_000;

/** @type {Map<number, ShareCard>} by the share's key */
const cards = new Map();

let askers = '[]';

/** @param {{tabId: number, site: string}[]} asking whose dialogs are open */
function showAsking(asking) {
	if (JSON.stringify(asking) === askers) {
		return; // A new button wouldn't have the focus.
	}
	askers = JSON.stringify(asking);
	const cards = asking.map(({ tabId, site: name }) => {
		const cancel = make('button', '', text('cancel'));
		cancel.setAttribute('aria-label', text('cancelSite', name));
		cancel.addEventListener('click', () => void ask('decline', { tabId }));
		return make('li', 'card note', make('p', 'lead', text('asks', name)), cancel);
	});
	const focused = element('asking').contains(document.activeElement);
	element('asking').replaceChildren(...cards);
	element('asking').hidden = cards.length === 0;
	if (focused) {
		element('settings').focus();
	}
}

/** @param {ShareInfo[]} shares */
function showShares(shares) {
	for (const [key, card] of cards) {
		if (!shares.some((share) => share.key === key)) {
			const focused = card.element.contains(document.activeElement);
			card.remove();
			cards.delete(key);
			announce(text('ended', card.site));
			if (focused) {
				element('settings').focus();
			}
		}
	}
	for (const share of shares) {
		let card = cards.get(share.key);
		if (!card) {
			card = new ShareCard(share);
			cards.set(share.key, card);
			element('shares').append(card.element);
		}
		card.update(share);
	}
	element('shares').hidden = shares.length === 0;
	// Browsers give a popup 600 pixels of height: two large pictures don't fit.
	element('shares').classList.toggle('compact', shares.length > 1);
	element('stop-all').hidden = shares.length < 2;
	element('none').hidden = shares.length > 0 || askers !== '[]';
}

/** The code of the failure that is shown. */
let failed = '';

async function showFailure() {
	/** @type {{failure?: {code: string, message: string, remedy: string}}} */
	const { failure } = await ext.storage.session.get('failure');
	failed = failure?.code ?? '';
	element('failure').hidden = !failure;
	if (failure) {
		const { message, remedy } = failureText(failure);
		say(element('failure-message'), message);
		say(element('failure-remedy'), remedy);
	}
	hostState();
}

async function refresh() {
	const [asking, shares] = await Promise.all([ask('asking'), ask('shares')]);
	// No answer: the background is just starting.
	showAsking(Array.isArray(asking) ? asking : []);
	showShares(Array.isArray(shares) ? shares : []);
	await showFailure();
}

async function showSite() {
	const [tab] = await ext.tabs.query({ active: true, currentWindow: true });
	const origin = tab?.url && /^https?:/.test(tab.url) ? new URL(tab.url).origin : '';
	if (!origin) {
		return; // No page that could ask.
	}
	const chosen = await site(origin);
	const switches = siteSwitches(origin, chosen, tab.incognito);
	switches.forEach((one) => one.addEventListener('change', () => (element('reload').hidden = false)));
	const label = make('label', 'field', make('span', '', text('consentLabel')), consentSelect(origin, chosen, tab.incognito));
	element('site-choices').prepend(label, ...switches);
	element('site-name').textContent = text('siteSettings', new URL(origin).host);
	element('site-managed').hidden = !Object.values(chosen.managed).some(Boolean);
	element('site-private').hidden = !tab.incognito;
	element('reload').addEventListener('click', () => {
		void ext.tabs.reload(/** @type {number} */ (tab.id));
		window.close();
	});
	/** @type {HTMLDetailsElement} */ (element('site')).open = cards.size === 0 && failed === '';
	element('site').hidden = false;
}

/** What the host's line says; `code` of what is wrong. @type {{kind: 'good' | 'bad' | 'asking', words: string, code?: string}} */
let host = { kind: 'asking', words: text('hostAsking') };

/** The same failure isn't told twice. */
function hostState() {
	const line = element('host-state');
	line.hidden = host.code !== undefined && host.code === failed;
	setState(line, host.kind, host.words);
}

async function showHost() {
	const status = await ask('host-status');
	const lack = lacking(status);
	host = lack ? { kind: 'bad', words: lack.message, code: lack.code } : { kind: 'good', words: text('hostGood', status.version) };
	hostState();
	if (['host-slow', 'portal-timeout'].includes(lack?.code ?? '')) {
		setTimeout(() => void showHost(), AGAIN_MS); // It may only be starting.
	}
}

/** What goes by the browser's own dialog isn't listed here. */
async function showBrowserShares() {
	element('browser-shares').hidden = !ext.desktopCapture || (await capturePath()) === 'native';
}

translate();
element('settings').addEventListener('click', () => {
	void ext.runtime.openOptionsPage();
	window.close();
});
element('stop-all').addEventListener('click', () => void ask('stop-all'));
element('forgive').addEventListener('click', async () => {
	await ask('forgive');
	await showFailure();
	element('settings').focus();
});
ext.runtime.onMessage.addListener((message) => {
	if (message?.type === 'shares-changed') {
		void refresh();
	}
});
setInterval(() => void refresh(), 1000);
hostState();
await Promise.all([refresh().then(showSite), showHost(), showHints(), showBrowserShares()]);
