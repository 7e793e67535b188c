/** On which sites getDisplayMedia is ours, and which get what pages made for another extension need. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome, useStorage } from './fake.js';

const { setSite } = await import('../../extension/background/sites.js');

/** @type {Map<string, any>} what the browser keeps, as it keeps it over restarts */
let scripts;
let life = 0;

beforeEach(() => {
	useStorage();
	scripts = new Map();
	chrome.scripting = {
		getRegisteredContentScripts: async ({ ids }) => ids.filter((id) => scripts.has(id)).map((id) => scripts.get(id)),
		unregisterContentScripts: async ({ ids }) => ids.forEach((id) => assert.equal(scripts.delete(id), true)),
		registerContentScripts: async (list) => {
			for (const script of list) {
				assert.equal(scripts.has(script.id), false, 'an id is registered once');
				assert.equal(script.matches.length > 0, true);
				scripts.set(script.id, script);
			}
		},
	};
});

/** A background that starts. */
async function start() {
	const { begin } = await import(`../../extension/background/display-media.js?${++life}`);
	await begin();
}

const registered = (id = 'display-media') => {
	const { js, matches, world, runAt, allFrames } = scripts.get(id) ?? {};
	return matches && { matches, early: `${js}` === `scripts/${id}.js` && world === 'MAIN' && runAt === 'document_start' && allFrames };
};

test('no site is switched on: nothing is registered', async () => {
	await start();
	assert.equal(registered(), undefined);
});

test('what the user switches is registered at once, and for its site alone', async () => {
	await start();
	await Promise.all([
		setSite('https://a.example', { displayMedia: true }),
		setSite('https://b.example', { displayMedia: false }),
		setSite('http://localhost:8080', { displayMedia: true }),
		setSite('http://localhost:9090', { displayMedia: true }),
	]);
	await settle();
	assert.deepEqual(registered(), { matches: ['https://a.example/*', 'http://localhost/*'], early: true });
	await setSite('https://a.example', { displayMedia: false });
	await setSite('http://localhost:8080', { displayMedia: false });
	await settle();
	assert.deepEqual(registered().matches, ['http://localhost/*']);
	await setSite('http://localhost:9090', { displayMedia: false });
	await settle();
	assert.equal(registered(), undefined);
});

test('a background that starts again puts right what is registered', async () => {
	useStorage({ sites: { 'https://c.example': { displayMedia: true } } });
	scripts.set('display-media', { id: 'display-media', matches: ['https://gone.example/*'] });
	await start();
	assert.deepEqual(registered().matches, ['https://c.example/*']);
	const kept = scripts.get('display-media');
	await start();
	assert.equal(scripts.get('display-media'), kept, 'what is right stays, so that no page misses it');
});

test('an organization without the native path has none', async () => {
	useStorage({ sites: { 'https://c.example': { displayMedia: true } } }, { nativePath: 'off' });
	scripts.set('display-media', { id: 'display-media', matches: ['https://c.example/*'] });
	await start();
	assert.equal(registered(), undefined);
});

test('a site made for another extension gets what that needs, whatever else is switched', async () => {
	await start();
	await setSite('https://a.example', { legacy: true });
	await setSite('https://b.example', { displayMedia: true });
	await settle();
	assert.deepEqual(registered('legacy'), { matches: ['https://a.example/*'], early: true });
	assert.deepEqual(registered().matches, ['https://b.example/*']);
	await setSite('https://a.example', { legacy: false });
	await settle();
	assert.equal(registered('legacy'), undefined);
});
