/** What portlight-host makes of a capture helper that fails, and that nothing of ours outlives its end. */
import assert from 'node:assert/strict';
import {chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {Browser, chromiumArguments, frame} from '../../fake/browser.js';
import {children, cpuMs, idle, residentMiB, until, World} from '../../fake/world.js';
import {took} from '../../tools/times.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
	await world.startPortal();
});

afterEach(() => world.close());

/** Number of a code in the catalogue, which is what an ENDED packet carries. */
function codeNumber(/** @type {string} */ code) {
	const table = readFileSync(new URL('../../../host/wire/errors.def', import.meta.url), 'utf8');
	return [...table.matchAll(/^ERROR\(\w+, "([^"]+)"/gm)].findIndex((match) => match[1] === code);
}

const sanitized = process.env.PORTLIGHT_HOST?.includes('asan') === true;

/** A host with a granted share, not opened yet. @param {NodeJS.ProcessEnv} [env] */
async function granted(env) {
	const browser = await world.greeted(env);
	assert.equal((await browser.share()).type, 'result');
	return browser;
}

/** A host with an open share. @param {NodeJS.ProcessEnv} [env] @param {object} [fields] of open */
async function opened(env, fields) {
	const browser = await granted(env);
	assert.equal((await browser.open(1, fields)).type, 'result');
	return browser;
}

/** The share ends so, and nothing more is said of it. @param {Browser} browser @param {string} code @param {RegExp} detail */
async function assertOver(browser, code, detail) {
	const ended = await browser.ended(1);
	assert.equal(ended.code, code);
	assert.match(ended.detail ?? '', detail);
	await world.called('session.Close');
	await until('its helper is gone', () => world.helpers().length === 0);
	assert.equal((await browser.request('stop', {share: 1})).code, 'unknown-share');
	return browser.messages;
}

const beforeReady = [
	{mode: 'crash', code: 'helper-crashed', detail: /signal 11/},
	{mode: 'exit', code: 'helper-crashed', detail: /code 3/},
	{mode: 'hang', code: 'helper-timeout', detail: /^$/, env: {PORTLIGHT_TIMEOUT_MS: '900'}},
	{mode: 'early-frame', code: 'bad-packet', detail: /out of place/},
	{mode: 'early-cursor', code: 'bad-packet', detail: /out of place/},
];
for (const {mode, code, detail, env} of beforeReady) {
	test(`a helper that does "${mode}": open fails with ${code}, and the share ends`, async () => {
		const browser = await granted({FAKE_CAPTURE: mode, ...env});
		const answer = await browser.open(1);
		assert.equal(answer.code, code);
		assert.match(answer.detail ?? '', detail);
		assert.deepEqual(await assertOver(browser, code, detail), []);
	});
}

const afterReady = [
	{mode: 'crash-live', code: 'helper-crashed', detail: /signal 11/},
	{mode: 'garbage', code: 'bad-packet', detail: /^$/},
	{mode: 'oversize', code: 'bad-packet', detail: /^$/},
	{mode: 'ready-twice', code: 'bad-packet', detail: /out of place/},
	{mode: 'ended', code: 'source-gone', detail: /^the window was closed$/},
	{mode: 'not-utf8', code: 'source-gone', detail: /^bad \?\? text\?$/},
];
for (const {mode, code, detail} of afterReady) {
	test(`a helper that does "${mode}": the share ends with ${code}`, async () => {
		const browser = await opened({FAKE_CAPTURE: mode, FAKE_CAPTURE_CODE: String(codeNumber('source-gone'))});
		const said = await assertOver(browser, code, detail);
		assert.deepEqual(said.filter(({type}) => type !== 'frame'), []);
	});
}

test('no helper is installed', async () => {
	renameSync(join(world.folder, 'portlight-capture'), join(world.folder, 'elsewhere'));
	const browser = await granted();
	const answer = await browser.open(1);
	assert.equal(answer.code, 'helper-missing');
	assert.equal((await browser.ended(1)).code, 'helper-missing');
});

test('a helper that can’t be run', async () => {
	writeFileSync(join(world.folder, 'portlight-capture'), '#!/no/such/program\n');
	const browser = await granted();
	const answer = await browser.open(1);
	assert.equal(answer.code, 'helper-missing');
	assert.match(answer.detail, /portlight-capture.*No such file/);
});

test('a helper in ../libexec/portlight/ is found', async () => {
	const bin = join(world.folder, 'bin');
	const libexec = join(world.folder, 'libexec/portlight');
	mkdirSync(bin);
	mkdirSync(libexec, {recursive: true});
	renameSync(join(world.folder, 'portlight-capture'), join(libexec, 'portlight-capture'));
	copyFileSync(world.host, join(bin, 'portlight-host'));
	world.host = join(bin, 'portlight-host');
	await opened();
});

test('credit bounds what the helper sends, and keyframe reaches it', async () => {
	const browser = await opened({}, {credit: 0});
	browser.send({type: 'credit', share: 1, frames: 2});
	assert.equal((await browser.frame(1)).seq, 0);
	assert.equal((await browser.frame(1)).seq, 1);
	browser.send({type: 'keyframe', share: 1});
	browser.send({type: 'credit', share: 1, frames: 1});
	const key = await browser.frame(1);
	assert.deepEqual([key.seq, key.key], [2, true]);
	assert.equal((await browser.request('stats', {share: 1})).frames, 3);
	assert.deepEqual(browser.messages, []);
});

test('open twice, and cancel of an open that was answered, are refused', async () => {
	const browser = await granted();
	const id = browser.postOpen(1);
	assert.equal((await browser.open(1)).code, 'bad-state');
	assert.equal((await browser.answer(id)).type, 'result');
	assert.equal((await browser.open(1)).code, 'bad-state');
	browser.send({type: 'cancel', request: id});
	assert.equal((await browser.answer(null)).code, 'unknown-share');
});

test('cancel of an open whose helper has no picture yet', async () => {
	const browser = await granted({FAKE_CAPTURE: 'hang'});
	const id = browser.postOpen(1);
	await until('the helper runs', () => world.helpers().length === 1);
	browser.send({type: 'cancel', request: id});
	assert.equal((await browser.answer(id)).code, 'cancelled');
	assert.equal((await browser.ended(1)).code, 'cancelled');
});

test('a helper holds nothing of the terminal, and what it says there is clean', async () => {
	const browser = await opened({FAKE_CAPTURE: 'talks'});
	const [helper] = world.helpers();
	const [input, output, errors] = [0, 1, 2].map((fd) => readlinkSync(`/proc/${helper}/fd/${fd}`));
	assert.deepEqual([input, output], ['/dev/null', '/dev/null']);
	assert.match(errors, /^pipe:/);
	assert.notEqual(errors, readlinkSync(`/proc/${browser.process.pid}/fd/2`));
	const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/${helper}/fdinfo/2`, 'utf8'))?.[1];
	assert.equal(Number.parseInt(String(flags), 8) & 3, 1, 'it can write there, not read');
	await until('the host passes it on', () => browser.log.includes('the end\n'));
	assert.match(browser.log, /^\?\[31mred\?\nplain \? bytes\nthe end\n$/m);
});

for (const mode of ['stubborn', 'deaf']) {
	test(`stop of a helper that is ${mode}: it is killed, and nobody else waits for it`, async () => {
		const browser = await opened({FAKE_CAPTURE: mode}, {credit: 0});
		const start = performance.now();
		const [stop, next] = [101, 102];
		const requests = [{type: 'stop', id: stop, share: 1}, {type: 'grants', id: next}];
		browser.sendBytes(Buffer.concat(requests.map((request) => frame(JSON.stringify(request)))));
		await until('stop is answered', () => browser.messages.some(({id}) => id === stop));
		took(`stop of a ${mode} helper`, performance.now() - start);
		assert.deepEqual(
			browser.messages.map(({type, code, id}) => [type, code ?? id]),
			[
				['ended', 'stopped'],
				['result', next],
				['result', stop],
			]
		);
		assert.deepEqual(world.helpers(), []);
		assert.match(browser.log, /did not exit; killing it/);
	});
	for (const end of ['hang-up', 'SIGTERM']) {
		test(`${end} with a helper that is ${mode}: nothing is left`, async () => {
			const browser = await opened({FAKE_CAPTURE: mode});
			const start = performance.now();
			if (end === 'SIGTERM') {
				browser.process.kill('SIGTERM');
			} else {
				browser.hangUp();
			}
			assert.deepEqual(await browser.exited, {code: 0, signal: null});
			took(`${end} with a ${mode} helper`, performance.now() - start);
			assert.deepEqual(world.processes(), []);
		});
	}
}

test('a helper that is killed is one ended, not a lost port', async () => {
	const browser = await opened();
	process.kill(world.helpers()[0], 'SIGKILL');
	const ended = await browser.ended(1);
	assert.equal(ended.code, 'helper-crashed');
	assert.match(ended.detail, /signal 9/);
	assert.equal((await browser.share()).share, 2);
	assert.equal((await browser.open(2)).type, 'result');
});

test('stats: what a share has cost and delivered, of a live share only', async () => {
	const browser = await granted({FAKE_CAPTURE_PARTS: '3', FAKE_CAPTURE_SIZE: '1000'});
	assert.equal((await browser.request('stats', {share: 1})).code, 'bad-state');
	assert.equal((await browser.request('stats', {share: 2})).code, 'unknown-share');
	await browser.open(1, {credit: 2});
	for (let i = 0; i < 6; i++) {
		await browser.frame(1);
	}
	const [helper] = world.helpers();
	await idle(helper);
	const used = cpuMs(helper);
	const {type: _type, id: _id, ...stats} = await browser.request('stats', {share: 1});
	assert.deepEqual(stats, {cpuMs: stats.cpuMs, rssKiB: stats.rssKiB, frames: 2, bytes: 6000, codec: 'vp8'});
	// The kernel rounds two numbers down, of which this is the sum, to 10 ms each.
	assert.ok(stats.cpuMs > 0 && stats.cpuMs >= used && stats.cpuMs < used + 20, `${stats.cpuMs} ms of ${used} ms`);
	assert.ok(Math.abs(stats.rssKiB / 1024 - residentMiB(helper)) < 1, `${stats.rssKiB} KiB of ${residentMiB(helper)} MiB`);
	for (let i = 0; i < 64; i++) {
		browser.send({type: 'credit', share: 1, frames: 1});
	}
	await browser.next((message) => message.seq === 65 && message.part === 2);
	const later = await browser.request('stats', {share: 1});
	assert.deepEqual([later.frames, later.bytes], [66, 66 * 3000]);
	assert.ok(later.cpuMs > stats.cpuMs, `${stats.cpuMs} ms, then ${later.cpuMs} ms`);
	await browser.request('stop', {share: 1});
	assert.equal((await browser.request('stats', {share: 1})).code, 'unknown-share');
});

test('codec "auto": each keyframe says what it is, and stats what it is now', async () => {
	const browser = await granted({FAKE_CAPTURE_PARTS: '2'});
	assert.equal((await browser.open(1, {codec: 'auto', credit: 2})).codec, 'vp9');
	const codecs = [];
	for (let i = 0; i < 4; i++) {
		codecs.push((await browser.frame(1)).codec);
	}
	assert.equal((await browser.request('stats', {share: 1})).codec, 'vp9');
	browser.send({type: 'keyframe', share: 1});
	browser.send({type: 'credit', share: 1, frames: 1});
	for (let i = 0; i < 2; i++) {
		codecs.push((await browser.frame(1)).codec);
	}
	assert.deepEqual(codecs, ['vp9', undefined, undefined, undefined, 'vp8', undefined]);
	assert.equal((await browser.request('stats', {share: 1})).codec, 'vp8');
	await browser.request('stop', {share: 1});
});

test('twenty shares at once, each with its own helper, end one by one', async () => {
	const browser = await world.greeted({FAKE_CAPTURE_PARTS: '3'});
	const shares = Array.from({length: 20}, (_, i) => i + 1);
	for (const share of shares) {
		assert.equal((await browser.share()).share, share);
		assert.equal((await browser.open(share, {credit: 2})).type, 'result');
	}
	assert.equal(world.helpers().length, shares.length);
	for (const share of [...shares.slice(7), ...shares.slice(0, 7).reverse()]) {
		const parts = [];
		for (let i = 0; i < 6; i++) {
			const {seq, part} = await browser.frame(share);
			parts.push([seq, part]);
		}
		const expected = [0, 1].flatMap((seq) => [0, 1, 2].map((part) => [seq, part]));
		assert.deepEqual(parts, expected, 'fragments come in order');
		assert.equal((await browser.request('stop', {share})).type, 'result');
		browser.send({type: 'credit', share, frames: 1});
		assert.equal((await browser.answer(null)).code, 'unknown-share');
	}
	assert.deepEqual(world.helpers(), []);
});

test('twenty shares, opened and ended in every way, leave no descriptor and no child behind', async () => {
	const browser = await world.greeted();
	const count = () => readdirSync(`/proc/${browser.process.pid}/fd`).length;
	const before = count();
	for (let share = 1; share <= 20; share++) {
		assert.equal((await browser.share()).share, share);
		assert.equal((await browser.open(share)).type, 'result');
		if (share % 2 === 0) {
			process.kill(world.helpers()[0], 'SIGKILL');
			assert.equal((await browser.ended(share)).code, 'helper-crashed');
		} else {
			assert.equal((await browser.request('stop', {share})).type, 'result');
		}
	}
	// A crash is told at once, before the last of its helper is cleared away.
	await until('no descriptor is left', () => count() === before);
	assert.deepEqual(children(browser.process.pid ?? 0), []);
});

test('a browser that stops reading holds the helper back; the host stays small', async () => {
	const flood = {FAKE_CAPTURE: 'flood', FAKE_CAPTURE_SIZE: '65536', FAKE_CAPTURE_PARTS: '4'};
	const browser = await opened(flood);
	browser.process.stdout.pause();
	await idle(world.helpers()[0]);
	const resident = residentMiB(browser.process.pid ?? 0);
	assert.ok(sanitized || resident < 20, `${resident} MiB are resident`);
	const seen = browser.messages.length;
	browser.process.stdout.resume();
	await until('it goes on', () => browser.messages.length > seen + 20);
	assert.equal((await browser.request('stop', {share: 1})).type, 'result');
	const frames = browser.messages.filter((message) => message.type === 'frame');
	frames.forEach((message, i) => {
		assert.deepEqual([message.seq, message.part], [Math.floor(i / 4), i % 4], 'nothing is lost on the way');
	});
});

test('what the helper prints never reaches the browser; its stdin is empty', async () => {
	const program = join(world.folder, 'portlight-capture');
	renameSync(program, join(world.folder, 'fake-capture'));
	writeFileSync(program, `#!/bin/sh\necho chatter\ncat\nexec "${join(world.folder, 'fake-capture')}"\n`);
	chmodSync(program, 0o755);
	const browser = await opened();
	assert.equal((await browser.frame(1)).seq, 0);
	assert.doesNotMatch(browser.log, /chatter/);
});

test('a host without stderr keeps its framing', async () => {
	const args = ['-c', 'exec "$0" "$@" 2>&-', world.host, ...chromiumArguments];
	const env = {...world.env, FAKE_CAPTURE: 'crash', PORTLIGHT_LOG: 'debug'};
	const browser = new Browser('/bin/sh', {args, env});
	world.browsers.push(browser);
	await browser.hello();
	await browser.share();
	assert.equal((await browser.open(1)).code, 'helper-crashed');
	assert.equal((await browser.ended(1)).code, 'helper-crashed');
});
