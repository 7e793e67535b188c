/** The page API from the page's words to the background, and docs/examples/portlight.js on top of it. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { makeWindow, run } from './classic.js';
import { FakeTime, settle, until } from './clock.js';
import { makeRuntime } from './fake.js';

const errorNames = ['bad-ask', 'bad-state', 'busy', 'cancelled', 'host-crashed', 'not-activated', 'not-supported', 'too-many-requests', 'unknown-share'];
const texts = Object.fromEntries(errorNames.map((code) => [code, { code, name: 'Error', message: code, remedy: 'Do.' }]));
const example = new URL('../../docs/examples/', import.meta.url);

class ImageBitmap {}

/** The page's ends of channels. */
const open = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

function setUp({ granted = false, isActive = true } = {}) {
	const { ports, runtime, sent } = makeRuntime(({ type }) => {
		if (type === 'page-api') {
			run(window, 'content/page-api.js');
			return texts;
		}
		return { available: true };
	});
	const time = new FakeTime();
	const window = makeWindow({ chrome: { runtime }, navigator: { userActivation: { isActive } }, ImageBitmap, atob }, time);
	const seen = [];
	run(window, 'content/relay.js', 'page/messages.js');
	if (granted) {
		run(window, 'content/share.js');
	}
	window.addEventListener('message', ({ data }) => seen.push(data));
	const ask = async (said) => {
		window.postMessage({ portlight: 1, ...said }, 'https://a.example');
		await settle();
	};
	const answers = () => structuredClone(seen.filter(({ ask: asked }) => asked === undefined));
	return { answers, ask, ports, runtime, seen, sent, time, window };
}

/** A share that is live: its background, what its track hears, and its id. */
async function live() {
	const all = setUp({ granted: true });
	const { port1: track, port2 } = new MessageChannel();
	open.push(track);
	const heard = [];
	track.on('message', (data) => {
		heard.push(data);
		if (data.type === 'ask' && data.what === 'source') {
			track.postMessage({ type: 'answer', ask: data.ask, ok: { width: 4 } });
		} else if (data.type === 'ask') {
			track.postMessage({ type: 'answer', ask: data.ask, failed: 'bad-state' });
		}
	});
	const share = 'portlight:x';
	const data = { type: 'portlight:redeem', sourceId: share };
	all.window.dispatchEvent(new all.window.MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true }));
	await settle();
	const background = all.ports[0];
	background.postMessage({ type: 'opened', codec: 'vp9' });
	await settle();
	const answered = async (count) => {
		await until(() => all.answers().length >= count);
		return all.answers().at(-1);
	};
	return { ...all, answered, background, heard, share, track };
}

test('the script comes with the first question, and what was asked meanwhile is answered', async () => {
	const { answers, ask, sent, window } = setUp();
	assert.deepEqual(sent, []);
	await Promise.all([ask({ id: 1, ask: 'version' }), ask({ id: 'b', ask: 'version' })]);
	assert.deepEqual(sent, ['page-api']);
	const ok = { version: '1.2.3', api: 1 };
	assert.deepEqual(answers(), [{ portlight: 1, id: 1, ok }, { portlight: 1, id: 'b', ok }]);
	assert.equal(window.posted.at(-1).targetOrigin, 'https://a.example');
	await ask({ id: 3, ask: 'capabilities' });
	assert.deepEqual(answers().at(-1), { portlight: 1, id: 3, ok: { available: true } });
});

test('what is no question, or from another window, is not heard', async () => {
	const { ask, seen, sent, window } = setUp();
	await ask({ id: 1, ok: true });
	await ask({ id: 1, event: 'ended' });
	await ask({ id: 1, ask: '' });
	const foreign = { data: { portlight: 1, id: 1, ask: 'version' }, source: {}, ports: [] };
	window.dispatchEvent(Object.assign(new Event('message'), foreign));
	await settle();
	assert.deepEqual(sent, []);
	assert.equal(seen.length, 4);
});

