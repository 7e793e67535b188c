/**
 * The client of portlight-host: one native port, opened when it is needed and closed when nothing needs it any more, so
 * that the host's process lives exactly as long as something is asked for or shared. It connects only on demand, so a
 * host that is not installed is never tried in a loop. docs/PROTOCOL.md has the messages.
 */
import { Failure, portalFailure } from '../shared/failure.js';
import { ext } from './ext.js';
import { HostShare } from './host-share.js';

export const HOST_NAME = 'org.portlight.host';
export const PROTOCOL = 1;
/** The host gives the portal one second before it answers without. Whoever looks is told by then that it is slow. */
const HELLO_MS = 1_800;
/** How often a host that said nothing since is asked whether it is still there, and how many such spells it has to answer. */
const WATCH_MS = 1_000;
const UNANSWERED_MAX = 2;
/** A host that fell over or hung before it said a word is started once more: what was cold is warm then. */
const TRIES = 2;
const AGAIN = ['host-crashed', 'host-timeout'];

/**
 * What browsers say of a host that they could not start. None tells an extension of a sandbox: there the manifest is not
 * seen, so it is not found, and `portlight doctor` has to tell why.
 *
 * @type {[RegExp, string][]}
 */
const REASONS = [
	// In Chromium also a program that is not where the manifest says; in Firefox also an extension that it does not name.
	[/not found|no such native application/i, 'host-missing'],
	[/forbidden/i, 'wrong-caller'],
	// Firefox's only word for a program that is not there or can't be run, and for a person who told Ubuntu's portal not to
	// start it for a Snap. What can't be run has "exited" in Chromium, as any other that falls over at once.
	[/failed to start|unexpected error/i, 'host-unusable'],
];

/** @param {string} reason the browser's words */
function codeFor(reason) {
	return REASONS.find(([words]) => words.test(reason))?.[1] ?? 'host-crashed';
}

