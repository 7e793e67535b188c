import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { lastHost, sender, useHost } from './fake.js';
import { frame, setUp } from './sharing.js';

const { CREDIT } = await import('../../extension/background/share.js');
const { LIFETIME_MS } = await import('../../extension/background/source-ids.js');

const time = useTime();
beforeEach(() => useHost());

test('a redeemed share is opened with what the page can decode, within bounds', async () => {
	const { counts, hostShare, redeem } = await setUp();
	const port = await redeem({ maxFps: 12.4 });
	const [open] = lastHost().of('open');
	assert.deepEqual(
		{ ...open, id: 0 },
		{ type: 'open', id: 0, share: hostShare.id, codec: 'vp9', maxFps: 12, maxKbps: 10368, credit: CREDIT },
	);
	const size = { width: 1920, height: 1080 };
	assert.deepEqual(
		{ ...port.received[0], chroma: '' },
		{ type: 'opened', codec: 'vp9', chroma: '', ...size, source: size, maxFps: 12, maxHeight: 0, surface: 'monitor', cursor: 'always' },
	);
	assert.equal(port.received.length, 1);
	assert.deepEqual(counts, [1]);
});

test('a site has a share from the grant on until it ends; another site has none', async () => {
	const { hostShare, redeem, shares } = await setUp();
	const has = () => ['https://a.example', 'https://b.example'].map((origin) => shares.has(origin));
	assert.deepEqual(has(), [true, false]);
	await redeem();
	assert.deepEqual(has(), [true, false]);
	await hostShare.stop();
	await settle();
	assert.deepEqual(has(), [false, false]);
});

test('nonsense from the page never reaches the host', async () => {
	for (const [wish, maxFps] of [[{ maxFps: 1e9 }, 240], [{ maxFps: -1 }, 30], [{ maxFps: 'x' }, 30], [{ maxFps: 0.2 }, 1]]) {
		useHost();
		await (await setUp()).redeem(wish);
		assert.equal(lastHost().of('open')[0].maxFps, maxFps);
	}
	useHost();
	const port = await (await setUp()).redeem({ codecs: ['h264', {}] });
	assert.equal(port.of('ended')[0].code, 'decoder-failed');
	assert.equal(lastHost().of('open').length, 0);
	assert.equal(lastHost().of('stop').length, 1);
});

test("a host that can do less is asked for less, and the page is told", async () => {
	useHost({ hello: () => ({ protocol: 1, version: '1', supports: ['vp8', 'cursor-hidden'], portal: 4 }) });
	const port = await (await setUp()).redeem();
	assert.equal(lastHost().of('open')[0].codec, 'vp8');
	assert.equal(port.of('opened')[0].cursor, 'never');
});

/** A host with all that there is; it answers `open` as asked. */
const full = {
	hello: () => ({
		protocol: 1,
		version: '1',
		supports: ['vp8', 'vp9', 'configure', 'scale', 'fidelity-text', 'cursor-embedded'],
		portal: 4,
	}),
	open: ({ codec, fidelity }) => ({ codec, width: 1280, height: 720, chroma: fidelity === 'text' ? '444' : '420' }),
};

test("the page's bounds go into open, within the protocol's", async () => {
	for (const [wish, bounds] of [
		[{}, [0, 0]],
		[{ maxWidth: 1280.9, maxHeight: 1 }, [1280, 2]],
		[{ maxWidth: 1e9, maxHeight: -5 }, [16384, 0]],
		[{ maxWidth: 'wide', maxHeight: NaN }, [0, 0]],
	]) {
		useHost(full);
		const port = await (await setUp()).redeem(wish);
		const [open] = lastHost().of('open');
		assert.deepEqual([open.maxWidth, open.maxHeight], bounds);
		assert.ok(!('fidelity' in open));
		assert.deepEqual(port.of('opened')[0].source, { width: 1920, height: 1080 });
	}
});

test('what is shared is as large as its own pixels, where the desktop tells the size of a scaled output', async () => {
	const share = () => ({ share: 1, surface: 'monitor', width: 1536, height: 864 });
	useHost({ ...full, share, open: ({ codec }) => ({ codec, width: 1280, height: 720, fullWidth: 1920, fullHeight: 1080 }) });
	const port = await (await setUp()).redeem({ maxWidth: 1280 });
	assert.deepEqual(port.of('opened')[0].source, { width: 1920, height: 1080 });
});

