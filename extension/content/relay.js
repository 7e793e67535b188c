/**
 * Stands between a page and the background. Until the page asks, it only listens: before any script of the page, so that
 * what comes with a private port never reaches the page's listeners.
 */
(() => {
	'use strict';
	if (!window.isSecureContext) {
		return;
	}

	/** @type {chrome.runtime.Port | null} */
	let background = null;
	let pending = false;

	const GONE = { code: 'host-crashed', name: 'NotReadableError', message: 'The extension went away.', remedy: 'Reload the page.' };
	/** The words of content/dialects.js. */
	const SPOKEN = /^(check-add|csio[CR]|are-you|is-ext|get-[sR]|audio-p|SS_UI|janus[GC]|getScreen$|cancelG|getStr)/;
	/** Frames that pages make for it, and what they say to them. */
	const FRAMES = /\/(getS(creen|ource)Id|detectRTC)(\.html|\/)|\/openvidu-screen-sharing/i;
	const FRAMED = /^(getChromeExtensionStatus|capture(Custom)?SourceId(WithAudio)?)$/;

	let opened = 0;

	/** So many in so much time. @param {string} name */
	function open(name) {
		if (opened > 99) {
			throw 'too-many-requests';
		}
		const port = chrome.runtime.connect({ name });
		opened++;
		setTimeout(() => opened--, 1e4);
		return port;
	}

	/** A worker that died left its icon and badge; the next one puts them right. */
	function wake() {
		const call = async () => chrome.runtime.sendMessage({ type: 'awake' });
		setTimeout(() => call().catch(() => {}), 1000);
	}

	/** A script that comes when the first of its words is heard; these wait for it. @param {string} type */
	function lazy(type) {
		async function start() {
			try {
				const reply = await chrome.runtime.sendMessage({ type });
				script.start(reply);
			} catch {
				// The extension was updated under this page.
				script.coming = null;
				script.early.splice(0).forEach((/** @type {any} */ [{ ask, id }, port]) => {
					ask && (port ? port.postMessage({}) : post({ portlight: 1, id, error: GONE }));
				});
			}
		}
		/** @type {any} */
		const script = {
			early: [],
			hear(/** @type {any} */ ...said) {
				script.early[98] || script.early.push(said);
				script.coming ??= start();
			},
		};
		return script;
	}
	const dialects = lazy('dialects');
	const asks = lazy('asks');
	/** For later scripts. @type {any} */
	const parts = { dialects, asks, open, wake, GONE };
	Object.assign(globalThis, { portlight: parts });
	window.addEventListener('portlight:signs', dialects.hear);

	/** @param {unknown} message */
	function post(message) {
		window.postMessage(message, window.origin === 'null' ? '*' : window.origin);
	}

	/** @param {unknown} message */
	function answer(message) {
		pending = false;
		post(message);
	}

	function request() {
		if (pending) {
			return; // One answer serves every request before it.
		}
		if (document.hidden) {
			document.addEventListener('visibilitychange', request, { once: true });
			return;
		}
		pending = true;
		try {
			background ??= connect();
			background.postMessage({ type: 'request' });
		} catch {
			background = null;
			answer('PermissionDeniedError'); // The extension was updated under this page.
		}
	}

	/** Some browsers take a page's ports without a word. */
	function leave() {
		background?.disconnect();
		background = null;
		pending = false;
	}

	function connect() {
		window.addEventListener('pagehide', leave, { once: true });
		const port = open('page');
		port.onMessage.addListener((message) => {
			if (message.type === 'granted') {
				answer({ sourceId: message.sourceId });
			} else if (message.type === 'refused') {
				console.info(`Portlight: ${message.message} ${message.remedy}`);
				answer('PermissionDeniedError');
			}
		});
		port.onDisconnect.addListener(() => {
			background = null;
			if (pending) {
				answer('PermissionDeniedError');
				wake();
			}
		});
		return port;
	}

	window.addEventListener(
		'message',
		(event) => {
			const { data, ports, source } = event;
			const word = data?.type ?? data;
			if (source !== window) {
				const framed = event.isTrusted && source === window.parent && FRAMES.test(location.pathname);
				if (framed && FRAMED.test(Object.keys(data ?? 0)[0])) {
					event.stopImmediatePropagation();
					dialects.hear(data, true);
				}
				return;
			}
			if (data === 'requestScreenSourceId') {
				request();
			} else if (data?.portlight && data.ask) {
				if (ports[0]) {
					event.stopImmediatePropagation();
				}
				asks.hear(data, ports[0]);
			} else if ((typeof word === 'string' && SPOKEN.test(word)) || data?.from === 'jsapi' || data?.['get-custom-sourceId'] || (data?.requestId && data.data?.[0])) {
				dialects.hear(data);
			} else if (ports[0] && word === 'portlight:redeem') {
				event.stopImmediatePropagation();
				parts.redeem?.(data, ports[0]);
			}
		},
		true,
	);
})();
