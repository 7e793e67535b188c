/** Puts the track into a page that was granted a native share: not before, and once. */
import { ext } from './ext.js';

const FILES = ['constraints', 'frames', 'sinks', 'shared-track', 'share', 'track'].map((name) => `page/${name}.js`);

/**
 * In Chromium an act of the person comes with the message of a page, and a script that is put into a frame in the same turn
 * counts there as another one: each time the page could renew the click that it had.
 */
export function nextTurn() {
	return new Promise((resolve) => setTimeout(resolve));
}

/** Runs in the page. */
function present() {
	return !window.dispatchEvent(new CustomEvent('portlight:present', { cancelable: true }));
}

/** @param {import('./source-ids.js').Place} place */
export async function injectTrack({ tabId, frameId }) {
	const target = { tabId, frameIds: [frameId] };
	const inPage = { target, world: /** @type {'MAIN'} */ ('MAIN'), injectImmediately: true };
	const [, [{ result }]] = await Promise.all([
		ext.scripting.executeScript({ target, files: ['content/share.js'], injectImmediately: true }),
		ext.scripting.executeScript({ ...inPage, func: present }),
	]);
	if (result !== true) {
		await ext.scripting.executeScript({ ...inPage, files: FILES });
	}
}
