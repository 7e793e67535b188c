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
					return {kinds: stream.getTracks().map(({kind}) => kind), focus: this.#decideFocus()};
				},
				(error) => ({name: error.name, constraint: error.constraint, isError: error instanceof Error}),
			);
		});
	}

	#decideFocus() {
		try {
			return this.controller && String(this.controller.setFocusBehavior('no-focus-change'));
		} catch (/** @type {any} */ error) {
			return error.name;
		}
	}

	/** @param {any} options @param {'new' | 'same'} [controller] */
	wish(options, controller) {
		if (controller === 'new') {
			this.controller = new (/** @type {any} */ (window).CaptureController)();
		}
		const all = controller ? {...options, controller: this.controller} : options;
		this.#ask = () => navigator.mediaDevices.getDisplayMedia(all ?? undefined);
	}

	/** @param {MediaStreamConstraints} constraints */
	wishOlder(constraints) {
		this.#ask = () => navigator.mediaDevices.getUserMedia(constraints);
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

	supported() {
		return navigator.mediaDevices.getSupportedConstraints();
	}
}

Object.assign(window, {probe: new Probe()});
