/** The list of sites in the settings: what each may do, and what the host remembers of it. */
import { forgetSite, listSites, site } from '../background/sites.js';
import { consentSelect, siteSwitches } from './site-choices.js';
import { announce, ask, element, failureText, language, make, siteName, text } from './text.js';

/**
 * @typedef {import('../background/sites.js').Site} Site
 * @typedef {{origin: string, since: number, lastUsed: number, surface: string}} Grant
 */

/** @param {string} origin */
const itemOf = (origin) => [.../** @type {HTMLCollectionOf<HTMLElement>} */ (element('sites').children)].find((item) => item.dataset.origin === origin);

/** Takes a site's line away; the focus goes on to the next one. @param {HTMLElement} item */
function remove(item) {
	const next = item.nextElementSibling ?? item.previousElementSibling;
	item.remove();
	element('sites-none').hidden = next !== null;
	const heading = element('sites-heading');
	heading.tabIndex = -1;
	(/** @type {HTMLElement | null | undefined} */ (next?.querySelector('.forget')) ?? heading).focus();
}

/** @param {string} origin @returns {Promise<boolean>} whether the host remembers nothing of it now */
async function revoke(origin) {
	const answer = await ask('revoke', { origin });
	announce(answer?.ok ? text('revoked') : answer ? failureText(answer).message : text('backgroundSilent'));
	return answer?.ok === true;
}

/** @param {string} origin @param {Site} chosen */
function siteItem(origin, chosen) {
	const name = make('p', 'name', siteName(origin));
	name.title = origin;
	const forget = make('button', 'forget', text('forget'));
	forget.setAttribute('aria-label', text('forgetSite', siteName(origin)));
	forget.addEventListener('click', async () => {
		if (item.querySelector('.grant') && !(await revoke(origin))) {
			return;
		}
		await forgetSite(origin);
		remove(item);
	});
	const switches = siteSwitches(origin, chosen);
	const more = make('details', '', make('summary', 'quiet', text('more')), ...switches);
	const item = make('li', '', make('div', 'site', name, consentSelect(origin, chosen), forget), more);
	item.dataset.origin = origin;
	if (Object.values(chosen.managed).some(Boolean)) {
		item.append(make('p', 'quiet', text('managed')));
	}
	return item;
}

/** @param {string} wanted an origin that is shown though nothing is kept for it yet */
export async function showSites(wanted) {
	const rows = await listSites();
	const known = URL.canParse(wanted) && /^https?:/.test(wanted) ? new URL(wanted).origin : '';
	if (known && !rows.some(({ origin }) => origin === known)) {
		rows.unshift({ origin: known, ...(await site(known)) });
	}
	rows.sort((a, b) => Number(b.origin === known) - Number(a.origin === known) || siteName(a.origin).localeCompare(siteName(b.origin)));
	element('sites').replaceChildren(...rows.map(({ origin, ...chosen }) => siteItem(origin, chosen)));
	element('sites-none').hidden = rows.length > 0;
	if (known) {
		/** @type {HTMLDetailsElement} */ (element('sites').querySelector('details')).open = true;
		element('sites').querySelector('select')?.focus();
	}
}

/** @param {number} ms since 1970 */
function day(ms) {
	return new Date(ms).toLocaleDateString(language(), { dateStyle: 'medium' });
}

/** @param {Grant} grant */
function grantLine({ origin, since, lastUsed, surface }) {
	const what = text(surface === 'window' ? 'surfaceWindow' : 'surfaceMonitor');
	const button = make('button', '', text('revoke'));
	button.setAttribute('aria-label', text('revokeSite', siteName(origin)));
	button.addEventListener('click', async () => {
		if (await revoke(origin)) {
			line.remove();
			itemOf(origin)?.querySelector('select')?.focus();
		}
	});
	const line = make('div', 'grant row', make('p', 'words quiet', text('grantWords', what, day(since), day(lastUsed))), button);
	return line;
}

/** What the host remembers, as a line of each site. */
export async function showGrants() {
	/** @type {Grant[]} */
	const grants = (await ask('grants'))?.grants ?? [];
	for (const grant of grants) {
		const { origin } = grant;
		const item = itemOf(origin) ?? element('sites').appendChild(siteItem(origin, await site(origin)));
		item.querySelector('.grant')?.remove();
		item.querySelector('.site')?.after(grantLine(grant));
	}
	element('sites-none').hidden = element('sites').childElementCount > 0;
}
