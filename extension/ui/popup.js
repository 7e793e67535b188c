/** The popup: what is shared with whom and what it costs, with Pause and Stop; what failed last; this site's choices. */
import { ext } from '../background/ext.js';
import { capturePath } from '../background/settings.js';
import { setSite, site } from '../background/sites.js';
import { portalFailure } from '../shared/failure.js';
import { ShareCard } from './share-card.js';
import { element, failureText, make, setState, text, translate } from './text.js';

/** @typedef {import('../background/share.js').ShareInfo} ShareInfo */

const AGAIN_MS = 3_000;

/** @type {Map<number, ShareCard>} by the share's key */
const cards = new Map();

/** @param {string} words for who does not see the page */
function announce(words) {
	element('announce').textContent = words;
}

let askers = '[]';

/** @param {{tabId: number, site: string}[]} asking whose dialogs are open */
function showAsking(asking) {
	if (JSON.stringify(asking) === askers) {
		return; // Made anew, a button would lose the focus.
	}
	askers = JSON.stringify(asking);
	const cards = asking.map(({ tabId, site: name }) => {
		const cancel = make('button', '', text('cancel'));
		cancel.setAttribute('aria-label', text('cancelSite', name));
		cancel.addEventListener('click', () => void ext.runtime.sendMessage({ type: 'decline', tabId }));
		return make('li', 'card', make('p', 'lead', text('asks', name)), cancel);
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
	element('live').hidden = shares.length === 0;
	// One share says by itself that it is one: room for what matters.
	element('live-heading').classList.toggle('unseen', shares.length < 2);
	element('stop-all').hidden = shares.length < 2;
	element('none').hidden = shares.length > 0 || askers !== '[]';
}

async function showFailure() {
	/** @type {{failure?: {code: string, message: string, remedy: string}}} */
	const { failure } = await ext.storage.session.get('failure');
	element('failure').hidden = !failure;
	if (failure) {
		const { message, remedy } = failureText(failure);
		element('failure-message').textContent = message;
		element('failure-remedy').textContent = remedy;
	}
}

async function refresh() {
	const [asking, shares] = await Promise.all(['asking', 'shares'].map((type) => ext.runtime.sendMessage({ type })));
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
	const consent = /** @type {HTMLSelectElement} */ (element('consent'));
	const displayMedia = /** @type {HTMLInputElement} */ (element('display-media'));
	const chosen = await site(origin);
	element('site-name').textContent = new URL(origin).host;
	element('site').hidden = false;
	consent.value = chosen.consent;
	consent.disabled = chosen.managed.consent || tab.incognito;
	const allow = /** @type {HTMLOptionElement} */ (consent.querySelector('[value=allow]'));
	allow.disabled = chosen.managed.remember && chosen.consent !== 'allow';
	displayMedia.checked = chosen.displayMedia;
	displayMedia.disabled = chosen.managed.displayMedia || tab.incognito;
	element('site-managed').hidden = !Object.values(chosen.managed).some(Boolean);
	element('site-private').hidden = !tab.incognito;
	consent.addEventListener('change', async () => {
		await setSite(origin, { consent: /** @type {any} */ (consent.value) });
		announce(text('saved'));
	});
	displayMedia.addEventListener('change', async () => {
		await setSite(origin, { displayMedia: displayMedia.checked });
		announce(text('saved'));
	});
}

/** @param {boolean} [again] it was asked before, and is slow */
async function showHost(again = false) {
	const line = element('host-state');
	if (!again) {
		setState(line, 'asking', text('hostAsking'));
	}
	const status = await ext.runtime.sendMessage({ type: 'host-status' });
	if (!status?.ok) {
		setState(line, 'bad', status ? failureText(status).message : text('hostAsking'));
		if (status?.code === 'host-slow') {
			void showHost(true);
		}
		return;
	}
	const portal = portalFailure(status);
	if (portal) {
		setState(line, 'bad', failureText(portal).message);
		if (portal.code === 'portal-timeout') {
			setTimeout(() => void showHost(true), AGAIN_MS); // It may only be starting.
		}
	} else if (status.pipewire === false) {
		setState(line, 'bad', text('pipewireMissing'));
	} else {
		setState(line, 'good', text('hostGood', status.version));
	}
}

/** What goes by the browser's own dialog is nothing that could be listed here. */
async function showBrowserShares() {
	element('browser-shares').hidden = !ext.desktopCapture || (await capturePath()) === 'native';
}

translate();
element('settings').addEventListener('click', () => {
	void ext.runtime.openOptionsPage();
	window.close();
});
element('stop-all').addEventListener('click', () => void ext.runtime.sendMessage({ type: 'stop-all' }));
element('forgive').addEventListener('click', async () => {
	await ext.runtime.sendMessage({ type: 'forgive' });
	await showFailure();
	element('settings').focus();
});
ext.runtime.onMessage.addListener((message) => {
	if (message?.type === 'shares-changed') {
		void refresh();
	}
});
setInterval(() => void refresh(), 1000);
await Promise.all([refresh(), showSite(), showHost(), showBrowserShares()]);
