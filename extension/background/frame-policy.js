/**
 * Whether the permissions policy `display-capture` lets a frame share the screen. Asks the browser, or else reads the
 * `allow` attributes on the way up; the frame itself has no say.
 */
import { runIn, runInTab } from './inject.js';

const FEATURE = 'display-capture';
/** Frames that claim to contain each other would make an endless chain. */
const DEPTH_MAX = 16;

/**
 * @typedef {import('./source-ids.js').Place} Place
 * @typedef {{id: number, allow: string, source: string}} Child
 * @typedef {{origin: string, children: Child[]}} Frame `children`: the frames in it, if the browser tells their ids
 */

/**
 * Runs in the frame, in the extension's own world. It reads the prototype's getter, because an element that the page
 * names `featurePolicy` hides the document's property.
 * @param {string} feature
 */
function policySays(feature) {
	const { get } = Object.getOwnPropertyDescriptor(Document.prototype, 'featurePolicy') ?? {};
	return get?.call(document).allowsFeature(feature) ?? null;
}

/** Runs in every frame of a tab, in the extension's own world. @returns {Frame} */
function readFrame() {
	const { runtime } = /** @type {any} */ (globalThis).browser ?? {};
	const children = [...document.querySelectorAll('iframe')].map((element) => {
		// The property `src` is absolute, unless the address is invalid.
		const away = URL.canParse(element.src) ? new URL(element.src).origin : '';
		// The document of about:blank is of the page around it.
		const isOwn = element.hasAttribute('srcdoc') || !element.src || element.src === 'about:blank';
		const source = isOwn ? window.origin : away;
		return { id: runtime?.getFrameId?.(element) ?? -1, allow: element.allow, source };
	});
	return { origin: window.origin, children };
}

/**
 * What an iframe's `allow` says about the feature; null: nothing.
 * @param {string} allow @returns {string[] | null} the allowlist
 */
function allowlist(allow) {
	for (const directive of allow.split(';')) {
		const [name, ...list] = directive.trim().split(/\s+/);
		if (name.toLowerCase() === FEATURE) {
			return list.length > 0 ? list : ["'src'"];
		}
	}
	return null;
}

/** @param {Frame} parent @param {Child} child @param {string} origin of the frame, as it is now */
export function lets(parent, child, origin) {
	const list = allowlist(child.allow);
	if (!list) {
		return parent.origin === origin;
	}
	return list.some((item) => {
		switch (item) {
		case '*':
			return true;
		case "'self'":
			return parent.origin === origin;
		case "'src'":
			return child.source === origin;
		default:
			return URL.canParse(item) && new URL(item).origin === origin;
		}
	});
}

/**
 * @param {Map<number, Frame>} frames of the tab, by id @param {number} frameId @param {number} [depth]
 * @returns {boolean} false where a frame on the way up can't be seen
 */
export function chainLets(frames, frameId, depth = 0) {
	if (frameId === 0) {
		return true;
	}
	for (const [parentId, parent] of frames) {
		const child = parent.children.find(({ id }) => id === frameId);
		const own = frames.get(frameId);
		if (child && own) {
			return depth < DEPTH_MAX && lets(parent, child, own.origin) && chainLets(frames, parentId, depth + 1);
		}
	}
	return false;
}

/** @param {Place} place */
export async function frameMayShare(place) {
	const { tabId, frameId } = place;
	const said = await runIn(place, policySays, FEATURE);
	if (said !== null) {
		return said === true; // If the document is gone it is undefined.
	}
	// Browsers that don't tell have no such policy for the page itself.
	return frameId === 0 || chainLets(await runInTab(tabId, readFrame), frameId);
}
