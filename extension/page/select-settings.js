/**
 * The settings that constraints make of a shared picture, as Media Capture and Streams and Screen Capture say: it is scaled
 * down or left as it is, never cropped.
 */
import { isObject, overconstrained } from './constraints.js';

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{maxWidth?: number, maxHeight?: number}} Limits
 * @typedef {Record<string, {exact?: any, ideal?: any, max?: any, min?: any}>} Demands by property
 * @typedef {{height?: number, frameRate?: number}} Defaults the most of each, where the page doesn't say
 * @typedef {{full: Size, fpsMax: number, inherent: Record<string, unknown>}} Source `inherent`: the settings that nothing changes
 * @typedef {{limits: Limits, maxFps: number, scales: boolean}} Chosen `scales`: a full picture counts as scaled, too
 */

const FPS_DEFAULT = 30;
/** More than any side has. Such a bound tells that the page wants the whole picture, whatever the user's own bound. */
const ALL = { maxWidth: 16384, maxHeight: 16384 };
const MODES = ['crop-and-scale', 'none'];
/** How far a number may be off: sides are even, ratios rounded. */
const SLACK = /** @type {Record<string, number>} */ ({ width: 1, height: 1, aspectRatio: 1e-9 });
/** What doesn't constrain a picture that is shared. */
const IGNORED = /^(displaySurface|restrictOwnAudio|suppressLocalAudioPlayback|mandatory|optional|advanced|portlight.*)$/;
/** The older form's bounds are wishes. */
const OLDER = Object.entries({ width: 'maxWidth', height: 'maxHeight', frameRate: 'maxFrameRate' });

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
 * Each constraint as a dictionary.
 *
 * @param {Record<string, any>} set
 * @param {'exact' | 'ideal'} bare what a bare value is
 */
function demandsOf(set, bare) {
	/** @type {Demands} */
	const demands = {};
	for (const [name, value] of Object.entries(set)) {
		if (!IGNORED.test(name)) {
			demands[name] = isObject(value) && !Array.isArray(value) ? value : { [bare]: value };
		}
	}
	for (const [name, older] of OLDER) {
		const most = set.mandatory?.[older];
		if (typeof most === 'number' && most >= 1) {
			demands[name] = { ...demands[name], ideal: most };
		}
	}
	return demands;
}

/**
 * What all sets allow of a number, and the most of it that is wanted.
 *
 * @param {Demands[]} sets
 * @param {string} name
 * @param {number} [fallback]
 */
function boundsOf(sets, name, fallback) {
	const all = sets.map((set) => set[name] ?? {});
	const least = Math.max(...all.map(({ exact = 0, min = 0 }) => Math.max(exact, min)));
	const most = Math.min(...all.map(({ exact = Infinity, max = Infinity }) => Math.min(exact, max)));
	const { ideal = 0 } = all[0];
	const wanted = ideal > 0 ? ideal : most < Infinity ? most : fallback;
	return { least, most, wanted: wanted && Math.min(Math.max(wanted, least), most) };
}

/**
 * What to scale the picture down to.
 *
 * @param {Demands[]} sets
 * @param {Size} full
 * @param {number} [maxHeight] where the page doesn't say
 * @returns {Limits}
 */
function limitsOf(sets, full, maxHeight) {
	const width = boundsOf(sets, 'width');
	const height = boundsOf(sets, 'height', maxHeight);
	const limits = { maxWidth: width.wanted, maxHeight: height.wanted };
	const size = fit(full, limits);
	// What one side must have outweighs what is wanted of the other.
	const grow = Math.max(width.least / size.width, height.least / size.height);
	if (grow <= 1) {
		return limits;
	}
	const grown = (/** @type {number} */ side, /** @type {number} */ most) =>
		Math.min(2 * Math.ceil((side * grow) / 2), most);
	return { maxWidth: grown(size.width, width.most), maxHeight: grown(size.height, height.most) };
}

