/**
 * The connection to portlight-rooms: one session over whichever carrier works, WebSocket or Server-Sent Events with
 * POST. Messages are numbered; when a carrier breaks, the next one goes on where it ended, so nothing is lost or comes
 * twice (docs/ROOMS.md, Protocol).
 *
 * Events: what the server says, by its type; `state` (`connecting`, `connected`, `interrupted`, `over`); `restarted`:
 * the session is a new one, so log in and join again.
 */
import { EventsCarrier, leave, SocketCarrier } from './carriers.js';

/** A carrier that has not brought `welcome` by then is given up, in milliseconds. */
const WELCOME_MS = 6000;
const RETRY_MS = 250;
const RETRY_MOST_MS = 8000;
/** When a server ends, all its clients come back: spread by so much, its backlog takes them. */
const RETRY_SPREAD = 3.5;
/** After so many messages, bytes or milliseconds the server is told what has come. */
const ACK = { messages: 16, bytes: 16 * 1024, ms: 1000 };
/** With these the session is over and another one would fare no better. */
const FINAL = ['version-mismatch', 'replaced'];

/** What the server answered to a request, or said of the session. */
export class ServerError extends Error {
	/** @param {{code: string, message: string, remedy?: string, retryMs?: number}} told */
	constructor({ code, message, remedy = '', retryMs = 0 }) {
		super(message);
		this.code = code;
		this.remedy = remedy;
		this.retryMs = retryMs;
	}
}

const lost = () =>
	new ServerError({ code: 'session-lost', message: 'The server lost this session.', remedy: 'Do it again: a new one has begun.' });

export class Server extends EventTarget {
	state = 'connecting';
	/** As `welcome` gave them. @type {RTCIceServer[]} */
	ice = [];
	/** @type {{session: string, secret: string} | null} */
	session = null;
	/** How often a session went on over another carrier. */
	resumes = 0;
	/** @type {SocketCarrier | EventsCarrier | null} */
	carrier = null;
	/** @type {any} */
	timers = {};
	failures = 0;
	sent = 0;
	received = 0;
	unacknowledged = { messages: 0, bytes: 0 };
	/** @type {{seq: number, text: string}[]} */
	outbox = [];
	ids = 0;
	/** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
	pending = new Map();

	/** @param {{carrier?: 'auto' | 'socket' | 'events'}} [options] */
	constructor({ carrier = 'auto' } = {}) {
		super();
		this.kinds = { auto: [SocketCarrier, EventsCarrier], socket: [SocketCarrier], events: [EventsCarrier] }[carrier];
		this.welcomed = new Promise((resolve) => this.addEventListener('welcome', resolve, { once: true }));
		addEventListener('pagehide', (event) => event.persisted || this.end());
		addEventListener('online', () => this.state === 'interrupted' && this.#open());
		this.#open();
	}

	/** Whether it is a WebSocket or events. */
	get carrierName() {
		return this.carrier?.name ?? '';
	}

	/**
	 * @param {string} type
	 * @param {object} [fields]
	 * @returns {Promise<any>} what the server answered; rejects with a ServerError
	 */
	request(type, fields = {}) {
		if (this.state === 'over') {
			return Promise.reject(lost());
		}
		const id = ++this.ids;
		return new Promise((resolve, reject) => {
			this.pending.set(id, { resolve, reject });
			const seq = ++this.sent;
			const text = JSON.stringify({ type, ...fields, id, seq, ack: this.received });
			this.outbox.push({ seq, text });
			if (this.state === 'connected') {
				this.carrier?.send(text);
				this.#acknowledged();
			}
		});
	}

	/** Ends the session at once, in a gap between two carriers too: nobody waits for its name. */
	end() {
		const bye = JSON.stringify({ type: 'bye' });
		if (this.state === 'connected' && this.carrier instanceof SocketCarrier) {
			this.carrier.send(bye);
		} else if (this.session) {
			void leave(this.session, bye);
		}
		this.#over();
	}

	/** Gives the carrier up for another one; the session goes on. @param {number} [afterMs] */
	reopen(afterMs = 0) {
		this.carrier?.close();
		this.#broken(this.carrier, afterMs);
	}

	#open() {
		this.#clearTimers();
		this.carrier?.close();
		const Kind = this.kinds[this.failures % this.kinds.length];
		const resume = this.session && { resume: { ...this.session, received: this.received } };
		const carrier = new Kind({ type: 'hello', version: 1, ...resume }, this.session, {
			message: (text) => carrier === this.carrier && this.#take(text),
			broken: () => this.#broken(carrier),
		});
		this.carrier = carrier;
		carrier.open();
		this.timers.welcome = setTimeout(() => this.#broken(carrier), WELCOME_MS);
	}

	/** @param {SocketCarrier | EventsCarrier | null} carrier @param {number} [afterMs] */
	#broken(carrier, afterMs) {
		if (carrier !== this.carrier || this.state === 'over') {
			return;
		}
		this.#clearTimers();
		carrier?.close();
		this.carrier = null;
		// One that worked is worth another try; one that never did makes way for the other kind.
		this.failures = this.state === 'connected' ? 0 : this.failures + 1;
		this.#become(this.session ? 'interrupted' : 'connecting');
		const wait = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** Math.floor(this.failures / this.kinds.length));
		const spread = this.failures ? 1 : RETRY_SPREAD;
		this.timers.retry = setTimeout(() => this.#open(), afterMs ?? wait * (0.5 + spread * Math.random()));
	}

