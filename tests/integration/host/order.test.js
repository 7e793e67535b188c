/**
 * How a share ends: the stream first, then the portal's session. A portal whose session closes while its stream is still read
 * may crash. So each helper here that is told to go stays until it is killed, and the portal looks for it when it is called.
 */
import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {until, World} from '../../fake/world.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
});

afterEach(() => world.close({clean: true}));

/**
 * A host with shares of one session, each with its helper.
 * @param {number} [count]
 */
async function live(count = 1) {
	await world.startPortal({streams: Array.from({length: count}, (_, i) => [42 + i, {}])});
	const browser = await world.greeted({FAKE_CAPTURE: 'stubborn'});
	await browser.request('share', {sources: ['monitor', 'window'], cursor: 'hidden', multiple: true});
	for (let share = 1; share <= count; share++) {
		assert.equal((await browser.open(share)).type, 'result');
	}
	assert.equal(world.helpers().length, count);
	return browser;
}

/** The session was closed once, after the helper had ended. */
async function assertOrder() {
	await world.called('session.Close');
	await world.tell({});
	const closes = world.calls.filter(({method}) => method === 'session.Close');
	assert.deepEqual(closes.map(({helpers}) => helpers), [0]);
}

test('by the page', async () => {
	const browser = await live();
	assert.equal((await browser.request('stop', {share: 1})).type, 'result');
	await assertOrder();
});

test('by the page, which opened it just now', async () => {
	await world.startPortal();
	const browser = await world.greeted({FAKE_CAPTURE: 'hang'});
	await browser.share();
	const open = browser.postOpen(1);
	await until('the helper runs', () => world.helpers().length === 1);
	world.helpers().forEach((helper) => process.kill(helper, 'SIGSTOP'));
	browser.send({type: 'cancel', request: open});
	assert.equal((await browser.answer(open)).code, 'cancelled');
	await assertOrder();
});

for (const end of ['hang-up', 'SIGTERM']) {
	test(`by ${end}`, async () => {
		const browser = await live(2);
		if (end === 'SIGTERM') {
			browser.process.kill('SIGTERM');
		} else {
			browser.hangUp();
		}
		await browser.exited;
		await assertOrder();
	});
}

for (const mode of ['crash-live', 'garbage', 'ended']) {
	test(`by the helper: ${mode}`, async () => {
		await world.startPortal();
		const browser = await world.greeted({FAKE_CAPTURE: mode});
		await browser.share();
		await browser.open(1);
		await browser.ended(1);
		await assertOrder();
	});
}

test('several shares of one session: with the last', async () => {
	const browser = await live(3);
	const stops = [2, 1, 3].map((share) => browser.post('stop', {share}));
	for (const stop of stops) {
		assert.equal((await browser.answer(stop)).type, 'result');
	}
	await assertOrder();
});

test('by a portal that refuses one of several shares', async () => {
	await world.startPortal({streams: [[42, {}], [43, {}]]});
	const browser = await world.greeted({FAKE_CAPTURE: 'stubborn'});
	await browser.request('share', {sources: ['monitor'], cursor: 'hidden', multiple: true});
	await browser.open(1);
	await world.tell({remote: 'error'});
	assert.equal((await browser.open(2)).code, 'portal-error');
	assert.equal((await browser.ended(1)).code, 'portal-error');
	await assertOrder();
});

test('while the session still is there, it can be closed by the desktop', async () => {
	const browser = await live();
	const stop = browser.post('stop', {share: 1});
	await browser.ended(1);
	await world.tell('close');
	assert.equal((await browser.answer(stop)).type, 'result');
	assert.deepEqual(browser.messages.filter(({type}) => type !== 'frame'), []);
});
