/** Puts the track into a page that was granted a native share: not before, and once. */
import { ext } from './ext.js';

const FILES = ['page/constraints.js', 'page/frames.js', 'page/sinks.js', 'page/track.js'];

/** Runs in the page. */
function present() {
	return !window.dispatchEvent(new CustomEvent('portlight:present', { cancelable: true }));
}

/** @param {import('./source-ids.js').Place} place */
export async function injectTrack({ tabId, frameId }) {
	const where = { target: { tabId, frameIds: [frameId] }, world: /** @type {'MAIN'} */ ('MAIN'), injectImmediately: true };
	const [{ result }] = await ext.scripting.executeScript({ ...where, func: present });
	if (result !== true) {
		await ext.scripting.executeScript({ ...where, files: FILES });
	}
}