test("the user's bounds hold where the page says nothing of the kind", async () => {
	const bounds = { maxFps: 15, maxHeight: 720, fidelity: 'text' };
	const codecs = ['vp9', 'vp9-444'];
	for (const [wish, expected] of [
		[{ codecs }, [15, 0, 720, 'text']],
		[{ codecs, maxFps: 60 }, [60, 0, 720, 'text']],
		[{ codecs, maxWidth: 3840 }, [15, 3840, 0, 'text']],
		[{ codecs: ['vp8'], maxHeight: 2000 }, [15, 0, 2000, undefined]],
		[{ codecs, fidelity: 'motion' }, [15, 0, 720, undefined]],
	]) {
		useHost(full);
		const port = await (await setUp(bounds)).redeem(wish);
		const [open] = lastHost().of('open');
		assert.deepEqual([open.maxFps, open.maxWidth, open.maxHeight, open.fidelity], expected);
		const [opened] = port.of('opened');
		assert.deepEqual([opened.maxFps, opened.maxHeight], [expected[0], expected[2]], 'the track is told');
	}
	useHost();
	const port = await (await setUp(bounds)).redeem();
	assert.equal(port.of('opened')[0].maxHeight, 0, 'a host that scales nothing bounds nothing');
});

test('4:4:4 is asked for when the page wants it and both ends can do it', async () => {
	const all = ['vp9', 'vp8', 'vp9-444'];
	for (const [host, wish, fidelity] of [
		[full, { fidelity: 'text', codecs: all }, 'text'],
		[full, { fidelity: 'text', codecs: ['vp9', 'vp8'] }, undefined],
		[full, { fidelity: 'text', codecs: ['vp8', 'vp9-444'] }, undefined],
		[full, { fidelity: 'motion', codecs: all }, undefined],
		[full, { codecs: all }, undefined],
		[{}, { fidelity: 'text', codecs: all }, undefined],
	]) {
		useHost(host);
		const port = await (await setUp()).redeem(wish);
		assert.equal(lastHost().of('open')[0].fidelity, fidelity);
		assert.equal(port.of('opened')[0].chroma === '444', fidelity === 'text');
	}
});

test('the host may change the codec where the page decodes both and the host knows of it', async () => {
	const auto = { ...full, hello: () => ({ ...full.hello(), supports: [...full.hello().supports, 'codec-auto'] }) };
	const all = ['vp9', 'vp8', 'vp9-444'];
	for (const [host, wish, codec] of [
		[auto, { codecs: all }, 'auto'],
		[auto, { codecs: ['vp8', 'vp9'] }, 'auto'],
		[auto, { codecs: ['vp9'] }, 'vp9'],
		[auto, { codecs: ['vp8'] }, 'vp8'],
		[auto, { codecs: all, fidelity: 'text' }, 'vp9'],
		[full, { codecs: all }, 'vp9'],
	]) {
		useHost(host);
		await (await setUp()).redeem(wish);
		assert.equal(lastHost().of('open')[0].codec, codec);
	}
});

/** What the host was asked to change by the page. */
const configured = () => lastHost().of('configure').filter((message) => !('maxKbps' in message));

test('the bitrate follows the size of the pictures', async () => {
	useHost(full);
	const { hostShare, redeem } = await setUp();
	await redeem();
	const asked = () => lastHost().of('configure').map(({ share, maxKbps }) => [share, maxKbps]);
	assert.equal(lastHost().of('open')[0].maxKbps, 10368);
	assert.deepEqual(asked(), [[hostShare.id, 4608]], 'opened at 1280x720');
	const show = async (width, height) => {
		lastHost().postMessage(frame(hostShare.id, 0, { key: true, width, height }));
		await settle();
	};
	await show(1290, 720);
	assert.equal(asked().length, 1, 'a few pixels are no matter');
	await show(3840, 2160);
	await show(3840, 2160);
	assert.deepEqual(asked().slice(1), [[hostShare.id, 41472]]);
});

test('new bounds reach the host, when it knows of them', async () => {
	useHost(full);
	const { hostShare, redeem } = await setUp();
	const port = await redeem({ maxWidth: 800 });
	port.postMessage({ type: 'configure', maxFps: 12.4, maxWidth: 640, maxHeight: undefined });
	port.postMessage({ type: 'configure', maxFps: 'x', maxWidth: 'x', maxHeight: 1e9 });
	await settle();
	const configure = { type: 'configure', share: hostShare.id };
	assert.deepEqual(configured(), [
		{ ...configure, maxFps: 12, maxWidth: 640, maxHeight: 0 },
		{ ...configure, maxFps: 30, maxWidth: 0, maxHeight: 16384 },
	]);
	useHost();
	const old = await (await setUp()).redeem();
	old.postMessage({ type: 'configure', maxFps: 5 });
	await settle();
	assert.equal(lastHost().of('configure').length, 0);
});

