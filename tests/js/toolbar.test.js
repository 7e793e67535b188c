/** What the user sees of the background: the toolbar button, menus, notifications and the page of the first run. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome, FakeEvent, FakePort, sender, useHost, useStorage } from './fake.js';
import { documentOf, place, time } from './places.js';

const { Host } = await import('../../extension/background/host.js');
const { Requests } = await import('../../extension/background/requests.js');
const { Failure } = await import('../../extension/shared/failure.js');

/** @type {{icon?: string, badge?: string, title?: string}} */
let button;
/** @type {Record<string, any>} what the background keeps over its restarts */
let session;
/** @type {Map<string, any>} */
let menus;
/** The addresses of tabs that were opened. @type {any[]} */
let tabs;
/** What of the extension's host permissions the user took away. @type {string[]} */
let withheld;
/** The notifications on the screen. @type {Map<string, any>} */
let notices;
/** @type {(string | number)[]} */
let stopped;
let windows;
let base;
let nextKey = 1;

beforeEach(() => {
	({ session } = useStorage());
	button = {};
	menus = new Map();
	tabs = [];
	notices = new Map([['restored 999', {}], ['somebody else', {}]]);
	stopped = [];
	withheld = [];
	windows = 1;
	useHost();
	base = 'chrome-extension://x/';
	const noop = async () => {};
	Object.assign(chrome, {
		i18n: { getMessage: (name, values = []) => (name.startsWith('error_') ? '' : [name, ...values].join(' ').trim()) },
		action: {
			setIcon: async ({ path }) => {
				assert.equal(path[16].replace('16', '32'), path[32]);
				button.icon = path[16].match(/(\w+)-16/)[1];
			},
			setBadgeText: async ({ text }) => void (button.badge = text),
			setTitle: async ({ title }) => void (button.title = title),
			setBadgeBackgroundColor: noop,
			setBadgeTextColor: noop,
			getUserSettings: async () => ({ isOnToolbar: false }),
		},
		commands: { onCommand: new FakeEvent() },
		contextMenus: {
			onClicked: new FakeEvent(),
			create: ({ id, ...rest }, done) => done(menus.set(id, rest)),
			update: async (id, change) => void Object.assign(menus.get(id) ?? {}, change),
		},
		notifications: {
			create: async (id, options) => void notices.set(id, options),
			clear: async (id) => notices.delete(id),
			getAll: async () => Object.fromEntries([...notices.keys()].map((id) => [id, true])),
			onButtonClicked: new FakeEvent(),
			onClicked: new FakeEvent(),
		},
		permissions: {
			contains: async ({ origins }) => !origins.some((origin) => withheld.includes(origin)),
			onAdded: new FakeEvent(),
			onRemoved: new FakeEvent(),
		},
		windows: { onCreated: new FakeEvent() },
	});
	Object.assign(chrome.tabs, {
		create: async ({ url, active = true }) => {
			assert.notEqual(windows, 0, 'Not allowed to create tabs on the target window');
			tabs.push(`${url.replace(base, '')}${active ? '' : ', behind'}`);
		},
		update: async (...args) => void tabs.push(args),
	});
	const getManifest = () => ({ host_permissions: ['https://*/*', 'http://localhost/*'] });
	Object.assign(chrome.runtime, { onInstalled: new FakeEvent(), getManifest, getURL: (path) => base + path, sendMessage: noop });
});

/** As after a restart of the background: the module's own state is gone. */
let lives = 0;
async function start() {
	const toolbar = await import(`../../extension/background/toolbar.js?${lives++}`);
	toolbar.begin(new Host(), async () => void stopped.push('all'), (key) => stopped.push(key));
	await settle();
	return toolbar;
}

const share = (paused = false) => ({ key: 1, paused });
const restored = (more = {}) => ({ key: nextKey++, origin: 'https://a.example', title: 'A page', tabId: 7, restored: true, ...more });

