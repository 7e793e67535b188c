/** Constraints as a page gives them, read as Web IDL says. */

/** Longer texts are refused, as in Chromium: the standard doesn't say so, its tests do. */
const TEXT_MAX = 500;

/** @param {any} value */
export const isObject = (value) => Object(value) === value;

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
 * The members of a dictionary that are there, each read once.
 *
 * @param {any} given
 * @param {string[]} names
 * @param {(name: string) => (value: any) => any} reader
 * @returns {Record<string, any>}
 */
function readMembers(given, names, reader) {
	const members = names.map((name) => [name, given?.[name]]).filter(([, value]) => value !== undefined);
	return Object.fromEntries(members.map(([name, value]) => [name, reader(name)(value)]));
}

/**
 * Reads what is a value or a dictionary of values.
 *
 * @param {string[]} names of the dictionary
 * @param {(value: any) => unknown} read
 * @param {(given: any) => unknown} [isValue]
 */
function typeOf(names, read, isValue = (given) => given !== null && !isObject(given)) {
	return (/** @type {any} */ given) => {
		if (isValue(given)) {
			return read(given);
		}
		return readMembers(given, names, () => read);
	};
}

/** @param {any} value */
function readDouble(value) {
	const number = +value;
	if (!Number.isFinite(number)) {
		throw new TypeError('The provided double value is non-finite.');
	}
	return number;
}

/** @param {any} value @returns {string | string[]} */
function readText(value) {
	if (isObject(value) && value[Symbol.iterator]) {
		return Array.from(value, (one) => String(readText(`${one}`)));
	}
	const read = `${value}`;
	if (read.length > TEXT_MAX) {
		throw overconstrained('', 'The text is too long.');
	}
	return read;
}

const RANGE = ['exact', 'ideal', 'max', 'min'];
const CHOICE = ['exact', 'ideal'];
const long = typeOf(RANGE, (value) => Math.round(Math.min(Math.max(+value || 0, 0), 2 ** 32 - 1)));
const double = typeOf(RANGE, readDouble);
const text = typeOf(CHOICE, readText, (given) => given !== null && (!isObject(given) || given[Symbol.iterator]));
const flag = typeOf(CHOICE, Boolean);
const TYPES = /** @type {Record<string, (given: any) => any>} */ ({
	width: long,
	height: long,
	aspectRatio: double,
	frameRate: double,
	resizeMode: text,
	facingMode: text,
	deviceId: text,
	groupId: text,
	displaySurface: text,
	logicalSurface: flag,
	cursor: text,
	restrictOwnAudio: flag,
	suppressLocalAudioPlayback: flag,
	// Portlight's, and the older form.
	portlightFidelity: copied,
	portlightRegion: copied,
	mandatory: copied,
	optional: copied,
});

/** @param {any} value @returns {any} */
function copied(value) {
	if (Array.isArray(value)) {
		return value.map(copied);
	}
	return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)])) : value;
}

/** @param {any} given @returns {Record<string, any>} */
function convertSet(given) {
	if (given !== undefined && given !== null && !isObject(given)) {
		throw new TypeError("The provided value is not of type 'MediaTrackConstraints'.");
	}
	return readMembers(given, Object.keys(TYPES), (name) => TYPES[name]);
}

/**
 * A copy of what a page gave as constraints, each member read once. What is not known is left out.
 *
 * @param {any} given
 * @returns {Record<string, any>}
 */
export function convert(given) {
	const constraints = convertSet(given);
	const advanced = given?.advanced;
	return advanced === undefined ? constraints : { ...constraints, advanced: [...advanced].map(convertSet) };
}
