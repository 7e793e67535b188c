/**
 * In the page's own world, put there when the person granted it a native share: turns the host's encoded frames into a
 * MediaStreamTrack that behaves as a display-capture track. Everything here is driven by messages, so that a hidden
 * tab, whose timers sleep, goes on.
 */
(() => {
	'use strict';
	/**
	 * @typedef {{limits: object, live: boolean, track: MediaStreamTrack, share: Share, clone: () => MediaStreamTrack,
	 *   replace: (copy: MediaStreamTrack) => MediaStreamTrack, settings: () => object, capabilities: () => object,
	 *   constraints: () => object, constrain: (constraints: any) => Promise<void>}} SharedTrack
	 * @typedef {{label: string, muted: boolean, settle: () => void, track: () => Promise<MediaStreamTrack>}} Share
	 */

	/** What the page's other scripts, put here just before, hand over: nothing of it stays on the page. */
	const parts = /**
		@type {{Share: new (port: MessagePort, index: number, video: any, adopt: (shared: SharedTrack) => void) => Share,
			decodable: () => Promise<string[]>, readConstraints: (video: any) => {sourceId: string}, functions: any}}
	*/ ({});
	window.dispatchEvent(new CustomEvent('portlight:parts', { detail: parts }));
	const { decodable, functions, readConstraints, Share } = parts;
	const { addEventListener, apply, defineProperty, dispatchEvent, getOwnPropertyDescriptor } = functions;

	/** @type {WeakMap<MediaStreamTrack, SharedTrack>} */
	const known = new WeakMap();
	/** What each of our tracks gets for itself, where the page has frozen what all tracks have. @type {[string, PropertyDescriptor][]} */
	const own = [];

	/**
	 * A Proxy keeps a function's looks. Its handler has no prototype: the page's may have members that would be traps.
	 *
	 * @param {Function} target
	 * @param {(target: Function, self: any, args: any[]) => unknown} call
	 */
	const wrapped = (target, call) => new Proxy(target, Object.assign(Object.create(null), { apply: call }));

	/**
	 * Gives a method or getter of tracks another answer for ours.
	 *
	 * @param {string} name
	 * @param {(shared: SharedTrack, native: () => any, args: any[]) => unknown} answer
	 */
	function override(name, answer) {
		const { prototype } = MediaStreamTrack;
		const property = getOwnPropertyDescriptor(prototype, name) ?? getOwnPropertyDescriptor(EventTarget.prototype, name);
		const kind = property?.get ? 'get' : 'value';
		if (!property?.[kind]) {
			return;
		}
		property[kind] = wrapped(property[kind], (target, self, args) => {
			const native = () => apply(target, self, args);
			const shared = known.get(self);
			return shared ? answer(shared, native, args) : native();
		});
		if (!defineProperty(prototype, name, property)) {
			own.push([name, property]);
		}
	}

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

	// In Firefox a track's listeners hear no event that a page dispatches, and `onended` does. So they listen elsewhere, by
	// what the page has for that now, which libraries hook into.
	if (!('MediaStreamTrackGenerator' in window)) {
		/** @type {WeakMap<SharedTrack, {target: EventTarget, bound: WeakMap<object, any>}>} */
		const listening = new WeakMap();
		const stateOf = (/** @type {SharedTrack} */ shared) => {
			const state = listening.get(shared) ?? { target: new EventTarget(), bound: new WeakMap() };
			listening.set(shared, state);
			return state;
		};
		for (const name of /** @type {const} */ (['addEventListener', 'removeEventListener'])) {
			override(name, (shared, _native, [type, listener, ...rest]) => {
				const { target, bound } = stateOf(shared);
				if (typeof listener === 'function' && !bound.has(listener)) {
					bound.set(listener, (/** @type {Event} */ event) => listener.call(shared.track, event));
				}
				target[name](type, bound.get(listener) ?? listener, ...rest);
			});
		}
		override('dispatchEvent', (shared, native, [event]) => {
			native();
			for (const name of ['target', 'currentTarget']) {
				defineProperty(event, name, { __proto__: null, configurable: true, value: shared.track });
			}
			return apply(dispatchEvent, stateOf(shared).target, [event]);
		});
	}

	/** @param {MediaStream} stream whose clones have tracks of their own */
	function adopt(stream) {
		if (streamClone && !cloned) {
			defineProperty(stream, 'clone', streamClone);
		}
		return stream;
	}

	const streamClone = /** @type {any} */ (getOwnPropertyDescriptor(MediaStream.prototype, 'clone'));
	streamClone.value = wrapped(streamClone.value, (target, self, args) => {
		const stream = apply(target, self, args);
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
	const cloned = defineProperty(MediaStream.prototype, 'clone', streamClone);

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

	/** @param {SharedTrack} shared */
	function keep(shared) {
		known.set(shared.track, shared);
		for (const [name, property] of own) {
			defineProperty(shared.track, name, property);
		}
	}

	/**
	 * @param {any} constraints
	 * @returns {Promise<MediaStream>}
	 */
	async function redeem({ video, audio }) {
		const wish = readConstraints(video);
		const codecs = await decodable();
		const { port1, port2 } = new MessageChannel();
		const share = new Share(port1, shares++, video, keep);
		const data = { type: 'portlight:redeem', codecs, ...wish };
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
	function present(event) {
		event.preventDefault();
		event.stopImmediatePropagation();
	}

	/** @param {Event} event */
	function take(event) {
		present(event);
		const { constraints, resolve, reject } = /** @type {CustomEvent} */ (event).detail;
		redeem(constraints).then(resolve, reject);
	}

	/** And again after document.open(), which removes a window's listeners. */
	function listen() {
		apply(addEventListener, window, ['portlight:present', present]);
		apply(addEventListener, window, ['portlight:redeem', take]);
	}
	listen();
	new MutationObserver(listen).observe(document, { childList: true });
})();
