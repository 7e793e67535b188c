/** Pause, the counters and the preview of a live share. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { FakeEvent, FakePort, lastHost, useHost } from './fake.js';
import { frame, setUp } from './sharing.js';

const { Preview } = await import('../../extension/background/preview.js');
const { CREDIT } = await import('../../extension/background/share.js');

const time = useTime();
beforeEach(() => useHost());

async function playing() {
	const { shares, hostShare, redeem, ...rest } = await setUp();
	const port = await redeem();
	const [{ key }] = shares.list();
	const send = async (...frames) => {
		for (const [seq, fields] of frames) {
			lastHost().postMessage(frame(hostShare.id, seq, fields));
		}
		await settle();
	};
	const seen = () => port.of('frame').map(({ seq }) => seq);
	const credit = () => lastHost().of('credit').reduce((sum, { frames }) => sum + frames, 0);
	await send([0, { key: true, width: 640, height: 480 }]);
	return { shares, port, key, send, seen, credit, ...rest };
}

test('while it is paused the page gets no picture and the host no credit', async () => {
	const { shares, port, key, send, seen, credit } = await playing();
	port.postMessage({ type: 'credit', frames: 1 });
	await settle();
	assert.equal(credit(), 1);
	shares.pause(key);
	await settle();
	assert.equal(port.of('paused').length, 1);
	// The frames that the host may still send, and all that the page says of credit.
	await send([1], [2], [3]);
	port.postMessage({ type: 'credit', frames: 16 });
	port.postMessage({ type: 'keyframe' });
	await settle();
	assert.deepEqual(seen(), [0]);
	assert.equal(credit(), 1);
	assert.equal(lastHost().of('keyframe').length, 1, 'for previews, once');
	assert.equal(port.connected, true);
	assert.equal(shares.list()[0].paused, true);
});

test('a preview that is opened meanwhile shows the moment that the pause began, the page does not', async () => {
	const live = await playing();
	live.shares.pause(live.key);
	await live.send([1], [2, { key: true, part: 0, parts: 2 }], [2, { part: 1, parts: 2 }], [3, { key: true }]);
	const port = await preview(live);
	assert.deepEqual(port.of('frame').map(({ seq, part }) => [seq, part]), [[2, 0], [2, 1]]);
	assert.deepEqual(live.seen(), [0]);
	assert.equal(lastHost().of('keyframe').length, 1);
	live.shares.resume(live.key);
	live.shares.pause(live.key);
	assert.deepEqual((await preview(live)).of('frame'), [], 'each pause has its own');
});

test('it goes on with a keyframe, and all of the credit comes back', async () => {
	const { shares, port, key, send, seen, credit } = await playing();
	shares.pause(key);
	await send([1], [2]);
	shares.resume(key);
	await settle();
	assert.equal(port.of('resumed').length, 1);
	assert.equal(lastHost().of('keyframe').length, 1);
	assert.equal(credit(), 2, 'of the two frames that the page never saw');
	await send([3], [4, { key: true }], [5]);
	assert.deepEqual(seen(), [0, 4, 5], 'what the page can not decode is left out');
	assert.equal(credit(), 3, 'and its credit given back');
	port.postMessage({ type: 'credit', frames: 3 });
	await settle();
	assert.equal(credit(), 6);
	assert.deepEqual([shares.list()[0].paused, shares.list()[0].pausedBy], [false, []]);
});

test('a frame that a pause cuts in two is not seen in part after it', async () => {
	const { shares, port, key, send } = await playing();
	await send([1, { part: 0, parts: 3 }]);
	shares.pause(key);
	await send([1, { part: 1, parts: 3 }]);
	shares.resume(key);
	await send([1, { part: 2, parts: 3 }], [2, { key: true }]);
	assert.deepEqual(port.of('frame').map(({ seq, part }) => [seq, part]), [[0, 0], [1, 0], [2, 0]]);
});

test("the page can not undo the user's pause, nor the user the page's", async () => {
	const { shares, port, key, counts } = await playing();
	const before = counts.length;
	shares.pause(key, 'page');
	shares.pause(key, 'person');
	shares.resume(key, 'page');
	await settle();
	assert.deepEqual(shares.list()[0].pausedBy, ['person']);
	assert.equal(port.of('paused').length, 1);
	assert.equal(port.of('resumed').length, 0);
	shares.resume(key, 'person');
	shares.resume(key, 'person');
	await settle();
	assert.deepEqual(port.of('muted').slice(0, 2).map(({ muted }) => muted), [true, false], "the track hears of the user's");
	assert.equal(port.of('resumed').length, 1);
	assert.equal(lastHost().of('keyframe').length, 1);
	assert.ok(counts.length > before, 'the face is told');
	shares.pause(999);
});

test('the list says how many frames and bits a second, and how large', async () => {
	const { shares, key, send } = await playing();
	const data = 'A'.repeat(4000);
	await send([1, { part: 0, parts: 2, data }], [1, { part: 1, parts: 2, data }], [2, { data, width: 320, height: 240, codec: 'vp8' }]);
	const { fps, kbps, width, height, codec, restored, surface } = shares.list().find((share) => share.key === key);
	assert.deepEqual([fps, kbps], [3, 72]);
	assert.deepEqual([width, height, codec, restored, surface], [320, 240, 'vp8', false, 'monitor']);
});

test('a share of a remembered choice says so', async () => {
	useHost({ share: () => ({ share: 1, surface: 'window', width: 2, height: 2, restored: true }) });
	const { shares } = await playing();
	assert.equal(shares.list()[0].restored, true);
});

test('what it costs is asked of a host that can say it', async () => {
	const stats = { cpuMs: 12, rssKiB: 34, frames: 5, bytes: 67 };
	const hello = (...supports) => ({ hello: () => ({ protocol: 1, version: '1', supports: ['vp8', ...supports], portal: 4 }) });
	useHost({ ...hello('stats'), stats: () => stats });
	const able = await playing();
	const { cpuMs, rssKiB } = await able.shares.stats(able.key);
	assert.deepEqual([cpuMs, rssKiB], [12, 34]);
	assert.equal(await able.shares.stats(999), null);
	useHost(hello());
	const unable = await playing();
	assert.equal(await unable.shares.stats(unable.key), null);
	assert.equal(lastHost().of('stats').length, 0);
});

test('everything can be stopped at once', async () => {
	const { shares, port } = await playing();
	await shares.stopAll();
	await settle();
	assert.equal(port.of('ended')[0].code, 'stopped');
	assert.deepEqual(shares.list(), []);
});

/** @param {Awaited<ReturnType<typeof playing>>} live @param {number} [key] */
async function preview({ shares, key: live }, key = live) {
	const [near, far] = FakePort.pair('preview', { id: 'portlight', url: 'chrome-extension://portlight/ui/popup.html' });
	shares.preview(far);
	near.postMessage({ key });
	await settle();
	return near;
}

