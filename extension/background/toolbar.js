/** What the user sees and uses outside our own pages: toolbar button, menus, shortcut, notifications, first run. */
import { portalFailure } from '../shared/failure.js';
import { failureText } from '../ui/text.js';
import { touchedNow } from './cooldown.js';
import { ext } from './ext.js';

/**
 * @typedef {import('./host.js').Host} Host
 * @typedef {import('./share.js').ShareInfo} ShareInfo
 * @typedef {import('../shared/failure.js').Failure} Failure
 * @typedef {import('./source-ids.js').Place} Place
 */

/** @type {ShareInfo[]} */
let live = [];
/** @typedef {Pick<Place, 'tabId' | 'origin' | 'top'>} Asker a page whose dialog is open */

/** @type {Asker[]} */
const askers = [];
let problem = false;
/** Whether the browser lets the extension into the pages that it is for. The user can take that away. */
let allowed = true;

/** What the user most needs to see: the icon and the title. */
function state() {
	if (askers.length > 0) {
		return ['asking', 'titleAsking'];
	}
	if (live.length > 0) {
		return live.every(({ paused }) => paused) ? ['paused', 'titlePaused'] : ['sharing', 'sharing'];
	}
	if (!allowed) {
		return ['problem', 'titleNoAccess'];
	}
	return problem ? ['problem', 'titleProblem'] : ['icon', 'name'];
}

/** @param {string} origin */
const hostOf = (origin) => (URL.canParse(origin) ? new URL(origin).host : origin);

/** @param {Asker} asker */
function nameOf({ origin, top }) {
	const [site, around] = [origin, top].map((one = '') => (URL.canParse(one) ? new URL(one).host : ext.i18n.getMessage('unnamedSite')));
	return top === undefined ? site : ext.i18n.getMessage('siteInFrame', [site, around]);
}

/** Whose dialogs are open, the newest last. */
export function asking() {
	return askers.map((asker) => ({ tabId: asker.tabId, site: nameOf(asker) }));
}

function draw() {
	const [icon, title] = state();
	const count = String(live.length);
	void ext.action.setIcon({ path: { 16: `/icons/${icon}-16.png`, 32: `/icons/${icon}-32.png` } });
	void ext.action.setBadgeBackgroundColor({ color: '#c01c28' });
	void ext.action.setBadgeTextColor({ color: '#ffffff' });
	void ext.action.setBadgeText({ text: live.length === 0 ? '' : count });
	void ext.action.setTitle({ title: ext.i18n.getMessage(title, [icon === 'asking' ? asking().slice(-1)[0].site : count]) });
	// Nobody listens while no popup is open.
	ext.runtime.sendMessage({ type: 'shares-changed' }).catch(() => {});
}

/** Whether the extension may enter all the pages that its manifest names. */
export async function hasAccess() {
	return ext.permissions.contains({ origins: ext.runtime.getManifest().host_permissions ?? [] });
}

async function checkAccess() {
	allowed = await hasAccess();
	draw();
}

/** Whether the button is on the browser's toolbar, not behind a menu; null: the browser doesn't tell. */
export async function isPinned() {
	return (await ext.action.getUserSettings?.())?.isOnToolbar ?? null;
}

/**
 * Shows who asks, for as long as the dialog is open.
 * @template Result @param {Asker} asker @param {() => Promise<Result>} open
 */
export async function whileAsking(asker, open) {
	askers.push(asker);
	draw();
	try {
		return await open();
	} finally {
		askers.splice(askers.indexOf(asker), 1);
		draw();
	}
}

/** Keeps the reason of the last failure for the popup; it outlives the worker. @param {Failure} failure */
export function report(failure) {
	console.warn('Portlight:', failure.code, failure.message, failure.detail);
	const { code, message, remedy, detail } = failure;
	problem = true;
	void ext.storage.session.set({ failure: { code, message, remedy, detail, when: Date.now() } });
	draw();
}

/** The last failure no longer matters. */
export async function forgive() {
	problem = false;
	await ext.storage.session.remove('failure');
	draw();
}

const STOP = 'stop-all';
const SITE = 'site-settings';

