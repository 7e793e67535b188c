/**
 * The page API, in the extension's own world of a frame whose page asks in its words. What comes with a private port is
 * answered there, else by window.postMessage to the page's own origin. docs/PAGES.md has the words.
 */
import { open, page, post, wake } from './ports.js';

const API = 1;
const UNUSED_MS = 35_000;
const FRESH_MS = 1000;
const CURSORS = ['never', 'always', 'send'];

/**
 * @typedef {{code: string, name: string, message: string, remedy: string}} PageError
 * @typedef {Record<string, any>} Said
 */

/** What this script itself may have to say, with the background's texts. @type {Record<string, PageError>} */
let errors = {};
/** @type {Set<(error: PageError) => void>} ends each request, and with it the id that came of it and is not redeemed */
const requests = new Set();
/** @type {chrome.runtime.Port | null} the request that the user hasn't answered yet */
let asking = null;
/** @type {Promise<unknown> | null} what the background said, for as long as it is fresh: the background is asked no faster */
let capable = null;
/** Shares whose page hears what happens to them. */
const watched = new WeakSet();
let lastAsk = 0;

/** @param {boolean} sure */
function expect(sure) {
	if (!sure) {
		throw errors['bad-ask'];
	}
}

/** @param {any} region */
function isRegion({ x, y, width, height }) {
	return [x, y, width, height].every(Number.isFinite) && width > 0 && height > 0;
}

/**
 * Asks the user for a source id.
 * @param {Said} wish @returns {Promise<{sourceId: string, sourceIds: string[], canRequestAudioTrack: boolean}>}
 */
function request({ sources, cursor, remember, region, multiple, display, exact }) {
	expect(sources === undefined || (Array.isArray(sources) && sources.every((name) => typeof name === 'string')));
	expect((cursor === undefined || CURSORS.includes(cursor)) && (region == null || isRegion(region)));
	expect([remember, multiple].every((wish) => wish === undefined || typeof wish === 'boolean'));
	if (!navigator.userActivation.isActive) {
		throw errors['not-activated'];
	}
	if (asking) {
		throw errors.busy;
	}
	return new Promise((resolve, reject) => {
		const port = open('page');
		asking = port;
		const answered = () => {
			asking = asking === port ? null : asking;
		};
		const over = (/** @type {PageError} */ error) => {
			answered();
			requests.delete(over);
			port.disconnect();
			reject(error);
		};
		requests.add(over);
		port.onMessage.addListener((/** @type {any} */ message) => {
			if (message.type === 'granted') {
				const { sourceId, sourceIds = [sourceId], canRequestAudioTrack = false } = message;
				answered();
				resolve({ sourceId, sourceIds, canRequestAudioTrack });
				// The id dies with this port, until it is redeemed.
				setTimeout(over, UNUSED_MS);
			} else if (message.type === 'refused') {
				const { type: _type, ...error } = message;
				over(error);
			}
		});
		port.onDisconnect.addListener(() => {
			over(errors['host-crashed']);
			wake();
		});
		const wish = { sources, cursor, remember, region: region != null, multiple, display: display === true, exact: exact === true };
		port.postMessage({ type: 'request', dialect: 'portlight', ...wish });
	});
}

/** @param {Said} said */
function shareOf({ share }) {
	const live = page.live?.get(share);
	if (!live) {
		throw errors[String(share).startsWith('portlight:') ? 'unknown-share' : 'not-supported'];
	}
	return live;
}

/**
 * Waits for a live share to say something.
 * @param {any} live @param {(message: any) => boolean} fits @returns {Promise<any>}
 */
function next({ listeners }, fits) {
	return new Promise((resolve, reject) => {
		const listen = (/** @type {any} */ message) => {
			if (message === null) {
				reject(errors['unknown-share']);
			} else if (fits(message)) {
				resolve(message);
			} else {
				return;
			}
			listeners.delete(listen);
		};
		listeners.add(listen);
	});
}

/** Asks the page's own track. @param {any} live @param {object} what */
async function askTrack(live, what) {
	const ask = ++lastAsk;
	const answered = next(live, (message) => message.type === 'answer' && message.ask === ask);
	live.tellTrack({ type: 'ask', ask, ...what });
	const { ok, failed } = await answered;
	if (failed) {
		throw errors[failed];
	}
	return ok;
}