/** @param {any} values one, or a list @returns {any[]} */
const listOf = (values = []) => [values].flat();

/** The ways to make the picture that all sets allow, the preferred one first. @param {Demands[]} sets */
function modesOf(sets) {
	const lists = sets.map(({ resizeMode }) => listOf(resizeMode?.exact)).filter((list) => list.length > 0);
	const modes = MODES.filter((mode) => lists.every((list) => list.includes(mode)));
	const wished = modes.filter((mode) => listOf(sets[0].resizeMode?.ideal).includes(mode));
	return `${wished}` === 'none' ? [...wished, ...modes] : modes;
}

/**
 * The first constraint that such settings don't meet.
 *
 * @param {Demands[]} sets
 * @param {Record<string, any>} settings
 */
function unmet(sets, settings) {
	for (const [name, { exact, min, max }] of sets.flatMap((set) => Object.entries(set))) {
		const setting = settings[name];
		const slack = SLACK[name] ?? 0;
		const values = listOf(exact);
		const listed = values.some((value) => value === setting || Math.abs(value - setting) <= slack);
		if ((values.length > 0 && !listed) || setting + slack < min || setting - slack > max) {
			return name;
		}
	}
	return null;
}

/**
 * @param {Demands[]} sets
 * @param {Source} source
 * @param {Defaults} defaults
 * @returns {Chosen | string} or the name of a constraint that can't be met
 */
function choose(sets, { full, fpsMax, inherent }, { height, frameRate = FPS_DEFAULT }) {
	const { wanted = frameRate } = boundsOf(sets, 'frameRate', frameRate);
	const maxFps = Math.min(Math.max(wanted, 1), fpsMax);
	let failed = '';
	for (const mode of modesOf(sets)) {
		const limits = mode === 'none' ? ALL : limitsOf(sets, full, height);
		const name = unmet(sets, { ...inherent, ...fit(full, limits), frameRate: maxFps, resizeMode: mode });
		if (!name) {
			const scales = sets.some(({ resizeMode }) => `${resizeMode?.exact ?? resizeMode?.ideal}` === 'crop-and-scale');
			return { limits, maxFps, scales };
		}
		failed ||= name;
	}
	return failed || 'resizeMode';
}

/**
 * Throws when constraints require what can't be had.
 *
 * @param {Record<string, any>} constraints as convert() returns them
 * @param {Source} source
 * @param {Defaults} [defaults]
 * @returns {Chosen}
 */
export function select(constraints, source, defaults = {}) {
	let sets = [demandsOf(constraints, 'ideal')];
	let chosen = choose(sets, source, defaults);
	if (typeof chosen === 'string') {
		throw overconstrained(chosen);
	}
	for (const set of constraints.advanced ?? []) {
		const more = [...sets, demandsOf(set, 'exact')];
		const next = choose(more, source, defaults);
		if (typeof next !== 'string') {
			sets = more;
			chosen = next;
		}
	}
	return chosen;
}

/** The part that is wanted; null: all of it; undefined: as it is. @param {Record<string, any>} constraints */
export const regionOf = ({ mandatory, portlightRegion }) => mandatory?.portlightRegion ?? portlightRegion;

/**
 * What to ask of the host before anything is known of the picture.
 *
 * @param {Record<string, any>} constraints as convert() returns them
 */
export function wishOf(constraints) {
	const sets = [demandsOf(constraints, 'ideal')];
	const [maxWidth, maxHeight, maxFps] = ['width', 'height', 'frameRate'].map((name) => boundsOf(sets, name).wanted);
	const fidelity = constraints.mandatory?.portlightFidelity ?? constraints.portlightFidelity;
	return {
		...(modesOf(sets)[0] === 'none' ? ALL : { maxWidth, maxHeight }),
		maxFps,
		region: regionOf(constraints),
		fidelity: ['motion', 'text'].find((known) => known === fidelity),
	};
}
