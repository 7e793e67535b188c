/** What the user chose in the options page: kept apart, so that no page of settings undoes what another chose. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { useStorage } from './fake.js';

const { capturePath, DEFAULTS, defaults, otherExtensions, setCapturePath, setDefault, setOtherExtensions } = await import('../../extension/background/settings.js');

test('pages for other extensions are answered until the user decides otherwise; the organization wins, either way', async () => {
	useStorage({}, null);
	assert.equal(await otherExtensions(), true);
	await setOtherExtensions(false);
	assert.equal(await otherExtensions(), false);
	useStorage({ otherExtensions: false }, { dialects: true });
	assert.equal(await otherExtensions(), true);
	useStorage({}, { dialects: false });
	assert.equal(await otherExtensions(), false);
});

test("whose dialog opens is the user's choice of three; only an organization leaves the host out", async () => {
	useStorage({}, null);
	assert.equal(await capturePath(), 'auto');
	for (const path of /** @type {const} */ (['chooser', 'native', 'auto'])) {
		await setCapturePath(path);
		assert.equal(await capturePath(), path);
	}
	useStorage({ capturePath: 'browser' });
	assert.equal(await capturePath(), 'auto');
	useStorage({ capturePath: 'native' }, { nativePath: 'off' });
	assert.equal(await capturePath(), 'browser');
	useStorage({ capturePath: 'chooser' }, { nativePath: 'forced' });
	assert.equal(await capturePath(), 'native');
});

test('a default holds as chosen, each for itself; what storage holds is not trusted', async () => {
	const kept = useStorage();
	const first = Object.fromEntries(Object.entries(DEFAULTS).map(([name, [value]]) => [name, value]));
	assert.deepEqual(await defaults(), first);
	await Promise.all([setDefault('maxFps', 60), setDefault('cursor', 'never')]);
	assert.deepEqual(await defaults(), { ...first, maxFps: 60, cursor: 'never' });
	Object.assign(kept.local, { 'default:maxFps': 1e9, 'default:cursor': 'send', 'default:maxHeight': '720' });
	assert.deepEqual(await defaults(), first);
});
