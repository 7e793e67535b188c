/**
 * A private room with one who shares and those who watch. The sharer makes it under a name that cannot be guessed and
 * lets in whom they choose; each viewer has a connection to the sharer, and what one draws goes through the sharer to
 * all: in one order, and complete for those who come late.
 */
import { Board } from './annotate.js';
import { Peer } from './peer.js';

/** As many as one browser sends its picture to. */
export const MOST_VIEWERS = 8;

/** @typedef {{connection: number, nickname: string, peer: Peer | null}} Member */

/** What both sides have. */
class Side extends EventTarget {
	board = new Board();
	connection = 0;
	nickname = '';

	/** @param {import('./server.js').Server} server @param {string} room */
	constructor(server, room) {
		super();
		this.server = server;
		this.room = room;
		this.ending = new AbortController();
		/** @type {Map<number, Member>} the others, by connection */
		this.members = new Map();
	}

	/** @param {Record<string, (told: any) => void>} heard by the type of the event */
	listen(heard) {
		for (const [type, act] of Object.entries(heard)) {
			this.server.addEventListener(type, (event) => {
				const { detail } = /** @type {CustomEvent} */ (event);
				if (!detail?.room || detail.room === this.room) {
					act(detail);
				}
			}, { signal: this.ending.signal });
		}
	}

	/** @param {Member} member @param {boolean} polite */
	connect(member, polite) {
		member.peer?.close();
		const peer = new Peer({ polite, ice: () => this.server.ice, send: (signal) => this.#send(member, { signal }) });
		member.peer = peer;
		peer.addEventListener('error', (event) => this.tell('error', /** @type {CustomEvent} */ (event).detail));
		peer.addEventListener('state', () => this.tell('members'));
		return peer;
	}

	/** @param {Member} member @param {object} body */
	#send({ connection }, body) {
		this.server.request('send', { room: this.room, to: [connection], body }).catch(() => {});
	}

	/** @param {string} type @param {any} [detail] */
	tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	end() {
		this.ending.abort();
		this.members.forEach(({ peer }) => peer?.close());
		this.members.clear();
	}
}

/** Events: `members`, `recorders` ({name, since}[], the others who record), `knock` ({knock, nickname}), `knock-gone`, `open` (a URL a viewer asks to open), `ended`, `error`. */
export class Sharer extends Side {
	/** Who records; null is this side. @type {Map<Member | null, {name: string, since: number}>} */
	recorders = new Map();

	/** @param {import('./server.js').Server} server @param {MediaStream} stream */
	constructor(server, stream) {
		super(server, secret());
		this.stream = stream;
	}

	/** @param {string} nickname */
	async open(nickname) {
		this.nickname = nickname;
		this.listen({
			joined: ({ member }) => this.#joined(member),
			left: ({ connection }) => this.#left(connection),
			message: ({ from, body }) => body.signal && this.members.get(from)?.peer?.receive(body.signal),
			knock: (told) => this.tell('knock', told),
			'knock-gone': ({ knock }) => this.tell('knock-gone', knock),
			restarted: () => this.#again(),
			ended: ({ reason }) => this.tell('ended', reason),
		});
		await this.#enter();
	}

	/** The server forgot everybody. The link holds, and whoever watches goes on; their numbers will be others'. */
	#again() {
		for (const member of [...this.members.values()]) {
			this.members.delete(member.connection);
			member.connection = -Math.abs(member.connection);
			this.members.set(member.connection, member);
			member.peer?.addEventListener('state', () => member.peer?.state === 'closed' && this.#left(member.connection));
		}
		this.tell('members');
		this.#enter().catch((error) => this.tell('error', error));
	}

	async #enter() {
		const options = { admit: true, closes: true, role: 'viewer' };
		const answer = await this.server.request('join', { room: this.room, nickname: this.nickname, kind: 'screen', options });
		this.connection = answer.connection;
		const { stream } = this;
		await this.server.request('publish', { room: this.room, stream: stream.id, audio: false, video: true });
	}

	/** @param {number} knock @param {boolean} allowed */
	async admit(knock, allowed) {
		if (allowed && this.members.size >= MOST_VIEWERS) {
			throw new Error(`${MOST_VIEWERS} people watch already. Send one away first.`);
		}
		await this.server.request('admit', { room: this.room, knock, allowed, ...(allowed && { role: 'viewer' }) });
	}

	/** @param {Member} member */
	async kick(member) {
		if (member.connection < 0) {
			member.peer?.close();
			return;
		}
		await this.server.request('kick', { room: this.room, connection: member.connection });
	}

	/** What this side draws, or was told. @param {any} change @param {Member} [by] a viewer */
	change(change, by) {
		const signed = by ? sign(change, String(by.connection), by.nickname) : change;
		if (signed.add) {
			signed.add = { ...signed.add, n: this.board.marks.get(signed.add.id)?.n ?? this.board.count + 1 };
		}
		if (this.board.apply(signed)) {
			// Who drew has its points; of a new mark it needs the place in the order.
			const known = signed.more || signed.pointer ? by : undefined;
			this.#toAll({ draw: signed }, known);
		}
	}

	/** Another track in the stream's place, as after a crop in the page. @param {MediaStreamTrack} track */
	replace(track) {
		this.members.forEach(({ peer }) => peer?.replace(this.stream, track));
	}

