/**
 * Copies of a share's frames for one of the extension's own pages. They begin with a keyframe; a page that does not keep
 * up misses frames until the next one, so it never slows the share down and never makes messages pile up.
 */

/** Frames that the page may have before it says that it decoded them. */
const AHEAD_MAX = 8;
const KEYFRAME_MS = 1_000;

/**
 * @typedef {import('./native.js').FrameMessage} FrameMessage
 * @typedef {{codec: string, chroma?: string, width: number, height: number}} Picture
 */

export class Preview {
	#port;
	#askKeyframe;
	/** Whether nothing is copied until a keyframe comes. */
	#waits = true;
	#ahead = 0;
	#wanted = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} while it is too early to ask again */
	#resting;

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {() => void} askKeyframe
	 */
	constructor(port, askKeyframe) {
		this.#port = port;
		this.#askKeyframe = askKeyframe;
		port.onMessage.addListener((message) => {
			if (message?.type === 'credit') {
				this.#ahead = Math.max(0, this.#ahead - (Math.trunc(Number(message.frames)) || 0));
				if (this.#waits && this.#ahead === 0) {
					this.#wantKeyframe();
				}
			} else if (message?.type === 'keyframe') {
				this.#waits = true;
				this.#wantKeyframe();
			}
		});
		port.onDisconnect.addListener(() => clearTimeout(this.#resting));
	}

	/** @param {Picture} picture */
	open({ codec, chroma, width, height }) {
		this.#waits = true;
		this.say({ type: 'opened', codec, chroma, width, height });
		this.#wantKeyframe();
	}

	/** @param {FrameMessage} frame */
	take(frame) {
		if (frame.part === 0) {
			this.#waits = this.#ahead >= AHEAD_MAX || (this.#waits && !frame.key);
		}
		if (this.#waits) {
			return;
		}
		if (frame.part === frame.parts - 1) {
			this.#ahead++;
		}
		this.say(frame);
	}

	/** @param {object} message */
	say(message) {
		try {
			this.#port.postMessage(message);
		} catch {
			// The page was closed.
		}
	}

	end() {
		clearTimeout(this.#resting);
		this.#port.disconnect();
	}

	/** Now, or when the last time is long enough ago: keyframes are the share's dearest frames. */
	#wantKeyframe() {
		if (this.#resting) {
			this.#wanted = true;
			return;
		}
		this.#wanted = false;
		this.#askKeyframe();
		this.#resting = setTimeout(() => {
			this.#resting = undefined;
			if (this.#wanted) {
				this.#wantKeyframe();
			}
		}, KEYFRAME_MS);
	}
}