/** @param {string} name @param {('action' | 'page')[]} where @param {boolean} visible */
function item(name, where, visible) {
	const contexts = /** @type {[chrome.contextMenus.ContextType]} */ (/** @type {unknown} */ (where));
	const title = ext.i18n.getMessage(name === STOP ? 'stopAll' : 'menuSite');
	// An earlier run of this background may have made it already.
	ext.contextMenus.create({ id: name, title, contexts, visible }, () => ext.runtime.lastError);
}

/** @param {chrome.tabs.Tab | undefined} tab */
async function openSite(tab) {
	// The settings may open in another window, whose history is kept: don't name a private tab's site there.
	const origin = tab?.url && !tab.incognito && URL.canParse(tab.url) ? new URL(tab.url).origin : '';
	await ext.tabs.create({ url: `${ext.runtime.getURL('ui/options.html')}#${origin}` });
}

/** Whether something is missing that the page of the first run helps with. @param {Host} host */
async function needsHelp(host) {
	const unwell = async () => host.status().then(portalFailure, (failure) => failure);
	let failure = await unwell();
	if (failure?.code === 'portal-timeout') {
		failure = await unwell(); // It may only be starting.
	}
	return failure !== null || !(await hasAccess());
}

/**
 * The first run in this profile. Chromium calls each start of an extension that it loads from a folder an installation.
 * @param {Host} host
 */
async function firstRun(host) {
	const { welcomed } = await ext.storage.local.get({ welcomed: '' });
	if (!welcomed) {
		const needed = await needsHelp(host);
		if (needed) {
			await welcome();
		}
		await ext.storage.local.set({ welcomed: needed ? 'shown' : 'not needed' });
	}
}

/** Opens the page of the first run, behind the page in use. A browser that has just started may have no window for it yet. */
async function welcome() {
	const create = () => ext.tabs.create({ url: ext.runtime.getURL('ui/welcome.html'), active: false });
	try {
		await create();
	} catch {
		await new Promise((resolve) => {
			const { onCreated } = ext.windows;
			onCreated.addListener(function first() {
				onCreated.removeListener(first);
				resolve(create());
			});
		});
	}
}

/** Notifications of shares that began without the desktop's dialog. */
const RESTORED = 'restored ';
/** How long they stay at least: a share that lasts a moment may have shown all that it was after. */
const READ_MS = 10_000;

/** The shares with a notification, by key. @type {Map<number, {share: ShareInfo, over: boolean, read: boolean}>} */
const announced = new Map();

/** @param {string} id of a notification */
const keyOf = (id) => (id.startsWith(RESTORED) ? Number(id.slice(RESTORED.length)) : NaN);

/** @param {number} key */
function clear(key) {
	announced.delete(key);
	void ext.notifications.clear(`${RESTORED}${key}`);
}

/** @param {string} id @param {string} title @param {string} message @param {object} [more] */
async function notify(id, title, message, more) {
	const iconUrl = ext.runtime.getURL('icons/icon-128.png');
	try {
		await ext.notifications.create(id, { type: 'basic', iconUrl, title, message, ...more });
	} catch (error) {
		console.warn('Portlight: no notification:', error); // Not every desktop has them.
	}
}

/** @param {ShareInfo} share @param {boolean} over */
function notifyOf({ key, origin, title }, over) {
	const { getMessage } = ext.i18n;
	const heading = getMessage(over ? 'restoredOver' : 'restoredTitle', [hostOf(origin)]);
	const message = over ? getMessage('restored') : getMessage('restoredHint', [title || hostOf(origin)]);
	const stop = over ? {} : { buttons: [{ title: getMessage('stop') }] };
	// Firefox refuses options that it doesn't know.
	const more = ext.runtime.getURL('').startsWith('moz-') ? {} : { ...stop, requireInteraction: true };
	void notify(`${RESTORED}${key}`, heading, message, more);
}

/** @param {ShareInfo} share */
function announceFirst(share) {
	const notice = { share, over: false, read: false };
	announced.set(share.key, notice);
	notifyOf(share, false);
	setTimeout(() => {
		notice.read = true;
		if (notice.over) {
			clear(share.key);
		}
	}, READ_MS);
}

