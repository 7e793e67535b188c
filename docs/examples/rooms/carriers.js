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

	/** @param {string} text the last message */
	end(text) {
		this.send(text);
		this.close();
	}

	close() {
		if (this.socket) {
			this.socket.onclose = null;
			this.socket.onmessage = null;
			this.socket.close();
		}
	}
}

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
			const answer = await this.#post('/v1/tickets', JSON.stringify(this.hello));
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

	/** @param {string} text */
	end(text) {
		// It may have to outlive the page.
		this.#post('/v1/messages', text, true).catch(() => {});
		this.close();
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
				await this.#post('/v1/messages', `[${this.#next().join()}]`);
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

	/** @param {string} path @param {string} body @param {boolean} [keepalive] */
	async #post(path, body, keepalive = false) {
		/** @type {Record<string, string>} */
		const headers = { 'content-type': 'application/json' };
		if (this.session && path === '/v1/messages') {
			headers.authorization = `Bearer ${this.session.session}.${this.session.secret}`;
		}
		const answer = await fetch(path, { method: 'POST', headers, body, keepalive, cache: 'no-store' });
		if (!answer.ok) {
			throw new Error(`${path} answered ${answer.status}`);
		}
		return answer;
	}

	#broken() {
		if (!this.closed) {
			this.close();
			this.listener.broken();
		}
	}
}
