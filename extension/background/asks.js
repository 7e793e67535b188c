/** What the page API needs of the background: its script, the texts of its errors, and what can be had. */
import { Failure, portalFailure } from '../shared/failure.js';
import * as desktopCapture from './desktop-capture.js';
import { ext } from './ext.js';
import { nextTurn } from './inject.js';
import { capturePath } from './settings.js';
import { site } from './sites.js';
import { placeOf } from './source-ids.js';

const FRESH_MS = 5_000;
/** What is said of a host or a portal that is only being started. */
const SOON_OTHERWISE = ['host-slow', 'portal-timeout'];
/** What content/asks.js itself may have to say. */
const CODES = ['bad-ask', 'bad-state', 'busy', 'cancelled', 'host-crashed', 'not-activated', 'not-supported', 'too-many-requests', 'unknown-share'];
/** The cursor modes of pages, with the portal's, and what the host must support for it. */
const CURSORS = {
	always: { mode: 'embedded', needs: [] },
	never: { mode: 'hidden', needs: ['cursor-hidden'] },
	send: { mode: 'metadata', needs: ['cursor-metadata', 'cursor-send'] },
};

/**
 * @typedef {import('./native.js').NativeHost} NativeHost
 * @typedef {import('./native.js').Hello} Hello
 */

/**
 * A page's wishes, in the host's words.
 *
 * @param {import('./requests.js').Wish} wish
 * @param {string} [preset] the person's cursor mode, for a page that names none: nothing that a share fails for
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

/**
 * Whether the page's own words are answered by the host: what only it can do is why a page uses them. Other pages get
 * the browser's own dialog where there is one, unless the person decided otherwise.
 *
 * @param {NativeHost} host
 */
export async function prefersHost(host) {
	if (!desktopCapture.available()) {
		return true;
	}
	const path = await capturePath();
	return path === 'native' || (path === 'auto' && (await statusOf(host)).ok);
}

/** @type {{until: number, status: Promise<{ok: boolean, hello?: Hello, failure?: Failure}>} | null} */
let known = null;

/**
 * What the host says of itself; asked at most every few seconds, whatever pages do.
 *
 * @param {NativeHost} host
 */
function statusOf(host) {
	if (!known || known.until < Date.now()) {
		const status = host.look().then(
			(hello) => {
				const failure = portalFailure(hello);
				return failure ? { ok: false, failure } : { ok: true, hello };
			},
			(error) => ({ ok: false, failure: Failure.from(error) }),
		);
		const asked = { until: Date.now() + FRESH_MS, status };
		known = asked;
		void status.then(({ failure }) => {
			if (failure && SOON_OTHERWISE.includes(failure.code)) {
				asked.until = 0;
			}
		});
	}
	return known.status;
}

/**
 * @param {NativeHost} host
 * @param {string} origin
 */
async function capabilities(host, origin) {
	const { displayMedia, managed } = await site(origin);
	const native = (!desktopCapture.available() || (await capturePath()) !== 'browser') && (await statusOf(host));
	if (native && native.ok) {
		const has = (/** @type {string} */ name) => native.hello?.supports.includes(name) === true;
		return {
			available: true,
			sources: [...(has('monitor') ? ['screen'] : []), ...(has('window') ? ['window'] : [])],
			codecs: ['vp9', 'vp8'].filter(has),
			fidelity: ['motion', ...(has('fidelity-text') ? ['text'] : [])],
			cursor: Object.entries(CURSORS).filter(([, { needs }]) => needs.every(has)).map(([name]) => name),
			region: has('region'),
			multiple: has('multiple'),
			remember: has('grants') && !managed.remember,
			controls: true,
			displayMedia,
		};
	}
	const browser = desktopCapture.available();
	const lacks = { codecs: [], fidelity: [], cursor: ['always'], region: false, multiple: false, remember: false, controls: false, displayMedia };
	const failure = native ? native.failure : undefined;
	return {
		available: browser,
		sources: browser ? ['screen', 'window', 'tab', 'audio'] : [],
		...lacks,
		...(failure && { error: failure.forPage() }),
	};
}

/**
 * A listener of runtime.onMessage for what the relay and content/asks.js say.
 *
 * @param {NativeHost} host
 */
export function answeringAsks(host) {
	/**
	 * @param {any} message
	 * @param {chrome.runtime.MessageSender} sender
	 * @param {(reply: unknown) => void} reply
	 * @returns {boolean} whether the reply comes later
	 */
	return (message, sender, reply) => {
		const place = placeOf(sender);
		if (place && message?.type === 'asks') {
			const target = { tabId: place.tabId, frameIds: [place.frameId] };
			const texts = Object.fromEntries(CODES.map((code) => [code, new Failure(code).forPage()]));
			nextTurn()
				.then(() => ext.scripting.executeScript({ target, files: ['content/asks.js'], injectImmediately: true }))
				.then(() => reply(texts), () => reply(null));
			return true;
		}
		if (place && message?.type === 'capabilities') {
			capabilities(host, place.origin).then(reply, () => reply(null));
			return true;
		}
		return false;
	};
}
