/** What portlight-host makes of a portal that fails, at every step and in every way. */
import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {World} from '../../fake/world.js';
import {took} from '../../tools/times.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
});

afterEach(() => world.close({clean: true}));

/**
 * A host that has said hello.
 * @param {object} [script]  of the portal
 * @param {NodeJS.ProcessEnv} [env]
 */
async function greeted(script, env) {
	await world.startPortal(script);
	return world.greeted(env);
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
		took('hello with a portal that hangs', performance.now() - began);
		const share = browser.postShare();
		assert.equal((await browser.request('grants')).type, 'result');
		assert.deepEqual(browser.messages, []);
		assertError(await browser.answer(share), 'portal-timeout');
		took('hello and share with a portal that hangs', performance.now() - began);
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

test('hello says whether the session is a Wayland session', async () => {
	for (const [WAYLAND_DISPLAY, XDG_SESSION_TYPE, expected] of [
		['wayland-0', 'x11', true],
		['', 'wayland', true],
		['', 'x11', false],
		['', '', false],
	]) {
		const env = {WAYLAND_DISPLAY: String(WAYLAND_DISPLAY), XDG_SESSION_TYPE: String(XDG_SESSION_TYPE)};
		assert.equal((await world.browse(env).hello()).wayland, expected, JSON.stringify(env));
	}
});

// With another interface at the same place GDBus says something else of the one that is not there.
for (const others of [false, true]) {
	test(`a portal without the ScreenCast interface, with others: ${others}`, async () => {
		const browser = await greeted({interface: false, web_extensions: others});
		const {portal, portalCode} = await browser.hello();
		assert.deepEqual([portal, portalCode], [0, 'portal-missing']);
		assertError(await browser.share(), 'portal-missing');
	});
}

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

test('a stream of any node is none', async () => {
	const browser = await greeted({streams: [[0xffffffff, {}]]});
	assertError(await browser.share(), 'portal-no-streams', /without a node/);
});

test('a version that the portal does not name', async () => {
	const browser = await greeted({version: null});
	assertError(await browser.share(), 'portal-missing', /names no version/);
});

test('a cursor mode that the portal lacks falls back to hidden', async () => {
	const browser = await greeted({cursor_modes: 1});
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await world.called('SelectSources')).options.cursor_mode, 1);
});

test('only the kinds of source that the portal has are asked for', async () => {
	const browser = await greeted({source_types: 1});
	assert.equal((await browser.share()).type, 'result');
	assert.equal((await world.called('SelectSources')).options.types, 1);
	assertError(await browser.request('share', {sources: ['window'], cursor: 'hidden'}), 'portal-unsupported');
});

for (const kind of ['request', 'session']) {
	test(`a ${kind} with another path than that of its token is refused`, async () => {
		const browser = await greeted({own_paths: kind});
		assertError(await browser.share(), 'portal-error');
	});
}

/** What is to time out does so soon; nothing else has a limit. @param {string} code @returns {NodeJS.ProcessEnv} */
const patience = (code) => (code === 'portal-timeout' ? {PORTLIGHT_TIMEOUT_MS: '600'} : {});

const failures = [
	...[1, 2, 3].map((how) => ({step: 'create', how, code: 'portal-error'})),
	// Which of the two asks the user is the portal's matter.
	...['select', 'start'].flatMap((step) => [
		{step, how: 1, code: 'denied'},
		// "Ended in some other way": not the user's no, and asking again is no help.
		...[2, 3].map((how) => ({step, how, code: 'portal-error'})),
	]),
	{step: 'create', how: 'empty', code: 'portal-error'},
	{step: 'start', how: 'empty', code: 'portal-no-streams'},
	...['create', 'select', 'start'].flatMap((step) => [
		{step, how: 'error', code: 'portal-error'},
		{step, how: 'malformed', code: 'portal-error'},
		{step, how: 'closed', code: 'session-closed'},
		{step, how: 'exit', code: 'bus-lost'},
	]),
	...['create', 'select', 'start'].map((step) => ({step, how: 'silent', code: 'portal-timeout'})),
	{step: 'create', how: 'unanswered', code: 'portal-timeout'},
];
for (const {step, how, code} of failures) {
	test(`${step}: ${how} gives ${code}`, async () => {
		const browser = await greeted({[step]: how}, patience(code));
		const share = await browser.share();
		assertError(share, code);
		if (how === 'error') {
			assert.match(share.detail, /failed as scripted/);
		}
		if (code === 'portal-timeout') {
			assert.match(share.remedy, /another dialog .* open/);
		}
		assert.deepEqual(browser.messages, [], 'nothing else is said of a share that never was');
	});
}

