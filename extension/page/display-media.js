/**
 * In the page's own world, before its scripts, and only on sites that are switched to it (background/display-media.js
 * registers it there): getDisplayMedia by the desktop's own dialog, as the Screen Capture text says.
 * docs/SCREEN-CAPTURE.md has both side by side. What the site is no longer switched to, or what the host can't do, is the
 * browser's own again.
 */
import { convert, isObject, overconstrained } from './constraints.js';
import { apply, dispatchEvent } from './pristine.js';
import { redeemByTrack } from './user-media.js';
import { proxied } from './wrap.js';

const devices = window.MediaDevices?.prototype;
const { CaptureController, MessageEvent } = /** @type {any} */ (window);
const activation = navigator.userActivation;
const own = devices && Object.getOwnPropertyDescriptor(devices, 'getDisplayMedia')?.value;
const brand = devices && Object.getOwnPropertyDescriptor(devices, 'ondevicechange')?.get;
/** The smallest of each that is had of whatever is shared. */
const FLOORS = /** @type {Record<string, number>} */ ({ width: 1, height: 1, frameRate: 1, aspectRatio: 1 / 16384 });
const PREFERENCES = ['monitorTypeSurfaces', 'selfBrowserSurface', 'surfaceSwitching', 'systemAudio'];
const WISH = /^(include|exclude)$/;
const WINDOW_AUDIO = /^(system|window|exclude)$/;
/** The names that the text gives for what goes wrong; the rest is AbortError. */
const NAMES = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'InvalidStateError', 'AbortError'];
/** What only means that this way is not there. */
const NOT_THERE = /^(not-supported|no-decoder|native-off|host-(missing|unusable|timeout)|version-mismatch|wrong-caller)$/;

/**
 * @typedef {{video: any, audio: any, controller: any, monitorTypeSurfaces?: string}} Options
 */

/** @type {WeakSet<object>} the controllers that were given to a call */
const bound = new WeakSet();

/**
 * The dictionary of the call, read as Web IDL says: in the order of its names, each once.
 *
 * @param {any} given
 * @returns {Options}
 */
function readOptions(given) {
	if (given !== undefined && given !== null && !isObject(given)) {
		throw new TypeError("The provided value is not of type 'DisplayMediaStreamOptions'.");
	}
	const options = given ?? {};
	const audio = readKind(options.audio, false);
	const controller = CaptureController ? options.controller : undefined;
	if (controller !== undefined && !(controller instanceof CaptureController)) {
		throw new TypeError("Failed to convert value to 'CaptureController'.");
	}
	/** @type {Record<string, string | undefined>} */
	const preferences = {};
	for (const name of PREFERENCES) {
		preferences[name] = readEnum(options, name, WISH);
	}
	const { monitorTypeSurfaces } = preferences;
	const video = readKind(options.video, true);
	readEnum(options, 'windowAudio', WINDOW_AUDIO);
	return { audio, controller, monitorTypeSurfaces, video };
}

/**
 * @param {any} options
 * @param {string} name
 * @param {RegExp} values
 */
function readEnum(options, name, values) {
	const value = options[name];
	if (value === undefined) {
		return undefined;
	}
	const text = `${value}`;
	if (!values.test(text)) {
		throw new TypeError(`The provided value '${text}' is not a valid value of '${name}'.`);
	}
	return text;
}

/**
 * `(boolean or MediaTrackConstraints)`, without the older form.
 *
 * @param {any} value
 * @param {boolean} missing
 */
function readKind(value, missing) {
	if (value === undefined) {
		return missing;
	}
	if (value !== null && !isObject(value)) {
		return Boolean(value);
	}
	const { mandatory: _mandatory, optional: _optional, ...constraints } = convert(value);
	return constraints;
}

/**
 * Throws what the text says of constraints before the user is asked.
 *
 * @param {Options} options
 */
function checkConstraints({ audio, video }) {
	if (video === false) {
		throw new TypeError('video must not be false.');
	}
	for (const constraints of [audio, video]) {
		if (typeof constraints !== 'object') {
			continue;
		}
		if ('advanced' in constraints) {
			throw new TypeError('advanced constraints are not supported.');
		}
		for (const [name, value] of Object.entries(constraints)) {
			if (isObject(value) && !name.startsWith('portlight')) {
				if (value.min !== undefined || value.exact !== undefined) {
					throw new TypeError(`min and exact constraints are not supported: ${name}`);
				}
				if (value.max < FLOORS[name]) {
					throw overconstrained(name, 'Less than any shared picture can be.');
				}
			}
		}
	}
}

/**
 * The extension's answer, by a private port; nothing where it is not there, or is removed while the user chooses.
 *
 * @param {object} wish
 * @returns {Promise<{ok?: {sourceId: string}, error?: {code: string, name: string, message: string}}>}
 */
function ask(wish) {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		const end = (/** @type {any} */ { data }) => {
			port1.close();
			resolve(data ?? {});
		};
		port1.onmessage = end;
		port1.addEventListener('close', end);
		const data = { portlight: 1, ask: 'request', display: true, remember: false, ...wish };
		if (apply(dispatchEvent, window, [new MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true })])) {
			end({});
		}
	});
}

/**
 * The stream, or null where this way is not there.
 *
 * @param {any} video
 * @param {{sources: string[], exact: boolean}} wish
 */
async function capture(video, wish) {
	const cursor = video.cursor?.ideal ?? video.cursor;
	const wanted = cursor === undefined ? undefined : cursor === 'never' ? 'never' : 'always';
	const { ok, error } = await ask({ ...wish, cursor: wanted });
	if (!ok) {
		const { code = 'host-missing', name = '', message = 'The extension went away.' } = error ?? {};
		if (own && NOT_THERE.test(code)) {
			return null;
		}
		const named = /^portal-(missing|unsupported)$/.test(code) ? 'NotFoundError' : name;
		throw new DOMException(message, NAMES.includes(named) ? named : 'AbortError');
	}
	return redeemByTrack({ video: { ...video, chromeMediaSource: 'desktop', chromeMediaSourceId: ok.sourceId } });
}

/**
 * @param {any} self
 * @param {any[]} args
 */
async function getDisplayMedia(self, args) {
	apply(/** @type {() => unknown} */ (brand), self, []); // Throws for what is no MediaDevices.
	const options = readOptions(args[0]);
	const { controller } = options;
	if (controller) {
		if (bound.has(controller)) {
			throw new DOMException('The controller was used already.', 'InvalidStateError');
		}
		bound.add(controller);
	}
	if (!activation.isActive) {
		throw new DOMException('getDisplayMedia must be called in a click or a key press.', 'InvalidStateError');
	}
	checkConstraints(options);
	if (!document.defaultView || !document.hasFocus()) {
		throw new DOMException('The document is not active, or has no focus.', 'InvalidStateError');
	}
	const exact = options.monitorTypeSurfaces === 'exclude';
	const stream = await capture(Object(options.video), { sources: exact ? ['window'] : ['screen', 'window'], exact });
	return stream ?? apply(own, self, args);
}

/** Looks like a browser's own: a method without a prototype, its text that of native code. */
const methods = {
	getDisplayMedia() {},
};

if (window.isSecureContext && devices) {
	Object.defineProperty(devices, 'getDisplayMedia', {
		value: proxied(own ?? methods.getDisplayMedia, (_target, self, args) => getDisplayMedia(self, args)),
		writable: true,
		enumerable: true,
		configurable: true,
	});
}
