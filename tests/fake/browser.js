/** A browser's end of the native-messaging pipes: starts portlight-host as a browser does, and talks to it. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {endianness} from 'node:os';

export const chromiumId = 'dmefmpejkcdmdoopbohfmhdjieggcbbo';
export const firefoxId = 'portlight@portlight';
export const chromiumArguments = [`chrome-extension://${chromiumId}/`];

/** How long anything may take that has to come; no test is about it. In ms. */
const patience = 20_000;
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
		/** @type {Set<{accept: (message: any) => boolean, settle: (message: any) => void}>} */
		this.waiters = new Set();
		this.buffer = Buffer.alloc(0);
		this.lastId = 0;
		/** It has exited, and all that it said was read. */
		this.left = false;
		this.process.stderr.setEncoding('utf8').on('data', (text) => {
			this.log += text;
			this.process.emit('logged');
		});
		this.process.stdout.on('data', (bytes) => this.#read(bytes));
		// A host that has left breaks the pipe; the tests look at its exit instead.
		this.process.stdin.on('error', () => {});
		/** @type {Promise<{code: number | null, signal: string | null}>} */
		this.exited = once(this.process, 'close').then(([code, signal]) => {
			this.left = true;
			this.waiters.forEach((waiter) => waiter.settle(undefined));
			return {code, signal};
		});
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
			const waiter = [...this.waiters].find(({accept}) => accept(message));
			if (waiter !== undefined) {
				this.waiters.delete(waiter);
				waiter.settle(message);
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
	 * @param {number} [limit]  in ms
	 * @returns {Promise<any>}
	 */
	next(accept, limit = patience) {
		const index = this.messages.findIndex(accept);
		if (index >= 0) {
			return Promise.resolve(this.messages.splice(index, 1)[0]);
		}
		return new Promise((resolve, reject) => {
			const fail = (/** @type {string} */ why) => {
				const came = JSON.stringify(this.messages).slice(0, 2000);
				this.waiters.delete(waiter);
				reject(new Error(`no such message ${why}; came: ${came}\n${this.log}`));
			};
			const timer = setTimeout(() => fail(`within ${limit} ms`), limit);
			const waiter = {
				accept,
				settle: (/** @type {any} */ message) => {
					clearTimeout(timer);
					return message === undefined ? fail('before the host left') : resolve(message);
				},
			};
			this.waiters.add(waiter);
			if (this.left) {
				waiter.settle(undefined);
			}
		});
	}

	/**
	 * Waits until the host's log has it.
	 * @param {RegExp} pattern
	 */
	async logged(pattern) {
		const signal = AbortSignal.timeout(patience);
		while (!pattern.test(this.log)) {
			await once(this.process, 'logged', {signal});
		}
	}

	/**
	 * Sends a request with a new id, which it gives.
	 * @param {string} type
	 * @param {object} [fields]
	 */
	post(type, fields = {}) {
		const id = ++this.lastId;
		this.send({type, id, ...fields});
		return id;
	}

	/** @param {number | null} id */
	answer(id) {
		return this.next((message) => message.id === id && (message.type === 'result' || message.type === 'error'));
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

	/** Asks for a share without waiting for it; gives the request's id. */
	postShare() {
		return this.post('share', {sources: ['monitor'], cursor: 'hidden'});
	}

	/**
	 * @param {number} share
	 * @param {object} [fields]
	 */
	open(share, fields = {}) {
		return this.answer(this.postOpen(share, {credit: 4, ...fields}));
	}

	/**
	 * Opens a share without waiting for it; gives the request's id.
	 * @param {number} share
	 * @param {object} [fields]
	 */
	postOpen(share, fields = {}) {
		return this.post('open', {share, codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 0, ...fields});
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
