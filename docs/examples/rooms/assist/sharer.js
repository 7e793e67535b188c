/** The one who shares: makes the room, lets people in, puts what is drawn into one order. */
import { Transfer } from '../files.js';
import { t } from '../language.js';
import { WHOLE } from './annotate.js';
import { memberOf, secret, Side, signature, text } from './side.js';

/** As many as one browser sends its picture to. */
export const MOST_VIEWERS = 8;

/** @typedef {import('./annotate.js').Rect} Rect */
/** @typedef {import('./side.js').Member} Member */

/**
 * Events: `members`, `recorders` ({name, since}[], the others who record), `knock` ({knock, nickname, sentAway: the name under which they were sent away, if they were}),
 * `knock-gone`, `restarted` (all knocks are gone), `freeze` (whose wish it is; answered by `freeze`), `thaw`, `open` (a URL that a viewer asks to open),
 * `file` ({channel, nickname}), `ended`, `error`.
 */
export class Sharer extends Side {
	/** By pass: who may come back. @type {Map<string, Member>} */
	passes = new Map();
	/** By person: under which name they were sent away. @type {Map<string, string>} */
	sentAway = new Map();
	/** Who records; null is this side. @type {Map<Member | null, {name: string, since: number}>} */
	recorders = new Map();
	/** Of the live picture. @type {Rect} */
	crop = WHOLE;

	/** @param {import('../server.js').Server} server @param {MediaStream} stream */
	constructor(server, stream) {
		super(server, secret());
		this.stream = stream;
	}

	/** @param {string} nickname */
	async open(nickname) {
		this.nickname = nickname;
		this.listen({
			joined: ({ member }) => this.#joined(member),
			left: ({ connection, reason }) => this.#left(connection, reason),
			message: ({ from, body }) => this.#signal(from, body),
			knock: (told) => this.#knocked(told),
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
			if (member.peer?.state === 'connecting') {
				this.#forget(member);
			}
		}
		this.tell('restarted');
		this.tell('members');
		this.#enter().catch((error) => this.tell('error', error));
	}

	async #enter() {
		const options = { admit: true, closes: true, role: 'viewer' };
		const answer = await this.server.request('join', { room: this.room, nickname: this.nickname, kind: 'screen', options });
		this.by ||= signature(answer.connection);
		const { stream } = this;
		await this.server.request('publish', { room: this.room, stream: stream.id, audio: false, video: true });
	}

