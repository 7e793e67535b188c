/** The options page's lists of sites: what each may do, and what the host remembers of each. */
import { ext } from '../background/ext.js';
import { forgetSite, listSites, setSite, site } from '../background/sites.js';
import { element, failureText, language, make, siteName, text } from './text.js';

/**
 * @typedef {import('../background/sites.js').Site & {origin: string}} SiteRow
 * @typedef {{origin: string, since: number, lastUsed: number, surface: string}} Grant
 */

/**
 * The focus goes on to what took the place of a line that is gone.
 *
 * @param {string} list
 * @param {number} index where the line was
 * @param {...string} headings the first that is shown gets it where no line is left
 */
function focusLine(list, index, ...headings) {
	const buttons = /** @type {NodeListOf<HTMLElement>} */ (element(list).querySelectorAll('li > button'));
	const heading = headings.map(element).find((one) => one.checkVisibility());
	heading?.setAttribute('tabindex', '-1');
	(buttons[Math.min(index, buttons.length - 1)] ?? heading)?.focus();
}

/** @param {HTMLElement} item */
const indexOf = (item) => [...(item.parentElement?.children ?? [])].indexOf(item);

/**
 * @param {SiteRow} row
 * @param {() => void} saved
 * @param {() => Promise<void>} changed
 */
function siteItem({ origin, consent, displayMedia, managed }, saved, changed) {
	const name = make('p', 'name', siteName(origin));
	name.title = origin;
	const choice = make('select', '');
	choice.setAttribute('aria-label', `${siteName(origin)}: ${text('consentLabel')}`);
	for (const [value, label] of [['ask', 'consentAsk'], ['allow', 'consentAllow'], ['block', 'consentBlock']]) {
		choice.append(new Option(text(label), value, false, value === consent));
	}
	choice.disabled = managed.consent;
	choice.options[1].disabled = managed.remember && consent !== 'allow';
	choice.addEventListener('change', async () => {
		await setSite(origin, { consent: /** @type {any} */ (choice.value) });
		saved();
	});
	const ours = make('input', '');
	ours.type = 'checkbox';
	ours.setAttribute('role', 'switch');
	ours.checked = displayMedia;
	ours.disabled = managed.displayMedia;
	ours.addEventListener('change', async () => {
		await setSite(origin, { displayMedia: ours.checked });
		saved();
	});
	const forget = make('button', '', text('forget'));
	forget.setAttribute('aria-label', text('forgetSite', siteName(origin)));
	forget.addEventListener('click', async () => {
		const index = indexOf(item);
		await forgetSite(origin);
		await changed();
		focusLine('sites', index, 'sites-heading');
	});
	const label = make('label', 'switch', ours, make('span', 'quiet', text('displayMedia')));
	const item = make('li', 'site', name, choice, label, forget);
	if (Object.values(managed).some(Boolean)) {
		item.append(make('p', 'quiet', text('managed')));
	}
	return item;
}

/**
 * @param {string} wanted an origin that is shown though nothing is kept for it yet
 * @param {() => void} saved
 */
export async function showSites(wanted, saved) {
	const rows = await listSites();
	const known = URL.canParse(wanted) && /^https?:/.test(wanted) ? new URL(wanted).origin : '';
	if (known && !rows.some(({ origin }) => origin === known)) {
		rows.unshift({ origin: known, ...(await site(known)) });
	}
	rows.sort((a, b) => Number(b.origin === known) - Number(a.origin === known) || siteName(a.origin).localeCompare(siteName(b.origin)));
	const again = () => showSites('', saved);
	element('sites').replaceChildren(...rows.map((row) => siteItem(row, saved, again)));
	element('sites-none').hidden = rows.length > 0;
	if (known) {
		element('sites').querySelector('select')?.focus();
	}
}

/** @param {object} message @returns {Promise<any>} undefined where the background does not answer */
function ask(message) {
	return ext.runtime.sendMessage(message).catch(() => undefined);
}

/** @param {number} ms since 1970 */
function day(ms) {
	return new Date(ms).toLocaleDateString(language(), { dateStyle: 'medium' });
}

/**
 * @param {Grant} grant
 * @param {(words: string) => void} announce
 */
function grantItem({ origin, since, lastUsed, surface }, announce) {
	const what = text(surface === 'window' ? 'surfaceWindow' : 'surfaceMonitor');
	const words = make('p', 'quiet', text('grantWords', what, day(since), day(lastUsed)));
	const revoke = make('button', '', text('revoke'));
	revoke.setAttribute('aria-label', text('revokeSite', siteName(origin)));
	revoke.addEventListener('click', async () => {
		const index = indexOf(item);
		const answer = await ask({ type: 'revoke', origin });
		announce(answer?.ok ? text('revoked') : answer ? failureText(answer).message : text('backgroundSilent'));
		await showGrants(announce);
		focusLine('grants', index, 'grants-heading', 'sites-heading');
	});
	const item = make('li', 'row', make('div', 'words', make('p', 'name', siteName(origin)), words), revoke);
	return item;
}

/** @param {(words: string) => void} announce */
export async function showGrants(announce) {
	const answer = await ask({ type: 'grants' });
	/** @type {Grant[] | undefined} */
	const grants = answer?.grants;
	// A host that remembers nothing, or none at all, which the diagnostics tell.
	element('remembered').hidden = grants === undefined;
	element('grants').replaceChildren(...(grants ?? []).map((grant) => grantItem(grant, announce)));
	element('grants-none').hidden = grants === undefined || grants.length > 0;
}
