/**
 * Hears the words of the table, has the background ask, and answers. It comes into the extension's own world of a frame when
 * something there may be one of these; content/relay.js kept that for it.
 */
import { announced, asked, dialects, dispatch, matches } from './dialects.js';
import { open, page, post, wake } from './ports.js';

/** @typedef {import('./dialects.js').Dialect} Dialect */
/** @typedef {import('./dialects.js').Word} Word */

/** Whether any but deepstream's words are answered. */
let others = true;
/** @type {Set<{name: string, said: any, answer: (reply: any) => void, port: chrome.runtime.Port | null}>} */
const asks = new Set();
/** @type {Set<chrome.runtime.Port>} */
const ports = new Set();
/** What dialect each foreign extension's id was spoken to in. @type {Map<string, string>} */
const spoken = new Map();
let nextRequest = 1;
let forwarding = 0; // What was said to this frame and is on its way to the page around it.
const FORWARDING_MAX = 4;
const UNUSED_MS = 35_000;

/**
 * The dialect that these words are of: the first in the table, so the more particular stand before the others.
 * @param {any} said @param {Dialect['by']} by @param {string} extension
 */
function understand(said, by, extension) {
	for (const [name, dialect] of Object.entries(dialects)) {
		if (dialect.by !== by || (dialect.extension ?? extension) !== extension) {
			continue;
		}
		const find = (/** @type {Word[]} */ words) => words.find(({ pattern }) => matches(pattern, said));
		const detect = find(dialect.detect ?? []);
		const request = dialect.when?.() === false ? undefined : find(dialect.request);
		const abort = dialect.abort !== undefined && matches(dialect.abort, said);
		if (detect || request || abort) {
			return { name, dialect, detect, request, abort };
		}
	}
	return null;
}

/**
 * @param {any} said @param {Dialect['by']} by @param {(reply: any) => void} answer @param {string} [extension]
 * @returns {boolean} whether it was a dialect's
 */
function hear(said, by, answer, extension = '') {
	const found = understand(said, by, extension);
	const name = found?.name ?? spoken.get(extension) ?? '';
	if (!others && name !== 'deepstream') {
		return false;
	}
	if (!found) {
		const unknown = by === 'runtime' ? dialects[name]?.unknown : undefined;
		if (unknown) {
			answer(unknown(said));
		}
		return unknown !== undefined;
	}
	if (by === 'runtime') {
		spoken.set(extension, name);
	}
	if (found.detect) {
		asked.add(name);
		answer(found.detect.reply?.(said));
	} else if (found.request) {
		void request(name, found.request, said, answer);
	} else {
		abort(name, said);
	}
	return true;
}

/** What a page tells its requests apart by. @param {any} said */
const idOf = (said) => said.id ?? said.requestId ?? said.payload?.requestId;

/** @param {string} name @param {Word} word @param {any} said @param {(reply: any) => void} answer */
async function request(name, word, said, answer) {
	const { by, pending, success, denied: refuse } = dialects[name];
	const [other] = asks;
	if (other) {
		// The answer to the same before it answers this one too; anything else must wait its turn.
		if (by === 'runtime' || other.name !== name || idOf(other.said) !== idOf(said)) {
			answer(refuse?.(said));
		}
		return;
	}
	const sources = typeof word.sources === 'function' ? word.sources(said) : word.sources;
	const ask = { name, said, answer, port: /** @type {chrome.runtime.Port | null} */ (null) };
	asks.add(ask);
	if (pending) {
		answer(pending(said, nextRequest++));
	}
	const failed = () => {
		if (asks.delete(ask) && (refuse || by === 'runtime')) {
			answer(refuse?.(said));
		}
	};
	while (document.hidden) {
		await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
	}
	if (!asks.has(ask)) {
		return; // The page took it back, or was left.
	}
	try {
		const port = (ask.port = open('page'));
		port.onMessage.addListener((/** @type {any} */ message) => {
			if (message.type === 'granted' && asks.delete(ask)) {
				answer(success(said, message.sourceId, message.canRequestAudioTrack === true));
				// The id dies with this port, until it is redeemed.
				setTimeout(() => port.disconnect(), UNUSED_MS);
			} else if (message.type === 'refused') {
				console.info(`Portlight: ${message.message} ${message.remedy}`);
				failed();
				port.disconnect();
			}
		});
		ports.add(port);
		port.onDisconnect.addListener(() => {
			ports.delete(port);
			if (asks.has(ask)) {
				wake();
				failed();
			}
		});
		port.postMessage({ type: 'request', dialect: name, sources });
	} catch {
		failed(); // The extension was removed or updated under this page, or it asks too often.
	}
}

/** @param {string} name @param {any} said */
function abort(name, said) {
	for (const ask of asks) {
		if (ask.name === name) {
			asks.delete(ask);
			ask.port?.disconnect();
			ask.answer(dialects[name].aborted?.({ ...ask.said, ...said }));
		}
	}
}

/** @param {any} reply one or several */
const postAll = (reply) => [reply ?? []].flat().forEach((message) => post(message));

/**
 * @param {any} said @param {MessagePort | null} [port] of page/runtime.js
 * @param {string} [around] the origin of the page around this frame, which said it: it redeems the id, so its own relay asks
 */
function take(said, port, around) {
	if (port) {
		const answer = (/** @type {unknown} */ reply) => port.postMessage({ reply });
		if (!hear(JSON.parse(said.said), 'runtime', answer, said.extension)) {
			port.postMessage({ unknown: true });
		}
	} else if (around === undefined) {
		hear(said, undefined, postAll);
	} else if (window.parent !== window.top) {
		window.parent.postMessage({ chromeExtensionStatus: 'not-installed' }, '*');
	} else if (forwarding < FORWARDING_MAX && understand(said, 'parent', '')) {
		forwarding++;
		chrome.runtime.sendMessage({ type: 'dialect-for-parent', said, around }).catch(() => {}).then(() => forwarding--);
	}
}

/** Some pages wait for the extension to speak first; it does where the page shows that it is one of them. */
function announceWhereExpected() {
	const scripts = [...document.scripts].map(({ src }) => src);
	const store = document.querySelector('link[rel="chrome-webstore-item"]') !== null;
	for (const [name, { sign, when, announce }] of Object.entries(dialects)) {
		const shown = sign ? scripts.some((src) => sign.test(src)) : when?.() === true;
		if (announce && others && (shown || (store && name === 'webrtcsamples'))) {
			announced.add(name);
			announce();
		}
	}
}

/** @param {boolean} answersOthers */
function start(answersOthers) {
	others = answersOthers;
	if (page.dialects.hear === take) {
		return;
	}
	page.dialects.hear = take;
	document.addEventListener('ct-respoke-source-id', () => hear('ct-respoke-source-id', 'event', dispatch));
	page.listen('pagehide', () => {
		asks.clear();
		ports.forEach((port) => ports.delete(port) && port.disconnect()); // Some browsers take a page's ports without a word.
	});
	if (document.readyState === 'loading') {
		document.addEventListener('DOMContentLoaded', announceWhereExpected); // What shows a page's dialect is yet to come.
	} else {
		announceWhereExpected();
	}
	page.dialects.early.splice(0).forEach((/** @type {Parameters<typeof take>} */ said) => take(...said));
}

if (!page.dialects.start) {
	page.dialects.start = start;
	chrome.runtime.onMessage.addListener((message) => {
		if (message?.type === 'dialect-from-frame') {
			start(message.others);
			// By now another page may be there.
			message.around === window.origin && hear(message.said, 'parent', postAll);
		}
	});
}
