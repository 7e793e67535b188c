/** One picture large, all of them small below it; a click makes another the large one. Sound comes from the small ones. */
import { t } from './language.js';
import { make } from './ui.js';

/**
 * @typedef {object} Picture
 * @property {MediaStream | null} stream
 * @property {string} name
 * @property {'camera' | 'screen'} kind
 * @property {boolean} [mine]
 * @property {string} [note] beside the name: muted, sharing
 */

export class Stage {
	/** @param {HTMLElement} figure with a video, a caption and what it shows while it is empty @param {HTMLElement} tiles */
	constructor(figure, tiles) {
		this.figure = figure;
		this.tiles = tiles;
		this.main = /** @type {HTMLVideoElement} */ (figure.querySelector('video'));
		this.caption = /** @type {HTMLElement} */ (figure.querySelector('.caption'));
		this.empty = /** @type {HTMLElement} */ (figure.querySelector('.empty'));
		/** @type {Map<string, Picture & {tile: HTMLElement, video: HTMLVideoElement, button: HTMLElement, label: HTMLElement}>} */
		this.pictures = new Map();
		/** What the person chose; else the page does. */
		this.chosen = '';
		/** The speaker, '' for the browser's own choice. */
		this.speaker = '';
		this.current = '';
		this.#draw();
	}

	/** Shows a picture, or updates it. @param {string} key @param {Picture} picture */
	set(key, picture) {
		const known = this.pictures.get(key);
		const entry = known ? Object.assign(known, picture) : { ...picture, ...this.#tile(key) };
		this.pictures.set(key, entry);
		const { video, stream, kind, mine = false } = entry;
		if (video.srcObject !== stream) {
			video.srcObject = stream;
		}
		video.muted = mine;
		if (!known && this.speaker) {
			// One that is gone leaves the sound where it is.
			/** @type {any} */ (video).setSinkId(this.speaker).catch(() => {});
		}
		entry.tile.classList.toggle('screen', kind === 'screen');
		const { name } = entry;
		const text = kind === 'screen' ? (mine ? t('Your screen') : t('{0}’s screen', name)) : mine ? t('{0} (you)', name) : name;
		entry.label.textContent = entry.note ? `${text} · ${entry.note}` : text;
		entry.button.setAttribute('aria-label', t('Make {0} the main picture', text));
		/** @type {HTMLElement} */ (entry.tile.querySelector('.initial')).textContent = [...entry.name][0]?.toUpperCase() ?? '';
		if (!known) {
			this.tiles.append(entry.tile);
		}
		this.#draw();
	}

	/** @param {string} key */
	remove(key) {
		const entry = this.pictures.get(key);
		if (entry) {
			this.pictures.delete(key);
			entry.video.srcObject = null;
			entry.tile.remove();
			this.#draw();
		}
	}

	/** @param {(key: string) => boolean} [fits] */
	clear(fits = () => true) {
		[...this.pictures.keys()].filter(fits).forEach((key) => this.remove(key));
	}

	/** Plays the others by another speaker. @param {string} id */
	async speak(id) {
		await Promise.all([...this.pictures.values()].map(({ video }) => /** @type {any} */ (video).setSinkId(id)));
		this.speaker = id;
	}

	/** @param {string} key */
	choose(key) {
		this.chosen = key;
		this.#draw();
	}

	/** @param {string} key */
	#tile(key) {
		const video = make('video', { autoplay: true, playsInline: true });
		const button = make('button', { type: 'button', onclick: () => this.choose(key) }, make('span', { className: 'initial', 'aria-hidden': 'true' }), video);
		const label = make('span', { className: 'name' });
		// Without a picture the initial shows.
		const draw = () => video.classList.toggle('blank', !video.videoWidth || !hasPicture(video.srcObject));
		['loadedmetadata', 'resize', 'emptied'].forEach((type) => video.addEventListener(type, draw));
		draw();
		return { video, button, label, tile: make('div', { className: 'tile', 'data-key': key }, button, label) };
	}

	/** The person's choice, else another's screen, another's camera, one's own. */
	#best() {
		const all = [...this.pictures];
		const rank = (/** @type {Picture} */ { kind, mine, stream }) => (hasPicture(stream) ? 4 : 0) + (mine ? 0 : 2) + (kind === 'screen' ? 1 : 0);
		const best = all.sort(([, a], [, b]) => rank(b) - rank(a))[0];
		const current = all.find(([key]) => key === this.current);
		return all.find(([key]) => key === this.chosen) ?? (current && rank(current[1]) >= rank(best[1]) ? current : best);
	}

	#draw() {
		const best = this.#best();
		this.current = best?.[0] ?? '';
		for (const [key, { button }] of this.pictures) {
			button.setAttribute('aria-pressed', String(key === best?.[0]));
		}
		const picture = best?.[1];
		const stream = picture && hasPicture(picture.stream) ? picture.stream : null;
		if (this.main.srcObject !== stream) {
			this.main.srcObject = stream;
		}
		this.main.muted = true;
		this.main.hidden = !stream;
		this.empty.hidden = Boolean(stream);
		this.caption.textContent = picture?.label.textContent ?? '';
	}
}

/** @param {MediaProvider | null | undefined} stream */
const hasPicture = (stream) => stream instanceof MediaStream && stream.getVideoTracks().length > 0;
