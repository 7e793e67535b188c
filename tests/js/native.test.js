import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, lastHost, useHost } from './fake.js';

const { NativeHost } = await import('../../extension/background/native.js');
const { portalFailure } = await import('../../extension/shared/failure.js');
const what = { sources: ['monitor'], cursor: 'embedded' };

const time = useTime();
beforeEach(() => useHost());

test('nothing is started before something is asked for', () => {
	new NativeHost();
	assert.equal(chrome.runtime.hosts.length, 0);
});

test('hello comes first, and the host is let go of when nothing needs it', async () => {
	const { version, portal } = await new NativeHost().status();
	assert.deepEqual({ version, portal }, { version: '1.2.3', portal: 4 });
	await settle();
	assert.deepEqual(lastHost().received.map(({ type, protocol }) => [type, protocol]), [['hello', 1]]);
	assert.equal(lastHost().connected, false);
});

test('a granted share keeps the host until it ends', async () => {
	const host = new NativeHost();
	const share = await host.share(what);
	assert.deepEqual([share.surface, share.width, share.height], ['monitor', 1920, 1080]);
	await settle();
	assert.equal(lastHost().connected, true);
	const ends = [];
	share.onEnded = ({ code }) => ends.push(code);
	await share.stop();
	await share.stop();
	await settle();
	assert.deepEqual(ends, ['stopped']);
	assert.equal(lastHost().of('stop').length, 1);
	assert.equal(lastHost().connected, false);
});

test('two shares share one host, and the first to end leaves it to the other', async () => {
	const host = new NativeHost();
	const [one, two] = await Promise.all([host.share(what), host.share(what)]);
	assert.notEqual(one.id, two.id);
	assert.equal(chrome.runtime.hosts.length, 1);
	await one.stop();
	await settle();
	assert.equal(lastHost().connected, true);
	assert.equal(two.ended, null);
	await two.stop();
	await settle();
	assert.equal(lastHost().connected, false);
});

test('a desktop without windows offers its screens to who would like a window, and not to who wants nothing else', async () => {
	useHost({ hello: () => ({ protocol: 1, version: '9', supports: ['monitor'], portal: 4 }) });
	const window = { sources: ['window'], cursor: 'embedded' };
	const asked = async (/** @type {any} */ wish) => {
		const share = await new NativeHost().share(wish);
		const { type: _type, id: _id, ...said } = lastHost().of('share')[0];
		await share.stop();
		return said;
	};
	assert.deepEqual(await asked(window), { ...window, sources: ['monitor'] });
	assert.deepEqual(await asked({ ...window, exact: true }), window);
	assert.deepEqual(await asked({ ...window, sources: ['monitor', 'window'] }), { ...window, sources: ['monitor', 'window'] });
});

test('stats of a share are asked of the host', async () => {
	useHost({ stats: ({ share }) => ({ cpuMs: 10 * share, rssKiB: 2, frames: 3, bytes: 4 }) });
	const share = await new NativeHost().share(what);
	const { cpuMs, rssKiB, frames, bytes } = await share.stats();
	assert.deepEqual({ cpuMs, rssKiB, frames, bytes }, { cpuMs: 10, rssKiB: 2, frames: 3, bytes: 4 });
	await share.stop();
});

test('an error of the host is a Failure with its code', async () => {
	useHost({
		share: ({ id }, port) => port.postMessage({ type: 'error', id, code: 'denied', message: 'No.', remedy: 'Ask.' }),
	});
	await assert.rejects(new NativeHost().share(what), { code: 'denied', message: 'No.', domName: 'NotAllowedError' });
	await settle();
	assert.equal(lastHost().connected, false);
});

test('another protocol is refused, and the host is let go of', async () => {
	useHost({ hello: () => ({ protocol: 2, version: '9', supports: [], portal: 4 }) });
	await assert.rejects(new NativeHost().status(), { code: 'version-mismatch' });
	await settle();
	assert.equal(lastHost().connected, false);
});

test('a host that is not installed is missing, and is not tried again by itself', async () => {
	useHost({ hello: (_message, port) => port.disconnect({ message: 'No such native application org.portlight.host' }) });
	const host = new NativeHost();
	await assert.rejects(host.share(what), { code: 'host-missing' });
	await time.pass(60_000);
	assert.equal(chrome.runtime.hosts.length, 1);
	useHost();
	assert.equal((await host.status()).version, '1.2.3');
});

test('what the browser says of a host that it could not start is told apart', async () => {
	const reasons = {
		'Specified native messaging host not found.': 'host-missing',
		'No such native application org.portlight.host': 'host-missing',
		'Access to the specified native messaging host is forbidden.': 'wrong-caller',
		'Failed to start native messaging host.': 'host-unusable',
		'Native host has exited.': 'host-crashed',
		'An unexpected error occurred': 'host-unusable',
		'': 'host-crashed',
	};
	for (const [message, code] of Object.entries(reasons)) {
		useHost({ hello: (_message, port) => port.disconnect(message ? { message } : undefined) });
		await assert.rejects(new NativeHost().status(), { code }, message);
		assert.equal(chrome.runtime.hosts.length, code === 'host-crashed' ? 2 : 1, `${message}: only a crash is tried again`);
	}
});

