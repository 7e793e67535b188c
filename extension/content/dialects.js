/**
 * What pages have long said to screen-sharing extensions, as one table, and the little that speaks it. It is put into
 * the extension's own world of a frame when something there may be one of these; content/relay.js kept that for it.
 */
(() => {
	'use strict';
	const parts = /** @type {any} */ (globalThis).portlight;
	const relay = parts?.dialects;
	if (!relay || relay.start) {
		return;
	}

	/**
	 * One dialect. What the page says is matched against patterns: a string against itself, an object field by field,
	 * by a function where there is one. Replies are a value or a list of values.
	 *
	 * @typedef {Record<string, any>} Said
	 * @typedef {{pattern: any, reply?: (said: any) => any, sources?: string[] | ((said: any) => unknown)}} Word
	 * @typedef {object} Dialect
	 * @property {'runtime' | 'parent' | 'event'} [by] the way that it comes, where that is not the page's own window:
	 *   runtime.sendMessage, a message from the page around this frame, an event on the document
	 * @property {Word[]} [detect]
	 * @property {Word[]} request
	 * @property {(said: any, request: number) => any} [pending] said at once, while the person still chooses
	 * @property {(said: any, id: string, audio: boolean) => any} success
	 * @property {(said: any) => any} [denied]
	 * @property {any} [abort] the page takes its request back
	 * @property {(said: any) => any} [aborted]
	 * @property {(said: any) => any} [unknown] to what else is sent to an id that has spoken this dialect
	 * @property {string} [extension] the one id that this dialect is for
	 * @property {() => boolean} [when] whether this page is one of its pages
	 * @property {RegExp} [sign] the scripts of pages that wait for the extension to speak first
	 * @property {() => void} [announce] does that
	 */
	const ANY = (/** @type {unknown} */ value) => value !== undefined && value !== null;
	const VERSION = chrome.runtime.getManifest().version;
	const SCREENS = ['screen', 'window'];
	const ALL = [...SCREENS, 'tab', 'audio'];
	const isSources = (/** @type {any} */ said) => Array.isArray(said) && said.length > 0 && said.every((name) => ALL.includes(name));
	const DENIED = 'PermissionDeniedError';
	const TOKBOX = 'com.tokbox.screenSharing.';
	const LOADED = 'rtcmulticonnection-extension-loaded';
	const TALK = '#app.nc-enable-screensharing-extension';

	/** Dialects whose detection this page has asked for. @type {Set<string>} */
	const asked = new Set();
	const denied = () => DENIED;
	/** 'get-sourceId' is three dialects' word; this answers all of them. @type {Dialect['success']} */
	const both = (_, id, audio) => ({ sourceId: id, chromeMediaSourceId: id, canRequestAudioTrack: audio });
	/** @param {any} said */
	const tokboxKey = (said) => Object.keys(said).find((key) => key.startsWith(TOKBOX)) ?? TOKBOX;
	/** @param {any} said @param {string} word @param {object} [more] */
	const tokbox = (said, word, more) => ({
		[tokboxKey(said)]: word,
		payload: { requestId: said.payload?.requestId, ...more },
		from: 'extension',
	});
	/** A flag in the page's own world. @param {string} name */
	const global = (name) => chrome.runtime.sendMessage({ type: 'dialect-global', name });
	/** @param {string} id */
	const marker = (id) => {
		if (!document.getElementById(id)) {
			document.body?.append(Object.assign(document.createElement('div'), { id, hidden: true }));
		}
	};

	/** Where two share a word, the one that shows itself by more stands first. @type {Record<string, Dialect>} */
	const dialects = {
		deepstream: {
			detect: [{ pattern: 'check-addon-installed', reply: () => ['addon-installed', { addonInstalled: true }] }],
			request: [], // 'requestScreenSourceId', which the relay itself answers.
			success: (_, id) => ({ sourceId: id }),
		},
		easyrtc: {
			detect: [{ pattern: 'is-extension-loaded', reply: () => 'extension-loaded' }],
			request: [{ pattern: 'get-sourceId', sources: SCREENS }],
			success: both,
			denied,
			when: () => asked.has('easyrtc'),
		},
		rocketchat: {
			detect: [{ pattern: 'get-RocketChatScreenSharingExtensionVersion', reply: () => ({ version: VERSION }) }],
			request: [{ pattern: 'get-sourceId', sources: SCREENS }],
			success: both,
			denied,
			when: () => asked.has('rocketchat'),
		},
		muaz: {
			detect: [{ pattern: 'are-you-there', reply: () => LOADED }],
			request: [
				{ pattern: 'get-sourceId', sources: SCREENS },
				{ pattern: 'audio-plus-tab', sources: ['screen', 'window', 'audio', 'tab'] },
				{ pattern: { 'get-custom-sourceId': ANY }, sources: (said) => said['get-custom-sourceId'] },
			],
			success: both,
			denied,
			sign: /getScreenId|Screen-?Capturing|RTCMultiConnection|openvidu/i,
			announce: () => post(LOADED),
		},
		adapterjs: {
			by: 'parent',
			request: [{ pattern: { captureSourceId: true, legacy: true }, sources: (said) => said.sources }],
			success: (_, id) => ({ chromeMediaSourceId: id }),
			denied: () => ({ chromeMediaSourceId: DENIED }),
		},
		getscreenid: {
			by: 'parent',
			detect: [{ pattern: { getChromeExtensionStatus: true }, reply: () => ({ chromeExtensionStatus: 'installed-enabled' }) }],
			request: [
				{ pattern: { captureSourceId: true }, sources: SCREENS },
				{ pattern: { captureSourceIdWithAudio: true }, sources: ALL },
				{ pattern: { captureCustomSourceId: ANY }, sources: (said) => said.captureCustomSourceId },
			],
			success: (_, id, audio) => ({ chromeMediaSourceId: id, canRequestAudioTrack: audio }),
			denied: () => ({ chromeMediaSourceId: DENIED }),
		},
		webrtcsamples: {
			request: [{ pattern: { type: 'SS_UI_REQUEST' }, sources: (said) => said.sources }],
			success: (said, id) => ({ ...said, type: 'SS_DIALOG_SUCCESS', streamId: id }),
			denied: (said) => ({ ...said, type: 'SS_DIALOG_CANCEL' }),
			abort: { type: 'SS_UI_CANCEL' },
			aborted: (said) => ({ ...said, type: 'SS_DIALOG_CANCEL' }),
			sign: /desktopcapture/i,
			announce: () => post({ type: 'SS_PING', text: 'start' }),
		},
		nextcloud: {
			request: [{ pattern: { type: 'getScreen', id: ANY }, sources: (said) => said.options }],
			pending: ({ id }) => ({ type: 'getScreenPending', id, answer: true }),
			success: ({ id }, sourceId) => ({ type: 'gotScreen', id, sourceId, answer: true }),
			denied: ({ id }) => ({ type: 'gotScreen', id, sourceId: '', error: DENIED, answer: true }),
			when: () => document.querySelector(TALK) !== null,
			announce: () => {
				const data = { id: chrome.runtime.id, version: VERSION, priority: 0 };
				document.querySelector(TALK)?.setAttribute('data-chromeExtensionData', JSON.stringify(data));
			},
		},
		getscreenmedia: {
			request: [{ pattern: { type: 'getScreen', id: ANY }, sources: (said) => said.options }],
			pending: (said, request) => ({ ...said, type: 'getScreenPending', request }),
			success: (said, id) => ({ ...said, type: 'gotScreen', sourceId: id }),
			denied: (said) => ({ ...said, type: 'gotScreen', sourceId: '' }),
			abort: { type: 'cancelGetScreen' },
			aborted: (said) => ({ ...said, type: 'canceledGetScreen' }),
		},
		janus: {
			request: [{ pattern: { type: 'janusGetScreen' }, sources: (said) => said.options }],
			pending: (said, request) => ({ ...said, type: 'janusGetScreenPending', request }),
			success: (said, id) => ({ ...said, type: 'janusGotScreen', sourceId: id }),
			denied: (said) => ({ ...said, type: 'janusGotScreen', sourceId: '' }),
			abort: { type: 'janusCancelGetScreen' },
			aborted: (said) => ({ ...said, type: 'janusCanceledGetScreen' }),
			sign: /janus/i,
			announce: () => marker('janus-extension-installed'),
		},
		skyway: {
			request: [{ pattern: { type: 'getStreamId' }, sources: SCREENS }],
			success: (_, id) => ({ type: 'gotStreamId', streamid: id }),
			denied: () => ({ type: 'gotStreamId', streamid: '' }),
			sign: /skyway|screen-?share/i,
			announce: () => void global('skyway').then(() => post({ type: 'ScreenShareInjected' }), () => {}),
		},
		opentok: {
			detect: [{ pattern: { from: 'jsapi', [TOKBOX]: 'isExtensionInstalled' }, reply: (said) => tokbox(said, 'extensionLoaded') }],
			request: [{ pattern: { from: 'jsapi', [TOKBOX]: 'getSourceId' }, sources: SCREENS }],
			success: (said, id) => tokbox(said, 'sourceId', { sourceId: id }),
			denied: (said) => tokbox(said, 'permissionDenied'),
		},
		bistri: {
			request: [{ pattern: { data: isSources, requestId: ANY }, sources: (said) => said.data }],
			pending: (said) => ({ answer: 1, state: 'pending', requestId: said.requestId }),
			success: (said, id) => ({ answer: 1, state: 'completed', requestId: said.requestId, streamId: id }),
			denied: (said) => ({ answer: 1, state: 'completed', requestId: said.requestId }),
			sign: /bistri/i,
			announce: () => marker('bistri-screen-sharing-installed'),
		},
		callstats: {
			detect: [{ pattern: 'csioCheckAddonInstalled', reply: () => 'csioAddonInstalled' }],
			request: [{ pattern: 'csioRequestScreenSourceId', sources: SCREENS }],
			success: (_, id) => ({ evt: 'onCsioSourceId', csioSourceId: id }),
		},
		rongcloud: {
			request: [], // deepstream's word, answered by the relay; its page wants that answer with a type.
			success: (_, id) => ({ type: 'onResponseReqSouId', sourceId: id }),
			sign: /rong-?(rtc|cloud)/i,
			announce: () => {
				global('rongcloud').then(() => post({ type: 'testMessage' }), () => {});
				window.addEventListener('message', ({ data, source }) => {
					if (source === window && data?.sourceId && !data.type) {
						post(dialects.rongcloud.success(data, data.sourceId, false));
					}
				});
			},
		},
		respoke: {
			by: 'event',
			request: [{ pattern: 'ct-respoke-source-id', sources: SCREENS }],
			success: (_, id) => ['respoke-source-id', { sourceId: id }],
			denied: () => ['respoke-source-id', { error: DENIED }],
			sign: /respoke/i,
			announce: () => dispatch(['respoke-chrome-screen-sharing-available', { available: true }]),
		},
		licode: {
			by: 'runtime',
			extension: 'okeephmleflklcdebijnponpabbmmgeo',
			detect: [{ pattern: { getVersion: true }, reply: () => ({ version: VERSION }) }],
			request: [{ pattern: { getStream: true }, sources: (said) => said.sources }],
			success: (_, id) => ({ streamId: id }),
			denied: () => undefined,
		},
		// BigBlueButton says the same; its `error` is beside Jitsi's empty id.
		jidesha: {
			by: 'runtime',
			detect: [{ pattern: { getVersion: true }, reply: () => ({ version: VERSION }) }],
			request: [{ pattern: { getStream: true }, sources: (said) => said.sources }],
			success: (_, id) => ({ streamId: id }),
			denied: () => ({ streamId: '', error: 'permissionDenied' }),
			unknown: () => ({ error: 'Unknown request' }),
		},
		opentok2: {
			by: 'runtime',
			detect: [
				{ pattern: { type: 'isInstalled' }, reply: () => true },
				{ pattern: { type: 'apiVersion' }, reply: () => 2 },
			],
			request: [{ pattern: { type: 'getSourceId' }, sources: SCREENS }],
			success: (_, id) => ({ sourceId: id }),
			denied: () => ({ error: 'permissionDenied' }),
			unknown: (said) => ({ error: 'unsupportedMessage', type: said?.type }),
		},
		getscreenmedia2: {
			by: 'runtime',
			request: [{ pattern: { type: 'getScreen' }, sources: (said) => said.options }],
			success: (said, id) => ({ ...said, type: 'gotScreen', sourceId: id }),
			denied: (said) => ({ ...said, type: 'gotScreen', sourceId: '' }),
			sign: /getscreenmedia|simplewebrtc/i,
			announce: () => sessionStorage.setItem('getScreenMediaJSExtensionId', 'portlight'),
		},
		twilio: {
			by: 'runtime',
			request: [{ pattern: { type: 'requestUserScreen' }, sources: (said) => said.sources }],
			success: (_, id) => ({ type: 'success', payload: id }),
			denied: () => ({ type: 'failed', payload: { code: 'PERMISSION_DENIED' } }),
			unknown: () => ({ type: 'failed', payload: { code: 'BAD_REQUEST' } }),
		},
		userscreen: {
			by: 'runtime',
			request: [{ pattern: { type: 'getUserScreen' }, sources: (said) => said.sources }],
			success: (_, id) => ({ type: 'success', streamId: id }),
			denied: () => ({ type: 'error', message: DENIED }),
		},
		temasys: {
			by: 'runtime',
			detect: [{ pattern: { type: 'get-version' }, reply: () => ({ type: 'send-version', version: VERSION }) }],
			request: [{ pattern: { type: 'get-source' }, sources: (said) => said.sources }],
			success: (_, id) => ({ type: 'send-source', sourceId: id }),
			denied: () => ({ type: 'send-source-error' }),
		},
		muazdirect: {
			by: 'runtime',
			detect: [{ pattern: 'are-you-there', reply: () => LOADED }],
			request: [
				{ pattern: 'get-sourceId', sources: SCREENS },
				{ pattern: { getSourceId: ANY }, sources: (said) => said.screenOptions },
			],
			success: both,
			denied,
		},
		kandy: {
			by: 'runtime',
			detect: [{ pattern: { message: 'version' }, reply: () => ({ version: VERSION }) }],
			request: [{ pattern: { message: 'chooseDesktopMedia' }, sources: SCREENS }],
			success: (_, id) => ({ mediaSourceId: id }),
			denied: () => ({ error: 'notAllowed' }),
		},
	};

	/** Whether a dialect is not answered. @type {(name: string) => boolean} */
	let silent = () => false;
	/** @type {Set<{name: string, said: any, answer: (reply: any) => void, port: chrome.runtime.Port | null}>} */
	const asks = new Set();
	/** What dialect each foreign extension's id was spoken to in. @type {Map<string, string>} */
	const spoken = new Map();
	let nextRequest = 1;
	let forwarding = 0; // What was said to this frame and is on its way to the page around it.
	const UNUSED_MS = 35_000;
	const FORWARDING_MAX = 4;

	/** @param {unknown} message */
	function post(message) {
		window.postMessage(message, window.origin === 'null' ? '*' : window.origin);
	}

	/** @param {[string, object]} event */
	function dispatch([name, detail]) {
		const { cloneInto } = /** @type {any} */ (globalThis); // Firefox lets a page read only what was made for it.
		document.dispatchEvent(new CustomEvent(name, { detail: cloneInto ? cloneInto(detail, window) : detail }));
	}

	/** @param {any} pattern @param {any} said */
	function matches(pattern, said) {
		if (typeof pattern !== 'object' || typeof said !== 'object' || said === null) {
			return pattern === said;
		}
		return Reflect.ownKeys(pattern).every((key) => {
			const value = said[key === TOKBOX ? tokboxKey(said) : key];
			return typeof pattern[key] === 'function' ? pattern[key](value) : value === pattern[key];
		});
	}

	/**
	 * The dialect that these words are of: the first in the table, so the more particular stand before the others.
	 *
	 * @param {any} said
	 * @param {Dialect['by']} by
	 * @param {string} extension
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
	 * @param {any} said
	 * @param {Dialect['by']} by
	 * @param {(reply: any) => void} answer
	 * @param {string} [extension]
	 * @returns {boolean} whether it was a dialect's
	 */
	function hear(said, by, answer, extension = '') {
		const found = understand(said, by, extension);
		const name = found?.name ?? spoken.get(extension) ?? '';
		if (silent(name)) {
			asked.add(name); // It is still this page's dialect, and its words are no other's.
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

	/**
	 * @param {string} name
	 * @param {Word} word
	 * @param {any} said
	 * @param {(reply: any) => void} answer
	 */
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
			const port = (ask.port = parts.open('page'));
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
			[failed, parts.wake].forEach((listen) => port.onDisconnect.addListener(listen));
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
	const postAll = (reply) => [reply ?? []].flat().forEach(post);

	/**
	 * @param {any} said
	 * @param {boolean} [framed] by the page around this frame, which redeems the id: so that page's own relay asks
	 */
	function take(said, framed) {
		if (!framed) {
			hear(said, undefined, postAll);
		} else if (window.parent !== window.top) {
			window.parent.postMessage({ chromeExtensionStatus: 'not-installed' }, '*');
		} else if (forwarding < FORWARDING_MAX && understand(said, 'parent', '')) {
			forwarding++;
			chrome.runtime.sendMessage({ type: 'dialect-for-parent', said }).catch(() => {}).then(() => forwarding--);
		}
	}

	/** Some pages wait for the extension to speak first; it does where the page shows that it is one of them. */
	function announceWhereExpected() {
		const scripts = [...document.scripts].map(({ src }) => src);
		const store = document.querySelector('link[rel="chrome-webstore-item"]') !== null;
		for (const [name, { sign, when, announce }] of Object.entries(dialects)) {
			const shown = sign ? scripts.some((src) => sign.test(src)) : when?.() === true;
			if (announce && !silent(name) && (shown || (store && name === 'webrtcsamples'))) {
				announce();
			}
		}
	}

	chrome.runtime.onMessage.addListener((message) => {
		if (message?.type === 'dialect-from-frame') {
			relay.start(message.others);
			hear(message.said, 'parent', postAll);
		}
	});
	// Heard from now on: page/runtime.js comes after this script, but maybe before its start.
	const begun = new Promise((resolve) => (relay.begin = resolve));
	parts.listen('portlight:say', async (/** @type {any} */ { detail }) => {
		const { call, extension, said } = JSON.parse(detail);
		const reply = (/** @type {object} */ rest) =>
			window.dispatchEvent(new CustomEvent('portlight:reply', { detail: JSON.stringify({ call, ...rest }) }));
		await begun;
		if (!hear(said, 'runtime', (answer) => reply({ reply: answer }), extension)) {
			reply({ unknown: true });
		}
	});
	relay.start = (/** @type {boolean} */ answered) => {
		silent = (name) => !answered && name !== 'deepstream';
		if (relay.hear === take) {
			return;
		}
		relay.hear = take;
		document.addEventListener('ct-respoke-source-id', () => hear('ct-respoke-source-id', 'event', dispatch));
		relay.begin();
		parts.listen('pagehide', () => {
			asks.forEach((ask) => asks.delete(ask) && ask.port?.disconnect());
		});
		if (document.readyState === 'loading') {
			document.addEventListener('DOMContentLoaded', announceWhereExpected); // What shows a page's dialect is yet to come.
		} else {
			announceWhereExpected();
		}
		relay.early.splice(0).forEach((/** @type {[any, boolean]} */ said) => take(...said));
	};
})();
