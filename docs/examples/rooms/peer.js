/**
 * One connection from browser to browser, by perfect negotiation: either side may add and remove tracks at any time,
 * both at once too. It does not know how its messages travel: `send` takes a signal, and what the other side sent comes
 * in by `receive`, in order. Which stream is a camera and which a screen, the two tell each other themselves, over the
 * channel for talk.
 *
 * Events: `streams` (what the other side sends now), `state` (`connecting`, `connected`, `interrupted`, `closed`),
 * `talk` (a JSON message of the other side), `open` (talk can be sent), `file` (a data channel for a file), `error`.
 */
import { t } from './language.js';

/** How long a connection may be interrupted before it looks for another path, in milliseconds. */
const PATIENCE_MS = 3000;

export const NO_PATH = t('No path between the two browsers was found. Where both are behind firewalls a relay (TURN) is needed: ask whoever runs this server.');

/** STUN's codes for a user or password that is not good. */
const REFUSALS = [401, 403, 441];

/** How long the other side's turn lasts, if no offer comes of it, in milliseconds. */
const TURN_MS = 5000;

/** `?relay` in the page's address: no other path than the relay, which also hides each side's address from the other. */
const relayOnly = new URLSearchParams(location.search).has('relay');

/** @typedef {'camera' | 'screen'} Kind */
/** `restart`: the other side is asked to look for another path. @typedef {{description?: RTCSessionDescriptionInit, candidate?: RTCIceCandidateInit | null, restart?: boolean}} Signal */

export class Peer extends EventTarget {
	/**
	 * @param {object} options
	 * @param {boolean} options.polite whether this side gives way when both offer at once, and waits for the first offer; exactly one of the two is
	 * @param {(signal: Signal) => void} options.send
	 * @param {() => RTCIceServer[]} [options.ice] the servers as they are now; asked again for each look for paths, since relays' credentials end
	 * @param {() => boolean} [options.reaches] whether what is sent now reaches the other side; where it may not, call `restart` once it does
	 */
	constructor({ polite, send, ice = () => [], reaches = () => true }) {
		super();
		this.reaches = reaches;
		this.polite = polite;
		this.send = send;
		this.ice = ice;
		this.servers = ice();
		this.state = 'connecting';
		/** A relay did not take this side's password, which was told. */
		this.refused = false;
		/** What is sent, by the stream's id. @type {Map<string, {stream: MediaStream, kind: Kind, senders: Map<MediaStreamTrack, RTCRtpSender>}>} */
		this.sent = new Map();
		/** What comes, by the stream's id. @type {Map<string, MediaStream>} */
		this.heard = new Map();
		/** What the other side says of its streams. @type {Record<string, Kind>} */
		this.kinds = {};
		/** Polite: it asked for its turn. Not polite: the other side has it, or waits for it. */
		this.turn = { asked: false, given: false, owed: false };
		/** How often both offered at once. */
		this.glares = 0;
		this.offering = false;
		/** The other side's last description, as it was sent: Chromium replaces the user name of `o=`. @type {RTCSessionDescriptionInit | null} */
		this.described = null;
		/** Another path is looked for, and the other side has not answered yet. */
		this.mending = false;
		/** The offer of another path is not sent before it has a candidate; see `mends`. */
		this.holding = false;
		this.ignoring = false;
		this.queue = Promise.resolve();
		/** What was said before the channel was open, as it was then. @type {string[]} */
		this.unsaid = [];
		/** @type {any} */
		this.timer = 0;
		/** @type {any} */
		this.turnTimer = 0;

		this.pc = new RTCPeerConnection({ iceServers: this.servers, iceTransportPolicy: relayOnly ? 'relay' : 'all' });
		this.channel = this.pc.createDataChannel('talk', { negotiated: true, id: 0 });
		this.channel.onmessage = ({ data }) => this.#heardTalk(data);
		this.channel.onopen = () => {
			this.#tellKinds();
			this.unsaid.splice(0).forEach((text) => this.channel.send(text));
			this.#tell('open');
		};
		// The other side closed, or its browser did.
		this.channel.onclose = () => this.#become('closed');
		this.pc.onnegotiationneeded = () => this.#offer();
		this.pc.onicecandidate = ({ candidate }) => this.#found(candidate);
		this.pc.onicecandidateerror = (event) => this.#relayFailed(event);
		this.pc.onconnectionstatechange = () => this.#stateChanged();
		this.pc.ontrack = ({ streams: [stream] }) => stream && this.heard.set(stream.id, stream);
		this.pc.ondatachannel = ({ channel }) => this.#tell('file', channel);
		this.restart = this.restart.bind(this);
		addEventListener('online', this.restart);
	}

