/**
 * A room in which everyone is connected to everyone. A person has one connection to the room as a camera, which also
 * carries the signals between browsers, and one as a screen. Persons keep their own number when the server forgets us.
 *
 * Events: `people` (somebody came, left or changed), `streams` (`{person, streams}`), `message` (`{person, body}`),
 * `peer` (`{person, peer}`), `muted`, `stopped`, `ended` (reason), `role`, `full` (one's camera was one picture too many), `error`.
 */
import { t } from './language.js';
import { Peer } from './peer.js';

/** As many people as every browser sends its pictures to. */
export const MOST = 6;
/** As many pictures, of cameras and screens, as are sent in a room: every browser sends its own to each of the others. */
export const MOST_PICTURES = 6;

/**
 * @typedef {object} Person
 * @property {string} id their own choice, by which they are known again when the server has forgotten us
 * @property {number} person the server's number for them; 0: they are not back yet
 * @property {string} nickname
 * @property {number} connection of the camera
 * @property {number} screen of the screen, 0 if there is none
 * @property {string} screenStream what it publishes, or ''
 * @property {boolean} owner
 * @property {boolean} away
 * @property {{audio: boolean, video: boolean}} on
 * @property {Peer | null} peer
 */

export class Mesh extends EventTarget {
	/** @type {Map<string, Person>} the others */
	people = new Map();
	me = crypto.randomUUID();
	room = '';
	nickname = '';
	camera = 0;
	screen = 0;
	role = '';
	locked = false;
	/** What is sent to everybody, by kind. @type {Map<import('./peer.js').Kind, {stream: MediaStream, audio: boolean, video: boolean}>} */
	published = new Map();
	/** @type {AbortController | null} */
	listening = null;

	/** @param {import('./server.js').Server} server */
	constructor(server) {
		super();
		this.server = server;
	}

	/** @param {string} room @param {string} nickname @param {MediaStream} stream of the camera, perhaps without tracks */
	async join(room, nickname, stream) {
		Object.assign(this, { room, nickname });
		this.published.set('camera', { stream, ...onOf(stream) });
		this.#listen();
		try {
			await this.#enter();
		} catch (error) {
			this.#forget();
			throw error;
		}
	}

	async #enter() {
		const { room, nickname } = this;
		const answer = await this.server.request('join', { room, nickname, kind: 'camera', data: { person: this.me } });
		this.camera = answer.connection;
		const others = answer.members;
		if (new Set(others.map((/** @type {any} */ { person }) => person)).size >= MOST) {
			await this.server.request('leave', { room, as: this.camera });
			throw new Error(t('This room has {0} people. More than that needs a media server, which this page does not have. Take another room.', MOST));
		}
		Object.assign(this, { role: answer.role, locked: answer.locked });
		this.#keepOnly(new Set(others.map(idOf)));
		others.forEach((/** @type {any} */ member) => this.#meet(member));
		this.#owner(answer.owner);
		this.#checkCamera();
		this.people.forEach((person) => this.#connect(person));
		await this.#publishAgain('camera');
		this.#enterScreen(answer.connection).catch((error) => this.#tell('error', error));
		this.#tell('people');
		this.#tell('role');
	}

	/** The connection for a screen, behind the camera's. @param {number} camera */
	async #enterScreen(camera) {
		const { room, nickname } = this;
		const { connection } = await this.server.request('join', { room, nickname, kind: 'screen', data: { person: this.me } });
		if (this.camera !== camera) {
			// Left meanwhile: nobody would know of this connection.
			await this.server.request('leave', { room, as: connection });
			return;
		}
		this.screen = connection;
		await this.#publishAgain('screen');
		this.#tell('role');
	}

	async leave() {
		const { room, camera, screen } = this;
		this.#forget();
		await Promise.all([screen, camera].filter(Boolean).map((as) => this.server.request('leave', { room, as })));
	}

	/** Throws, in words, where one picture more would be too many. */
	checkPictures() {
		const shown = [...this.people.values()].flatMap(({ on, screenStream }) => [on.video, screenStream]).filter(Boolean).length;
		const mine = [...this.published.values()].filter(({ video }) => video).length;
		if (shown + mine >= MOST_PICTURES) {
			throw new Error(t('This room shows {0} pictures already, the most that go from browser to browser. Somebody must turn off a camera or a screen first.', MOST_PICTURES));
		}
	}

