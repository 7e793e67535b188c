/** The worker of a recording, from the page's side. */
export class Beside {
	/** Those who wait for an answer, first come first. @type {{done: (answer: {size: number}) => void, failed: (error: Error) => void}[]} */
	waiting = [];
	tick = () => {};

	constructor() {
		this.worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
		this.worker.onmessage = ({ data }) => {
			if (data.tick) {
				this.tick();
			} else if (data.failed) {
				this.waiting.shift()?.failed(new Error(data.failed));
			} else {
				this.waiting.shift()?.done(data);
			}
		};
	}

	/** Calls `tick` that many times a second, in a hidden tab too. @param {number} fps @param {() => void} tick */
	every(fps, tick) {
		this.tick = tick;
		this.worker.postMessage({ fps });
	}

	/** @param {object} message @param {Transferable[]} [given] @returns {Promise<{size: number}>} */
	ask(message, given = []) {
		return new Promise((done, failed) => {
			this.waiting.push({ done, failed });
			this.worker.postMessage(message, given);
		});
	}

	end() {
		this.worker.terminate();
	}
}
