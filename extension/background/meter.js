/** How many pictures and bytes a share gave lately. */

const WINDOW_MS = 2_000;

export class Meter {
	/** @type {{at: number, bytes: number, frames: number}[]} of the last while, oldest first */
	#samples = [];
	#began = NaN;

	/**
	 * Counts a fragment.
	 *
	 * @param {number} bytes
	 * @param {boolean} last whether it is the last of its frame
	 */
	count(bytes, last) {
		const now = Date.now();
		this.#began ||= now;
		this.#samples.push({ at: now, bytes, frames: last ? 1 : 0 });
		this.#forget(now);
	}

	/** @returns {{fps: number, kbps: number}} a second, of now: 0 on a still screen */
	read() {
		const now = Date.now();
		this.#forget(now);
		const seconds = Math.max(1000, Math.min(WINDOW_MS, now - this.#began || 0)) / 1000;
		let [bytes, frames] = [0, 0];
		for (const sample of this.#samples) {
			bytes += sample.bytes;
			frames += sample.frames;
		}
		return { fps: Math.round((10 * frames) / seconds) / 10, kbps: Math.round((8 * bytes) / 1000 / seconds) };
	}

	/** @param {number} now */
	#forget(now) {
		const first = this.#samples.findIndex(({ at }) => at > now - WINDOW_MS);
		this.#samples.splice(0, first < 0 ? this.#samples.length : first);
	}
}
