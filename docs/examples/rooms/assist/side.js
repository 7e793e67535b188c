/**
 * A private room with one who shares and those who watch. The sharer makes it under a name that cannot be guessed and
 * lets in whom they choose; each viewer has a connection to the sharer, and what one draws goes through the sharer to
 * all: in one order, and complete for those who join later. A frozen picture goes the same way, as a file.
 *
 * Who was let in gets a pass for one knock, over that connection. With it the sharer knows them again after the server
 * forgot everybody, and lets them in without asking; who is sent away loses it.
 */
import { Peer } from '../peer.js';
import { Board } from './annotate.js';

/**
 * @typedef {object} Member
 * @property {number} connection below 0: the server forgot them
 * @property {string} by signs their marks, and stays when the number does not
 * @property {string} nickname
 * @property {string} person see `personOf`; empty: not known
 * @property {Peer | null} peer
 * @property {string} link names the peer to its other side alone; empty: not known yet
 * @property {string} pass
 * @property {import('../files.js').Transfer | null} still the picture on its way to them
 */

/** @param {{connection: number, nickname: string, data?: any}} told @returns {Member} */
export const memberOf = ({ connection, nickname, data }) => ({ connection, by: signature(connection), nickname, person: text(data?.person), peer: null, link: '', pass: '', still: null });

/** What both sides have. */
export class Side extends EventTarget {
	board = new Board();
	/** What this side's marks are signed with; empty: not known yet. */
	by = '';
	nickname = '';
	/** The picture that stands still, once it is here; its name is that of the board's `frozen`. @type {{name: string, blob: Blob} | null} */
	still = null;

	/** @param {import('../server.js').Server} server @param {string} room */
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

	/** @param {Member} member @param {boolean} polite @param {string} [was] the link before, for a viewer who comes back */
	connect(member, polite, was) {
		member.peer?.close();
		const { link } = member;
		const reaches = () => this.server.state === 'connected' && member.connection > 0;
		const peer = new Peer({ polite, ice: () => this.server.ice, reaches, send: (signal) => this.#send(member, { signal, was, link }) });
		member.peer = peer;
		for (const [type, act] of Object.entries(this.heard(member))) {
			peer.addEventListener(type, (event) => member.peer === peer && act(/** @type {CustomEvent} */ (event).detail));
		}
		return peer;
	}

	/** What is done on the peer's events. @param {Member} _member @returns {Record<string, (detail: any) => void>} */
	heard(_member) {
		return { error: (error) => this.tell('error', error), state: () => this.tell('members') };
	}

	/** @param {Member} member @param {object} body */
	#send({ connection }, body) {
		if (connection > 0) {
			this.server.request('send', { room: this.room, to: [connection], body }).catch(() => {});
		}
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

	async close() {
		this.end();
		await this.server.request('leave', { room: this.room });
	}
}

/** A text of the other side's, or none. @param {unknown} value */
export const text = (value) => (typeof value === 'string' ? value.slice(0, 64) : '');

/** The number leads, which gives the colour. @param {number} connection */
export const signature = (connection) => `${connection}-${secret()}`;

/** 22 characters of 128 random bits. */
export function secret() {
	return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** @param {Uint8Array} bytes */
export const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
