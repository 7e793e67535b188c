/** What the user is told of requests that failed on pages that can't say why. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome, FakePort, sender, useStorage } from './fake.js';
import { documentOf, place, time } from './places.js';

const { Requests } = await import('../../extension/background/requests.js');
const { Failure } = await import('../../extension/shared/failure.js');

let trouble;
let lives = 0;
/** @type {string[]} */
let said;
beforeEach(async () => {
	useStorage();
	said = [];
	trouble = await import(`../../extension/background/trouble.js?${lives++}`);
	chrome.runtime.getURL = (path) => path;
	chrome.i18n = { getMessage: (name, args = []) => (name.startsWith('error_') ? '' : [name, ...args].join(' ')) };
	chrome.notifications = { create: async (id, { title, message }) => void said.push(id, title, message) };
	chrome.tabs.create = async ({ url }) => void said.push(url);
});

test('the first time that the host is missing opens the page that helps, from then on a notification says what to do', async () => {
	const failure = new Failure('host-missing');
	await trouble.tell(failure, place());
	assert.deepEqual(said, ['ui/welcome.html']);
	await trouble.tell(failure, place());
	assert.deepEqual(said.slice(1), ['failed', 'failedTitle a.example', `${failure.message} remedy_host_missing`]);
});

test('the same is not said over and over, however often a page asks', async () => {
	const failure = new Failure('portal-error');
	for (let i = 0; i < 100; i++) {
		await trouble.tell(failure, place());
	}
	assert.equal(said.length, 3);
	await trouble.tell(failure, place({ origin: 'https://b.example' }));
	assert.equal(said.length, 6);
	await time.pass(60_001);
	await trouble.tell(failure, place({ origin: 'https://b.example' }));
	assert.equal(said.length, 9);
});

test("a page that asks too soon is explained to a user who clicked there; the user's own decisions are not", async () => {
	for (const code of ['busy', 'cool-down', 'denied', 'cancelled', 'site-blocked', 'frame-forbidden']) {
		await trouble.tell(new Failure(code), place());
	}
	assert.deepEqual(said, []);
	documentOf().act();
	for (const code of ['denied', 'cancelled', 'site-blocked', 'frame-forbidden', 'cool-down']) {
		await trouble.tell(new Failure(code), place());
	}
	assert.equal(said.length, 3);
});

test('a page of the page API explains its failures itself', async () => {
	const told = [];
	const failing = async () => {
		throw new Failure('host-missing');
	};
	const requests = new Requests(failing, () => {}, undefined, undefined, ({ code }, { tabId }) => told.push([code, tabId]));
	for (const [tabId, dialect] of [[1, 'portlight'], [2, undefined], [3, 'janus']]) {
		const [near, far] = FakePort.pair('page', sender(tabId));
		requests.connect(far);
		near.postMessage({ type: 'request', dialect });
	}
	await settle();
	assert.deepEqual(told, [['host-missing', 2], ['host-missing', 3]]);
});
