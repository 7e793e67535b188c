/** Which camera, microphone and speaker: lists in the page, to choose from in mid-call too. */
import { t } from './language.js';
import { find, make, words } from './ui.js';

const lists = /** @type {const} */ ([
	['videoinput', '#cameras', (/** @type {number} */ number) => t('Camera {0}', number)],
	['audioinput', '#microphones', (/** @type {number} */ number) => t('Microphone {0}', number)],
	['audiooutput', '#speakers', (/** @type {number} */ number) => t('Speaker {0}', number)],
]);
const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

export class Devices {
	/** What was chosen, by its kind. @type {Record<string, string>} */
	chosen = {};

	/**
	 * @param {object} options
	 * @param {() => MediaStream} options.mine what this side sends of its own devices
	 * @param {(track: MediaStreamTrack) => unknown} options.changed after another device's track took the place of that of its kind
	 * @param {(id: string) => unknown} options.speak plays the others by that speaker
	 * @param {(text: string, bad?: boolean) => void} options.say
	 */
	constructor({ mine, changed, speak, say }) {
		this.mine = mine;
		this.changed = changed;
		this.speak = speak;
		this.say = say;
		for (const [kind, selector] of lists) {
			find(selector).addEventListener('change', () => this.#choose(kind, find(selector).value));
		}
		navigator.mediaDevices.addEventListener('devicechange', () => this.draw());
	}

	/** Shows what there is. Browsers tell names once a device was allowed. */
	async draw() {
		const all = await navigator.mediaDevices.enumerateDevices();
		for (const [kind, selector, nameless] of lists) {
			const some = all.filter((device) => device.kind === kind && device.deviceId);
			const list = find(selector);
			list.replaceChildren(...some.map(({ deviceId, label }, at) => make('option', { value: deviceId }, label || nameless(at + 1))));
			list.closest('label').hidden = !some.length || (kind === 'audiooutput' && !canChooseSpeaker);
			const used = this.#track(kind)?.getSettings().deviceId ?? this.chosen[kind];
			if (some.some(({ deviceId }) => deviceId === used)) {
				list.value = used;
			}
		}
	}

	/** @param {string} kind of device */
	#track(kind) {
		return this.mine().getTracks().find((track) => `${track.kind}input` === kind);
	}

	/** @param {string} kind @param {string} id */
	async #choose(kind, id) {
		try {
			if (kind === 'audiooutput') {
				await this.speak(id);
			} else if (this.#track(kind)) {
				await this.#take(kind === 'videoinput' ? 'video' : 'audio', id);
			}
			// Where none is on, it is the one that is switched on next.
			this.chosen[kind] = id;
			this.say('');
		} catch (error) {
			this.say(t('This device could not be taken. {0}', words(error)), true);
		}
		await this.draw();
	}

	/** @param {'audio' | 'video'} kind of track @param {string} id */
	async #take(kind, id) {
		const stream = this.mine();
		const [track] = (await navigator.mediaDevices.getUserMedia(constraintsFor(kind, id))).getTracks();
		const old = stream.getTracks().find((one) => one.kind === kind);
		// A call that ended meanwhile has no use for it.
		if (!old || stream !== this.mine()) {
			track.stop();
			return;
		}
		track.enabled = old.enabled;
		stream.removeTrack(old);
		old.stop();
		stream.addTrack(track);
		await this.changed(track);
	}
}

/** @param {'audio' | 'video'} kind @param {string} [id] of the device; else the browser's own choice @returns {MediaStreamConstraints} */
export function constraintsFor(kind, id) {
	const deviceId = id ? { exact: id } : undefined;
	return kind === 'audio'
		? { audio: { echoCancellation: true, noiseSuppression: true, deviceId } }
		: { video: { width: { ideal: 640 }, height: { ideal: 480 }, deviceId } };
}
