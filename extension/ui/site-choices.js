/** What the user can choose for a site, in the popup and in the settings. */
import { ext } from '../background/ext.js';
import { dataPermission, setSite } from '../background/sites.js';
import { announce, make, siteName, text } from './text.js';

/**
 * @typedef {import('../background/sites.js').Consent} Consent
 * @typedef {import('../background/sites.js').Site} Site
 */

/** @type {[Consent, string][]} */
const CONSENTS = [['ask', 'consentAsk'], ['allow', 'consentAllow'], ['block', 'consentBlock']];

/**
 * To be called in the click's own turn: in Firefox the browser is asked first whether the host may remember, and it allows
 * that question nowhere else. The prompt may close the popup, so the choice is kept before the answer; without it, the
 * site is asked about all the same (sites.js).
 *
 * @param {string} origin
 * @param {Consent} consent
 * @returns {Promise<boolean>} false: the user doesn't agree, so the site is asked about each time
 */
async function keepConsent(origin, consent) {
	const data = consent === 'allow' ? dataPermission() : null;
	const agreed = data ? ext.permissions.request(data).catch(() => false) : true;
	await setSite(origin, { consent });
	if (!(await agreed)) {
		await setSite(origin, { consent: 'ask' });
		return false;
	}
	return true;
}

/** @param {string} origin @param {Site} site @param {boolean} [locked] */
export function consentSelect(origin, { consent, managed }, locked = false) {
	const select = make('select', '');
	select.append(...CONSENTS.map(([value, label]) => new Option(text(label), value, false, value === consent)));
	select.setAttribute('aria-label', `${siteName(origin)}: ${text('consentLabel')}`);
	select.disabled = locked || managed.consent;
	select.options[1].disabled = managed.remember && consent !== 'allow';
	select.addEventListener('change', async () => {
		const kept = await keepConsent(origin, /** @type {Consent} */ (select.value));
		select.value = kept ? select.value : 'ask';
		announce(text(kept ? 'saved' : 'rememberRefused'));
	});
	return select;
}

/** @param {string} origin @param {Site} site @param {boolean} [locked] */
export function siteSwitches(origin, site, locked = false) {
	return /** @type {const} */ (['displayMedia', 'legacy']).map((name) => {
		const input = make('input', '');
		input.type = 'checkbox';
		input.name = name;
		input.setAttribute('role', 'switch');
		input.checked = site[name];
		input.disabled = locked || (name === 'displayMedia' && site.managed.displayMedia);
		input.addEventListener('change', async () => {
			await setSite(origin, { [name]: input.checked });
			announce(text('saved'));
		});
		return make('label', 'switch', make('span', '', text(name)), input);
	});
}
