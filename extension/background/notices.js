/** A notification for each share that began without the desktop's dialog: as long as it lasts, and long enough to be read. */
import { ext } from './ext.js';

/** @typedef {import('./share.js').ShareInfo} ShareInfo */

const PREFIX = 'restored ';
/** A share that lasts a blink has shown what it wants. */
const READ_MS = 10_000;

/** Those that are shown, by the key of the share. @type {Map<number, {share: ShareInfo, over: boolean, read: boolean}>} */
const shown = new Map();

/** @param {string} origin */
const hostOf = (origin) => (URL.canParse(origin) ? new URL(origin).host : origin);

/** @param {number} key */
function clear(key) {
	shown.delete(key);
	void ext.notifications.clear(`${PREFIX}${key}`);
}

/**
 * @param {ShareInfo} share
 * @param {boolean} over
 */
function create({ key, origin, title }, over) {
	const { getMessage } = ext.i18n;
	const options = {
		type: /** @type {'basic'} */ ('basic'),
		iconUrl: ext.runtime.getURL('icons/icon-128.png'),
		title: getMessage(over ? 'restoredOver' : 'restoredTitle', [hostOf(origin)]),
		message: over ? getMessage('restored') : getMessage('restoredHint', [title || hostOf(origin)]),
	};
	// Firefox knows no buttons and refuses what it does not know.
	const stop = over ? {} : { buttons: [{ title: getMessage('stop') }] };
	const more = ext.runtime.getURL('').startsWith('moz-') ? {} : { ...stop, requireInteraction: true };
	ext.notifications.create(`${PREFIX}${key}`, { ...options, ...more }).catch((/** @type {unknown} */ error) => {
		console.warn('Portlight: no notification:', error);
	});
}

/** @param {ShareInfo} share */
function begun(share) {
	const notice = { share, over: false, read: false };
	shown.set(share.key, notice);
	create(share, false);
	setTimeout(() => {
		notice.read = true;
		if (notice.over) {
			clear(share.key);
		}
	}, READ_MS);
}

/** @param {ShareInfo[]} live */
export function show(live) {
	for (const share of live) {
		if (share.restored && !shown.has(share.key)) {
			begun(share);
		}
	}
	for (const [key, notice] of shown) {
		if (notice.over || live.some((share) => share.key === key)) {
			continue;
		}
		if (notice.read) {
			clear(key);
		} else {
			notice.over = true;
			create(notice.share, true);
		}
	}
}

/**
 * @param {(key: number) => void} stop
 * @param {() => ShareInfo[]} list
 */
export function begin(stop, list) {
	/** @param {string} id */
	const keyOf = (id) => (id.startsWith(PREFIX) ? Number(id.slice(PREFIX.length)) : NaN);
	ext.notifications.onButtonClicked?.addListener((id) => {
		const notice = shown.get(keyOf(id));
		if (notice) {
			notice.read = true;
			stop(keyOf(id));
		}
	});
	ext.notifications.onClicked.addListener((id) => {
		const share = list().find(({ key }) => key === keyOf(id));
		if (share) {
			void ext.tabs.update(share.tabId, { active: true });
		}
	});
	// What an earlier life of this background showed is over.
	void ext.notifications.getAll().then((all) => {
		Object.keys(all).filter((id) => id.startsWith(PREFIX) && !shown.has(keyOf(id))).forEach((id) => ext.notifications.clear(id));
	});
}
