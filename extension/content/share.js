/** In the extension's own world of a frame that was granted a native share: joins the page's track with the background. */
import { open, page, wake } from './ports.js';

const CROWDED = {
	type: 'ended',
	code: 'too-many-requests',
	name: 'InvalidStateError',
	message: 'There are too many requests.',
	remedy: 'Wait a little, then ask again.',
};

/**
 * A live share, for content/page-api.js.
 *
 * @typedef {object} Live
 * @property {(message: object) => void} tellBackground
 * @property {(message: object) => void} tellTrack
 * @property {Set<(message: any) => void>} listeners to what either says; null is the last of it
 * @property {object | null} paused the background's word, while it holds
 * @property {object | null} cursor where it is, with the image that was told last
 */

/** @type {Map<unknown, Live>} by source id */
const live = new Map();
/** @type {Set<() => void>} ends each of the page's shares, live or not yet */
const ends = new Set();

/**
 * Joins the track that redeems a source id with the background, until either ends it.
 * @param {Record<string, unknown>} wish @param {MessagePort} track
 */
function redeem(wish, track) {
	let over = false;
	const lost = { type: 'ended', ...page.GONE };
	/** @type {chrome.runtime.Port} */
	let share;
	try {
		share = open('share');
	} catch (error) {
		// Anything else is the browser's word for an extension that was updated or removed under this page.
		track.postMessage(error === CROWDED.code ? CROWDED : lost);
		return;
	}
	const { sourceId, codecs, maxFps, maxWidth, maxHeight, fidelity, region } = wish;
	const end = () => {
		if (!over) {
			over = true;
			hear(lost);
		}
		entry.listeners.forEach((listen) => listen(null));
		if (live.get(sourceId) === entry) {
			live.delete(sourceId);
		}
		ends.delete(end);
		share.disconnect();
		track.close();
	};
	/** @type {Live} */
	const entry = {
		tellBackground: (message) => share.postMessage(message),
		tellTrack: (message) => track.postMessage(message),
		listeners: new Set(),
		paused: null,
		cursor: null,
	};
	ends.add(end);
	/** @param {any} message */
	const hear = (message) => {
		const { type } = message;
		if (type === 'cursor') {
			entry.cursor = { ...entry.cursor, ...message };
			if (message.data) {
				share.postMessage({ type: 'credit', frames: 1 });
			}
		} else if (type === 'opened') {
			entry.cursor = null;
		} else if (type === 'paused' || type === 'resumed') {
			entry.paused = type === 'paused' ? message : null;
		}
		track.postMessage(message);
		entry.listeners.forEach((listen) => listen(message));
	};
	share.onMessage.addListener((message) => {
		over ||= message.type === 'ended';
		if (message.type === 'opened' && !live.has(sourceId)) {
			live.set(sourceId, entry); // Before that the id may be one that somebody only made up.
		}
		hear(message);
	});
	share.onDisconnect.addListener(() => {
		if (!over) {
			wake();
		}
		end();
	});
	track.onmessage = ({ data }) => {
		if (data.type === 'stop') {
			over = true;
			end();
		} else if (data.type === 'ping') {
			track.postMessage({ type: 'pong' });
		} else if (data.type === 'answer' || data.type === 'resize') {
			entry.listeners.forEach((listen) => listen(data));
		} else if (!over) {
			share.postMessage(data);
		}
	};
	share.postMessage({ type: 'redeem', sourceId, codecs, maxFps, maxWidth, maxHeight, fidelity, region });
}

if (!page.redeem) {
	Object.assign(page, { live, redeem });
	// A page that is left, even for a while, loses its ports without a word in some browsers.
	page.listen('pagehide', () => ends.forEach((end) => end()));
}
