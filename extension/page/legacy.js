/**
 * In the page's own world, before its scripts, on sites that the user says were made for another screen-sharing extension:
 * for libraries that keep getUserMedia when they load. In Chromium with page/runtime.js.
 */
import { redeemByTrack, wrapUserMedia } from './user-media.js';

if (window.isSecureContext) {
	wrapUserMedia(redeemByTrack);
}
