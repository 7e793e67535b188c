/** How long a page that was refused has to wait, and how it may try not to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './clock.js';
import { useStorage } from './fake.js';
import { browser, codeOf, documentOf, holds, place, reload, time } from './places.js';

const { Consent } = await import('../../extension/background/consent.js');
const { Failure } = await import('../../extension/shared/failure.js');

const denied = new Failure('denied');

test('refusals cost more each time, and a touch helps only at first', async () => {
	const consent = new Consent();
	documentOf().act();
	assert.equal(await holds(consent), false);
	await consent.settle(place(), denied);
	assert.equal(await holds(consent), true, 'asks again at once by itself');
	documentOf().act();
	assert.equal(await holds(consent), false, 'the user clicked');
	await consent.settle(place(), denied);
	assert.equal(await holds(consent), true, 'that click was for the dialog that was refused');
	await time.pass(2_001);
	assert.equal(await holds(consent), true);
	await time.pass(8_000);
	assert.equal(await holds(consent), false);
	await consent.settle(place(), denied);
	await settle();
	documentOf().act('keydown', { key: 'a' });
	assert.equal(await holds(consent), true, 'three in a row: even a click waits a little');
	await time.pass(2_001);
	assert.equal(await holds(consent), false);
	for (let i = 0; i < 20; i++) {
		await consent.settle(place(), denied);
	}
	await settle();
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

test('a document that is reloaded has not been clicked into, whatever the browser took over from the one before', async () => {
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

test('an element of the page hides no click', async () => {
	const consent = new Consent();
	documentOf().clobber('portlightTouched', 'portlight');
	await consent.settle(place(), denied);
	assert.equal(await holds(consent), true);
	documentOf().act();
	assert.equal(await holds(consent), false);
});
