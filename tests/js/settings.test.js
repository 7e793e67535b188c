/** What the person chose in the options page: kept apart, so that no page of settings undoes what another chose. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { useStorage } from './fake.js';

const { DEFAULTS, defaults, dialectsOff, setDefault, setDialect } = await import('../../extension/background/settings.js');

test('switches that are pressed at the same time all hold', async () => {
	useStorage();
	const names = ['muaz', 'janus', 'skyway', 'kandy'];
	await Promise.all(names.map((name) => setDialect(name, false)));
	assert.deepEqual((await dialectsOff()).sort(), names.sort());
	await Promise.all([setDialect('janus', true), setDialect('twilio', false)]);
	assert.deepEqual((await dialectsOff()).sort(), ['kandy', 'muaz', 'skyway', 'twilio']);
});

test("the organization's word on a dialect wins, either way", async () => {
	useStorage({}, { dialects: { janus: true, muaz: false } });
	await setDialect('janus', false);
	assert.deepEqual(await dialectsOff(), ['muaz']);
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
