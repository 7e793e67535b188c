/**
 * The sharer's picture that stands still: taken once, as others may see it, and taken from the same pixels again when
 * a black box comes or goes.
 */
import { covered } from './crop.js';

export class Freezer {
	/** What stands still, without boxes. @type {import('./compose.js').Bare | null} */
	#bare = null;
	#name = '';
	#queue = Promise.resolve();

	/** @param {import('./sharer.js').Sharer} sharer @param {import('./crop.js').Cropped} cropped */
	constructor(sharer, cropped) {
		this.sharer = sharer;
		this.cropped = cropped;
	}

	/** One after the other, each with the boxes there are then. @param {() => Promise<void>} act */
	#then(act) {
		const done = this.#queue.then(act);
		this.#queue = done.catch(() => {});
		return done;
	}

	/** @param {string} name whose wish it is */
	freeze(name) {
		return this.#then(async () => {
			if (!this.#bare) {
				const bare = await this.cropped.bare();
				this.#bare = bare;
				this.#name = name;
				await this.#show(bare);
			}
		});
	}

	/** The boxes changed. */
	again() {
		return this.#then(async () => {
			if (this.#bare) {
				await this.#show(this.#bare);
			}
		});
	}

	thaw() {
		return this.#then(async () => {
			if (this.#bare) {
				this.#bare = null;
				this.sharer.thaw();
			}
		});
	}

	/** @param {import('./compose.js').Bare} bare */
	async #show(bare) {
		this.sharer.freeze(await covered(bare, this.cropped.masks), this.#name);
	}
}
