import assert from 'node:assert/strict';
import test from 'node:test';
import { useTime } from './clock.js';
import { sender } from './fake.js';

const { LIFETIME_MS, placeOf, SourceIds } = await import('../../extension/background/source-ids.js');

const here = { tabId: 1, frameId: 0, origin: 'https://a.example' };
const time = useTime();

test('an id is the prefix and 128 random bits', () => {
	const ids = new SourceIds();
	const minted = new Set(Array.from({ length: 1000 }, () => ids.mint(here, {}, () => {})));
	assert.equal(minted.size, 1000);
	for (const id of minted) {
		assert.match(id, /^portlight:[A-Za-z0-9_-]{22}$/);
	}
});

test('it is redeemed once', () => {
	const ids = new SourceIds();
	const grant = {};
	const id = ids.mint(here, grant, () => assert.fail('expired'));
	assert.equal(ids.redeem(id, here), grant);
	assert.equal(ids.redeem(id, here), null);
	assert.equal(time.timers.size, 0);
});

test('another tab, frame or origin gets nothing, and uses nothing up', () => {
	const ids = new SourceIds();
	const grant = {};
	const id = ids.mint(here, grant, () => {});
	for (const other of [{ tabId: 2 }, { frameId: 3 }, { origin: 'https://b.example' }, { origin: 'null' }]) {
		assert.equal(ids.redeem(id, { ...here, ...other }), null);
	}
	assert.equal(ids.redeem(id, here), grant);
});

test('what is no id of ours is refused', () => {
	const ids = new SourceIds();
	ids.mint(here, {}, () => {});
	for (const id of ['', 'portlight:', 'portlight:AAAAAAAAAAAAAAAAAAAAAA', 7, null, undefined, {}, ['portlight:']]) {
		assert.equal(ids.redeem(id, here), null);
	}
});

test('it dies after its time, and says so', async () => {
	const ids = new SourceIds();
	const expired = [];
	const grant = {};
	const id = ids.mint(here, grant, (which) => expired.push(which));
	await time.pass(LIFETIME_MS - 1);
	assert.deepEqual(expired, []);
	await time.pass(1);
	assert.deepEqual(expired, [grant]);
	assert.equal(ids.redeem(id, here), null);
});

test('a forgotten grant is dead at once and does not expire later', async () => {
	const ids = new SourceIds();
	const grant = {};
	const id = ids.mint(here, grant, () => assert.fail('expired'));
	assert.equal(ids.forget(grant), true);
	assert.equal(ids.forget(grant), false);
	assert.equal(ids.redeem(id, here), null);
	await time.pass(LIFETIME_MS);
});

test('a place is what the browser says of the sender, or none', () => {
	assert.deepEqual(placeOf(sender(4, 2, 'null')), { tabId: 4, frameId: 2, origin: 'null' });
	const from = sender(4, 2);
	const secret = { ...from, tab: { ...from.tab, incognito: true } };
	assert.deepEqual(placeOf(secret), { tabId: 4, frameId: 2, origin: 'https://a.example', incognito: true });
	const framed = (url) => placeOf({ ...sender(4, 2), tab: { id: 4, url } }).top;
	assert.deepEqual(['https://a.example/x', 'https://evil.example/x', 'about:blank', undefined].map(framed), [undefined, 'https://evil.example', 'null', 'null']);
	assert.equal(placeOf(undefined), null);
	assert.equal(placeOf({ id: 'portlight', url: 'chrome-extension://x/ui/popup.html' }), null);
});