/** What the host makes of an error's name; GDBus keeps those of its own library apart. */
const dbusErrors = Object.entries({
	'org.freedesktop.DBus.Error.ServiceUnknown': 'portal-missing',
	'org.freedesktop.DBus.Error.NameHasNoOwner': 'portal-missing',
	'org.freedesktop.DBus.Error.Spawn.ExecFailed': 'portal-missing',
	'org.freedesktop.DBus.Error.Spawn.ChildExited': 'portal-missing',
	'org.freedesktop.DBus.Error.Spawn.ChildSignaled': 'portal-missing',
	'org.freedesktop.DBus.Error.Spawn.ServiceNotFound': 'portal-missing',
	'org.freedesktop.DBus.Error.Spawn.FileInvalid': 'portal-missing',
	'org.freedesktop.DBus.Error.UnknownMethod': 'portal-missing',
	'org.freedesktop.DBus.Error.UnknownInterface': 'portal-missing',
	'org.freedesktop.DBus.Error.Timeout': 'portal-timeout',
	'org.freedesktop.DBus.Error.TimedOut': 'portal-timeout',
	'org.freedesktop.DBus.Error.NoReply': 'bus-lost',
	'org.freedesktop.DBus.Error.Disconnected': 'bus-lost',
	'org.freedesktop.DBus.Error.AccessDenied': 'portal-error',
	'org.freedesktop.DBus.Error.InvalidArgs': 'portal-error',
	'org.freedesktop.portal.Error.NotAllowed': 'portal-error',
	'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code24': 'portal-timeout',
	'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code18': 'bus-lost',
	'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code19': 'portal-error',
	'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code14': 'portal-error',
});
for (const step of ['create', 'select', 'start', 'remote']) {
	test(`${step}: each D-Bus error has its code`, async () => {
		const browser = await greeted();
		for (const [error, code] of dbusErrors) {
			await world.tell({[step]: {error}});
			const share = await browser.share();
			const answer = step === 'remote' ? await browser.open(share.share) : share;
			assert.deepEqual([error, answer.code], [error, code]);
			assert.match(answer.detail, /^\w+: \w+ failed as scripted$/);
		}
	});
}

test('the bus dies while the portal is asked what it offers', async () => {
	await world.startPortal();
	world.portal?.kill('SIGSTOP');
	try {
		const browser = world.browse();
		// Then there is a connection, and the next probe asks again.
		assert.equal((await browser.hello()).portalCode, 'portal-timeout');
		const share = browser.postShare();
		// What is answered later was read later.
		assert.equal((await browser.request('grants')).type, 'result');
		await world.stopBus();
		assertError(await browser.answer(share), 'bus-lost');
	} finally {
		world.portal?.kill('SIGCONT');
	}
});

test('the portal is asked what it offers once, and again when it is another one', async () => {
	/** How often the portals have been asked until now. */
	const asked = async () => (await world.callsOf('Get')).filter(({property}) => property === 'version').length;
	const browser = await greeted();
	await browser.hello();
	await browser.share();
	await browser.share();
	assert.equal(await asked(), 1);
	await world.startPortal({version: 5, source_types: 1});
	assert.equal((await browser.ended(2)).code, 'bus-lost');
	const {portal, supports} = await browser.hello();
	assert.deepEqual([portal, supports.includes('window')], [5, false]);
	assert.equal((await browser.share()).type, 'result');
	assert.equal(await asked(), 2);
});

test('no streams: the session is closed', async () => {
	assertError(await (await greeted({streams: []})).share(), 'portal-no-streams');
	await world.called('session.Close');
});

for (const [properties, expected] of [
	[{}, {surface: 'unknown', width: 0, height: 0}],
	[{size: [-5, 600], source_type: 2}, {surface: 'window', width: 0, height: 0}],
	[{size: [0, 0], source_type: 3}, {surface: 'unknown', width: 0, height: 0}],
	[{size: [80, 60], source_type: 4}, {surface: 'unknown', width: 80, height: 60}],
]) {
	test(`a stream that says ${JSON.stringify(properties)}`, async () => {
		const {surface, width, height} = await (await greeted({streams: [[7, properties]]})).share();
		assert.deepEqual({surface, width, height}, expected);
	});
}

// xdg-desktop-portal-wlr 0.7.0 says of every monitor that it is a window.
for (const [available, asked, says, surface] of [
	[1, ['monitor', 'window'], 2, 'monitor'],
	[3, ['window'], 1, 'window'],
]) {
	test(`a portal that has ${available} and is asked for ${asked} says ${says}: it is a ${surface}`, async () => {
		const browser = await greeted({source_types: available, streams: [[7, {source_type: says}]]});
		assert.equal((await browser.request('share', {sources: asked, cursor: 'hidden'})).surface, surface);
	});
}

