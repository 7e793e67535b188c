/** Which way a request takes, and what the host is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, FakePort, lastHost, sender, useHost, useStorage } from './fake.js';

const { Capture, nativeWish } = await import('../../extension/background/capture.js');
const { Host } = await import('../../extension/background/host.js');
const { Shares } = await import('../../extension/background/shares.js');

useTime();

async function offered() {
	const withdrawal = new AbortController();
	const [near, far] = FakePort.pair('test', sender());
	new Capture(new Host(), new Shares(() => {}), { remembers: async () => false }).offerTest(far, withdrawal.signal);
	near.postMessage({ type: 'request' });
	await settle();
	return { near, withdrawal };
}

test('the test of the first run: where the organization switched the host off, it is not even started', async () => {
	useStorage({}, { nativePath: 'off' });
	useHost();
	const { near } = await offered();
	assert.deepEqual(near.received.map(({ type, code }) => [type, code]), [['refused', 'native-off']]);
	assert.equal(chrome.runtime.hosts.length, 0);
});

test('the test of the first run: its dialog is closed with all others', async () => {
	useStorage();
	useHost({
		share: () => {},
		cancel: ({ request }, port) => port.postMessage({ type: 'error', id: request, code: 'cancelled', message: '', remedy: '' }),
	});
	const { near, withdrawal } = await offered();
	assert.deepEqual(near.received, []);
	withdrawal.abort();
	await settle();
	assert.deepEqual(near.received.map(({ type, code }) => [type, code]), [['refused', 'cancelled']]);
	assert.equal(lastHost().of('cancel').length, 1);
});

test('wishes in the host\'s words', () => {
	assert.deepEqual(nativeWish({}), { cursor: 'embedded', multiple: false, needs: [] });
	assert.deepEqual(nativeWish({}, 'never'), { cursor: 'hidden', multiple: false, needs: [] }, 'a default fails nothing');
	assert.equal(nativeWish({ cursor: 'always' }, 'never').cursor, 'embedded', 'what a page asks for goes first');
	assert.deepEqual(nativeWish({ cursor: 'toString' }), { cursor: 'embedded', multiple: false, needs: [] });
	assert.deepEqual(nativeWish({ cursor: 'never', region: true }), {
		cursor: 'hidden',
		multiple: false,
		needs: ['cursor-hidden', 'region'],
	});
	assert.deepEqual(nativeWish({ multiple: true }).needs, ['multiple']);
	assert.deepEqual(nativeWish({ cursor: 'send' }).needs, ['cursor-metadata', 'cursor-send']);
});
