/** What the dialects of pages need of the background: their script, the page around a frame, a flag in the page's world. */
import * as desktopCapture from './desktop-capture.js';
import { ext } from './ext.js';
import { nextTurn, targetOf } from './inject.js';
import { dialectsOff } from './settings.js';
import { placeOf } from './source-ids.js';

/** The flags that pages of these dialects look for. @type {Record<string, string>} */
const GLOBALS = { skyway: 'ScreenShareExtentionExists', rongcloud: 'isScreenSharePluginInstalled' };

/** Runs in the page. @param {string} name */
function raise(name) {
	Object.assign(window, { [name]: true });
}

/**
 * Puts the table into a frame where one of its words may have been said. Browsers other than Chromium never had the
 * pages that speak to an extension by runtime.sendMessage.
 *
 * @param {chrome.scripting.InjectionTarget} target
 * @param {boolean} [runtime] whether the page may be one of those
 * @returns {Promise<boolean>} whether words made for other extensions are answered
 */
export async function loadDialects(target, runtime) {
	await nextTurn();
	await ext.scripting.executeScript({ target, files: ['scripts/dialects.js'], injectImmediately: true });
	if (runtime && desktopCapture.available()) {
		await ext.scripting.executeScript({ target, files: ['scripts/runtime.js'], world: 'MAIN', injectImmediately: true });
	}
	return (await dialectsOff()).length === 0;
}

/**
 * A listener of runtime.onMessage for what content/dialects.js and the relay say.
 *
 * @param {any} message
 * @param {chrome.runtime.MessageSender} sender
 * @param {(reply: unknown) => void} reply
 * @returns {boolean} whether the reply comes later
 */
export function onDialectMessage(message, sender, reply) {
	const place = placeOf(sender);
	if (!place) {
		return false;
	}
	const target = targetOf(place);
	switch (message?.type) {
	case 'dialects':
		loadDialects(target, message.signs === true).then(reply, () => reply(null));
		return true;
	case 'dialect-global':
		if (Object.hasOwn(GLOBALS, message.name)) {
			/** @type {[string]} */
			const args = [GLOBALS[message.name]];
			nextTurn()
				.then(() => ext.scripting.executeScript({ target, world: 'MAIN', func: raise, args }))
				.then(() => reply(true), () => reply(false));
			return true;
		}
		return false;
	case 'dialect-for-parent':
		askParent(place.tabId, message.said).then(() => reply(true), () => reply(false));
		return true;
	default:
		return false;
	}
}

/**
 * Has the tab's own page ask for what it told a frame: it is the page that redeems the id.
 *
 * @param {number} tabId
 * @param {unknown} said
 */
async function askParent(tabId, said) {
	const target = { tabId, frameIds: [0] };
	const others = await loadDialects(target);
	await ext.tabs.sendMessage(tabId, { type: 'dialect-from-frame', said, others }, { frameId: 0 });
}
