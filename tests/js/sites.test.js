import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { chrome, useStorage } from './fake.js';

const { dataPermission, forgetSite, listSites, onDisallowed, setSite, site } = await import('../../extension/background/sites.js');

const A = 'https://a.example';
const NOTHING_MANAGED = { consent: false, displayMedia: false, remember: false };

test('a site is asked about, until the user chooses otherwise', async () => {
	const kept = useStorage({}, null);
	assert.deepEqual(await site(A), { consent: 'ask', displayMedia: false, legacy: false, managed: NOTHING_MANAGED });
	await setSite(A, { consent: 'allow' });
	await setSite(A, { displayMedia: true });
	await setSite(A, { legacy: true });
	const chosen = { consent: 'allow', displayMedia: true, legacy: true, managed: NOTHING_MANAGED };
	assert.deepEqual(await site(A), chosen);
	assert.deepEqual(await listSites(), [{ origin: A, ...chosen }]);
	assert.equal((await site('https://a.example:8443')).consent, 'ask', 'another port is another origin');
	await forgetSite(A);
	assert.deepEqual(kept.local.sites, {});
});

test('choices made at the same time all stay', async () => {
	useStorage();
	const origins = Array.from({ length: 20 }, (_, i) => `https://s${i}.example`);
	await Promise.all(origins.map((origin) => setSite(origin, { consent: 'block' })));
	assert.deepEqual((await listSites()).map(({ origin }) => origin), origins);
});

test('only an origin has choices, and only the known ones', async () => {
	const kept = useStorage();
	for (const origin of ['null', '', 'a.example', 'https://a.example/', 'https://a.example/x', 'about:blank', '__proto__']) {
		await assert.rejects(setSite(origin, { consent: 'allow' }), TypeError, origin);
		assert.equal((await site(origin)).consent, 'ask', origin);
	}
	await assert.rejects(setSite(A, { consent: /** @type {any} */ ('always') }), TypeError);
	assert.equal(kept.local.sites, undefined);
});

test('what storage holds is not trusted to be a choice', async () => {
	useStorage({ sites: { [A]: { consent: 'always', displayMedia: true } } });
	assert.equal((await site(A)).consent, 'ask');
});

test("the organization's sites win over the user's; the closest entry decides, and blocking wins a tie", async () => {
	const managed = {
		allowedSites: ['https://meet.example.org', 'https://*.good.example', 'https://tie.example'],
		blockedSites: ['*', 'https://bad.good.example', 'https://tie.example'],
	};
	useStorage({ sites: { [A]: { consent: 'allow' }, 'https://meet.example.org': { consent: 'block' } } }, managed);
	const consents = {
		[A]: 'block',
		'https://meet.example.org': 'allow',
		'https://meet.example.org:444': 'block',
		'https://good.example': 'allow',
		'https://deep.down.good.example': 'allow',
		'https://notgood.example': 'block',
		'http://x.good.example': 'block',
		'https://bad.good.example': 'block',
		'https://tie.example': 'block',
	};
	for (const [origin, consent] of Object.entries(consents)) {
		const { managed: by, ...one } = await site(origin);
		assert.deepEqual([one.consent, by.consent], [consent, true], origin);
	}
});

test('entries that are no sites name none', async (t) => {
	t.mock.method(console, 'warn', () => {});
	useStorage({}, { blockedSites: ['a.example', 'https://', 7, 'https://*'], allowedSites: 'https://a.example' });
	assert.deepEqual(await site(A), { consent: 'ask', displayMedia: false, legacy: false, managed: NOTHING_MANAGED });
});

test('where remembering is off, an allowed site is asked about', async () => {
	useStorage({ sites: { [A]: { consent: 'allow' } } }, { remember: false, allowedSites: ['https://b.example'] });
	assert.deepEqual((await site(A)).managed, { ...NOTHING_MANAGED, remember: true });
	assert.equal((await site(A)).consent, 'ask');
	assert.equal((await site('https://b.example')).consent, 'ask');
});

test('without the way through the host, getDisplayMedia is the browser\'s', async () => {
	useStorage({ sites: { [A]: { displayMedia: true } } }, { nativePath: 'off' });
	const { displayMedia, managed } = await site(A);
	assert.deepEqual([displayMedia, managed.displayMedia], [false, true]);
});

test('where the browser asks the user about data first, nothing is remembered until they agree', async (t) => {
	useStorage({ sites: { [A]: { consent: 'allow' } } }, null);
	assert.equal(dataPermission(), null);
	t.mock.method(chrome.runtime, 'getManifest', () => ({
		browser_specific_settings: { gecko: { data_collection_permissions: { required: ['none'], optional: ['browsingActivity'] } } },
	}));
	let agreed = false;
	chrome.permissions = { contains: async (wanted) => agreed && wanted.data_collection.includes('browsingActivity') };
	assert.deepEqual(dataPermission(), { data_collection: ['browsingActivity'] });
	assert.deepEqual([(await site(A)).consent, (await listSites())[0].consent], ['ask', 'ask']);
	agreed = true;
	assert.equal((await site(A)).consent, 'allow');
});

test('the schema names what is read', () => {
	const schema = JSON.parse(readFileSync(new URL('../../extension/managed.json', import.meta.url), 'utf8'));
	assert.deepEqual(Object.keys(schema.properties), ['allowedSites', 'blockedSites', 'nativePath', 'remember', 'dialects']);
	for (const { title, description } of Object.values(schema.properties)) {
		assert.ok(title && description);
	}
});

test('a site that is allowed no longer is told of, however it came about', async () => {
	useStorage();
	const gone = [];
	onDisallowed((origin) => gone.push(origin));
	const [b, c] = ['https://b.example', 'https://c.example'];
	for (const origin of [A, b, c]) {
		await setSite(origin, { consent: 'allow' });
	}
	await setSite(A, { displayMedia: true });
	assert.deepEqual(gone, []);
	await setSite(A, { consent: 'ask' });
	await setSite(b, { consent: 'block' });
	await forgetSite(c);
	await setSite(A, { consent: 'block' });
	assert.deepEqual(gone, [A, b, c]);
});
