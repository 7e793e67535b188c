/** What a page does with a share, one verb each, for the tests to call. */
import {Player} from './player.js';
import {FrameWatch, epochNow} from './watch.js';

const video = /** @type {HTMLVideoElement} */ (document.getElementById('screen'));

/** @param {string} id @param {object} more */
const constraintsFor = (id, more) => ({
	audio: false,
	video: {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: id, maxWidth: 3840, maxHeight: 2160, ...more}},
});

/** @param {any} error */
const described = (error) => ({
	ok: false,
	name: String(error?.name),
	message: String(error?.message),
	isDOMException: error instanceof DOMException,
	isError: error instanceof Error,
});

class Probe extends Player {
	constructor() {
		super();
		/** Everything that came by window.postMessage, our own requests too. @type {any[]} */
		this.messages = [];
		/** When each live track said `ended`. @type {number[]} */
		this.ended = [];
		/** @type {Map<string, RTCPeerConnection>} */
		this.peers = new Map();
		/** Whether the page came out of the browser's back/forward cache. */
		this.persisted = false;
		window.addEventListener('message', (event) => {
			this.messages.push(event.data);
		});
		window.addEventListener('pageshow', ({persisted}) => (this.persisted = persisted));
	}

	/** Asks as the documented flow says; resolves with the first answer. */
	ask() {
		return new Promise((resolve) => {
			/** @param {MessageEvent} event */
			const listen = (event) => {
				if (event.data?.sourceId || event.data === 'PermissionDeniedError') {
					window.removeEventListener('message', listen);
					resolve(event.data);
				}
			};
			window.addEventListener('message', listen);
			this.askedAt = epochNow();
			window.postMessage('requestScreenSourceId', '*');
		});
	}

	/**
	 * @param {string} id
	 * @param {'promise' | 'callback' | 'webkit'} [how]
	 * @param {object} [more] constraints
	 */
	async redeem(id, how = 'promise', more = {}) {
		const wanted = constraintsFor(id, more);
		try {
			/** @type {any} */
			const legacy = navigator;
			const call = {promise: null, callback: legacy.getUserMedia, webkit: legacy.webkitGetUserMedia}[how];
			this.stream = call
				? await new Promise((resolve, reject) => call.call(navigator, wanted, resolve, reject))
				: await navigator.mediaDevices.getUserMedia(/** @type {any} */ (wanted));
		} catch (error) {
			return described(error);
		}
		const stream = /** @type {MediaStream} */ (this.stream);
		stream.getVideoTracks()[0].addEventListener('ended', () => this.ended.push(epochNow()));
		return {ok: true, tracks: stream.getTracks().map((t) => `${t.kind} ${t.readyState}`)};
	}

	track() {
		const track = /** @type {MediaStream} */ (this.stream).getVideoTracks()[0];
		return {label: track.label, kind: track.kind, readyState: track.readyState, muted: track.muted, settings: track.getSettings()};
	}

	/** @param {MediaTrackConstraints} constraints */
	async apply(constraints) {
		const track = /** @type {MediaStream} */ (this.stream).getVideoTracks()[0];
		await track.applyConstraints(constraints);
		return track.getSettings();
	}

	/**
	 * A part of what is played now, RGBA.
	 * @param {{x: number, y: number, width: number, height: number}} place
	 */
	pixels({x, y, width, height}) {
		const canvas = new OffscreenCanvas(width, height);
		const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
		context.drawImage(video, x, y, width, height, 0, 0, width, height);
		return [...context.getImageData(0, 0, width, height).data];
	}

	/** Records the stream until that many markers were seen, plays the recording, and reads the markers in it. @param {number} count */
	async record(count) {
		const recorder = new MediaRecorder(/** @type {MediaStream} */ (this.stream), {mimeType: 'video/webm', videoBitsPerSecond: 4e6});
		/** @type {Blob[]} */
		const parts = [];
		recorder.addEventListener('dataavailable', (event) => parts.push(event.data));
		const done = new Promise((resolve) => recorder.addEventListener('stop', resolve));
		recorder.start();
		await this.markers(count, epochNow());
		recorder.stop();
		await done;
		const blob = new Blob(parts, {type: recorder.mimeType});
		const playback = document.createElement('video');
		playback.muted = true;
		playback.src = URL.createObjectURL(blob);
		document.body.append(playback);
		const watch = new FrameWatch(playback, {track: false});
		watch.start();
		await playback.play();
		await new Promise((resolve) => playback.addEventListener('ended', resolve, {once: true}));
		watch.stop();
		return {bytes: blob.size, counters: [...new Set(watch.samples.map(({counter}) => counter))]};
	}

	/** One end of a call. The tests carry what the ends say; candidates are all in the description. */
	async offer() {
		const peer = this.#peer('out');
		const stream = /** @type {MediaStream} */ (this.stream);
		peer.addTrack(stream.getVideoTracks()[0], stream);
		await peer.setLocalDescription();
		return this.#gathered(peer);
	}

	/** @param {RTCSessionDescriptionInit} description */
	async answer(description) {
		const peer = this.#peer('in');
		peer.addEventListener('track', (event) => {
			this.stream = event.streams[0];
		});
		await peer.setRemoteDescription(description);
		await peer.setLocalDescription();
		return this.#gathered(peer);
	}

	/** @param {RTCSessionDescriptionInit} description */
	async connect(description) {
		await /** @type {RTCPeerConnection} */ (this.peers.get('out')).setRemoteDescription(description);
	}

	hangUp() {
		this.peers.forEach((peer) => peer.close());
		this.peers.clear();
	}

	/** @param {string} name */
	#peer(name) {
		const peer = new RTCPeerConnection({iceServers: []});
		this.peers.set(name, peer);
		return peer;
	}

	/** @param {RTCPeerConnection} peer */
	async #gathered(peer) {
		while (peer.iceGatheringState !== 'complete') {
			await new Promise((resolve) => peer.addEventListener('icegatheringstatechange', resolve, {once: true}));
		}
		return {type: /** @type {RTCSessionDescription} */ (peer.localDescription).type, sdp: peer.localDescription?.sdp};
	}

	/**
	 * The browser's own getUserMedia, as the page sees it.
	 * @param {MediaStreamConstraints} wanted
	 */
	async camera(wanted) {
		try {
			const stream = await navigator.mediaDevices.getUserMedia(wanted);
			const tracks = stream.getTracks().map((t) => ({kind: t.kind, readyState: t.readyState, label: t.label}));
			stream.getTracks().forEach((t) => t.stop());
			return {ok: true, tracks};
		} catch (error) {
			return described(error);
		}
	}
}

const own = new Probe();
Object.assign(window, {probe: own});
if (location.search === '?clicked') {
	window.addEventListener('pointerdown', () => own.ask());
}
if (location.search === '?ask') {
	void own.ask();
}
