/** Who may ask, and when: pages that try to get more dialogs, or more of the screen, than they were given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './clock.js';
import { FakePort, sender, useStorage } from './fake.js';
import { A, browser, codeOf, documentOf, holds, place, time } from './places.js';

const { Consent } = await import('../../extension/background/consent.js');
const { Requests } = await import('../../extension/background/requests.js');
const { Failure } = await import('../../extension/shared/failure.js');

const denied = new Failure('denied');

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

test('remembered: only where the user allowed it, clicks into the page just then, and in no private window', async () => {
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

test('remembered: only for the page of the tab, in front; a click into a frame may be meant for what hides it', async () => {
	useStorage({ sites: { [A]: { consent: 'allow' } } });
	const consent = new Consent();
	const tab = { tab: { incognito: false } };
	documentOf().act();
	documentOf(1, 5).act();
	assert.equal(await consent.remembers(place({ frameId: 5, top: 'https://evil.example' }), tab, {}), false, 'a frame of it in another page');
	assert.equal(await consent.remembers(place({ frameId: 5 }), tab, {}), false, 'in its own page, which may hide it too');
	assert.equal(await consent.remembers(place(), tab, {}), true);
	browser.front = 2;
	assert.equal(await consent.remembers(place(), tab, {}), false, 'another tab or window is in front');
	browser.front = 1;
	Object.assign(documentOf().says, { prerendering: true });
	assert.equal(await consent.remembers(place(), tab, {}), false);
});

test('only a visible document of the tab in front may ask', async () => {
	const consent = new Consent();
	assert.equal(await codeOf(consent.admit(place())), 'ok');
	documentOf().clobber('visibilityState', 'prerendering');
	for (const says of [{ visibilityState: 'hidden' }, { prerendering: true }]) {
		Object.assign(documentOf().says, { visibilityState: 'visible', prerendering: false }, says);
		assert.equal(await codeOf(consent.admit(place())), 'not-in-front', JSON.stringify(says));
	}
	browser.front = 2;
	assert.equal(await codeOf(consent.admit(place({ tabId: 3 }))), 'not-in-front', 'of another tab or window');
	assert.equal(await codeOf(consent.admit(place({ tabId: 2 }))), 'ok');
});

test('what the user chose for a site is not had by a frame of it in a page of another', async () => {
	const [B, C] = ['https://b.example', 'https://c.example'];
	useStorage({ sites: { [A]: { consent: 'allow', displayMedia: true }, [B]: { displayMedia: true }, [C]: { consent: 'block' } } });
	const consent = new Consent();
	const display = { display: true };
	const frame = (top, origin = A) => place({ frameId: 5, origin, ...(top && { top }) });
	assert.equal(await codeOf(consent.expectOffered(place(), display)), 'ok');
	assert.equal(await codeOf(consent.expectOffered(frame(), display)), 'ok', 'in a page of its own site');
	assert.equal(await codeOf(consent.expectOffered(frame(B), display)), 'ok', 'where both are switched to it');
	for (const top of ['https://evil.example', C, 'null']) {
		assert.equal(await codeOf(consent.expectOffered(frame(top), display)), 'not-supported', top);
	}
	assert.equal(await codeOf(consent.admit(frame(C))), 'site-blocked', 'the page around it is blocked');
	assert.equal(await codeOf(consent.admit(frame(A, C))), 'site-blocked', 'the frame is');
	assert.equal(await codeOf(consent.admit(frame(B))), 'ok');
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
