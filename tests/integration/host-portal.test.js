/** What portlight-host makes of a portal that fails, at every step and in every way. */
import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {World} from '../fake/world.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = new World();
	world.addCapture();
	await world.startBus();
});

afterEach(() => world.close({clean: true}));

/** A host that has said hello. */
async function greeted(env = {}) {
	const browser = world.browse(env);
	assert.equal((await browser.hello()).type, 'result');
	return browser;
}

/**
 * @param {any} message
 * @param {string} code
 * @param {RegExp} [detail]
 */
function assertError(message, code, detail) {
	assert.equal(message.type, 'error');
	assert.equal(message.code, code, JSON.stringify(message));
	if (detail !== undefined) {
		assert.match(message.detail ?? '', detail);
	}
}

test('no portal: hello says 0, share says portal-missing; one that comes later is found', async () => {
	const browser = world.browse();
	const hello = await browser.hello();
	assert.deepEqual([hello.portal, hello.portalCode], [0, 'portal-missing']);
	assert.deepEqual(hello.supports, ['vp8', 'vp9', 'codec-auto', 'configure', 'scale', 'fidelity-text', 'stats', 'region', 'multiple', 'grants'], 'no kind of source, no cursor');
	assertError(await browser.share(), 'portal-missing');
	await world.startPortal();
	const later = await browser.hello();
	assert.deepEqual([later.portal, later.portalCode], [4, undefined]);
	assert.equal((await browser.share()).type, 'result');
});

test('a portal that hangs: hello and share say portal-timeout soon; the host answers meanwhile', async () => {
	await world.startPortal();
	const browser = world.browse();
	world.portal?.kill('SIGSTOP');
	try {
		const began = performance.now();
		const hello = await browser.hello();
		assert.deepEqual([hello.portal, hello.portalCode], [0, 'portal-timeout']);
		assert.ok(performance.now() - began < 1700, 'well before the extension gives the host up');
		const share = browser.post('share', {sources: ['monitor'], cursor: 'hidden'});
		assert.equal((await browser.request('grants', {})).type, 'result');
		assertError(await browser.answer(share), 'portal-timeout');
		assert.ok(performance.now() - began < 5000, 'while a click in the page still counts');
	} finally {
		world.portal?.kill('SIGCONT');
	}
	assert.equal((await browser.hello()).portal, 4);
});

test('no bus at all', async () => {
	const browser = world.browse({DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus'});
	assert.equal((await browser.hello()).portal, 0);
	assertError(await browser.share(), 'portal-missing', /no session bus/);
});

test('hello says whether PipeWire listens', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'pipewire-'));
	const listening = createServer();
	try {
		assert.equal((await world.browse({PIPEWIRE_RUNTIME_DIR: folder}).hello()).pipewire, false);
		await new Promise((resolve) => listening.listen(join(folder, 'pipewire-0'), resolve));
		assert.equal((await world.browse({PIPEWIRE_RUNTIME_DIR: folder}).hello()).pipewire, true);
	} finally {
		listening.close();
		await rm(folder, {recursive: true});
	}
});

test('a portal without the ScreenCast interface', async () => {
	await world.startPortal({interface: false});
	const browser = world.browse();
	assert.equal((await browser.hello()).portal, 0);
	assertError(await browser.share(), 'portal-missing');
});

for (const version of [1, 2, 3, 4, 5, 6]) {
	test(`version ${version}: only what it knows is sent`, async () => {
		await world.startPortal({version, cursor_modes: version === 1 ? null : 7});
		const browser = world.browse();
		const hello = await browser.hello();
		assert.equal(hello.portal, version);
		assert.equal(hello.supports.includes('cursor-embedded'), version > 1);
		assert.ok(hello.supports.includes('cursor-hidden'));
		assert.equal((await browser.share()).type, 'result');
		const {options} = await world.called('SelectSources');
		assert.equal(options.types, 3);
		assert.equal(options.multiple, false);
		assert.equal(options.cursor_mode, version > 1 ? 2 : undefined);
		assert.deepEqual(
			Object.keys(options).sort(),
			['handle_token', 'multiple', 'types', ...(version > 1 ? ['cursor_mode'] : [])].sort()
		);
		assert.equal((await browser.open(1)).type, 'result');
	});
}

test('a version that the portal does not name', async () => {
	await world.startPortal({version: null});
	const browser = world.browse();
	assert.equal((await browser.hello()).portal, 0);
	assertError(await browser.share(), 'portal-missing');
});

test('a cursor mode that the portal lacks falls back to hidden', async () => {
	await world.startPortal({cursor_modes: 1});
	const browser = await greeted();
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await world.called('SelectSources')).options.cursor_mode, 1);
});