for (const step of ['create', 'select', 'start']) {
	for (const how of ['silent', 'unanswered']) {
		test(`cancel while ${step} is ${how}`, async () => {
			const browser = await greeted({[step]: how});
			const id = browser.postShare();
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
	const browser = await greeted();
	const id = browser.postShare();
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
});

test('a session that comes after the cancel is closed, wherever the portal puts it', async () => {
	const browser = await greeted({create: 'held', own_paths: 'session'});
	const id = browser.postShare();
	await world.called('CreateSession');
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
	await world.called('request.Close');
	await world.answer('CreateSession', browser);
	assert.match((await world.called('session.Close')).path ?? '', /\/own_\d+$/);
});

// xdg-desktop-portal-wlr asks the user in SelectSources, the others in Start.
for (const [step, method] of [['select', 'SelectSources'], ['start', 'Start']]) {
	test(`the user may take longer than the portal in ${method}`, async () => {
		const browser = await greeted({[step]: 'held'}, {PORTLIGHT_TIMEOUT_MS: '500'});
		const id = browser.postShare();
		await world.called(method);
		await world.tell({[step]: 'ok'});
		// One that is granted meanwhile and not opened is stopped after the same time.
		const {share} = await browser.share();
		assert.equal((await browser.ended(share)).code, 'stopped');
		await world.tell('answer');
		assert.equal((await browser.answer(id)).type, 'result');
	});

	test(`the user declines in ${method}`, async () => {
		const browser = await greeted({[step]: 'held'});
		const id = browser.postShare();
		await world.answer(method, browser, 'decline');
		assertError(await browser.answer(id), 'denied');
		await world.called('session.Close');
	});
}

test('a second request behind an open dialog says that there may be one; the first goes on', async () => {
	const browser = await greeted({select: 'held'}, {PORTLIGHT_TIMEOUT_MS: '500'});
	const first = browser.postShare();
	await world.called('SelectSources');
	await world.tell({create: 'unanswered'});
	const {code, remedy} = await browser.share();
	assert.equal(code, 'portal-timeout');
	assert.match(remedy, /another dialog .* open/);
	await world.tell('answer');
	assert.equal((await browser.answer(first)).type, 'result');
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
		const browser = await greeted({remote: how}, patience(code));
		assert.equal((await browser.share()).type, 'result');
		assertError(await browser.open(1), code);
		assert.equal((await browser.ended(1)).code, code);
		assertError(await browser.request('stop', {share: 1}), 'unknown-share');
	});
}

test('cancel of an open that waits for OpenPipeWireRemote ends the share', async () => {
	const browser = await greeted({remote: 'silent'});
	await browser.share();
	const id = browser.postOpen(1);
	await world.called('OpenPipeWireRemote');
	browser.send({type: 'cancel', request: id});
	assertError(await browser.answer(id), 'cancelled');
	assert.equal((await browser.ended(1)).code, 'cancelled');
	await world.called('session.Close');
});

test('stop overtakes an open that waits for OpenPipeWireRemote', async () => {
	const browser = await greeted({remote: 'silent'});
	await browser.share();
	const open = browser.postOpen(1);
	const stop = browser.post('stop', {share: 1});
	assertError(await browser.answer(open), 'cancelled');
	assert.equal((await browser.ended(1)).code, 'stopped');
	assert.equal((await browser.answer(stop)).type, 'result');
});

for (const live of [false, true]) {
	test(`the desktop closes a ${live ? 'live' : 'granted'} share`, async () => {
		const browser = await greeted();
		await browser.share();
		if (live) {
			assert.equal((await browser.open(1)).type, 'result');
		}
		await world.tell('close');
		assert.equal((await browser.ended(1)).code, 'session-closed');
		assertError(await browser.open(1), 'unknown-share');
	});
}

test('the portal dies under a live share; the next share finds a new one', async () => {
	const browser = await greeted();
	await browser.share();
	assert.equal((await browser.open(1)).type, 'result');
	await world.stopPortal();
	assert.equal((await browser.ended(1)).code, 'bus-lost');
	await world.startPortal();
	assert.equal((await browser.share()).share, 2);
});

test('the bus dies under a live share; started again, it is found', async () => {
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
	const browser = await greeted({}, {PORTLIGHT_TIMEOUT_MS: '500'});
	const start = performance.now();
	await browser.share();
	const ended = await browser.ended(1);
	assert.equal(ended.code, 'stopped');
	assert.match(ended.detail, /not opened/);
	took('a share that nobody opens, for 500 ms', performance.now() - start);
	await world.called('session.Close');
});

test('before it is opened a share takes no credit; an id that was granted is closed by stop', async () => {
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
	const browser = await greeted({start: 'unanswered'});
	browser.postShare();
	await world.called('Start');
	const start = performance.now();
	browser.hangUp();
	await browser.exited;
	took('the end while the dialog is open', performance.now() - start);
	await world.called('request.Close');
	await world.called('session.Close');
});