test('the icon goes from idle over asking to sharing, paused, and back', async () => {
	const toolbar = await start();
	assert.deepEqual(button, { icon: 'icon', badge: '', title: 'name 0' });
	let answer = () => {};
	const open = () => new Promise((resolve) => (answer = resolve));
	const asked = toolbar.whileAsking({ tabId: 1, origin: 'https://a.example:8443' }, open);
	assert.deepEqual(button, { icon: 'asking', badge: '', title: 'titleAsking a.example:8443' });
	const answerFirst = answer;
	const framed = toolbar.whileAsking({ tabId: 2, origin: 'https://b.example', top: 'https://evil.example' }, open);
	toolbar.show([share()]);
	const inFrame = 'siteInFrame b.example evil.example';
	assert.deepEqual(button, { icon: 'asking', badge: '1', title: `titleAsking ${inFrame}` });
	assert.deepEqual(toolbar.asking(), [{ tabId: 1, site: 'a.example:8443' }, { tabId: 2, site: inFrame }]);
	answer();
	await framed;
	assert.equal(button.title, 'titleAsking a.example:8443');
	answerFirst();
	await asked;
	assert.deepEqual(button, { icon: 'sharing', badge: '1', title: 'sharing 1' });
	toolbar.show([share(true), share()]);
	assert.deepEqual([button.icon, button.badge], ['sharing', '2']);
	toolbar.show([share(true)]);
	assert.deepEqual([button.icon, button.title], ['paused', 'titlePaused 1']);
	toolbar.show([]);
	assert.deepEqual(button, { icon: 'icon', badge: '', title: 'name 0' });
});

test('a dialog that fails is over too', async () => {
	const toolbar = await start();
	await assert.rejects(toolbar.whileAsking({ tabId: 1, origin: 'null', top: 'null' }, () => Promise.reject(new Failure('denied'))));
	assert.equal(button.icon, 'icon');
});

test('a problem is shown until it is forgiven, across restarts of the background', async () => {
	(await start()).report(new Failure('host-missing', 'a detail'));
	assert.equal(button.icon, 'problem');
	assert.equal(session.failure.code, 'host-missing');
	const toolbar = await start();
	assert.equal(button.icon, 'problem');
	await toolbar.forgive();
	assert.equal(button.icon, 'icon');
	await start();
	assert.equal(button.icon, 'icon');
});

test('a share that works forgives what failed before; a restart takes its badge off', async () => {
	const toolbar = await start();
	toolbar.report(new Failure('portal-error'));
	toolbar.show([share()]);
	await settle();
	assert.equal(session.failure, undefined);
	assert.equal(button.badge, '1');
	await start();
	assert.deepEqual(button, { icon: 'icon', badge: '', title: 'name 0' });
});

test('shortcut and menus', async () => {
	const toolbar = await start();
	assert.equal(menus.get('stop-all').visible, false);
	toolbar.show([share()]);
	await settle();
	assert.equal(menus.get('stop-all').visible, true);
	chrome.commands.onCommand.emit('stop-all');
	const choose = chrome.contextMenus.onClicked;
	choose.emit({ menuItemId: 'stop-all' }, {});
	chrome.commands.onCommand.emit('something else');
	assert.deepEqual(stopped, ['all', 'all']);
	choose.emit({ menuItemId: 'site-settings' }, { url: 'https://a.example/secret?path' });
	choose.emit({ menuItemId: 'site-settings' }, { url: 'https://b.example/', incognito: true });
	await settle();
	assert.deepEqual(tabs, ['ui/options.html#https://a.example', 'ui/options.html#']);
});

/** @param {string} [reason] */
async function installed(reason = 'install') {
	chrome.runtime.onInstalled = new FakeEvent(); // The life before hears nothing.
	await start();
	chrome.runtime.onInstalled.emit({ reason });
	await settle();
	await time.pass(10_000);
}
const MISSING = { hello: (_message, host) => void host.disconnect({ message: 'Specified native messaging host not found.' }) };
const PORTAL = (/** @type {string} */ portalCode) => ({ hello: () => ({ protocol: 1, version: '1', supports: [], portal: 0, portalCode }) });