	/** Sends a stream's tracks from now on; again, when it has got more of them. @param {MediaStream} stream @param {Kind} kind */
	add(stream, kind) {
		const { senders } = this.sent.get(stream.id) ?? { senders: new Map() };
		this.sent.set(stream.id, { stream, kind, senders });
		for (const track of stream.getTracks()) {
			if (!senders.has(track)) {
				hint(track, kind);
				senders.set(track, this.pc.addTrack(track, stream));
			}
		}
		this.#tellKinds();
	}

	/** @param {MediaStream} stream */
	remove(stream) {
		const sent = this.sent.get(stream.id);
		this.sent.delete(stream.id);
		if (this.pc.signalingState !== 'closed') {
			sent?.senders.forEach((sender) => this.pc.removeTrack(sender));
			this.#tellKinds();
		}
	}

	/** Sends another track of the same kind in a track's place, without a word to the other side. @param {MediaStream} stream @param {MediaStreamTrack} track */
	async replace(stream, track) {
		const { senders = new Map(), kind = 'camera' } = this.sent.get(stream.id) ?? {};
		hint(track, kind);
		for (const [old, sender] of senders) {
			if (old.kind === track.kind && old !== track) {
				senders.delete(old);
				senders.set(track, sender);
				await sender.replaceTrack(track);
			}
		}
	}

	/** Says something to the other side's page; kept until that can be. @param {object} message */
	talk(message) {
		const text = JSON.stringify(message);
		if (this.channel.readyState === 'open') {
			this.channel.send(text);
		} else if (this.channel.readyState === 'connecting') {
			this.unsaid.push(text);
		}
	}

