/**
 * What each site may do: the user's choices in storage.local, with what the organization manages laid over them. The
 * host's grants follow them. Sites are origins, as the browser names them.
 */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';
import { managed } from './settings.js';

/**
 * `ask`: the desktop's dialog opens at each request. `allow`: what the user chose there once is shared again without
 * it, as far as the host keeps a grant of this origin. `block`: nothing of this site is answered with a dialog.
 *
 * @typedef {'ask' | 'allow' | 'block'} Consent
 * @typedef {{consent: Consent, displayMedia: boolean, legacy: boolean}} Choices `displayMedia`: our getDisplayMedia is used
 *   on that site; `legacy`: its pages were made for another screen-sharing extension, and look for it while they load
 * @typedef {Choices & {managed: {consent: boolean, displayMedia: boolean, remember: boolean}}} Site `managed`: what of
 *   it the organization decided
 */

/** Said by a host that keeps nothing: none at all, or an older one. */
const KEEPS_NOTHING = ['host-missing', 'unknown-type'];

/** @type {Consent[]} */
const CONSENTS = ['ask', 'allow', 'block'];

/**
 * What Firefox lets the user decide before the host may learn the address of a site that remembers (docs/PRIVACY.md); null:
 * the browser has no such permission, or the user agreed to it at installation.
 * @returns {chrome.permissions.Permissions | null}
 */
export function dataPermission() {
	const { browser_specific_settings: { gecko } = {} } = /** @type {any} */ (ext.runtime.getManifest());
	const data = { data_collection: ['browsingActivity'] };
	return gecko?.data_collection_permissions?.optional?.includes(data.data_collection[0]) ? /** @type {any} */ (data) : null;
}

async function mayRemember() {
	const data = dataPermission();
	return !data || ext.permissions.contains(data);
}

/** @param {string} origin whether it is one that a choice can be kept for; an opaque origin ("null") is none */
function isOrigin(origin) {
	return URL.canParse(origin) && new URL(origin).origin === origin && origin !== 'null';
}

/**
 * How closely a managed pattern names an origin; 0: not at all. `*` is every site, `https://*.example.org` is
 * example.org and all below it, anything else is one origin.
 * @param {unknown} pattern @param {string} origin
 */
function closeness(pattern, origin) {
	if (typeof pattern !== 'string' || !isOrigin(origin)) {
		return 0;
	}
	if (pattern === '*') {
		return 1;
	}
	const url = pattern.replace('://*.', '://');
	if (!URL.canParse(url)) {
		console.warn('Portlight: a managed site is no origin:', pattern);
		return 0;
	}
	const wanted = new URL(url);
	if (url === pattern) {
		return wanted.origin === origin ? Infinity : 0;
	}
	const { protocol, hostname, port } = new URL(origin);
	const below = hostname === wanted.hostname || hostname.endsWith(`.${wanted.hostname}`);
	return below && protocol === wanted.protocol && port === wanted.port ? 1 + wanted.hostname.length : 0;
}

/** @param {unknown} patterns @param {string} origin */
function closest(patterns, origin) {
	return Math.max(0, ...(Array.isArray(patterns) ? patterns : []).map((pattern) => closeness(pattern, origin)));
}

/**
 * The choices of a site under what is managed.
 * @param {Partial<Choices>} chosen @param {string} origin @param {import('./settings.js').Managed} policy
 * @param {boolean} remember whether the browser lets the host remember @returns {Site}
 */
function under(chosen, origin, policy, remember) {
	const [allowed, blocked] = [closest(policy.allowedSites, origin), closest(policy.blockedSites, origin)];
	const forgetful = policy.remember === false;
	const nativeOff = policy.nativePath === 'off';
	/** @type {Consent} */
	let consent = CONSENTS.find((one) => one === chosen.consent) ?? 'ask';
	if (allowed > blocked) {
		consent = 'allow';
	} else if (blocked > 0) {
		consent = 'block';
	}
	return {
		consent: consent === 'allow' && (forgetful || !remember) ? 'ask' : consent,
		displayMedia: !nativeOff && chosen.displayMedia === true,
		legacy: chosen.legacy === true,
		managed: { consent: allowed > 0 || blocked > 0, displayMedia: nativeOff, remember: forgetful },
	};
}