test('only the kinds of source that the portal has are asked for', async () => {
	await world.startPortal({source_types: 1});
	const browser = await greeted();
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await world.called('SelectSources')).options.types, 1);
	assertError(await browser.request('share', {sources: ['window'], cursor: 'hidden'}), 'portal-unsupported');
});

test('a portal that chooses its own paths, as before 0.9', async () => {
	await world.startPortal({own_paths: true, create: 'late', select: 'late', start: 'late', late_ms: 100, close_ms: 300});
	const browser = await greeted();
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await browser.ended(1)).code, 'session-closed');
});

const failures = [
	...['create', 'select'].flatMap((step) => [
		{step, how: 1, code: 'portal-error'},
		{step, how: 2, code: 'portal-error'},
		{step, how: 3, code: 'portal-error'},
	]),
	{step: 'create', how: 'empty', code: 'portal-error'},
	{step: 'start', how: 1, code: 'denied'},
	{step: 'start', how: 2, code: 'cancelled'},
	{step: 'start', how: 3, code: 'portal-error'},
	{step: 'start', how: 'empty', code: 'portal-no-streams'},
	...['create', 'select', 'start'].flatMap((step) => [
		{step, how: 'error', code: 'portal-error'},
		{step, how: 'malformed', code: 'portal-error'},
		{step, how: 'closed', code: 'session-closed'},
		{step, how: 'exit', code: 'bus-lost'},
	]),
	...['create', 'select'].flatMap((step) => [
		{step, how: 'silent', code: 'portal-timeout'},
		{step, how: 'unanswered', code: 'portal-timeout'},
	]),
	{step: 'start', how: 'silent', code: 'portal-timeout'},
];
for (const {step, how, code} of failures) {
	test(`${step}: ${how} gives ${code}`, async () => {
		await world.startPortal({[step]: how});
		const browser = await greeted({PORTLIGHT_TIMEOUT_MS: '600'});
		const share = await browser.share();
		assertError(share, code);
		if (how === 'error') {
			assert.match(share.detail, /failed as scripted/);
		}
		assert.deepEqual(browser.messages, [], 'nothing else is said of a share that never was');
	});
}

test('no streams: the session is closed', async () => {
	await world.startPortal({streams: []});
	assertError(await (await greeted()).share(), 'portal-no-streams');
	await world.called('session.Close');
});

test('several streams: the first is taken', async () => {
	await world.startPortal({
		streams: [
			[7, {size: [800, 600], source_type: 2}],
			[8, {size: [1920, 1080], source_type: 1}],
		],
	});
	const {surface, width, height} = await (await greeted()).share();
	assert.deepEqual({surface, width, height}, {surface: 'window', width: 800, height: 600});
});

for (const [properties, expected] of [
	[{}, {surface: 'unknown', width: 0, height: 0}],
	[{size: [-5, 600], source_type: 4}, {surface: 'virtual', width: 0, height: 0}],
	[{size: [0, 0], source_type: 3}, {surface: 'unknown', width: 0, height: 0}],
]) {
	test(`a stream that says ${JSON.stringify(properties)}`, async () => {
		await world.startPortal({streams: [[7, properties]]});
		const {surface, width, height} = await (await greeted()).share();
		assert.deepEqual({surface, width, height}, expected);
	});
}

for (const step of ['create', 'select', 'start']) {
	for (const how of ['silent', 'unanswered']) {
		test(`cancel while ${step} is ${how}`, async () => {
			await world.startPortal({[step]: how});
			const browser = await greeted();
			const id = browser.post('share', {sources: ['monitor'], cursor: 'hidden'});
			await world.called({create: 'CreateSession', select: 'SelectSources', start: 'Start'}[step] ?? '');
			browser.send({type: 'cancel', request: id});
			assertError(await browser.answer(id), 'cancelled');
			if (how === 'unanswered') {
				await world.called('request.Close');
			}
			if (step !== 'create') {
				await world.called('session.Close');
			}
		});
	}
}

test('cancel before the portal was even reached', async () => {
	await world.startPortal();
	const browser = await greeted();
	const id = browser.post('share', {sources: ['monitor'], cursor: 'hidden'});
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
});

test('a session that comes after the cancel is closed', async () => {
	await world.startPortal({create: 'late', late_ms: 300});
	const browser = await greeted();
	const id = browser.post('share', {sources: ['monitor'], cursor: 'hidden'});
	await world.called('CreateSession');
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
	world.calls = world.calls.filter((call) => call.method !== 'session.Close');
	await world.called('session.Close');
});

test('the person may take longer than the portal', async () => {
	await world.startPortal({start: 'late', late_ms: 1200});
	const browser = await greeted({PORTLIGHT_TIMEOUT_MS: '500'});
	assert.equal((await browser.share()).type, 'result');
});

