/**
 * The client of portlight-host: one native port, opened when it is needed and closed when nothing needs it any more, so
 * that the host's process lives exactly as long as something is asked for or shared. It connects only on demand, so a
 * host that is not installed is never tried in a loop. docs/PROTOCOL.md has the messages.
 */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';

export const HOST_NAME = 'org.portlight.host';
export const PROTOCOL = 1;
const HELLO_MS = 10_000;
const STOP_MS = 1_000;

/**
 * @typedef {{type: 'frame', seq: number, part: number, parts: number, data: string, key?: boolean, width?: number,
 *   height?: number, pts?: number}} FrameMessage
 * @typedef {{protocol: number, version: string, supports: string[], portal: number}} Hello
 * @typedef {{maxFps?: number, maxKbps?: number, maxWidth?: number, maxHeight?: number}} Settings
 * @typedef {{codec: string, maxFps: number, maxKbps: number, credit: number, maxWidth?: number, maxHeight?: number,
 *   fidelity?: string}} OpenOptions
 * @typedef {{codec: string, width: number, height: number, chroma?: string}} Opened
 * @typedef {{type: string, resolve: (result: any) => void, reject: (failure: Failure) => void}} Pending
 */

/** One share that the person granted, until it ended. */
export class HostShare {
	#host;
	/** @type {((frame: FrameMessage) => void) | null} */
	onFrame = null;
	/** @type {((failure: Failure) => void) | null} called once, whoever ended it */
	onEnded = null;
	/** @type {Failure | null} why it ended */
	ended = null;

	/**
	 * @param {NativeHost} host
	 * @param {{share: number, surface: string, width: number, height: number}} granted
	 * @param {string[]} supports what the host's hello named
	 */
	constructor(host, granted, supports) {
		this.#host = host;
		this.supports = supports;
		this.id = granted.share;
		this.surface = granted.surface;
		this.width = granted.width;
		this.height = granted.height;
	}

	/**
	 * @param {OpenOptions} options
	 * @returns {Promise<Opened>}
	 */
	open(options) {
		return this.#host.request('open', { share: this.id, ...options });
	}

	/** @param {number} frames */
	credit(frames) {
		this.#host.notify('credit', { share: this.id, frames });
	}

	/** @param {Settings} settings what is to change */
	configure(settings) {
		this.#host.notify('configure', { share: this.id, ...settings });
	}

	keyframe() {
		this.#host.notify('keyframe', { share: this.id });
	}

	/** Ends it. A host that does not answer in time is let go of, which ends it too. */
	async stop() {
		if (this.ended) {
			return;
		}
		const timer = setTimeout(() => this.#host.close('The host did not stop a share in time.'), STOP_MS);
		try {
			await this.#host.request('stop', { share: this.id });
		} catch {
			// Whatever the host objects to, the share is over: it ended by itself, or the port is gone.
		} finally {
			clearTimeout(timer);
		}
		this.#host.endShare(this.id, new Failure('stopped'));
	}
}

export class NativeHost {
	/** @type {chrome.runtime.Port | null} */
	#port = null;
	/** @type {Promise<Hello> | null} */
	#hello = null;
	/** @type {string[]} */
	#supports = [];
	/** @type {Map<number, Pending>} */
	#pending = new Map();
	/** @type {Map<number, HostShare>} */
	#shares = new Map();
	/** Calls under way that need the connection. */
	#users = 0;
	#heard = false;
	/** @type {Failure | null} the host's last word, when it was an error of no request: why it then goes */
	#complaint = null;
	#nextId = 1;

	/**
	 * Sends a request and returns its answer; rejects with a Failure.
	 *
	 * @param {string} type
	 * @param {object} fields
	 * @param {AbortSignal} [signal] cancels it; it then ends as the host says
	 */
	async request(type, fields, signal) {
		const id = this.#takeId();
		const cancel = () => this.notify('cancel', { request: id });
		this.#users++;
		try {
			await this.#greeted();
			if (signal?.aborted) {
				throw new Failure('cancelled');
			}
			signal?.addEventListener('abort', cancel);
			return await this.#send(type, { id, ...fields });
		} finally {
			signal?.removeEventListener('abort', cancel);
			this.#users--;
			this.#releaseWhenIdle();
		}
	}

	/** What the host says of itself, without holding on to it. */
	async status() {
		this.#users++;
		try {
			return await this.#greeted();
		} finally {
			this.#users--;
			this.#releaseWhenIdle();
		}
	}

	/**
	 * Asks the desktop's own dialog.
	 *
	 * @param {{sources: string[], cursor: string}} what
	 * @param {AbortSignal} [signal]
	 * @returns {Promise<HostShare>}
	 */
	share(what, signal) {
		return this.request('share', what, signal);
	}

	/**
	 * Sends what has no answer; does nothing without a connection.
	 *
	 * @param {string} type
	 * @param {object} fields
	 */
	notify(type, fields) {
		this.#port?.postMessage({ type, ...fields });
	}