/**
 * @typedef {{type: 'frame', seq: number, part: number, parts: number, data: string, key?: boolean, width?: number,
 *   height?: number, pts?: number, codec?: string}} FrameMessage
 * @typedef {{type: 'cursor', share?: number, visible: boolean, x: number, y: number, width?: number, height?: number,
 *   hotX?: number, hotY?: number, data?: string}} CursorMessage
 * @typedef {{protocol: number, version: string, supports: string[], portal: number, portalCode?: string, pipewire?: boolean, wayland?: boolean}} Hello
 * @typedef {{x: number, y: number, width: number, height: number}} Region
 * @typedef {{maxFps?: number, maxKbps?: number, maxWidth?: number, maxHeight?: number, region?: Region | null}} Settings
 * @typedef {{codec: string, maxFps: number, maxKbps: number, credit: number, maxWidth?: number, maxHeight?: number,
 *   fidelity?: string, region?: Region | null, cursor?: string}} OpenOptions
 * @typedef {{codec: string, width: number, height: number, fullWidth?: number, fullHeight?: number, chroma?: string}} Opened
 * @typedef {{type: string, resolve: (result: any) => void, reject: (failure: Failure) => void}} Pending
 */

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
	/** Whether the host answered the hello of this connection. */
	#ready = false;
	/** Whether it has said nothing since the watch last looked. */
	#quiet = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#watching;
	/** @type {Failure | null} the host's last word, when it was an error of no request: why it then goes */
	#complaint = null;
	#nextId = 1;
	#onHello;

	/** @param {(hello: Hello) => void} [onHello] told each time what the host says of itself */
	constructor(onHello) {
		this.#onHello = onHello;
	}

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

	/** What the host says of itself now, without holding on to it. @returns {Promise<Hello>} */
	async status() {
		const greetedBefore = this.#port !== null && this.#ready;
		this.#users++;
		try {
			const hello = await this.#greeted();
			return greetedBefore ? await this.#sayHello() : hello;
		} finally {
			this.#users--;
			this.#releaseWhenIdle();
		}
	}

	/**
	 * What is remembered of sites; nothing where the host can't remember.
	 *
	 * @returns {Promise<{grants?: {origin: string, since: number, lastUsed: number, surface: string}[]}>}
	 */
	async grants() {
		const { supports } = await this.status();
		return supports.includes('grants') ? this.request('grants', {}) : {};
	}

	/** The status for who can't wait: fails with `host-slow` while the host has not answered. */
	async look() {
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		const slow = new Promise((_, reject) => {
			timer = setTimeout(() => reject(new Failure('host-slow')), HELLO_MS);
		});
		try {
			return /** @type {Hello} */ (await Promise.race([this.status(), slow]));
		} finally {
			clearTimeout(timer);
		}
	}

	/**
	 * Asks the desktop's own dialog.
	 *
	 * @param {{sources: string[], exact?: boolean, cursor: string, multiple?: boolean, origin?: string, remember?: boolean}} what
	 *   `exact`: nothing but these sources, where others are offered if the desktop has none of them; `remember`: keep what is
	 *   chosen for this origin, and share again what is kept; a host that can't asks every time
	 * @param {AbortSignal} [signal]
	 * @param {string[]} [needs] what the host must support for it; else nobody is asked
	 * @returns {Promise<HostShare>}
	 */
	async share(what, signal, needs = []) {
		this.#users++;
		try {
			const hello = await this.#greeted();
			// A portal that was only being started then is there by now, and with it what it can do.
			const { supports } = portalFailure(hello) && needs.length > 0 ? await this.#sayHello() : hello;
			const lacking = needs.filter((name) => !supports.includes(name));
			if (lacking.length > 0) {
				throw new Failure('not-supported', lacking.join());
			}
			const { origin, remember, exact, ...rest } = what;
			const offered = ['monitor', 'window'].filter((name) => supports.includes(name));
			if (!exact && offered.length > 0 && !rest.sources.some((name) => offered.includes(name))) {
				rest.sources = offered;
			}
			const kept = remember && supports.includes('grants') && { origin, remember };
			const share = await this.request('share', { ...rest, ...kept }, signal);
			[share, ...share.others].forEach((each) => (each.cursor = what.cursor));
			return share;
		} finally {
			this.#users--;
			this.#releaseWhenIdle();
		}
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
		this.#lost(new Failure('host-timeout', reason));
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
			const hello = await this.#sayHello();
			if (hello.protocol !== PROTOCOL) {
				throw new Failure('version-mismatch', `protocol ${hello.protocol}, host ${hello.version}`);
			}
			this.#ready = true;
			this.#watch();
			return hello;
		} catch (error) {
			this.#port?.disconnect();
			this.#lost(Failure.from(error));
			throw error;
		} finally {
			clearTimeout(timer);
		}
	}

	/** @returns {Promise<Hello>} */
	async #sayHello() {
		const hello = await this.#send('hello', { id: this.#takeId(), protocol: PROTOCOL });
		this.#supports = hello.supports;
		this.#onHello?.(hello);
		return hello;
	}

	/**
	 * A host that hangs can't say so. Whatever it says is a sign of life; a dialog that the person takes their time over
	 * does not keep it from answering.
	 *
	 * @param {number} [unanswered] spells of silence since it was asked for a sign
	 */
	#watch(unanswered = 0) {
		const port = this.#port;
		this.#quiet = true;
		this.#watching = setTimeout(async () => {
			await ext.runtime.getPlatformInfo(); // A browser that is busy itself brings nothing of what the host said.
			if (!port || port !== this.#port) {
				return;
			}
			if (!this.#quiet) {
				this.#watch();
			} else if (unanswered === UNANSWERED_MAX) {
				this.close('The host no longer answers.');
			} else {
				if (unanswered === 0) {
					this.#sayHello().catch(() => {});
				}
				this.#watch(unanswered + 1);
			}
		}, WATCH_MS);
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
		this.#quiet = false;
		this.#complaint = null;
		switch (message.type) {
		case 'frame':
			this.#shares.get(message.share)?.onFrame?.(message);
			break;
		case 'cursor':
			this.#shares.get(message.share)?.onCursor?.(message);
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
		const [share, ...others] = [message, ...(message.streams ?? []).slice(1)].map(
			(granted) => new HostShare(this, { restored: message.restored, ...granted }, this.#supports),
		);
		[share, ...others].forEach((each) => this.#shares.set(each.id, each));
		return Object.assign(share, { others });
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
			clearTimeout(this.#watching);
			port.disconnect();
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
		clearTimeout(this.#watching);
		if (this.#ready) {
			this.#hello = null; // Else #connect() still has it.
		}
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
