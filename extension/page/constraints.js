/** What a page's constraints ask of a picture, and what can be had. */

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{maxWidth?: number, maxHeight?: number, maxFps?: number,
 *   region?: {x: number, y: number, width: number, height: number} | null}} Limits
 */

/**
 * The number that a constraint allows at most; undefined when it says nothing of the kind.
 *
 * @param {any} constraint
 * @returns {number | undefined}
 */
function most(constraint) {
	const value = typeof constraint === 'object' ? (constraint?.max ?? constraint?.exact ?? constraint?.ideal) : constraint;
	return typeof value === 'number' && value >= 1 ? value : undefined;
}

/**
 * The documented constraints and today's spelling of them, as one.
 *
 * @param {any} video
 */
export function readConstraints(video) {
	const { mandatory = {} } = video;
	return {
		sourceId: mandatory.chromeMediaSourceId ?? video.chromeMediaSourceId,
		maxWidth: most(mandatory.maxWidth) ?? most(video.width),
		maxHeight: most(mandatory.maxHeight) ?? most(video.height),
		maxFps: most(mandatory.maxFrameRate) ?? most(video.frameRate),
		region: mandatory.portlightRegion ?? video.portlightRegion,
		fidelity: ['motion', 'text'].find((known) => known === (mandatory.portlightFidelity ?? video.portlightFidelity)),
	};
}

/**
 * The picture's size within the limits, its shape kept.
 *
 * @param {Size} size
 * @param {Limits} limits
 * @returns {Size}
 */
export function fit({ width, height }, { maxWidth = Infinity, maxHeight = Infinity }) {
	const scale = Math.min(1, maxWidth / width, maxHeight / height);
	const even = (/** @type {number} */ side, /** @type {number} */ limit) =>
		Math.max(2, Math.min(2 * Math.round((side * scale) / 2), 2 * Math.floor(limit / 2)));
	return scale === 1 ? { width, height } : { width: even(width, maxWidth), height: even(height, maxHeight) };
}

/**
 * Whether two sizes are one but for rounding to even sides.
 *
 * @param {Size} a
 * @param {Size} b
 */
export function near(a, b) {
	return Math.abs(a.width - b.width) <= 2 && Math.abs(a.height - b.height) <= 2;
}

/**
 * @param {string} constraint
 * @param {string} [message]
 */
export function overconstrained(constraint, message = "The shared picture can't be had so.") {
	return 'OverconstrainedError' in window
		? new OverconstrainedError(constraint, message)
		: Object.assign(new DOMException(message, 'OverconstrainedError'), { constraint });
}

/**
 * Throws when constraints require what can't be had.
 *
 * @param {any} constraints
 * @param {Size} size the picture's, as their limits make it
 * @param {number} fpsMax
 */
export function check(constraints, { width, height }, fpsMax) {
	// A side may be a pixel off, to be even.
	const possible = { width: width + 1, height: height + 1, frameRate: fpsMax };
	for (const [name, limit] of Object.entries(possible)) {
		const { exact, min = exact, max = exact } = Object(constraints[name]);
		if (min > limit || max < 1) {
			throw overconstrained(name);
		}
	}
}