	/** @param {string} text */
	#take(text) {
		/** @type {any} */
		let message;
		try {
			message = JSON.parse(text);
		} catch {
			this.reopen();
			return;
		}
		this.#heard(message.ack);
		if (message.seq === undefined) {
			this.#unnumbered(message);
			return;
		}
		if (message.seq <= this.received) {
			return;
		}
		if (message.seq !== this.received + 1) {
			this.reopen();
			return;
		}
		this.received = message.seq;
		this.#owe(text.length);
		this.#deliver(message);
	}

	/** @param {any} message */
	#unnumbered(message) {
		if (message.type === 'welcome') {
			this.#welcome(message);
		} else if (message.type === 'ping') {
			this.pingMs = message.pingMs;
			this.#watch();
			this.#acknowledge();
		} else if (message.type === 'bye') {
			this.#bye(message);
		} else if (message.type === 'error') {
			this.#deliver(message);
		}
	}

	/** @param {any} welcome */
	#welcome({ session, secret, resumed, received = 0, ice = [], pingMs = 4000 }) {
		clearTimeout(this.timers.welcome);
		const first = !this.session;
		this.pingMs = pingMs;
		this.ice = ice;
		this.session = { session, secret };
		this.carrier?.identify(this.session);
		this.#watch();
		if (resumed) {
			this.resumes += 1;
			this.#heard(received);
		} else if (!first) {
			this.#forget();
		}
		this.failures = Math.max(0, this.kinds.indexOf(/** @type {any} */ (this.carrier?.constructor)));
		this.outbox.forEach(({ text }) => this.carrier?.send(text));
		this.#become('connected');
		this.dispatchEvent(new CustomEvent('welcome'));
		if (!resumed && !first) {
			this.dispatchEvent(new CustomEvent('restarted'));
		}
	}

	/** The session is a new one: what was asked in the old one gets no answer. */
	#forget() {
		this.sent = 0;
		this.received = 0;
		this.outbox = [];
		this.unacknowledged = { messages: 0, bytes: 0 };
		const pending = [...this.pending.values()];
		this.pending.clear();
		pending.forEach(({ reject }) => reject(lost()));
	}

	/** @param {any} bye */
	#bye(bye) {
		if (FINAL.includes(bye.code)) {
			this.dispatchEvent(new CustomEvent('refused', { detail: new ServerError(bye) }));
			this.#over();
			return;
		}
		this.reopen(bye.retryMs ?? RETRY_MS);
	}

	/** @param {any} message */
	#deliver(message) {
		const waiting = this.pending.get(message.id);
		if (message.type === 'ok' || message.type === 'error') {
			this.pending.delete(message.id);
			if (message.type === 'ok') {
				waiting?.resolve(message);
			} else if (waiting) {
				waiting.reject(new ServerError(message));
			} else {
				this.dispatchEvent(new CustomEvent('refused', { detail: new ServerError(message) }));
			}
			return;
		}
		if (message.type === 'ice') {
			this.ice = message.ice;
		}
		this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
	}

	/** @param {number | undefined} ack */
	#heard(ack) {
		this.#watch();
		if (ack !== undefined) {
			this.outbox = this.outbox.filter(({ seq }) => seq > ack);
		}
	}

	/** Something always comes in time; where nothing does, the carrier is dead without having said so. */
	#watch() {
		clearTimeout(this.timers.silence);
		if (this.pingMs) {
			this.timers.silence = setTimeout(() => this.reopen(), 2.5 * this.pingMs);
		}
	}

	/** @param {number} bytes */
	#owe(bytes) {
		this.unacknowledged.messages += 1;
		this.unacknowledged.bytes += bytes;
		if (this.unacknowledged.messages >= ACK.messages || this.unacknowledged.bytes >= ACK.bytes) {
			this.#acknowledge();
		} else {
			this.timers.ack ??= setTimeout(() => this.#acknowledge(), ACK.ms);
		}
	}

	#acknowledge() {
		if (this.state === 'connected') {
			this.carrier?.send(JSON.stringify({ type: 'ack', ack: this.received }));
		}
		this.#acknowledged();
	}

	#acknowledged() {
		clearTimeout(this.timers.ack);
		this.timers.ack = null;
		this.unacknowledged = { messages: 0, bytes: 0 };
	}

	#over() {
		this.#clearTimers();
		this.carrier?.close();
		this.carrier = null;
		this.#become('over');
		this.#forget();
	}

	#clearTimers() {
		Object.values(this.timers).forEach((timer) => clearTimeout(timer));
		this.timers = {};
	}

	/** @param {string} state */
	#become(state) {
		if (state !== this.state) {
			this.state = state;
			this.dispatchEvent(new CustomEvent('state', { detail: state }));
		}
	}
}