	/** @param {number} from @param {any} body */
	#signal(from, body) {
		const member = this.members.get(from);
		if (member?.peer && member.link === body?.link && body.signal) {
			void member.peer.receive(body.signal);
		}
	}

	/** @param {{knock: number, nickname: string, data?: any, sentAway?: boolean}} told */
	#knocked({ knock, nickname, data, sentAway }) {
		if (this.passes.has(text(data?.pass))) {
			this.admit(knock, true).catch((error) => this.tell('error', error));
			return;
		}
		this.tell('knock', { knock, nickname, sentAway: this.sentAway.get(text(data?.person)) ?? (sentAway ? nickname : undefined) });
	}

	/** @param {number} knock @param {boolean} allowed */
	async admit(knock, allowed) {
		const here = [...this.members.values()].filter(({ connection }) => connection > 0).length;
		if (allowed && here >= MOST_VIEWERS) {
			throw new Error(t('{0} people watch already. Send one away first.', MOST_VIEWERS));
		}
		await this.server.request('admit', { room: this.room, knock, allowed, ...(allowed && { role: 'viewer' }) });
	}

	/** @param {Member} member */
	async kick(member) {
		this.passes.delete(member.pass);
		if (member.person) {
			this.sentAway.set(member.person, member.nickname);
		}
		// The picture stops at once, with or without the server, and the viewer is told directly.
		const { connection, peer } = member;
		member.peer = null;
		peer?.remove(this.stream);
		peer?.talk({ away: true });
		setTimeout(() => peer?.close(), 1000);
		this.#forget(member);
		if (connection > 0) {
			await this.server.request('kick', { room: this.room, connection });
		}
	}

	/** What this side draws, or was told. @param {any} change @param {Member} [by] a viewer */
	change(change, by) {
		const signed = by ? sign(change, by.by, by.nickname) : change;
		if (signed.add) {
			signed.add = { ...signed.add, n: this.board.marks.get(signed.add.id)?.n ?? this.board.count + 1 };
		}
		if (this.board.apply(signed)) {
			// Who drew has its points; of a new mark it needs the place in the order.
			const known = signed.more || signed.pointer ? by : undefined;
			this.#toAll({ draw: signed }, known);
		}
	}

	/** The shown part; a picture that stands still keeps its own. @param {Rect} crop */
	show(crop) {
		this.crop = crop;
		if (!this.board.frozen) {
			this.change({ crop });
		}
	}

	/** One picture for all, until `thaw`; again, with another one. @param {Blob} picture @param {string} name whose wish it is */
	freeze(picture, name) {
		const id = crypto.randomUUID();
		this.still = { name: id, blob: picture };
		this.change({ freeze: { id, name } });
		this.members.forEach((member) => this.#sendStill(member));
	}

	thaw() {
		this.still = null;
		this.members.forEach((member) => this.#sendStill(member));
		this.change({ freeze: null });
		this.change({ crop: this.crop });
	}

	/** @param {Member} member */
	#sendStill(member) {
		member.still?.cancel();
		const { peer } = member;
		const live = this.still && peer && peer.state !== 'closed';
		member.still = live ? new Transfer(peer.pc.createDataChannel('still'), new File([this.still?.blob ?? ''], this.still?.name ?? '')) : null;
	}

	/** Another track in the stream's place, as after a crop in the page. @param {MediaStreamTrack} track */
	async replace(track) {
		await Promise.all([...this.members.values()].map(({ peer }) => peer?.state !== 'closed' && peer?.replace(this.stream, track)));
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

	/** @param {object} message @param {Member} [but] */
	#toAll(message, but) {
		this.members.forEach((member) => member !== but && member.peer?.talk(message));
	}

	/** @param {any} told */
	#joined(told) {
		const joined = memberOf(told);
		const pass = text(told.data?.pass);
		const known = this.passes.get(pass);
		this.passes.delete(pass);
		if (!known) {
			this.members.set(joined.connection, joined);
			this.#meet(joined);
			return;
		}
		// The server or its connection to the viewer forgot them; here they are under another number.
		this.members.delete(known.connection);
		known.connection = joined.connection;
		this.members.set(known.connection, known);
		if (known.peer && known.peer.state !== 'closed') {
			this.#givePass(known);
			if (known.peer.state !== 'connected') {
				known.peer.restart();
			}
		} else {
			this.#meet(known, known.link);
		}
		this.tell('members');
	}

	/** @param {Member} member @param {string} [was] */
	#meet(member, was) {
		member.link = secret();
		const peer = this.connect(member, false, was);
		peer.add(this.stream, 'screen');
		this.board.everything().forEach((draw) => peer.talk({ draw }));
		if (this.recorders.size) {
			this.#tellRecorders(member);
		}
		this.#givePass(member);
		this.#sendStill(member);
		this.tell('members');
	}

	/** @param {Member} member */
	#givePass(member) {
		this.passes.delete(member.pass);
		member.pass = secret();
		this.passes.set(member.pass, member);
		member.peer?.talk({ pass: member.pass, by: member.by });
	}

	/** @override @param {Member} member @returns {Record<string, (detail: any) => void>} */
	heard(member) {
		return {
			...super.heard(member),
			state: (state) => (state === 'closed' && member.connection < 0 ? this.#forget(member) : this.tell('members')),
			talk: (said) => this.#told(said, member),
			file: (channel) => (channel.label === 'file' ? this.tell('file', { channel, nickname: member.nickname }) : channel.close()),
		};
	}

	/** @param {any} said @param {Member} member */
	#told(said, member) {
		if (said.draw) {
			this.change(said.draw, member);
		} else if (typeof said.recording === 'boolean') {
			this.record(said.recording, member);
		} else if (typeof said.open === 'string') {
			this.tell('open', { url: said.open, nickname: member.nickname });
		} else if (said.ask === 'freeze' || said.ask === 'thaw') {
			this.tell(said.ask, member.nickname);
		}
	}

	/** @param {number} connection @param {string} reason */
	#left(connection, reason) {
		const member = this.members.get(connection);
		if (member) {
			// Whose connection to the server was gone too long may come back.
			if (reason !== 'gone') {
				this.passes.delete(member.pass);
			}
			this.#forget(member);
		}
	}

	/** @param {Member} member */
	#forget(member) {
		this.members.delete(member.connection);
		member.peer?.close();
		this.record(false, member);
		this.tell('members');
	}
}

/** What a viewer says it drew counts as theirs, whatever it says; only the sharer crops and freezes. @param {any} change @param {string} by @param {string} name */
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
