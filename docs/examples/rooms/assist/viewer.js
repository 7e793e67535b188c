/** One who watches: knocks, and comes back where the server or the way there was lost. */
import { Transfer } from '../files.js';
import { MOST_VIEWERS } from './sharer.js';
import { base64url, memberOf, secret, Side, text } from './side.js';

/** The most that a picture that stands still may have, in bytes. */
const MOST_STILL = 64 * 1024 * 1024;
/** How long a viewer waits for the sharer to come back to the server, and how often they knock meanwhile. */
const RETURNS = { times: 40, everyMs: 1500 };

/** @typedef {import('./side.js').Member} Member */

/**
 * Events: `admitted`, `met` (connected again after a break), `recorders` (as a sharer's), `refused`, `streams`, `still`, `open`, `file` ({channel, nickname}), `members`, `ended` (reason:
 * `left`, `kicked`, `owner-left`, `lost`), `error`.
 */
export class Viewer extends Side {
	sharer = 0;
	pass = '';
	/** @type {any} */
	timer = 0;

	/** @param {string} nickname */
	async knock(nickname) {
		this.nickname = nickname;
		this.person = await personOf(this.room);
		this.listen({
			admitted: (told) => this.#admitted(told),
			refused: () => this.tell('refused'),
			message: ({ from, body }) => from === this.sharer && body?.signal && this.#signal(body),
			left: ({ connection }) => connection === this.sharer && this.tell('ended', 'left'),
			ended: ({ reason }) => this.tell('ended', reason),
			restarted: () => this.#again(RETURNS.times),
		});
		await this.#knock();
	}

	#knock() {
		const { nickname, pass, person, room } = this;
		return this.server.request('knock', { room, nickname, kind: 'data', data: { person, ...(pass && { pass }) } });
	}

	/** The server forgot everybody: one knocks again, until the sharer is back there too. @param {number} times */
	#again(times) {
		clearTimeout(this.timer);
		for (const member of this.members.values()) {
			member.connection = -Math.abs(member.connection);
		}
		this.#knock().catch((error) => {
			if (this.ending.signal.aborted) {
				return;
			}
			if (error.code === 'session-lost') {
				return;
			}
			if (times > 0) {
				this.timer = setTimeout(() => this.#again(times - 1), RETURNS.everyMs);
			} else if (this.host?.peer?.state !== 'connected') {
				this.tell('ended', 'lost');
			}
		});
	}

	/** The one who shares. */
	get host() {
		return [...this.members.values()][0];
	}

	/** @param {any} told */
	#admitted({ members }) {
		const host = members.find((/** @type {any} */ member) => member.kind === 'screen');
		if (!host) {
			this.tell('ended', 'left');
			return;
		}
		const member = this.host;
		this.sharer = host.connection;
		if (member) {
			this.members.clear();
			member.connection = host.connection;
			this.members.set(host.connection, member);
			return;
		}
		this.members.set(host.connection, memberOf(host));
		this.tell('admitted', this.host);
	}

	/** The sharer names the connection; a new one in its place must know the old one's name, as nobody else does. @param {any} body */
	#signal({ signal, link, was }) {
		const member = /** @type {Member} */ (this.host);
		if (link !== member.link) {
			if (typeof link !== 'string' || (member.link && this.pass && was !== member.link)) {
				return;
			}
			member.link = link;
			this.connect(member, true);
			if (was) {
				this.tell('met');
			}
		}
		void member.peer?.receive(signal);
	}

	/** @override @param {Member} member @returns {Record<string, (detail: any) => void>} */
	heard(member) {
		return {
			...super.heard(member),
			streams: (streams) => this.tell('streams', streams),
			state: (state) => {
				// Without a server it may be that the sharer only lost sight of this side.
				if (state === 'closed' && this.server.state === 'connected' && member.connection > 0) {
					this.tell('ended', 'left');
				}
				this.tell('members');
			},
			talk: (said) => this.#told(said, member),
			file: (channel) => (channel.label === 'still' ? this.#receiveStill(channel) : this.tell('file', { channel, nickname: member.nickname })),
		};
	}

	/** @param {any} said @param {Member} member */
	#told(said, member) {
		if (said.draw) {
			this.board.apply(said.draw);
		} else if (Array.isArray(said.recorders)) {
			this.tell('recorders', said.recorders.slice(0, MOST_VIEWERS).map((/** @type {any} */ one) => ({ name: text(one?.name), since: performance.now() - (Number(one?.ms) || 0) })));
		} else if (typeof said.open === 'string') {
			this.tell('open', { url: said.open, nickname: member.nickname });
		} else if (said.pass) {
			this.pass = text(said.pass);
			this.by = text(said.by);
		} else if (said.away) {
			this.tell('ended', 'kicked');
		}
	}

	/** @param {RTCDataChannel} channel */
	#receiveStill(channel) {
		const transfer = new Transfer(channel);
		transfer.addEventListener('change', () => {
			if (transfer.state === 'offered' && transfer.name) {
				if (transfer.size <= MOST_STILL) {
					transfer.accept();
				} else {
					transfer.decline();
				}
			} else if (transfer.blob) {
				this.still = { name: transfer.name, blob: transfer.blob };
				this.tell('still');
			}
		});
	}

	/** @param {any} change */
	change(change) {
		this.board.apply(structuredClone(change));
		this.host?.peer?.talk({ draw: change });
	}

	/** @param {'freeze' | 'thaw'} ask */
	ask(ask) {
		this.host?.peer?.talk({ ask });
	}

	/** Tells that this side records, or has stopped. @param {boolean} on */
	record(on) {
		this.host?.peer?.talk({ recording: on });
	}

	/** @param {string} url */
	openPage(url) {
		this.host?.peer?.talk({ open: url });
	}

	/** @override */
	end() {
		clearTimeout(this.timer);
		super.end();
	}
}

/**
 * By this a sharer recognizes a browser that they sent away; in another room it is another one.
 * @param {string} room
 */
async function personOf(room) {
	let own = secret();
	try {
		own = localStorage.getItem('portlight-person') ?? own;
		localStorage.setItem('portlight-person', own);
	} catch {
		// Without a store it holds as long as the page.
	}
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${own} ${room}`));
	return base64url(new Uint8Array(digest).slice(0, 16));
}
