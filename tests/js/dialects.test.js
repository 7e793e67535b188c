import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { afterEach } from 'node:test';
import { makeWindow, posted, run } from './classic.js';
import { settle, useTime } from './clock.js';
import { makeRuntime } from './fake.js';
import { clients } from '../e2e/pages/dialects.js';
import { nativeSources, sourcesOf } from '../../extension/background/requests.js';

const time = useTime();
/** What pages never got an answer by. @type {MessagePort[]} */
const channels = [];
afterEach(() => channels.splice(0).forEach((port) => port.close()));
class Channel extends MessageChannel {
	constructor() {
		super();
		channels.push(this.port1);
	}
}
const GLOBALS = { skyway: 'ScreenShareExtentionExists', rongcloud: 'isScreenSharePluginInstalled' };
/** A document with as much in it as the dialects look for. */
function makeDocument({ script, html = '' }) {
	const attributes = {};
	const app = {
		setAttribute: (name, value) => Object.assign(attributes, { [name]: value }),
		getAttribute: (name) => attributes[name],
	};
	const elements = [];
	return Object.assign(new EventTarget(), {
		hidden: false,
		attributes,
		elements,
		scripts: script ? [{ src: `https://a.example/${script}` }] : [],
		querySelector: (selector) => (html.includes('id="app"') && selector.includes('#app') ? app : null),
		getElementById: (id) => elements.find((element) => element.id === id) ?? null,
		createElement: () => ({}),
		body: { append: (element) => elements.push(element) },
	});
}

/** A page and, in a world of its own that shares the page's window, the extension. */
function frameOf(client, { others = true, legacy = false, href = 'https://a.example/', parent = null } = {}) {
	const document = makeDocument(client);
	class Navigator {}
	const page = makeWindow({ Navigator, MessageChannel: Channel, chrome: {}, document, events: [], said: [], sessionStorage: {} }, time);
	page.sessionStorage.setItem = (name, value) => Object.assign(page.sessionStorage, { [name]: value });
	Object.assign(page, { parent: parent ?? page, top: parent ?? page });
	page.addEventListener('message', ({ data }) => page.said.push(data));
	document.addEventListener('respoke-chrome-screen-sharing-available', ({ detail }) => page.events.push(detail));
	const load = ({ signs } = {}) => {
		run(world, 'content/answers.js');
		signs && run(page, 'page/runtime.js');
		return others;
	};
	const { ports, runtime, sent } = makeRuntime((message) => {
		if (message.type === 'dialect-global') {
			page[GLOBALS[message.name]] = true;
		} else if (message.type === 'dialect-for-parent') {
			frame.onParent(structuredClone(message.said), message.around);
		}
		return message.type === 'dialects' ? load(message) : true;
	});
	const { sessionStorage } = page;
	const world = makeWindow({ chrome: { runtime }, document, location: new URL(href), sessionStorage }, time);
	world.window = page;
	legacy && run(page, 'page/runtime.js');
	run(world, 'content/relay.js', 'content/framed.js');
	run(page, 'page/messages.js');
	const frame = { document, load, onMessage: runtime.onMessage, onParent: () => {}, page, ports, sent };
	return frame;
}

/** As the browser opens it: the page's document is complete, and the dialects have had their time. */
async function open(name, options) {
	const client = clients[name];
	const top = frameOf(client, options);
	if (client.framed) {
		const inner = frameOf({}, { ...options, href: 'https://b.example/getScreenId.html', parent: top.page });
		inner.onParent = (said, around) => {
			const all = top.load();
			top.onMessage.emit({ type: 'dialect-from-frame', said, around, others: all });
		};
		top.inner = inner;
		top.page.frames = [{ postMessage: (data) => inner.page.dispatchEvent(posted(structuredClone(data), top.page)) }];
	}
	top.document.readyState = 'interactive';
	top.document.dispatchEvent(new Event('readystatechange'));
	await settle();
	return top;
}

/** What a promise came to. */
const outcome = (promise) => promise.then((value) => value, (error) => error.message);

