/** Grants that sites keep: portlight-host with a scripted portal, and `portlight grants` beside it. */
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {firefoxId, frame} from '../../fake/browser.js';
import {until, World} from '../../fake/world.js';
import {program} from '../recording.js';

const origin = 'https://meet.example.org';
const head = 'portlight-grants 1 7\n';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
});

afterEach(() => world.close({clean: true}));

/**
 * A host that has said hello, with a portal.
 * @param {object} [script]
 */
async function greeted(script) {
	await world.startPortal(script);
	return world.greeted();
}

/**
 * @param {import('../../fake/browser.js').Browser} browser
 * @param {object} [fields]
 */
const post = (browser, fields = {}) =>
	browser.post('share', {sources: ['monitor', 'window'], cursor: 'embedded', origin, remember: true, ...fields});

/**
 * @param {import('../../fake/browser.js').Browser} browser
 * @param {object} [fields]
 */
const share = (browser, fields) => browser.answer(post(browser, fields));

const file = () => join(world.state, 'grants');
const kept = () => readFileSync(file(), 'utf8').split('\n').slice(1, -1).map((line) => line.split('\t'));
const tokens = () => kept().map((fields) => fields[4]);

/** What SelectSources was last asked. */
const selected = async () => (await world.callsOf('SelectSources')).at(-1)?.options;

/** @param {string} text */
function keep(text) {
	mkdirSync(world.state, {recursive: true, mode: 0o700});
	writeFileSync(file(), text, {mode: 0o600});
}

/** @param {...string} args */
const command = (...args) => spawnSync(program, ['grants', ...args], {env: world.env, encoding: 'utf8'});

test('a site that is remembered is restored, each token once, and stays the same grant', async () => {
	const browser = await greeted();
	const before = Math.floor(Date.now() / 1000) * 1000;
	const first = await share(browser);
	assert.deepEqual([first.restored, first.remembered], [false, true]);
	assert.deepEqual([(await selected()).persist_mode, (await selected()).restore_token], [2, undefined]);
	assert.deepEqual(tokens(), ['token-1']);
	assert.deepEqual([statSync(world.state).mode & 0o777, statSync(file()).mode & 0o777], [0o700, 0o600]);
	const second = await share(browser);
	assert.deepEqual([second.restored, second.remembered], [true, true]);
	assert.equal((await selected()).restore_token, 'token-1');
	assert.deepEqual(tokens(), ['token-2']);
	const {grants} = await browser.request('grants');
	assert.equal(grants.length, 1);
	assert.deepEqual(Object.keys(grants[0]).sort(), ['lastUsed', 'origin', 'since', 'surface']);
	assert.deepEqual([grants[0].origin, grants[0].surface], [origin, 'monitor']);
	const times = [before, grants[0].since, grants[0].lastUsed, Date.now()];
	assert.ok(times.every((time, i) => i === 0 || times[i - 1] <= time), times.join(' '));
	assert.doesNotMatch(JSON.stringify([first, second, grants]), /token-/);
});

test('what was not asked to be remembered is not, and uses no token', async () => {
	const browser = await greeted();
	await share(browser);
	for (const fields of [{remember: false}, {remember: undefined}, {origin: undefined, remember: undefined}]) {
		const answer = await share(browser, fields);
		assert.deepEqual([answer.restored, answer.remembered], [false, false]);
		assert.deepEqual([(await selected()).persist_mode, (await selected()).restore_token], [undefined, undefined]);
	}
	assert.deepEqual(tokens(), ['token-1']);
});

test('another origin never gets the token', async () => {
	const browser = await greeted();
	await share(browser);
	for (const other of ['https://meet.example.org:8443', 'https://example.org', 'http://localhost']) {
		assert.equal((await share(browser, {origin: other})).restored, false, other);
	}
	assert.deepEqual(kept().map(([site, , , , token]) => [site, token]), [
		[origin, 'token-1'],
		['https://meet.example.org:8443', 'token-2'],
		['https://example.org', 'token-3'],
		['http://localhost', 'token-4'],
	]);
});

for (const [how, start] of Object.entries({denied: 1, failed: 2, 'an error': 'error', 'no stream': 'empty'})) {
	test(`a token that was used is gone when the share ends in ${how}`, async () => {
		keep(`${head}${origin}\tmonitor\t1\t2\told\nhttps://b.example\twindow\t1\t2\tother\n`);
		const browser = await greeted({start});
		assert.equal((await share(browser)).type, 'error');
		assert.equal((await selected()).restore_token, 'old');
		assert.deepEqual(tokens(), ['other']);
	});
}

