/** What the host is asked for, and the shares that it grants. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, lastHost, useHost } from './fake.js';

const { Host } = await import('../../extension/background/host.js');
const { portalFailure } = await import('../../extension/shared/failure.js');
const what = { sources: ['monitor'], cursor: 'embedded' };

const time = useTime();
beforeEach(() => useHost());

test('a granted share keeps the host until it ends', async () => {
	const host = new Host();
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
	const host = new Host();
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
		const share = await new Host().share(wish);
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
	const share = await new Host().share(what);
	const { cpuMs, rssKiB, frames, bytes } = await share.stats();
	assert.deepEqual({ cpuMs, rssKiB, frames, bytes }, { cpuMs: 10, rssKiB: 2, frames: 3, bytes: 4 });
	await share.stop();
});

test('an error of the host is a Failure with its code', async () => {
	useHost({
		share: ({ id }, port) => port.postMessage({ type: 'error', id, code: 'denied', message: 'No.', remedy: 'Ask.' }),
	});
	await assert.rejects(new Host().share(what), { code: 'denied', message: 'No.', domName: 'NotAllowedError' });
	await settle();
	assert.equal(lastHost().connected, false);
});

test('an older host is not told what it does not know', async () => {
	const shares = [];
	const share = (message) => {
		shares.push(message);
		return { share: shares.length, surface: 'monitor', width: 1, height: 1 };
	};
	const wish = { ...what, origin: 'https://a.example', remember: true };
	useHost({ share });
	await new Host().share(wish);
	useHost({ share, hello: () => ({ protocol: 1, version: '1', supports: ['grants'], portal: 4 }) });
	await new Host().share(wish);
	assert.deepEqual(shares.map(({ origin, remember }) => [origin, remember]), [
		[undefined, undefined],
		['https://a.example', true],
	]);
});

test('a credit that came too late is not why the host goes later', async () => {
	const host = new Host();
	const share = await host.share(what);
	lastHost().postMessage({ type: 'error', id: null, code: 'bad-json', message: '', remedy: '' });
	lastHost().postMessage({ type: 'frame', share: share.id, seq: 0, part: 0, parts: 1, data: '' });
	lastHost().postMessage({ type: 'error', id: null, code: 'unknown-share', message: '', remedy: '' });
	await settle();
	lastHost().disconnect({ message: 'Native host has exited.' });
	await settle();
	assert.equal(share.ended?.code, 'host-crashed');
});

test('who looks at a host that is held on to is told of it as it is now', async () => {
	const hello = { protocol: 1, version: '1', supports: [], portal: 0, portalCode: 'portal-timeout' };
	useHost({ hello: () => structuredClone(hello) });
	const host = new Host();
	await host.share(what);
	assert.equal(portalFailure(await host.look())?.code, 'portal-timeout');
	Object.assign(hello, { portal: 4, supports: ['cursor-hidden'] });
	assert.equal(portalFailure(await host.look()), null);
	await host.share(what, undefined, ['cursor-hidden']);
	assert.equal(portalFailure({ portal: 0 })?.code, 'portal-missing', 'of an older host');
});

test('a host that does not stop a share in time is let go of', async () => {
	useHost({ stop: () => {} });
	const share = await new Host().share(what);
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
		const host = new Host();
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
	const share = assert.rejects(new Host().share(what, controller.signal), { code: 'cancelled' });
	await settle();
	controller.abort();
	await share;
	assert.deepEqual(lastHost().of('cancel'), [{ type: 'cancel', request: pending }]);
});

test('a request that is aborted before it is sent asks nothing', async () => {
	await assert.rejects(new Host().share(what, AbortSignal.abort()), { code: 'cancelled' });
	await settle();
	assert.equal(lastHost().of('share').length, 0);
	assert.equal(lastHost().connected, false);
});

test('several that were granted at once are shares of their own', async () => {
	const stream = (share, surface) => ({ share, surface, width: 8, height: 6 });
	useHost({ share: () => ({ ...stream(1, 'monitor'), restored: true, streams: [stream(1, 'monitor'), stream(2, 'window')] }) });
	const first = await new Host().share({ ...what, cursor: 'hidden', multiple: true }, undefined, []);
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
	const host = new Host();
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
