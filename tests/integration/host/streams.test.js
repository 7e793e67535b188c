/** A share of several streams: one consent, one session of the portal, a share and a helper for each stream. */
import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {until, World} from '../../fake/world.js';
import {took} from '../../tools/times.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
});

afterEach(() => world.close());

const three = [
	[42, {size: [1920, 1080], source_type: 1}],
	[43, {size: [800, 600], source_type: 2}],
	[44, {}],
];
const wish = {sources: ['monitor', 'window'], cursor: 'embedded', multiple: true};

/** How often the portal got this call. @param {string} method */
const calls = async (method) => (await world.callsOf(method)).length;

/** A host with three granted shares. @param {object} [script] @param {NodeJS.ProcessEnv} [env] */
async function granted(script = {}, env = {}) {
	await world.startPortal({streams: three, ...script});
	const browser = world.browse(env);
	assert.ok((await browser.hello()).supports.includes('multiple'));
	const answer = await browser.request('share', wish);
	assert.equal(answer.type, 'result');
	return {browser, answer};
}

test('each stream is a share of its own; the session ends with the last of them', async () => {
	const {browser, answer} = await granted();
	assert.equal((await world.called('SelectSources')).options.multiple, true);
	const first = {share: 1, surface: 'monitor', width: 1920, height: 1080};
	assert.deepEqual(answer, {
		type: 'result',
		id: answer.id,
		...first,
		restored: false,
		remembered: false,
		streams: [
			first,
			{share: 2, surface: 'window', width: 800, height: 600},
			{share: 3, surface: 'unknown', width: 0, height: 0},
		],
	});
	const opened = await Promise.all([1, 2, 3].map((share) => browser.open(share, {credit: 1})));
	assert.deepEqual(opened.map(({type}) => type), ['result', 'result', 'result']);
	assert.equal(await calls('OpenPipeWireRemote'), 3);
	assert.equal(await calls('Start'), 1);
	assert.equal(world.helpers().length, 3);
	for (const share of [1, 2, 3]) {
		assert.equal((await browser.frame(share)).seq, 0);
	}
	// The first of them is nothing special.
	for (const share of [1, 3]) {
		assert.equal((await browser.request('stop', {share})).type, 'result');
		assert.equal((await browser.ended(share)).code, 'stopped');
	}
	assert.equal(await calls('session.Close'), 0);
	browser.send({type: 'credit', share: 2, frames: 1});
	assert.equal((await browser.frame(2)).seq, 1);
	assert.equal((await browser.request('stop', {share: 2})).type, 'result');
	await world.called('session.Close');
	assert.equal(await calls('session.Close'), 1);
	// Numbers go on behind them.
	assert.deepEqual((await browser.request('share', wish)).streams.map((/** @type {any} */ {share}) => share), [4, 5, 6]);
});

test('every stream reaches the helper that was opened for it', async () => {
	const {browser} = await granted({}, {FAKE_CAPTURE: 'echo'});
	for (const share of [3, 1, 2]) {
		await browser.open(share);
		const open = Buffer.from((await browser.frame(share)).data, 'base64');
		assert.equal(open.readUInt32LE(4), 41 + share, 'its node');
	}
});

test('without "multiple" there is one share, of the last stream, whatever the portal grants', async () => {
	await world.startPortal({streams: three.slice(0, 2)});
	const browser = await world.greeted();
	const {id: _id, ...answer} = await browser.share();
	assert.equal((await world.called('SelectSources')).options.multiple, false);
	const first = {share: 1, surface: 'window', width: 800, height: 600};
	assert.deepEqual(answer, {type: 'result', ...first, restored: false, remembered: false});
	assert.equal((await browser.open(2)).code, 'unknown-share');
	assert.equal((await browser.request('share', {...wish, multiple: 1})).code, 'bad-field');
});

test('one stream of several that might have been', async () => {
	const {answer} = await granted({streams: three.slice(0, 1)});
	assert.deepEqual(answer.streams, [{share: 1, surface: 'monitor', width: 1920, height: 1080}]);
});

test('more streams than anybody chooses are cut off', async () => {
	const {browser, answer} = await granted({streams: Array.from({length: 40}, (_, i) => [42 + i, {}])});
	assert.equal(answer.streams.length, 16);
	assert.equal((await browser.open(16)).type, 'result');
	assert.equal((await browser.open(17)).code, 'unknown-share');
});

