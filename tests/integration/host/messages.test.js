/** What portlight-host makes of native messages, good and bad; no portal is needed for it. */
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, before, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {Browser, chromiumArguments, firefoxId, frame, head} from '../../fake/browser.js';
import {hostProgram, idle, residentMiB, World} from '../../fake/world.js';
import {took} from '../../tools/times.js';

/** @type {World} */
let world;

before(async () => {
	world = await World.begin();
	await world.startPortal({start: 'unanswered'});
});

afterEach(async () => {
	for (const browser of world.browsers.splice(0)) {
		await browser.finish();
		assert.doesNotMatch(browser.log, /Sanitizer|runtime error/);
	}
	world.calls = [];
});

after(() => world.finish());

/**
 * @param {any} message
 * @param {string} code
 * @param {number | null} id
 * @param {string} [detail]
 */
function assertError(message, code, id, detail) {
	assert.equal(message.type, 'error');
	assert.equal(message.code, code);
	assert.equal(message.id, id);
	assert.ok(message.message.length > 0 && message.remedy.length > 0);
	if (detail !== undefined) {
		assert.equal(message.detail, detail);
	}
}

test('--help and --version answer on stdout, and fail where that is full', () => {
	for (const help of ['--help', '-h']) {
		assert.match(execFileSync(hostProgram, [help], {encoding: 'utf8'}), /^Usage: portlight-host/);
	}
	for (const version of ['--version', '-V']) {
		assert.match(execFileSync(hostProgram, [version], {encoding: 'utf8'}), /^portlight-host \d+\.\d+\.\d+\n$/);
	}
	const full = openSync('/dev/full', 'w');
	const lost = spawnSync(hostProgram, ['--help'], {encoding: 'utf8', stdio: ['ignore', full, 'pipe']});
	closeSync(full);
	assert.equal(lost.status, 1);
	assert.match(lost.stderr, /^portlight-host: Can't write the output: No space left on device\.\n$/);
});

test('without arguments it is the host where its input is a pipe or a socket', async () => {
	// Node's own pipes are sockets.
	const socket = world.browse({}, []);
	const pipe = new Browser('sh', {env: world.env, args: ['-c', 'cat | "$1"', '-', world.host]});
	world.browsers.push(pipe);
	for (const browser of [socket, pipe]) {
		assert.equal((await browser.hello()).protocol, 1);
		browser.hangUp();
		assert.deepEqual(await browser.exited, {code: 0, signal: null});
	}
});

test('without arguments it has its help for a terminal, a line for any other input, and status 2', () => {
	const nothing = spawnSync(hostProgram, [], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
	assert.equal(nothing.status, 2);
	assert.equal(nothing.stdout, '');
	assert.match(nothing.stderr, /^portlight-host\[\d+\] error: stdin is no pipe; a browser starts this program with pipes\n$/);
	const terminal = spawnSync('script', ['-qec', hostProgram, '/dev/null'], {encoding: 'utf8'});
	assert.equal(terminal.status, 2);
	assert.match(terminal.stdout, /^Usage: portlight-host/);
});

test('Firefox starts the host with a manifest and the add-on id', async () => {
	const browser = await world.greeted({}, ['/etc/org.portlight.host.json', firefoxId]);
	browser.hangUp();
	assert.deepEqual(await browser.exited, {code: 0, signal: null});
});

test('Chromium may add the parent window', () => world.greeted({}, [...chromiumArguments, '--parent-window=0']));

for (const args of [['chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/'], ['/m.json', 'other@example.org'], ['x']]) {
	test(`another caller is refused: ${args.join(' ')}`, async () => {
		const browser = world.browse({}, args);
		assertError(await browser.answer(null), 'wrong-caller', null);
		assert.deepEqual(await browser.exited, {code: 1, signal: null});
	});
}

const otherIds = 'chromium abcdefghijklmnopabcdefghijklmnop\nfirefox {no-id}\nfirefox other@example.org\n';

test("the user's file adds extensions; a bad line of it is told of, and the host goes on", async () => {
	const folder = join(world.env.XDG_CONFIG_HOME ?? '', 'portlight');
	mkdirSync(folder, {recursive: true});
	writeFileSync(join(folder, 'extensions'), otherIds);
	for (const args of [['chrome-extension://abcdefghijklmnopabcdefghijklmnop/'], ['/m.json', 'other@example.org'], chromiumArguments]) {
		const browser = await world.greeted({}, args);
		await browser.logged(/warning: .*config\/portlight\/extensions:2: a Firefox extension's id/);
	}
	const stranger = world.browse({}, ['/m.json', 'stranger@example.org']);
	assertError(await stranger.answer(null), 'wrong-caller', null);
	rmSync(folder, {recursive: true});
	const gone = world.browse({}, ['/m.json', 'other@example.org']);
	assertError(await gone.answer(null), 'wrong-caller', null);
});

const namespaces = spawnSync('unshare', ['--mount', '--map-root-user', 'mount', '-t', 'tmpfs', 'none', '/etc']);
test("so does the system's", {skip: namespaces.status !== 0 && `no mount namespace: ${namespaces.stderr}`}, async () => {
	const script = 'mount -t tmpfs none /etc && mkdir /etc/portlight && printf %s "$1" >/etc/portlight/extensions && shift && exec "$@"';
	const host = [world.host, '/m.json', 'other@example.org'];
	const args = ['--mount', '--map-root-user', 'sh', '-c', script, 'sh', otherIds, ...host];
	const browser = new Browser('unshare', {env: world.env, args});
	world.browsers.push(browser);
	assert.equal((await browser.hello()).type, 'result');
});

const brokenFrames = [
	{name: 'zero length', bytes: head(0), code: 'bad-frame'},
	{name: '4 GiB length', bytes: head(0xffffffff), code: 'message-too-large'},
	{name: 'length of 1 MiB and one', bytes: head(1024 * 1024 + 1), code: 'message-too-large'},
	{name: 'end within the length', bytes: Buffer.from([2, 0]), code: 'bad-frame', hangUp: true},
	{name: 'end within the message', bytes: Buffer.concat([head(20), Buffer.from('{"type"')]), code: 'bad-frame', hangUp: true},
];
for (const {name, bytes, code, hangUp} of brokenFrames) {
	test(`broken framing, ${name}: one error and a clean exit`, async () => {
		const browser = await world.greeted();
		browser.sendBytes(bytes);
		if (hangUp) {
			browser.hangUp();
		} else {
			browser.send({type: 'hello', id: 9, protocol: 1});
		}
		assertError(await browser.answer(null), code, null);
		assert.deepEqual(await browser.exited, {code: 0, signal: null});
		assert.deepEqual(browser.messages, []);
	});
}

const badMessages = [
	{name: 'not UTF-8', bytes: Buffer.from([0x7b, 0xff, 0x7d]), code: 'bad-utf8', id: null},
	{name: 'not JSON', text: '{"type":', code: 'bad-json', id: null},
	{name: 'two values', text: '{}{}', code: 'bad-json', id: null},
	{name: 'an array', text: '[1]', code: 'bad-message', id: null},
	{name: 'null', text: 'null', code: 'bad-json', id: null},
	{name: 'no type', text: '{"id":5}', code: 'bad-message', id: 5},
	{name: 'unknown type', text: '{"type":"play","id":5}', code: 'unknown-type', id: 5, detail: 'play'},
	{name: 'missing field', text: '{"type":"stop","id":5}', code: 'bad-field', id: 5, detail: 'stop.share: is missing'},
	{
		name: 'extra field',
		text: '{"type":"stop","id":5,"share":1,"now":true}',
		code: 'bad-field',
		id: 5,
		detail: 'stop.now: is not known',
	},
	{
		name: 'mistyped field',
		text: '{"type":"stop","id":5,"share":"1"}',
		code: 'bad-field',
		id: 5,
		detail: 'stop.share: must be 1 to 2147483647',
	},
	{
		name: 'field out of range',
		text: '{"type":"open","id":5,"share":1,"codec":"vp8","maxFps":0,"maxKbps":4000,"credit":1}',
		code: 'bad-field',
		id: 5,
		detail: 'open.maxFps: must be 1 to 240',
	},
	{name: 'id out of range', text: '{"type":"stop","id":0,"share":1}', code: 'bad-field', id: null},
	{name: '17 levels', text: '['.repeat(17) + ']'.repeat(17), code: 'bad-json', id: null},
	{name: '1 MiB of brackets', text: '['.repeat(1024 * 1024), code: 'bad-json', id: null},
	{name: '1 MiB of numbers', text: `[${'1,'.repeat(524286)}1]`, code: 'bad-message', id: null},
	{name: 'open of no share', text: '{"type":"open","id":5,"share":1,"codec":"vp8","maxFps":30,"maxKbps":4000,"credit":1}', code: 'unknown-share', id: 5},
	{name: 'credit for no share', text: '{"type":"credit","share":1,"frames":1}', code: 'unknown-share', id: null},
	{name: 'keyframe for no share', text: '{"type":"keyframe","share":1}', code: 'unknown-share', id: null},
	{name: 'cancel of no request', text: '{"type":"cancel","request":77}', code: 'unknown-share', id: null},
	{name: 'stop of no share', text: '{"type":"stop","id":5,"share":1}', code: 'unknown-share', id: 5},
];
for (const {name, bytes, text, code, id, detail} of badMessages) {
	test(`a bad message gets its error, and the host goes on: ${name}`, async () => {
		const browser = await world.greeted();
		browser.sendBytes(frame(bytes ?? text ?? ''));
		assertError(await browser.answer(id), code, id, detail);
		assert.equal((await browser.hello()).type, 'result');
		assert.deepEqual(browser.messages, []);
	});
}

test('before hello every other type gets hello-required', async () => {
	const browser = world.browse();
	assertError(await browser.share(), 'hello-required', 1);
	browser.send({type: 'credit', share: 1, frames: 1});
	assertError(await browser.answer(null), 'hello-required', null);
	const skewed = await browser.request('hello', {protocol: 2});
	assertError(skewed, 'version-mismatch', 2, 'the extension speaks 2, the host 1');
	assertError(await browser.share(), 'hello-required', 3);
	assert.equal((await browser.hello()).type, 'result');
});

test('messages in single bytes, and many in one write', async () => {
	const browser = world.browse();
	for (const byte of frame('{"type":"hello","id":1,"protocol":1}')) {
		browser.sendBytes(Buffer.from([byte]));
		await sleep(1);
	}
	assert.equal((await browser.answer(1)).type, 'result');
	const many = [];
	for (let id = 100; id < 110; id++) {
		many.push(frame(JSON.stringify({type: 'hello', id, protocol: 1})));
	}
	browser.sendBytes(Buffer.concat(many));
	for (let id = 100; id < 110; id++) {
		assert.equal((await browser.answer(id)).type, 'result');
	}
});

test('an id that pends is refused; its first request is not harmed', async () => {
	const browser = await world.greeted();
	browser.send({type: 'share', id: 50, sources: ['monitor'], cursor: 'hidden'});
	browser.send({type: 'share', id: 50, sources: ['monitor'], cursor: 'hidden'});
	assertError(await browser.answer(50), 'duplicate-id', 50);
	browser.send({type: 'stop', id: 50, share: 1});
	assertError(await browser.answer(50), 'duplicate-id', 50);
	browser.send({type: 'cancel', request: 50});
	assertError(await browser.answer(50), 'cancelled', 50);
	browser.send({type: 'hello', id: 50, protocol: 1});
	assert.equal((await browser.answer(50)).type, 'result');
});

test('the 17th pending request is refused, and one that ends makes room', async () => {
	const browser = await world.greeted();
	for (let id = 101; id <= 117; id++) {
		browser.send({type: 'share', id, sources: ['monitor'], cursor: 'hidden'});
	}
	assertError(await browser.answer(117), 'too-many-requests', 117);
	browser.send({type: 'cancel', request: 101});
	assertError(await browser.answer(101), 'cancelled', 101);
	browser.send({type: 'share', id: 118, sources: ['monitor'], cursor: 'hidden'});
	for (let id = 102; id <= 116; id++) {
		browser.send({type: 'cancel', request: id});
		assertError(await browser.answer(id), 'cancelled', id);
	}
	browser.send({type: 'cancel', request: 118});
	assertError(await browser.answer(118), 'cancelled', 118);
});

test('a flood of bad messages that nobody reads the answers of: memory stays bounded', async () => {
	const browser = await world.greeted();
	browser.process.stdout.pause();
	const flood = Buffer.concat(Array(2000).fill(frame('{"type":"play"}')));
	for (let i = 0; i < 20; i++) {
		browser.sendBytes(flood);
	}
	await idle(browser.process.pid ?? 0);
	const resident = residentMiB(browser.process.pid ?? 0);
	// The sanitizers' own memory aside, 40000 answers are 9 MB.
	if (process.env.PORTLIGHT_HOST?.includes('asan') !== true) {
		assert.ok(resident < 14, `${resident} MiB are resident`);
	}
	browser.process.stdout.resume();
	for (let i = 0; i < 40000; i++) {
		assertError(await browser.answer(null), 'unknown-type', null);
	}
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
	test(`${signal} ends the host cleanly, in the middle of requests`, async () => {
		const browser = await world.greeted();
		const share = browser.postShare();
		await world.called('Start');
		const start = performance.now();
		browser.process.kill(signal);
		assertError(await browser.answer(share), 'host-stopped', share);
		assert.deepEqual(await browser.exited, {code: 0, signal: null});
		took(`${signal} in the middle of requests`, performance.now() - start);
	});
}

test('a closed stdout ends the host', async () => {
	const browser = await world.greeted();
	browser.process.stdout.destroy();
	browser.post('hello', {protocol: 1});
	assert.deepEqual(await browser.exited, {code: 0, signal: null});
});

test('descriptors are closed after use: none is left of 20 cancelled shares', async () => {
	const browser = await world.greeted();
	const count = () => readdirSync(`/proc/${browser.process.pid}/fd`).length;
	const before = count();
	for (let i = 0; i < 20; i++) {
		const id = browser.postShare();
		browser.send({type: 'cancel', request: id});
		assertError(await browser.answer(id), 'cancelled', id);
	}
	assert.equal(count(), before);
});
