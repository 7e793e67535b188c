/** A call's descriptions and candidates, on their way through the server by name: in order, and again where the other side is only away. */

/** How long the other side's name may be unknown in a call that stands, as after the server's restart, in milliseconds. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 500;

/** @typedef {import('./peer.js').Signal} Signal */

export class Signalling {
	/**
	 * @param {import('./server.js').Server} server
	 * @param {{to: string, call: string, stands: () => boolean, failed: (error: Error) => void}} call
	 */
	constructor(server, call) {
		this.server = server;
		this.call = call;
		this.queue = Promise.resolve();
		this.over = false;
	}

	/** @param {Signal} signal */
	send({ description, candidate, restart }) {
		const { to, call } = this.call;
		// The server passes on any object as a candidate, and has no other message for this.
		const fields = description ? { to, call, sdp: description.sdp } : { to, call, candidate: restart ? { restart } : candidate };
		const type = description?.type ?? 'candidate';
		this.queue = this.queue.then(() => this.#deliver(type, fields));
	}

	/** @param {string} type @param {object} fields */
	async #deliver(type, fields) {
		for (const since = performance.now(); !this.over; ) {
			try {
				await this.server.request(type, fields);
				return;
			} catch (error) {
				const { code, retryMs } = /** @type {import('./server.js').ServerError} */ (error);
				// What belongs to an offer that the server forgot comes again with the next one, if there is to be one.
				const forgotten = ['no-call', 'session-lost'].includes(code);
				if (forgotten && (type === 'candidate' || (type === 'answer' && this.call.stands()))) {
					return;
				}
				const away = this.call.stands() && ['unknown-name', 'login-required', 'session-lost', 'no-call'].includes(code);
				if (!retryMs && !(away && performance.now() - since < PATIENCE_MS)) {
					this.call.failed(/** @type {Error} */ (error));
					return;
				}
				await new Promise((resolve) => setTimeout(resolve, retryMs || AGAIN_MS));
			}
		}
	}
}

/** What came from the server, as a peer takes it. @param {any} message @returns {Signal} */
export function signalOf({ type, sdp, candidate }) {
	if (type !== 'candidate') {
		return { description: { type, sdp } };
	}
	return candidate?.restart === true ? { restart: true } : { candidate };
}
