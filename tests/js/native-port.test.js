/** The connection to the host: when it is opened and closed, and how it fails. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, lastHost, useHost } from './fake.js';

const { Host } = await import('../../extension/background/host.js');
const what = { sources: ['monitor'], cursor: 'embedded' };

const time = useTime();
beforeEach(() => useHost());

test('nothing is started before something is asked for', () => {
	new Host();
	assert.equal(chrome.runtime.hosts.length, 0);
});

test('hello comes first, and the host is let go of when nothing needs it', async () => {
	const { version, portal } = await new Host().status();
	assert.deepEqual({ version, portal }, { version: '1.2.3', portal: 4 });
	await settle();
	assert.deepEqual(lastHost().received.map(({ type, protocol }) => [type, protocol]), [['hello', 1]]);
	assert.equal(lastHost().connected, false);
});

test('another protocol is refused, and the host is let go of', async () => {
	useHost({ hello: () => ({ protocol: 2, version: '9', supports: [], portal: 4 }) });
	await assert.rejects(new Host().status(), { code: 'version-mismatch' });
	await settle();
	assert.equal(lastHost().connected, false);
});

test('a host that is not installed is missing, and is not tried again by itself', async () => {
	useHost({ hello: (_message, port) => port.disconnect({ message: 'No such native application org.portlight.host' }) });
	const host = new Host();
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
		await assert.rejects(new Host().status(), { code }, message);
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
	const host = new Host();
	const both = await Promise.all([host.status(), host.share(what)]);
	assert.equal(both[0].version, '1.2.3');
	assert.equal(chrome.runtime.hosts.length, 2);
});

test('a host that refuses its caller says why', async () => {
	useHost({
		hello: (_message, port) => {
			port.postMessage({ type: 'error', id: null, code: 'wrong-caller', message: 'Not you.', remedy: 'Reinstall.' });
			port.disconnect({ message: 'Native host has exited.' });
		},
	});
	await assert.rejects(new Host().status(), { code: 'wrong-caller' });
});

test('a host that crashes ends requests and shares alike', async () => {
	useHost({ open: () => {} });
	const host = new Host();
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
	const host = new Host();
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
	const share = new Host().share(what);
	await settle();
	chrome.runtime.onNative = onNative;
	await time.pass(1_800);
	assert.equal((await share).ended, null);
});

test('a host that hangs after its greeting ends its shares within 4 s of the next question', async () => {
	const host = new Host();
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
	const share = await new Host().share(what);
	let answer = () => {};
	t.mock.method(chrome.runtime, 'getPlatformInfo', () => new Promise((resolve) => (answer = resolve)));
	chrome.runtime.onNative = () => {};
	const stats = assert.rejects(share.stats(), { code: 'host-timeout' });
	await time.pass(20_000);
	assert.equal(share.ended, null);
	for (let i = 0; i < 5; i++) {
		answer();
		await time.pass(1_100);
	}
	await stats;
	assert.equal(share.ended?.code, 'host-timeout');
});

test('a dialog may stay open and a screen still for an hour: the host is sent nothing, and no timer runs', async () => {
	let answer = (_share) => {};
	useHost({ share: ({ id }, port) => void (answer = (share) => port.postMessage({ type: 'result', id, share, surface: 'window', width: 1, height: 1 })) });
	const dialog = new Host().share(what);
	const quiet = async (/** @type {string} */ when) => {
		await settle();
		const said = lastHost().received.length;
		assert.equal(time.timers.size, 0, when);
		await time.pass(3_600_000);
		assert.equal(lastHost().received.length, said, when);
	};
	await quiet('while the dialog is open');
	answer(7);
	const share = await dialog;
	await share.open({ codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 3 });
	await quiet('while the screen is still');
	assert.deepEqual(lastHost().received.map(({ type }) => type), ['hello', 'share', 'open']);
	await share.stop();
	assert.equal(lastHost().connected, false);
});

test('a helper that takes its time to open is waited for as long as the host answers', async () => {
	useHost({ open: () => {} });
	const share = await new Host().share(what);
	const opened = share.open({ codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 3 });
	await time.pass(60_000);
	lastHost().postMessage({ type: 'result', id: lastHost().of('open')[0].id, codec: 'vp8', width: 2, height: 2 });
	assert.equal((await opened).width, 2);
	await settle();
	assert.equal(time.timers.size, 0);
	await share.stop();
});

test('a dialog of a host that hangs is over once the user takes it back', async () => {
	useHost({ share: () => {} });
	const taken = new AbortController();
	const dialog = assert.rejects(new Host().share(what, taken.signal), { code: 'host-timeout' });
	await settle();
	chrome.runtime.onNative = () => {};
	await time.pass(60_000);
	assert.equal(lastHost().connected, true);
	taken.abort();
	await time.pass(4_000);
	await dialog;
	assert.equal(lastHost().connected, false);
});
