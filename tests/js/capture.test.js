/** Which way a request takes, what the host is asked for, and what becomes of a share that can't be given to its page. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { Document } from './document.js';
import { chrome, FakePort, lastHost, sender, useHost, useStorage } from './fake.js';

const { Capture, nativeWish } = await import('../../extension/background/capture.js');
const { Host } = await import('../../extension/background/host.js');
const { Shares } = await import('../../extension/background/shares.js');
const { placeOf } = await import('../../extension/background/source-ids.js');

const time = useTime();
/** The document that asks. */
let frame;
/** What the browser does with a script that is loaded into it. */
let load;

beforeEach(() => {
	useStorage();
	useHost();
	delete chrome.desktopCapture;
	frame = new Document();
	load = async () => undefined;
	chrome.scripting = {
		executeScript: async (script) => [{ frameId: 0, result: await (script.func ? frame.run(script) : load()) }],
	};
});

/** A request of a page, up to its answer. */
function asked(wish = {}, sources = ['screen', 'window']) {
	const [page, far] = FakePort.pair('page', sender());
	const shares = new Shares(() => {});
	const capture = new Capture(new Host(), shares, { remembers: async () => false });
	const left = new AbortController();
	const given = capture.choose(far, placeOf(sender()), left.signal, sources, wish);
	given.catch(() => {});
	return { given, left, page, shares };
}

test('a page that is granted a share gets its id once the track is there', async () => {
	const { given, shares } = asked({ cursor: 'always' });
	assert.match((await given).sourceId, /^portlight:/);
	assert.equal(shares.has('https://a.example'), true);
	const { sources, cursor } = lastHost().of('share')[0];
	assert.deepEqual({ sources, cursor }, { sources: ['monitor', 'window'], cursor: 'embedded' });
});

test('a page that decodes nothing of the host is told before anybody is asked, and no host is started', async () => {
	chrome.runtime.hosts = [];
	frame.says.codecs = ['av01.0.04M.08'];
	await assert.rejects(asked().given, { code: 'no-decoder', domName: 'NotSupportedError' });
	for (const name of ['vp8', 'vp09.00.10.08']) {
		frame.says.codecs = [name];
		await asked().given;
	}
	const hosts = chrome.runtime.hosts.length;
	frame.world.VideoDecoder = undefined;
	await assert.rejects(asked().given, { code: 'no-decoder' });
	frame.world.VideoDecoder = {}; // An element with that name, where the browser has no such class.
	await assert.rejects(asked().given, { code: 'no-decoder' });
	assert.equal(chrome.runtime.hosts.length, hosts);
});

let hosts = 0;
/** Chromium, whose own dialog is counted, with another host than before. */
async function useChooser(session = {}) {
	await time.pass(10_000 * ++hosts); // What the one before said is no longer fresh, though each test's clock starts again.
	const opened = [];
	chrome.desktopCapture = { chooseDesktopMedia: (sources, _tab, answer) => void opened.push(sources, answer('the-browsers', {})) };
	useHost({ hello: () => ({ protocol: 1, version: '1.2.3', supports: ['vp8', 'monitor', 'window'], portal: 4, ...session }) });
	return opened;
}

const BROWSER = 'the-browsers';
for (const [what, expected, { settings, policy, session = { wayland: true }, wish, sources }] of /** @type {any[]} */ ([
	['in a Wayland session', 'host', {}],
	['in an X11 session', BROWSER, { session: { wayland: false } }],
	['with an older host, which does not tell', BROWSER, { session: {} }],
	['without a portal', BROWSER, { session: { wayland: true, portal: 0 } }],
	['for a tab', BROWSER, { sources: ['screen', 'tab'] }],
	['for sound', BROWSER, { sources: ['screen', 'audio'] }],
	['for the page API', 'host', { session: { wayland: false }, wish: { dialect: 'portlight' } }],
	['for a tab by the page API', BROWSER, { wish: { dialect: 'portlight' }, sources: ['tab'] }],
	['for getDisplayMedia', 'host', { session: { wayland: false }, wish: { display: true } }],
	["if the user prefers the browser's", BROWSER, { settings: { capturePath: 'chooser' } }],
	["if the user prefers the browser's, for the page API too", BROWSER, { settings: { capturePath: 'chooser' }, wish: { dialect: 'portlight' } }],
	["if the user prefers the browser's, but not for getDisplayMedia", 'host', { settings: { capturePath: 'chooser' }, wish: { display: true } }],
	["if the user prefers the desktop's", 'host', { settings: { capturePath: 'native' }, session: { wayland: false }, sources: ['tab'] }],
	["if the organization forces the desktop's", 'host', { settings: { capturePath: 'chooser' }, policy: { nativePath: 'forced' } }],
	['if the organization forbids the host', BROWSER, { policy: { nativePath: 'off' }, wish: { dialect: 'portlight' } }],
])) {
	test(`in a browser with a dialog of its own, ${what}: ${expected}`, async () => {
		useStorage(settings, policy);
		await useChooser(session);
		const { sourceId } = await asked(wish, sources).given;
		assert.equal(sourceId.startsWith('portlight:') ? 'host' : sourceId, expected);
	});
}