test('a host that falls over as it starts is started once more, and nobody notices', async () => {
	let starts = 0;
	const hello = { protocol: 1, version: '1.2.3', supports: [], portal: 4 };
	useHost({
		hello: (_message, port) => {
			if (++starts === 1) {
				port.disconnect({ message: 'Native host has exited.' });
				return undefined;
			}
			return hello;
		},
	});
	const host = new NativeHost();
	const both = await Promise.all([host.status(), host.share(what)]);
	assert.equal(both[0].version, '1.2.3');
	assert.equal(chrome.runtime.hosts.length, 2);
});

test('an older host is not told what it does not know', async () => {
	const shares = [];
	const share = (message) => {
		shares.push(message);
		return { share: shares.length, surface: 'monitor', width: 1, height: 1 };
	};
	const wish = { ...what, origin: 'https://a.example', remember: true };
	useHost({ share });
	await new NativeHost().share(wish);
	useHost({ share, hello: () => ({ protocol: 1, version: '1', supports: ['grants'], portal: 4 }) });
	await new NativeHost().share(wish);
	assert.deepEqual(shares.map(({ origin, remember }) => [origin, remember]), [
		[undefined, undefined],
		['https://a.example', true],
	]);
});

test('a host that refuses its caller says why', async () => {
	useHost({
		hello: (_message, port) => {
			port.postMessage({ type: 'error', id: null, code: 'wrong-caller', message: 'Not you.', remedy: 'Reinstall.' });
			port.disconnect({ message: 'Native host has exited.' });
		},
	});
	await assert.rejects(new NativeHost().status(), { code: 'wrong-caller' });
});

test('a credit that came too late is not why the host goes later', async () => {
	const host = new NativeHost();
	const share = await host.share(what);
	lastHost().postMessage({ type: 'error', id: null, code: 'bad-json', message: '', remedy: '' });
	lastHost().postMessage({ type: 'frame', share: share.id, seq: 0, part: 0, parts: 1, data: '' });
	lastHost().postMessage({ type: 'error', id: null, code: 'unknown-share', message: '', remedy: '' });
	await settle();
	lastHost().disconnect({ message: 'Native host has exited.' });
	await settle();
	assert.equal(share.ended?.code, 'host-crashed');
});

test('a host that crashes ends requests and shares alike', async () => {
	useHost({ open: () => {} });
	const host = new NativeHost();
	const share = await host.share(what);
	const ends = [];
	share.onEnded = ({ code }) => ends.push(code);
	const open = assert.rejects(share.open({ codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 3 }), { code: 'host-crashed' });
	await settle();
	lastHost().disconnect({ message: 'Native host has exited.' });
	await open;
	assert.deepEqual(ends, ['host-crashed']);
	assert.equal((await host.share(what)).ended, null);
	assert.equal(chrome.runtime.hosts.length, 2);
});

test('a host that does not answer hello is started once more, then given up while a click still counts', async () => {
	useHost({ hello: () => {} });
	const host = new NativeHost();
	const share = assert.rejects(host.share(what), { code: 'host-timeout' });
	const look = assert.rejects(host.look(), { code: 'host-slow' });
	await settle();
	await time.pass(1_999);
	await look;
	assert.deepEqual(chrome.runtime.hosts.map(({ connected }) => connected), [false, true]);
	await time.pass(2_000);
	await share;
	assert.deepEqual(chrome.runtime.hosts.map(({ connected }) => connected), [false, false]);
});

test('a host that is slow to start only once is no failure', async () => {
	const { onNative } = chrome.runtime;
	useHost({ hello: () => {} });
	const share = new NativeHost().share(what);
	await settle();
	chrome.runtime.onNative = onNative;
	await time.pass(1_800);
	assert.equal((await share).ended, null);
});

test('a host that hangs after its greeting ends its shares and dialogs within 4 s', async () => {
	const host = new NativeHost();
	const share = await host.share(what);
	chrome.runtime.onNative = () => {};
	const dialog = assert.rejects(host.share(what), { code: 'host-timeout' });
	const look = assert.rejects(host.look(), { code: 'host-slow' });
	await time.pass(1_900);
	await look;
	assert.equal(share.ended, null);
	await time.pass(2_100);
	await dialog;
	assert.equal(share.ended?.code, 'host-timeout');
});

test('while the browser itself does not answer, no host is taken for hung', async (t) => {
	const share = await new NativeHost().share(what);
	let answer = () => {};
	t.mock.method(chrome.runtime, 'getPlatformInfo', () => new Promise((resolve) => (answer = resolve)));
	await time.pass(20_000);
	assert.equal(share.ended, null);
	chrome.runtime.onNative = () => {};
	for (let i = 0; i < 5; i++) {
		answer();
		await time.pass(1_100);
	}
	assert.equal(share.ended?.code, 'host-timeout');
});