	/** Takes what the other side's `send` was given. One at a time: a candidate waits for its description. @param {Signal} signal */
	receive(signal) {
		this.queue = this.queue.then(() => this.#take(signal)).catch((error) => this.#tell('error', error));
		return this.queue;
	}

	/** Looks for another path (ICE restart), as after a change of the network. */
	restart() {
		if (this.pc.signalingState !== 'closed' && this.state !== 'connecting' && this.reaches()) {
			if (this.mends) {
				this.mending = true;
				this.pc.restartIce();
			} else {
				this.send({ restart: true });
			}
		}
	}

	/**
	 * Whether this side offers another path. Between Firefox and Chromium it is Firefox. Until Chromium knows a new candidate of
	 * the other side, it pairs its new ports with the old ones. It may select such a pair, and Firefox drops what arrives by
	 * it: the picture freezes. An offer of Firefox's brings a new candidate along; to an offer of its own Chromium would get
	 * one too late. Besides, Firefox answers that offer with the wrong DTLS role where Chromium did not make the first one.
	 */
	get mends() {
		const [mine, theirs] = [this.pc.localDescription, this.described].map((made) => /^o=mozilla/m.test(made?.sdp ?? ''));
		return mine === theirs ? !this.polite : mine;
	}

	close() {
		removeEventListener('online', this.restart);
		clearTimeout(this.timer);
		clearTimeout(this.turnTimer);
		this.channel.onclose = null;
		this.pc.onconnectionstatechange = null;
		this.pc.onicecandidate = null;
		this.pc.onnegotiationneeded = null;
		this.pc.close();
		this.#become('closed');
	}

	/** What is looked for from now on is looked for with these. */
	#renewServers() {
		if (this.servers !== this.ice()) {
			this.servers = this.ice();
			this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: this.servers });
		}
	}

	/** Told while there is no path yet: with one it does not matter. @param {RTCPeerConnectionIceErrorEvent} event */
	#relayFailed({ errorCode, url }) {
		if (this.state === 'connecting' && REFUSALS.includes(errorCode)) {
			this.refused = true;
			this.#tell('error', {
				message: t('The relay {0} refused what this server gave as user and password ({1}).', url, errorCode),
				remedy: t('Whoever runs the server compares turn-secret-file with coturn’s static-auth-secret, and the clocks of the two.'),
			});
		}
	}

	/** @param {RTCIceCandidate | null} candidate null: there are no others */
	#found(candidate) {
		if (this.holding) {
			this.holding = false;
			this.#describe();
		}
		this.send({ candidate: candidate?.toJSON() ?? null });
	}

	#describe() {
		// None: an offer of this side was undone by the other's, which is answered instead.
		if (this.pc.localDescription) {
			this.send({ description: this.pc.localDescription.toJSON() });
		}
	}

	#tellKinds() {
		if (this.channel.readyState === 'open') {
			this.talk({ kinds: Object.fromEntries([...this.sent].map(([id, { kind }]) => [id, kind])) });
		}
	}

	async #offer() {
		// The first offer is the other side's: Chromium loses the channel when it takes its own first offer back.
		if (this.polite && !this.pc.remoteDescription) {
			return;
		}
		if (this.polite && !this.mending) {
			this.#askTurn();
		} else if (!this.turn.given) {
			await this.#makeOffer();
			this.#giveTurn();
		}
	}

	/**
	 * Once connected, the polite side asks before it offers. Perfect negotiation would take an offer back where two
	 * cross, but Chromium 156 then refuses Firefox's: it still has its own extensions' ids and DTLS role in mind. Where the
	 * path is gone the question waits in the channel, and the other side, which has lost it too, offers another path.
	 */
	#askTurn() {
		if (!this.turn.asked) {
			this.turn.asked = true;
			this.talk({ turn: 'ask' });
		}
	}

	#giveTurn() {
		const { turn, pc } = this;
		if (turn.owed && !this.offering && pc.signalingState === 'stable') {
			Object.assign(turn, { owed: false, given: true });
			this.talk({ turn: 'yours' });
			clearTimeout(this.turnTimer);
			this.turnTimer = setTimeout(() => this.#endTurn(), TURN_MS);
		}
	}

	#endTurn() {
		clearTimeout(this.turnTimer);
		if (this.turn.given) {
			this.turn.given = false;
			// What waited meanwhile; an offer without news does no harm.
			void this.#offer();
		}
	}

	/** @param {string} said */
	#heardTurn(said) {
		if (said === 'ask' && !this.polite) {
			this.turn.owed = true;
			this.#giveTurn();
		} else if (said === 'yours' && this.polite && this.turn.asked) {
			this.turn.asked = false;
			void this.#makeOffer();
		}
	}

	async #makeOffer() {
		try {
			this.offering = true;
			this.#renewServers();
			await this.pc.setLocalDescription();
			this.holding = this.mending && !/^a=candidate:/m.test(this.pc.localDescription?.sdp ?? '');
			if (!this.holding) {
				this.#describe();
			}
		} catch (error) {
			// Between the two lines the other side's offer came first: it is answered instead.
			if (this.pc.signalingState === 'stable') {
				this.#tell('error', error);
			}
		} finally {
			this.offering = false;
		}
	}

	/** @param {Signal} signal */
	async #take({ description, candidate, restart }) {
		if (this.pc.signalingState === 'closed') {
			return;
		}
		if (restart) {
			// Both sides may notice that the path is gone.
			if (!this.mending) {
				this.restart();
			}
			return;
		}
		if (description) {
			const glare = description.type === 'offer' && (this.offering || this.pc.signalingState !== 'stable');
			this.glares += Number(glare);
			this.ignoring = glare && !this.polite;
			if (this.ignoring) {
				return;
			}
			this.holding = false;
			this.described = description;
			await this.pc.setRemoteDescription(description);
			this.#sort();
			if (description.type === 'offer') {
				this.#renewServers();
				await this.pc.setLocalDescription();
				this.#describe();
				clearTimeout(this.turnTimer);
				this.turn.given = false;
			} else {
				this.mending = false;
			}
			this.#giveTurn();
			return;
		}
		try {
			await this.pc.addIceCandidate(candidate ?? undefined);
		} catch (error) {
			// Those of an offer that was ignored belong to nothing.
			if (!this.ignoring) {
				throw error;
			}
		}
	}

	/** Tells what comes now, as far as it is known what it is. */
	#sort() {
		for (const [id, stream] of this.heard) {
			if (!stream.getTracks().length) {
				this.heard.delete(id);
			}
		}
		this.#tell('streams', this.streams());
	}

	/** @returns {{stream: MediaStream, kind: Kind}[]} */
	streams() {
		return [...this.heard.values()].filter(({ id }) => id in this.kinds).map((stream) => ({ stream, kind: this.kinds[stream.id] }));
	}

	#stateChanged() {
		const { connectionState } = this.pc;
		clearTimeout(this.timer);
		if (connectionState === 'connected') {
			this.#become('connected');
			this.#showAgain();
		} else if (connectionState === 'disconnected') {
			this.#become('interrupted');
			this.timer = setTimeout(this.restart, PATIENCE_MS);
		} else if (connectionState === 'failed') {
			if (this.state === 'connecting' && !this.refused) {
				this.#tell('error', new Error(NO_PATH));
			}
			this.#become('interrupted');
			this.restart();
		}
	}

	/**
	 * A screen where nothing moves has no new picture for an encoder that did not send while there was no path. Where
	 * constraints are applied, even the same ones, Portlight shows the last picture a few times in short order.
	 */
	#showAgain() {
		for (const { stream, kind } of this.sent.values()) {
			const [track] = kind === 'screen' ? stream.getVideoTracks() : [];
			track?.applyConstraints(track.getConstraints()).catch(() => {});
		}
	}

	/** @param {string} state */
	#become(state) {
		if (state !== this.state) {
			this.state = state;
			this.#tell('state', state);
		}
	}

	/** @param {string} data */
	#heardTalk(data) {
		let said;
		try {
			said = JSON.parse(data);
		} catch (error) {
			this.#tell('error', error);
			return;
		}
		if (said.kinds) {
			this.kinds = said.kinds;
			this.#sort();
		} else if (said.turn) {
			this.#heardTurn(said.turn);
		} else {
			this.#tell('talk', said);
		}
	}

	/** @param {string} type @param {any} [detail] */
	#tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}

