/**
 * The connection to portlight-host: one native port, opened on demand and closed when nothing uses it, so the host's process
 * lives exactly as long as something is asked for or shared, and a host that isn't installed is never tried in a loop.
 * docs/PROTOCOL.md has the messages.
 */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';

export const HOST_NAME = 'org.portlight.host';
export const PROTOCOL = 1;
/** The host gives the portal one second before it answers without it. */
export const HELLO_MS = 1_800;
/** While an answer is due: after how much silence the host is asked for a sign of life, and how many silent spells may follow. */
const WATCH_MS = 1_000;
const UNANSWERED_MAX = 2;
/** A host that crashed or hung before its first word is started once more: by then the system has read its files. */
const TRIES = 2;
const AGAIN = ['host-crashed', 'host-timeout'];

/**
 * The browsers' words for a host that they couldn't start. No browser tells an extension that it runs in a sandbox: there
 * it doesn't see the manifest, so the host is not found, and `portlight doctor` has to tell why.
 * @type {[RegExp, string][]}
 */
const REASONS = [
	// Chromium: also a program that isn't where the manifest says. Firefox: also a manifest that doesn't name the extension.
	[/not found|no such native application/i, 'host-missing'],
	[/forbidden/i, 'wrong-caller'],
	// Firefox's only word for a program that is missing or can't be run, and for a user who told Ubuntu's portal not to
	// start it for a Snap. In Chromium a program that can't be run has "exited", like one that crashes at once.
	[/failed to start|unexpected error/i, 'host-unusable'],
];

/** @param {string} reason the browser's words */
function codeFor(reason) {
	return REASONS.find(([words]) => words.test(reason))?.[1] ?? 'host-crashed';
}

/**
 * @typedef {{protocol: number, version: string, supports: string[], portal: number, portalCode?: string, pipewire?: boolean, wayland?: boolean}} Hello
 * @typedef {{due: boolean, resolve: (result: any) => void, reject: (failure: Failure) => void}} Pending `due`: the host
 *   answers by itself; a dialog stays open as long as the user likes
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} onHello called each time the host says what it can do
 * @property {(message: any) => void} onMessage called with what answers no request: `frame`, `cursor`, `ended`
 * @property {(failure: Failure) => void} onLost called when the connection is lost
 */

export class NativePort {
	/** @type {chrome.runtime.Port | null} */
	#port = null;
	/** @type {Promise<Hello> | null} */
	#hello = null;
	/** @type {Map<number, Pending>} */
	#pending = new Map();
	/** How many calls and shares need the connection. */
	#users = 0;
	#heard = false;
	/** Whether the host answered this connection's hello. */
	#ready = false;
	/** Whether the host has been silent since the watch last looked. */
	#quiet = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#watching;
	/** @type {Failure | null} the host's last message, if it was an error of no request: the reason why it then ends */
	#complaint = null;
	#nextId = 1;
	#listener;

	/** @param {Listener} listener */
	constructor(listener) {
		this.#listener = listener;
	}

	/** Keeps the connection, once there is one, until release(). */
	hold() {
		this.#users++;
	}

	release() {
		this.#users--;
		if (this.#port && this.#users === 0) {
			const port = this.#port;
			this.#port = null;
			this.#hello = null;
			this.#rest();
			port.disconnect();
		}
	}

	/** Holds the connection while `use` runs. @template Result @param {() => Promise<Result>} use */
	async during(use) {
		this.hold();
		try {
			return await use();
		} finally {
			this.release();
		}
	}

	/**
	 * Sends a request and returns its answer; rejects with a Failure.
	 * @param {string} type @param {object} fields
	 * @param {AbortSignal} [signal] cancels it; then the host says how it ends
	 * @param {(result: any) => unknown} [adopt] turns the result into what is returned, before the next message is handled
	 */
	request(type, fields, signal, adopt) {
		const id = this.#takeId();
		const cancel = () => {
			this.notify('cancel', { request: id });
			this.#expect(id);
		};
		return this.during(async () => {
			try {
				await this.greeted();
				if (signal?.aborted) {
					throw new Failure('cancelled');
				}
				signal?.addEventListener('abort', cancel);
				return await this.#send(type, { id, ...fields }, adopt);
			} finally {
				signal?.removeEventListener('abort', cancel);
			}
		});
	}

	/** What the host says it can do now. @returns {Promise<Hello>} */
	status() {
		const greetedBefore = this.#port !== null && this.#ready;
		return this.during(async () => {
			const hello = await this.greeted();
			return greetedBefore ? this.sayHello() : hello;
		});
	}

	/**
	 * Sends a message that has no answer; does nothing without a connection.
	 * @param {string} type @param {object} fields
	 */
	notify(type, fields) {
		this.#port?.postMessage({ type, ...fields });
	}

	/** Drops the host, which ends everything that it does for us. @param {string} reason */
	close(reason) {
		this.#port?.disconnect();
		this.#lost(new Failure('host-timeout', reason));
	}

	/** The first hello of the connection; connects if there is none. */
	greeted() {
		this.#hello ??= this.#connect();
		return this.#hello;
	}

	/** @returns {Promise<Hello>} */
	async sayHello() {
		const hello = await this.#send('hello', { id: this.#takeId(), protocol: PROTOCOL });
		this.#listener.onHello(hello);
		return hello;
	}