test('a request goes to the background with its wishes, and the id comes back', async () => {
	const { answers, ask, ports } = setUp();
	await ask({ id: 1, ask: 'request', sources: ['window'], cursor: 'send', remember: true, region: { x: 1, y: 2, width: 3, height: 4 } });
	assert.deepEqual(ports[0].received, [
		{ type: 'request', dialect: 'portlight', sources: ['window'], cursor: 'send', remember: true, region: true, multiple: undefined, display: false, exact: false },
	]);
	ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
	await settle();
	assert.deepEqual(answers(), [{ portlight: 1, id: 1, ok: { sourceId: 'portlight:x', sourceIds: ['portlight:x'], canRequestAudioTrack: false } }]);
	assert.equal(ports[0].connected, true, 'the id lives as long as this port');
	await ask({ id: 2, ask: 'request' });
	const refused = { code: 'denied', name: 'NotAllowedError', message: 'm', remedy: 'r' };
	ports[1].postMessage({ type: 'refused', ...refused });
	await settle();
	assert.deepEqual(answers().at(-1), { portlight: 1, id: 2, error: refused });
	assert.equal(ports[1].connected, false);
});

test('a worker that dies while the user is asked ends the request, and is woken to tidy up', async () => {
	const { answers, ask, ports, sent, time } = setUp();
	await ask({ id: 1, ask: 'request' });
	ports[0].disconnect();
	await settle();
	assert.equal(answers()[0].error.code, 'host-crashed');
	assert.deepEqual(sent, ['page-api']);
	await time.pass(1000);
	assert.deepEqual(sent, ['page-api', 'awake']);
});

test('a page that asks again and again is told that it asks too often', async () => {
	const { answers, ask, ports, window } = setUp();
	for (let i = 0; i < 200; i++) {
		await ask({ id: i, ask: 'request' });
		window.dispatchEvent(new Event('pagehide'));
		await settle();
	}
	assert.equal(ports.length, 100);
	assert.equal(answers().at(-1).error.code, 'too-many-requests');
});

test('a request without a click is refused, and so is what has the wrong type', async () => {
	const idle = setUp({ isActive: false });
	await idle.ask({ id: 1, ask: 'request' });
	assert.equal(idle.answers()[0].error.code, 'not-activated');
	assert.deepEqual(idle.ports, []);
	const { answers, ask, ports } = setUp();
	for (const wrong of [{ sources: 'screen' }, { sources: [7] }, { cursor: 'x' }, { remember: 1 }, { multiple: 2 }, { remember: null }, { region: {} }, { region: 'all' }]) {
		await ask({ id: 1, ask: 'request', ...wrong });
		assert.equal(answers().at(-1).error.code, 'bad-ask');
	}
	for (const verb of ['constructor', 'toString', 'redeem', 7]) {
		await ask({ id: 1, ask: verb });
		assert.equal(answers().at(-1).error.code, 'bad-ask');
	}
	await ask({ portlight: 2, id: 1, ask: 'version' });
	assert.equal(answers().at(-1).error.code, 'bad-ask');
	assert.deepEqual(ports, []);
});

test('a background that dies, or an extension that was removed, is an error and not silence', async () => {
	const { answers, ask, ports, runtime } = setUp();
	await ask({ id: 1, ask: 'request' });
	ports[0].disconnect();
	await settle();
	assert.equal(answers()[0].error.code, 'host-crashed');
	runtime.connect = () => {
		throw new Error('Extension context invalidated.');
	};
	await ask({ id: 2, ask: 'request' });
	assert.equal(answers()[1].error.code, 'host-crashed');
});

test('a page that is left takes its requests back', async () => {
	const { answers, ask, ports, window } = setUp();
	await ask({ id: 1, ask: 'request' });
	window.dispatchEvent(new Event('pagehide'));
	await settle();
	assert.equal(ports[0].connected, false);
	assert.equal(answers()[0].error.code, 'cancelled');
	await ask({ id: 2, ask: 'request' });
	assert.equal(ports.length, 2, 'one that comes back can ask again');
});