const remotes = [
	{how: 'error', code: 'portal-error'},
	{how: 'nothing', code: 'portal-error'},
	{how: 'silent', code: 'portal-timeout'},
	{how: 'exit', code: 'bus-lost'},
	{how: 'closed', code: 'session-closed'},
];
for (const {how, code} of remotes) {
	test(`OpenPipeWireRemote: ${how} gives ${code}, and ends the share`, async () => {
		await world.startPortal({remote: how});
		const browser = await greeted({PORTLIGHT_TIMEOUT_MS: '600'});
		assert.equal((await browser.share()).type, 'result');
		assertError(await browser.open(1), code);
		assert.equal((await browser.ended(1)).code, code);
		assertError(await browser.request('stop', {share: 1}), 'unknown-share');
	});
}

test('cancel of an open that waits for OpenPipeWireRemote ends the share', async () => {
	await world.startPortal({remote: 'silent'});
	const browser = await greeted();
	await browser.share();
	const id = browser.post('open', {share: 1, codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 0});
	await world.called('OpenPipeWireRemote');
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
	assert.equal((await browser.ended(1)).code, 'cancelled');
	await world.called('session.Close');
});

test('stop overtakes an open that waits for OpenPipeWireRemote', async () => {
	await world.startPortal({remote: 'silent'});
	const browser = await greeted();
	await browser.share();
	const open = browser.post('open', {share: 1, codec: 'vp8', maxFps: 30, maxKbps: 4000, credit: 0});
	const stop = browser.post('stop', {share: 1});
	assertError(await browser.answer(open), 'cancelled');
	assert.equal((await browser.ended(1)).code, 'stopped');
	assert.equal((await browser.answer(stop)).type, 'result');
});

test('the desktop closes a granted share', async () => {
	await world.startPortal({close_ms: 100});
	const browser = await greeted();
	await browser.share();
	assert.equal((await browser.ended(1)).code, 'session-closed');
	assertError(await browser.open(1), 'unknown-share');
});

test('the desktop closes a live share', async () => {
	await world.startPortal({close_ms: 600});
	const browser = await greeted();
	await browser.share();
	assert.equal((await browser.open(1)).type, 'result');
	assert.equal((await browser.ended(1)).code, 'session-closed');
});

test('the portal dies under a live share; the next share finds a new one', async () => {
	await world.startPortal();
	const browser = await greeted();
	await browser.share();
	assert.equal((await browser.open(1)).type, 'result');
	await world.stopPortal();
	assert.equal((await browser.ended(1)).code, 'bus-lost');
	await world.startPortal();
	assert.equal((await browser.share()).share, 2);
});

test('the bus dies under a live share; started again, it is found', async () => {
	await world.startPortal();
	const browser = await greeted();
	await browser.share();
	assert.equal((await browser.open(1)).type, 'result');
	await world.stopBus();
	assert.equal((await browser.ended(1)).code, 'bus-lost');
	// The bus drops the portal before it drops us: until then there is a connection to ask on.
	await browser.logged(/the session bus went away/);
	assertError(await browser.share(), 'portal-missing', /no session bus/);
	await world.stopPortal();
	await world.startBus();
	await world.startPortal();
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await browser.hello()).portal, 4);
});

test('a granted share that nobody opens is stopped', async () => {
	await world.startPortal();
	const browser = await greeted({PORTLIGHT_TIMEOUT_MS: '500'});
	const start = Date.now();
	await browser.share();
	const ended = await browser.ended(1);
	assert.equal(ended.code, 'stopped');
	assert.match(ended.detail, /not opened/);
	assert.ok(Date.now() - start >= 500);
	await world.called('session.Close');
});

test('before it is opened a share takes no credit; an id that was granted is closed by stop', async () => {
	await world.startPortal();
	const browser = await greeted();
	await browser.share();
	browser.send({type: 'credit', share: 1, frames: 1});
	assertError(await browser.answer(null), 'bad-state');
	browser.send({type: 'keyframe', share: 1});
	assertError(await browser.answer(null), 'bad-state');
	assert.equal((await browser.request('stop', {share: 1})).type, 'result');
	assert.equal((await browser.ended(1)).code, 'stopped');
});

test('a browser that leaves while the dialog is open closes it', async () => {
	await world.startPortal({start: 'unanswered'});
	const browser = await greeted();
	browser.post('share', {sources: ['monitor'], cursor: 'hidden'});
	await world.called('Start');
	const start = Date.now();
	browser.hangUp();
	await browser.exited;
	assert.ok(Date.now() - start < 1000);
	await world.called('request.Close');
	await world.called('session.Close');
	await sleep(0);
});
