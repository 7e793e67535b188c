/** What the background tells the page API of this machine. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { Document } from './document.js';
import { chrome, lastHost, sender, useHost, useStorage } from './fake.js';

const { Consent } = await import('../../extension/background/consent.js');
const { Host } = await import('../../extension/background/host.js');
const { placeOf } = await import('../../extension/background/source-ids.js');
/** The document that asks, as the browser has it. */
let frame;
chrome.scripting = { executeScript: async (script) => [{ frameId: 0, result: frame.run(script) }] };

const all = ['vp8', 'vp9', 'monitor', 'window', 'cursor-hidden', 'cursor-embedded', 'cursor-metadata', 'cursor-send', 'fidelity-text', 'region', 'multiple', 'grants'];
const hello = (supports, portal = 4, more = {}) => ({ hello: () => ({ protocol: 1, version: '1.2.3', supports, portal, ...more }) });
const time = useTime();
let capabilitiesOf;
let host;
/** The tab in front. */
let front;
/** A fresh background: what it knows of the host is kept for a few seconds. */
let life = 0;
beforeEach(async () => {
	const module = await import(`../../extension/background/capabilities.js?${++life}`);
	({ capabilitiesOf } = module);
	host = new Host(module.learn);
	useStorage();
	delete chrome.desktopCapture;
	chrome.runtime.hosts = [];
	frame = new Document();
	frame.act();
	front = 1;
	chrome.tabs = { query: async () => [{ id: front }] };
});

const ask = (from = sender()) => capabilitiesOf(placeOf(from), host, new Consent());

test('they are those of the host, which is asked once and let go', async () => {
	useHost(hello(all));
	const [first, second] = await Promise.all([ask(), ask()]);
	assert.deepEqual(first, {
		available: true,
		sources: ['screen', 'window'],
		codecs: ['vp9', 'vp8'],
		fidelity: ['motion', 'text'],
		cursor: ['always', 'never', 'send'],
		region: true,
		multiple: true,
		remember: true,
		controls: true,
		displayMedia: false,
	});
	assert.deepEqual(second, first);
	await settle();
	assert.deepEqual(chrome.runtime.hosts.map(({ connected }) => connected), [false]);
});

test('an older host has less', async () => {
	useHost(hello(['vp8', 'monitor', 'cursor-embedded']));
	const { sources, codecs, fidelity, cursor, region, remember } = await ask();
	assert.deepEqual([sources, codecs, fidelity, cursor, region, remember], [['screen'], ['vp8'], ['motion'], ['always'], false, false]);
});

test('a portal or a host that is only starting is asked again at once', async () => {
	useHost(hello([], 0, { portalCode: 'portal-timeout' }));
	assert.equal((await ask()).error.code, 'portal-timeout');
	useHost({ hello: () => {} });
	const slow = ask();
	await settle();
	await time.pass(1_900);
	assert.equal((await slow).error.code, 'host-slow');
	lastHost().postMessage({ type: 'result', id: lastHost().received[0].id, ...hello(all).hello() });
	await settle();
	useHost(hello(all));
	assert.equal((await ask()).available, true);
});

test('without a portal, the browser\'s own dialog is what there is, or nothing, with the reason', async () => {
	useHost(hello(all, 0));
	const nothing = await ask();
	assert.deepEqual([nothing.available, nothing.controls, nothing.error.code], [false, false, 'portal-missing']);
	chrome.desktopCapture = {};
	const own = await ask();
	assert.deepEqual([own.available, own.controls, own.sources], [true, false, ['screen', 'window', 'tab', 'audio']]);
});

test("where the host is switched off, or the browser's own dialog preferred, it is not even asked", async () => {
	for (const [settings, policy] of [[{}, { nativePath: 'off' }], [{ capturePath: 'chooser' }, {}]]) {
		useStorage(settings, policy);
		useHost(hello(all));
		chrome.desktopCapture = {};
		const { available, controls, error } = await ask();
		assert.deepEqual([available, controls, error], [true, false, undefined]);
		assert.deepEqual(chrome.runtime.hosts, []);
	}
});

test('a page that nobody clicks into is told what is known, and starts no host', async () => {
	useHost(hello(all));
	await time.pass(5_001);
	assert.equal((await ask()).error.code, 'not-activated', 'nothing is known yet');
	assert.deepEqual(chrome.runtime.hosts, []);
	await host.look(); // The popup, another page's request: it is the same whoever asked.
	await settle();
	assert.equal((await ask()).available, true);
	frame.act();
	const elsewhere = front;
	for (const hide of [() => (front = 9), () => ((front = elsewhere), (frame.says.visibilityState = 'hidden'))]) {
		hide();
		assert.equal((await ask()).available, true);
	}
	assert.equal(chrome.runtime.hosts.length, 1);
});

test('what is known is told at once, in a click too: the time of the answer says nothing of the host', async () => {
	useHost(hello(['vp8', 'monitor']));
	await host.look();
	await settle();
	useHost({ hello: () => {} });
	assert.deepEqual((await ask()).sources, ['screen']);
	assert.equal(chrome.runtime.hosts.length, 1, 'it is asked again, for the next answer');
	lastHost().postMessage({ type: 'result', id: lastHost().received[0].id, ...hello(all).hello() });
	await settle();
	assert.deepEqual((await ask()).sources, ['screen', 'window']);
});

test('a place that may never ask learns nothing, and starts nothing', async () => {
	useHost(hello(all));
	await host.look();
	await settle();
	chrome.runtime.hosts = [];
	useStorage({ ...structuredClone(await chrome.storage.local.get(null)), sites: { 'https://blocked.example': { consent: 'block' } } });
	const nothing = { available: false, sources: [], codecs: [], controls: false };
	const places = { 'insecure-page': sender(1, 5, 'null'), 'site-blocked': sender(1, 0, 'https://blocked.example'), 'frame-forbidden': sender(1, 5, 'https://ad.example') };
	frame.says.policy = false;
	for (const [code, from] of Object.entries(places)) {
		const { available, sources, codecs, controls, error } = await ask(from);
		assert.deepEqual({ available, sources, codecs, controls }, nothing, code);
		assert.equal(error.code, code);
	}
	assert.deepEqual(chrome.runtime.hosts, []);
});
