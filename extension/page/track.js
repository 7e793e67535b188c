/**
 * In the page's own world, put there when the user granted it a native share: turns the host's encoded frames into a
 * MediaStreamTrack that behaves as a display-capture track. Everything here is driven by messages, so that a hidden
 * tab, whose timers sleep, goes on.
 */
import { convert } from './constraints.js';
import { decodable } from './decoder.js';
import { keep, known, override } from './overrides.js';
import { addEventListener, apply, defineProperty, dispatchEvent } from './pristine.js';
import { wishOf } from './select-settings.js';
import { Share } from './share.js';
import { wrapUserMedia } from './user-media.js';
import { wrapped } from './wrap.js';

override('label', ({ share }) => share.label);
override('muted', ({ share }, native) => share.muted || native());
override('getSettings', (shared) => shared.settings());
override('getCapabilities', (shared) => shared.capabilities());
override('getConstraints', (shared) => shared.constraints());
override('applyConstraints', (shared, _native, [constraints]) => shared.constrain(constraints));
override('clone', (shared, native) => {
	const copy = shared.live ? shared.clone() : native();
	known.set(copy, known.get(copy) ?? shared);
	return copy;
});
override('stop', ({ share }, native) => {
	native();
	share.settle();
});

/** @param {MediaStream} stream whose clones have tracks of their own */
function adopt(stream) {
	if (streamClone && !cloned) {
		defineProperty(stream, 'clone', streamClone);
	}
	return stream;
}

const streamClone = wrapped(MediaStream.prototype, 'clone', (_args, native, self) => {
	const stream = native();
	const copies = stream.getVideoTracks();
	self.getVideoTracks().forEach((/** @type {MediaStreamTrack} */ track, /** @type {number} */ index) => {
		const shared = known.get(track);
		if (shared?.live) {
			stream.removeTrack(copies[index]);
			stream.addTrack(shared.replace(copies[index]));
		} else if (shared) {
			known.set(copies[index], shared);
		}
	});
	return adopt(stream);
});
const cloned = streamClone && defineProperty(MediaStream.prototype, 'clone', streamClone);

// The callback forms of the documented flow, where the browser no longer has them.
for (const name of ['getUserMedia', 'webkitGetUserMedia']) {
	if (!(name in navigator)) {
		const form = {
			/**
			 * @param {any} constraints
			 * @param {(stream: MediaStream) => void} succeed
			 * @param {(error: unknown) => void} fail
			 */
			[name](constraints, succeed, fail) {
				navigator.mediaDevices.getUserMedia(constraints).then(succeed, fail);
			},
		};
		const property = { __proto__: null, value: form[name], writable: true, enumerable: true, configurable: true };
		defineProperty(Navigator.prototype, name, property);
	}
}

let shares = 0;

/**
 * @param {any} constraints
 * @returns {Promise<MediaStream>}
 */
async function redeem({ video, audio }) {
	const { mandatory, chromeMediaSourceId } = video;
	const sourceId = mandatory?.chromeMediaSourceId ?? chromeMediaSourceId;
	const constraints = convert(video);
	const codecs = await decodable().catch(() => []); // Without any the background ends the share.
	const { port1, port2 } = new MessageChannel();
	const share = new Share(port1, shares++, constraints, keep);
	const data = { type: 'portlight:redeem', sourceId, codecs, ...wishOf(constraints) };
	const said = new MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true });
	if (apply(dispatchEvent, window, [said])) {
		throw new DOMException('The extension went away.', 'NotReadableError');
	}
	const stream = adopt(new MediaStream([await share.track()]));
	const desktopAudio = (audio?.mandatory ?? audio)?.chromeMediaSource !== undefined;
	if (audio && !desktopAudio) {
		try {
			const microphone = await navigator.mediaDevices.getUserMedia({ audio });
			microphone.getAudioTracks().forEach((track) => stream.addTrack(track));
		} catch (error) {
			stream.getTracks().forEach((track) => track.stop());
			throw error;
		}
	}
	return stream;
}

/** @param {Event} event */
function take(event) {
	event.preventDefault();
	event.stopImmediatePropagation();
	const { constraints, resolve, reject } = /** @type {CustomEvent} */ (event).detail;
	redeem(constraints).then(resolve, reject);
}

wrapUserMedia(redeem);
/** And again after document.open(), which removes a window's listeners. */
const listenAgain = () => apply(addEventListener, window, ['portlight:redeem', take]);
listenAgain();
new MutationObserver(listenAgain).observe(document, { childList: true });
