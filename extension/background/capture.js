/** Picks the way to a source, the browser's own dialog or the host, and has it granted to the page. */
import { Failure } from '../shared/failure.js';
import { CURSORS, prefersHost } from './capabilities.js';
import * as desktopCapture from './desktop-capture.js';
import { loadTrack, runIn } from './inject.js';
import { nativeSources } from './requests.js';
import { capturePath, defaults } from './settings.js';
import { placeOf } from './source-ids.js';

/**
 * @typedef {import('./consent.js').Consent} Consent
 * @typedef {import('./host.js').HostShare} HostShare
 * @typedef {import('./host.js').Host} Host
 * @typedef {import('./requests.js').Wish} Wish
 * @typedef {import('./shares.js').Shares} Shares
 * @typedef {import('./source-ids.js').Place} Place
 */

/**
 * A page's wishes, in the host's words.
 * @param {Wish} wish
 * @param {string} [preset] the user's cursor mode, for a page that names none: a host that lacks it fails no share
 */
export function nativeWish({ cursor, region, multiple }, preset = 'always') {
	const named = typeof cursor === 'string' && Object.hasOwn(CURSORS, cursor);
	const known = /** @type {keyof typeof CURSORS} */ (named ? cursor : preset);
	const { mode } = CURSORS[known];
	const needs = named ? CURSORS[known].needs : [];
	const more = { region: region === true, multiple: multiple === true };
	const features = Object.entries(more).flatMap(([name, wanted]) => (wanted ? [name] : []));
	return { cursor: mode, multiple: more.multiple, needs: [...needs, ...features] };
}

/** A page that leaves closes its port, at the latest this long after a script found it gone. */
const LEAVE_MS = 500;

/** @param {AbortSignal} signal aborts when the page leaves @returns {Promise<boolean>} whether it does */
function leaves(signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve(signal.aborted), signal.aborted ? 0 : LEAVE_MS);
		signal.addEventListener('abort', () => {
			clearTimeout(timer);
			resolve(true);
		});
	});
}

/** Runs in the frame, in the extension's own world: whether it decodes anything that the host sends. */
async function decodes() {
	const supported = async (/** @type {string} */ codec) => (await VideoDecoder.isConfigSupported({ codec })).supported === true;
	try {
		return (await supported('vp8')) || (await supported('vp09.00.10.08'));
	} catch {
		return false; // There is no VideoDecoder.
	}
}

export class Capture {
	#host;
	#shares;
	#consent;

	/** @param {Host} host @param {Shares} shares @param {Pick<Consent, 'remembers'>} consent */
	constructor(host, shares, consent) {
		this.#host = host;
		this.#shares = shares;
		this.#consent = consent;
	}

	/** @type {import('./requests.js').Choose} */
	async choose(port, place, signal, sources, wish) {
		const sender = /** @type {chrome.runtime.MessageSender} */ (port.sender);
		const path = await capturePath();
		const display = wish.display === true;
		if (!display && !(await prefersHost(this.#host, sources, wish))) {
			return desktopCapture.choose(sender, signal, sources);
		}
		if (path === 'browser') {
			throw new Failure('native-off');
		}
		// Before the user is asked: a page that can't show the picture needs no dialog.
		if ((await runIn(place, decodes)) === false) {
			if (!display && path === 'auto' && desktopCapture.available()) {
				return desktopCapture.choose(sender, signal, sources);
			}
			throw new Failure('no-decoder');
		}
		return this.#chooseNative(port, place, signal, sources, wish);
	}

	/**
	 * Asks the user for another source of a live share, which goes on as it is until then.
	 * @param {import('./share.js').Share} share @param {AbortSignal} signal closes the dialog
	 */
	async change(share, signal) {
		const what = { sources: ['monitor', 'window'], cursor: share.cursor };
		const next = await this.#host.share(what, AbortSignal.any([signal, share.over]));
		await this.#shares.change(share, next);
	}

	/**
	 * Offers the extension's own page of the first run a share, to try that everything works.
	 * @param {chrome.runtime.Port} port @param {AbortSignal} withdrawn closes the dialog
	 */
	offerTest(port, withdrawn) {
		const place = placeOf(port.sender);
		const gone = new AbortController();
		const signal = AbortSignal.any([gone.signal, withdrawn]);
		port.onDisconnect.addListener(() => gone.abort());
		port.onMessage.addListener(async () => {
			try {
				port.postMessage({ type: 'granted', sourceId: await this.#test(port, place, signal) });
			} catch (error) {
				if (!gone.signal.aborted) {
					const { code, message, remedy } = Failure.from(error);
					port.postMessage({ type: 'refused', code, message, remedy });
				}
			}
		});
	}

	/** @param {chrome.runtime.Port} port @param {Place | null} place @param {AbortSignal} signal */
	async #test(port, place, signal) {
		if (!place) {
			throw new Failure('cancelled');
		}
		if ((await capturePath()) === 'browser') {
			throw new Failure('native-off');
		}
		const hostShare = await this.#host.share({ sources: ['monitor', 'window'], cursor: 'embedded' }, signal);
		if (signal.aborted) {
			await hostShare.stop();
			throw new Failure('cancelled');
		}
		return this.#shares.grant(place, hostShare, port);
	}

	/** @type {import('./requests.js').Choose} */
	async #chooseNative(port, place, signal, sources, wish) {
		const sender = /** @type {chrome.runtime.MessageSender} */ (port.sender);
		const { cursor: preset, ...bounds } = await defaults();
		const { cursor, multiple, needs } = nativeWish(wish, preset);
		const { origin } = place;
		const fresh = this.#shares.has(origin) || wish.display === true;
		const remember = !fresh && (await this.#consent.remembers(place, sender, wish));
		const kept = remember && { origin, remember };
		const what = { sources: nativeSources(sources), exact: wish.exact === true, cursor, ...(multiple && { multiple }), ...kept };
		const hostShare = await this.#host.share(what, signal, needs);
		const chosen = [hostShare, ...hostShare.others];
		try {
			await this.#prepare(place, hostShare, signal);
		} catch (error) {
			await Promise.all(chosen.map((share) => share.stop()));
			throw error;
		}
		const sourceIds = chosen.map((share) => this.#shares.grant(place, share, port, bounds));
		return { sourceId: sourceIds[0], ...(multiple && { sourceIds }), restored: hostShare.restored };
	}

	/**
	 * Puts the track's script into the page that was granted a share.
	 * @param {Place} place @param {HostShare} hostShare @param {AbortSignal} signal
	 */
	async #prepare(place, hostShare, signal) {
		try {
			await loadTrack(place);
		} catch (error) {
			throw new Failure((await leaves(signal)) ? 'cancelled' : 'page-closed-off', String(error));
		}
		if (hostShare.ended || signal.aborted) {
			throw hostShare.ended ?? new Failure('cancelled');
		}
	}
}