test('the first run opens the page that helps where something is missing, once in a profile, behind the page in use', async () => {
	for (const [what, prepare] of /** @type {[string, () => void][]} */ ([
		['the host', () => useHost(MISSING)],
		['a host that answers', () => useHost({ hello: () => {} })],
		['the portal', () => useHost(PORTAL('portal-missing'))],
		['a portal that answers', () => useHost(PORTAL('portal-timeout'))],
		['access to sites', () => (withheld = ['http://localhost/*'])],
	])) {
		useStorage();
		useHost();
		withheld = [];
		tabs.length = 0;
		prepare();
		await installed('update');
		assert.deepEqual(tabs, [], what);
		await installed();
		assert.deepEqual(tabs, ['ui/welcome.html, behind'], what);
		await installed(); // As at each start, where Chromium loads the extension from a folder.
		assert.equal(tabs.length, 1, what);
	}
});

test('where all is well, the first run shows nothing, and later ones ask no host', async () => {
	let hellos = 0;
	const hello = { protocol: 1, version: '1', supports: [], portal: 4 };
	// The portal is only starting.
	useHost({ hello: () => (++hellos === 1 ? PORTAL('portal-timeout').hello() : hello) });
	await installed();
	useHost(MISSING);
	await installed();
	assert.deepEqual([tabs, hellos], [[], 2]);
	assert.deepEqual(chrome.runtime.hosts, []);
});

test('sites that the extension is kept out of are a problem, until it is let in', async () => {
	const toolbar = await start();
	assert.deepEqual([button.icon, await toolbar.hasAccess()], ['icon', true]);
	withheld = ['https://*/*'];
	chrome.permissions.onRemoved.emit({});
	await settle();
	assert.deepEqual([button.icon, button.title, await toolbar.hasAccess()], ['problem', 'titleNoAccess 0', false]);
	toolbar.show([share()]);
	assert.equal(button.icon, 'sharing');
	toolbar.show([]);
	withheld = [];
	chrome.permissions.onAdded.emit({});
	await settle();
	assert.equal(button.icon, 'icon');
	withheld = ['https://*/*'];
	await start();
	assert.equal(button.title, 'titleNoAccess 0', 'from the start');
});

test('whether the button is on the toolbar is told where the browser tells', async () => {
	const toolbar = await start();
	assert.equal(await toolbar.isPinned(), false);
	delete chrome.action.getUserSettings;
	assert.equal(await toolbar.isPinned(), null);
});

test('the page of the first run waits for a window where the browser has none yet', async () => {
	windows = 0;
	useHost(MISSING);
	await installed();
	assert.deepEqual(tabs, []);
	windows = 1;
	chrome.windows.onCreated.emit({ id: 1 });
	chrome.windows.onCreated.emit({ id: 2 });
	await settle();
	assert.deepEqual(tabs, ['ui/welcome.html, behind']);
});

test('a share that was chosen by dialog is no news; one that was restored is, once, until it ends', async () => {
	const { show } = await start();
	const one = restored();
	const id = `restored ${one.key}`;
	show([restored({ restored: false }), one]);
	assert.deepEqual([...notices.keys()], ['somebody else', id], 'what an earlier life of the background showed is cleared');
	const { title, message, buttons, requireInteraction } = notices.get(id);
	assert.deepEqual([title, message], ['restoredTitle a.example', 'restoredHint A page']);
	assert.deepEqual([buttons.length, requireInteraction], [1, true]);
	notices.get(id).same = true;
	show([{ ...one, title: 'Another' }]);
	assert.equal(notices.get(id).same, true);
	await time.pass(60_000);
	assert.equal(notices.has(id), true, 'it stays as long as the share');
	show([]);
	assert.equal(notices.has(id), false);
});

test('a share that lasts a blink is told of long enough to be read, and not as if it went on', async () => {
	const { show } = await start();
	const one = restored();
	const id = `restored ${one.key}`;
	show([one]);
	show([]);
	assert.equal(notices.get(id)?.title, 'restoredOver a.example');
	assert.equal(notices.get(id).buttons, undefined, 'there is nothing to stop');
	await time.pass(9_000);
	show([]);
	assert.equal(notices.has(id), true);
	await time.pass(1_000);
	assert.equal(notices.has(id), false);
});