/** A notification for each share that began without the dialog: while it lasts, and long enough to be read. */
function announce() {
	for (const share of live) {
		if (share.restored && !announced.has(share.key)) {
			announceFirst(share);
		}
	}
	for (const [key, notice] of announced) {
		if (notice.over || live.some((share) => share.key === key)) {
			continue;
		}
		if (notice.read) {
			clear(key);
		} else {
			notice.over = true;
			notifyOf(notice.share, true);
		}
	}
}

/** @param {ShareInfo[]} shares */
export function show(shares) {
	const more = shares.length > live.length;
	live = shares;
	if (more) {
		void forgive();
	}
	draw();
	ext.contextMenus.update(STOP, { visible: live.length > 0 }).catch(() => {});
	announce();
}

/** The same failure on the same site isn't notified again sooner, however often a page asks. */
const AGAIN_MS = 60_000;
/** Nothing is broken: only a user who just clicked in that page is told. */
const ASKED_TOO_SOON = ['busy', 'cool-down'];
/** Firefox reports the second for a program that isn't where its manifest says. */
const NOT_INSTALLED = ['host-missing', 'host-unusable'];

let last = { what: '', at: -Infinity };

/**
 * Tells the user what failed on a page made for another extension, which takes every failure for a refusal. The first time
 * that the host is missing this opens the page that helps; otherwise it is a notification.
 * @param {Failure} failure of a request @param {Place} place
 */
export async function explain(failure, place) {
	if (failure.intended && !(ASKED_TOO_SOON.includes(failure.code) && (await touchedNow(place)))) {
		return;
	}
	const { helped } = await ext.storage.local.get({ helped: false });
	if (NOT_INSTALLED.includes(failure.code) && !helped) {
		await ext.storage.local.set({ helped: true });
		await ext.tabs.create({ url: ext.runtime.getURL('ui/welcome.html') });
		return;
	}
	const what = `${failure.code} ${place.origin}`;
	if (what === last.what && Date.now() < last.at + AGAIN_MS) {
		return;
	}
	last = { what, at: Date.now() };
	const { message, remedy } = failureText(failure);
	await notify('failed', ext.i18n.getMessage('failedTitle', [hostOf(place.origin)]), `${message} ${remedy}`.replaceAll('`', ''));
}

/** @param {Host} host @param {() => Promise<void>} stopAll @param {(key: number) => void} stop */
export function begin(host, stopAll, stop) {
	ext.commands.onCommand.addListener((name) => {
		if (name === STOP) {
			void stopAll();
		}
	});
	ext.contextMenus.onClicked.addListener(({ menuItemId }, tab) => void (menuItemId === STOP ? stopAll() : openSite(tab)));
	ext.runtime.onInstalled.addListener(({ reason }) => {
		if (reason === 'install') {
			void firstRun(host);
		}
	});
	ext.permissions.onAdded.addListener(() => void checkAccess());
	ext.permissions.onRemoved.addListener(() => void checkAccess());
	ext.notifications.onButtonClicked?.addListener((id) => {
		const notice = announced.get(keyOf(id));
		if (notice) {
			notice.read = true;
			stop(keyOf(id));
		}
	});
	ext.notifications.onClicked.addListener((id) => {
		const share = live.find(({ key }) => key === keyOf(id));
		if (share) {
			void ext.tabs.update(share.tabId, { active: true });
		}
	});
	item(STOP, ['action', 'page'], false);
	item(SITE, ['action'], true);
	void cleanUp();
}

/**
 * Removes what an earlier run of this background left on the toolbar and the screen: no share outlives it. The last
 * failure is still true.
 */
async function cleanUp() {
	show([]);
	await checkAccess();
	problem = (await ext.storage.session.get('failure')).failure !== undefined;
	draw();
	const left = Object.keys(await ext.notifications.getAll()).filter((id) => id.startsWith(RESTORED) && !announced.has(keyOf(id)));
	left.forEach((id) => void ext.notifications.clear(id));
}
