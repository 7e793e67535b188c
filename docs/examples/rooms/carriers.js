/** What carries a session's messages: each is opened once, and tells when it is broken, once. */

/** @typedef {{message: (text: string) => void, broken: () => void}} Listener */
/** @typedef {{session: string, secret: string}} Session */

export class SocketCarrier {
	name = 'WebSocket';
	/** @type {WebSocket | null} */
	socket = null;

	/** @param {object} hello @param {Session | null} _session @param {Listener} listener */
	constructor(hello, _session, listener) {
		this.hello = hello;
		this.listener = listener;
	}

	open() {
		const url = new URL('/v1/socket', location.href);
		url.protocol = url.protocol.replace('http', 'ws');
		const socket = new WebSocket(url, 'portlight-rooms.1');
		this.socket = socket;
		socket.onopen = () => socket.send(JSON.stringify(this.hello));
		socket.onmessage = ({ data }) => this.listener.message(data);
		socket.onclose = () => this.listener.broken();
	}

	/** @param {Session} _session */
	identify(_session) {}

	/** @param {string} text */
	send(text) {
		if (this.socket?.readyState === WebSocket.OPEN) {
			this.socket.send(text);
		}
	}

	close() {
		if (this.socket) {
			this.socket.onclose = null;
			this.socket.onmessage = null;
			this.socket.close();
		}
	}
}

/** @param {string} path @param {string} body @param {RequestInit} [options] */
async function post(path, body, options) {
	const headers = { 'content-type': 'application/json', ...options?.headers };
	const answer = await fetch(path, { ...options, method: 'POST', headers, body, cache: 'no-store' });
	if (!answer.ok) {
		throw new Error(`${path} answered ${answer.status}`);
	}
	return answer;
}

/** @param {Session | null} session */
const bearer = (session) => ({ authorization: `Bearer ${session?.session}.${session?.secret}` });

/** The last message, whichever carrier the session has, if any. It may outlive the page. @param {Session} session @param {string} text */
export const leave = (session, text) => post('/v1/messages', text, { headers: bearer(session), keepalive: true }).catch(() => {});

/** Messages that a POST may hold. */
const MOST = 64;
const MOST_BYTES = 60_000;

export class EventsCarrier {
	name = 'events';
	/** @type {EventSource | null} */
	source = null;
	closed = false;
	posting = false;
	/** @type {string[]} */
	queue = [];

	/** @param {object} hello @param {Session | null} session @param {Listener} listener */
	constructor(hello, session, listener) {
		this.hello = hello;
		this.session = session;
		this.listener = listener;
	}

	async open() {
		try {
			const answer = await post('/v1/tickets', JSON.stringify(this.hello));
			const { ticket } = await answer.json();
			if (this.closed) {
				return;
			}
			const source = new EventSource(`/v1/events?ticket=${encodeURIComponent(ticket)}`);
			this.source = source;
			source.onmessage = ({ data }) => this.listener.message(data);
			// A ticket serves once: the browser's own second attempt would be refused.
			source.onerror = () => this.#broken();
		} catch {
			this.#broken();
		}
	}

	/** @param {Session} session */
	identify(session) {
		this.session = session;
	}

	/** @param {string} text */
	send(text) {
		this.queue.push(text);
		void this.#flush();
	}

	close() {
		this.closed = true;
		this.source?.close();
	}

	/** One POST at a time, for the order. */
	async #flush() {
		if (this.posting) {
			return;
		}
		this.posting = true;
		try {
			while (this.queue.length && !this.closed) {
				await post('/v1/messages', `[${this.#next().join()}]`, { headers: bearer(this.session) });
			}
		} catch {
			this.#broken();
		} finally {
			this.posting = false;
		}
	}

	#next() {
		let bytes = 0;
		let count = 0;
		while (count < MOST && count < this.queue.length && (bytes += 3 * this.queue[count].length + 1) < MOST_BYTES) {
			count += 1;
		}
		return this.queue.splice(0, Math.max(1, count));
	}

	#broken() {
		if (!this.closed) {
			this.close();
			this.listener.broken();
		}
	}
}
