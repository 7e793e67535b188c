/** What pages say to screen-sharing extensions, as one table. */
import { post } from './ports.js';

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
 * @property {(said: any, request: number) => any} [pending] said at once, while the user still chooses
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
export const asked = new Set();
/** The dialects that spoke first. @type {Set<string>} */
export const announced = new Set();
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

/** @param {[string, object]} event */
export function dispatch([name, detail]) {
	const { cloneInto } = /** @type {any} */ (globalThis); // Firefox lets a page read only what was made for it.
	document.dispatchEvent(new CustomEvent(name, { detail: cloneInto ? cloneInto(detail, window) : detail }));
}

/** @param {any} pattern @param {any} said */
export function matches(pattern, said) {
	if (typeof pattern !== 'object' || typeof said !== 'object' || said === null) {
		return pattern === said;
	}
	return Reflect.ownKeys(pattern).every((key) => {
		const value = said[key === TOKBOX ? tokboxKey(said) : key];
		return typeof pattern[key] === 'function' ? pattern[key](value) : value === pattern[key];
	});
}

/** Where two share a word, the one that shows itself by more stands first. @type {Record<string, Dialect>} */
export const dialects = {
	deepstream: {
		detect: [{ pattern: 'check-addon-installed', reply: () => ['addon-installed', { addonInstalled: true }] }],
		request: [{ pattern: 'requestScreenSourceId', sources: SCREENS }],
		success: (said, id) => [{ sourceId: id }, ...(announced.has('rongcloud') ? [dialects.rongcloud.success(said, id, false)] : [])],
		denied,
	},
	easyrtc: {
		detect: [{ pattern: 'is-extension-loaded', reply: () => 'extension-loaded' }],
		request: [{ pattern: 'get-sourceId', sources: SCREENS }],
		success: both,
		denied,
		when: () => asked.has('easyrtc'),
	},
	easyrtc1: {
		detect: [{ pattern: 'desktopcapture-are-you-there', reply: () => 'desktopcapture-loaded' }],
		request: [{ pattern: 'desktopcapture-get-sourceId', sources: SCREENS }],
		success: (_, id) => ({ sourceId: id }),
		denied,
		sign: /easyrtc/i,
		announce: () => post('desktopcapture-loaded'),
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
		request: [], // deepstream's word; its page wants that answer with a type as well.
		success: (_, id) => ({ type: 'onResponseReqSouId', sourceId: id }),
		sign: /rong-?(rtc|cloud)/i,
		announce: () => void global('rongcloud').then(() => post({ type: 'testMessage' }), () => {}),
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
