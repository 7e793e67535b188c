/** What the host does for us: says what it can do, asks the desktop for shares, and runs them. */
import { Failure } from '../shared/failure.js';
import { HELLO_MS, NativePort } from './native-port.js';

/** The host kills a helper that doesn't end within 800 ms. A host that takes longer than this is dropped, with its shares. */
const STOP_MS = 2_500;

/**
 * @typedef {import('./native-port.js').Hello} Hello
 * @typedef {{type: 'frame', seq: number, part: number, parts: number, data: string, key?: boolean, width?: number,
 *   height?: number, pts?: number, codec?: string}} FrameMessage
 * @typedef {{type: 'cursor', share?: number, visible: boolean, x: number, y: number, width?: number, height?: number,
 *   hotX?: number, hotY?: number, data?: string}} CursorMessage
 * @typedef {{x: number, y: number, width: number, height: number}} Region
 * @typedef {{maxFps?: number, maxKbps?: number, maxWidth?: number, maxHeight?: number, region?: Region | null}} Settings
 * @typedef {{codec: string, maxFps: number, maxKbps: number, credit: number, maxWidth?: number, maxHeight?: number,
 *   fidelity?: string, region?: Region | null, cursor?: string}} OpenOptions
 * @typedef {{codec: string, width: number, height: number, fullWidth?: number, fullHeight?: number, chroma?: string}} Opened
 * @typedef {{share: number, surface: string, width: number, height: number, restored?: boolean}} Granted
 */

/** One share that the user granted, until it ended. */
export class HostShare {
	#port;
	/** @type {((frame: FrameMessage) => void) | null} */
	onFrame = null;
	/** @type {((cursor: CursorMessage) => void) | null} if the share was asked for with the cursor `metadata` */
	onCursor = null;
	/** @type {((failure: Failure) => void) | null} called once, whoever ended it */
	onEnded = null;
	/** What it was asked for with: `hidden`, `embedded` or `metadata`. */
	cursor = 'embedded';
	/** @type {HostShare[]} what the user chose beside it, if several were asked for */
	others = [];
	/** @type {Failure | null} why it ended */
	ended = null;

	/** @param {NativePort} port @param {Granted} granted @param {string[]} supports from the host's hello */
	constructor(port, granted, supports) {
		this.#port = port;
		this.supports = supports;
		this.id = granted.share;
		this.surface = granted.surface;
		/** Whether an earlier choice of the user was used: no dialog was shown. */
		this.restored = granted.restored === true;
		this.width = granted.width;
		this.height = granted.height;
		port.hold();
	}

	/** @param {OpenOptions} options @returns {Promise<Opened>} */
	open(options) {
		return this.#port.request('open', { share: this.id, ...options });
	}

	/** @param {number} frames */
	credit(frames) {
		this.#port.notify('credit', { share: this.id, frames });
	}

	/** @param {Settings} settings what is to change */
	configure(settings) {
		this.#port.notify('configure', { share: this.id, ...settings });
	}

	keyframe() {
		this.#port.notify('keyframe', { share: this.id });
	}

	/**
	 * What it costs; for hosts that support `stats`.
	 * @returns {Promise<{cpuMs: number, rssKiB: number, frames: number, bytes: number, codec?: string}>}
	 */
	stats() {
		return this.#port.request('stats', { share: this.id });
	}

	/** Ends it. If the host doesn't answer in time it is dropped, which ends the share too. */
	async stop() {
		if (this.ended) {
			return;
		}
		const timer = setTimeout(() => this.#port.close('The host did not stop a share in time.'), STOP_MS);
		try {
			await this.#port.request('stop', { share: this.id });
		} catch (error) {
			if (!this.ended && Failure.from(error).code !== 'unknown-share') {
				this.#port.close('The host refused to stop a share.');
			}
		} finally {
			clearTimeout(timer);
		}
		this.end(new Failure('stopped'));
	}

	/** It is over. @param {Failure} failure */
	end(failure) {
		if (!this.ended) {
			this.ended = failure;
			this.onEnded?.(failure);
			this.#port.release();
		}
	}
}

export class Host {
	#port;
	/** @type {string[]} */
	#supports = [];
	/** @type {Map<number, HostShare>} */
	#shares = new Map();

	/** @param {(hello: Hello) => void} [onHello] called each time the host says what it can do */
	constructor(onHello) {
		this.#port = new NativePort({
			onHello: (hello) => {
				this.#supports = hello.supports;
				onHello?.(hello);
			},
			onMessage: (message) => this.#receive(message),
			onLost: (failure) => [...this.#shares.keys()].forEach((id) => this.#end(id, failure)),
		});
	}

	/** What the host says it can do now. */
	status() {
		return this.#port.status();
	}

	/** The status for a caller that can't wait: fails with `host-slow` while the host hasn't answered. */
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
	 * What it remembers of sites; nothing if it can't remember.
	 * @returns {Promise<{grants?: {origin: string, since: number, lastUsed: number, surface: string}[]}>}
	 */
	grants() {
		return this.#port.during(async () => {
			const { supports } = await this.status();
			return supports.includes('grants') ? this.#port.request('grants', {}) : {};
		});
	}

	/** Forgets what it remembers of a site. @param {string} origin */
	revoke(origin) {
		return this.#port.request('revoke', { origin });
	}

	/**
	 * Opens the desktop's own dialog.
	 * @param {{sources: string[], exact?: boolean, cursor: string, multiple?: boolean, origin?: string, remember?: boolean}} what
	 *   `exact`: only these sources, even if the desktop has none of them; otherwise it then offers the others. `remember`:
	 *   keep the choice for this origin, and use the one that is kept; a host that can't, asks every time
	 * @param {AbortSignal} [signal] @param {string[]} [needs] what the host must support; otherwise nobody is asked
	 * @returns {Promise<HostShare>}
	 */
	share(what, signal, needs = []) {
		return this.#port.during(async () => {
			// Asked again of a host that runs already: it may hang, and a portal may have started since.
			const { supports } = await this.status();
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
			return this.#port.request('share', { ...rest, ...kept }, signal, (result) => this.#granted(result, what.cursor));
		});
	}

	/** @param {Granted & {streams?: Granted[]}} result @param {string} cursor */
	#granted(result, cursor) {
		const [share, ...others] = [result, ...(result.streams ?? []).slice(1)].map((granted) => {
			const each = new HostShare(this.#port, { restored: result.restored, ...granted }, this.#supports);
			this.#shares.set(each.id, each);
			return Object.assign(each, { cursor });
		});
		return Object.assign(share, { others });
	}

	/** @param {any} message */
	#receive(message) {
		switch (message.type) {
		case 'frame':
			this.#shares.get(message.share)?.onFrame?.(message);
			break;
		case 'cursor':
			this.#shares.get(message.share)?.onCursor?.(message);
			break;
		case 'ended':
			this.#end(message.share, Failure.fromHost(message));
			break;
		}
	}

	/** @param {number} id @param {Failure} failure */
	#end(id, failure) {
		const share = this.#shares.get(id);
		this.#shares.delete(id);
		share?.end(failure);
	}
}