/** The dialect's name without what a client does with it. */
const entry = (name) => (name === 'bigbluebutton' ? 'jidesha' : name.split(',')[0]);

for (const [name, client] of Object.entries(clients)) {
	test(`${name}: the page finds the extension, asks and gets its id`, async () => {
		const { page, ports } = await open(name);
		if (client.detect) {
			assert.ok(await client.detect(page));
		}
		assert.equal(ports.length, 0, 'finding it asks nobody');
		const asking = client.ask(page);
		await settle();
		assert.equal(ports.length, 1);
		const [request] = ports[0].of('request');
		assert.equal(request.dialect, name === 'rongcloud' ? 'deepstream' : entry(name));
		ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
		assert.equal(await asking, 'portlight:x');
		assert.equal(page.said.includes('PermissionDeniedError'), false);
	});

	test(`${name}: a refusal is what the page understands as one`, async () => {
		const { page, ports } = await open(name);
		await client.detect?.(page);
		const before = page.said.length;
		const asking = outcome(client.ask(page));
		await settle();
		ports[0].postMessage({ type: 'refused', code: 'denied', message: '', remedy: '' });
		await settle();
		if (client.denial === 'silent') {
			assert.equal(page.said.length, before + 1, 'only its own request');
		} else {
			assert.equal(await asking, 'denied');
		}
	});

	test(`${name}: a page that leaves withdraws its request and hears nothing more`, async () => {
		const { page, ports } = await open(name);
		await client.detect?.(page);
		void outcome(client.ask(page));
		await settle();
		const before = page.said.length;
		page.dispatchEvent(new Event('pagehide'));
		await settle();
		assert.equal(ports[0].connected, false);
		assert.equal(page.said.length, before);
	});

	test(`${name}: a hidden page asks when it is shown`, async () => {
		const { document, page, ports } = await open(name);
		await client.detect?.(page);
		document.hidden = true;
		const asking = client.ask(page);
		await settle();
		assert.equal(ports.length, 0);
		document.hidden = false;
		document.dispatchEvent(new Event('visibilitychange'));
		await settle();
		ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
		assert.equal(await asking, 'portlight:x');
	});

	if (client.abort) {
		test(`${name}: the page takes its request back, and can ask again`, async () => {
			const { page, ports } = await open(name);
			const over = client.abort(page);
			await settle();
			assert.ok(await over);
			assert.equal(ports[0].connected, false);
			const asking = client.ask(page);
			await settle();
			ports[1].postMessage({ type: 'granted', sourceId: 'portlight:y' });
			assert.equal(await asking, 'portlight:y');
		});

		test(`${name}: a page that does so in a loop opens no more than so many ports`, async () => {
			const { page, ports } = await open(name);
			for (let i = 0; i < 120; i++) {
				void outcome(client.abort(page)); // It waits for the answer to a request that was refused.
				await settle();
			}
			assert.equal(ports.length, 100);
			assert.equal(ports.some(({ connected }) => connected), false);
		});
	}

	if (!['deepstream', 'rongcloud'].includes(name)) {
		test(`${name}: switched off, it is not answered`, async () => {
			const { document, page, ports } = await open(name, { others: false });
			const before = page.said.length;
			void outcome(client.ask(page));
			await settle();
			assert.equal(ports.length, 0);
			assert.ok(page.said.length - before <= 1);
			assert.deepEqual([document.elements, document.attributes, page.events], [[], {}, []]);
		});
	}
}

