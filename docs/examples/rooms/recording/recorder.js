/**
 * Records what is shown into a tape: the picture is drawn onto a canvas of one size, with what is drawn on it if that is
 * wanted, whatever becomes of the source's track and size meanwhile; a picture at rest costs one drawing a second.
 *
 * Events: `failed` (an Error; what came before is on the tape).
 */
import { t } from '../language.js';
import { Beside } from './beside.js';
import { Tape } from './tape.js';

const FPS = 30;
const REST_MS = 1000;
const SLICE_MS = 1000;
const BITS = 6_000_000;
/** A place can be found again to this, in milliseconds. */
const KEY_MS = 2000;

/**
 * @typedef {object} Picture what is recorded
 * @property {() => {width: number, height: number}} size in pixels, now; 0 where there is none yet
 * @property {() => unknown} version another one when there is something new to draw
 * @property {(context: CanvasRenderingContext2D, width: number, height: number) => void} paint all of it, as large as that
 */

export class Recorder extends EventTarget {
	/** @type {Tape | null} */
	tape = null;
	/** performance.now() of its beginning. */
	since = 0;
	drawn = 0;
	/** @type {unknown} */
	version = null;

	/** @param {Picture} picture @param {MediaStreamTrack[]} sound */
	constructor(picture, sound) {
		super();
		this.picture = picture;
		this.sound = sound;
	}

	/** Resolves once it runs. @throws where the browser can't, or there is no picture */
	async start() {
		const { width, height } = this.picture.size();
		// Firefox waits for a sound that is named here, for ever.
		const mimeType = `video/webm;codecs=${this.sound.length ? 'vp8,opus' : 'vp8'}`;
		if (!width) {
			throw new Error(t('There is no picture yet. Wait for it, then try again.'));
		}
		if (!window.MediaRecorder?.isTypeSupported(mimeType)) {
			throw new Error(t('This browser can’t record WebM. Use Firefox or Chromium.'));
		}
		this.beside = new Beside();
		this.tape = await Tape.make(`recording-${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}.webm`, this.beside);
		this.canvas = Object.assign(document.createElement('canvas'), { width: (width + 1) & ~1, height: (height + 1) & ~1 });
		this.#draw();
		const stream = this.canvas.captureStream(FPS);
		this.mixed = this.sound.length ? mix(this.sound) : null;
		if (this.mixed) {
			stream.addTrack(this.mixed.track);
		}
		const options = { mimeType, videoBitsPerSecond: BITS, videoKeyFrameIntervalDuration: KEY_MS };
		this.recorder = new MediaRecorder(stream, options);
		this.recorder.ondataavailable = ({ data }) => this.#keep(data);
		this.recorder.onerror = (event) => this.#fail(/** @type {any} */ (event).error);
		const begun = new Promise((done) => /** @type {MediaRecorder} */ (this.recorder).addEventListener('start', done, { once: true }));
		this.recorder.start(SLICE_MS);
		this.beside.every(FPS, () => this.#tick());
		await begun;
		this.since = performance.now();
	}

	/** Resolves with the tape when all of it is on it. @returns {Promise<Tape>} */
	async stop() {
		const { recorder, tape } = this;
		if (recorder?.state === 'recording') {
			this.#draw();
			const stopped = new Promise((done) => recorder.addEventListener('stop', done, { once: true }));
			recorder.stop();
			await stopped;
		}
		await this.keeping;
		await tape?.end().catch(() => {});
		this.beside?.end();
		this.mixed?.close();
		return /** @type {Tape} */ (tape);
	}

	/** In order: one is written after the other. @param {Blob} data */
	#keep(data) {
		this.keeping = (this.keeping ?? Promise.resolve()).then(() => this.failed || this.tape?.write(data)).catch((/** @type {Error} */ error) => this.#fail(error));
	}

	/** @param {Error} error */
	#fail(error) {
		if (!this.failed) {
			this.failed = true;
			this.dispatchEvent(new CustomEvent('failed', { detail: error }));
		}
	}

	#tick() {
		const version = JSON.stringify(this.picture.version());
		if (version !== this.version || performance.now() - this.drawn > REST_MS) {
			this.version = version;
			this.#draw();
		}
	}

	/** The whole picture, in the middle. */
	#draw() {
		const canvas = /** @type {HTMLCanvasElement} */ (this.canvas);
		const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
		const { width, height } = this.picture.size();
		this.drawn = performance.now();
		if (!width) {
			return;
		}
		const scale = Math.min(canvas.width / width, canvas.height / height);
		const [wide, high] = [width * scale, height * scale];
		context.fillRect(0, 0, canvas.width, canvas.height);
		context.save();
		context.translate((canvas.width - wide) / 2, (canvas.height - high) / 2);
		context.beginPath();
		context.rect(0, 0, wide, high);
		context.clip();
		this.picture.paint(context, wide, high);
		context.restore();
	}
}

/** Several sounds as one track: a recording has one. @param {MediaStreamTrack[]} tracks */
function mix(tracks) {
	const context = new AudioContext();
	const out = context.createMediaStreamDestination();
	tracks.forEach((track) => context.createMediaStreamSource(new MediaStream([track])).connect(out));
	// A context that sleeps gives nothing, and the recorder would wait for it.
	void context.resume();
	const [track] = out.stream.getAudioTracks();
	return {
		track,
		close: () => {
			tracks.forEach((one) => one.stop());
			void context.close();
		},
	};
}