test('a token is gone when the portal gives none for it, or none that can be kept', async () => {
	const browser = await greeted();
	for (const remember of [false, '', 'two words', 'x'.repeat(257), 'a\nhttps://b.example\tmonitor\t1\t2\tforged']) {
		await world.tell({remember});
		keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
		const answer = await share(browser);
		assert.deepEqual([answer.restored, answer.remembered], [true, false], String(remember));
		assert.deepEqual(tokens(), []);
	}
});

test('a portal that knows no tokens is not asked, and the grant stays', async () => {
	keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
	const answer = await share(await greeted({version: 3}));
	assert.deepEqual([answer.restored, answer.remembered], [false, false]);
	assert.equal((await selected()).persist_mode, undefined);
	assert.deepEqual(tokens(), ['old']);
});

test('without a portal the grant stays', async () => {
	keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
	assert.equal((await share(await world.greeted())).code, 'portal-missing');
	assert.deepEqual(tokens(), ['old']);
});

test('a grant of a surface that is not asked for is not used', async () => {
	keep(`${head}${origin}\twindow\t1\t2\told\n`);
	const browser = await greeted();
	assert.equal((await share(browser, {sources: ['monitor']})).restored, false);
	assert.equal((await selected()).restore_token, undefined);
	keep(`${head}${origin}\twindow\t1\t2\told\n`);
	assert.equal((await share(browser, {sources: ['window']})).restored, true);
});

test('revoking holds at once, in a host that runs as well', async () => {
	const browser = await greeted();
	await share(browser);
	const {status, stdout} = command('revoke', `${origin}/`);
	assert.deepEqual([status, stdout], [0, `Revoked: ${origin}\n`]);
	assert.deepEqual((await browser.request('grants')).grants, []);
	assert.equal((await share(browser)).restored, false);
	assert.equal((await browser.request('revoke', {origin})).revoked, true);
	assert.equal((await browser.request('revoke', {origin})).revoked, false);
	assert.equal((await share(browser)).restored, false);
});

for (const [how, act] of /** @type {[string, () => void][]} */ ([
	['revoked', () => assert.equal(command('revoke', '--all').status, 0)],
	['deleted by hand', () => rmSync(world.state, {recursive: true})],
])) {
	test(`a grant that is ${how} while its share is being restored does not come back`, async () => {
		keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
		const browser = await greeted({start: 'held'});
		const id = post(browser);
		await world.called('Start');
		act();
		await world.tell('answer');
		const answer = await browser.answer(id);
		assert.deepEqual([answer.restored, answer.remembered], [true, false]);
		assert.deepEqual((await browser.request('grants')).grants, []);
	});
}

test('a first grant that is revoked before it is given is not kept', async () => {
	const browser = await greeted({start: 'held'});
	const id = post(browser);
	await world.called('Start');
	assert.equal((await browser.request('revoke', {origin})).revoked, false);
	await world.tell('answer');
	assert.equal((await browser.answer(id)).remembered, false);
	assert.deepEqual(tokens(), []);
});

test('two hosts at once: a token is used by one of them, and every grant is kept', async () => {
	await world.startPortal({start: 'held'});
	keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
	const browsers = [await world.greeted(), await world.greeted({}, ['/firefox.json', firefoxId])];
	const both = browsers.map((browser) => share(browser));
	await until('both ask', () => world.calls.filter(({method}) => method === 'Start').length === 2);
	await world.tell('answer');
	const same = await Promise.all(both);
	assert.deepEqual(same.map(({restored}) => restored).sort(), [false, true]);
	await world.tell({start: 'ok'});
	const many = browsers.flatMap((browser, b) =>
		Array.from({length: 10}, (_, i) => share(browser, {origin: `https://s${i}.b${b}.example`}))
	);
	for (const {remembered} of await Promise.all(many)) {
		assert.equal(remembered, true);
	}
	assert.equal(kept().length, 21);
	assert.equal(new Set(tokens()).size, 21);
});

