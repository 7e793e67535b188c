/** What a page does with getDisplayMedia, for the tests to call. */
import {Player} from './player.js';
import {epochNow} from './watch.js';

class Probe extends Player {
	/** What the next click does. @type {() => Promise<MediaStream>} */
	#ask = () => navigator.mediaDevices.getDisplayMedia();
	/** @type {Promise<any> | null} */
	#asked = null;
	/** @type {any[]} */
	messages = [];
	/** @type {any} */
	controller = null;

	constructor() {
		super();
		window.addEventListener('message', ({data}) => this.messages.push(data));
		document.getElementById('go')?.addEventListener('click', () => {
			this.askedAt = epochNow();
			this.#asked = this.#ask().then(
				(stream) => {
					this.stream = stream;
					return {kinds: stream.getTracks().map(({kind}) => kind)};
				},
				(error) => ({name: error.name, constraint: error.constraint, isError: error instanceof Error}),
			);
		});
	}

	/** @param {any} options @param {'new' | 'same'} [controller] */
	wish(options, controller) {
		if (controller === 'new') {
			this.controller = new (/** @type {any} */ (window).CaptureController)();
		}
		const all = controller ? {...options, controller: this.controller} : options;
		this.#ask = () => navigator.mediaDevices.getDisplayMedia(all ?? undefined);
	}

	/** What came of the click. */
	answer() {
		return this.#asked;
	}

	track() {
		const [track] = /** @type {MediaStream} */ (this.stream).getVideoTracks();
		return {
			label: track.label,
			settings: track.getSettings(),
			capabilities: track.getCapabilities?.(),
			constraints: track.getConstraints(),
		};
	}

	/** @param {MediaTrackConstraints} [constraints] @returns {Promise<any>} the settings then */
	async apply(constraints) {
		const [track] = /** @type {MediaStream} */ (this.stream).getVideoTracks();
		const refused = await track.applyConstraints(constraints).then(() => null, ({name, constraint}) => `${name} ${constraint}`);
		return {...track.getSettings(), refused};
	}

	shape() {
		const fn = MediaDevices.prototype.getDisplayMedia;
		return {
			name: fn.name,
			length: fn.length,
			text: String(fn).replace(/\s+/g, ' '),
			prototype: 'prototype' in fn,
			own: Object.hasOwn(navigator.mediaDevices, 'getDisplayMedia'),
			globals: Object.keys(window).filter((key) => /portlight/i.test(key)),
		};
	}

	/** Called on what is no MediaDevices. */
	async misused() {
		const names = [];
		for (const self of [undefined, {}, Object.create(MediaDevices.prototype)]) {
			const promise = MediaDevices.prototype.getDisplayMedia.call(self);
			names.push(await promise.then(() => 'stream', (error) => error.name));
		}
		return names;
	}
}

Object.assign(window, {probe: new Probe()});
