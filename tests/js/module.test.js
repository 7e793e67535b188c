/** docs/examples/portlight.js against pages and frames that mean no good. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CustomEvent } from './classic.js';
import { settle, useTime } from './clock.js';

const time = useTime();
let life = 0;

/** The module in a page of its own; `say` is what arrives at the page's window. */
async function load() {
	const posted = [];
	let hear;
	const track = { stop: () => (track.stopped = true) };
	const devices = { getUserMedia: async (constraints) => ({ constraints, getVideoTracks: () => [track] }) };
	const page = { posted, track };
	Object.assign(globalThis, {
		CustomEvent,
		addEventListener: (_type, listener) => (hear = listener),
		postMessage: (data, target) => posted.push({ data: JSON.parse(JSON.stringify(data)), target }),
		window: page,
	});
	Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { mediaDevices: devices } });
	const portlight = await import(`../../docs/examples/portlight.js?${++life}`);
	const say = (data, source = page) => hear({ source, data });
	const last = () => posted.at(-1).data;
	return { last, portlight, posted, say, track };
}

test('a question goes to the page\'s own origin, and only its own answer settles it, once', async () => {
	const { last, portlight, posted, say } = await load();
	let answers = 0;
	const asked = portlight.capabilities().finally(() => answers++);
	const { id } = last();
	assert.deepEqual(posted, [{ data: { portlight: 1, id, ask: 'capabilities' }, target: '/' }]);
	say({ portlight: 1, id, ok: 'forged' }, {});
	say({ portlight: 1, id, ok: 'forged' }, null);
	say({ portlight: 1, id: 0.5, ok: 'of another' });
	say({ portlight: 2, id, ok: 'of another time' });
	say({ portlight: 1, id, ask: 'capabilities' });
	for (const noise of [null, undefined, 'text', 7, {}]) {
		say(noise);
	}
	await settle();
	assert.equal(answers, 0);
	say({ portlight: 1, id, ok: 'true' });
	say({ portlight: 1, id, ok: 'replayed' });
	assert.equal(await asked, 'true');
});

test('without the extension the version is null', async () => {
	const { portlight } = await load();
	const asked = portlight.version(5);
	await time.pass(5);
	assert.equal(await asked, null);
});

test('errors are errors, with code, name and remedy', async () => {
	const { last, portlight, say } = await load();
	const asked = portlight.request({ cursor: 'never' });
	const { id, ...said } = last();
	assert.deepEqual(said, { portlight: 1, ask: 'request', cursor: 'never' });
	const error = { code: 'denied', name: 'NotAllowedError', message: 'm', remedy: 'r' };
	say({ portlight: 1, id, error });
	const caught = await asked.catch((reason) => reason);
	assert.equal(caught instanceof Error, true);
	assert.deepEqual({ ...caught, message: caught.message }, error);
});

/** A share that was granted, with its events on. */
async function granted(wish, sourceIds = ['portlight:x']) {
	const all = await load();
	const asked = all.portlight.request(wish);
	all.say({ portlight: 1, id: all.last().id, ok: { sourceId: sourceIds[0], sourceIds } });
	await settle();
	for (const { data } of all.posted.filter(({ data: { ask } }) => ask === 'source')) {
		all.say({ portlight: 1, id: data.id, ok: {} });
	}
	return { ...all, share: await asked };
}

test('a share gets its own events, from this window alone', async () => {
	const { say, share } = await granted({ width: 640, frameRate: 5 });
	assert.deepEqual(share.stream.constraints.video.mandatory, {
		chromeMediaSource: 'desktop',
		chromeMediaSourceId: 'portlight:x',
		maxWidth: 640,
		maxFrameRate: 5,
	});
	const heard = [];
	share.addEventListener('resize', ({ detail }) => heard.push(detail.width));
	say({ portlight: 1, share: 'portlight:x', event: 'resize', width: 1 }, {});
	say({ portlight: 1, share: 'portlight:y', event: 'resize', width: 2 });
	say({ portlight: 1, share: 'portlight:x', event: 'resize', width: 3 });
	say({ portlight: 1, share: 'portlight:x', event: 'resize', width: 4 });
	assert.deepEqual(heard, [3, 4]);
});

test('a change is a request and then a word to the share; several are a list', async () => {
	const { last, say, share, track } = await granted({});
	const changed = share.change({ cursor: 'send', region: { x: 1 } });
	assert.equal(last().ask, 'request');
	say({ portlight: 1, id: last().id, ok: { sourceId: 'portlight:z' } });
	await settle();
	const { id, ...said } = last();
	assert.deepEqual(said, { portlight: 1, ask: 'change', sourceId: 'portlight:z', region: { x: 1 }, share: 'portlight:x' });
	say({ portlight: 1, id, ok: { width: 5 } });
	assert.deepEqual(await changed, { width: 5 });
	share.stop();
	assert.equal(track.stopped, true);
	const several = await granted({ multiple: true }, ['portlight:a', 'portlight:b']);
	assert.deepEqual(several.share.map(({ id: one }) => one), ['portlight:a', 'portlight:b']);
});

test('the browser\'s own share is a stream and no more is asked of it', async () => {
	const { posted, share } = await granted({ fidelity: 'text', width: 9 }, ['own==']);
	assert.deepEqual(posted.map(({ data }) => data.ask), ['request']);
	assert.deepEqual(share.stream.constraints.video.mandatory, {
		chromeMediaSource: 'desktop',
		chromeMediaSourceId: 'own==',
		maxWidth: 9,
	});
});