/** Of a screen, sharp pictures are worth more than many. @param {MediaStreamTrack} track @param {Kind} kind */
function hint(track, kind) {
	if (kind === 'screen' && 'contentHint' in track) {
		track.contentHint = 'detail';
	}
}

/**
 * What the two sides send by now, as getStats() has it: `pair` with its two candidates.
 * @param {RTCPeerConnection} pc
 * @param {any[]} [stats]
 */
export async function path(pc, stats) {
	stats ??= [...(await pc.getStats()).values()];
	/** @param {string} id */
	const byId = (id) => stats.find((entry) => entry.id === id);
	const transport = stats.find(({ type }) => type === 'transport');
	const pair = byId(transport?.selectedCandidatePairId) ?? stats.find((entry) => entry.type === 'candidate-pair' && (entry.selected || (entry.nominated && entry.state === 'succeeded')));
	return pair && { pair, local: byId(pair.localCandidateId) ?? {}, remote: byId(pair.remoteCandidateId) ?? {} };
}

/** How an end of a path was found. @type {Record<string, string>} */
const ends = { host: t('its own address'), srflx: t('its address outside (STUN)'), prflx: t('an address seen by the other side'), relay: t('a relay') };

/**
 * What a connection is like now, in a person's words.
 * @param {RTCPeerConnection} pc
 * @returns {Promise<[string, string][]>}
 */
export async function quality(pc) {
	const stats = [...(await pc.getStats()).values()];
	/** @type {[string, string][]} */
	const lines = [];
	const used = await path(pc, stats);
	if (used) {
		const { pair, local, remote } = used;
		const relayed = [local, remote].some(({ candidateType }) => candidateType === 'relay');
		const protocol = (local.relayProtocol ?? local.protocol ?? '').toUpperCase();
		lines.push([t('Path'), relayed ? t('through a relay, {0}', protocol) : t('direct, {0}', protocol)]);
		lines.push([t('This side'), ends[local.candidateType] ?? ''], [t('Other side'), ends[remote.candidateType] ?? '']);
		const report = stats.find(({ type, roundTripTime }) => type === 'remote-inbound-rtp' && roundTripTime !== undefined);
		const seconds = pair.currentRoundTripTime ?? report?.roundTripTime;
		lines.push([t('Round trip'), seconds === undefined ? t('not measured') : `${Math.round(1000 * seconds)} ms`]);
	}
	for (const [type, title] of [['inbound-rtp', t('Coming')], ['outbound-rtp', t('Going')]]) {
		for (const entry of stats.filter((one) => one.type === type && one.kind === 'video' && one.frameWidth)) {
			const codec = stats.find(({ id }) => id === entry.codecId)?.mimeType?.split('/')[1] ?? '';
			lines.push([title, t('{0} × {1}, {2} a second, {3}', entry.frameWidth, entry.frameHeight, Math.round(entry.framesPerSecond ?? 0), codec)]);
		}
	}
	return lines;
}
