import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { makeWindow, posted, run } from './classic.js';
import { FakeTime, settle, until } from './clock.js';
import { makeRuntime } from './fake.js';

const tracks = [];
afterEach(() => tracks.splice(0).forEach((port) => port.close()));

function setUp(globals = {}, granted = true) {
	const { ports, runtime, sent } = makeRuntime(({ type }) => type === 'dialects' && !run(window, 'content/answers.js'));
	const time = new FakeTime();
	const window = makeWindow({ chrome: { runtime }, ...globals }, time);
	const seen = [];
	run(window, 'content/relay.js', 'page/messages.js');
	if (granted) {
		run(window, 'content/share.js');
	}
	window.addEventListener('message', ({ data }) => seen.push(data));
	const ask = async () => {
		window.postMessage('requestScreenSourceId', '*');
		await settle();
	};
	const answers = () => structuredClone(seen.filter((data) => data !== 'requestScreenSourceId'));
	return { answers, ask, ports, runtime, seen, sent, time, window };
}

const REQUEST = { type: 'request', dialect: 'deepstream', sources: ['screen', 'window'] };
const wish = { sourceId: 'portlight:x', codecs: ['vp9'], maxFps: 30, maxWidth: 800, maxHeight: 600, fidelity: 'text', region: null };

/** The page's end of a channel: what arrives there, one after the other, and its end. */
function listen(port) {
	tracks.push(port);
	const arrived = [];
	let [read, over] = [0, false];
	port.on('message', (data) => arrived.push(data));
	port.on('close', () => (over = true));
	const next = async () => {
		await until(() => arrived.length > read);
		return arrived[read++];
	};
	return { track: port, arrived, next, closed: () => until(() => over) };
}

/** Redeems as the track does. */
async function redeem(window) {
	const { port1, port2 } = new MessageChannel();
	const data = { type: 'portlight:redeem', ...wish, more: 1 };
	window.dispatchEvent(new window.MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true }));
	await settle();
	return { ...listen(port1), relay: port2 };
}

test('a page that does not ask opens no port, whatever it posts', async () => {
	const { ports, seen, window } = setUp();
	const others = ['get-sourceid', 'requestScreenSourceId ', '', null, 7, {}, { type: 'request' }, ['requestScreenSourceId']];
	for (const data of others) {
		window.postMessage(data, '*');
	}
	await settle();
	assert.deepEqual(ports, []);
	assert.deepEqual(seen, others);
	assert.equal(window.posted.length, others.length);
});

test('a granted id is answered as documented, to the page alone', async () => {
	const { answers, ask, ports, window } = setUp();
	await ask();
	assert.deepEqual(ports.map(({ name, received }) => [name, received]), [['page', [REQUEST]]]);
	ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
	await settle();
	assert.deepEqual(answers(), [{ sourceId: 'portlight:x' }]);
	assert.equal(window.posted.at(-1).targetOrigin, 'https://a.example');
});

test('a hidden or prerendered page asks when it is shown', async () => {
	const { ask, ports, window } = setUp();
	const { document } = window;
	const change = async (hidden) => {
		document.hidden = hidden;
		document.dispatchEvent(new Event('visibilitychange'));
		await settle();
	};
	await change(true);
	await ask();
	await ask();
	await change(true); // A page can dispatch that too.
	assert.deepEqual(ports, []);
	await change(false);
	assert.deepEqual(ports.map(({ received }) => received), [[REQUEST]]);
});

test('a refusal is the documented string and nothing else', async () => {
	const { answers, ask, ports } = setUp();
	await ask();
	ports[0].postMessage({ type: 'refused', code: 'host-missing', message: 'm', remedy: 'r' });
	await settle();
	assert.deepEqual(answers(), ['PermissionDeniedError']);
});