/** @returns {Promise<Record<string, Partial<Choices>>>} by origin */
async function chosenSites() {
	const { sites } = await ext.storage.local.get({ sites: {} });
	return /** @type {any} */ (sites);
}

/** Changes follow one another, so that none undoes another. */
let changes = Promise.resolve();

/** @param {(sites: Record<string, Partial<Choices>>) => void} how */
function change(how) {
	const changed = changes.then(async () => {
		const sites = await chosenSites();
		how(sites);
		await ext.storage.local.set({ sites });
	});
	changes = changed.catch(() => {});
	return changed;
}

/** @param {string} origin @returns {Promise<Site>} */
export async function site(origin) {
	const [sites, policy, remember] = await Promise.all([chosenSites(), managed(), mayRemember()]);
	return under(Object.hasOwn(sites, origin) ? sites[origin] : {}, origin, policy, remember);
}

/**
 * What holds for the page that asks. A frame borrows nothing: what the user chose for its site holds in a frame of another
 * site only as far as it holds for that one too, and *never share* of either is enough.
 * @param {import('./source-ids.js').Place} place @returns {Promise<Site>}
 */
export async function siteAt({ origin, top }) {
	const own = await site(origin);
	if (top === undefined) {
		return own;
	}
	const around = await site(top);
	const consent = [own, around].some((one) => one.consent === 'block') ? 'block' : 'ask';
	return { ...own, consent, displayMedia: own.displayMedia && around.displayMedia };
}

/**
 * Keeps the user's choices for an origin; what is not named stays.
 * @param {string} origin @param {Partial<Choices>} choices
 */
export async function setSite(origin, { consent, displayMedia, legacy }) {
	if (!isOrigin(origin)) {
		throw new TypeError(`no origin: ${origin}`);
	}
	if (consent !== undefined && !CONSENTS.includes(consent)) {
		throw new TypeError(`no kind of consent: ${consent}`);
	}
	await change((sites) => {
		sites[origin] = {
			...(Object.hasOwn(sites, origin) && sites[origin]),
			...(consent !== undefined && { consent }),
			...(displayMedia !== undefined && { displayMedia: displayMedia === true }),
			...(legacy !== undefined && { legacy: legacy === true }),
		};
	});
}

/** @returns {Promise<(Site & {origin: string})[]>} those that the user chose something for */
export async function listSites() {
	const [sites, policy, remember] = await Promise.all([chosenSites(), managed(), mayRemember()]);
	return Object.keys(sites).map((origin) => ({ origin, ...under(sites[origin], origin, policy, remember) }));
}

/** @param {string} origin */
export async function forgetSite(origin) {
	await change((sites) => {
		delete sites[origin];
	});
}

/** Calls back for each site that the user allowed and now no longer does. @param {(origin: string) => void} callback */
export function onDisallowed(callback) {
	ext.storage.onChanged.addListener((changed, area) => {
		if (area !== 'local' || !changed.sites) {
			return;
		}
		const { oldValue: before = {}, newValue: after = {} } = /** @type {any} */ (changed.sites);
		for (const origin of Object.keys(before)) {
			if (before[origin].consent === 'allow' && after[origin]?.consent !== 'allow') {
				callback(origin);
			}
		}
	});
}

/**
 * From now on the host forgets what a site may no longer have remembered.
 * @param {import('./host.js').Host} host
 * @param {(failure: Failure) => void} report told when something may be remembered that should not be
 */
export function begin(host, report) {
	/** @param {() => Promise<unknown>} change */
	const attempt = async (change) => {
		try {
			await change();
		} catch (error) {
			const failure = Failure.from(error);
			if (!KEEPS_NOTHING.includes(failure.code)) {
				report(failure);
			}
		}
	};
	/** @param {string} origin */
	const revoke = (origin) => host.revoke(origin);
	const followPolicy = async () => {
		const { grants = [] } = await host.grants();
		for (const { origin } of grants) {
			const { consent, managed } = await site(origin);
			// What the user decided may be otherwise in another browser, which has the same host.
			if (consent !== 'allow' && (managed.consent || managed.remember)) {
				await revoke(origin);
			}
		}
	};
	onDisallowed((origin) => void attempt(() => revoke(origin)));
	ext.storage.onChanged.addListener((_changes, area) => {
		if (area === 'managed') {
			void attempt(followPolicy);
		}
	});
}
