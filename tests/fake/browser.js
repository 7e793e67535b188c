/** A browser's end of the native-messaging pipes: starts portlight-host as a browser does, and talks to it. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {endianness} from 'node:os';

export const chromiumId = 'dmefmpejkcdmdoopbohfmhdjieggcbbo';
export const firefoxId = 'portlight@portlight';
export const chromiumArguments = [`chrome-extension://${chromiumId}/`];

const littleEndian = endianness() === 'LE';

/**
 * @param {number} length
 * @returns {Buffer} the head of a message that claims this length
 */
export function head(length) {
	const bytes = Buffer.alloc(4);
	if (littleEndian) {
		bytes.writeUInt32LE(length);
	} else {
		bytes.writeUInt32BE(length);
	}
	return bytes;
}

/**
 * @param {string | Buffer} text
 * @returns {Buffer} one native message
 */
export function frame(text) {
	const bytes = Buffer.from(text);
	return Buffer.concat([head(bytes.length), bytes]);
}

export class Browser {
	/**
	 * @param {string} host  path of portlight-host
	 * @param {{env?: NodeJS.ProcessEnv, args?: string[]}} [options]
	 */
	constructor(host, {env = process.env, args = chromiumArguments} = {}) {
		this.process = spawn(host, args, {env, stdio: ['pipe', 'pipe', 'pipe']});
		/** @type {any[]} messages that nobody asked for yet */
		this.messages = [];
		this.log = '';
		/** @type {{accept: (message: any) => boolean, resolve: (message: any) => void}[]} */
		this.waiters = [];
		this.buffer = Buffer.alloc(0);
		this.lastId = 0;
		this.process.stderr.setEncoding('utf8').on('data', (text) => {
			this.log += text;
			this.process.emit('logged');
		});
		this.process.stdout.on('data', (bytes) => this.#read(bytes));
		// A host that has left breaks the pipe; the tests look at its exit instead.
		this.process.stdin.on('error', () => {});
		/** @type {Promise<{code: number | null, signal: string | null}>} */
		this.exited = once(this.process, 'close').then(([code, signal]) => ({code, signal}));
	}

	/** @param {Buffer} bytes */
	#read(bytes) {
		this.buffer = Buffer.concat([this.buffer, bytes]);
		while (this.buffer.length >= 4) {
			const length = littleEndian ? this.buffer.readUInt32LE() : this.buffer.readUInt32BE();
			if (length > 1024 * 1024) {
				throw new Error(`the host sent a message of ${length} bytes`);
			}
			if (this.buffer.length < 4 + length) {
				return;
			}
			const message = JSON.parse(this.buffer.subarray(4, 4 + length).toString());
			this.buffer = this.buffer.subarray(4 + length);
			const waiter = this.waiters.findIndex(({accept}) => accept(message));
			if (waiter >= 0) {
				this.waiters.splice(waiter, 1)[0].resolve(message);
			} else {
				this.messages.push(message);
			}
		}
	}

	/** @param {Buffer} bytes */
	sendBytes(bytes) {
		this.process.stdin.write(bytes);
	}

	/** @param {unknown} message */
	send(message) {
		this.sendBytes(frame(JSON.stringify(message)));
	}

	/** Closes the host's stdin. */
	hangUp() {
		this.process.stdin.end();
	}

	/**
	 * The first message that `accept` takes, of those that came and those that will.
	 * @param {(message: any) => boolean} accept
	 * @param {number} [patience]  in ms
	 * @returns {Promise<any>}
	 */
	next(accept, patience = 5000) {
		const index = this.messages.findIndex(accept);
		if (index >= 0) {
			return Promise.resolve(this.messages.splice(index, 1)[0]);
		}
		return new Promise((resolve, reject) => {
			const waiter = {
				accept,
				resolve: (/** @type {any} */ message) => {
					clearTimeout(timer);
					resolve(message);
				},
			};
			const timer = setTimeout(() => {
				this.waiters.splice(this.waiters.indexOf(waiter), 1);
				reject(
					new Error(
						`no such message within ${patience} ms; ` +
							`came: ${JSON.stringify(this.messages).slice(0, 2000)}\n${this.log}`
					)
				);
			}, patience);
			this.waiters.push(waiter);
		});
	}

	/**
	 * Waits until the host's log has it.
	 * @param {RegExp} pattern
	 */
	async logged(pattern) {
		const signal = AbortSignal.timeout(5000);
		while (!pattern.test(this.log)) {
			await once(this.process, 'logged', {signal});
		}
	}

	/**
	 * Sends a request with a new id; resolves to its id.
	 * @param {string} type
	 * @param {object} [fields]
	 */
	post(type, fields = {}) {
		const id = ++this.lastId;
		this.send({type, id, ...fields});
		return id;
	}

	/**
	 * @param {number | null} id
	 * @param {number} [patience]
	 */
	answer(id, patience) {
		return this.next(
			(message) => message.id === id && (message.type === 'result' || message.type === 'error'),
			patience
		);
	}

	/**
	 * A request and its answer.
	 * @param {string} type
	 * @param {object} [fields]
	 */
	request(type, fields) {
		return this.answer(this.post(type, fields));
	}

	hello() {
		return this.request('hello', {protocol: 1});
	}

	share() {
		return this.request('share', {sources: ['monitor', 'window'], cursor: 'embedded'});
	}

	/**
	 * @param {number} share
	 * @param {object} [fields]
	 */
	open(share, fields = {}) {
		return this.request('open', {share, codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 4, ...fields});
	}

	/** @param {number} share */
	ended(share) {
		return this.next((message) => message.type === 'ended' && message.share === share);
	}

	/** @param {number} share */
	frame(share) {
		return this.next((message) => message.type === 'frame' && message.share === share);
	}

	/** Ends the host, whatever state it is in. */
	async finish() {
		if (this.process.exitCode === null && this.process.signalCode === null) {
			this.process.kill('SIGKILL');
		}
		await this.exited;
	}
}