	/** Somebody records, or has stopped: everybody is told. @param {boolean} on @param {Member | null} [by] a viewer */
	record(on, by = null) {
		if (on) {
			this.recorders.set(by, { name: by?.nickname ?? this.nickname, since: performance.now() });
		} else if (!this.recorders.delete(by)) {
			return;
		}
		this.members.forEach((member) => this.#tellRecorders(member));
		this.tell('recorders', [...this.recorders].filter(([who]) => who).map(([, recorder]) => recorder));
	}

	/** Those other than oneself. @param {Member} member */
	#tellRecorders(member) {
		const others = [...this.recorders].filter(([who]) => who !== member);
		member.peer?.talk({ recorders: others.map(([, { name, since }]) => ({ name, ms: Math.round(performance.now() - since) })) });
	}

	/** @param {string} url */
	openPage(url) {
		this.#toAll({ open: url });
	}

	async close() {
		this.end();
		await this.server.request('leave', { room: this.room });
	}

	/** @param {object} message @param {Member} [but] */
	#toAll(message, but) {
		this.members.forEach((member) => member !== but && member.peer?.talk(message));
	}

	/** @param {any} joined */
	#joined({ connection, nickname }) {
		// A viewer whom the server forgot has come back under another number.
		/** @type {Member} */
		const member = { connection, nickname, peer: null };
		this.members.set(connection, member);
		const peer = this.connect(member, false);
		peer.add(this.stream, 'screen');
		this.board.everything().forEach((draw) => peer.talk({ draw }));
		if (this.recorders.size) {
			this.#tellRecorders(member);
		}
		peer.addEventListener('talk', (event) => {
			const said = /** @type {CustomEvent} */ (event).detail;
			if (said.draw) {
				this.change(said.draw, member);
			} else if (typeof said.recording === 'boolean') {
				this.record(said.recording, member);
			} else if (typeof said.open === 'string') {
				this.tell('open', { url: said.open, nickname });
			}
		});
		this.tell('members');
	}

	/** @param {number} connection */
	#left(connection) {
		const member = this.members.get(connection);
		member?.peer?.close();
		this.members.delete(connection);
		if (member) {
			this.record(false, member);
		}
		this.tell('members');
	}
}

/** Events: `waiting`, `admitted`, `refused`, `streams`, `recorders` (as a sharer's), `open`, `members`, `ended` (reason), `error`. */
export class Viewer extends Side {
	sharer = 0;

	/** @param {string} nickname */
	async knock(nickname) {
		this.nickname = nickname;
		this.listen({
			admitted: (told) => this.#admitted(told),
			refused: () => this.tell('refused'),
			message: ({ from, body }) => from === this.sharer && body.signal && this.members.get(from)?.peer?.receive(body.signal),
			left: ({ connection }) => connection === this.sharer && this.tell('ended', 'left'),
			ended: ({ reason }) => this.tell('ended', reason),
			restarted: () => this.#again(),
		});
		await this.server.request('knock', { room: this.room, nickname, kind: 'data' });
	}

	/** The server forgot everybody: whoever watches goes on, and knocks when the picture ends. */
	#again() {
		if (this.members.get(this.sharer)?.peer?.state !== 'connected') {
			this.tell('ended', 'lost');
		}
	}

	/** @param {any} told */
	#admitted({ connection, members }) {
		this.connection = connection;
		const host = members.find((/** @type {any} */ member) => member.kind === 'screen');
		if (!host) {
			this.tell('ended', 'left');
			return;
		}
		this.sharer = host.connection;
		const member = { connection: host.connection, nickname: host.nickname, peer: null };
		this.members.set(host.connection, member);
		const peer = this.connect(member, true);
		peer.addEventListener('streams', (event) => this.tell('streams', /** @type {CustomEvent} */ (event).detail));
		peer.addEventListener('state', (event) => /** @type {CustomEvent} */ (event).detail === 'closed' && this.tell('ended', 'left'));
		peer.addEventListener('talk', (event) => {
			const said = /** @type {CustomEvent} */ (event).detail;
			if (said.draw) {
				this.board.apply(said.draw);
			} else if (Array.isArray(said.recorders)) {
				this.tell('recorders', said.recorders.slice(0, MOST_VIEWERS).map((/** @type {any} */ { name, ms }) => ({ name: String(name), since: performance.now() - (Number(ms) || 0) })));
			} else if (typeof said.open === 'string') {
				this.tell('open', { url: said.open, nickname: member.nickname });
			}
		});
		this.tell('admitted', member);
	}

	/** @param {any} change */
	change(change) {
		this.board.apply(structuredClone(change));
		this.members.get(this.sharer)?.peer?.talk({ draw: change });
	}

	/** Tells that this side records, or has stopped. @param {boolean} on */
	record(on) {
		this.members.get(this.sharer)?.peer?.talk({ recording: on });
	}

	/** @param {string} url */
	openPage(url) {
		this.members.get(this.sharer)?.peer?.talk({ open: url });
	}

	async close() {
		this.end();
		await this.server.request('leave', { room: this.room });
	}
}

/** What a viewer says it drew counts as theirs, whatever it says; only the sharer crops. @param {any} change @param {string} by @param {string} name */
function sign({ add, more, remove, pointer }, by, name) {
	return JSON.parse(
		JSON.stringify({
			add: add && { ...add, by, n: undefined },
			more: more && { ...more, by },
			remove,
			pointer: pointer && { ...pointer, by, name },
		}),
	);
}

/** 22 characters of 128 random bits. */
function secret() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
