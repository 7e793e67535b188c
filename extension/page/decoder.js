/** From the fragments of encoded frames to pictures, by WebCodecs. Driven by messages alone. */
const ERRORS_MAX = 3;
/** libyuv's conversion on the other side: BT.601, limited range, of sRGB pixels. */
const COLOR_SPACE = { matrix: 'smpte170m', primaries: 'bt709', transfer: 'iec61966-2-1', fullRange: false };
/** What pictures come in; `vp9-444` is VP9 whose colours are as fine as its light, for coloured text. */
const CODECS = { vp9: 'vp09.00.10.08', vp8: 'vp8', 'vp9-444': 'vp09.01.10.08' };

/**
 * @typedef {{seq: number, part: number, parts: number, data: string, key?: boolean, pts?: number,
 *   codec?: string}} FrameMessage
 * @typedef {object} Listener
 * @property {(picture: VideoFrame) => void} onPicture takes the picture over
 * @property {(frames: number) => void} onCredit this many frames are done with
 * @property {() => void} onKeyframeNeeded
 * @property {() => void} onFailed decoding was given up
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
export async function decodable() {
	const codecs = Object.keys(CODECS);
	const supported = await Promise.all(
		codecs.map((codec) => VideoDecoder.isConfigSupported(decoderConfig(codec)).then(({ supported: yes }) => yes)),
	);
	return codecs.filter((_codec, index) => supported[index]);
}

/** Puts the fragments of frames together. */
class Assembler {
	/**
	 * @type {{seq: number, parts: number, key: boolean, pts: number, codec: string, chunks: Uint8Array<ArrayBuffer>[]}
	 *   | null}
	 */
	#frame = null;

	/**
	 * @param {FrameMessage} message
	 * @returns {{key: boolean, pts: number, codec: string, data: Uint8Array<ArrayBuffer> | null} | null} the frame,
	 *   without data as long as fragments are to come; null when one is missing
	 */
	take({ seq, part, parts, data, key = false, pts = 0, codec = '' }) {
		if (part === 0) {
			this.#frame = { seq, parts, key, pts, codec, chunks: [] };
		}
		const frame = this.#frame;
		if (!frame || frame.seq !== seq || frame.chunks.length !== part) {
			this.#frame = null;
			return null;
		}
		const { chunks, ...head } = frame;
		chunks.push(fromBase64(data));
		if (chunks.length < parts) {
			return { ...head, data: null };
		}
		this.#frame = null;
		return { ...head, data: parts === 1 ? chunks[0] : joined(chunks) };
	}
}

/** @param {Uint8Array[]} chunks */
function joined(chunks) {
	const data = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
	let offset = 0;
	for (const chunk of chunks) {
		data.set(chunk, offset);
		offset += chunk.length;
	}
	return data;
}

/** One share's frames, decoded. Every frame's credit comes back once: with its picture, or when it is lost. */
export class FrameDecoder {
	#codec;
	#listener;
	#assembler = new Assembler();
	/** @type {VideoDecoder | null} */
	#decoder = null;
	#decoding = 0;
	#errors = 0;
	#needsKey = true;

	/** @param {string} codec @param {Listener} listener */
	constructor(codec, listener) {
		this.#codec = codec;
		this.#listener = listener;
	}

	/** @param {FrameMessage} message */
	take(message) {
		const last = message.part === message.parts - 1;
		const frame = this.#assembler.take(message);
		if (frame === null) {
			this.#lose(last ? 1 : 0);
		} else if (frame.data) {
			this.#decode(frame.key, frame.pts, frame.data, frame.codec);
		}
	}

	close() {
		if (this.#decoder && this.#decoder.state !== 'closed') {
			this.#decoder.close();
		}
		this.#decoder = null;
		this.#decoding = 0;
	}

	/**
	 * @param {boolean} key
	 * @param {number} pts
	 * @param {Uint8Array<ArrayBuffer>} data
	 * @param {string} codec of a keyframe
	 */
	#decode(key, pts, data, codec) {
		if (this.#needsKey && !key) {
			this.#lose(1);
			return;
		}
		this.#needsKey = false;
		this.#decoding++;
		try {
			this.#follow(codec);
			this.#decoder ??= this.#create();
			this.#decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp: pts, data }));
		} catch (error) {
			this.#failed(error);
		}
	}

	/**
	 * A keyframe may be of another codec than the frame before. What was taken before it still comes out, and first.
	 *
	 * @param {string} codec the host's name for it, which tells nothing of the chroma; empty: none was told
	 */
	#follow(codec) {
		if (!Object.hasOwn(CODECS, codec) || this.#codec.startsWith(codec)) {
			return;
		}
		this.#codec = codec;
		if (this.#decoder) {
			this.#decoder.flush().catch(() => {}); // What fails is told as an error, too.
			this.#decoder.configure(decoderConfig(codec));
		}
	}

	#create() {
		const decoder = new VideoDecoder({
			output: (picture) => {
				if (decoder !== this.#decoder) {
					picture.close();
					return;
				}
				this.#decoding--;
				this.#errors = 0;
				this.#listener.onCredit(1);
				this.#listener.onPicture(picture);
			},
			error: (error) => decoder === this.#decoder && this.#failed(error),
		});
		decoder.configure(decoderConfig(this.#codec));
		return decoder;
	}

	/** A decoder that failed can't go on: the next keyframe goes to a new one. @param {unknown} error */
	#failed(error) {
		console.warn('Portlight: decoding failed:', error);
		const lost = this.#decoding;
		this.close();
		if (++this.#errors >= ERRORS_MAX) {
			this.#listener.onFailed();
		} else {
			this.#lose(lost);
		}
	}

	/** Frames that will never be seen: the next one must stand for itself. @param {number} frames */
	#lose(frames) {
		this.#needsKey = true;
		this.#listener.onKeyframeNeeded();
		if (frames > 0) {
			this.#listener.onCredit(frames);
		}
	}
}