	/** One who comes where the pictures are complete comes without theirs. */
	#checkCamera() {
		const camera = this.published.get('camera');
		if (camera?.video) {
			camera.video = false;
			try {
				this.checkPictures();
				camera.video = true;
			} catch (error) {
				camera.stream.getVideoTracks().forEach((track) => (track.enabled = false));
				this.#tell('full', error);
			}
		}
	}

	/** Sends a stream to everybody, who are and who come. @param {import('./peer.js').Kind} kind @param {MediaStream} stream */
	async publish(kind, stream) {
		this.checkPictures();
		this.published.set(kind, { stream, ...onOf(stream) });
		this.people.forEach(({ peer }) => peer?.add(stream, kind));
		await this.#publishAgain(kind);
	}

	/** @param {import('./peer.js').Kind} kind */
	async unpublish(kind) {
		const published = this.published.get(kind);
		this.published.delete(kind);
		if (published) {
			this.people.forEach(({ peer }) => peer?.remove(published.stream));
			await this.server.request('unpublish', { ...this.#as(kind), stream: published.stream.id });
		}
	}

	/** Says that a microphone or camera went on or off, or that there are more of them. */
	async change() {
		const published = this.published.get('camera');
		if (published) {
			Object.assign(published, onOf(published.stream));
			this.people.forEach(({ peer }) => peer?.add(published.stream, 'camera'));
			const { stream, audio, video } = published;
			await this.server.request('change', { ...this.#as('camera'), stream: stream.id, audio, video });
		}
	}

	/** To everybody, or to one. @param {object} body @param {Person} [person] */
	send(body, person) {
		return this.server.request('send', { ...this.#as('camera'), ...(person && { to: [person.connection] }), body });
	}

	/** @param {Person} person */
	mute(person) {
		return this.server.request('mute', { ...this.#as('camera'), connection: person.connection });
	}

	/** @param {Person} person */
	stop(person) {
		return this.server.request('stop', { ...this.#as('camera'), connection: person.screen, stream: person.screenStream });
	}

	/** With all connections. @param {Person} person */
	kick(person) {
		return this.server.request('kick', { ...this.#as('camera'), connection: person.connection });
	}

	/** @param {boolean} locked */
	async lock(locked) {
		await this.server.request('lock', { ...this.#as('camera'), locked });
		this.locked = locked;
		this.#tell('role');
	}

	/** @param {import('./peer.js').Kind} kind */
	#as(kind) {
		return { room: this.room, as: kind === 'screen' ? this.screen : this.camera };
	}

	/** @param {import('./peer.js').Kind} kind */
	async #publishAgain(kind) {
		const published = this.published.get(kind);
		if (published && this.#as(kind).as) {
			const { stream, audio, video } = published;
			await this.server.request('publish', { ...this.#as(kind), stream: stream.id, audio, video });
		}
	}

	/** @param {number} connection @returns {Person | undefined} */
	#byConnection(connection) {
		return [...this.people.values()].find((person) => person.connection === connection || (person.screen && person.screen === connection));
	}

	#listen() {
		this.listening = new AbortController();
		const { signal } = this.listening;
		/** @type {Record<string, (told: any) => void>} */
		const heard = {
			joined: ({ member }) => {
				const person = this.#meet(member);
				if (this.camera) {
					this.#connect(person);
				}
			},
			left: ({ connection }) => this.#left(connection),
			away: ({ connection }) => this.#change(connection, { away: true }),
			back: ({ connection }) => this.#change(connection, { away: false }),
			published: ({ connection, stream }) => this.#stream(connection, stream),
			changed: ({ connection, stream }) => this.#stream(connection, stream),
			unpublished: (told) => this.#unpublished(told),
			message: ({ from, body }) => this.#message(from, body),
			muted: ({ connection }) => connection === this.camera && this.#tell('muted'),
			locked: ({ locked }) => {
				this.locked = locked;
				this.#tell('role');
			},
			owner: ({ connection }) => this.#owner(connection),
			ended: ({ connection, reason }) => this.#ended(connection, reason),
		};
		for (const [type, act] of Object.entries(heard)) {
			this.server.addEventListener(type, (event) => {
				const { detail } = /** @type {CustomEvent} */ (event);
				if (detail.room === this.room) {
					act(detail);
				}
			}, { signal });
		}
		this.server.addEventListener('restarted', () => {
			Object.assign(this, { camera: 0, screen: 0 });
			// The numbers will be others'.
			this.people.forEach((person) => Object.assign(person, { person: 0, connection: 0, screen: 0, screenStream: '' }));
			this.#enter().catch((error) => this.#tell('error', error));
		}, { signal });
	}

	/**
	 * Whose connection it is, by the server's number. After a restart people are known by their own id, but only those who are not back yet.
	 * @param {any} member @returns {Person | undefined}
	 */
	#known(member) {
		const back = this.people.get(idOf(member));
		return [...this.people.values()].find(({ person }) => person === member.person) ?? (back?.person === 0 ? back : undefined);
	}

	/** @param {any} member */
	#freeId(member) {
		const id = idOf(member);
		return !id || id === this.me || this.people.has(id) ? crypto.randomUUID() : id;
	}

	/** A member is here: a person, or a person's screen. @param {any} member */
	#meet(member) {
		const person = this.#known(member) ?? { id: this.#freeId(member), person: 0, nickname: member.nickname, connection: 0, screen: 0, screenStream: '', owner: false, away: false, on: { audio: false, video: false }, peer: null };
		person.person = member.person;
		person.nickname = member.nickname;
		person[member.kind === 'screen' ? 'screen' : 'connection'] = member.connection;
		person.away = member.away;
		this.people.set(person.id, person);
		member.streams.forEach((/** @type {any} */ stream) => this.#stream(member.connection, stream));
		this.#tell('people');
		return person;
	}

	/** @param {Person} person */
	#connect(person) {
		if (person.peer && person.peer.state !== 'closed') {
			return person.peer;
		}
		const peer = new Peer({
			polite: this.me < person.id,
			ice: () => this.server.ice,
			send: (signal) => this.send({ signal }, person).catch(() => {}),
		});
		person.peer = peer;
		peer.addEventListener('streams', (event) => this.#tell('streams', { person, streams: /** @type {CustomEvent} */ (event).detail }));
		peer.addEventListener('state', () => {
			if (peer.state === 'closed' && !person.person && person.peer === peer) {
				this.#lose(person);
			}
			this.#tell('people');
		});
		peer.addEventListener('error', (event) => this.#tell('error', /** @type {CustomEvent} */ (event).detail));
		for (const [kind, { stream }] of this.published) {
			peer.add(stream, kind);
		}
		this.#tell('peer', { person, peer });
		return peer;
	}

	/** @param {number} from @param {any} body */
	#message(from, body) {
		const person = this.#byConnection(from);
		if (person && body.signal) {
			void this.#connect(person).receive(body.signal);
		} else if (person) {
			this.#tell('message', { person, body });
		}
	}

	/** @param {number} connection @param {any} stream */
	#stream(connection, stream) {
		const person = this.#byConnection(connection);
		if (person?.connection === connection) {
			person.on = { audio: stream.audio, video: stream.video };
		} else if (person) {
			person.screenStream = stream.stream;
		}
		this.#tell('people');
	}

	/** @param {{connection: number, stream: string, reason: string}} told */
	#unpublished({ connection, stream, reason }) {
		const person = this.#byConnection(connection);
		if (person?.screenStream === stream) {
			person.screenStream = '';
			this.#tell('people');
		}
		const mine = [...this.published].find(([, published]) => published.stream.id === stream);
		if (!person && reason === 'stopped' && mine) {
			this.published.delete(mine[0]);
			this.people.forEach(({ peer }) => peer?.remove(mine[1].stream));
			this.#tell('stopped', mine[0]);
		}
	}

	/** @param {number} connection @param {Partial<Person>} values */
	#change(connection, values) {
		Object.assign(this.#byConnection(connection) ?? {}, values);
		this.#tell('people');
	}

	/** @param {number} connection */
	#left(connection) {
		const person = this.#byConnection(connection);
		if (person?.screen === connection) {
			person.screen = 0;
			person.screenStream = '';
		} else if (person) {
			this.#lose(person);
		}
		this.#tell('people');
	}

	/** @param {Person} person */
	#lose(person) {
		this.people.delete(person.id);
		person.peer?.close();
		this.#tell('streams', { person, streams: [] });
	}

	/** Forgets those who did not come back after the server's restart, and whose pictures ended too. @param {Set<string>} here */
	#keepOnly(here) {
		for (const person of this.people.values()) {
			if (!here.has(person.id) && person.peer?.state !== 'connected') {
				this.#lose(person);
			}
		}
	}

	/** @param {number} connection */
	#owner(connection) {
		this.people.forEach((person) => (person.owner = connection !== 0 && [person.connection, person.screen].includes(connection)));
		if (connection && [this.camera, this.screen].includes(connection)) {
			this.role = 'moderator';
			this.#tell('role');
		}
		this.#tell('people');
	}

	/** @param {number} connection @param {string} reason */
	#ended(connection, reason) {
		if (connection === this.screen) {
			this.screen = 0;
			this.#tell('role');
			return;
		}
		const { room, screen } = this;
		this.#forget();
		if (screen) {
			this.server.request('leave', { room, as: screen }).catch(() => {});
		}
		this.#tell('ended', reason);
	}

	#forget() {
		this.listening?.abort();
		this.people.forEach((person) => this.#lose(person));
		this.published.clear();
		Object.assign(this, { camera: 0, screen: 0, room: '', role: '', locked: false });
	}

	/** @param {string} type @param {any} [detail] */
	#tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}

/** What a member says who they are. @param {any} member */
const idOf = (member) => String(member.data?.person ?? '').slice(0, 64);

/** @param {MediaStream} stream */
function onOf(stream) {
	/** @param {string} kind */
	const on = (kind) => stream.getTracks().some((track) => track.kind === kind && track.enabled);
	return { audio: on('audio'), video: on('video') };
}
