/** What the toolbar shows, and the ways to the extension beside its popup, on a fake of the browser's toolbar and menus. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome, FakeEvent, useStorage } from './fake.js';

/** @type {{icon?: string, badge?: string, title?: string}} */
let toolbar = {};
/** @type {Record<string, any>} what the background keeps over its restarts */
let session;
const menus = new Map();
const tabs = [];
let windows = 1;
const noop = async () => {};
const events = { onCommand: new FakeEvent(), onClicked: new FakeEvent(), onInstalled: new FakeEvent(), onCreated: new FakeEvent() };

Object.assign(chrome, {
	i18n: { getMessage: (name, values = []) => [name, ...values].join(' ').trim() },
	action: {
		setIcon: async ({ path }) => {
			assert.equal(path[16].replace('16', '32'), path[32]);
			toolbar.icon = path[16].match(/(\w+)-16/)[1];
		},
		setBadgeText: async ({ text }) => void (toolbar.badge = text),
		setTitle: async ({ title }) => void (toolbar.title = title),
		setBadgeBackgroundColor: noop,
		setBadgeTextColor: noop,
	},
	commands: { onCommand: events.onCommand },
	contextMenus: {
		onClicked: events.onClicked,
		create: ({ id, ...rest }, done) => done(menus.set(id, rest)),
		update: async (id, change) => void Object.assign(menus.get(id), change),
	},
	tabs: {
		create: async ({ url }) => {
			assert.notEqual(windows, 0, 'Not allowed to create tabs on the target window');
			tabs.push(url);
		},
	},
	windows: { onCreated: events.onCreated },
});
Object.assign(chrome.runtime, {
	onInstalled: events.onInstalled,
	getURL: (path) => `chrome-extension://portlight/${path}`,
	sendMessage: noop,
});

/** As after a restart of the background: the module's own state is gone. */
let lives = 0;
const freshFace = () => import(`../../extension/background/face.js?${lives++}`);
const { Failure } = await import('../../extension/shared/failure.js');

const share = (paused = false) => ({ key: 1, paused });

beforeEach(() => {
	toolbar = {};
	({ session } = useStorage());
});

test('the icon goes from idle over asking to sharing, paused, and back', async () => {
	const face = await freshFace();
	await face.begin();
	assert.deepEqual(toolbar, { icon: 'icon', badge: '', title: 'name 0' });
	let answer = () => {};
	const choose = face.whileAsking(() => new Promise((resolve) => (answer = resolve)));
	const asked = choose({}, { tabId: 1, frameId: 0, origin: 'https://a.example:8443' });
	assert.deepEqual(toolbar, { icon: 'asking', badge: '', title: 'titleAsking a.example:8443' });
	const answerFirst = answer;
	const framed = choose({}, { tabId: 2, frameId: 5, origin: 'https://b.example', top: 'https://evil.example' });
	face.show([share()]);
	const inFrame = 'siteInFrame b.example evil.example';
	assert.deepEqual(toolbar, { icon: 'asking', badge: '1', title: `titleAsking ${inFrame}` });
	assert.deepEqual(face.asking(), [{ tabId: 1, site: 'a.example:8443' }, { tabId: 2, site: inFrame }]);
	answer();
	await framed;
	assert.equal(toolbar.title, 'titleAsking a.example:8443');
	answerFirst();
	await asked;
	assert.deepEqual(toolbar, { icon: 'sharing', badge: '1', title: 'sharing 1' });
	face.show([share(true), share()]);
	assert.deepEqual([toolbar.icon, toolbar.badge], ['sharing', '2']);
	face.show([share(true)]);
	assert.deepEqual([toolbar.icon, toolbar.title], ['paused', 'titlePaused 1']);
	face.show([]);
	assert.deepEqual(toolbar, { icon: 'icon', badge: '', title: 'name 0' });
});

test('a dialog that fails is over too', async () => {
	const face = await freshFace();
	const [port, place] = [{}, { tabId: 1, frameId: 0, origin: 'null', top: 'null' }];
	await assert.rejects(face.whileAsking(() => Promise.reject(new Failure('denied')))(port, place));
	assert.equal(toolbar.icon, 'icon');
});

test('a problem is shown until it is forgiven, across restarts of the background', async () => {
	let face = await freshFace();
	face.report(new Failure('host-missing', 'a detail'));
	assert.equal(toolbar.icon, 'problem');
	assert.equal(session.failure.code, 'host-missing');
	face = await freshFace();
	await face.begin();
	assert.equal(toolbar.icon, 'problem');
	await face.forgive();
	assert.equal(toolbar.icon, 'icon');
	face = await freshFace();
	await face.begin();
	assert.equal(toolbar.icon, 'icon');
});

test('a share that works forgives what failed before; a restart takes its badge off', async () => {
	let face = await freshFace();
	face.report(new Failure('portal-error'));
	face.show([share()]);
	await settle();
	assert.equal(session.failure, undefined);
	assert.equal(toolbar.badge, '1');
	face = await freshFace();
	await face.begin();
	assert.deepEqual(toolbar, { icon: 'icon', badge: '', title: 'name 0' });
});

test('shortcut, menus and the first run', async () => {
	const controls = await import('../../extension/background/controls.js');
	let stopped = 0;
	controls.begin(async () => void stopped++);
	assert.equal(menus.get('stop-all').visible, false);
	controls.show(true);
	await settle();
	assert.equal(menus.get('stop-all').visible, true);
	events.onCommand.emit('stop-all');
	events.onClicked.emit({ menuItemId: 'stop-all' }, {});
	events.onCommand.emit('something else');
	assert.equal(stopped, 2);
	events.onClicked.emit({ menuItemId: 'site-settings' }, { url: 'https://a.example/secret?path' });
	events.onClicked.emit({ menuItemId: 'site-settings' }, { url: 'https://b.example/', incognito: true });
	events.onInstalled.emit({ reason: 'update' });
	events.onInstalled.emit({ reason: 'install' });
	await settle();
	assert.deepEqual(tabs, [
		'chrome-extension://portlight/ui/options.html#https://a.example',
		'chrome-extension://portlight/ui/options.html#',
		'chrome-extension://portlight/ui/welcome.html',
	]);
});

test('the page of the first run waits for a window where the browser has none yet', async () => {
	const controls = await import('../../extension/background/controls.js?started-without-window');
	events.onInstalled.listeners.clear();
	controls.begin(noop);
	tabs.length = 0;
	windows = 0;
	events.onInstalled.emit({ reason: 'install' });
	await settle();
	assert.deepEqual(tabs, []);
	windows = 1;
	events.onCreated.emit({ id: 1 });
	events.onCreated.emit({ id: 2 });
	await settle();
	assert.deepEqual(tabs, ['chrome-extension://portlight/ui/welcome.html']);
});
