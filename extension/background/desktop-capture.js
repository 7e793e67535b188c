/** The browser's own way, if it has one: chrome.desktopCapture, with its own dialog and ids. */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';

export function available() {
	return ext.desktopCapture !== undefined;
}

/**
 * Opens the browser's dialog for the page that asked.
 * @param {chrome.runtime.MessageSender} sender @param {AbortSignal} signal closes the dialog @param {string[]} sources
 * @returns {Promise<import('./requests.js').Given>} the source id, to be passed on untouched; rejects with a Failure
 */
export async function choose(sender, signal, sources) {
	// The checks before this may have taken a while.
	if (signal.aborted) {
		throw new Failure('cancelled');
	}
	/** @type {() => void} */
	let cancel = () => {};
	/** @type {Promise<import('./requests.js').Given>} */
	const chosen = new Promise((resolve, reject) => {
		// The id is bound to the origin of the tab's url, which must be that of the frame that redeems it. An about:blank or
		// srcdoc frame's url has no origin.
		const tab = /** @type {chrome.tabs.Tab} */ ({ ...sender.tab, url: `${sender.origin}/` });
		const request = ext.desktopCapture.chooseDesktopMedia(/** @type {any} */ (sources), tab, (sourceId, options) => {
			const problem = ext.runtime.lastError?.message;
			if (problem) {
				reject(new Failure('chooser-error', problem));
			} else if (sourceId) {
				resolve({ sourceId, canRequestAudioTrack: options?.canRequestAudioTrack === true });
			} else {
				reject(new Failure('denied'));
			}
		});
		cancel = () => {
			reject(new Failure('cancelled'));
			ext.desktopCapture.cancelChooseDesktopMedia(request);
		};
	});
	signal.addEventListener('abort', cancel);
	try {
		return await chosen;
	} catch (error) {
		throw Failure.from(error, 'chooser-error');
	} finally {
		signal.removeEventListener('abort', cancel);
	}
}