test('a flood of questions is one question to the background', async () => {
	const { answers, ask, sent } = setUp();
	for (let id = 0; id < 50; id++) {
		await ask({ id, ask: 'capabilities' });
	}
	assert.deepEqual(sent, ['page-api', 'capabilities']);
	assert.equal(answers().length, 50);
});

test('a flood of requests is one request', async () => {
	const { answers, ports, window } = setUp();
	for (let id = 0; id < 50; id++) {
		window.postMessage({ portlight: 1, id, ask: 'request' }, 'https://a.example');
	}
	await settle();
	assert.equal(ports.length, 1);
	assert.deepEqual(new Set(answers().map(({ error }) => error.code)), new Set(['busy']));
});

test('an extension that was updated under the page says so where a port waits', async () => {
	const { runtime, window } = setUp();
	runtime.sendMessage = async () => {
		throw new Error('Extension context invalidated.');
	};
	const { port1, port2 } = new MessageChannel();
	open.push(port1);
	const answer = new Promise((resolve) => port1.on('message', resolve));
	window.postMessage({ portlight: 1, id: 5, ask: 'request' }, '/', [port2]);
	assert.deepEqual(await answer, {});
});

test("what comes with a private port is answered there, and the page's listeners see none of it", async () => {
	const { seen, window } = setUp();
	const { port1, port2 } = new MessageChannel();
	open.push(port1);
	const answer = new Promise((resolve) => port1.on('message', resolve));
	window.postMessage({ portlight: 1, id: 5, ask: 'version' }, '/', [port2]);
	assert.deepEqual(await answer, { id: 5, ok: { version: '1.2.3', api: 1 } });
	assert.deepEqual(seen, []);
});

test('a share that is not there, or is the browser\'s own, gets an error', async () => {
	const { answers, ask } = setUp({ granted: true });
	for (const [share, code] of [['portlight:x', 'unknown-share'], ['abc==', 'not-supported'], [undefined, 'not-supported']]) {
		for (const verb of ['source', 'pause', 'resume', 'snapshot', 'change']) {
			await ask({ id: 1, ask: verb, share, sourceId: 'portlight:y' });
			assert.equal(answers().at(-1).error.code, code);
		}
	}
});

test('a share is paused, asked and changed by its id', async () => {
	const { answered, ask, background, share } = await live();
	await ask({ id: 1, ask: 'pause', share });
	assert.equal(background.of('pause').length, 1);
	background.postMessage({ type: 'pauses', by: ['page'] });
	assert.deepEqual((await answered(1)).ok, { pausedBy: ['page'] });
	await ask({ id: 2, ask: 'snapshot', share });
	assert.equal((await answered(2)).error.code, 'bad-state');
	await ask({ id: 3, ask: 'snapshot', share, as: 'text/html' });
	assert.equal((await answered(3)).error.code, 'bad-ask');
	await ask({ id: 4, ask: 'change', share, sourceId: 'portlight:y' });
	assert.deepEqual(background.of('change'), [{ type: 'change', sourceId: 'portlight:y', region: undefined }]);
	background.postMessage({ type: 'unchanged', code: 'denied', name: 'NotAllowedError', message: 'm', remedy: 'r' });
	assert.equal((await answered(4)).error.code, 'denied');
	await ask({ id: 5, ask: 'change', share, sourceId: 'portlight:z' });
	background.postMessage({ type: 'opened', codec: 'vp8' });
	assert.deepEqual((await answered(5)).ok, { width: 4 });
});