test('its Stop stops the share, and then it has been read', async () => {
	const { show } = await start();
	const one = restored();
	show([one]);
	chrome.notifications.onButtonClicked.emit('somebody else', 0);
	chrome.notifications.onButtonClicked.emit(`restored ${one.key}`, 0);
	assert.deepEqual(stopped, [one.key]);
	show([]);
	assert.equal(notices.has(`restored ${one.key}`), false);
});

test('a click leads to the tab, for as long as there is a share in it', async () => {
	const { show } = await start();
	const one = restored();
	show([one]);
	chrome.notifications.onClicked.emit('somebody else');
	assert.deepEqual(tabs, []);
	chrome.notifications.onClicked.emit(`restored ${one.key}`);
	assert.deepEqual(tabs, [[7, { active: true }]]);
	show([]);
	chrome.notifications.onClicked.emit(`restored ${one.key}`);
	assert.equal(tabs.length, 1);
});

test('Firefox is given no buttons, which it refuses; a desktop without notifications is no failure', async (t) => {
	base = 'moz-extension://x/';
	delete chrome.notifications.onButtonClicked;
	const { show } = await start();
	const one = restored({ origin: 'moz', title: '' });
	show([one]);
	const { title, message, ...rest } = notices.get(`restored ${one.key}`);
	assert.deepEqual([title, message], ['restoredTitle moz', 'restoredHint moz']);
	assert.deepEqual(Object.keys(rest).sort(), ['iconUrl', 'type']);
	const warn = t.mock.method(console, 'warn', () => {});
	chrome.notifications.create = async () => {
		throw new Error('no server');
	};
	show([one, restored()]);
	await settle();
	assert.equal(warn.mock.callCount(), 1);
});

test('the first time that the host is missing opens the page that helps, from then on a notification says what to do', async () => {
	const { explain } = await start();
	const failure = new Failure('host-missing');
	await explain(failure, place());
	assert.deepEqual(tabs, ['ui/welcome.html']);
	await explain(failure, place());
	const { title, message } = notices.get('failed');
	assert.deepEqual([tabs.length, title, message], [1, 'failedTitle a.example', `${failure.message} remedy_host_missing`]);
});

test('the same is not said over and over, however often a page asks', async (t) => {
	const { explain } = await start();
	const failure = new Failure('portal-error');
	const said = t.mock.method(chrome.notifications, 'create');
	for (let i = 0; i < 100; i++) {
		await explain(failure, place());
	}
	assert.equal(said.mock.callCount(), 1);
	await explain(failure, place({ origin: 'https://b.example' }));
	assert.equal(said.mock.callCount(), 2);
	await time.pass(60_001);
	await explain(failure, place({ origin: 'https://b.example' }));
	assert.equal(said.mock.callCount(), 3);
});

test("a page that asks too soon is explained to a user who clicked there; the user's own decisions are not", async (t) => {
	const { explain } = await start();
	const said = t.mock.method(chrome.notifications, 'create');
	for (const code of ['busy', 'cool-down', 'denied', 'cancelled', 'site-blocked', 'frame-forbidden']) {
		await explain(new Failure(code), place());
	}
	assert.equal(said.mock.callCount(), 0);
	documentOf().act();
	for (const code of ['denied', 'cancelled', 'site-blocked', 'frame-forbidden', 'cool-down']) {
		await explain(new Failure(code), place());
	}
	assert.equal(said.mock.callCount(), 1);
});

test('a page of the page API explains its failures itself', async () => {
	const told = [];
	const failing = async () => {
		throw new Failure('host-missing');
	};
	const requests = new Requests(failing, () => {}, undefined, undefined, ({ code }, { tabId }) => told.push([code, tabId]));
	for (const [tabId, dialect] of [[1, 'portlight'], [2, undefined], [3, 'janus']]) {
		const [near, far] = FakePort.pair('page', sender(tabId));
		requests.connect(far);
		near.postMessage({ type: 'request', dialect });
	}
	await settle();
	assert.deepEqual(told, [['host-missing', 2], ['host-missing', 3]]);
});
