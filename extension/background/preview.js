/**
 * Copies a share's frames to one of the extension's own pages, from a keyframe on. A page that can't keep up misses frames
 * until the next keyframe, so it never slows the share down and no messages pile up.
 */

/** Frames that the page may get before it says that it decoded them. */
const AHEAD_MAX = 8;
const KEYFRAME_MS = 1_000;

/**
 * @typedef {import('./host.js').FrameMessage} FrameMessage
 * @typedef {{codec: string, chroma?: string, width: number, height: number}} Picture
 */

export class Preview {
	#port;
	#askKeyframe;
	/** Whether it waits for a keyframe. */
	#waits = true;
	#ahead = 0;
	#wanted = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} set while it is too early to ask again */
	#resting;

	/** @param {chrome.runtime.Port} port @param {() => void} askKeyframe */
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

	/** Asks at most once in KEYFRAME_MS: keyframes are the most expensive frames. */
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
