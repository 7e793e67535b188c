/**
 * What each site may do: the person's choices in storage.local, with what the organization manages laid over them.
 * Sites are origins, as the browser names them.
 */
import { ext } from './ext.js';
import { managed } from './managed.js';

/**
 * `ask`: the desktop's dialog opens at each request. `allow`: what the person chose there once is shared again without
 * it, as far as the host keeps a grant of this origin. `block`: nothing of this site is answered with a dialog.
 *
 * @typedef {'ask' | 'allow' | 'block'} Consent
 * @typedef {{consent: Consent, displayMedia: boolean}} Choices `displayMedia`: our getDisplayMedia is used on that site
 * @typedef {Choices & {managed: {consent: boolean, displayMedia: boolean, remember: boolean}}} Site `managed`: what of
 *   it the organization decided
 */

/** @type {Consent[]} */
const CONSENTS = ['ask', 'allow', 'block'];

/** Where the browser has none of its own, ours is used. A worker can't tell; browsers with such workers have one. */
export function displayMediaMissing() {
	const devices = globalThis.navigator?.mediaDevices;
	return devices !== undefined && !('getDisplayMedia' in devices);
}

/** @param {string} origin whether it is one that a choice can be kept for; an opaque origin ("null") is none */
function isOrigin(origin) {
	return URL.canParse(origin) && new URL(origin).origin === origin && origin !== 'null';
}

/**
 * How closely a managed pattern names an origin; 0: not at all. `*` is every site, `https://*.example.org` is
 * example.org and all below it, anything else is one origin.
 *
 * @param {unknown} pattern
 * @param {string} origin
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

/**
 * @param {unknown} patterns
 * @param {string} origin
 */
function closest(patterns, origin) {
	return Math.max(0, ...(Array.isArray(patterns) ? patterns : []).map((pattern) => closeness(pattern, origin)));
}

/**
 * The choices of a site under what is managed.
 *
 * @param {Partial<Choices>} chosen
 * @param {string} origin
 * @param {import('./managed.js').Managed} policy
 * @returns {Site}
 */
function under(chosen, origin, policy) {
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
		consent: consent === 'allow' && forgetful ? 'ask' : consent,
		displayMedia: !nativeOff && (chosen.displayMedia ?? displayMediaMissing()),
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

/**
 * @param {string} origin
 * @returns {Promise<Site>}
 */
export async function site(origin) {
	const [sites, policy] = await Promise.all([chosenSites(), managed()]);
	return under(Object.hasOwn(sites, origin) ? sites[origin] : {}, origin, policy);
}

/**
 * What holds for the page that asks. A frame borrows nothing: what the person chose for its site holds in a frame of another
 * site only as far as it holds for that one too, and *never share* of either is enough.
 *
 * @param {import('./source-ids.js').Place} place
 * @returns {Promise<Site>}
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
 * Keeps the person's choices for an origin; what is not named stays.
 *
 * @param {string} origin
 * @param {Partial<Choices>} choices
 */
export async function setSite(origin, { consent, displayMedia }) {
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
		};
	});
}

/** @returns {Promise<(Site & {origin: string})[]>} those that the person chose something for */
export async function listSites() {
	const [sites, policy] = await Promise.all([chosenSites(), managed()]);
	return Object.keys(sites).map((origin) => ({ origin, ...under(sites[origin], origin, policy) }));
}

/** @param {string} origin */
export async function forgetSite(origin) {
	await change((sites) => {
		delete sites[origin];
	});
}

/**
 * Calls back for each site that the person allowed and now no longer does.
 *
 * @param {(origin: string) => void} callback
 */
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
