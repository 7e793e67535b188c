/** What a page does with Portlight's page API, one verb each, for the tests to call. */
import * as portlight from '/examples/portlight.js';
import {locateMarker, readMarker} from '/desktop/marker.js';
import {Player} from './player.js';
import {epochNow} from './watch.js';

/** @param {any} promise @returns {Promise<{ok?: any, error?: any}>} */
const told = (promise) =>
	Promise.resolve(promise).then(
		(ok) => ({ok}),
		({name, message, code, remedy}) => ({error: {name, message, code, remedy}}),
	);

class Probe extends Player {
	/** @type {import('/examples/portlight.js').Share | null} */
	share = null;
	/** @type {any[]} */
	events = [];
	/** Everything that came by window.postMessage. @type {any[]} */
	messages = [];

	constructor() {
		super();
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
		this.askedAt = epochNow();
		const {ok, error} = await told(portlight.request(wish));
		if (!ok) {
			return {error};
		}
		this.share = ok;
		this.stream = ok.stream;
		for (const type of ['ended', 'resize', 'source', 'cursor', 'paused', 'resumed']) {
			ok.addEventListener(type, (/** @type {CustomEvent} */ {detail}) => {
				const {pixels, ...rest} = detail;
				this.events.push({...rest, ...(pixels && {bytes: pixels.length, opaque: [...pixels].some((byte, i) => i % 4 === 3 && byte > 0)})});
			});
		}
		return {ok: {id: ok.id, settings: ok.track.getSettings()}};
	}

	async requestSeveral() {
		this.askedAt = epochNow();
		const shares = await portlight.request({multiple: true});
		this.share = shares[0];
		this.stream = shares[0].stream;
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
		this.stream = await navigator.mediaDevices.getUserMedia(/** @type {any} */ ({video}));
		await this.play();
		return {ok: ok.sourceId};
	}

	/** @param {string} verb @param {any} [argument] */
	tell(verb, argument) {
		return told(/** @type {any} */ (this.share)[verb](argument));
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
		return {kind: ok.constructor.name, type: ok.type ?? '', width, height, counter: mark?.counter};
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