test('a flood is one request and one answer, and the next request is a new one', async () => {
	const { answers, ask, ports, window } = setUp();
	for (let i = 0; i < 1000; i++) {
		window.postMessage('requestScreenSourceId', '*');
	}
	await settle();
	assert.equal(ports[0].received.length, 1);
	ports[0].postMessage({ type: 'refused', code: 'denied', message: '', remedy: '' });
	await settle();
	assert.deepEqual(answers(), ['PermissionDeniedError']);
	await ask();
	assert.deepEqual(ports.map(({ received }) => received.length), [1, 1]);
});

test('a worker that dies while the page waits is a refusal, and is woken to tidy up; without a request it is silence', async () => {
	const { answers, ask, ports, sent, time } = setUp();
	await ask();
	ports[0].disconnect();
	await settle();
	assert.deepEqual(answers(), ['PermissionDeniedError']);
	await time.pass(999);
	assert.deepEqual(sent, ['dialects']);
	await time.pass(1);
	assert.deepEqual(sent, ['dialects', 'awake']);
	await ask();
	assert.equal(ports.length, 2);
	ports[1].postMessage({ type: 'granted', sourceId: 's' });
	await settle();
	ports[1].disconnect();
	await settle();
	assert.equal(answers().length, 2);
	await time.pass(1000);
	assert.deepEqual(sent, ['dialects', 'awake'], 'nothing was left behind');
});

/** A frame whose ports were opened and given up so often that there are no more of them for a while. */
async function crowded() {
	const all = setUp();
	await redeem(all.window);
	for (let i = 0; i < 500; i++) {
		await all.ask();
		all.window.dispatchEvent(new Event('pagehide'));
	}
	return all;
}

test('a page that asks and takes it back in a loop opens no more ports than it may', async () => {
	const { answers, ask, ports, time } = await crowded();
	assert.equal(ports.length, 100);
	assert.equal(answers().at(-1), 'PermissionDeniedError');
	await time.pass(10_000);
	await ask();
	assert.equal(ports.length, 101, 'later there are more');
});

test('so does one that redeems in a loop, and it is told', async () => {
	const { ports, window } = await crowded();
	const { next } = await redeem(window);
	const { type, code, name } = await next();
	assert.deepEqual([type, code, name], ['ended', 'too-many-requests', 'InvalidStateError']);
	assert.equal(ports.length, 100);
});

test('what is asked in our words under an extension that was removed is answered, with a port or without', async () => {
	const { runtime, seen, window } = setUp();
	runtime.sendMessage = async () => {
		throw new Error('Extension context invalidated.');
	};
	const { port1, port2 } = new MessageChannel();
	window.postMessage({ portlight: 1, id: 7, ask: 'version' }, '*');
	window.postMessage({ portlight: 1, id: 8, ask: 'version' }, '*', [port2]);
	window.postMessage('check-addon-installed', '*');
	assert.deepEqual(await listen(port1).next(), {});
	const answers = structuredClone(seen.filter((data) => data.portlight && !data.ask));
	assert.deepEqual(answers.map(({ id, error }) => [id, error.code]), [[7, 'host-crashed']]);
});

test('an extension that was removed under the page refuses', async () => {
	const { answers, ask, runtime } = setUp();
	runtime.connect = () => {
		throw new Error('Extension context invalidated.');
	};
	await ask();
	assert.deepEqual(answers(), ['PermissionDeniedError']);
});

test('a request from another window, or in an insecure page, is not heard', async () => {
	for (const globals of [{}, { isSecureContext: false }]) {
		const { ports, window } = setUp(globals, false);
		if (globals.isSecureContext === undefined) {
			window.dispatchEvent(posted('requestScreenSourceId', {}));
		} else {
			window.postMessage('requestScreenSourceId', '*');
		}
		await settle();
		assert.deepEqual(ports, []);
	}
});

test('a page of an opaque origin is answered as well', async () => {
	const { ask, ports, window } = setUp({ origin: 'null' });
	await ask();
	ports[0].postMessage({ type: 'granted', sourceId: 's' });
	await settle();
	assert.equal(window.posted.at(-1).targetOrigin, '*');
});

