/**
 * What this machine can do for pages. They are told what the host said last, no matter to whom: so neither the answer nor
 * its timing tells a page whether another one shares, and a page's question alone starts no host.
 */
import { Failure, portalFailure } from '../shared/failure.js';
import { inFront } from './consent.js';
import { touchedNow } from './cooldown.js';
import * as desktopCapture from './desktop-capture.js';
import { ext } from './ext.js';
import { capturePath } from './settings.js';
import { siteAt } from './sites.js';

/**
 * @typedef {import('./host.js').Host} Host
 * @typedef {import('./native-port.js').Hello} Hello
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{hello?: Pick<Hello, 'supports' | 'portal' | 'portalCode' | 'wayland'>, failure?: string}} Known in storage.local. `failure` is a code
 */

/** The cursor modes of pages: the portal's name, and what the host must support. */
export const CURSORS = {
	always: { mode: 'embedded', needs: /** @type {string[]} */ ([]) },
	never: { mode: 'hidden', needs: ['cursor-hidden'] },
	send: { mode: 'metadata', needs: ['cursor-metadata', 'cursor-send'] },
};
const FRESH_MS = 5_000;
/** The failures of a host or a portal that is still starting. */
const STARTING = ['host-slow', 'portal-timeout'];
const LACKS = { codecs: [], fidelity: [], cursor: ['always'], region: false, multiple: false, remember: false, controls: false };

/** @returns {Promise<Known>} */
async function known() {
	const { host } = await ext.storage.local.get({ host: {} });
	return /** @type {Known} */ (host);
}

let kept = '';

/** @param {Known} now */
async function keep(now) {
	if (JSON.stringify(now) !== kept) {
		kept = JSON.stringify(now);
		await ext.storage.local.set({ host: now });
	}
}

/** @param {Hello} hello what the host just said, no matter who asked */
export function learn({ supports, portal, portalCode }) {
	void keep({ hello: { supports, portal, ...(portalCode && { portalCode }) } });
}

/** @param {Known} known @returns {Failure | null} */
function failureOf({ hello, failure }) {
	return hello ? portalFailure(hello) : new Failure(failure ?? 'not-activated');
}

/** @type {{until: number, now: Promise<Known>} | null} */
let looked = null;

/** Asks the host what it can do, at most every few seconds. @param {Host} host */
function look(host) {
	if (!looked || looked.until < Date.now()) {
		const now = host.look().then((hello) => ({ hello }), (error) => ({ failure: Failure.from(error).code }));
		const latest = { until: Date.now() + FRESH_MS, now };
		looked = latest;
		void now.then(async (/** @type {Known} */ found) => {
			const code = failureOf(found)?.code ?? '';
			if (STARTING.includes(code)) {
				latest.until = 0;
			} else if (found.failure) {
				await keep(found);
			}
		});
	}
	return looked.now;
}

/**
 * Whether a request goes to the host. In a browser with a dialog of its own (settings.js says which is whose), pages that
 * speak Portlight's API get the host in every session: what only it can do is why they use the API.
 * @param {Host} host @param {string[]} sources @param {import('./requests.js').Wish} wish
 */
export async function prefersHost(host, sources, { dialect }) {
	const path = await capturePath();
	if (!desktopCapture.available() || path !== 'auto') {
		return !desktopCapture.available() || path === 'native';
	}
	if (sources.some((name) => name === 'tab' || name === 'audio')) {
		return false;
	}
	const found = await look(host);
	return !failureOf(found) && (dialect === 'portlight' || found.hello?.wayland === true);
}

/**
 * What the host said last. In a click or key press in the page in front the host is asked again; its answer is only waited
 * for if nothing good is known, because then nothing can be shared anyway.
 * @param {Place} place @param {Host} host
 */
async function hostFor(place, host) {
	const last = await known();
	if (!(await inFront(place)) || !(await touchedNow(place))) {
		return last;
	}
	const now = look(host);
	return failureOf(last) ? now : last;
}

/** @param {Place} place @param {Host} host @param {Pick<import('./consent.js').Consent, 'expectRights'>} consent */
export async function capabilitiesOf(place, host, consent) {
	const { displayMedia, managed } = await siteAt(place);
	try {
		await consent.expectRights(place);
	} catch (error) {
		return { available: false, sources: [], ...LACKS, displayMedia, error: Failure.from(error).forPage() };
	}
	const browser = desktopCapture.available();
	const native = browser && ['browser', 'chooser'].includes(await capturePath()) ? null : await hostFor(place, host);
	const failure = native && failureOf(native);
	if (native?.hello && !failure) {
		const { supports } = native.hello;
		const has = (/** @type {string} */ name) => supports.includes(name);
		return {
			available: true,
			sources: [...(has('monitor') ? ['screen'] : []), ...(has('window') ? ['window'] : [])],
			codecs: ['vp9', 'vp8'].filter(has),
			fidelity: ['motion', ...(has('fidelity-text') ? ['text'] : [])],
			cursor: Object.entries(CURSORS).filter(([, { needs }]) => needs.every(has)).map(([name]) => name),
			region: has('region'),
			multiple: has('multiple'),
			remember: has('grants') && !managed.remember && place.frameId === 0,
			controls: true,
			displayMedia,
		};
	}
	return {
		available: browser,
		sources: browser ? ['screen', 'window', 'tab', 'audio'] : [],
		...{ ...LACKS, displayMedia },
		...(failure && { error: failure.forPage() }),
	};
}
