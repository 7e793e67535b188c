/**
 * The page's side of every dialect, as its source plays it: how it finds the extension, asks, takes the id or the
 * refusal, redeems the id, and takes the request back. Used in real browsers and, on a small window, by tests/js/dialects.test.js.
 */

/** How long something may take that is to happen; the pages themselves are less patient. */
const CAP_MS = 20_000;
/** After which who looks for the extension looks again: a page's first words may come before it listens. */
const RETRY_MS = 300;

/** @typedef {any} Win */
/**
 * @typedef {object} Client
 * @property {string} [script] the file that such a page loads, which the extension may know it by
 * @property {string} [html] more that such a page has
 * @property {(page: Win) => Promise<unknown> | unknown} [detect] truthy when the extension is found
 * @property {(page: Win) => Promise<string>} ask gives the id; rejects with 'denied'
 * @property {(id: string, screen: {width: number, height: number}) => any} [video] the constraints that it redeems the id
 *   with; else those that most have
 * @property {boolean} [promised] it calls mediaDevices.getUserMedia, not the older one with callbacks
 * @property {(page: Win) => Promise<unknown>} [abort] asks, takes it back, and resolves when that is answered
 * @property {'silent'} [denial] the dialect has no word for it
 * @property {boolean} [framed] spoken to a frame
 * @property {boolean} [runtime] spoken by chrome.runtime, which Firefox's pages don't have
 */

/**
 * The next message that fits.
 * @param {Win} page
 * @param {(data: any) => unknown} fits
 * @param {number} [ms] after which it is given up, or asked again
 * @returns {Promise<any>}
 */
function next(page, fits, ms) {
	return new Promise((resolve, reject) => {
		/** @param {any} event */
		const listen = (event) => {
			if (event.source === page && event.origin === page.origin && fits(event.data)) {
				page.removeEventListener('message', listen);
				resolve(event.data);
			}
		};
		page.addEventListener('message', listen);
		if (ms) {
			setTimeout(() => reject(new Error(`nothing within ${ms} ms`)), ms).unref?.();
		}
	});
}

const DENIED = 'PermissionDeniedError';

/** @param {unknown} id */
function given(id) {
	if (typeof id === 'string' && id !== '' && id !== DENIED) {
		return id;
	}
	throw new Error('denied');
}

/**
 * Says one thing and waits for the string that answers.
 * @param {string} say
 * @param {(data: any) => unknown} fits
 */
const hello = (say, fits) => async (/** @type {Win} */ page) => {
	const answer = next(page, fits, RETRY_MS);
	page.postMessage(say, '*');
	return answer;
};

/**
 * @param {any} say
 * @param {string} field of the answer
 */
const strings = (say, field) => async (/** @type {Win} */ page) => {
	const answer = next(page, (data) => data === DENIED || data?.[field] !== undefined);
	page.postMessage(say, '*');
	return given((await answer)[field]);
};

/**
 * runtime.sendMessage to a hard-coded extension.
 * @param {Win} page
 * @param {string} extension
 * @param {...any} message
 */
const tell = (page, extension, ...message) =>
	new Promise((resolve, reject) =>
		page.chrome.runtime.sendMessage(extension, ...message, (/** @type {any} */ reply) =>
			page.chrome.runtime.lastError ? reject(new Error(page.chrome.runtime.lastError.message)) : resolve(reply),
		),
	);

const ID = 'abcdefghijklmnopabcdefghijklmnop';

/** Janus, getScreenMedia and Nextcloud Talk: an ack in less than a second, then the id. */
const acked = (/** @type {string} */ ask, /** @type {string} */ pending, /** @type {string} */ got) => async (/** @type {Win} */ page) => {
	const id = 7;
	const ack = next(page, (data) => data?.type === pending && data.id === id, CAP_MS);
	const answer = next(page, (data) => data?.type === got && data.id === id);
	page.postMessage({ type: ask, id }, '*');
	await ack;
	return given((await answer).sourceId);
};

/** @param {string} ask @param {string} pending @param {string} cancel @param {string} cancelled */
const takenBack = (ask, pending, cancel, cancelled) => async (/** @type {Win} */ page) => {
	const ack = next(page, (data) => data?.type === pending, CAP_MS);
	page.postMessage({ type: ask, id: 8 }, '*');
	const { request } = await ack;
	const over = next(page, (data) => data?.type === cancelled, CAP_MS);
	page.postMessage({ type: cancel, request }, '*');
	return over;
};

/** @param {any} message */
const toFrame = (message) => async (/** @type {Win} */ page) => {
	const answer = new Promise((resolve) => {
		page.addEventListener('message', function listen(/** @type {any} */ { data }) {
			if (data?.chromeMediaSourceId) {
				page.removeEventListener('message', listen);
				resolve(data.chromeMediaSourceId);
			}
		});
	});
	page.frames[0].postMessage(message, '*');
	return given(await answer);
};

