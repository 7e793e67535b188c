/** A live share whose source is changed, and what the page itself may do to it. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { lastHost, sender, useHost } from './fake.js';
import { frame, setUp } from './sharing.js';

const { Host } = await import('../../extension/background/host.js');

useTime();
beforeEach(() => useHost());

async function playing(cursor = 'embedded', wish = {}) {
	const { redeem, ...rest } = await setUp(undefined, cursor);
	const port = await redeem(wish);
	const say = async (message) => {
		port.postMessage(message);
		await settle();
	};
	const send = async (share, seq, fields) => {
		lastHost().postMessage(frame(share, seq, fields));
		await settle();
	};
	return { ...rest, port, say, send };
}

test('another source takes the place of the one before, and the page gets one share of them at a time', async () => {
	useHost({ hello: () => ({ protocol: 1, version: '1.2.3', supports: ['vp9', 'configure', 'scale'], portal: 4 }) });
	const { counts, grant, hostShare, port, say, send, shares } = await playing('embedded', { maxFps: 20, maxWidth: 800 });
	await send(hostShare.id, 0, { key: true });
	await say({ type: 'configure', maxFps: 12, maxHeight: 300 });
	const next = await grant();
	const before = counts.length;
	await say({ type: 'change', sourceId: next.id, region: { x: 0, y: 0, width: 20, height: 10 } });
	assert.equal(port.of('opened').length, 2);
	const opens = lastHost().of('open');
	assert.deepEqual([opens[1].share, opens[1].maxFps, opens[1].maxWidth, opens[1].maxHeight], [next.hostShare.id, 12, 0, 300]);
	assert.deepEqual(lastHost().of('stop').map(({ share }) => share), [hostShare.id]);
	assert.equal(port.of('ended').length, 0);
	assert.equal(port.connected, true);
	await send(hostShare.id, 1);
	await send(next.hostShare.id, 0, { key: true });
	assert.deepEqual(port.of('frame').map(({ seq, key }) => [seq, key]), [[0, true], [0, true]]);
	assert.ok(counts.length > before);
	assert.equal(shares.list().length, 1);
	port.disconnect();
	await settle();
	assert.deepEqual(lastHost().of('stop').map(({ share }) => share), [hostShare.id, next.hostShare.id]);
	assert.equal(shares.list().length, 0);
});

test('an id that is made up, spent, or of another place changes nothing', async () => {
	const { grant, hostShare, port, say, send } = await playing();
	const elsewhere = await grant(sender(2));
	for (const sourceId of ['portlight:x', undefined, elsewhere.id]) {
		await say({ type: 'change', sourceId });
	}
	assert.deepEqual(port.of('unchanged').map(({ code }) => code), ['bad-source-id', 'bad-source-id', 'bad-source-id']);
	await send(hostShare.id, 0, { key: true });
	assert.equal(port.of('frame').length, 1);
	assert.deepEqual(lastHost().of('stop'), []);
});

test('a source that can not be opened leaves the one before as it was', async () => {
	let opens = 0;
	useHost({
		open: ({ id, codec }, host) => {
			if (++opens === 1) {
				return { codec, width: 1920, height: 1080 };
			}
			host.postMessage({ type: 'error', id, code: 'region-outside', message: 'Outside.', remedy: '' });
		},
	});
	const { grant, hostShare, port, say, send } = await playing();
	const next = await grant();
	await say({ type: 'change', sourceId: next.id });
	assert.deepEqual(port.of('unchanged').map(({ code, message }) => [code, message]), [['region-outside', 'Outside.']]);
	await send(hostShare.id, 0, { key: true });
	assert.equal(port.of('frame').length, 1);
	assert.deepEqual(lastHost().of('stop').map(({ share }) => share), [next.hostShare.id]);
});

test('a page that leaves, or a share that ends, while the other source opens leaves nothing', async () => {
	for (const end of ['page', 'share']) {
		let answer;
		useHost({
			open: (message, host) => {
				const opened = () => host.postMessage({ type: 'result', id: message.id, codec: message.codec, width: 2, height: 2 });
				if (answer === undefined) {
					answer = () => {};
					opened();
				} else {
					answer = opened;
				}
			},
		});
		const { grant, hostShare, port, say, shares } = await playing();
		const next = await grant();
		await say({ type: 'change', sourceId: next.id });
		if (end === 'page') {
			port.disconnect();
		} else {
			lastHost().postMessage({ type: 'ended', share: hostShare.id, code: 'session-closed', message: '', remedy: '' });
		}
		await settle();
		answer();
		await settle();
		assert.equal(lastHost().of('stop').some(({ share }) => share === next.hostShare.id), true);
		assert.equal(shares.list().length, 0);
		assert.equal(lastHost().connected, false);
	}
});

test('a share that is paused stays so with another source, and goes on with it', async () => {
	const { grant, port, say, send, shares } = await playing();
	await say({ type: 'pause' });
	assert.deepEqual(port.of('pauses').map(({ by }) => by), [['page']]);
	const next = await grant();
	await say({ type: 'change', sourceId: next.id });
	assert.equal(lastHost().of('open')[1].credit, 0);
	assert.equal(shares.list()[0].paused, true);
	await say({ type: 'resume' });
	assert.deepEqual(port.of('pauses').map(({ by }) => by), [['page'], []]);
	assert.deepEqual(lastHost().of('credit').map(({ share, frames }) => [share, frames]), [[next.hostShare.id, 3]]);
	await send(next.hostShare.id, 0, { key: true });
	assert.equal(port.of('frame').length, 1);
});

test('a page can not go on with what the user paused', async () => {
	const { port, say, shares } = await playing();
	shares.pause(shares.list()[0].key);
	await say({ type: 'pause' });
	await say({ type: 'resume' });
	assert.deepEqual(port.of('pauses').map(({ by }) => by), [['person', 'page'], ['person']]);
	assert.equal(shares.list()[0].paused, true);
	assert.equal(port.of('resumed').length, 0);
});

test('the cursor goes to the page that asked for it beside the picture; a pause holds it back, and loses no image of it', async () => {
	const { hostShare, port, say } = await playing('metadata');
	assert.equal(lastHost().of('open')[0].cursor, 'send');
	assert.equal(port.of('opened')[0].cursor, 'never');
	const move = async (x, image) => {
		lastHost().postMessage({ type: 'cursor', share: hostShare.id, visible: true, x, y: 2, ...image });
		await settle();
	};
	const image = { width: 1, height: 1, hotX: 0, hotY: 0, data: 'AAECAw==' };
	await move(1);
	await say({ type: 'pause' });
	await move(2, image);
	await move(3);
	const first = { type: 'cursor', visible: true, x: 1, y: 2 };
	assert.deepEqual(port.of('cursor'), [first]);
	await say({ type: 'resume' });
	assert.deepEqual(port.of('cursor'), [first, { ...first, x: 3, ...image }]);
	await say({ type: 'pause' });
	await say({ type: 'resume' });
	assert.equal(port.of('cursor').length, 2, 'what was told is not told again');
	assert.equal((await playing('hidden')).port.of('opened')[0].cursor, 'never');
	assert.equal(lastHost().of('open')[0].cursor, undefined);
});

test("an image of the cursor costs a credit, which the page gives back; a pause gives back what the page never sees", async () => {
	const { hostShare, port, say } = await playing('metadata');
	const granted = () => lastHost().of('credit').reduce((sum, { frames }) => sum + frames, 0);
	const image = async () => {
		const bitmap = { width: 1, height: 1, hotX: 0, hotY: 0, data: 'AAECAw==' };
		lastHost().postMessage({ type: 'cursor', share: hostShare.id, visible: true, x: 1, y: 2, ...bitmap });
		await settle();
	};
	await image();
	assert.equal(granted(), 0);
	await say({ type: 'credit', frames: 1 });
	assert.equal(granted(), 1);
	await say({ type: 'pause' });
	await image();
	await image();
	assert.equal(granted(), 1);
	await say({ type: 'resume' });
	assert.equal(granted(), 2, 'of the image that was replaced');
	await say({ type: 'credit', frames: 1 });
	assert.equal(granted(), 3, 'of the one that came after the pause');
	assert.equal(port.of('cursor').length, 2);
});

test('a cursor that waits for the end of a pause is not taken for that of the next source', async () => {
	const { grant, hostShare, port, say } = await playing('metadata');
	await say({ type: 'pause' });
	lastHost().postMessage({ type: 'cursor', share: hostShare.id, visible: true, x: 1, y: 2 });
	await settle();
	await say({ type: 'change', sourceId: (await grant()).id });
	assert.equal(port.of('opened').length, 2);
	await say({ type: 'resume' });
	assert.deepEqual(port.of('cursor'), []);
});

test('what the host can not do is refused before anybody is asked', async () => {
	const host = new Host();
	const what = { sources: ['monitor'], cursor: 'metadata' };
	await assert.rejects(host.share(what, undefined, ['cursor-embedded', 'cursor-send']), { code: 'not-supported' });
	assert.deepEqual(lastHost().of('share'), []);
	assert.equal(lastHost().connected, false);
	assert.equal((await host.share(what, undefined, ['cursor-embedded'])).cursor, 'metadata');
});

/** The popup's way: the user wants another source, and the page has no part in it. */
async function byUser(answers = {}) {
	useHost(answers);
	const { Capture } = await import('../../extension/background/capture.js');
	const all = await playing('metadata', { maxFps: 20 });
	const capture = new Capture(all.host, all.shares, { remembers: async () => false });
	const change = (signal = new AbortController().signal) => capture.change(all.shares.expect(all.shares.list()[0].key), signal);
	return { ...all, change };
}