test('what is broken in the file is left out, and nothing else is lost', async () => {
	keep(`${head}\x00\xff rubbish\nhttps://b.example\twindow\t1\t2\tgood\nhttps://c.example\tmonitor\t1`);
	const browser = await greeted();
	assert.deepEqual((await browser.request('grants')).grants.map((grant) => grant.origin), ['https://b.example']);
	assert.equal((await share(browser)).remembered, true);
	assert.deepEqual(kept().map(([site]) => site), ['https://b.example', origin]);
	assert.match(browser.log, /can't be read; they are left out/);
	for (const text of ['', 'what?', 'x'.repeat(300_000)]) {
		keep(text);
		assert.deepEqual((await browser.request('grants')).grants, []);
		assert.equal((await share(browser)).remembered, true);
	}
});

test('the file of a newer version is left alone', async () => {
	const text = 'portlight-grants 2 7 more\nwho knows\n';
	keep(text);
	const browser = await greeted();
	const answer = await browser.request('grants');
	assert.equal(answer.code, 'state-unusable');
	assert.match(answer.detail, /newer version of Portlight/);
	assert.equal((await share(browser)).remembered, false);
	assert.equal(readFileSync(file(), 'utf8'), text);
});

test('at most 256 grants are kept', async () => {
	const lines = Array.from({length: 256}, (_, i) => `https://s${i}.example\tmonitor\t1\t${1000 + i}\tt${i}\n`);
	keep(head + lines.join(''));
	const browser = await greeted();
	assert.equal((await browser.request('grants')).grants.length, 256);
	await share(browser);
	assert.equal(kept().length, 256);
	assert.ok(!tokens().includes('t0') && tokens().includes('t255') && tokens().includes('token-1'));
});

test('a folder that can not be used: shares go on with the dialog, and the rest says why', async () => {
	mkdirSync(join(world.folder, 'state'));
	writeFileSync(world.state, 'not a folder');
	const browser = await greeted();
	const answer = await share(browser);
	assert.deepEqual([answer.restored, answer.remembered], [false, false]);
	assert.equal((await selected()).persist_mode, undefined);
	assert.match(browser.log, /nothing is remembered/);
	for (const refused of [await browser.request('grants'), await browser.request('revoke', {origin})]) {
		assert.deepEqual([refused.type, refused.code], ['error', 'state-unusable']);
		assert.match(refused.detail, /state\/portlight: can't be (opened|created)/);
	}
	const {status, stderr} = command();
	assert.equal(status, 6);
	assert.match(stderr, /can't be read or kept[^]*~\/.local\/state/);
});

test('the file is the user\'s own: no link is followed, nothing is left open to others', async () => {
	keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
	chmodSync(world.state, 0o755);
	chmodSync(file(), 0o644);
	const browser = await greeted();
	await browser.request('grants');
	assert.deepEqual([statSync(world.state).mode & 0o777, statSync(file()).mode & 0o777], [0o700, 0o600]);
	rmSync(file());
	const elsewhere = join(world.folder, 'elsewhere');
	writeFileSync(elsewhere, `${head}${origin}\tmonitor\t1\t2\tforeign\n`);
	symlinkSync(elsewhere, file());
	assert.equal((await browser.request('grants')).code, 'state-unusable');
	assert.equal((await share(browser)).restored, false);
	rmSync(file());
	rmSync(join(world.state, 'grants.lock'));
	symlinkSync(elsewhere, join(world.state, 'grants.lock'));
	assert.equal((await share(browser)).remembered, false);
	assert.match(readFileSync(elsewhere, 'utf8'), /foreign/);
});

/** Holds the lock of the grants file until it is killed. */
async function hold() {
	const holder = spawn('flock', ['-F', join(world.state, 'grants.lock'), 'sh', '-c', 'echo held; exec sleep 60'], {
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	await once(holder.stdout, 'data');
	return async () => {
		holder.kill();
		await once(holder, 'close');
	};
}

test('a lock that is held delays and never blocks', async () => {
	keep(head);
	const release = await hold();
	const browser = await greeted();
	const answer = await share(browser);
	assert.deepEqual([answer.type, answer.remembered], ['result', false]);
	assert.equal((await browser.request('grants')).code, 'state-unusable');
	await release();
	assert.deepEqual((await browser.request('grants')).grants, []);
});

test('a live share and other requests go on while the lock is held', async () => {
	keep(`${head}${origin}\tmonitor\t1\t2\told\n`);
	const browser = await greeted();
	const live = (await browser.share()).share;
	await browser.open(live, {credit: 0});
	const release = await hold();
	// The host reads all of it at once.
	const [asked, listed, revoked, stats] = [101, 102, 103, 104];
	browser.sendBytes(Buffer.concat([
		{type: 'share', id: asked, sources: ['monitor'], cursor: 'embedded', origin, remember: true},
		{type: 'grants', id: listed},
		{type: 'revoke', id: revoked, origin: 'https://unknown.example'},
		{type: 'credit', share: live, frames: 1},
		{type: 'stats', id: stats, share: live},
	].map((message) => frame(JSON.stringify(message)))));
	const answers = [];
	const next = async () => answers.push((await browser.next((message) => [listed, revoked, stats].includes(message.id))).id);
	await next();
	await browser.frame(live);
	await release();
	await next();
	await next();
	assert.deepEqual(answers, [stats, listed, revoked]);
	assert.equal((await browser.answer(asked)).type, 'result');
});

test('a request that waits for the file keeps its id', async () => {
	keep(head);
	const browser = await greeted();
	const release = await hold();
	const messages = Array(17).fill({type: 'grants', id: 7});
	browser.sendBytes(Buffer.concat(messages.map((message) => frame(JSON.stringify(message)))));
	for (let i = 0; i < 16; i++) {
		assert.equal((await browser.next((message) => message.code === 'duplicate-id')).id, 7);
	}
	await release();
	await browser.next((message) => message.id === 7);
});

test('a revoke that the browser does not wait for holds, also when it leaves', async () => {
	keep(`${head}${origin}\tmonitor\t1\t2\told\nhttps://b.example\twindow\t1\t2\tother\n`);
	const browser = await greeted();
	const first = browser.post('revoke', {origin});
	const second = share(browser);
	assert.equal((await second).restored, false);
	assert.equal((await browser.answer(first)).revoked, true);
	const release = await hold();
	browser.post('revoke', {origin: 'https://b.example'});
	browser.hangUp();
	await release();
	await browser.exited;
	assert.deepEqual(tokens(), ['token-1']);
});

test('portlight grants lists and revokes', async () => {
	assert.equal(command().stdout, "No site may share without the desktop's dialog.\n");
	assert.equal(command('--json').stdout, '[]\n');
	assert.ok(!existsSync(world.state), 'looking leaves nothing behind');
	const now = Math.floor(Date.now() / 1000);
	keep(`${head}${origin}\tmonitor\t0\t${now}\tsecret\nhttp://localhost:3000\twindow\t${now}\t${now}\tsecret\n`);
	const listed = command();
	assert.equal(listed.status, 0);
	assert.match(listed.stdout, /^https:\/\/meet\.example\.org {2}screen, since 19(70|69)-\S+ \S+, last used 20\d\d-/);
	assert.match(listed.stdout, /\nhttp:\/\/localhost:3000 {2}window, since /);
	assert.doesNotMatch(listed.stdout, /secret/);
	assert.equal(command('list').stdout, listed.stdout);
	assert.deepEqual(JSON.parse(command('--json').stdout), [
		{origin, surface: 'monitor', since: 0, lastUsed: now * 1000},
		{origin: 'http://localhost:3000', surface: 'window', since: now * 1000, lastUsed: now * 1000},
	]);
	assert.equal(command('revoke', origin, 'https://unknown.example').status, 1);
	assert.deepEqual(kept().map(([site]) => site), ['http://localhost:3000']);
	assert.equal(command('revoke', '--quiet', 'http://localhost:3000').stdout, '');
	assert.deepEqual(kept(), []);
	keep(`${head}${origin}\tmonitor\t0\t${now}\tsecret\n`);
	assert.equal(command('revoke', '--all').stdout, 'Revoked: 1\n');
	assert.deepEqual(kept(), []);
	for (const args of [['revoke'], ['revoke', '--all', origin], ['--all'], ['--json', '--all'], ['--json', 'revoke', origin], ['list', origin], ['revoked'], ['revoke', 'meet.example.org'], ['--what']]) {
		const {status, stderr} = command(...args);
		assert.equal(status, 2, args.join(' '));
		assert.match(stderr, /See portlight grants --help/);
	}
	assert.match(command('--help').stdout, /revoke --all/);
	assert.deepEqual(readdirSync(world.state).sort(), ['grants', 'grants.lock']);
});
