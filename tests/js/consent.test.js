/** Who may ask, and when: pages that try to get more dialogs, or more of the screen, than they were given. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { Document } from './document.js';
import { chrome, FakePort, sender, useStorage } from './fake.js';

const { Consent } = await import('../../extension/background/consent.js');
const { chainLets } = await import('../../extension/background/frames.js');
const { Requests } = await import('../../extension/background/requests.js');
const { Failure } = await import('../../extension/shared/failure.js');

const A = 'https://a.example';
const place = (over = {}) => ({ tabId: 1, frameId: 0, origin: A, ...over });
const time = useTime();
/** What the browser says of the frames: the policy, and what the extension's scripts see in them. */
let browser;

/** @param {number} [tabId] @param {number} [frameId] */
function documentOf(tabId = 1, frameId = 0) {
	const key = `${tabId} ${frameId}`;
	if (!browser.documents.has(key)) {
		browser.documents.set(key, new Document());
	}
	return browser.documents.get(key);
}

/** A page's script loads a frame anew. @param {number} [tabId] @param {number} [frameId] */
function reload(tabId = 1, frameId = 0) {
	browser.documents.set(`${tabId} ${frameId}`, new Document(documentOf(tabId, frameId)));
}

beforeEach(() => {
	useStorage();
	browser = { policy: true, documents: new Map(), scripts: [], frames: [] };
	chrome.scripting = {
		executeScript: async (script) => {
			browser.scripts.push(script);
			const { func, args, target } = script;
			if (func.name === 'policySays') {
				assert.deepEqual(args, ['display-capture']);
				return [{ frameId: target.frameIds[0], result: browser.policy }];
			}
			if (func.name === 'readFrame') {
				return browser.frames;
			}
			assert.notEqual(script.world, 'MAIN', 'the page has no say');
			const all = [...browser.documents.keys()].map((key) => key.split(' ').map(Number));
			const frames = target.allFrames ? all.filter(([tabId]) => tabId === target.tabId).map(([, id]) => id) : target.frameIds;
			return frames.map((frameId) => ({ frameId, result: documentOf(target.tabId, frameId).run(script) }));
		},
	};
});

/** @param {Promise<unknown>} promise */
async function codeOf(promise) {
	try {
		await promise;
		return 'ok';
	} catch (error) {
		return /** @type {any} */ (error).code;
	}
}

