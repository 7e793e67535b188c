/** What a page does with Portlight's page API, one verb each, for the tests to call. */
import * as portlight from '/examples/portlight.js';
import {locateMarker, readMarker} from '/desktop/marker.js';
import {FrameWatch, epochNow} from './watch.js';

const video = /** @type {HTMLVideoElement} */ (document.getElementById('screen'));

/** @param {any} promise @returns {Promise<{ok?: any, error?: any}>} */
const told = (promise) =>
	Promise.resolve(promise).then(
		(ok) => ({ok}),
		({name, message, code, remedy}) => ({error: {name, message, code, remedy}}),
	);

class Probe {
	/** @type {import('/examples/portlight.js').Share | null} */
	share = null;
	/** @type {any[]} */
	events = [];
	/** Everything that came by window.postMessage. @type {any[]} */
	messages = [];

	constructor() {
		window.addEventListener('message', ({data}) => this.messages.push(data));
	}

	version() {
		return portlight.version();
	}

	capabilities() {
		return told(portlight.capabilities());
	}

	/** @param {object} wish */
	async request(wish) {
		const {ok, error} = await told(portlight.request(wish));
		if (!ok) {
			return {error};
		}
		this.share = ok;
		for (const type of ['ended', 'resize', 'source', 'cursor', 'paused', 'resumed']) {
			ok.addEventListener(type, (/** @type {CustomEvent} */ {detail}) => {
				const {pixels, ...rest} = detail;
				this.events.push({...rest, ...(pixels && {bytes: pixels.length, opaque: [...pixels].some((byte, i) => i % 4 === 3 && byte > 0)})});
			});
		}
		return {ok: {id: ok.id, settings: ok.track.getSettings()}};
	}

	async requestSeveral() {
		const shares = await portlight.request({multiple: true});
		this.share = shares[0];
		return shares.map(({id, track}) => ({id: id.startsWith('portlight:'), width: track.getSettings().width, readyState: track.readyState}));
	}

	/** Asks without a click. @param {string} ask @param {object} [more] */
	raw(ask, more) {
		return new Promise((resolve) => {
			const id = Math.random();
			window.addEventListener('message', function take({data}) {
				if (data?.id === id && !data.ask) {
					window.removeEventListener('message', take);
					resolve({ok: data.ok, error: data.error});
				}
			});
			window.postMessage({portlight: 1, id, ask, ...more}, location.origin);
		});
	}

	/** Plays, and asks for no events yet. @param {object} wish */
	async playUnheard(wish) {
		const {ok, error} = /** @type {any} */ (await this.raw('request', wish));
		if (!ok) {
			return {error};
		}
		const video = {mandatory: {chromeMediaSource: 'desktop', chromeMediaSourceId: ok.sourceId}};
		const stream = await navigator.mediaDevices.getUserMedia(/** @type {any} */ ({video}));
		this.share = /** @type {any} */ ({stream});
		await this.play();
		return {ok: ok.sourceId};
	}

	/** @param {string} verb @param {any} [argument] */
	tell(verb, argument) {
		return told(/** @type {any} */ (this.share)[verb](argument));
	}

	async play(timeoutMs = 8000) {
		video.srcObject = /** @type {any} */ (this.share).stream;
		this.watch = new FrameWatch(video);
		this.watch.start();
		return this.watch.next(timeoutMs);
	}

	/** The next marker that is not the one before. */
	next(timeoutMs = 8000) {
		return /** @type {FrameWatch} */ (this.watch).next(timeoutMs);
	}

	/** @param {number} ms */
	async measure(ms) {
		const watch = /** @type {FrameWatch} */ (this.watch);
		watch.clear();
		await new Promise((resolve) => setTimeout(resolve, ms));
		return watch.summary();
	}

	/** The marker in a snapshot. @param {string} [as] */
	async snapshot(as) {
		const {ok, error} = await told(/** @type {any} */ (this.share).snapshot(as));
		if (error) {
			return {error};
		}
		const bitmap = ok instanceof ImageBitmap ? ok : await createImageBitmap(ok);
		const {width, height} = bitmap;
		const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext('2d'));
		context.drawImage(bitmap, 0, 0);
		const image = context.getImageData(0, 0, width, height);
		const place = locateMarker(image);
		const mark = place && readMarker(image, place);
		return {kind: ok.constructor.name, type: ok.type ?? '', width, height, ageMs: mark && epochNow() - mark.clockMs};
	}

	/** @param {string} type */
	heard(type) {
		return this.events.filter(({event}) => event === type);
	}

	track() {
		const {readyState, id} = /** @type {any} */ (this.share).track;
		return {readyState, id, settings: /** @type {any} */ (this.share).track.getSettings()};
	}

	/** @param {object} constraints */
	constrain(constraints) {
		return told(/** @type {any} */ (this.share).track.applyConstraints(constraints));
	}
}

Object.assign(window, {probe: new Probe()});
