/** The background's one listener: who is answered, and how. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ask, hostFails, hostIs, refresh, share, startBackground, world } from '../page/lib/background.js';
import { settle } from './clock.js';
import { chrome, FakePort, sender } from './fake.js';

await startBackground('chrome-extension://portlight');
beforeEach(refresh);

/** @type {any[]} */
const scripts = [];
const { executeScript } = chrome.scripting;
chrome.scripting.executeScript = async (script) => {
	scripts.push(script);
	return executeScript(script);
};

/** One of our own pages in a tab, which the browser names a place of as it does of any page. */
const ownTab = { ...sender(7, 0, 'chrome-extension://portlight'), url: 'chrome-extension://portlight/ui/options.html' };

test("a page's content script is answered what pages may ask, and nothing that is for our own pages", async () => {
	const texts = await ask({ type: 'page-api' }, sender(3, 4));
	assert.deepEqual([texts['bad-ask'].name, texts['unknown-share'].name], ['TypeError', 'InvalidStateError']);
	assert.deepEqual(scripts.at(-1).target, { tabId: 3, frameIds: [4] });
	assert.equal((await ask({ type: 'capabilities' }, sender())).available, true);
	assert.equal(await ask({ type: 'dialects' }, sender()), true);
	for (const type of ['shares', 'asking', 'decline', 'stop', 'stop-all', 'pause', 'resume', 'share-stats', 'host-status', 'grants', 'revoke', 'forgive', 'awake']) {
		assert.equal(await ask({ type }, sender()), undefined, type);
	}
	assert.equal(await ask(null, sender()), undefined);
});

test('our own pages are answered, in a tab or not, and are no pages that ask for shares', async () => {
	const { track, id } = await share();
	for (const from of [undefined, ownTab]) {
		const list = await ask({ type: 'shares' }, from);
		assert.deepEqual(list.map(({ origin }) => origin), ['https://a.example']);
		assert.equal((await ask({ type: 'host-status' }, from)).ok, true);
		for (const type of ['page-api', 'capabilities', 'dialects']) {
			assert.equal(await ask({ type }, from), undefined, type);
		}
	}
	assert.deepEqual(await ask({ type: 'stop', key: (await ask({ type: 'shares' }))[0].key }), { ok: true });
	await settle();
	assert.equal(track.of('ended')[0].code, 'stopped');
	assert.equal(world.toHost.find(({ type }) => type === 'stop').share, id);
});

test('our own page changes the source of a share', async () => {
	const { track } = await share();
	const [{ key, region }] = await ask({ type: 'shares' });
	assert.equal(region, null);
	const asking = [];
	hostIs({}, {
		share: () => {
			asking.push(ask({ type: 'asking' }));
			return { share: 9, surface: 'window', width: 8, height: 8 };
		},
	});
	assert.deepEqual(await ask({ type: 'change', key }), { ok: true });
	assert.deepEqual((await asking[0]).map(({ site }) => site), ['a.example'], 'whose dialog it is can be seen');
	assert.deepEqual(track.of('opened').map(({ surface }) => surface), ['monitor', 'window']);
	assert.equal((await ask({ type: 'change', key: 99 })).code, 'unknown-share');
	assert.equal(await ask({ type: 'change', key }, sender()), undefined);
});

test('neither another extension nor a page that only looks like ours is one of our own', async () => {
	const others = [
		{ id: 'another', url: 'chrome-extension://portlight/ui/popup.html' },
		{ id: 'portlight', url: 'https://a.example/chrome-extension://portlight/' },
		{ id: 'portlight' },
	];
	for (const from of others) {
		assert.equal(await ask({ type: 'shares' }, from), undefined);
	}
});

test('a failure is told with what helps to our own pages; to content scripts it is null', async () => {
	hostFails();
	const { ok, code, remedy } = await ask({ type: 'host-status' });
	assert.deepEqual([ok, code, remedy.length > 0], [false, 'host-missing', true]);
	assert.deepEqual(await ask({ type: 'no such thing' }).then((answer) => answer.code), 'bad-ask');
	const { executeScript: before } = chrome.scripting;
	chrome.scripting.executeScript = async () => {
		throw new Error('No tab with id: 1');
	};
	assert.equal(await ask({ type: 'dialects' }, sender()), null);
	chrome.scripting.executeScript = before;
});

test('our own pages are told whether the extension may enter its sites, and is on the toolbar', async () => {
	assert.deepEqual(await ask({ type: 'access' }), { ok: true, granted: true });
	world.forbidden = ['https://*/*'];
	assert.deepEqual(await ask({ type: 'access' }), { ok: true, granted: false });
	assert.deepEqual(await ask({ type: 'toolbar' }), { ok: true, pinned: true });
	delete chrome.action.getUserSettings; // Firefox has no such thing.
	assert.deepEqual(await ask({ type: 'toolbar' }), { ok: true, pinned: null });
});

test('a page sets no global but those of the dialects', async () => {
	scripts.length = 0;
	for (const [name, expected] of [['skyway', true], ['alert', false], ['toString', false]]) {
		assert.equal(await ask({ type: 'dialect-global', name }, sender()), expected, name);
	}
	assert.deepEqual(scripts.map(({ world: where, args }) => [where, args]), [['MAIN', ['ScreenShareExtentionExists']]]);
});

test("what a frame is told for its page goes to the tab's own page, once its script is there", async () => {
	const sent = [];
	chrome.tabs.sendMessage = async (...args) => void sent.push(args);
	scripts.length = 0;
	await ask({ type: 'dialect-for-parent', said: { getChromeExtensionStatus: true }, around: 'https://a.example' }, sender(3, 4));
	assert.deepEqual(scripts.map(({ target }) => target), [{ tabId: 3, frameIds: [0] }]);
	assert.deepEqual(sent, [[3, { type: 'dialect-from-frame', said: { getChromeExtensionStatus: true }, around: 'https://a.example', others: true }, { frameId: 0 }]]);
});

test('a port of a kind that its sender may not have is closed', async () => {
	for (const [name, from, stays] of [['preview', sender(), false], ['test', sender(), false], ['test', ownTab, true], ['other', ownTab, false]]) {
		const [near, far] = FakePort.pair(name, from);
		chrome.runtime.onConnect.emit(far);
		await settle();
		assert.equal(near.connected, stays, name);
	}
});
