/** Whether the user sees a document now. One that they don't see opens no dialog, uses no remembered choice, starts no host. */
import { ext } from './ext.js';
import { runIn } from './inject.js';

/**
 * Runs in the frame, in the extension's own world. It reads the getters of the prototype: an element of the page that is
 * named `visibilityState` hides the property of the document.
 */
function isVisible() {
	const read = (/** @type {string} */ name) => Object.getOwnPropertyDescriptor(Document.prototype, name)?.get?.call(document);
	return read('visibilityState') === 'visible' && read('prerendering') !== true;
}

/**
 * Whether the document is visible, in the active tab of the browser window that had the focus last.
 *
 * @param {import('./source-ids.js').Place} place
 */
export async function inFront(place) {
	const [front] = await ext.tabs.query({ active: true, lastFocusedWindow: true });
	return front?.id === place.tabId && (await runIn(place, isVisible)) === true;
}
