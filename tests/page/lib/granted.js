/** A page that was granted a share, with what lib/in-page.js has for the tests in it. */
import { encodeClip, standForRelay } from './in-page.js';

const CHROMIUM = 'js=page/track.js';
/** Whose track's pictures come by way of a canvas. */
const FIREFOX = 'js=firefox/page/listeners.js&js=firefox/page/track.js';

/**
 * @param {import('./pages.js').Pages} pages
 * @param {{prepare?: () => void, firefox?: boolean}} [how] `prepare` runs in it before the scripts
 */
export function openGranted(pages, { prepare = () => {}, firefox = false } = {}) {
	return pages.open(`/blank.html?${firefox ? FIREFOX : CHROMIUM}`, {
		async before(page) {
			await page.evaluateOnNewDocument(`window.encodeClip = ${encodeClip}`);
			await page.evaluateOnNewDocument(standForRelay);
			await page.evaluateOnNewDocument(`window === window.top && (${prepare})()`); // And not in page/pristine.js's frame.
		},
	});
}
