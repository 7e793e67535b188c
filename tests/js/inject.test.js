/** What the background runs in pages, and when. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome } from './fake.js';

const inject = await import('../../extension/background/inject.js');

const place = { tabId: 3, frameId: 4, origin: 'https://a.example' };
const frame = { tabId: 3, frameIds: [4] };
/** @type {any[]} */
let scripts;
/** Whether the frame was granted a share before. */
let joined;

beforeEach(() => {
	scripts = [];
	joined = false;
	chrome.scripting = {
		executeScript: async (script) => {
			scripts.push(script);
			return [{ frameId: 4, result: script.func?.name === 'isJoined' ? joined : 'a result' }];
		},
	};
});

const loaded = () => scripts.flatMap(({ files = [], world }) => files.map((file) => `${world} ${file}`));

test('every script runs in a turn of its own, where the click that came with the message no longer counts', async () => {
	const ways = {
		loadDialects: () => inject.loadDialects(place),
		loadPageApi: () => inject.loadPageApi(place),
		loadTrack: () => inject.loadTrack(place),
		raiseFlag: () => inject.raiseFlag(place, 'flag'),
		runIn: () => inject.runIn(place, () => {}),
		runInTab: () => inject.runInTab(3, () => {}),
	};
	assert.deepEqual(Object.keys(inject).sort(), Object.keys(ways).sort());
	for (const [name, run] of Object.entries(ways)) {
		scripts = [];
		const done = run();
		await new Promise(process.nextTick); // Every promise, and nothing else.
		assert.equal(scripts.length, 0, name);
		await done;
		assert.ok(scripts.length > 0 && scripts.every(({ injectImmediately }) => injectImmediately), name);
	}
});

test('a script goes to the document that asked, where the browser names it', async () => {
	await inject.loadPageApi(place);
	await inject.runIn({ ...place, documentId: 'D' }, () => {}, 1, 2);
	assert.deepEqual(scripts.map(({ target, args }) => [target, args]), [[frame, undefined], [{ tabId: 3, documentIds: ['D'] }, [1, 2]]]);
	assert.deepEqual(loaded(), ['ISOLATED scripts/page-api.js']);
});

test('the track comes once', async () => {
	await inject.loadTrack(place);
	assert.deepEqual(loaded(), ['ISOLATED scripts/share.js', 'MAIN scripts/track.js']);
	scripts = [];
	joined = true;
	await inject.loadTrack(place);
	assert.deepEqual(loaded(), []);
});

test("sendMessage comes only to pages that may speak to an extension, and only in Chromium, which has desktopCapture", async () => {
	await inject.loadDialects(place);
	await inject.loadDialects(place, true);
	assert.deepEqual(loaded(), Array(2).fill('ISOLATED scripts/dialects.js'));
	scripts = [];
	chrome.desktopCapture = {};
	await inject.loadDialects(place, true);
	delete chrome.desktopCapture;
	assert.deepEqual(loaded(), ['ISOLATED scripts/dialects.js', 'MAIN scripts/runtime.js']);
});

test('what can not be run in a document that is gone has no result; what can not be loaded there says why', async () => {
	assert.equal(await inject.runIn(place, () => 'a result'), 'a result');
	assert.deepEqual(await inject.runInTab(3, () => 'a result'), new Map([[4, 'a result']]));
	chrome.scripting.executeScript = async () => {
		throw new Error('No frame with id 4');
	};
	assert.equal(await inject.runIn(place, () => {}), undefined);
	assert.deepEqual(await inject.runInTab(3, () => {}), new Map());
	await assert.rejects(inject.loadTrack(place), /No frame/);
	await settle();
});
