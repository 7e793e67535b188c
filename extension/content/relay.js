/**
 * Stands between a page and the background. Until the page asks, it only listens: before any script of the page, so that
 * what comes with a private port never reaches the page's listeners. What more it needs then comes as scripts of their own.
 */
(() => {
	'use strict';
	if (!window.isSecureContext) {
		return;
	}

	/** @type {chrome.runtime.Port | null} */
	let background = null;
	let pending = false;

	/** The words of content/dialects.js. */
	const SPOKEN =
		/^(check-add|csio[CR]|are-you|is-ext|get-[sR]|audio-p|SS_UI|janus[GC]|getScreen$|cancelG|getStr)/;

	/** The frames that pages of some dialects make for it, and what they say to them. */
	const FRAMES = /\/(getS(creen|ource)Id|detectRTC)(\.html|\/)|\/openvidu-screen-sharing/i;
	const FRAMED = /^(getChromeExtensionStatus|capture(Custom)?SourceId(WithAudio)?)$/;

	/**
	 * A script that comes when the first of its words is heard; what is said until then waits for it.
	 *
	 * @param {string} type
	 */
	function lazy(type) {
		async function start() {
			try {
				const reply = await chrome.runtime.sendMessage({ type });
				script.start(reply);
			} catch {
				// The extension was updated under this page. Whoever waits with a port is told.
				script.coming = null;
				script.early.splice(0).forEach((/** @type {any} */ [, port]) => port?.postMessage?.({}));
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
	/** What the scripts that come later have of this one. @type {any} */
	const parts = { dialects, asks };
	Object.assign(globalThis, { portlight: parts });
	window.addEventListener('portlight:signs', dialects.hear);

	/** @param {unknown} message */
	function answer(message) {
		pending = false;
		window.postMessage(message, window.origin === 'null' ? '*' : window.origin);
	}

	function request() {
		if (pending) {
			return; // One answer serves every request that came before it.
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

	/** A page that is left, even for a while, loses its ports without a word in some browsers. */
	function leave() {
		background?.disconnect();
		background = null;
		pending = false;
	}

	function connect() {
		window.addEventListener('pagehide', leave, { once: true });
		const port = chrome.runtime.connect({ name: 'page' });
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