test('only secure origins may ask', async () => {
	const consent = new Consent();
	for (const origin of [A, 'http://localhost:3000', 'http://x.localhost', 'http://127.0.0.1', 'http://[::1]:8080']) {
		assert.equal(await codeOf(consent.admit(place({ origin }))), 'ok', origin);
	}
	const refused = ['null', 'http://a.example', 'http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'file://', 'about:blank', ''];
	for (const origin of refused) {
		assert.equal(await codeOf(consent.admit(place({ origin }))), 'insecure-page', origin);
	}
});

test('a blocked site is refused without a dialog, whoever blocked it', async () => {
	useStorage({ sites: { [A]: { consent: 'block' } } });
	assert.equal(await codeOf(new Consent().admit(place())), 'site-blocked');
	useStorage({ sites: { [A]: { consent: 'allow' } } }, { blockedSites: ['*'] });
	assert.equal(await codeOf(new Consent().admit(place())), 'site-blocked');
});

test('where getDisplayMedia is not ours, a page is told so before all else: it goes on with the browser\'s own', async () => {
	const wish = { type: 'request', display: true };
	const consent = new Consent();
	useStorage({ sites: { [A]: { consent: 'block' } } });
	await consent.settle(place(), new Failure('denied'));
	await consent.settle(place(), new Failure('denied'));
	const requests = new Requests(() => assert.fail('asked'), () => {}, undefined, consent);
	const [near, far] = FakePort.pair('page', sender());
	requests.connect(far);
	near.postMessage(wish);
	await settle();
	assert.deepEqual(near.received.map(({ code }) => code), ['not-supported']);
	assert.equal(await codeOf(consent.admit(place())), 'site-blocked', 'as whoever asks in other words is told');
	useStorage({ sites: { [A]: { displayMedia: true } } });
	assert.equal(await codeOf(consent.expectOffered(place(), wish)), 'ok');
	assert.equal(await codeOf(consent.admit(place())), 'cool-down');
});

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

const denied = new Failure('denied');

/** Whether the place has to wait. */
const holds = async (consent, over = {}) => (await codeOf(consent.admit(place(over)))) === 'cool-down';

test('refusals cost more each time, and a touch helps only at first', async () => {
	const consent = new Consent();
	documentOf().act();
	assert.equal(await holds(consent), false);
	await consent.settle(place(), denied);
	assert.equal(await holds(consent), true, 'asks again at once by itself');
	documentOf().act();
	assert.equal(await holds(consent), false, 'the person clicked');
	await consent.settle(place(), denied);
	assert.equal(await holds(consent), true, 'that click was for the dialog that was refused');
	await time.pass(2_001);
	assert.equal(await holds(consent), true);
	await time.pass(8_000);
	assert.equal(await holds(consent), false);
	await consent.settle(place(), denied);
	documentOf().act('keydown', { key: 'a' });
	assert.equal(await holds(consent), true, 'three in a row: even a click waits a little');
	await time.pass(2_001);
	assert.equal(await holds(consent), false);
	for (let i = 0; i < 20; i++) {
		await consent.settle(place(), denied);
	}
	documentOf().act();
	await time.pass(59_000);
	assert.equal(await holds(consent), true);
	await time.pass(1_001);
	assert.equal(await holds(consent), false, 'it never takes longer than a minute for a click');
	await consent.settle(place(), denied);
	await time.pass(1_799_000);
	assert.equal(await holds(consent), true);
	await time.pass(1_001);
	assert.equal(await holds(consent), false);
});

test('events that a page makes are no touch, and neither is the key that closes things', async () => {
	const consent = new Consent();
	await consent.settle(place(), denied);
	documentOf();
	await holds(consent);
	documentOf().act('pointerdown', { isTrusted: false });
	documentOf().act('keydown', { key: 'Escape' });
	assert.equal(await holds(consent), true);
});

test('the wait can not be dodged: not by another frame, origin, tab, a lost worker or taken-back requests', async () => {
	const consent = new Consent();
	await consent.settle(place(), denied);
	for (const over of [{ frameId: 5 }, { tabId: 2 }, { origin: 'https://b.example' }]) {
		assert.equal(await holds(consent, over), true, JSON.stringify(over));
	}
	assert.equal(await codeOf(consent.admit(place({ tabId: 2, origin: 'https://b.example' }))), 'ok', 'others have no part in it');
	assert.equal(await holds(new Consent()), true, 'another life of the worker');
	const other = place({ tabId: 9, origin: 'https://flash.example' });
	for (let i = 0; i < 4; i++) {
		await consent.settle(other, new Failure('cancelled'));
	}
	await time.pass(5_000);
	assert.equal(await codeOf(consent.admit(other)), 'cool-down');
});

test('a click before the refusal is none since, in whichever frame of the tab it was', async () => {
	const consent = new Consent();
	documentOf(1, 5).act();
	await time.pass(1_000);
	await consent.settle(place(), denied);
	assert.equal(await holds(consent, { frameId: 5 }), true);
	documentOf(1, 5).act();
	assert.equal(await holds(consent), true, 'a frame is not the page around it');
	assert.equal(await holds(consent, { frameId: 5 }), false);
});

test('a document that is loaded anew has not been clicked into, whatever the browser took over from the one before', async () => {
	const consent = new Consent();
	for (let refusals = 0; refusals < 3; refusals++) {
		documentOf().act();
		documentOf(1, 5).act();
		await consent.settle(place(), denied);
	}
	for (let seconds = 0; seconds < 20; seconds++) {
		reload();
		reload(1, 5);
		browser.documents.delete('1 6'); // A frame that is taken out of the page and put back.
		for (const frameId of [0, 5, 6]) {
			assert.equal(await holds(consent, { frameId }), true, `frame ${frameId} after ${seconds} s`);
		}
		await time.pass(1_000);
	}
	reload();
	documentOf().act();
	assert.equal(await holds(consent), false, 'the first click into a document that is new');
});

test('a page of the same site in another tab needs a click of its own, and one is enough', async () => {
	const consent = new Consent();
	const other = { tabId: 2 };
	documentOf(2).act();
	await consent.settle(place(), denied);
	await consent.settle(place(), denied);
	assert.equal(await holds(consent, other), true);
	await time.pass(6_001);
	assert.equal(await holds(consent, other), true, 'its click was before');
	documentOf(2).act();
	assert.equal(await holds(consent, other), false);
	const third = { tabId: 3 };
	documentOf(3).act();
	assert.equal(await holds(consent, third), false, 'one that was never looked at');
});

test('names, ports and tabs of a site are the same site, so windows that a page opens wait with it', async () => {
	const consent = new Consent();
	for (let i = 0; i < 5; i++) {
		await consent.settle(place({ tabId: i, origin: `https://x${i}.evil.example:${8000 + i}` }), denied);
	}
	documentOf(9).act();
	await time.pass(6_001);
	documentOf(9).act();
	for (const name of ['new.evil.example', 'evil.example', 'a.b.evil.example.']) {
		assert.equal(await holds(consent, { tabId: 9, origin: `https://${name}` }), true, name);
	}
	assert.equal(await holds(consent, { tabId: 9, origin: 'https://good.example' }), false);
});

test('frames of many sites in one tab wait as the tab does, after a click too', async () => {
	const consent = new Consent();
	for (let i = 1; i <= 5; i++) {
		await consent.settle(place({ frameId: i, origin: `https://evil${i}.example` }), denied);
	}
	const next = { frameId: 9, origin: 'https://evil9.example' };
	assert.equal(await holds(consent, next), true);
	documentOf(1, 9).act();
	assert.equal(await holds(consent, next), true, 'five in a row: a click waits a minute');
	await time.pass(60_001);
	assert.equal(await holds(consent, next), false);
});

test('strangers under one suffix, on one machine or in one network are no site', async () => {
	/** @type {[string, string, boolean][]} */
	const pairs = [
		['https://a.example.co.uk', 'https://b.example.co.uk', true],
		['https://a.co.uk', 'https://b.co.uk', false],
		['https://a.com.au', 'https://b.com.au', false],
		['https://x.abc.io', 'https://y.abc.io', true],
		['https://example.com', 'https://example.org', false],
		['https://x.xn--e1afmkfd.xn--p1ai', 'https://y.xn--e1afmkfd.xn--p1ai', true],
		['https://192.168.0.1', 'https://10.9.0.1', false],
		['https://192.168.0.1', 'https://192.168.0.1:8443', true],
		['http://localhost:3000', 'http://localhost:4000', false],
		['http://a.localhost:3000', 'http://b.localhost:3000', true],
		['http://127.0.0.1:3000', 'http://127.0.0.1:4000', false],
		['http://[::1]:3000', 'http://[::1]:4000', false],
	];
	for (const [refused, asks, same] of pairs) {
		useStorage();
		const consent = new Consent();
		await consent.settle(place({ origin: refused }), denied);
		assert.equal(await holds(consent, { tabId: 2, origin: asks }), same, `${refused} ${asks}`);
	}
});

test('refusals in private windows and in others know nothing of each other', async () => {
	for (const [refused, free] of [[{}, { incognito: true }], [{ incognito: true }, {}]]) {
		useStorage();
		const consent = new Consent();
		await consent.settle(place({ tabId: 1, ...refused }), denied);
		assert.equal(await codeOf(consent.admit(place({ tabId: 2, ...refused }))), 'cool-down');
		assert.equal(await codeOf(consent.admit(place({ tabId: 3, ...free }))), 'ok');
	}
});

test('a grant forgives, and other failures are not held against the page', async () => {
	const consent = new Consent();
	await consent.settle(place(), denied);
	await consent.settle(place(), null);
	assert.equal(await codeOf(consent.admit(place())), 'ok');
	for (const code of ['host-missing', 'portal-error', 'busy']) {
		await consent.settle(place(), new Failure(code));
	}
	assert.equal(await codeOf(consent.admit(place())), 'ok');
});

test('what is kept of refusals is bounded', async () => {
	const kept = useStorage();
	const consent = new Consent();
	for (let i = 0; i < 300; i++) {
		await consent.settle(place({ tabId: i, origin: `https://s${i}.example` }), denied);
	}
	assert.ok(kept.session.refusals.length <= 200);
	assert.equal(await codeOf(consent.admit(place({ tabId: 299, origin: 'https://s299.example' }))), 'cool-down');
});

test('remembered: only where the person allowed it, clicks into the page just then, and in no private window', async () => {
	useStorage({ sites: { [A]: { consent: 'allow' }, 'https://b.example': { consent: 'ask' } } });
	const consent = new Consent();
	const tab = { tab: { incognito: false } };
	documentOf().act();
	assert.equal(await consent.remembers(place(), tab, {}), true);
	assert.equal(await consent.remembers(place(), tab, { remember: true }), true);
	assert.equal(await consent.remembers(place(), tab, { remember: false }), false, 'a page may want less');
	assert.equal(await consent.remembers(place({ origin: 'https://b.example' }), tab, { remember: true }), false, 'never more');
	assert.equal(await consent.remembers(place(), { tab: { incognito: true } }, {}), false);
	assert.equal(await consent.remembers(place(), {}, {}), false);
	await time.pass(5_001);
	assert.equal(await consent.remembers(place(), tab, {}), false, 'nobody is there any more');
	documentOf().act();
	useStorage({ sites: { [A]: { consent: 'allow' } } }, { remember: false });
	assert.equal(await consent.remembers(place(), tab, {}), false, 'the organization');
});

/** Requests with the real rules, whose dialogs the test answers. */
function setUp() {
	const dialogs = [];
	const choose = (port, where, signal) => new Promise((resolve, reject) => dialogs.push({ port, where, signal, resolve, reject }));
	const consent = new Consent();
	const requests = new Requests(choose, () => {}, undefined, consent);
	const page = (...from) => {
		const [near, far] = FakePort.pair('page', sender(...from));
		requests.connect(far);
		return near;
	};
	return { consent, dialogs, page };
}

test('a flood of requests is one dialog, and after a refusal a trickle of answers', async () => {
	const { dialogs, page } = setUp();
	const port = page();
	const frames = Array.from({ length: 50 }, (_, i) => page(1, i + 1, `https://f${i}.example`));
	for (let i = 0; i < 1000; i++) {
		port.postMessage({ type: 'request' });
		frames[i % 50].postMessage({ type: 'request' });
	}
	await settle();
	assert.equal(dialogs.length, 1);
	dialogs[0].reject(denied);
	await settle();
	assert.deepEqual(port.received.map(({ code }) => code), ['denied']);
	for (let i = 0; i < 1000; i++) {
		port.postMessage({ type: 'request' });
	}
	await time.pass(300);
	assert.deepEqual(port.received.map(({ code }) => code), ['denied']);
	await time.pass(5_000);
	assert.deepEqual(port.received.map(({ code }) => code), ['denied', 'cool-down']);
	assert.equal(dialogs.length, 1, 'nobody is asked again');
});

test('a share that was restored forgives nothing: nobody may have been asked', async () => {
	for (const restored of [true, false]) {
		useStorage();
		const { consent, dialogs, page } = setUp();
		await consent.settle(place(), denied);
		await time.pass(2_001);
		page().postMessage({ type: 'request' });
		await settle();
		dialogs[0].resolve({ sourceId: 'portlight:x', restored });
		await settle();
		await consent.settle(place(), denied);
		await time.pass(2_001);
		assert.equal(await holds(consent), restored, restored ? 'the second in a row' : 'the first');
	}
});

test('a page that went away while it was being looked at opens no dialog', async () => {
	const { dialogs, page } = setUp();
	const port = page();
	port.postMessage({ type: 'request' });
	port.disconnect();
	await settle();
	assert.equal(dialogs.length, 0);
});

test('a document that took the place of another in the same frame is another place', async () => {
	const { placeOf, SourceIds } = await import('../../extension/background/source-ids.js');
	const ids = new SourceIds();
	const before = placeOf({ ...sender(), documentId: 'one' });
	const id = ids.mint(before, {}, () => {});
	assert.equal(ids.redeem(id, placeOf({ ...sender(), documentId: 'two' })), null);
	assert.ok(ids.redeem(id, before));
});
