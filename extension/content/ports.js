/** Ports to the background. */

/** What the relay shares with the scripts that come later. @type {any} */
export const page = /** @type {any} */ (globalThis).portlight;

let opened = 0;

/** Throws when a page wants more than 100 in ten seconds, or when the extension is gone. @param {string} name */
export function open(name) {
	if (opened > 99) {
		throw 'too-many-requests';
	}
	const port = chrome.runtime.connect({ name });
	opened++;
	setTimeout(() => opened--, 1e4);
	return port;
}

/** A worker that died left its icon and badge; the next one puts them right. */
export function wake() {
	const call = async () => chrome.runtime.sendMessage({ type: 'awake' });
	setTimeout(() => call().catch(() => {}), 1000);
}

/** To the page's own window. @param {unknown} message @param {Transferable[]} [transfer] */
export function post(message, transfer) {
	window.postMessage(message, window.origin === 'null' ? '*' : window.origin, transfer);
}