test('a session that the desktop closes ends every share, in whatever state', async () => {
	const {browser} = await granted();
	await browser.open(2);
	const start = performance.now();
	await world.tell('close');
	for (const share of [1, 2, 3]) {
		assert.equal((await browser.ended(share)).code, 'session-closed');
	}
	await until('the helper leaves', () => world.helpers().length === 0);
	took('three shares that the desktop closes', performance.now() - start);
	assert.equal((await browser.request('share', wish)).share, 4);
});

test('the portal leaves: every share ends', async () => {
	const {browser} = await granted();
	await browser.open(3);
	await world.stopPortal();
	for (const share of [1, 2, 3]) {
		assert.equal((await browser.ended(share)).code, 'bus-lost');
	}
});

test('a helper that crashes takes no other share with it', async () => {
	const {browser} = await granted();
	await Promise.all([browser.open(1), browser.open(2)]);
	const [one] = world.helpers();
	process.kill(one, 'SIGKILL');
	const ended = await browser.next((message) => message.type === 'ended');
	assert.equal(ended.code, 'helper-crashed');
	const other = 3 - ended.share;
	browser.send({type: 'credit', share: other, frames: 1});
	await browser.next((message) => message.share === other && message.seq === 4);
	assert.equal((await browser.open(3)).type, 'result');
	assert.equal(await calls('session.Close'), 0);
});

test('a share that is not opened in time is stopped, the others go on', async () => {
	const {browser} = await granted({}, {PORTLIGHT_TIMEOUT_MS: '900'});
	await browser.open(2);
	assert.equal((await browser.ended(1)).code, 'stopped');
	assert.equal((await browser.ended(3)).code, 'stopped');
	browser.send({type: 'credit', share: 2, frames: 1});
	await browser.next((message) => message.share === 2 && message.seq === 4);
	assert.equal(await calls('session.Close'), 0);
	await browser.request('stop', {share: 2});
	await world.called('session.Close');
});

test('a stop is taken while as many requests pend as may', async () => {
	const streams = Array.from({length: 16}, (_, i) => [42 + i, {source_type: 1}]);
	const {browser} = await granted({streams, remote: 'silent'});
	const opens = Array.from({length: 16}, (_, i) => browser.postOpen(i + 1));
	browser.send({type: 'share', id: 201, ...wish});
	assert.equal((await browser.answer(201)).code, 'too-many-requests');
	browser.send({type: 'stop', id: 202, share: 99});
	assert.equal((await browser.answer(202)).code, 'unknown-share');
	browser.send({type: 'stop', id: 203, share: 5});
	browser.send({type: 'stop', id: 204, share: 5});
	assert.equal((await browser.answer(203)).type, 'result');
	assert.equal((await browser.answer(204)).code, 'unknown-share');
	assert.equal((await browser.answer(opens[4])).code, 'cancelled');
	assert.equal((await browser.ended(5)).code, 'stopped');
});

test('an open that is cancelled while the remote is awaited takes nothing from the others', async () => {
	const {browser} = await granted({remote: 'silent'});
	const opens = [1, 2].map((share) => browser.postOpen(share));
	await world.called('OpenPipeWireRemote');
	browser.send({type: 'cancel', request: opens[0]});
	assert.equal((await browser.answer(opens[0])).code, 'cancelled');
	assert.equal((await browser.ended(1)).code, 'cancelled');
	await browser.hello();
	assert.deepEqual(browser.messages, []);
	assert.equal((await browser.request('stop', {share: 2})).type, 'result');
	assert.equal((await browser.answer(opens[1])).code, 'cancelled');
	assert.equal(await calls('session.Close'), 0);
	assert.equal((await browser.request('stop', {share: 3})).type, 'result');
	await world.called('session.Close');
});

test('a browser that leaves takes all of it along', async () => {
	const {browser} = await granted();
	await Promise.all([browser.open(1), browser.open(2)]);
	browser.hangUp();
	assert.deepEqual(await browser.exited, {code: 0, signal: null});
	assert.deepEqual(world.processes(), []);
	await world.called('session.Close');
});