test("where the page can't decode the host's picture, the browser's own dialog is the next best, if it may be", async () => {
	frame.says.codecs = [];
	const opened = await useChooser({ wayland: true });
	assert.equal((await asked().given).sourceId, BROWSER);
	await assert.rejects(asked({ display: true }).given, { code: 'no-decoder' });
	useStorage({ capturePath: 'native' });
	await assert.rejects(asked().given, { code: 'no-decoder' });
	assert.equal(opened.filter(Boolean).length, 1);
});

test('a share that the browser lets into no page ends with the reason', async () => {
	load = async () => {
		throw new Error('This page cannot be scripted due to an ExtensionsSettings policy.');
	};
	const { given, shares } = asked();
	await settle();
	await time.pass(1_000);
	await assert.rejects(given, { code: 'page-closed-off', detail: /ExtensionsSettings/ });
	assert.deepEqual([lastHost().of('stop').length, lastHost().connected, shares.has('https://a.example')], [1, false, false]);
});

test('a page that leaves meanwhile was not refused; its share ends', async () => {
	for (const when of ['before', 'a little later', 'in the end']) {
		useHost();
		const { given, left } = asked();
		load = async () => {
			if (when !== 'in the end') {
				setTimeout(() => left.abort(), when === 'before' ? 0 : 100);
				throw new Error('The frame was removed.');
			}
			left.abort();
		};
		await settle();
		await time.pass(1_000);
		await assert.rejects(given, { code: 'cancelled' }, when);
		assert.deepEqual([lastHost().of('stop').length, lastHost().connected], [1, false], when);
	}
});

async function offered() {
	const withdrawal = new AbortController();
	const [near, far] = FakePort.pair('test', sender());
	new Capture(new Host(), new Shares(() => {}), { remembers: async () => false }).offerTest(far, withdrawal.signal);
	near.postMessage({ type: 'request' });
	await settle();
	return { near, withdrawal };
}

test('the test of the first run: where the organization switched the host off, it is not even started', async () => {
	useStorage({}, { nativePath: 'off' });
	useHost();
	const { near } = await offered();
	assert.deepEqual(near.received.map(({ type, code }) => [type, code]), [['refused', 'native-off']]);
	assert.equal(chrome.runtime.hosts.length, 0);
});

test('the test of the first run: its dialog is closed with all others', async () => {
	useStorage();
	useHost({
		share: () => {},
		cancel: ({ request }, port) => port.postMessage({ type: 'error', id: request, code: 'cancelled', message: '', remedy: '' }),
	});
	const { near, withdrawal } = await offered();
	assert.deepEqual(near.received, []);
	withdrawal.abort();
	await settle();
	assert.deepEqual(near.received.map(({ type, code }) => [type, code]), [['refused', 'cancelled']]);
	assert.equal(lastHost().of('cancel').length, 1);
});

test('wishes in the host\'s words', () => {
	assert.deepEqual(nativeWish({}), { cursor: 'embedded', multiple: false, needs: [] });
	assert.deepEqual(nativeWish({}, 'never'), { cursor: 'hidden', multiple: false, needs: [] }, 'a default fails nothing');
	assert.equal(nativeWish({ cursor: 'always' }, 'never').cursor, 'embedded', 'what a page asks for goes first');
	assert.deepEqual(nativeWish({ cursor: 'toString' }), { cursor: 'embedded', multiple: false, needs: [] });
	assert.deepEqual(nativeWish({ cursor: 'never', region: true }), {
		cursor: 'hidden',
		multiple: false,
		needs: ['cursor-hidden', 'region'],
	});
	assert.deepEqual(nativeWish({ multiple: true }).needs, ['multiple']);
	assert.deepEqual(nativeWish({ cursor: 'send' }).needs, ['cursor-metadata', 'cursor-send']);
});