test('the user changes the source: one dialog, the same page, and the page is told what it gets now', async () => {
	const { change, hostShare, port, say, send, shares } = await byUser({
		hello: () => ({ protocol: 1, version: '1.2.3', supports: ['vp9', 'configure', 'region', 'grants', 'monitor', 'window'], portal: 4 }),
	});
	await say({ type: 'configure', region: { x: 1, y: 2, width: 30, height: 40 } });
	assert.deepEqual(shares.list()[0].region, { x: 1, y: 2, width: 30, height: 40 });
	await change();
	const { sources, cursor, origin, remember } = lastHost().of('share')[1];
	assert.deepEqual([sources, cursor, origin, remember], [['monitor', 'window'], 'metadata', undefined, undefined]);
	const [, second] = lastHost().of('open');
	assert.deepEqual([second.maxFps, second.region], [20, undefined]);
	assert.deepEqual(lastHost().of('stop').map(({ share }) => share), [hostShare.id]);
	assert.deepEqual([port.of('opened').length, port.of('unchanged').length, port.of('ended').length], [2, 0, 0]);
	assert.equal(shares.list()[0].region, null);
	await send(second.share, 0, { key: true });
	assert.equal(port.of('frame').length, 1);
});

test('a change that the user declines, or that fails, is told to them; the page hears nothing and its share goes on', async () => {
	let fails = '';
	const refuse = (/** @type {string} */ type) => ({ id }, host) =>
		fails === type ? void host.postMessage({ type: 'error', id, code: type === 'share' ? 'denied' : 'no-picture', message: '', remedy: '' }) : undefined;
	let share = 0;
	const { change, hostShare, port, send } = await byUser({
		share: (message, host) => (fails === 'share' ? refuse('share')(message, host) : { share: ++share, surface: 'monitor', width: 8, height: 8 }),
		open: (message, host) => (fails === 'open' ? refuse('open')(message, host) : { codec: message.codec, width: 8, height: 8 }),
	});
	for (const [type, code] of [['share', 'denied'], ['open', 'no-picture']]) {
		fails = type;
		await assert.rejects(change(), { code });
	}
	await send(hostShare.id, 0, { key: true });
	assert.deepEqual([port.of('unchanged').length, port.of('frame').length], [0, 1]);
	assert.deepEqual(lastHost().of('stop').map(({ share: id }) => id), [2]);
});

test('the dialog is closed with the share that it is for, and by the user', async () => {
	const { change, port } = await byUser({
		share: (() => {
			let shares = 0;
			return () => (++shares === 1 ? { share: 1, surface: 'monitor', width: 8, height: 8 } : undefined);
		})(),
		cancel: ({ request }, host) => host.postMessage({ type: 'error', id: request, code: 'cancelled', message: '', remedy: '' }),
	});
	const declined = new AbortController();
	const first = assert.rejects(change(declined.signal), { code: 'cancelled' });
	await settle();
	declined.abort();
	await first;
	const second = assert.rejects(change(), { code: 'cancelled' });
	await settle();
	port.disconnect();
	await second;
	await settle();
	assert.deepEqual([lastHost().of('cancel').length, lastHost().connected], [2, false]);
});
