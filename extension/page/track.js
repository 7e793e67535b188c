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
	const FPS_DEFAULT = 30;
	/** More than this is claimed only when the page asked for it from the start. */
	const FPS_CLAIMED = 60;
	const FPS_MAX = 240;
	/** How long a picture of a new size may take, once it was asked for. */
	const APPLY_MS = 1000;

	/**
	 * @typedef {{width: number, height: number}} Size
	 * @typedef {{track: MediaStreamTrack, show: (picture: VideoFrame) => void,
	 *   repeat: ((picture: VideoFrame, timestamp: number) => Promise<void>) | null,
	 *   end: (clones: Set<MediaStreamTrack>) => void}} Sink
	 * @typedef {{take: (message: object) => void, close: () => void}} FrameDecoder
	 * @typedef {{codec: string, chroma?: string, width: number, height: number, maxFps: number, maxHeight?: number,
	 *   surface: string, cursor: string, source?: Size}} Opened `source`: the size of what is shared, as far as the desktop says;
	 *   `maxHeight`: what bounds the picture, which the page need not have said; 0: nothing
	 * @typedef {{maxWidth?: number, maxHeight?: number, maxFps?: number,
	 *   region?: {x: number, y: number, width: number, height: number} | null}} Limits
	 */

	/** What the page's other scripts, put here just before, hand over: nothing of it stays on the page. */
	const parts = /**
		@type {{createSink: () => Sink, snapshot: (picture: VideoFrame | null, as?: string) => Promise<ImageBitmap | Blob>,
			decodable: () => Promise<string[]>, FrameDecoder:
			new (codec: string, listener: object) => FrameDecoder, readConstraints: (video: any) => Limits & {sourceId: string},
			check: (constraints: any, size: Size, fpsMax: number) => void, fit: (size: Size, limits: Limits) => Size,
			near: (a: Size, b: Size) => boolean}}
	*/ ({});
	window.dispatchEvent(new CustomEvent('portlight:parts', { detail: parts }));
	const { check, createSink, decodable, fit, FrameDecoder, near, readConstraints, snapshot } = parts;

	const nativeClone = MediaStreamTrack.prototype.clone;

	/** One share as this page has it: from frames on a port to the tracks that came of it. */
	class Share {
		/** @type {Set<MediaStreamTrack>} the live tracks that the page holds */
		tracks = new Set();
		#port;
		#index;
		#limits;
		#constraints;
		/** @type {FrameDecoder | null} */
		#decoder = null;
		/** @type {Sink | null} */
		#sink = null;
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
		/** @type {Size} of the decoded picture */
		#size = { width: 0, height: 0 };
		/** @type {Size} of what is shared: known while the picture is not scaled down, else as it was last */
		#full = { width: 0, height: 0 };
		#maxFps = FPS_DEFAULT;
		/** @type {(() => void) | null} ends the wait for a picture of the size that was asked for last */
		#reached = null;
		/** @type {Opened | null} */
		#opened = null;
		/** Times that the relay was asked for a sign of life since it last gave one. */
		#silence = 0;
		#over = false;

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
				this.#port.addEventListener('close', () =>
					this.#finish({ name: 'NotReadableError', message: 'The extension went away.' }),
				);
			});
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
				this.#port.postMessage({ type: 'answer', ask, ok }, ok instanceof ImageBitmap ? [ok] : []);
			} catch {
				this.#port.postMessage({ type: 'answer', ask, failed: 'bad-state' });
			}
		}

		#source() {
			const { width, height, frameRate, cursor } = this.settings();
			return { surface: this.surface, width, height, frameRate, cursor, source: { ...this.#full } };
		}

		/**
		 * From here on frames are of this picture: the first one, or one that the person chose instead of it.
		 *
		 * @param {Opened} opened
		 */
		#open(opened) {
			this.#opened = opened;
			this.#size = { width: opened.width, height: opened.height };
			this.#full = opened.source && opened.source.width > opened.width ? opened.source : this.#size;
			this.#maxFps = opened.maxFps;
			if (opened.maxHeight) {
				this.#limits = { ...this.#limits, maxHeight: opened.maxHeight };
			}
			this.#decoder?.close();
			this.#decoder = new FrameDecoder(opened.chroma === '444' ? 'vp9-444' : opened.codec, {
				onPicture: (/** @type {VideoFrame} */ picture) => this.#show(picture),
				onCredit: (/** @type {number} */ frames) => this.#port.postMessage({ type: 'credit', frames }),
				onKeyframeNeeded: () => this.#port.postMessage({ type: 'keyframe' }),
				onFailed: () => this.#giveUp('The browser could not decode the shared picture.'),
			});
			if (this.#sink) {
				return;
			}
			this.#sink = createSink();
			const track = nativeClone.call(this.#sink.track);
			track.contentHint = 'detail';
			this.#resolve?.(this.adopt(track));
		}

		/**
		 * Counts a track in: the share lives as long as one of its tracks.
		 *
		 * @param {MediaStreamTrack} track
		 */
		adopt(track) {
			shareOf.set(track, this);
			if (track.readyState === 'live') {
				this.tracks.add(track);
			}
			this.#repeatMs = REPEAT_FIRST_MS;
			this.#scheduleRepeat();
			return track;
		}

		/** Looks which tracks are left, and ends the capture with the last one. */
		settle() {
			for (const track of this.tracks) {
				if (track.readyState === 'ended') {
					this.tracks.delete(track);
				}
			}
			if (this.tracks.size === 0 && this.#sink) {
				this.#port.postMessage({ type: 'stop' });
				this.#finish(null);
			}
		}

		/**
		 * The picture's size: a picture that no limit holds down is as large as what is shared, and none is larger.
		 *
		 * @param {Size} size
		 */
		#follow(size) {
			const { maxWidth = Infinity, maxHeight = Infinity } = this.#limits;
			const { width, height } = this.#full;
			const free = !this.#reached && size.width < maxWidth - 1 && size.height < maxHeight - 1;
			const reshaped = Math.abs(size.width / size.height / (width / height) - 1) > 0.02;
			if (free || reshaped || size.width > width || size.height > height) {
				this.#full = size;
			}
			this.#size = size;
			if (near(fit(size, this.#limits), fit(this.#full, this.#limits))) {
				this.#reached?.();
			}
		}

		/** @param {VideoFrame} frame */
		#show(frame) {
			this.#follow({ width: frame.displayWidth, height: frame.displayHeight });
			// The encoder scales; what was on its way when the limits changed is scaled here.
			const { width: displayWidth, height: displayHeight } = fit(this.#size, this.#limits);
			let shown = frame;
			if (displayWidth !== this.#size.width || displayHeight !== this.#size.height) {
				shown = new VideoFrame(frame, { displayWidth, displayHeight });
				frame.close();
			}
			if (this.#last && (displayWidth !== this.#last.displayWidth || displayHeight !== this.#last.displayHeight)) {
				this.#port.postMessage({ type: 'resize', width: displayWidth, height: displayHeight });
			}
			this.#last?.close();
			this.#last = shown.clone();
			this.#lastShown = performance.now();
			this.#sink?.show(shown);
			this.settle();
		}

		/** Where a track keeps no picture for who comes late, a still screen's is shown again now and then. */
		#scheduleRepeat() {
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => {
				this.#repeatMs = Math.min(2 * this.#repeatMs, REPEAT_MS);
				this.settle();
				if (this.#over) {
					return;
				}
				const idle = performance.now() - this.#lastShown;
				if (this.#last && idle > REPEAT_FIRST_MS) {
					// Well before the time of any picture that may be on its way, which must not seem older.
					const timestamp = this.#last.timestamp + Math.round(1000 * (idle - REPEAT_FIRST_MS));
					this.#sink?.repeat?.(this.#last, timestamp).catch(() => {});
				}
				// An extension that is removed takes its relay with it, in Firefox without a word.
				if (this.#silence++ === SILENCE_MAX) {
					this.#finish({ name: 'NotReadableError', message: 'The extension went away.' });
					return;
				}
				this.#port.postMessage({ type: 'ping' });
				this.#scheduleRepeat();
			}, this.#repeatMs);
		}

		/**
		 * Ends a share that is of no use.
		 *
		 * @param {string} message
		 */
		#giveUp(message) {
			this.#port.postMessage({ type: 'stop' });
			this.#finish({ name: 'NotReadableError', message });
		}

		/**
		 * The end, from either side, once.
		 *
		 * @param {{name: string, message: string} | null} reason null when the page stopped it
		 */
		#finish(reason) {
			if (this.#over) {
				return;
			}
			this.#over = true;
			clearTimeout(this.#timer);
			this.#reached?.();
			this.#last?.close();
			this.#decoder?.close();
			this.#decoder = null;
			this.#port.close();
			if (this.#sink) {
				this.#sink.end(this.tracks);
				this.tracks.clear();
			} else if (reason) {
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

		settings() {
			const { width, height } = fit(this.#size, this.#limits);
			return {
				width,
				height,
				aspectRatio: width / height,
				frameRate: this.#maxFps,
				resizeMode: width === this.#full.width ? 'none' : 'crop-and-scale',
				displaySurface: this.surface,
				logicalSurface: true,
				cursor: this.#opened?.cursor,
			};
		}

		get #fpsMax() {
			return Math.max(FPS_CLAIMED, this.#opened?.maxFps ?? 0);
		}

		capabilities() {
			const { width, height } = this.#full;
			return {
				width: { min: 1, max: width },
				height: { min: 1, max: height },
				aspectRatio: { min: width / height, max: width / height },
				frameRate: { min: 1, max: this.#fpsMax },
				resizeMode: ['none', 'crop-and-scale'],
				displaySurface: this.surface,
				logicalSurface: true,
				cursor: [this.#opened?.cursor],
			};
		}

		constraints() {
			return { ...this.#constraints };
		}

		/**
		 * Takes new limits to the encoder; what can't be met is refused as the Media Capture text says. Done once the
		 * picture is as asked for.
		 *
		 * @param {any} constraints
		 */
		async constrain(constraints) {
			constraints ??= {};
			const limits = readConstraints(constraints);
			const wanted = fit(this.#full, limits);
			check(constraints, wanted, this.#fpsMax);
			this.#limits = limits;
			this.#constraints = constraints;
			this.#maxFps = Math.min(FPS_MAX, Math.round(limits.maxFps ?? FPS_DEFAULT));
			const { maxWidth, maxHeight, region } = limits;
			this.#port.postMessage({ type: 'configure', maxFps: this.#maxFps, maxWidth, maxHeight, region });
			this.#reached?.();
			if (!this.#over && !near(fit(this.#size, limits), wanted)) {
				await this.#resized();
			}
		}

		/** @returns {Promise<void>} */
		#resized() {
			return new Promise((resolve) => {
				const timer = setTimeout(() => this.#reached?.(), APPLY_MS);
				this.#reached = () => {
					clearTimeout(timer);
					this.#reached = null;
					resolve();
				};
			});
		}
	}

	/** @type {WeakMap<MediaStreamTrack, Share>} */
	const shareOf = new WeakMap();

	/**
	 * Gives a method or getter of tracks another answer for ours; a Proxy keeps its looks.
	 *
	 * @param {any} prototype
	 * @param {string} name
	 * @param {(share: Share, native: () => any, args: any[]) => unknown} answer
	 */
	function override(prototype, name, answer) {
		const property = Object.getOwnPropertyDescriptor(prototype, name);
		const kind = property?.get ? 'get' : 'value';
		if (!property?.[kind]) {
			return;
		}
		property[kind] = new Proxy(property[kind], {
			apply(target, self, args) {
				const native = () => Reflect.apply(target, self, args);
				const share = shareOf.get(self);
				return share ? answer(share, native, args) : native();
			},
		});
		Object.defineProperty(prototype, name, property);
	}

	const { prototype } = MediaStreamTrack;
	override(prototype, 'label', (share) => share.label);
	override(prototype, 'getSettings', (share) => share.settings());
	override(prototype, 'getCapabilities', (share) => share.capabilities());
	override(prototype, 'getConstraints', (share) => share.constraints());
	override(prototype, 'applyConstraints', (share, _native, [constraints]) => share.constrain(constraints));
	override(prototype, 'clone', (share, native) => share.adopt(native()));
	override(prototype, 'stop', (share, native) => {
		native();
		share.settle();
	});

	// A track takes no page's `ended` in Firefox but through `onended`, unless its listeners want untrusted events too.
	if (!('MediaStreamTrackGenerator' in window)) {
		const { addEventListener } = EventTarget.prototype;
		Object.defineProperty(prototype, 'addEventListener', {
			value: new Proxy(addEventListener, {
				apply(target, self, args) {
					const [type, listener, options] = args;
					return Reflect.apply(target, self, shareOf.has(self) ? [type, listener, options, true] : args);
				},
			}),
			writable: true,
			configurable: true,
		});
	}

	const streamClone = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(MediaStream.prototype, 'clone'));
	streamClone.value = new Proxy(streamClone.value, {
		apply(target, self, args) {
			const copy = Reflect.apply(target, self, args);
			const copies = copy.getVideoTracks();
			for (const [index, track] of self.getVideoTracks().entries()) {
				shareOf.get(track)?.adopt(copies[index]);
			}
			return copy;
		},
	});
	Object.defineProperty(MediaStream.prototype, 'clone', streamClone);

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
			Object.defineProperty(Navigator.prototype, name, {
				value: form[name],
				writable: true,
				enumerable: true,
				configurable: true,
			});
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
		if (window.dispatchEvent(new MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true }))) {
			throw new DOMException('The extension went away.', 'NotReadableError');
		}
		const stream = new MediaStream([await share.track()]);
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
		window.addEventListener('portlight:present', present);
		window.addEventListener('portlight:redeem', take);
	}
	listen();
	new MutationObserver(listen).observe(document, { childList: true });
})();
