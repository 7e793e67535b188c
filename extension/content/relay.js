/**
 * Stands between a page and the background. Until the page asks, it only listens: before any script of the page, so that
 * what the page's track says to it never reaches the page's listeners.
 */
(() => {
	'use strict';
	if (!window.isSecureContext) {
		return;
	}

	const WAKE_MS = 1000;
	/** @type {chrome.runtime.Port | null} */
	let background = null;
	let pending = false;
	/** @type {Set<() => void>} ends each of the page's shares */
	const shares = new Set();

	/** For content/dialects.js. */
	const SPOKEN =
		/^(check-add|csio[CR]|are-you|is-ext|get-[sR]|audio-p|SS_UI|janus[GC]|getScreen$|cancelG|getStr)/;
	/** @type {any} */
	const dialects = {
		early: [],
		hear(/** @type {any} */ ...said) {
			dialects.early[98] || dialects.early.push(said);
			dialects.coming ??= chrome.runtime.sendMessage({ type: 'dialects' }).then((off) => dialects.start?.(off));
		},
	};
	Object.assign(globalThis, { portlight: dialects });
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
		shares.forEach((end) => end());
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

	/**
	 * Joins the track that redeems a source id with the background, until either ends it.
	 *
	 * @param {Record<string, unknown>} wish
	 * @param {MessagePort} track
	 */
	function redeem(wish, track) {
		let over = false;
		const lost = { type: 'ended', code: 'host-crashed', name: 'NotReadableError', message: 'The extension went away.' };
		/** @type {chrome.runtime.Port} */
		let share;
		try {
			share = chrome.runtime.connect({ name: 'share' });
		} catch {
			track.postMessage(lost);
			return;
		}
		const end = () => {
			if (!over) {
				over = true;
				track.postMessage(lost);
			}
			shares.delete(end);
			share.disconnect();
			track.close();
		};
		shares.add(end);
		share.onMessage.addListener((message) => {
			over ||= message.type === 'ended';
			track.postMessage(message);
		});
		share.onDisconnect.addListener(() => {
			if (!over) {
				// A worker that was killed left its badge behind; waking it, once it is wholly gone, puts that right.
				setTimeout(() => chrome.runtime.sendMessage({ type: 'awake' }).catch(() => {}), WAKE_MS);
			}
			end();
		});
		track.onmessage = ({ data }) => {
			if (data.type === 'stop') {
				over = true;
				end();
			} else if (data.type === 'ping') {
				track.postMessage({ type: 'pong' });
			} else if (!over) {
				share.postMessage(data);
			}
		};
		const { sourceId, codecs, maxFps, maxWidth, maxHeight, fidelity } = wish;
		share.postMessage({ type: 'redeem', sourceId, codecs, maxFps, maxWidth, maxHeight, fidelity });
	}

	window.addEventListener(
		'message',
		(event) => {
			const { data, ports, source } = event;
			const word = data?.type ?? data;
			if (source !== window) {
				const frame = source === window.parent && /getScreenId|detectRTC|screen-sharing/i.test(location.href);
				if (frame && /^(getChr|captu)/.test(Object.keys(data ?? 0)[0])) {
					event.stopImmediatePropagation();
					dialects.hear(data, true);
				}
				return;
			}
			if (data === 'requestScreenSourceId') {
				request();
			} else if ((typeof word === 'string' && SPOKEN.test(word)) || data?.from === 'jsapi' || data?.['get-custom-sourceId'] || data?.requestId) {
				dialects.hear(data);
			} else if (ports.length === 1 && data?.type === 'portlight:redeem') {
				event.stopImmediatePropagation();
				redeem(data, ports[0]);
			}
		},
		true,
	);
})();