	/**
	 * Lets go of the host, and with it of everything that it does for us.
	 *
	 * @param {string} reason
	 */
	close(reason) {
		this.#port?.disconnect();
		this.#lost(new Failure('host-crashed', reason));
	}

	/**
	 * @param {number} id
	 * @param {Failure} failure
	 */
	endShare(id, failure) {
		const share = this.#shares.get(id);
		if (share) {
			this.#shares.delete(id);
			share.ended = failure;
			share.onEnded?.(failure);
		}
		this.#releaseWhenIdle();
	}

	/** Connects when there is no connection yet. */
	#greeted() {
		this.#hello ??= this.#connect();
		return this.#hello;
	}

	/** @returns {Promise<Hello>} */
	async #connect() {
		let port;
		try {
			port = ext.runtime.connectNative(HOST_NAME);
		} catch (error) {
			this.#hello = null;
			throw new Failure('host-missing', String(error));
		}
		this.#port = port;
		this.#heard = false;
		this.#complaint = null;
		port.onMessage.addListener((message) => this.#receive(port, message));
		port.onDisconnect.addListener(() => this.#disconnected(port));
		const timer = setTimeout(() => this.close('The host did not answer in time.'), HELLO_MS);
		try {
			const hello = await this.#send('hello', { id: this.#takeId(), protocol: PROTOCOL });
			if (hello.protocol !== PROTOCOL) {
				throw new Failure('version-mismatch', `protocol ${hello.protocol}, host ${hello.version}`);
			}
			this.#supports = hello.supports;
			return hello;
		} catch (error) {
			this.#port?.disconnect();
			this.#lost(Failure.from(error));
			throw error;
		} finally {
			clearTimeout(timer);
		}
	}

	#takeId() {
		const id = this.#nextId;
		this.#nextId = id < 0x7fffffff ? id + 1 : 1;
		return id;
	}

	/**
	 * @param {string} type
	 * @param {{id: number, [field: string]: unknown}} fields
	 * @returns {Promise<any>}
	 */
	#send(type, fields) {
		return new Promise((resolve, reject) => {
			if (!this.#port) {
				reject(new Failure('host-crashed'));
				return;
			}
			this.#pending.set(fields.id, { type, resolve, reject });
			this.#port.postMessage({ type, ...fields });
		});
	}

	/**
	 * @param {chrome.runtime.Port} port
	 * @param {any} message
	 */
	#receive(port, message) {
		if (port !== this.#port) {
			return;
		}
		this.#heard = true;
		this.#complaint = null;
		switch (message.type) {
		case 'frame':
			this.#shares.get(message.share)?.onFrame?.(message);
			break;
		case 'ended':
			this.endShare(message.share, Failure.fromHost(message));
			break;
		case 'result':
			this.#settle(message, (pending) => pending.resolve(this.#resultOf(pending, message)));
			break;
		case 'error':
			if (message.id === null) {
				this.#objection(Failure.fromHost(message));
			} else {
				this.#settle(message, (pending) => pending.reject(Failure.fromHost(message)));
			}
			break;
		}
	}

	/** @param {Failure} failure */
	#objection(failure) {
		// A credit that crosses the end of its share is nobody's fault.
		if (failure.code !== 'unknown-share') {
			this.#complaint = failure;
			console.error('Portlight: the host objects:', failure.code, failure.detail);
		}
	}

	/**
	 * @param {Pending} pending
	 * @param {any} message
	 */
	#resultOf(pending, message) {
		if (pending.type !== 'share') {
			return message;
		}
		const share = new HostShare(this, message, this.#supports);
		this.#shares.set(share.id, share);
		return share;
	}

	/**
	 * @param {{id: number}} message
	 * @param {(pending: Pending) => void} how
	 */
	#settle(message, how) {
		const pending = this.#pending.get(message.id);
		if (pending) {
			this.#pending.delete(message.id);
			how(pending);
		}
	}

	#releaseWhenIdle() {
		if (this.#port && this.#users === 0 && this.#shares.size === 0) {
			const port = this.#port;
			this.#port = null;
			this.#hello = null;
			port.disconnect();
		}
	}

	/** @param {chrome.runtime.Port & {error?: {message: string}}} port */
	#disconnected(port) {
		const reason = port.error?.message ?? ext.runtime.lastError?.message ?? '';
		if (port === this.#port) {
			const missing = !this.#heard && !/exited|communicating/i.test(reason);
			this.#lost(this.#complaint ?? new Failure(missing ? 'host-missing' : 'host-crashed', reason));
		}
	}

	/** @param {Failure} failure */
	#lost(failure) {
		this.#port = null;
		this.#hello = null;
		const pending = [...this.#pending.values()];
		this.#pending.clear();
		for (const { reject } of pending) {
			reject(failure);
		}
		for (const id of [...this.#shares.keys()]) {
			this.endShare(id, failure);
		}
	}
}
