/**
 * In the page's own world, put there when the person granted it a native share: turns the host's encoded frames into a
 * MediaStreamTrack that behaves as a display-capture track. Everything here is driven by messages, so that a hidden
 * tab, whose timers sleep, goes on.
 */
(() => {
	'use strict';
	const REPEAT_FIRST_MS = 100;
	const REPEAT_MS = 1000;
	const REDEEM_MS = 30_000;
	const SILENCE_MAX = 3;
	/** More than this is claimed only when the page asked for it from the start. */
	const FPS_CLAIMED = 60;

	/**
	 * @typedef {{width: number, height: number}} Size
	 * @typedef {{track: MediaStreamTrack, live: boolean, waiting: boolean, limits: Limits, maxFps: number,
	 *   show: (picture: VideoFrame) => void, repeat: (picture: VideoFrame, timestamp: number) => Promise<void>,
	 *   end: () => void, measure: () => void, clone: () => MediaStreamTrack,
	 *   replace: (copy: MediaStreamTrack) => MediaStreamTrack, share: Share, settings: () => any, capabilities: () => object,
	 *   constraints: () => object, constrain: (constraints: any) => Promise<void>}} SharedTrack
	 * @typedef {{take: (message: object) => void, close: () => void}} FrameDecoder
	 * @typedef {{codec: string, chroma?: string, width: number, height: number, maxFps: number, maxHeight?: number,
	 *   surface: string, cursor: string, source?: Size}} Opened `source`: the size of what is shared, as far as the desktop says;
	 *   `maxHeight`: what bounds the picture, which the page need not have said; 0: nothing
	 * @typedef {{maxWidth?: number, maxHeight?: number, maxFps?: number,
	 *   region?: {x: number, y: number, width: number, height: number} | null}} Limits
	 */

	/** What the page's other scripts, put here just before, hand over: nothing of it stays on the page. */
	const parts = /**
		@type {{SharedTrack: new (share: Share, wish: {limits: Limits, constraints: object, maxFps: number}) => SharedTrack,
			snapshot: (picture: VideoFrame | null, as?: string) => Promise<ImageBitmap | Blob>,
			decodable: () => Promise<string[]>, FrameDecoder:
			new (codec: string, listener: object) => FrameDecoder, readConstraints: (video: any) => Limits & {sourceId: string},
			fit: (size: Size, limits: Limits) => Size}}
	*/ ({});
	window.dispatchEvent(new CustomEvent('portlight:parts', { detail: parts }));
	const { decodable, fit, FrameDecoder, readConstraints, SharedTrack, snapshot } = parts;
	const { addEventListener, apply, defineProperty, dispatchEvent, getOwnPropertyDescriptor, postMessage } = pristine();

	/**
	 * Libraries replace functions of the page (Zone.js, Sentry and their like), and pages freeze what they have. These are
	 * of a realm that nothing has changed yet; they do the same for the page's own objects.
	 */
	function pristine() {
		/** @param {any} realm */
		const functionsOf = ({ EventTarget, MessagePort, Reflect }) => {
			const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect;
			const { addEventListener, dispatchEvent } = EventTarget.prototype;
			const { postMessage } = MessagePort.prototype;
			return { addEventListener, apply, defineProperty, dispatchEvent, getOwnPropertyDescriptor, postMessage };
		};
		try {
			const frame = document.documentElement.appendChild(document.createElement('iframe'));
			const functions = functionsOf(frame.contentWindow);
			frame.remove();
			return functions;
		} catch {
			return functionsOf(window); // A page without elements, or whose createElement() makes none.
		}
	}
	/** One share as this page has it: from frames on a port to the tracks that came of it. */
	class Share {
		/** @type {Set<SharedTrack>} those that the page has not stopped */
		tracks = new Set();
		muted = false;
		over = false;
		/** @type {Size} of the decoded picture */
		size = { width: 0, height: 0 };
		/** @type {Size} of what is shared: known while the picture is not scaled down, else as it was last */
		full = { width: 0, height: 0 };
		#port;
		#index;
		/** The largest that its tracks want. @type {Limits} */
		#limits;
		/** What the host was told of that. @type {string | undefined} */
		#told;
		#constraints;
		/** @type {FrameDecoder | null} */
		#decoder = null;
		/** @type {VideoFrame | null} the last picture, for snapshots and what comes late to a still screen */
		#last = null;
		#lastShown = 0;
		#repeatMs = REPEAT_FIRST_MS;
		/** @type {ReturnType<typeof setTimeout> | undefined} until it begins, for that; then for the repeats */
		#timer;
		/** @type {((track: MediaStreamTrack) => void) | null} */
		#resolve = null;
		/** @type {((reason: Error) => void) | null} */
		#reject = null;
		/** @type {Opened | null} */
		#opened = null;
		/** Times that the relay was asked for a sign of life since it last gave one. */
		#silence = 0;

		/**
		 * @param {MessagePort} port
		 * @param {number} index
		 * @param {any} video the constraints
		 */
		constructor(port, index, video) {
			this.#port = port;
			this.#index = index;
			this.#limits = readConstraints(video);
			const { chromeMediaSource: _source, chromeMediaSourceId: _id, ...constraints } = video;
			this.#constraints = constraints;
		}

		/** @returns {Promise<MediaStreamTrack>} */
		track() {
			return new Promise((resolve, reject) => {
				this.#resolve = resolve;
				this.#reject = reject;
				this.#timer = setTimeout(() => this.#giveUp('The share did not begin in time.'), REDEEM_MS);
				this.#port.onmessage = ({ data }) => this.#receive(data);
				const gone = () => this.#finish({ name: 'NotReadableError', message: 'The extension went away.' });
				apply(addEventListener, this.#port, ['close', gone]);
			});
		}

		/** @param {object} message @param {Transferable[]} [transfer] */
		#tell(message, transfer = []) {
			apply(postMessage, this.#port, [message, transfer]);
		}

		/** @param {any} message */
		#receive(message) {
			this.#silence = 0;
			switch (message.type) {
			case 'opened':
				this.#open(message);
				break;
			case 'frame':
				this.#decoder?.take(message);
				break;
			case 'muted':
				this.#mute(message.muted);
				break;
			case 'ended':
				this.#finish(message);
				break;
			case 'ask':
				void this.#answer(message);
				break;
			}
		}

		/** @param {{ask: number, what: 'source' | 'snapshot', as?: string}} question */
		async #answer({ ask, what, as }) {
			try {
				const ok = await (what === 'source' ? this.#source() : snapshot(this.#last, as));
				this.#tell({ type: 'answer', ask, ok }, ok instanceof ImageBitmap ? [ok] : []);
			} catch {
				this.#tell({ type: 'answer', ask, failed: 'bad-state' });
			}
		}

		#source() {
			const { width, height } = fit(this.size, this.#limits);
			return { surface: this.surface, width, height, frameRate: this.maxFps, cursor: this.cursor, source: { ...this.full } };
		}

		/** The person pauses the share, or goes on with it. @param {boolean} muted */
		#mute(muted) {
			if (muted !== this.muted) {
				this.muted = muted;
				this.tracks.forEach(({ track }) => track.dispatchEvent(new Event(muted ? 'mute' : 'unmute')));
			}
		}

		/**
		 * From here on frames are of this picture: the first one, or one that the person chose instead of it.
		 *
		 * @param {Opened} opened
		 */
		#open(opened) {
			this.#opened = opened;
			this.size = { width: opened.width, height: opened.height };
			this.full = opened.source && opened.source.width > opened.width ? opened.source : this.size;
			if (opened.maxHeight) {
				this.#limits = { ...this.#limits, maxHeight: opened.maxHeight };
			}
			this.tracks.forEach((track) => Object.assign(track, { maxFps: opened.maxFps, limits: { ...track.limits, ...(opened.maxHeight && { maxHeight: opened.maxHeight }) } }));
			this.#decoder?.close();
			this.#decoder = new FrameDecoder(opened.chroma === '444' ? 'vp9-444' : opened.codec, {
				onPicture: (/** @type {VideoFrame} */ picture) => this.#show(picture),
				onCredit: (/** @type {number} */ frames) => this.#tell({ type: 'credit', frames }),
				onKeyframeNeeded: () => this.#tell({ type: 'keyframe' }),
				onFailed: () => this.#giveUp('The browser could not decode the shared picture.'),
			});
			if (this.#resolve) {
				const wish = { limits: this.#limits, constraints: this.#constraints, maxFps: opened.maxFps };
				this.#resolve(this.add(new SharedTrack(this, wish)));
				this.#resolve = null;
			}
		}

		/**
		 * Counts a track in: the share lives as long as one of its tracks.
		 *
		 * @param {SharedTrack} shared
		 */
		add(shared) {
			known.set(shared.track, shared);
			for (const [name, property] of own) {
				defineProperty(shared.track, name, property);
			}
			this.tracks.add(shared);
			this.#told ??= this.#wanted();
			if (this.#last) {
				shared.show(this.#last);
			}
			this.#repeatMs = REPEAT_FIRST_MS;
			this.#scheduleRepeat();
			return shared.track;
		}

		/** Looks which tracks are left, and ends the capture with the last one. */
		settle() {
			const before = this.tracks.size;
			for (const shared of this.tracks) {
				if (!shared.live) {
					this.tracks.delete(shared);
					shared.end();
				}
			}
			if (this.tracks.size === 0 && this.#opened) {
				this.#tell({ type: 'stop' });
				this.#finish(null);
			} else if (this.tracks.size < before && this.#wanted() !== this.#told) {
				this.configure();
			}
		}

		/** The largest of what its tracks want: each has its picture made from that. @returns {Limits} */
		#wishes() {
			const tracks = [...this.tracks];
			const most = (/** @type {'maxWidth' | 'maxHeight'} */ name) =>
				tracks.some(({ limits }) => limits[name] === undefined) ? undefined : Math.max(...tracks.map(({ limits }) => Number(limits[name])));
			return { maxWidth: most('maxWidth'), maxHeight: most('maxHeight') };
		}

		#wanted() {
			return JSON.stringify({ maxFps: this.maxFps, ...this.#wishes() });
		}

		/** @param {Limits['region']} [region] undefined: as it is */
		configure(region) {
			this.#limits = this.#wishes();
			this.#told = this.#wanted();
			this.#tell({ type: 'configure', maxFps: this.maxFps, ...this.#limits, region });
			this.#repeatMs = REPEAT_FIRST_MS;
			this.#scheduleRepeat();
		}

		get maxFps() {
			return Math.max(...[...this.tracks].map(({ maxFps }) => maxFps));
		}

		/**
		 * The picture's size: a picture that no limit holds down is as large as what is shared, and none is larger.
		 *
		 * @param {Size} size
		 */
		#follow(size) {
			const { maxWidth = Infinity, maxHeight = Infinity } = this.#limits;
			const { width, height } = this.full;
			const waiting = [...this.tracks].some((track) => track.waiting);
			const free = !waiting && size.width < maxWidth - 1 && size.height < maxHeight - 1;
			const reshaped = Math.abs(size.width / size.height / (width / height) - 1) > 0.02;
			if (free || reshaped || size.width > width || size.height > height) {
				this.full = size;
			}
			this.size = size;
			this.tracks.forEach((track) => track.measure());
		}

		/** @param {VideoFrame} frame */
		#show(frame) {
			this.#follow({ width: frame.displayWidth, height: frame.displayHeight });
			// The encoder scales; what was on its way when the limits changed is scaled here.
			const { width: displayWidth, height: displayHeight } = fit(this.size, this.#limits);
			let shown = frame;
			if (displayWidth !== this.size.width || displayHeight !== this.size.height) {
				shown = new VideoFrame(frame, { displayWidth, displayHeight });
				frame.close();
			}
			if (this.#last && (displayWidth !== this.#last.displayWidth || displayHeight !== this.#last.displayHeight)) {
				this.#tell({ type: 'resize', width: displayWidth, height: displayHeight });
			}
			this.#last?.close();
			this.#last = shown;
			this.#lastShown = performance.now();
			this.tracks.forEach((track) => track.show(shown));
			this.settle();
		}

		/** Where a track keeps no picture for who comes late, a still screen's is shown again now and then. */
		#scheduleRepeat() {
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => {
				this.#repeatMs = Math.min(2 * this.#repeatMs, REPEAT_MS);
				this.settle();
				if (this.over) {
					return;
				}
				const last = this.#last;
				const idle = performance.now() - this.#lastShown;
				if (last && idle > REPEAT_FIRST_MS) {
					// Well before the time of any picture that may be on its way, which must not seem older.
					const timestamp = last.timestamp + Math.round(1000 * (idle - REPEAT_FIRST_MS));
					this.tracks.forEach((track) => void track.repeat(last, timestamp));
				}
				// An extension that is removed takes its relay with it, in Firefox without a word.
				if (this.#silence++ === SILENCE_MAX) {
					this.#finish({ name: 'NotReadableError', message: 'The extension went away.' });
					return;
				}
				this.#tell({ type: 'ping' });
				this.#scheduleRepeat();
			}, this.#repeatMs);
		}

		/**
		 * Ends a share that is of no use.
		 *
		 * @param {string} message
		 */
		#giveUp(message) {
			this.#tell({ type: 'stop' });
			this.#finish({ name: 'NotReadableError', message });
		}

		/**
		 * The end, from either side, once.
		 *
		 * @param {{name: string, message: string} | null} reason null when the page stopped it
		 */
		#finish(reason) {
			if (this.over) {
				return;
			}
			this.over = true;
			clearTimeout(this.#timer);
			this.#last?.close();
			this.#decoder?.close();
			this.#decoder = null;
			this.#port.close();
			this.tracks.forEach((track) => track.end());
			this.tracks.clear();
			if (!this.#opened && reason) {
				const { name, message } = reason;
				this.#reject?.(name === 'TypeError' ? new TypeError(message) : new DOMException(message, name));
			}
		}

		get label() {
			return `${this.surface === 'window' ? 'window' : 'screen'}:${this.#index}:0`;
		}

		get surface() {
			return this.#opened?.surface === 'window' ? 'window' : 'monitor';
		}

		get cursor() {
			return this.#opened?.cursor;
		}

		get fpsMax() {
			return Math.max(FPS_CLAIMED, this.#opened?.maxFps ?? 0);
		}
	}

	/** @type {WeakMap<MediaStreamTrack, SharedTrack>} */
	const known = new WeakMap();
	/** What each of our tracks gets for itself, where the page has frozen what all tracks have. @type {[string, PropertyDescriptor][]} */
	const own = [];

	/**
	 * Gives a method or getter of tracks another answer for ours; a Proxy keeps its looks.
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
		property[kind] = new Proxy(property[kind], {
			// A handler's other traps are not to be found on a page's Object.prototype.
			__proto__: null,
			apply(/** @type {Function} */ target, /** @type {any} */ self, /** @type {any[]} */ args) {
				const native = () => apply(target, self, args);
				const shared = known.get(self);
				return shared ? answer(shared, native, args) : native();
			},
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
	streamClone.value = new Proxy(streamClone.value, {
		// @ts-expect-error A handler has no prototype, so that no trap is found on the page's.
		__proto__: null,
		apply(/** @type {Function} */ target, /** @type {MediaStream} */ self, /** @type {any[]} */ args) {
			const stream = apply(target, self, args);
			const copies = stream.getVideoTracks();
			self.getVideoTracks().forEach((track, index) => {
				const shared = known.get(track);
				if (shared?.live) {
					stream.removeTrack(copies[index]);
					stream.addTrack(shared.replace(copies[index]));
				} else if (shared) {
					known.set(copies[index], shared);
				}
			});
			return adopt(stream);
		},
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

	/**
	 * @param {any} constraints
	 * @returns {Promise<MediaStream>}
	 */
	async function redeem({ video, audio }) {
		const wish = readConstraints(video);
		const codecs = await decodable();
		const { port1, port2 } = new MessageChannel();
		const share = new Share(port1, shares++, video);
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
