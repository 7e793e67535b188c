/** The share of the first run's page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, FakePort, lastHost, sender, useHost, useStorage } from './fake.js';

const { NativeHost } = await import('../../extension/background/native.js');
const { Shares } = await import('../../extension/background/shares.js');
const { offerTest } = await import('../../extension/background/test-share.js');

useTime();

async function offered() {
	const withdrawal = new AbortController();
	const [near, far] = FakePort.pair('test', sender());
	offerTest(far, new NativeHost(), new Shares(() => {}), withdrawal.signal);
	near.postMessage({ type: 'request' });
	await settle();
	return { near, withdrawal };
}

test('where the organization switched the host off, it is not even started', async () => {
	useStorage({}, { nativePath: 'off' });
	useHost();
	const { near } = await offered();
	assert.deepEqual(near.received.map(({ type, code }) => [type, code]), [['refused', 'native-off']]);
	assert.equal(chrome.runtime.hosts.length, 0);
});

test('its dialog is closed with all others', async () => {
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
