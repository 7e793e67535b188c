/** In frames that pages make to ask through, by their address: hears what the page around such a frame says to it. */
import { page } from './ports.js';

const FRAMES = /\/(getS(creen|ource)Id|detectRTC)(\.html|\/)|\/openvidu-screen-sharing/i;
const FRAMED = /^(getChromeExtensionStatus|capture(Custom)?SourceId(WithAudio)?)$/;

if (page && window.parent !== window && FRAMES.test(location.pathname)) {
	page.listen('message', (/** @type {MessageEvent} */ event) => {
		if (event.isTrusted && event.source === window.parent && FRAMED.test(Object.keys(event.data ?? 0)[0])) {
			event.stopImmediatePropagation();
			page.dialects.hear(event.data, null, event.origin);
		}
	});
}
