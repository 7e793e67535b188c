/** What the dialects of pages need of the background: their script, the page around a frame, a flag in the page's world. */
import { ext } from './ext.js';
import { nextTurn, targetOf } from './inject.js';
import { otherExtensions } from './settings.js';
import { placeOf } from './source-ids.js';

/** The flags that pages of these dialects look for. @type {Record<string, string>} */
const GLOBALS = { skyway: 'ScreenShareExtentionExists', rongcloud: 'isScreenSharePluginInstalled' };

/** Runs in the page. @param {string} name */
function raise(name) {
	Object.assign(window, { [name]: true });
}

/**
 * Puts the table into a frame where one of its words may have been said.
 *
 * @param {chrome.scripting.InjectionTarget} target
 * @returns {Promise<boolean>} whether what other extensions answer is answered
 */
export async function loadDialects(target) {
	await nextTurn();
	await ext.scripting.executeScript({ target, files: ['content/dialects.js'], injectImmediately: true });
	await ext.scripting.executeScript({ target, files: ['page/runtime.js'], world: 'MAIN', injectImmediately: true });
	return otherExtensions();
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
		loadDialects(target).then(reply, () => reply(true));
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