/** @param {string} id @param {object} [more] */
const source = (id, more) => ({ chromeMediaSource: 'desktop', chromeMediaSourceId: id, ...more });
const LAYERED = { googTemporalLayeredScreencast: true };
const LEAKY = { googLeakyBucket: true };

/** The constraints that most have. @param {string} id @param {{width: number, height: number}} screen @param {object[]} [optional] */
export const large = (id, { width, height }, optional = []) => ({
	mandatory: source(id, { maxWidth: Math.max(width, 1920), maxHeight: Math.max(height, 1080) }),
	optional,
});
/** @param {string} id */
const bare = (id) => ({ mandatory: source(id) });
/** @param {object} [more] @param {object[]} [optional] */
const asScreen = (more, optional) => (/** @type {string} */ id, /** @type {{width: number, height: number}} */ { width, height }) => ({
	mandatory: source(id, { maxWidth: width, maxHeight: height, ...more }),
	...(optional && { optional }),
});
const slowScreen = asScreen({ maxFrameRate: 3 }, [LEAKY, LAYERED]);
/** @type {Client['video']} */
const layered = (id, screen) => large(id, screen, [LAYERED, LEAKY]);

/** @type {Record<string, Client>} */
export const clients = {
	deepstream: {
		video: (id, screen) => large(id, screen, [LAYERED]),
		async detect(page) {
			const both = Promise.all([
				next(page, (data) => data === 'addon-installed', RETRY_MS),
				next(page, (data) => data.addonInstalled === true, RETRY_MS),
			]);
			page.postMessage('check-addon-installed', '*');
			return both;
		},
		ask: strings('requestScreenSourceId', 'sourceId'),
	},
	muaz: {
		video: layered,
		detect: hello('are-you-there', (data) => data === 'rtcmulticonnection-extension-loaded'),
		ask: strings('get-sourceId', 'sourceId'),
	},
	'muaz, with sound': { video: layered, ask: strings('audio-plus-tab', 'sourceId') },
	'muaz, of its choice': { video: layered, ask: strings({ 'get-custom-sourceId': ['screen'] }, 'sourceId') },
	easyrtc: {
		detect: hello('is-extension-loaded', (data) => data === 'extension-loaded'),
		ask: strings('get-sourceId', 'chromeMediaSourceId'),
	},
	easyrtc1: {
		script: 'easyrtc.js',
		detect: hello('desktopcapture-are-you-there', (data) => data === 'desktopcapture-loaded'),
		ask: strings('desktopcapture-get-sourceId', 'sourceId'),
	},
	rocketchat: {
		detect: hello('get-RocketChatScreenSharingExtensionVersion', (data) => typeof data?.version === 'string'),
		ask: strings('get-sourceId', 'sourceId'),
	},
	getscreenid: {
		framed: true,
		detect(page) {
			return new Promise((resolve) => {
				page.addEventListener('message', (/** @type {any} */ { data }) => data?.chromeExtensionStatus === 'installed-enabled' && resolve(true));
				page.frames[0].postMessage({ getChromeExtensionStatus: true }, '*');
			});
		},
		ask: toFrame({ captureSourceId: true }),
	},
	'getscreenid, with sound': { framed: true, ask: toFrame({ captureSourceIdWithAudio: true }) },
	'getscreenid, of its choice': { framed: true, ask: toFrame({ captureCustomSourceId: ['screen', 'window'] }) },
	adapterjs: {
		framed: true,
		async ask(page) {
			// It listens for one message, whatever that is.
			const answer = new Promise((resolve) => page.addEventListener('message', resolve, { once: true }));
			page.frames[0].postMessage({ captureSourceId: true, sources: ['screen'], legacy: true, extensionId: ID, extensionLink: '' }, '*');
			return given((await answer).data.chromeMediaSourceId);
		},
	},
	webrtcsamples: {
		video: asScreen(),
		script: 'desktopcapture/app.js',
		detect: (page) => page.said.some((/** @type {any} */ data) => data?.type === 'SS_PING'),
		async ask(page) {
			const answer = next(page, (data) => ['SS_DIALOG_SUCCESS', 'SS_DIALOG_CANCEL'].includes(data?.type));
			page.postMessage({ type: 'SS_UI_REQUEST', text: 'start', url: 'kept' }, '*');
			const { url, streamId } = await answer;
			if (url !== 'kept') {
				throw new Error('It did not keep what the page said.');
			}
			return given(streamId);
		},
		async abort(page) {
			page.postMessage({ type: 'SS_UI_REQUEST', text: 'start' }, '*');
			const over = next(page, (data) => data?.type === 'SS_DIALOG_CANCEL', CAP_MS);
			page.postMessage({ type: 'SS_UI_CANCEL' }, '*');
			return over;
		},
	},
	getscreenmedia: {
		video: slowScreen,
		ask: acked('getScreen', 'getScreenPending', 'gotScreen'),
		abort: takenBack('getScreen', 'getScreenPending', 'cancelGetScreen', 'canceledGetScreen'),
	},
	janus: {
		promised: true,
		video: asScreen({ minFrameRate: 3, maxFrameRate: 3 }, [LEAKY, LAYERED]),
		script: 'janus.js',
		detect: (page) => page.document.getElementById('janus-extension-installed'),
		ask: acked('janusGetScreen', 'janusGetScreenPending', 'janusGotScreen'),
		abort: takenBack('janusGetScreen', 'janusGetScreenPending', 'janusCancelGetScreen', 'janusCanceledGetScreen'),
	},
	skyway: {
		video: (id) => ({
			mandatory: source(id, { minWidth: 640, maxWidth: 640, minHeight: 360, maxHeight: 360, minFrameRate: 5, maxFrameRate: 5 }),
			optional: [LAYERED],
		}),
		script: 'screenshare.js',
		detect: (page) =>
			page.ScreenShareExtentionExists === true && page.said.some((/** @type {any} */ data) => data?.type === 'ScreenShareInjected'),
		async ask(page) {
			const answer = next(page, (data) => data?.type === 'gotStreamId');
			page.postMessage({ type: 'getStreamId' }, '*');
			return given((await answer).streamid);
		},
	},
	opentok: {
		async detect(page) {
			const key = `com.tokbox.screenSharing.${ID}`;
			const loaded = next(page, (data) => data?.[key] === 'extensionLoaded' && data.from === 'extension', RETRY_MS);
			page.postMessage({ [key]: 'isExtensionInstalled', payload: { requestId: 'r1' }, from: 'jsapi' }, '*');
			return (await loaded).payload.requestId === 'r1';
		},
		async ask(page) {
			const key = `com.tokbox.screenSharing.${ID}`;
			const answer = next(page, (data) => data?.from === 'extension' && data.payload.requestId === 'r2');
			page.postMessage({ [key]: 'getSourceId', payload: { requestId: 'r2' }, from: 'jsapi' }, '*');
			const reply = await answer;
			return given(reply[key] === 'sourceId' ? reply.payload.sourceId : reply[key] === 'permissionDenied' ? '' : reply);
		},
	},
	bistri: {
		video: asScreen({}, []),
		script: 'bistri.conference.js',
		detect: (page) => page.document.getElementById('bistri-screen-sharing-installed'),
		async ask(page) {
			const requestId = 3;
			const pending = next(page, (data) => data?.answer && data.state === 'pending' && data.requestId === requestId, CAP_MS);
			const done = next(page, (data) => data?.answer && data.state === 'completed' && data.requestId === requestId);
			page.postMessage({ data: ['screen'], requestId }, '*');
			await pending;
			return given((await done).streamId);
		},
	},
	nextcloud: {
		video: slowScreen,
		html: '<div id="app" class="nc-enable-screensharing-extension"></div>',
		detect(page) {
			const data = page.document.querySelector('#app').getAttribute('data-chromeExtensionData');
			return data && JSON.parse(data).version;
		},
		async ask(page) {
			const pending = next(page, (data) => data?.type === 'getScreenPending' && data.id === 4 && data.answer === true, CAP_MS);
			const got = next(page, (data) => data?.type === 'gotScreen' && data.id === 4 && data.answer === true);
			page.postMessage({ type: 'getScreen', id: 4 }, '*');
			await pending;
			return given((await got).sourceId);
		},
	},
	callstats: {
		video: (id, { width, height }) => ({
			mandatory: source(id, { maxWidth: Math.min(width, 1920), maxHeight: Math.min(height, 1080) }),
			optional: [LAYERED],
		}),
		denial: 'silent',
		detect: hello('csioCheckAddonInstalled', (data) => data === 'csioAddonInstalled'),
		async ask(page) {
			const answer = next(page, (data) => data?.evt === 'onCsioSourceId');
			page.postMessage('csioRequestScreenSourceId', '*');
			return given((await answer).csioSourceId);
		},
	},
	rongcloud: {
		script: 'RongRTC-3.js',
		detect: (page) =>
			page.isScreenSharePluginInstalled === true && page.said.some((/** @type {any} */ data) => data?.type === 'testMessage'),
		async ask(page) {
			const answer = next(page, (data) => data === DENIED || data?.type === 'onResponseReqSouId');
			page.postMessage('requestScreenSourceId', '*');
			return given((await answer).sourceId);
		},
	},
	respoke: {
		video: bare,
		script: 'respoke.min.js',
		detect: (page) => page.events.some((/** @type {any} */ detail) => detail.available === true),
		ask: (page) =>
			new Promise((resolve, reject) => {
				page.document.addEventListener(
					'respoke-source-id',
					(/** @type {any} */ { detail }) => (detail.error ? reject(new Error('denied')) : resolve(detail.sourceId)),
					{ once: true },
				);
				page.document.dispatchEvent(new page.CustomEvent('ct-respoke-source-id', { detail: {} }));
			}),
	},
	jidesha: {
		runtime: true,
		promised: true,
		video: asScreen({ minFrameRate: 5, maxFrameRate: 5 }, [LAYERED]),
		script: 'lib-jitsi-meet.min.js',
		detect: async (page) => (await tell(page, ID, { getVersion: true })).version,
		ask: async (page) => given((await tell(page, ID, { getStream: true, sources: ['screen', 'window'] })).streamId),
	},
	licode: {
		runtime: true,
		video: bare,
		script: 'erizo.js',
		detect: async (page) => (await tell(page, 'okeephmleflklcdebijnponpabbmmgeo', { getVersion: true })).version,
		ask: async (page) => given((await tell(page, 'okeephmleflklcdebijnponpabbmmgeo', { getStream: true }))?.streamId),
	},
	bigbluebutton: {
		runtime: true,
		video: bare,
		script: 'bigbluebutton.js',
		async ask(page) {
			const reply = await tell(page, ID, { getStream: true, sources: ['screen', 'tab'] });
			return given(reply.error === 'permissionDenied' ? '' : reply.streamId);
		},
	},
	opentok2: {
		runtime: true,
		script: 'opentok.js',
		async detect(page) {
			const odd = await tell(page, ID, { type: 'isInstalled' }).then(() => tell(page, ID, { type: 'odd' }));
			return odd.error === 'unsupportedMessage' && odd.type === 'odd' && (await tell(page, ID, { type: 'apiVersion' })) === 2;
		},
		async ask(page) {
			const reply = await tell(page, ID, { type: 'getSourceId' });
			return given(reply.error === 'permissionDenied' ? '' : reply.sourceId);
		},
	},
	getscreenmedia2: {
		runtime: true,
		video: asScreen({ maxFrameRate: 3 }),
		script: 'getscreenmedia.js',
		detect: (page) => page.sessionStorage.getScreenMediaJSExtensionId,
		async ask(page) {
			const id = page.sessionStorage.getScreenMediaJSExtensionId;
			return given((await tell(page, id, { type: 'getScreen', id: 1 }, null)).sourceId);
		},
	},
	twilio: {
		runtime: true,
		promised: true,
		video: bare,
		script: 'twilio-video.js',
		async ask(page) {
			const reply = await tell(page, ID, { type: 'requestUserScreen' });
			return given(reply.type === 'success' ? reply.payload : reply.payload.code === 'PERMISSION_DENIED' ? '' : reply);
		},
	},
	userscreen: {
		runtime: true,
		promised: true,
		video: bare,
		script: 'twilio-video.js',
		async ask(page) {
			const reply = await tell(page, ID, { type: 'getUserScreen', sources: ['screen'] });
			return given(reply.type === 'success' ? reply.streamId : reply.type === 'error' && reply.message ? '' : reply);
		},
	},
	temasys: {
		runtime: true,
		script: 'adapter.screenshare.js',
		detect: async (page) => (await tell(page, ID, { type: 'get-version' })).type === 'send-version',
		async ask(page) {
			const reply = await tell(page, ID, { type: 'get-source', sources: ['screen'] });
			return given(reply.type === 'send-source-error' ? '' : reply.sourceId);
		},
	},
	muazdirect: {
		runtime: true,
		script: 'Screen-Capturing.js',
		detect: async (page) => (await tell(page, ID, 'are-you-there')) === 'rtcmulticonnection-extension-loaded',
		async ask(page) {
			const reply = await tell(page, ID, { getSourceId: true, requestURL: '', screenOptions: ['screen'] });
			return given(reply.sourceId);
		},
	},
	kandy: {
		runtime: true,
		video: bare,
		script: 'kandy.js',
		detect: async (page) => (await tell(page, ID, { message: 'version' })).version,
		async ask(page) {
			const reply = await tell(page, ID, { message: 'chooseDesktopMedia' });
			return given(reply.error === 'notAllowed' ? '' : reply.mediaSourceId);
		},
	},
};