test('events come once the page has asked for the source, and end with the reason', async () => {
	const { answered, answers, ask, background, share, track } = await live();
	background.postMessage({ type: 'paused' });
	background.postMessage({ type: 'resumed' });
	await settle();
	assert.deepEqual(answers(), []);
	await ask({ id: 1, ask: 'source', share });
	await answered(1);
	await ask({ id: 2, ask: 'source', share });
	await answered(2);
	background.postMessage({ type: 'resumed' });
	background.postMessage({ type: 'cursor', visible: true, x: 5, y: 6, width: 1, height: 1, hotX: 0, hotY: 0, data: 'AAECAw==' });
	background.postMessage({ type: 'frame', seq: 1 });
	await settle();
	assert.deepEqual(background.of('credit'), [{ type: 'credit', frames: 1 }], 'for the image');
	track.postMessage({ type: 'resize', width: 8, height: 6 });
	await answered(5);
	background.postMessage({ type: 'opened' });
	await answered(6);
	await ask({ id: 3, ask: 'pause', share });
	background.postMessage({ type: 'ended', code: 'session-closed', name: '', message: 'm', remedy: 'r' });
	background.disconnect();
	await answered(8);
	const cursor = { visible: true, x: 5, y: 6, width: 1, height: 1, hotX: 0, hotY: 0, pixels: Uint8ClampedArray.of(0, 1, 2, 3) };
	const about = (event, rest) => ({ portlight: 1, share, event, ...rest });
	assert.deepEqual(answers().slice(2), [
		about('resumed'),
		about('cursor', cursor),
		about('resize', { width: 8, height: 6 }),
		about('source', { width: 4 }),
		about('ended', { code: 'session-closed', name: '', message: 'm', remedy: 'r' }),
		{ portlight: 1, id: 3, error: texts['unknown-share'] },
	]);
	await ask({ id: 4, ask: 'source', share });
	assert.equal(answers().at(-1).error.code, 'unknown-share');
});

test('what a page missed before it asked for the source comes after the answer: a pause that holds, the cursor with its image', async () => {
	const { answered, answers, ask, background, share } = await live();
	const image = { width: 1, height: 1, hotX: 0, hotY: 0 };
	background.postMessage({ type: 'cursor', visible: true, x: 5, y: 6, ...image, data: 'AAECAw==' });
	background.postMessage({ type: 'cursor', visible: true, x: 7, y: 8 });
	background.postMessage({ type: 'paused' });
	await settle();
	await ask({ id: 1, ask: 'source', share });
	await answered(3);
	const about = (event, rest) => ({ portlight: 1, share, event, ...rest });
	assert.deepEqual(answers(), [
		{ portlight: 1, id: 1, ok: { width: 4 } },
		about('paused'),
		about('cursor', { visible: true, x: 7, y: 8, ...image, pixels: Uint8ClampedArray.of(0, 1, 2, 3) }),
	]);
	await ask({ id: 2, ask: 'source', share });
	await answered(4);
	await settle();
	assert.equal(answers().length, 4, 'but once');
});

test('what is over by the time that a page asks for the source is not told: a pause, the cursor of another source', async () => {
	const { answered, answers, ask, background, share } = await live();
	for (const type of ['cursor', 'paused', 'opened', 'resumed']) {
		background.postMessage({ type, visible: true, x: 5, y: 6 });
	}
	await settle();
	await ask({ id: 1, ask: 'source', share });
	await answered(1);
	await settle();
	assert.deepEqual(answers(), [{ portlight: 1, id: 1, ok: { width: 4 } }]);
});

test('the module is no larger than 2 KB, and its types name what it exports', async () => {
	assert.ok(statSync(new URL('portlight.js', example)).size <= 2048);
	const names = (file, pattern) => [...readFileSync(new URL(file, example), 'utf8').matchAll(pattern)].map(([, name]) => name);
	const sorted = (list) => [...new Set(list)].sort();
	const exported = sorted(names('portlight.js', /^export (?:async )?(?:function|class|const) (\w+)/gm));
	assert.deepEqual(exported, ['Share', 'capabilities', 'request', 'version']);
	assert.deepEqual(sorted(names('portlight.d.ts', /^export (?:function|class) (\w+)/gm)), exported);
});