test("what the track says never reaches the page's listeners, and its frames go by its own channel", async () => {
	const { ports, seen, window } = setUp();
	const { next, track } = await redeem(window);
	assert.deepEqual(seen, []);
	assert.equal(ports[0].name, 'share');
	assert.deepEqual(ports[0].received, [{ type: 'redeem', ...wish }]);
	ports[0].postMessage({ type: 'frame', seq: 0 });
	assert.deepEqual(await next(), { type: 'frame', seq: 0 });
	track.postMessage({ type: 'credit', frames: 1 });
	await until(() => ports[0].of('credit').length);
	assert.deepEqual(ports[0].of('credit'), [{ type: 'credit', frames: 1 }]);
	assert.deepEqual(seen, []);
});

test('a page that was granted nothing redeems nothing, and sees no more of it', async () => {
	const { ports, seen, window } = setUp({}, false);
	const { arrived, closed, relay } = await redeem(window);
	relay.close();
	await closed();
	assert.deepEqual([ports, seen, arrived], [[], [], []]);
});

test('a second grant in the frame changes nothing of the first share', async () => {
	const { ports, window } = setUp();
	run(window, 'content/share.js');
	const { next } = await redeem(window);
	assert.equal(ports.length, 1);
	ports[0].postMessage({ type: 'frame', seq: 0 });
	assert.deepEqual(await next(), { type: 'frame', seq: 0 });
});

test('the page stops: the port to the background closes', async () => {
	const { ports, sent, time, window } = setUp();
	const { closed, track } = await redeem(window);
	track.postMessage({ type: 'stop' });
	await closed();
	assert.equal(ports[0].connected, false);
	await time.pass(1000);
	assert.deepEqual(sent, []);
});

test('the background ends it: the track hears that and no more', async () => {
	const { ports, sent, time, window } = setUp();
	const { arrived, closed } = await redeem(window);
	ports[0].postMessage({ type: 'ended', code: 'stopped' });
	ports[0].disconnect();
	await closed();
	assert.deepEqual(arrived, [{ type: 'ended', code: 'stopped' }]);
	await time.pass(1000);
	assert.deepEqual(sent, []);
});

test('the worker is killed in mid-share: the track hears an end, and the worker is woken to tidy up', async () => {
	const { ports, sent, time, window } = setUp();
	const { arrived, closed } = await redeem(window);
	ports[0].disconnect();
	await closed();
	assert.deepEqual(arrived.map(({ type, code }) => [type, code]), [['ended', 'host-crashed']]);
	assert.deepEqual(sent, []);
	await time.pass(1000);
	assert.deepEqual(sent, ['awake']);
});

test('a page that is left ends its shares and its request, and can ask again when it comes back', async () => {
	const { answers, ask, ports, sent, time, window } = setUp();
	await ask();
	const { arrived, closed } = await redeem(window);
	window.dispatchEvent(new Event('pagehide'));
	await closed();
	assert.deepEqual(arrived.map(({ type }) => type), ['ended']);
	assert.deepEqual(ports.map(({ connected }) => connected), [false, false]);
	await time.pass(1000);
	assert.deepEqual([answers(), sent], [[], ['dialects']]);
	await ask();
	assert.equal(ports.length, 3);
});

test('a page that rewrites itself is answered as before, and its shares end when it is left', async () => {
	const { answers, ask, ports, seen, window } = setUp();
	window.openDocument();
	await settle();
	window.addEventListener('message', ({ data }) => seen.push(data));
	await ask();
	ports[0].postMessage({ type: 'granted', sourceId: 'portlight:x' });
	await settle();
	assert.deepEqual(answers(), [{ sourceId: 'portlight:x' }]);
	const { closed } = await redeem(window);
	window.openDocument();
	await settle();
	window.dispatchEvent(new Event('pagehide'));
	await closed();
	assert.deepEqual(ports.map(({ connected }) => connected), [false, false]);
});

test('it answers a sign of life by itself', async () => {
	const { ports, window } = setUp();
	const { next, track } = await redeem(window);
	track.postMessage({ type: 'ping' });
	assert.deepEqual(await next(), { type: 'pong' });
	assert.equal(ports[0].received.length, 1);
});
