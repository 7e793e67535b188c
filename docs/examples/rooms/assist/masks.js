/** The sharer's black boxes: their list in the panel, and their numbers on the picture. */
import { t } from '../language.js';
import { find, make } from '../ui.js';
import { MOST_MASKS } from './crop.js';

/** @typedef {import('./annotate.js').Rect} Rect */

export class Masks {
	/**
	 * @param {import('./crop.js').Cropped} cropped
	 * @param {import('./surface.js').Surface} surface
	 * @param {(error: unknown) => void} failed
	 * @param {() => Promise<void>} changed what else shows pictures
	 */
	constructor(cropped, surface, failed, changed) {
		this.cropped = cropped;
		this.surface = surface;
		this.failed = failed;
		this.changed = changed;
		this.labels = make('div', { className: 'masklabels', 'aria-hidden': 'true' });
		surface.stage.append(this.labels);
		surface.addEventListener('place', () => this.draw());
		this.draw();
	}

	/** @param {Rect} rect in the shown picture */
	add({ x, y, width, height }) {
		if (this.cropped.masks.length >= MOST_MASKS) {
			throw new Error(t('There are {0} boxes already. Remove one first.', MOST_MASKS));
		}
		const { crop } = this.surface.board;
		const mask = { x: crop.x + x * crop.width, y: crop.y + y * crop.height, width: width * crop.width, height: height * crop.height };
		return this.#become([...this.cropped.masks, mask]);
	}

	clear() {
		return this.#become([]);
	}

	/** @param {Rect[]} masks */
	async #become(masks) {
		const done = this.cropped.cover(masks);
		this.draw();
		await done;
		await this.changed();
		this.draw();
	}

	draw() {
		const { masks, size } = this.cropped;
		const items = masks.map((mask, index) => {
			const onclick = () => this.#become(this.cropped.masks.filter((one) => one !== mask)).catch(this.failed);
			const pixels = `${Math.round(mask.width * size.width)} × ${Math.round(mask.height * size.height)}`;
			return make('li', {}, make('span', { className: 'swatch black' }), make('span', { className: 'who' }, `${t('Box {0}', index + 1)} `, make('span', { className: 'quiet small numbers' }, pixels)),
				make('button', { type: 'button', className: 'narrow', 'aria-label': t('Remove Box {0}', index + 1), onclick }, t('Remove')));
		});
		find('#masks').replaceChildren(...items);
		find('#masksNote').hidden = !masks.length;
		find('#clearMasks').hidden = masks.length < 2;
		this.#label();
	}

	#label() {
		const { board, canvas } = this.surface;
		const { crop } = board;
		const labels = this.cropped.masks.map(({ x, y }, index) => {
			const at = [(x - crop.x) / crop.width, (y - crop.y) / crop.height].map((part) => Math.max(0, part));
			const label = make('span', { hidden: canvas.hidden || at.some((part) => part >= 1) }, String(index + 1));
			Object.assign(label.style, { left: `${canvas.offsetLeft + at[0] * canvas.clientWidth}px`, top: `${canvas.offsetTop + at[1] * canvas.clientHeight}px` });
			return label;
		});
		this.labels.replaceChildren(...labels);
	}
}
