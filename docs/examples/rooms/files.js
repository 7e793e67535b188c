/**
 * Files from one browser to the other, each over a data channel of its own: `{name, size}` and, once the other side
 * agrees, pieces; after every 8 MiB and at the end the SHA-256 of these, which the receiver compares with that of what
 * it got. Any side can cancel at any time. What is not sent yet waits in the file, and what came goes to Blobs, which
 * browsers keep on disk.
 */
import { t } from './language.js';

const PIECE = 64 * 1024;
/** The most that waits in the channel, in bytes: enough for a long path, and little to wait for on cancel. */
const AHEAD = 1024 * 1024;
/** What is checked, and becomes a Blob, at once. */
const BATCH = 8 * 1024 * 1024;

/** @param {Blob} blob @returns {Promise<string>} in hexadecimal */
async function sha256(blob) {
	const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
	return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @typedef {'offered' | 'moving' | 'done' | 'cancelled' | 'declined' | 'broken'} State */

/** Events: `change`, whenever `state`, `moved` or `error` did. */
export class Transfer extends EventTarget {
	/** @type {State} */
	state = 'offered';
	/** In bytes. */
	moved = 0;
	error = '';
	name = '';
	size = 0;
	/** What came, once it is done. @type {Blob | null} */
	blob = null;
	/** Of each batch. @type {string[]} */
	digests = [];
	/** The batches before are compared. */
	checked = Promise.resolve();
	/** @type {Blob[]} */
	batches = [];
	/** @type {ArrayBuffer[]} */
	pieces = [];
	/** Bytes in `pieces`. */
	waiting = 0;

	/** @param {RTCDataChannel} channel @param {File} [file] to be sent; without, one comes */
	constructor(channel, file) {
		super();
		this.channel = channel;
		this.file = file;
		this.outgoing = Boolean(file);
		channel.binaryType = 'arraybuffer';
		channel.bufferedAmountLowThreshold = AHEAD / 4;
		channel.onmessage = ({ data }) => (typeof data === 'string' ? this.#told(data) : this.#piece(data));
		channel.onclose = () => this.#end('broken', t('The connection to the other side broke. Send the file again.'));
		if (file) {
			({ name: this.name, size: this.size } = file);
			channel.onopen = () => this.#tell({ name: file.name, size: file.size });
		}
	}

	/** Agrees to a file that is offered. */
	accept() {
		if (this.state === 'offered' && !this.outgoing) {
			this.#become('moving');
			this.#tell({ accept: true });
		}
	}

	decline() {
		this.#tell({ decline: true });
		this.#end('declined', '');
	}

	cancel() {
		this.#tell({ cancel: true });
		this.#end('cancelled', t('You cancelled it.'));
	}

	get over() {
		return !['offered', 'moving'].includes(this.state);
	}

	/** @param {string} text */
	#told(text) {
		const message = JSON.parse(text);
		if (message.cancel) {
			this.#end('cancelled', t('The other side cancelled it.'));
		} else if (message.decline) {
			this.#end('declined', t('The other side did not want it.'));
		} else if (message.accept && this.outgoing && this.state === 'offered') {
			this.#become('moving');
			void this.#stream();
		} else if (message.sha256 && !this.outgoing) {
			this.#check(String(message.sha256), Boolean(message.last));
		} else if ('same' in message) {
			this.#verdict(message.same);
		} else if (!this.outgoing && !this.name) {
			this.name = String(message.name).slice(0, 255) || t('file');
			this.size = Math.max(0, Number(message.size)) || 0;
			this.#changed();
		}
	}

	async #stream() {
		const file = /** @type {File} */ (this.file);
		try {
			let at = 0;
			do {
				const batch = file.slice(at, (at += BATCH));
				for (let from = 0; from < batch.size; from += PIECE) {
					const bytes = await batch.slice(from, from + PIECE).arrayBuffer();
					await this.#room();
					if (this.state !== 'moving') {
						return;
					}
					this.channel.send(bytes);
					this.moved += bytes.byteLength;
					this.#changed();
				}
				this.digests.push(await sha256(batch));
				this.#tell({ sha256: this.digests.at(-1), last: at >= file.size });
			} while (at < file.size && this.state === 'moving');
		} catch {
			this.#tell({ cancel: true });
			this.#end('broken', t('The file could not be read. Was it changed or removed?'));
		}
	}

	/** Waits until little of what was sent is still here, or the end. */
	#room() {
		const { channel } = this;
		if (channel.bufferedAmount < AHEAD || channel.readyState !== 'open') {
			return;
		}
		return new Promise((resolve) => {
			channel.onbufferedamountlow = resolve;
		});
	}

	/** @param {ArrayBuffer} piece */
	#piece(piece) {
		if (this.state !== 'moving' || this.outgoing) {
			return;
		}
		this.moved += piece.byteLength;
		this.waiting += piece.byteLength;
		if (this.moved > this.size || this.waiting > BATCH) {
			this.#tell({ cancel: true });
			this.#end('broken', t('More came than was announced. Nothing was kept.'));
			return;
		}
		this.pieces.push(piece);
		this.#changed();
	}

	/** Compares what came since the batch before. @param {string} expected @param {boolean} last */
	#check(expected, last) {
		const batch = new Blob(this.pieces.splice(0));
		this.waiting = 0;
		const whole = !last || this.moved === this.size;
		this.batches.push(batch);
		this.checked = this.checked.then(async () => {
			const digest = await sha256(batch);
			const same = whole && digest === expected;
			this.digests.push(digest);
			if (this.state !== 'moving' || (same && !last)) {
				return;
			}
			this.#tell({ same });
			if (same) {
				this.blob = new Blob(this.batches);
			}
			this.#verdict(same);
		});
	}

	/** @param {boolean} same */
	#verdict(same) {
		if (same) {
			this.#end('done', '');
		} else {
			this.#end('broken', t('What arrived is not what was sent: the checksums differ. Send the file again.'));
		}
	}

	/** @param {object} message */
	#tell(message) {
		if (this.channel.readyState === 'open') {
			this.channel.send(JSON.stringify(message));
		}
	}

	/** @param {State} state @param {string} error */
	#end(state, error) {
		if (this.over) {
			return;
		}
		this.error = error;
		this.channel.onbufferedamountlow?.(new Event('bufferedamountlow'));
		this.batches = [];
		this.pieces = [];
		this.#become(state);
		// The side that was told last closes: what the other still has to say arrives first.
		if (this.outgoing || state !== 'done') {
			setTimeout(() => this.channel.close(), 500);
		}
	}

	/** @param {State} state */
	#become(state) {
		this.state = state;
		this.#changed();
	}

	#changed() {
		this.dispatchEvent(new Event('change'));
	}
}
