/** The picture that stands still, on the page: the very pixels that the sharer took. */
import { t } from '../language.js';

/** Of a side, and of all, in pixels: what a browser can hold. */
const MOST_SIDE = 16384;
const MOST_ALL = 64 * 1024 * 1024;

/**
 * What a PNG says of its size, before anything is made of it.
 * @param {ArrayBuffer} head its first 24 bytes
 * @returns {{width: number, height: number} | null} null: it is none, or too large
 */
export function pngSize(head) {
	const view = new DataView(head);
	if (view.byteLength < 24 || view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a || view.getUint32(12) !== 0x49484452) {
		return null;
	}
	const [width, height] = [view.getUint32(16), view.getUint32(20)];
	const fits = width > 0 && height > 0 && Math.max(width, height) <= MOST_SIDE && width * height <= MOST_ALL;
	return fits ? { width, height } : null;
}

export class Still {
	/** The name of what is shown, or being drawn. */
	#name = '';

	/** @param {HTMLCanvasElement} canvas @param {() => void} changed */
	constructor(canvas, changed) {
		this.canvas = canvas;
		this.changed = changed;
	}

	/**
	 * @param {import('./annotate.js').Frozen | null} frozen
	 * @param {{name: string, blob: Blob} | null} still what is here; shown only if it is that
	 */
	async show(frozen, still) {
		const name = frozen && still?.name === frozen.id ? frozen.id : '';
		if (name === this.#name) {
			return;
		}
		this.#name = name;
		if (still && name) {
			await this.#draw(still.blob, name);
		} else {
			this.canvas.hidden = true;
			this.changed();
		}
	}

	/** @param {Blob} blob @param {string} name */
	async #draw(blob, name) {
		if (!pngSize(await blob.slice(0, 24).arrayBuffer())) {
			throw new Error(t('The frozen picture cannot be shown: it is none, or too large.'));
		}
		const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
		if (name === this.#name) {
			Object.assign(this.canvas, { width: bitmap.width, height: bitmap.height });
			this.canvas.getContext('2d', { alpha: false })?.drawImage(bitmap, 0, 0);
			this.canvas.hidden = false;
			this.changed();
		}
		bitmap.close();
	}
}

/**
 * Draws what is shown, as large as wanted.
 * @param {import('./surface.js').Surface} surface @param {CanvasRenderingContext2D} context @param {number} width @param {number} height
 * @param {{marks?: boolean, pointers?: boolean}} options
 */
export function paint({ board, still, video }, context, width, height, { marks = true, pointers }) {
	context.drawImage(still.hidden ? video : still, 0, 0, width, height);
	if (marks) {
		board.draw(context, width, height, { pointers });
	}
}

/**
 * What is shown, with its marks, at its full size.
 * @param {import('./surface.js').Surface} surface
 * @returns {Promise<{blob: Blob, width: number, height: number}>} a PNG
 */
export async function snapshot(surface) {
	const { width, height } = surface.size;
	if (!width) {
		throw new Error(t('There is no picture yet. Wait for it, then try again.'));
	}
	const canvas = new OffscreenCanvas(width, height);
	paint(surface, /** @type {any} */ (canvas.getContext('2d', { alpha: false })), width, height, { pointers: false });
	return { blob: await canvas.convertToBlob({ type: 'image/png' }), width, height };
}
