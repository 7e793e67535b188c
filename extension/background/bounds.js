/** What a page may ask of a picture, as what the host may be asked for. */

const FPS_MAX = 240;
const FPS_DEFAULT = 30;
const SIDE_MAX = 16_384;

/**
 * Enough for readable text in motion at this size: it crosses a pipe, not a network.
 * @param {number} width @param {number} height
 */
export function maxKbps(width, height) {
	const pixels = width * height || 1920 * 1080;
	return Math.round(Math.min(60_000, Math.max(4_000, pixels / 200)));
}

/** @param {unknown} value */
export function fps(value) {
	return typeof value === 'number' && value > 0 ? Math.min(FPS_MAX, Math.max(1, Math.round(value))) : FPS_DEFAULT;
}

/** The largest side of the picture; 0: no bound. @param {unknown} value */
export function side(value) {
	return typeof value === 'number' && value > 0 ? Math.min(SIDE_MAX, Math.max(2, Math.floor(value))) : 0;
}

/**
 * The field that crops the picture; none if the value isn't a region.
 * @param {any} value `{x, y, width, height}` in the picture's pixels; null: all of it
 * @returns {{region?: import('./host.js').Region | null}}
 */
export function region(value) {
	if (value === null) {
		return { region: null };
	}
	const { x, y, width, height } = Object(value);
	if (![x, y, width, height].every(Number.isFinite)) {
		return {};
	}
	const within = (/** @type {number} */ place, least = 0) => Math.min(SIDE_MAX, Math.max(least, Math.round(place)));
	const left = within(x);
	const top = within(y);
	return { region: { x: left, y: top, width: within(x + width - left, 2), height: within(y + height - top, 2) } };
}