/**
 * Tells a page what happens to a share from now on, and what it may have missed: whether it is paused, and the cursor,
 * whose image comes only once.
 * @param {unknown} share its id @param {any} live
 */
function watch(share, live) {
	if (watched.has(live)) {
		return;
	}
	watched.add(live);
	const tell = (/** @type {object} */ event) => post({ portlight: API, share, ...event });
	const hear = (/** @type {any} */ message) => {
		const { type: event, data, ...rest } = message ?? {};
		if (event === 'opened') {
			askTrack(live, { what: 'source' }).then((source) => tell({ event: 'source', ...source }), () => {});
		} else if (event === 'cursor') {
			const pixels = data && { pixels: Uint8ClampedArray.from(atob(data), (character) => character.charCodeAt(0)) };
			tell({ event, ...rest, ...pixels });
		} else if (/^(ended|paused|resumed|resize)$/.test(event)) {
			tell({ event, ...rest });
		}
	};
	[live.paused, live.cursor].filter((state) => state).forEach(hear);
	live.listeners.add(hear);
}

/** @type {Record<string, (said: Said) => any>} */
const verbs = {
	version: () => ({ version: chrome.runtime.getManifest().version, api: API }),
	async capabilities() {
		if (!capable) {
			capable = chrome.runtime.sendMessage({ type: 'capabilities' });
			setTimeout(() => (capable = null), FRESH_MS);
		}
		const known = await capable;
		if (!known) {
			throw errors['host-crashed'];
		}
		return known;
	},
	request,
	source: (said) => askTrack(shareOf(said), { what: 'source' }),
	snapshot(said) {
		expect(said.as == null || /^image\/(png|jpeg|webp)$/.test(said.as));
		return askTrack(shareOf(said), { what: 'snapshot', as: said.as });
	},
	pause: (said) => pauses(said, 'pause'),
	resume: (said) => pauses(said, 'resume'),
	async change(said) {
		const { sourceId, region } = said;
		expect(typeof sourceId === 'string' && (region == null || isRegion(region)));
		const live = shareOf(said);
		const changed = next(live, (message) => /^(opened|unchanged)$/.test(message.type));
		live.tellBackground({ type: 'change', sourceId, region });
		const { type, ...failure } = await changed;
		if (type === 'unchanged') {
			throw failure;
		}
		return askTrack(live, { what: 'source' });
	},
};

/** @param {Said} said @param {'pause' | 'resume'} type */
async function pauses(said, type) {
	const live = shareOf(said);
	const done = next(live, (message) => message.type === 'pauses');
	live.tellBackground({ type });
	return { pausedBy: (await done).by };
}

/** @param {Said} said @param {MessagePort} [port] */
async function take(said, port) {
	const { id, ask } = said;
	/** @type {{ok?: unknown, error?: PageError}} */
	let answer;
	try {
		expect(said.portlight === API && Object.hasOwn(verbs, ask));
		answer = { ok: await verbs[ask](said) };
	} catch (error) {
		// Anything else is the browser's word for an extension that was updated or removed under this page.
		const ours = /** @type {PageError} */ (errors[String(error)] ?? error);
		answer = { error: typeof ours.code === 'string' ? ours : errors['host-crashed'] };
	}
	const transfer = answer.ok instanceof ImageBitmap ? [answer.ok] : [];
	if (port) {
		port.postMessage({ id, ...answer }, transfer);
	} else {
		post({ portlight: API, id, ...answer }, transfer);
	}
	// Not before: the page begins to listen when it has the answer.
	if (ask === 'source' && answer.ok) {
		watch(said.share, shareOf(said));
	}
}

/** @param {Record<string, PageError>} texts */
function start(texts) {
	errors = texts;
	page.api.hear = take;
	page.listen('pagehide', () => requests.forEach((over) => over(errors.cancelled)));
	page.api.early.splice(0).forEach((/** @type {[Said, MessagePort?]} */ said) => take(...said));
}

page.api.start ??= start;