test('a dialog that stays open for minutes is nothing to end, and a host that is idle is not watched', async () => {
	let answer = (_share) => {};
	useHost({ share: ({ id }, port) => void (answer = (share) => port.postMessage({ type: 'result', id, share, surface: 'window', width: 1, height: 1 })) });
	const dialog = new NativeHost().share(what);
	await time.pass(300_000);
	answer(7);
	const share = await dialog;
	assert.equal(share.id, 7);
	await share.stop();
	const asked = lastHost().of('hello').length;
	assert.ok(asked >= 100, `asked ${asked} times in 5 minutes`);
	await time.pass(10_000);
	assert.equal(lastHost().of('hello').length, asked);
	assert.equal(time.timers.size, 0);
});

test('a host whose pictures flow is not asked for signs of life', async () => {
	const share = await new NativeHost().share(what);
	for (let i = 0; i < 20; i++) {
		lastHost().postMessage({ type: 'frame', share: share.id, seq: i, part: 0, parts: 1, data: '' });
		await time.pass(500);
	}
	assert.equal(lastHost().of('hello').length, 1);
	await share.stop();
});

test('who looks at a host that is held on to is told of it as it is now', async () => {
	const hello = { protocol: 1, version: '1', supports: [], portal: 0, portalCode: 'portal-timeout' };
	useHost({ hello: () => structuredClone(hello) });
	const host = new NativeHost();
	await host.share(what);
	assert.equal(portalFailure(await host.look())?.code, 'portal-timeout');
	Object.assign(hello, { portal: 4, supports: ['cursor-hidden'] });
	assert.equal(portalFailure(await host.look()), null);
	await host.share(what, undefined, ['cursor-hidden']);
	assert.equal(portalFailure({ portal: 0 })?.code, 'portal-missing', 'of an older host');
});

test('a host that does not stop a share in time is let go of', async () => {
	useHost({ stop: () => {} });
	const share = await new NativeHost().share(what);
	const stopped = share.stop();
	await settle();
	assert.equal(lastHost().connected, true);
	await time.pass(2_400);
	assert.equal(lastHost().connected, true);
	await time.pass(100);
	await stopped;
	assert.equal(lastHost().connected, false);
	assert.ok(share.ended);
});

for (const [code, connected] of [['unknown-share', true], ['too-many-requests', false]]) {
	test(`a stop that the host refuses with ${code}: ${connected ? 'only that share is over' : 'the host is let go of'}`, async () => {
		useHost({ stop: ({ id }, port) => port.postMessage({ type: 'error', id, code, message: 'No.', remedy: '' }) });
		const host = new NativeHost();
		const [share, other] = [await host.share(what), await host.share(what)];
		await share.stop();
		await settle();
		assert.equal(lastHost().connected, connected);
		assert.equal(other.ended === null, connected);
		assert.ok(share.ended);
	});
}

test('an aborted request is cancelled at the host, and ends as the host says', async () => {
	let pending = 0;
	useHost({
		share: ({ id }) => {
			pending = id;
		},
		cancel: ({ request }, port) => {
			port.postMessage({ type: 'error', id: request, code: 'cancelled', message: 'c', remedy: '' });
		},
	});
	const controller = new AbortController();
	const share = assert.rejects(new NativeHost().share(what, controller.signal), { code: 'cancelled' });
	await settle();
	controller.abort();
	await share;
	assert.deepEqual(lastHost().of('cancel'), [{ type: 'cancel', request: pending }]);
});

test('a request that is aborted before it is sent asks nothing', async () => {
	await assert.rejects(new NativeHost().share(what, AbortSignal.abort()), { code: 'cancelled' });
	await settle();
	assert.equal(lastHost().of('share').length, 0);
	assert.equal(lastHost().connected, false);
});

test('several that were granted at once are shares of their own', async () => {
	const stream = (share, surface) => ({ share, surface, width: 8, height: 6 });
	useHost({ share: () => ({ ...stream(1, 'monitor'), restored: true, streams: [stream(1, 'monitor'), stream(2, 'window')] }) });
	const first = await new NativeHost().share({ ...what, cursor: 'hidden', multiple: true }, undefined, []);
	const [second] = first.others;
	assert.equal(first.others.length, 1);
	assert.deepEqual([second.id, second.surface, second.width, second.restored, second.cursor], [2, 'window', 8, true, 'hidden']);
	assert.equal(lastHost().of('share')[0].multiple, true);
	await first.stop();
	assert.equal(lastHost().connected, true);
	await second.stop();
	await settle();
	assert.equal(lastHost().connected, false);
});

test('frames go to their own share, and to none when it is gone', async () => {
	const host = new NativeHost();
	const [one, two] = await Promise.all([host.share(what), host.share(what)]);
	const got = [];
	one.onFrame = ({ seq }) => got.push(['one', seq]);
	two.onFrame = ({ seq }) => got.push(['two', seq]);
	for (const [share, seq] of [[two.id, 0], [one.id, 0], [99, 5], [two.id, 1]]) {
		lastHost().postMessage({ type: 'frame', share, seq, part: 0, parts: 1, data: '' });
	}
	await settle();
	assert.deepEqual(got, [['two', 0], ['one', 0], ['two', 1]]);
});