test('a region goes into open and configure, within the bounds of the protocol', async () => {
	const host = { ...full, hello: () => ({ ...full.hello(), supports: [...full.hello().supports, 'region'] }) };
	for (const [wish, expected] of [
		[{ x: 10.4, y: 20, width: 301.5, height: 200 }, { x: 10, y: 20, width: 302, height: 200 }],
		[{ x: -50, y: -10, width: 100, height: 5 }, { x: 0, y: 0, width: 50, height: 2 }],
		[{ x: 1e9, y: 0, width: 1e9, height: 1e9 }, { x: 16384, y: 0, width: 16384, height: 16384 }],
		[null, null],
		[undefined, undefined],
		[{ x: 0, y: 0, width: '9', height: 9 }, undefined],
		[{ x: 0, y: NaN, width: 9, height: 9 }, undefined],
		['all', undefined],
	]) {
		useHost(host);
		const { hostShare, redeem } = await setUp();
		const port = await redeem({ region: wish });
		assert.deepEqual(lastHost().of('open')[0].region, expected);
		port.postMessage({ type: 'configure', region: wish });
		port.postMessage({ type: 'configure', maxFps: 5, region: wish });
		await settle();
		const configure = { type: 'configure', share: hostShare.id };
		const fields = expected === undefined ? {} : { region: expected };
		assert.deepEqual(configured(), [
			...(expected === undefined ? [] : [{ ...configure, ...fields }]),
			{ ...configure, ...fields, maxFps: 5, maxWidth: 0, maxHeight: 0 },
		]);
	}
	useHost(full);
	await (await setUp()).redeem({ region: { x: 0, y: 0, width: 9, height: 9 } });
	assert.ok(!('region' in lastHost().of('open')[0]));
});

test('an id is worth nothing a second time, elsewhere, or too late', async () => {
	const refused = async (port) => {
		assert.deepEqual(port.received, [], 'not at once');
		await time.pass(100);
		assert.deepEqual(port.received.map(({ type, code, name }) => [type, code, name]), [
			['ended', 'bad-source-id', 'NotAllowedError'],
		]);
		assert.equal(port.connected, false);
	};
	const first = await setUp();
	await refused(await first.redeem({}, sender(1, 7)));
	await refused(await first.redeem({}, sender(2)));
	await refused(await first.redeem({}, sender(1, 0, 'https://evil.example')));
	await refused(await first.redeem({ sourceId: 'portlight:forged' }));
	const good = await first.redeem();
	assert.equal(good.of('opened').length, 1);
	await refused(await first.redeem());
	assert.equal(good.connected, true);

	useHost();
	const second = await setUp();
	await time.pass(LIFETIME_MS);
	await refused(await second.redeem());
	assert.equal(lastHost().of('stop').length, 1);
});

test('the page goes away before it redeems: the share is stopped', async () => {
	const { page, hostShare } = await setUp();
	page.disconnect();
	await settle();
	assert.equal(lastHost().of('stop')[0].share, hostShare.id);
	assert.ok(hostShare.ended);
});

test('the page goes away in mid-share: the share is stopped and the host let go of', async () => {
	const { counts, redeem, shares } = await setUp();
	const port = await redeem();
	assert.equal(shares.list()[0].origin, 'https://a.example');
	port.disconnect();
	await settle();
	assert.equal(lastHost().of('stop').length, 1);
	assert.equal(lastHost().connected, false);
	assert.deepEqual(counts, [1, 0]);
	assert.deepEqual(shares.list(), []);
});

test('frames reach the page as they came, without the number of the share', async () => {
	const { hostShare, redeem } = await setUp();
	const port = await redeem();
	lastHost().postMessage(frame(hostShare.id, 0, { key: true, width: 2, height: 2, pts: 7 }));
	await settle();
	const expected = { type: 'frame', seq: 0, part: 0, parts: 1, data: 'AA==', key: true, width: 2, height: 2, pts: 7 };
	assert.deepEqual(port.of('frame'), [expected]);
});

test('credit is passed on, but never more than may be under way', async () => {
	const { hostShare, redeem } = await setUp();
	const port = await redeem();
	for (const frames of [1000, 1, -5, 'x', null, 2.5]) {
		port.postMessage({ type: 'credit', frames });
	}
	await settle();
	assert.deepEqual(lastHost().of('credit').map(({ frames }) => frames), [16 - CREDIT]);
	for (let seq = 0; seq < 3; seq++) {
		lastHost().postMessage(frame(hostShare.id, seq));
	}
	await settle();
	port.postMessage({ type: 'credit', frames: 2.5 });
	await settle();
	assert.equal(lastHost().of('credit')[1].frames, 2);
});