test('a preview begins with the next keyframe and then gets what the page gets', async () => {
	const live = await playing();
	const port = await preview(live);
	assert.deepEqual(port.of('opened'), [{ type: 'opened', codec: 'vp9', chroma: undefined, width: 640, height: 480 }]);
	assert.equal(lastHost().of('keyframe').length, 1);
	await live.send([1], [2, { key: true }], [3, { part: 0, parts: 2 }], [3, { part: 1, parts: 2 }]);
	assert.deepEqual(port.of('frame').map(({ seq, part, share }) => [seq, part, share]), [
		[2, 0, undefined],
		[3, 0, undefined],
		[3, 1, undefined],
	]);
	assert.deepEqual(live.seen(), [0, 1, 2, 3, 3], 'the page misses nothing');
});

test('a preview that comes after a change of codec begins with the codec of now', async () => {
	const live = await playing();
	await live.send([1, { key: true, width: 640, height: 480, codec: 'vp8' }], [2, { width: 640, height: 480 }]);
	const port = await preview(live);
	assert.equal(port.of('opened')[0].codec, 'vp8');
});

test('a preview begins again when the share goes on with another source', () => {
	const sent = [];
	const events = { onMessage: new FakeEvent(), onDisconnect: new FakeEvent() };
	const again = new Preview({ ...events, postMessage: (message) => sent.push(message) }, () => {});
	again.take(frame(1, 3, { key: true }));
	again.open({ codec: 'vp8', width: 2, height: 2 });
	again.take(frame(1, 4));
	again.take(frame(1, 5, { key: true }));
	assert.deepEqual(sent.map(({ type, seq }) => [type, seq]), [['frame', 3], ['opened', undefined], ['frame', 5]]);
});

test('a preview that does not keep up misses frames; the page does not', async () => {
	const live = await playing();
	const port = await preview(live);
	await live.send([1, { key: true }]);
	for (let seq = 2; seq < 40; seq++) {
		await live.send([seq]);
		live.port.postMessage({ type: 'credit', frames: 1 });
	}
	await settle();
	assert.equal(live.seen().length, 40);
	assert.equal(port.of('frame').length, 8);
	assert.ok(live.credit() >= 38 - CREDIT, 'and goes on');
	port.postMessage({ type: 'credit', frames: 8 });
	await settle();
	assert.equal(lastHost().of('keyframe').length, 1, 'keyframes are not asked for in a row');
	await time.pass(1000);
	assert.equal(lastHost().of('keyframe').length, 2);
	await live.send([40], [41, { key: true }]);
	assert.deepEqual(port.of('frame').at(-1).seq, 41);
});

test('a preview ends with its share, and one of no share at once', async () => {
	const live = await playing();
	const port = await preview(live);
	const none = await preview(live, 999);
	assert.equal(none.connected, false);
	live.shares.pause(live.key);
	live.shares.resume(live.key);
	await settle();
	assert.deepEqual([port.of('paused').length, port.of('resumed').length], [1, 1]);
	await live.shares.stop(live.key);
	await settle();
	assert.equal(port.connected, false);
	const closed = await playing();
	const gone = await preview(closed);
	gone.disconnect();
	await closed.send([1, { key: true }]);
	assert.deepEqual(closed.seen(), [0, 1]);
});
