/** Whether the page around a frame lets it share, in a browser that tells and in one that does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chrome } from './fake.js';
import { A, browser, codeOf, place } from './places.js';

const { Consent } = await import('../../extension/background/consent.js');
const { chainLets } = await import('../../extension/background/frame-policy.js');

test("a page's own policy holds for the page itself, where the browser tells it", async () => {
	browser.policy = false;
	assert.equal(await codeOf(new Consent().admit(place())), 'frame-forbidden');
	browser.policy = null;
	assert.equal(await codeOf(new Consent().admit(place())), 'ok');
});

test('an iframe whose address is none is no reason to refuse the others', async (t) => {
	browser.policy = null;
	const iframe = (src, allow) => ({ src, allow, hasAttribute: () => false });
	const own = { document: globalThis.document, window: globalThis.window, browser: globalThis.browser };
	t.after(() => Object.assign(globalThis, own));
	const elements = [iframe('https://:0:0/', ''), iframe('https://b.example/x', 'display-capture')];
	globalThis.window = { origin: A };
	globalThis.document = { querySelectorAll: () => elements, baseURI: A };
	globalThis.browser = { runtime: { getFrameId: (element) => elements.indexOf(element) + 6 } };
	await new Consent().admit(place({ frameId: 7 })).catch(() => {});
	const { func } = browser.scripts.find(({ func: { name } }) => name === 'readFrame');
	assert.deepEqual(func().children, [
		{ id: 6, allow: '', source: '' },
		{ id: 7, allow: 'display-capture', source: 'https://b.example' },
	]);
});

test('a frame needs the permissions policy, which the browser tells where it can', async () => {
	const consent = new Consent();
	const frame = place({ frameId: 7 });
	assert.equal(await codeOf(consent.admit(frame)), 'ok');
	assert.deepEqual(browser.scripts[0].target, { tabId: 1, frameIds: [7] });
	assert.notEqual(browser.scripts[0].world, 'MAIN', 'the frame has no say');
	browser.policy = false;
	assert.equal(await codeOf(consent.admit(frame)), 'frame-forbidden');
	chrome.scripting.executeScript = async () => {
		throw new Error('No frame with id 7');
	};
	assert.equal(await codeOf(consent.admit(frame)), 'frame-forbidden');
});

test('where the browser tells no policy, the frames around it do', async () => {
	const consent = new Consent();
	browser.policy = null;
	const child = (allow, source = 'https://b.example') => [{ frameId: 0, result: { origin: A, children: [{ id: 7, allow, source }] } }];
	/** @type {[string, string][]} */
	const cases = [
		['', 'frame-forbidden'],
		['camera; microphone', 'frame-forbidden'],
		['display-capture', 'ok'],
		['camera; Display-Capture ;', 'ok'],
		['display-capture *', 'ok'],
		["display-capture 'src'", 'ok'],
		["display-capture 'none'", 'frame-forbidden'],
		["display-capture 'self'", 'frame-forbidden'],
		['display-capture https://b.example', 'ok'],
		['display-capture https://c.example', 'frame-forbidden'],
		['display-capture-x', 'frame-forbidden'],
	];
	for (const [allow, expected] of cases) {
		browser.frames = [...child(allow), { frameId: 7, result: { origin: 'https://b.example', children: [] } }];
		assert.equal(await codeOf(consent.admit(place({ frameId: 7, origin: 'https://b.example' }))), expected, allow);
	}
	// The frame went elsewhere since: its src no longer speaks for it.
	browser.frames = [...child('display-capture'), { frameId: 7, result: { origin: 'https://evil.example', children: [] } }];
	assert.equal(await codeOf(consent.admit(place({ frameId: 7, origin: 'https://evil.example' }))), 'frame-forbidden');
});

test('every frame on the way up has to let it, and what is not seen does not', () => {
	const frame = (origin, ...children) => ({ origin, children });
	const child = (id, allow = 'display-capture *') => ({ id, allow, source: 'https://x.example' });
	const frames = (middle) =>
		new Map([
			[0, frame(A, child(3, middle))],
			[3, frame('https://b.example', child(4))],
			[4, frame('https://c.example')],
		]);
	assert.equal(chainLets(frames('display-capture *'), 4), true);
	assert.equal(chainLets(frames(''), 4), false);
	const hidden = frames('display-capture *');
	hidden.delete(3);
	assert.equal(chainLets(hidden, 4), false);
	assert.equal(chainLets(new Map([[0, frame(A, child(9, ''))], [9, frame(A)]]), 9), true, 'of the same origin');
	const loop = new Map([[3, frame(A, child(4))], [4, frame(A, child(3))]]);
	assert.equal(chainLets(loop, 4), false, 'frames that lie about each other come to an end');
});
