/** A notification for each share that began without the desktop's dialog, for as long as it lasts. */
import { ext } from './ext.js';

const PREFIX = 'restored ';

/** @type {Set<number>} shares by key */
const shown = new Set();

/** @param {string} origin */
const hostOf = (origin) => (URL.canParse(origin) ? new URL(origin).host : origin);

/** @param {import('./share.js').ShareInfo} share */
function create({ key, origin, title }) {
	const { getMessage } = ext.i18n;
	const options = {
		type: /** @type {'basic'} */ ('basic'),
		iconUrl: ext.runtime.getURL('icons/icon-128.png'),
		title: getMessage('restoredTitle', [hostOf(origin)]),
		message: getMessage('restoredHint', [title || hostOf(origin)]),
	};
	// Firefox knows no buttons and refuses what it does not know.
	const more = ext.runtime.getURL('').startsWith('moz-') ? {} : { buttons: [{ title: getMessage('stop') }], requireInteraction: true };
	ext.notifications.create(`${PREFIX}${key}`, { ...options, ...more }).catch((/** @type {unknown} */ error) => {
		console.warn('Portlight: no notification:', error);
	});
}

/** @param {import('./share.js').ShareInfo[]} live */
export function show(live) {
	for (const share of live) {
		if (share.restored && !shown.has(share.key)) {
			shown.add(share.key);
			create(share);
		}
	}
	for (const key of shown) {
		if (!live.some((share) => share.key === key)) {
			shown.delete(key);
			void ext.notifications.clear(`${PREFIX}${key}`);
		}
	}
}

/**
 * @param {(key: number) => void} stop
 * @param {() => import('./share.js').ShareInfo[]} list
 */
export function begin(stop, list) {
	/** @param {string} id */
	const keyOf = (id) => (id.startsWith(PREFIX) ? Number(id.slice(PREFIX.length)) : NaN);
	ext.notifications.onButtonClicked?.addListener((id) => stop(keyOf(id)));
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
