/** Ways to the extension beside its popup: a keyboard shortcut, menus, and the page of the first run. */
import { ext } from './ext.js';

const STOP = 'stop-all';
const SITE = 'site-settings';

/**
 * @param {string} name
 * @param {('action' | 'page')[]} where
 * @param {boolean} visible
 */
function item(name, where, visible) {
	const contexts = /** @type {[chrome.contextMenus.ContextType]} */ (/** @type {unknown} */ (where));
	const title = ext.i18n.getMessage(name === STOP ? 'stopAll' : 'menuSite');
	// What an earlier life of this background made is there already.
	ext.contextMenus.create({ id: name, title, contexts, visible }, () => ext.runtime.lastError);
}

/** @param {chrome.tabs.Tab | undefined} tab */
async function openSite(tab) {
	// The page of all settings may open in another window, whose history is kept: no private site is named there.
	const origin = tab?.url && !tab.incognito && URL.canParse(tab.url) ? new URL(tab.url).origin : '';
	await ext.tabs.create({ url: `${ext.runtime.getURL('ui/options.html')}#${origin}` });
}

/** The page of the first run. A browser that has just started may have no window for it yet. */
function welcome() {
	const create = () => ext.tabs.create({ url: ext.runtime.getURL('ui/welcome.html') });
	create().catch(() => {
		const { onCreated } = ext.windows;
		onCreated.addListener(function first() {
			onCreated.removeListener(first);
			void create();
		});
	});
}

/** @param {() => Promise<void>} stopAll */
export function begin(stopAll) {
	ext.commands.onCommand.addListener((name) => {
		if (name === STOP) {
			void stopAll();
		}
	});
	ext.contextMenus.onClicked.addListener(({ menuItemId }, tab) => void (menuItemId === STOP ? stopAll() : openSite(tab)));
	ext.runtime.onInstalled.addListener(({ reason }) => {
		if (reason === 'install') {
			welcome();
		}
	});
	item(STOP, ['action', 'page'], false);
	item(SITE, ['action'], true);
	show(false);
}

/** @param {boolean} sharing whether there is anything to stop */
export function show(sharing) {
	ext.contextMenus.update(STOP, { visible: sharing }).catch(() => {});
}
