/** What the tests' pages play, and what they see of it. */
import {FrameWatch, epochNow} from './watch.js';

export class Player {
	/** @type {MediaStream | null} */
	stream = null;
	/** @type {FrameWatch | null} */
	frames = null;
	/** When the page last asked to share. @type {number | undefined} */
	askedAt;

	/** Plays the stream. */
	show() {
		const video = /** @type {HTMLVideoElement} */ (document.getElementById('screen'));
		video.srcObject = this.stream;
		this.frames = new FrameWatch(video);
		this.frames.start();
	}

	/** Plays, and resolves with the first marker that was drawn after the page asked. */
	async play() {
		this.show();
		return this.frames?.first(this.askedAt ?? epochNow());
	}

	/** The first marker that is drawn from now on. */
	next() {
		return this.frames?.first(epochNow());
	}

	/** That many pictures, each with another marker than the one before. @param {number} count @param {number} [since] */
	markers(count, since) {
		return /** @type {FrameWatch} */ (this.frames).markers(count, since);
	}

	/** Forgets what was seen until now. */
	clear() {
		this.frames?.clear();
	}

	/** How many different markers were seen since then. */
	distinct() {
		return this.frames?.summary().distinct;
	}

	stop() {
		this.frames?.stop();
		this.stream?.getTracks().forEach((track) => track.stop());
	}
}