	/** @returns {Promise<Hello>} */
	async #connect() {
		for (let tries = TRIES; ; tries--) {
			try {
				return await this.#greet();
			} catch (error) {
				const failure = Failure.from(error);
				if (tries === 1 || this.#heard || !AGAIN.includes(failure.code)) {
					this.#hello = null;
					throw failure;
				}
			}
		}
	}

	/** @returns {Promise<Hello>} */
	async #greet() {
		this.#heard = false;
		this.#ready = false;
		let port;
		try {
			port = ext.runtime.connectNative(HOST_NAME);
		} catch (error) {
			throw new Failure('host-missing', String(error));
		}
		this.#port = port;
		this.#complaint = null;
		port.onMessage.addListener((message) => this.#receive(port, message));
		port.onDisconnect.addListener(() => this.#disconnected(port));
		const timer = setTimeout(() => this.close('The host did not answer in time.'), HELLO_MS);
		try {
			const hello = await this.sayHello();
			if (hello.protocol !== PROTOCOL) {
				throw new Failure('version-mismatch', `protocol ${hello.protocol}, host ${hello.version}`);
			}
			this.#ready = true;
			return hello;
		} catch (error) {
			this.#port?.disconnect();
			this.#lost(Failure.from(error));
			throw error;
		} finally {
			clearTimeout(timer);
		}
	}

	/** From now on an answer to this request is due. @param {number} id */
	#expect(id) {
		const pending = this.#pending.get(id);
		if (pending) {
			pending.due = true;
			if (this.#ready && this.#watching === undefined) {
				this.#watch();
			}
		}
	}

	/** Stops the watch: a host that has nothing to say is left alone. If it dies, its port is disconnected. */
	#rest() {
		clearTimeout(this.#watching);
		this.#watching = undefined;
	}

	/**
	 * A host that hangs can't say so. Any message is a sign of life, and the host answers a hello at any time.
	 * @param {number} [unanswered] silent spells since it was asked for a sign
	 */
	#watch(unanswered = 0) {
		this.#quiet = true;
		const timer = setTimeout(async () => {
			await ext.runtime.getPlatformInfo(); // While the browser itself is busy, it brings none of the host's messages.
			if (timer !== this.#watching) {
				return;
			}
			if (!this.#quiet) {
				this.#watch();
			} else if (unanswered === UNANSWERED_MAX) {
				this.close('The host no longer answers.');
			} else {
				if (unanswered === 0) {
					this.sayHello().catch(() => {});
				}
				this.#watch(unanswered + 1);
			}
		}, WATCH_MS);
		this.#watching = timer;
	}

	#takeId() {
		const id = this.#nextId;
		this.#nextId = id < 0x7fffffff ? id + 1 : 1;
		return id;
	}

	/**
	 * @param {string} type @param {{id: number, [field: string]: unknown}} fields
	 * @param {(result: any) => unknown} [adopt] @returns {Promise<any>}
	 */
	#send(type, fields, adopt = (result) => result) {
		return new Promise((resolve, reject) => {
			if (!this.#port) {
				reject(new Failure('host-crashed'));
				return;
			}
			this.#pending.set(fields.id, { due: false, resolve: (result) => resolve(adopt(result)), reject });
			this.#port.postMessage({ type, ...fields });
			if (type !== 'share') {
				this.#expect(fields.id);
			}
		});
	}

	/** @param {chrome.runtime.Port} port @param {any} message */
	#receive(port, message) {
		if (port !== this.#port) {
			return;
		}
		this.#heard = true;
		this.#quiet = false;
		this.#complaint = null;
		if (message.type === 'result') {
			this.#take(message.id)?.resolve(message);
		} else if (message.type !== 'error') {
			this.#listener.onMessage(message);
		} else if (message.id === null) {
			this.#objection(Failure.fromHost(message));
		} else {
			this.#take(message.id)?.reject(Failure.fromHost(message));
		}
	}

	/** @param {number} id */
	#take(id) {
		const pending = this.#pending.get(id);
		this.#pending.delete(id);
		if (![...this.#pending.values()].some(({ due }) => due)) {
			this.#rest();
		}
		return pending;
	}

	/** @param {Failure} failure */
	#objection(failure) {
		// A credit that crosses the end of its share is no mistake.
		if (failure.code !== 'unknown-share') {
			this.#complaint = failure;
			console.error('Portlight: the host objects:', failure.code, failure.detail);
		}
	}

	/** @param {chrome.runtime.Port & {error?: {message: string}}} port */
	#disconnected(port) {
		const reason = port.error?.message ?? ext.runtime.lastError?.message ?? '';
		if (port === this.#port) {
			this.#lost(this.#complaint ?? new Failure(this.#heard ? 'host-crashed' : codeFor(reason), reason));
		}
	}

	/** @param {Failure} failure */
	#lost(failure) {
		this.#port = null;
		this.#rest();
		if (this.#ready) {
			this.#hello = null; // Until then #connect() still needs it.
		}
		const pending = [...this.#pending.values()];
		this.#pending.clear();
		pending.forEach(({ reject }) => reject(failure));
		this.#listener.onLost(failure);
	}
}
