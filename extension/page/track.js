/**
 * In the page's own world, put there when the person granted it a native share: turns the host's encoded frames into a
 * MediaStreamTrack that behaves as a display-capture track. Everything here is driven by messages, so that a hidden
 * tab, whose timers sleep, goes on.
 */
(() => {
	'use strict';
	if (!window.dispatchEvent(new CustomEvent('portlight:present', { cancelable: true }))) {
		return; // An earlier grant put it here.
	}
	const REPEAT_FIRST_MS = 100;
	const REPEAT_MS = 1000;
	const REDEEM_MS = 30_000;
	const DECODE_ERRORS_MAX = 3;
	/** libyuv's conversion on the other side: BT.601, limited range, of sRGB pixels. */
	const COLOR_SPACE = { matrix: 'smpte170m', primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: false };
	const CODECS = { vp9: 'vp09.00.10.08', vp8: 'vp8' };

	/**
	 * @typedef {{seq: number, part: number, parts: number, data: string, key?: boolean, width?: number, height?: number,
	 *   pts?: number}} FrameMessage
	 * @typedef {{width: number, height: number}} Size
	 * @typedef {{track: MediaStreamTrack, show: (frame: VideoFrame) => void, end: (tracks: Set<MediaStreamTrack>) => void}} Sink
	 */

	const fromBase64 =
		Uint8Array.fromBase64?.bind(Uint8Array) ??
		((/** @type {string} */ text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));

	/** @param {string} codec */
	function decoderConfig(codec) {
		return /** @type {VideoDecoderConfig} */ ({
			codec: CODECS[/** @type {keyof typeof CODECS} */ (codec)],
			hardwareAcceleration: 'prefer-software',
			optimizeForLatency: true,
			colorSpace: COLOR_SPACE,
		});
	}

	/** The codecs that this browser decodes, best first. */
	async function decodable() {
		const codecs = Object.keys(CODECS);
		const supported = await Promise.all(
			codecs.map((codec) => VideoDecoder.isConfigSupported(decoderConfig(codec)).then(({ supported: yes }) => yes)),
		);
		return codecs.filter((_codec, index) => supported[index]);
	}

	/**
	 * The number that a constraint allows at most; undefined when it says nothing of the kind.
	 *
	 * @param {any} constraint
	 * @returns {number | undefined}
	 */
	function most(constraint) {
		const value = typeof constraint === 'object' ? (constraint?.max ?? constraint?.exact ?? constraint?.ideal) : constraint;
		return typeof value === 'number' && value >= 1 ? value : undefined;
	}

	/**
	 * The documented constraints and today's spelling of them, as one.
	 *
	 * @param {any} video
	 */
	function readConstraints(video) {
		const { mandatory = {} } = video;
		return {
			sourceId: mandatory.chromeMediaSourceId ?? video.chromeMediaSourceId,
			maxWidth: most(mandatory.maxWidth) ?? most(video.width),
			maxHeight: most(mandatory.maxHeight) ?? most(video.height),
			maxFps: most(mandatory.maxFrameRate) ?? most(video.frameRate),
		};
	}

	/**
	 * The picture's size within the limits, its shape kept.
	 *
	 * @param {Size} size
	 * @param {{maxWidth?: number, maxHeight?: number}} limits
	 * @returns {Size}
	 */
	function fit({ width, height }, { maxWidth = Infinity, maxHeight = Infinity }) {
		const scale = Math.min(1, maxWidth / width, maxHeight / height);
		const even = (/** @type {number} */ side) => Math.max(2, 2 * Math.round((side * scale) / 2));
		return scale === 1 ? { width, height } : { width: even(width), height: even(height) };
	}

	/** @param {string} constraint */
	function overconstrained(constraint) {
		const message = 'The shared picture has less.';
		return 'OverconstrainedError' in window
			? new OverconstrainedError(constraint, message)
			: Object.assign(new DOMException(message, 'OverconstrainedError'), { constraint });
	}

	/** Puts the fragments of frames together. */
	class Assembler {
		/** @type {(FrameMessage & {chunks: Uint8Array[]}) | null} */
		#frame = null;

		/**
		 * @param {FrameMessage} message
		 * @returns {{complete: boolean, frame: FrameMessage, data: Uint8Array} | null} null when fragments are missing
		 */
		take(message) {
			if (message.part === 0) {
				this.#frame = { ...message, chunks: [] };
			}
			const frame = this.#frame;
			if (!frame || frame.seq !== message.seq || frame.chunks.length !== message.part) {
				this.#frame = null;
				return null;
			}
			frame.chunks.push(fromBase64(message.data));
			if (frame.chunks.length < frame.parts) {
				return { complete: false, frame, data: frame.chunks[0] };
			}
			this.#frame = null;
			if (frame.parts === 1) {
				return { complete: true, frame, data: frame.chunks[0] };
			}
			const data = new Uint8Array(frame.chunks.reduce((length, chunk) => length + chunk.length, 0));
			let offset = 0;
			for (const chunk of frame.chunks) {
				data.set(chunk, offset);
				offset += chunk.length;
			}
			return { complete: true, frame, data };
		}
	}

	/**
	 * Where MediaStreamTrackGenerator is: frames go straight into a track.
	 *
	 * @returns {Sink}
	 */
	function generatorSink() {
		const generator = new MediaStreamTrackGenerator({ kind: 'video' });
		const writer = generator.writable.getWriter();
		return {
			track: generator,
			show(frame) {
				writer.write(frame).catch(() => frame.close());
			},
			end() {
				writer.close().catch(() => {});
				generator.stop();
			},
		};
	}

	/**
	 * Elsewhere: frames are painted on a canvas that is captured on request.
	 *
	 * @returns {Sink}
	 */
	function canvasSink() {
		const canvas = document.createElement('canvas');
		const context = /** @type {CanvasRenderingContext2D} */ (
			canvas.getContext('2d', { alpha: false, willReadFrequently: true })
		);
		const stream = /** @type {MediaStream & {requestFrame?: () => void}} */ (canvas.captureStream(0));
		const track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
		return {
			track,
			show(frame) {
				const { displayWidth: width, displayHeight: height } = frame;
				if (canvas.width !== width || canvas.height !== height) {
					canvas.width = width;
					canvas.height = height;
				}
				// In this order: a canvas that becomes dirty with a frame requested is captured at once, hidden tab or not.
				(stream.requestFrame ?? track.requestFrame).call(stream.requestFrame ? stream : track);
				context.drawImage(frame, 0, 0, width, height);
				frame.close();
			},
			end(tracks) {
				track.stop();
				for (const each of tracks) {
					nativeStop.call(each);
					each.dispatchEvent(new Event('ended'));
				}
			},
		};
	}

	const nativeStop = MediaStreamTrack.prototype.stop;
	const nativeClone = MediaStreamTrack.prototype.clone;

	/** One share as this page has it: from frames on a port to the tracks that came of it. */
	class Share {
		/** @type {Set<MediaStreamTrack>} the live tracks that the page holds */
		tracks = new Set();
		#port;
		#index;
		#limits;
		#constraints;
		#assembler = new Assembler();
		/** @type {VideoDecoder | null} */
		#decoder = null;
		#decodeErrors = 0;
		#decoding = 0;
		#needsKey = true;
		/** @type {Sink | null} */
		#sink = null;
		/** @type {VideoFrame | null} the last picture, for what comes late to a still screen */
		#last = null;
		#lastShown = 0;
		#lastTimestamp = -Infinity;
		#repeatMs = REPEAT_FIRST_MS;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		#repeatTimer;
		/** @type {Size} of the decoded picture */
		#size = { width: 0, height: 0 };
		/** @type {{codec: string, width: number, height: number, maxFps: number, surface: string} | null} */
		#opened = null;
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
			this.#constraints = typeof video === 'object' ? video : {};
		}

		/** @returns {Promise<MediaStreamTrack>} */
		track() {
			return new Promise((resolve, reject) => {
				const timer = setTimeout(
					() => this.#finish({ name: 'NotReadableError', message: 'The share did not begin in time.' }),
					REDEEM_MS,
				);
				this.onbegin = () => {
					clearTimeout(timer);
					resolve(this.#begin());
				};
				this.onfail = (/** @type {{name: string, message: string}} */ { name, message }) => {
					clearTimeout(timer);
					reject(name === 'TypeError' ? new TypeError(message) : new DOMException(message, name));
				};
				this.#port.onmessage = ({ data }) => this.#receive(data);
				this.#port.addEventListener('close', () =>
					this.#finish({ name: 'NotReadableError', message: 'The extension went away.' }),
				);
			});
		}

		/** @param {any} message */
		#receive(message) {
			switch (message.type) {
			case 'opened':
				this.#opened = message;
				this.#size = { width: message.width, height: message.height };
				this.onbegin?.();
				break;
			case 'frame':
				this.#frame(message);
				break;
			case 'ended':
				this.#finish(message);
				break;
			}
		}

		#begin() {
			this.#sink = 'MediaStreamTrackGenerator' in window ? generatorSink() : canvasSink();
			const track = nativeClone.call(this.#sink.track);
			track.contentHint = 'detail';
			return this.adopt(track);
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

		/** @param {FrameMessage} message */
		#frame(message) {
			if (this.#over) {
				return;
			}
			const taken = this.#assembler.take(message);
			if (!taken) {
				this.#lose(message.part === message.parts - 1 ? 1 : 0);
			} else if (taken.complete) {
				this.#decode(taken.frame, taken.data);
			}
		}

		/**
		 * @param {FrameMessage} frame
		 * @param {Uint8Array} data
		 */
		#decode(frame, data) {
			if (this.#needsKey && !frame.key) {
				this.#lose(1);
				return;
			}
			this.#needsKey = false;
			try {
				this.#decoder ??= this.#createDecoder();
				const type = frame.key ? 'key' : 'delta';
				this.#decoding++;
				this.#decoder.decode(new EncodedVideoChunk({ type, timestamp: frame.pts ?? 0, data }));
			} catch (error) {
				this.#decodeFailed(error);
			}
		}

		#createDecoder() {
			const decoder = new VideoDecoder({
				output: (frame) => {
					this.#decoding--;
					this.#decodeErrors = 0;
					this.#decoded(frame);
				},
				error: (error) => this.#decodeFailed(error),
			});
			decoder.configure(decoderConfig(this.#opened?.codec ?? 'vp8'));
			return decoder;
		}

		/**
		 * A decoder that failed is closed: the next keyframe goes to a new one.
		 *
		 * @param {unknown} error
		 */
		#decodeFailed(error) {
			console.warn('Portlight: decoding failed:', error);
			if (this.#decoder && this.#decoder.state !== 'closed') {
				this.#decoder.close();
			}
			this.#decoder = null;
			const lost = this.#decoding;
			this.#decoding = 0;
			if (++this.#decodeErrors >= DECODE_ERRORS_MAX) {
				this.#port.postMessage({ type: 'stop' });
				this.#finish({ name: 'NotReadableError', message: 'The browser could not decode the shared picture.' });
				return;
			}
			this.#lose(lost);
		}

		/**
		 * Frames that will never be shown: their credit goes back, and the next one must stand for itself.
		 *
		 * @param {number} frames
		 */
		#lose(frames) {
			this.#needsKey = true;
			this.#port.postMessage({ type: 'keyframe' });
			this.#giveCredit(frames);
		}

		/** @param {number} frames */
		#giveCredit(frames) {
			if (frames > 0) {
				this.#port.postMessage({ type: 'credit', frames });
			}
		}

		/** @param {VideoFrame} frame */
		#decoded(frame) {
			this.#giveCredit(1);
			if (this.#over) {
				frame.close();
				return;
			}
			this.#size = { width: frame.displayWidth, height: frame.displayHeight };
			const { width, height } = fit(this.#size, this.#limits);
			const timestamp = this.#nextTimestamp(frame.timestamp);
			const shown = new VideoFrame(frame, { timestamp, displayWidth: width, displayHeight: height });
			frame.close();
			this.#last?.close();
			this.#last = shown.clone();
			this.#lastShown = performance.now();
			this.#sink?.show(shown);
			this.settle();
		}

		/** @param {number} wanted in microseconds */
		#nextTimestamp(wanted) {
			this.#lastTimestamp = Math.max(wanted, this.#lastTimestamp + 1);
			return this.#lastTimestamp;
		}

		/** A track keeps no picture for who comes late, so a still screen's is shown again now and then. */
		#scheduleRepeat() {
			clearTimeout(this.#repeatTimer);
			this.#repeatTimer = setTimeout(() => {
				this.#repeatMs = Math.min(2 * this.#repeatMs, REPEAT_MS);
				this.settle();
				if (this.#over) {
					return;
				}
				const idle = performance.now() - this.#lastShown;
				if (this.#last && idle >= REPEAT_FIRST_MS) {
					const timestamp = this.#nextTimestamp(this.#last.timestamp + Math.round(1000 * idle));
					this.#sink?.show(new VideoFrame(this.#last, { timestamp }));
				}
				this.#scheduleRepeat();
			}, this.#repeatMs);
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
			clearTimeout(this.#repeatTimer);
			this.#last?.close();
			if (this.#decoder && this.#decoder.state !== 'closed') {
				this.#decoder.close();
			}
			this.#port.close();
			if (this.#sink) {
				this.#sink.end(this.tracks);
				this.tracks.clear();
			} else if (reason) {
				this.onfail?.(reason);
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
				frameRate: this.#opened?.maxFps,
				resizeMode: width === this.#size.width ? 'none' : 'crop-and-scale',
				displaySurface: this.surface,
				logicalSurface: true,
				cursor: 'always',
			};
		}

		capabilities() {
			const { width, height } = this.#size;
			return {
				width: { min: 1, max: width },
				height: { min: 1, max: height },
				aspectRatio: { min: 1 / height, max: width },
				frameRate: { min: 0, max: this.#opened?.maxFps },
				resizeMode: ['none', 'crop-and-scale'],
				displaySurface: this.surface,
				logicalSurface: true,
				cursor: ['always'],
			};
		}

		constraints() {
			return { ...this.#constraints };
		}

		/**
		 * Takes a new size limit; what can't be met is refused as the Media Capture text says.
		 *
		 * @param {any} [constraints]
		 */
		async constrain(constraints = {}) {
			const { width, height } = this.#size;
			const limits = { width, height, frameRate: this.#opened?.maxFps ?? Infinity };
			for (const [name, limit] of Object.entries(limits)) {
				const least = constraints[name]?.exact ?? constraints[name]?.min;
				if (typeof least === 'number' && least > limit) {
					throw overconstrained(name);
				}
			}
			this.#limits = { ...this.#limits, maxWidth: most(constraints.width), maxHeight: most(constraints.height) };
			this.#constraints = constraints;
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
		const { sourceId, maxFps } = readConstraints(video);
		const codecs = await decodable();
		const { port1, port2 } = new MessageChannel();
		const share = new Share(port1, shares++, video);
		window.postMessage({ type: 'portlight:redeem', sourceId, codecs, maxFps }, '/', [port2]);
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

	window.addEventListener('portlight:present', (event) => {
		event.preventDefault();
		event.stopImmediatePropagation();
	});
	window.addEventListener('portlight:redeem', (event) => {
		event.preventDefault();
		event.stopImmediatePropagation();
		const { constraints, resolve, reject } = /** @type {CustomEvent} */ (event).detail;
		redeem(constraints).then(resolve, reject);
	});
})();
