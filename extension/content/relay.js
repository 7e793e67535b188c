/**
 * Stands between a page and the background, in the extension's own world of every frame. It hears what page/messages.js
 * finds to be for it, and looks for pages made for other extensions. All else comes in scripts that are loaded then.
 */

/** Scripts of pages that ask another extension. */
const SIGNS =
	/jitsi|easyrtc|erizo|bigblue|opentok|tokbox|twilio|temasys|skylink|kandy|getscreen|simplewebrtc|screen-?(shar|capt)|rtcmulti|openvidu|janus|skyway|bistri|rong-?(rtc|cloud)|respoke|desktopcapture/i;
const GONE = { code: 'host-crashed', name: 'NotReadableError', message: 'The extension went away.', remedy: 'Reload the page.' };

/** @type {[string, (event: any) => void, boolean][]} */
const listeners = [];

/** Listens at the window for good: document.open() removes every listener. @param {string} type @param {(event: any) => void} listener */
function listen(type, listener) {
	listeners.push([type, listener, true]);
	window.addEventListener(type, listener, true);
}

/** A script that the background loads when its first message is heard. @param {string} type */
function later(type) {
	/** @type {any} */
	const script = {
		early: [],
		async load(/** @type {object} */ more) {
			try {
				const reply = await chrome.runtime.sendMessage({ type, ...more });
				script.start(reply);
			} catch {
				script.loading = null; // The extension was removed or updated under this page.
				script.early.splice(0).forEach((/** @type {[any, MessagePort?]} */ [said, port]) => {
					const refusal = said.ask ? { portlight: 1, id: said.id, error: GONE } : said === 'requestScreenSourceId' && 'PermissionDeniedError';
					port ? port.postMessage({}) : refusal && window.postMessage(refusal, '*');
				});
			}
		},
		hear(/** @type {any[]} */ ...said) {
			script.early[98] || script.early.push(said);
			script.loading ??= script.load();
		},
	};
	return script;
}

/** For the later scripts. @type {any} */
const shared = { dialects: later('dialects'), api: later('page-api'), listen, GONE };

/** When the document is parsed, before the scripts that are deferred. */
function look() {
	if (document.querySelector('link[rel*=webstore],#app[class*=nc-enable]') || [...document.scripts].some(({ src }) => SIGNS.test(src))) {
		shared.dialects.loading = shared.dialects.load({ signs: true });
	}
}

/** @param {MessageEvent} event */
function onHeard(event) {
	const { data, ports: [port] } = event;
	if (data.type !== 'portlight:redeem') {
		port && event.preventDefault(); // It is taken.
		(data.ask ? shared.api : shared.dialects).hear(data, port);
	} else if (shared.redeem) {
		event.preventDefault();
		shared.redeem(data, port);
	}
}

if (window.isSecureContext) {
	Object.assign(globalThis, { portlight: shared });
	listen('portlight:heard', onHeard);
	const again = () => {
		document.addEventListener('readystatechange', look, { once: true });
		listeners.forEach((each) => window.addEventListener(...each));
	};
	again();
	new MutationObserver(again).observe(document, { childList: true });
}