test('every dialect of the table has a client here, and the other way round', () => {
	const source = readFileSync(new URL('../../extension/content/dialects.js', import.meta.url), 'utf8');
	const table = source.slice(source.indexOf('const dialects = {'));
	const names = [...table.slice(0, table.indexOf('\n};')).matchAll(/^\t(\w+): \{$/gm)].map(([, name]) => name);
	assert.deepEqual(new Set(Object.keys(clients).map(entry)), new Set(names));
});

test('a page that speaks none sees nothing, and nobody is told of it', async () => {
	const { document, page, ports, sent } = frameOf({ script: 'app.js' });
	const before = Reflect.ownKeys(page);
	const others = ['get', 'addon-installed', 'hello', '', null, 7, true, {}, [], { type: 'message' }, { data: 1 }, { type: { toString: 1 } }];
	others.forEach((data) => page.postMessage(data, '*'));
	await settle();
	document.dispatchEvent(new Event('readystatechange'));
	assert.deepEqual([ports, sent], [[], []]);
	assert.deepEqual(structuredClone(page.said), others);
	assert.deepEqual(Reflect.ownKeys(page), before);
	assert.deepEqual([document.elements, document.attributes], [[], {}]);
});

test('words like a dialect\'s that are none load the table and get no answer', async () => {
	const { page, ports, sent } = frameOf({});
	const others = [{ type: 'SS_UI_OTHER' }, { type: 'getScreen' }, { from: 'jsapi' }, { requestId: 3 }, 'get-screen'];
	others.forEach((data) => page.postMessage(data, '*'));
	await settle();
	assert.deepEqual(sent, ['dialects']);
	assert.deepEqual([ports, page.said.length], [[], 5]);
});

test('a frame of such an address still hears everything else that the page around it says', async () => {
	const { inner, page, ports } = await open('getscreenid');
	const heard = []; // By a listener that, as a page's, is younger than the relay's.
	inner.page.addEventListener('message', ({ data }) => heard.push(data));
	['hello', { type: 'x' }, null, 7].forEach((data) => page.frames[0].postMessage(data, '*'));
	await settle();
	assert.deepEqual(structuredClone(heard), ['hello', { type: 'x' }, null, 7]);
	page.frames[0].postMessage({ captureSourceId: true }, '*');
	await settle();
	assert.deepEqual([heard.length, inner.ports.length, ports.length], [4, 0, 1]);
});

test("'get-sourceId' is answered for all who share it, in one message", async () => {
	const { page, ports } = await open('muaz');
	page.postMessage('get-sourceId', '*');
	page.postMessage('get-sourceId', '*');
	await settle();
	assert.equal(ports.length, 1);
	ports[0].postMessage({ type: 'granted', sourceId: 'x', canRequestAudioTrack: true });
	await settle();
	assert.deepEqual(structuredClone(page.said.slice(2)), [{ sourceId: 'x', chromeMediaSourceId: 'x', canRequestAudioTrack: true }]);
});

test("'requestScreenSourceId' is answered once more, with a type, where the page is RongCloud's", async () => {
	const typed = { type: 'onResponseReqSouId', sourceId: 'x' };
	for (const [name, answers] of [['deepstream', [{ sourceId: 'x' }]], ['rongcloud', [{ sourceId: 'x' }, typed]]]) {
		const { page, ports } = await open(name);
		page.postMessage('requestScreenSourceId', '*');
		await settle();
		ports[0].postMessage({ type: 'granted', sourceId: 'x' });
		await settle();
		assert.deepEqual(structuredClone(page.said.filter(({ sourceId }) => sourceId)), answers);
	}
});

test('what the extension says is no request to it, however often a page repeats it', async () => {
	const { page, ports } = await open('getscreenmedia');
	page.addEventListener('message', ({ data }) => page.said.length < 50 && data?.type !== 'getScreen' && page.postMessage(data, '*'));
	void outcome(clients.getscreenmedia.ask(page));
	await settle();
	ports[0].postMessage({ type: 'granted', sourceId: 'x' });
	await settle();
	assert.equal(ports.length, 1);
});

test('Nextcloud and SimpleWebRTC say the same and are told apart', async () => {
	for (const name of ['nextcloud', 'getscreenmedia']) {
		const { page, ports } = await open(name);
		page.postMessage({ type: 'getScreen', id: 1 }, '*');
		await settle();
		assert.equal(ports[0].of('request')[0].dialect, name);
	}
});

test("Bistri's word needs a list of sources: a page that says something like it to itself opens no dialog", async () => {
	const { page, ports } = await open('bistri');
	for (const data of [{ id: 1 }, 'screen', true, [], ['row'], ['screen', 'row'], [['screen']], null]) {
		page.postMessage({ requestId: 7, data }, '*');
	}
	page.postMessage({ requestId: 7 }, '*');
	await settle();
	assert.equal(ports.length, 0);
	assert.ok(!page.said.some((data) => data?.answer));
	page.postMessage({ requestId: 7, data: ['window', 'tab'] }, '*');
	await settle();
	assert.deepEqual(ports[0].of('request')[0].sources, ['window', 'tab']);
});

test('a worker that dies while the user is asked is woken to tidy up', async () => {
	const { page, ports, sent } = await open('janus');
	void outcome(clients.janus.ask(page));
	await settle();
	ports[0].disconnect();
	await time.pass(1_000);
	assert.equal(sent.at(-1), 'awake');
});

test('a flood opens one port', async () => {
	const { page, ports, sent } = await open('skyway');
	sent.length = 0;
	for (let i = 0; i < 1000; i++) {
		page.postMessage({ type: 'getStreamId' }, '*');
	}
	await settle();
	for (let id = 0; id < 1000; id++) {
		page.postMessage({ type: 'janusGetScreen', id }, '*');
	}
	await settle();
	assert.deepEqual([ports.length, sent.length], [1, 0]);
	assert.equal(page.said.filter(({ type, sourceId }) => type === 'janusGotScreen' && sourceId === '').length, 1000);
});

test('an extension that is there answers its own messages, and connect is left alone', async () => {
	const top = frameOf({ script: 'lib-jitsi-meet.min.js' });
	const connect = () => {};
	const runtime = { connect, lastError: undefined, sendMessage: (id, said, callback) => callback({ id, said }) };
	top.page.chrome = { runtime };
	top.document.readyState = 'interactive';
	top.document.dispatchEvent(new Event('readystatechange'));
	const reply = await new Promise((resolve) => runtime.sendMessage('there', { getVersion: true }, resolve));
	assert.deepEqual(structuredClone(reply), { id: 'there', said: { getVersion: true } });
	assert.equal(runtime.connect, connect);
});

test('an extension that is there and fails is not taken for a missing one', async () => {
	const top = frameOf({ script: 'lib-jitsi-meet.min.js' });
	/** @type {any} */
	let lastError;
	const runtime = {
		get lastError() {
			return lastError;
		},
		sendMessage(id, said, callback) {
			lastError = { message: id };
			callback();
			lastError = undefined;
		},
	};
	top.page.chrome = { runtime };
	top.document.readyState = 'interactive';
	top.document.dispatchEvent(new Event('readystatechange'));
	await settle();
	const unanswered = 'The message port closed before a response was received.';
	for (const message of [unanswered, 'The extension is busy.']) {
		const error = await new Promise((resolve) => runtime.sendMessage(message, { getVersion: true }, () => resolve(runtime.lastError)));
		assert.equal(error?.message, message);
	}
	await assert.rejects(runtime.sendMessage('The extension is busy.', { getVersion: true }), { message: 'The extension is busy.' });
	assert.equal(await runtime.sendMessage(unanswered, { getVersion: true }), undefined);
	const missing = 'Could not establish connection. Receiving end does not exist.';
	const { version } = await runtime.sendMessage(missing, { getVersion: true });
	assert.equal(version, '1.2.3', 'a missing one is ours to answer');
});

test('a message of no dialect fails as one to an extension that is not there', async () => {
	const { page } = await open('twilio');
	const error = await new Promise((resolve) =>
		page.chrome.runtime.sendMessage('nobody', { other: 1 }, () => resolve(page.chrome.runtime.lastError)),
	);
	assert.match(error.message, /Receiving end does not exist/);
	assert.equal(page.chrome.runtime.lastError, undefined);
	await assert.rejects(page.chrome.runtime.sendMessage('nobody', { other: 1 }), /Receiving end/);
});

test('the sources that a page may name, and what the desktop has of them', () => {
	assert.deepEqual(sourcesOf(undefined), ['screen', 'window']);
	assert.deepEqual(sourcesOf(['audio', 'tab', 'camera', 7]), ['tab', 'audio']);
	assert.deepEqual(sourcesOf(['audio']), ['screen', 'window', 'audio']);
	assert.deepEqual(nativeSources(['screen', 'window', 'tab', 'audio']), ['monitor', 'window']);
	assert.deepEqual(nativeSources(['tab', 'audio']), ['window']);
	assert.deepEqual(nativeSources(['screen']), ['monitor']);
});

test('a site that the user named may ask another extension at once, and is answered when the dialects have come', async () => {
	const { page, ports } = frameOf({}, { legacy: true });
	const asking = clients.licode.ask(page);
	await settle();
	ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
	assert.equal(await asking, 'portlight:x');
});

test('a page that speaks before it is complete is announced to when it is', async () => {
	const name = 'janus';
	const top = frameOf(clients[name]);
	const scripts = top.document.scripts.splice(0);
	top.document.readyState = 'loading';
	top.page.postMessage('are-you-there', '*');
	await settle();
	assert.deepEqual([top.sent, top.document.elements.length], [['dialects'], 0]);
	top.document.scripts.push(...scripts);
	top.document.readyState = 'interactive';
	top.document.dispatchEvent(new Event('readystatechange'));
	top.document.dispatchEvent(new Event('DOMContentLoaded'));
	await settle();
	assert.equal(top.document.elements.filter(({ id }) => id === 'janus-extension-installed').length, 1);
});

test('only a frame that is made for the extension has words of the page around it taken from it', async () => {
	/** @type {[string, object, boolean][]} */
	const cases = [
		['https://b.example/getScreenId.html', { captureSourceId: true }, true],
		['https://www.webrtc-experiment.com/getSourceId/', { getChromeExtensionStatus: true }, true],
		['https://cdn.example/detectRTC.html', { captureCustomSourceId: ['screen'] }, true],
		['https://openvidu.github.io/openvidu-screen-sharing-chrome-extension/', { captureSourceIdWithAudio: true }, true],
		['https://b.example/screen-sharing/', { captureSourceId: true }, false],
		['https://b.example/?next=/getScreenId.html', { captureSourceId: true }, false],
		['https://b.example/getScreenId.html', { caption: 'a word of its own' }, false],
		['https://b.example/getScreenId.html', { capture: true }, false],
	];
	for (const [href, said, taken] of cases) {
		const parent = {};
		const { page, sent } = frameOf({}, { href, parent });
		let heard = false;
		page.addEventListener('message', () => (heard = true)); // The extension listens before any script of the page.
		page.dispatchEvent(posted(said, parent));
		await settle();
		assert.deepEqual([heard, sent.includes('dialects')], [!taken, taken], `${href} ${JSON.stringify(said)}`);
	}
});

test('what a frame passes on is not asked in the name of another page that has come around it', async () => {
	const { load, onMessage, page, ports } = await open('getscreenid');
	const tell = (around) => onMessage.emit({ type: 'dialect-from-frame', said: { captureSourceId: true }, around, others: load() });
	tell('https://before.example');
	await settle();
	assert.equal(ports.length, 0);
	tell(page.origin);
	await settle();
	assert.equal(ports.length, 1);
});

test('a frame can not forge a word of the page around it', async () => {
	const name = 'getscreenid';
	const top = await open(name);
	const { inner } = top;
	inner.page.dispatchEvent(posted({ captureSourceId: true }, top.page, { isTrusted: false }));
	await settle();
	assert.deepEqual([top.ports.length, inner.sent], [0, []]);
});

test('a page that floods a frame has few words at a time on their way', async () => {
	const top = await open('getscreenid');
	const { inner } = top;
	for (let i = 0; i < 1000; i++) {
		inner.page.dispatchEvent(posted({ captureSourceId: true }, top.page));
	}
	await settle();
	const forwarded = inner.sent.filter((type) => type === 'dialect-for-parent').length;
	assert.ok(forwarded >= 1 && forwarded <= 4, String(forwarded));
	assert.equal(top.ports.length, 1);
});

test('a browser without window.chrome gets none', async () => {
	const { page } = frameOf(clients.jidesha);
	delete page.chrome;
	page.dispatchEvent(new Event('DOMContentLoaded'));
	await settle();
	assert.equal('chrome' in page, false);
});
