/** What tells the person of a share that began without the desktop's dialog. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, FakeEvent } from './fake.js';

const { begin, show } = await import('../../extension/background/notices.js');

const time = useTime();
/** What is on the screen. @type {Map<string, any>} */
let notices;
/** @type {number[]} */
let stopped;
let base = 'chrome-extension://x/';
let nextKey = 1;

beforeEach(() => {
	notices = new Map([['restored 999', {}], ['somebody else', {}]]);
	stopped = [];
	base = 'chrome-extension://x/';
	chrome.runtime.getURL = (path) => base + path;
	chrome.i18n = { getMessage: (name, args = []) => [name, ...args].join(' ') };
	chrome.notifications = {
		create: async (id, options) => void notices.set(id, options),
		clear: async (id) => notices.delete(id),
		getAll: async () => Object.fromEntries([...notices.keys()].map((id) => [id, true])),
		onButtonClicked: new FakeEvent(),
		onClicked: new FakeEvent(),
	};
	chrome.tabs = { update: async (...args) => void notices.set('tab', args) };
});
afterEach(async () => {
	show([]);
	await time.pass(60_000);
});

const restored = (more = {}) => ({ key: nextKey++, origin: 'https://a.example', title: 'A page', tabId: 7, restored: true, ...more });

test('a share that was chosen by dialog is no news; one that was restored is, once, until it ends', async () => {
	const share = restored();
	const id = `restored ${share.key}`;
	show([restored({ restored: false }), share]);
	assert.deepEqual([...notices.keys()].filter((key) => key !== 'restored 999'), ['somebody else', id]);
	const { title, message, buttons, requireInteraction } = notices.get(id);
	assert.deepEqual([title, message], ['restoredTitle a.example', 'restoredHint A page']);
	assert.deepEqual([buttons.length, requireInteraction], [1, true]);
	notices.get(id).same = true;
	show([{ ...share, title: 'Another' }]);
	assert.equal(notices.get(id).same, true);
	await time.pass(60_000);
	assert.equal(notices.has(id), true, 'it stays as long as the share');
	show([]);
	assert.equal(notices.has(id), false);
});

test('a share that lasts a blink is told of long enough to be read, and not as if it went on', async () => {
	const share = restored();
	const id = `restored ${share.key}`;
	show([share]);
	show([]);
	assert.equal(notices.get(id)?.title, 'restoredOver a.example');
	assert.equal(notices.get(id).buttons, undefined, 'there is nothing to stop');
	await time.pass(9_000);
	show([]);
	assert.equal(notices.has(id), true);
	await time.pass(1_000);
	assert.equal(notices.has(id), false);
});

test('its Stop stops the share, and then it has been read', () => {
	begin((key) => stopped.push(key), () => []);
	const share = restored();
	show([share]);
	chrome.notifications.onButtonClicked.emit('somebody else', 0);
	chrome.notifications.onButtonClicked.emit(`restored ${share.key}`, 0);
	assert.deepEqual(stopped, [share.key]);
	show([]);
	assert.equal(notices.has(`restored ${share.key}`), false);
});

test('a click leads to the tab, for as long as there is a share in it', () => {
	const share = restored();
	let live = [share];
	begin(() => {}, () => live);
	show(live);
	chrome.notifications.onClicked.emit('somebody else');
	assert.equal(notices.has('tab'), false);
	chrome.notifications.onClicked.emit(`restored ${share.key}`);
	assert.deepEqual(notices.get('tab'), [7, { active: true }]);
	notices.delete('tab');
	live = [];
	chrome.notifications.onClicked.emit(`restored ${share.key}`);
	assert.equal(notices.has('tab'), false);
});

test('what an earlier life of the background showed is cleared, and nothing else', async () => {
	const share = restored();
	show([share]);
	begin(() => {}, () => []);
	await settle();
	assert.deepEqual([...notices.keys()], ['somebody else', `restored ${share.key}`]);
});

test('Firefox is given no buttons, which it refuses; a desktop without notifications is no failure', async (t) => {
	base = 'moz-extension://x/';
	delete chrome.notifications.onButtonClicked;
	begin(() => {}, () => []);
	const share = restored({ origin: 'moz', title: '' });
	show([share]);
	const { title, message, ...rest } = notices.get(`restored ${share.key}`);
	assert.deepEqual([title, message], ['restoredTitle moz', 'restoredHint moz']);
	assert.deepEqual(Object.keys(rest).sort(), ['iconUrl', 'type']);
	const warn = t.mock.method(console, 'warn', () => {});
	chrome.notifications.create = async () => {
		throw new Error('no server');
	};
	show([share, restored()]);
	await settle();
	assert.equal(warn.mock.callCount(), 1);
});
