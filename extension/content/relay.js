/**
 * Stands between a page and the background. Until the page asks, it only listens to what page/messages.js finds to be for
 * it; it reads no message itself. The rest comes as scripts of their own.
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
	/** Frames that pages make for it, and what they say to them. */
	const FRAMES = /\/(getS(creen|ource)Id|detectRTC)(\.html|\/)|\/openvidu-screen-sharing/i;
	const FRAMED = /^(getChromeExtensionStatus|capture(Custom)?SourceId(WithAudio)?)$/;

	let opened = 0;

	/** @type {[string, (event: any) => void, boolean][]} */
	const listeners = [];

	/** Listens at the window for good: document.open() removes every listener. @param {string} type @param {(event: any) => void} listener */
	function listen(type, listener) {
		listeners.push([type, listener, true]);
		window.addEventListener(type, listener, true);
	}
	new MutationObserver(() => listeners.forEach((each) => window.addEventListener(...each))).observe(document, { childList: true });

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
	/** For the later scripts. @type {any} */
	const parts = { dialects, asks, listen, open, wake, GONE };
	Object.assign(globalThis, { portlight: parts });
	listen('portlight:signs', dialects.hear);
	listen('pagehide', leave);

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

	listen('portlight:heard', (/** @type {MessageEvent} */ event) => {
		const { data, ports: [port] } = event;
		if (data === 'requestScreenSourceId') {
			request();
		} else if (data.portlight && data.ask) {
			port && event.preventDefault();
			asks.hear(data, port);
		} else if (data.type === 'portlight:redeem') {
			parts.redeem && event.preventDefault();
			parts.redeem?.(data, port);
		} else {
			dialects.hear(data);
		}
	});
	if (window.parent !== window && FRAMES.test(location.pathname)) {
		listen('message', (/** @type {MessageEvent} */ event) => {
			if (event.isTrusted && event.source === window.parent && FRAMED.test(Object.keys(event.data ?? 0)[0])) {
				event.stopImmediatePropagation();
				dialects.hear(event.data, true);
			}
		});
	}
})();