test('a fragment that is not the last of its frame uses no credit', async () => {
	const { hostShare, redeem } = await setUp();
	const port = await redeem();
	port.postMessage({ type: 'credit', frames: 16 - CREDIT });
	await settle();
	lastHost().postMessage(frame(hostShare.id, 0, { part: 0, parts: 2 }));
	await settle();
	port.postMessage({ type: 'credit', frames: 1 });
	await settle();
	assert.equal(lastHost().of('credit').length, 1);
	lastHost().postMessage(frame(hostShare.id, 0, { part: 1, parts: 2 }));
	await settle();
	port.postMessage({ type: 'credit', frames: 1 });
	await settle();
	assert.equal(lastHost().of('credit').length, 2);
});

test('a keyframe is asked for once until it comes', async () => {
	const { hostShare, redeem } = await setUp();
	const port = await redeem();
	for (let i = 0; i < 50; i++) {
		port.postMessage({ type: 'keyframe' });
	}
	await settle();
	assert.equal(lastHost().of('keyframe').length, 1);
	lastHost().postMessage(frame(hostShare.id, 0, { key: true }));
	await settle();
	port.postMessage({ type: 'keyframe' });
	await settle();
	assert.equal(lastHost().of('keyframe').length, 2);
});

test('the desktop ends it: the page is told once, and nothing stays', async () => {
	const { counts, hostShare, redeem } = await setUp();
	const port = await redeem();
	const ended = { type: 'ended', share: hostShare.id, code: 'session-closed', message: 'Over.', remedy: '', detail: 'secret' };
	lastHost().postMessage(ended);
	await settle();
	assert.deepEqual(port.of('ended'), [
		{ type: 'ended', code: 'session-closed', name: 'NotReadableError', message: 'Over.', remedy: 'Share the screen again.' },
	]);
	assert.equal(port.connected, false);
	assert.equal(lastHost().of('stop').length, 0);
	assert.equal(lastHost().connected, false);
	assert.deepEqual(counts, [1, 0]);
});

test('it ended before it was redeemed: the id is worth nothing', async () => {
	const { hostShare, redeem } = await setUp();
	lastHost().postMessage({ type: 'ended', share: hostShare.id, code: 'session-closed', message: 'Over.', remedy: '' });
	await settle();
	const port = await redeem();
	await time.pass(100);
	assert.equal(port.of('ended')[0].code, 'bad-source-id');
});

test('the host can not open it: the page hears why, and the share is stopped', async () => {
	useHost({
		open: ({ id }, port) => port.postMessage({ type: 'error', id, code: 'helper-missing', message: 'No.', remedy: '' }),
	});
	const { counts, redeem } = await setUp();
	const port = await redeem();
	assert.equal(port.of('ended')[0].code, 'helper-missing');
	assert.equal(port.of('ended')[0].name, 'NotReadableError');
	assert.equal(lastHost().of('stop').length, 1);
	assert.deepEqual(counts, [1, 0]);
});

test('the host crashes: every page hears it', async () => {
	const { redeem } = await setUp();
	const port = await redeem();
	lastHost().disconnect({ message: 'Native host has exited.' });
	await settle();
	assert.equal(port.of('ended')[0].code, 'host-crashed');
});

test("the user's own Stop ends it, and a key of no share does nothing", async () => {
	const { redeem, shares } = await setUp();
	const port = await redeem();
	await shares.stop(999);
	assert.equal(port.connected, true);
	await shares.stop(shares.list()[0].key);
	await settle();
	assert.equal(port.of('ended')[0].code, 'stopped');
});

test('the user hears of a share that fails, and of no orderly end', async () => {
	for (const [code, told] of [
		['helper-crashed', ['helper-crashed']],
		['stopped', []],
		['session-closed', []],
		['source-gone', []],
	]) {
		for (const redeemed of [true, false]) {
			useHost();
			const { failures, hostShare, redeem } = await setUp();
			if (redeemed) {
				await redeem();
			}
			lastHost().postMessage({ type: 'ended', share: hostShare.id, code, message: 'Over.', remedy: '' });
			await settle();
			assert.deepEqual(failures, told, `${code}, redeemed: ${redeemed}`);
		}
	}
});

test('the user hears of a share that the host can not open, once and with its reason', async () => {
	useHost({
		open: ({ id }, port) => port.postMessage({ type: 'error', id, code: 'helper-missing', message: 'No.', remedy: '' }),
	});
	const { failures, redeem } = await setUp();
	await redeem();
	assert.deepEqual(failures, ['helper-missing']);
	useHost();
	const left = await setUp();
	(await left.redeem()).disconnect();
	await settle();
	assert.deepEqual(left.failures, []);
});

test('"Stop all" takes back what was granted and not redeemed', async () => {
	const { hostShare, redeem, shares } = await setUp();
	await shares.stopAll();
	assert.equal(lastHost().of('stop')[0].share, hostShare.id);
	assert.ok(hostShare.ended);
	const port = await redeem();
	await time.pass(100);
	assert.equal(port.of('ended')[0].code, 'bad-source-id');
});
