/** The rooms' server as who runs it meets it: configuration, HTTPS, proxies, the backend, health, signals. */
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createConnection} from 'node:net';
import {join} from 'node:path';
import {test} from 'node:test';
import {certify, folderOf, rooms, run, Server, SocketClient} from './rooming.js';

const secret = 'a secret of the backend';
const examples = new URL('../../docs/examples', import.meta.url).pathname;

/** @param {string} folder @param {string} name @param {string} text */
function write(folder, name, text) {
	const path = join(folder, name);
	writeFileSync(path, text, {mode: 0o600});
	return path;
}

test('each mistake in the configuration is named with its line and what to do', (t) => {
	const folder = folderOf(t);
	const path = write(
		folder,
		'rooms.conf',
		[
			'# rooms',
			'[server]',
			'listen=0.0.0.0:8080',
			'open=yes',
			'certifcate=/x',
			'backend-secret-file=/nonexistent/secret',
			'trust-proxy=10.0.0.0/33',
			'nonsense',
			'[limits]',
			'sessions=0',
			'[ice]',
			'turn=stun:example.org',
			'',
		].join('\n'),
	);
	const {status, stderr, stdout} = run('--config', path, '--check-config');
	assert.equal(status, 2);
	assert.equal(stdout, '');
	const lines = stderr.trimEnd().split('\n');
	assert.equal(lines.length % 2, 0, stderr);
	lines.forEach((line, i) => assert.match(line, i % 2 ? /^ {2}\S/ : /^\/.*rooms\.conf:\d+: |^portlight-rooms: /, stderr));
	for (const expected of [
		/:3: Without HTTPS .*\n {2}Set certificate and key/,
		/:4: With open=yes .*\n {2}Listen at 127\.0\.0\.1, or write public/,
		/:5: There is no certifcate in \[server\]\.\n {2}Did you mean certificate\?/,
		/:6: backend-secret-file can't be read/,
		/:7: "10\.0\.0\.0\/33" is no network/,
		/:8: This line is neither/,
		/:10: sessions is "0"\.\n {2}Give a whole number from 1 to 1000000/,
		/:12: "stun:example\.org" does not begin with turn: or turns:/,
		/:12: TURN servers need credentials\.\n {2}Set turn-secret-file/,
		/portlight-rooms: Requests are answered only for names that are known\.\n {2}Set hosts/,
	]) {
		assert.match(stderr, expected);
	}
});

test('a right configuration; options that are none; more than the files that may be open', (t) => {
	const folder = folderOf(t);
	const path = write(folder, 'rooms.conf', '[server]\nlisten = 127.0.0.1:0\n\n[limits]\nsessions = 100\n');
	assert.deepEqual([run('--config', path, '--check-config').status, run('--config', path, '--check-config').stdout], [0, 'The configuration is right.\n']);
	// The command line goes first, and its mistakes are its own.
	const {stderr} = run('--config', path, '--sessions=many', '--check-config');
	assert.match(stderr, /^portlight-rooms: sessions is "many"\.\n {2}Give/);
	assert.equal(run('--no-such-option').status, 2);
	assert.equal(run('extra').status, 2);
	assert.match(run('--version').stdout, /^portlight-rooms \d/);
	assert.match(run('--help').stdout, /--check-config/);
	const few = spawnSync('prlimit', ['--nofile=200:200', rooms, '--listen=127.0.0.1:0', '--sessions=1000'], {encoding: 'utf8'});
	assert.equal(few.status, 2);
	assert.match(few.stderr, /1000 sessions don't fit: this process may open 200 files\.\n {2}Set sessions to less/);
});

test('pages: what they are sent with, what is there and what is not', async (t) => {
	const folder = folderOf(t);
	mkdirSync(join(folder, 'pages/rooms'), {recursive: true});
	write(folder, 'secret.html', 'not a page');
	write(folder, 'pages/rooms/index.html', '<!doctype html><title>Rooms</title>');
	write(folder, 'pages/rooms/.hidden.html', 'no');
	write(folder, 'pages/notes.txt', 'no');
	write(folder, 'pages/big.js', `// ${'x'.repeat(2_000_000)}\n`);
	const server = await Server.start(t, `--pages=${folder}/pages`);
	const {status, headers, body} = await server.ask('/rooms/');
	assert.deepEqual([status, body], [200, '<!doctype html><title>Rooms</title>']);
	assert.equal(headers['content-type'], 'text/html; charset=utf-8');
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.equal(headers['referrer-policy'], 'no-referrer');
	assert.match(headers['content-security-policy'] ?? '', /^default-src 'self'; .*object-src 'none'; .*frame-ancestors 'none'$/);
	assert.match(`${headers['permissions-policy']}`, /camera=\(self\).*geolocation=\(\)/);
	assert.equal((await server.ask('/rooms/', {headers: {'if-none-match': headers.etag}})).status, 304);
	assert.equal((await server.ask('/rooms/', {method: 'HEAD'})).headers['content-length'], `${body.length}`);
	assert.equal((await server.ask('/rooms')).headers.location, '/rooms/');
	assert.equal((await server.ask('/')).headers.location, '/rooms/');
	assert.equal((await server.ask('/big.js')).body.length, 2_000_004);
	assert.equal((await server.ask('/rooms/', {method: 'POST', body: 'x'})).status, 405);
	for (const path of ['/secret.html', '/rooms/.hidden.html', '/notes.txt', '/none', '/rooms/index.html/']) {
		assert.equal((await server.ask(path)).status, 404, path);
	}
	for (const path of ['/../secret.html', '/rooms/../../secret.html', '/%2e%2e/secret.html', '/..%2fsecret.html', '//secret.html', '/secret.html%00', '/\\..\\secret.html']) {
		const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
		assert.doesNotMatch(answer, /not a page|^HTTP\/1\.. 200/, path);
	}
	// SIGHUP reads them again.
	write(folder, 'pages/rooms/index.html', 'new');
	server.signal('SIGHUP');
	await server.logged('reloaded');
	assert.equal((await server.ask('/rooms/')).body, 'new');
});

test('the examples are served, each file that a page may ask for', async (t) => {
	const server = await Server.start(t, `--pages=${examples}`);
	const {body} = await server.ask('/share.html');
	assert.equal(body, readFileSync(join(examples, 'share.html'), 'utf8'));
});

test('hosts that are not known and origins that are not ours are refused', async (t) => {
	const server = await Server.start(t, '--hosts=rooms.example.org', '--origins=https://app.example.org');
	const host = (/** @type {string} */ name) => server.ask('/v1/tickets', {method: 'POST', body: '{"type":"hello","version":1}', headers: {host: name}});
	assert.equal((await host('rooms.example.org')).status, 200);
	assert.equal((await host(`[::1]:${server.port}`)).status, 200);
	assert.equal((await host('rebound.example.net')).status, 421);
	assert.match(await server.raw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 421 /);
	const origin = (/** @type {string} */ name) => server.ask('/v1/tickets', {method: 'POST', body: '{"type":"hello","version":1}', headers: {origin: name}});
	assert.equal((await origin(server.url.slice(0, -1))).status, 200);
	const allowed = await origin('https://app.example.org');
	assert.deepEqual([allowed.status, allowed.headers['access-control-allow-origin']], [200, 'https://app.example.org']);
	const other = await origin('https://evil.example.net');
	assert.deepEqual([other.status, other.headers['access-control-allow-origin']], [403, undefined]);
	assert.equal((await origin('null')).status, 403);
	// A browser may know the backend's password, and send it along.
	assert.equal((await server.ask('/api/v1/sessions', {headers: {origin: 'https://evil.example.net'}})).status, 403);
	// What a proxy on this machine forwards isn't this machine's, whether or not the proxy was named.
	assert.deepEqual([(await server.ask('/metrics')).status, (await server.ask('/metrics', {headers: {'x-forwarded-for': '203.0.113.1'}})).status], [200, 401]);
	const preflight = await server.ask('/v1/messages', {method: 'OPTIONS', headers: {origin: 'https://app.example.org'}});
	assert.match(`${preflight.headers['access-control-allow-headers']}`, /authorization/);
	for (const [headers, status] of [
		[{origin: 'https://evil.example.net'}, 403],
		[{host: 'rebound.example.net'}, 421],
	]) {
		const client = new SocketClient(server, {headers});
		await assert.rejects(client.connect(), new RegExp(`response: ${status}`));
	}
	await SocketClient.open(server, {origin: 'https://app.example.org'});
	assert.equal(await server.metric('requests_refused_total'), 8);
});

test('the backend makes rooms and tokens, sees who is there and closes', async (t) => {
	const folder = folderOf(t);
	const server = await Server.start(t, `--backend-secret-file=${write(folder, 'secret', `${secret}\n`)}`);
	const bearer = {authorization: `Bearer ${secret}`};
	/** @param {string} method @param {string} path @param {object} [body] @param {object} [headers] */
	const api = (method, path, body, headers = bearer) => server.ask(`/api/v1/sessions${path}`, {method, headers, body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined});
	for (const headers of [{}, {authorization: 'Bearer wrong'}, {authorization: `Basic ${Buffer.from('x:wrong').toString('base64')}`}, {authorization: 'Basic'}]) {
		assert.equal((await api('GET', '', undefined, headers)).status, 401);
	}
	const basic = {authorization: `Basic ${Buffer.from(`app:${secret}`).toString('base64')}`};
	assert.deepEqual((await api('GET', '', undefined, basic)).json, {sessions: []});
	assert.equal((await api('POST', '', {room: 'demo'})).status, 201);
	assert.equal((await api('POST', '', {room: 'demo'})).json.code, 'room-exists');
	assert.equal((await api('POST', '', {room: 'a b'})).status, 400);
	assert.equal((await api('POST', '', {colour: 1})).json.code, 'bad-field');
	assert.match((await api('POST', '')).json.session.room, /^[\w-]{22}$/);
	assert.equal((await api('POST', '/none/connections')).status, 404);
	assert.equal((await api('POST', '/demo/connections', {role: 'king'})).json.detail, 'role');
	const {json: token} = await api('POST', '/demo/connections', {role: 'moderator', nickname: 'Ada', data: 'user 7'});
	assert.equal(token.role, 'moderator');
	const ada = await SocketClient.open(server);
	assert.equal((await ada.request('join', {room: 'demo', nickname: 'x', kind: 'camera'})).code, 'token-required');
	const joined = await ada.request('join', {room: 'demo', nickname: 'x', kind: 'camera', token: token.token});
	assert.deepEqual([joined.type, joined.role], ['ok', 'moderator']);
	assert.equal((await ada.request('join', {room: 'demo', nickname: 'x', kind: 'screen', token: token.token})).code, 'token-used');
	const {json: seen} = await api('GET', '/demo/connections');
	assert.deepEqual(seen.session.members.map((/** @type {any} */ member) => [member.nickname, member.serverData]), [['Ada', 'user 7']]);
	assert.equal((await api('GET', '')).json.sessions.length, 2);
	assert.equal((await api('DELETE', `/demo/connections/${joined.connection}`)).status, 204);
	assert.equal((await ada.next('ended')).reason, 'closed');
	assert.equal((await api('DELETE', '/demo')).status, 204);
	assert.equal((await api('GET', '/demo')).status, 404);
	assert.ok(!server.text.includes(secret));
});

test('TURN: credentials that coturn would take, and that end', async (t) => {
	const folder = folderOf(t);
	const shared = 'static-auth-secret of coturn';
	const server = await Server.start(
		t,
		`--turn-secret-file=${write(folder, 'turn', shared)}`,
		'--stun=stun:turn.example.org:3478',
		'--turn=turn:turn.example.org:3478;turns:turn.example.org:5349?transport=tcp',
		'--turn-lifetime-s=600',
	);
	const before = Math.floor(Date.now() / 1000);
	const {welcome} = await SocketClient.open(server);
	const [stun, turn] = welcome.ice;
	assert.deepEqual(stun, {urls: ['stun:turn.example.org:3478']});
	assert.deepEqual(turn.urls, ['turn:turn.example.org:3478', 'turns:turn.example.org:5349?transport=tcp']);
	const [expiry, name] = turn.username.split(':');
	assert.ok(Number(expiry) >= before + 600 && Number(expiry) <= Date.now() / 1000 + 600);
	assert.equal(name, welcome.session);
	assert.equal(turn.credential, createHmac('sha1', shared).update(turn.username).digest('base64'));
});

test('HTTPS: a page, a WebSocket, a certificate read again, a bad one kept out, garbage', async (t) => {
	const folder = folderOf(t);
	const {certificate, key} = certify(folder, 'first');
	const first = readFileSync(certificate);
	const server = await Server.start(t, `--certificate=${certificate}`, `--key=${key}`, `--pages=${examples}`, '--header-seconds=1');
	assert.match(server.url, /^https:/);
	const page = await server.ask('/share.html', {ca: first});
	assert.equal(page.status, 200);
	assert.match(`${page.headers['strict-transport-security']}`, /max-age/);
	assert.equal(page.certificate.subject.CN, 'first');
	const ada = await SocketClient.open(server, {ca: first});
	certify(folder, 'second');
	server.signal('SIGHUP');
	await server.logged('reloaded');
	const second = await server.ask('/healthz', {ca: readFileSync(certificate)});
	assert.equal(second.certificate.subject.CN, 'second');
	assert.equal((await ada.request('login', {name: 'Ada'})).type, 'ok', 'who is connected stays');
	const good = readFileSync(certificate);
	writeFileSync(certificate, 'garbage');
	server.signal('SIGHUP');
	await server.logged('reload-failed');
	assert.equal((await server.ask('/healthz', {ca: good})).certificate.subject.CN, 'second');
	assert.doesNotMatch(await server.raw('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), /200/);
	assert.doesNotMatch(await server.raw(Buffer.alloc(3000, 0x16)), /200/);
});

test('a unix socket behind a proxy: who it says is connected, over what', async (t) => {
	const folder = folderOf(t);
	const socketPath = join(folder, 'socket');
	const server = await Server.start(t, `--listen=unix:${socketPath}`, '--hosts=rooms.example.org');
	assert.equal(server.url, socketPath);
	/** @param {string} path @param {object} headers @param {string} [body] */
	const ask = async (path, headers, body) => {
		const {ask: send} = await import('./rooming.js');
		return send(`http://rooms.example.org${path}`, {socketPath, headers, method: body ? 'POST' : 'GET', body});
	};
	const hello = '{"type":"hello","version":1}';
	assert.equal((await ask('/healthz', {})).status, 200);
	assert.equal((await ask('/metrics', {})).status, 200);
	assert.equal((await ask('/metrics', {'x-forwarded-for': '203.0.113.5'})).status, 401);
	const https = {'x-forwarded-for': '203.0.113.5', 'x-forwarded-proto': 'https', origin: 'https://rooms.example.org'};
	assert.equal((await ask('/v1/tickets', https, hello)).status, 200);
	assert.equal((await ask('/v1/tickets', {...https, 'x-forwarded-proto': 'http'}, hello)).status, 403);
	const {status} = await server.stop();
	assert.equal(status, 0);
	assert.equal(existsSync(socketPath), false);
});

test('a stale socket is replaced, one in use and other files are not', async (t) => {
	const folder = folderOf(t);
	const socketPath = join(folder, 'socket');
	const first = await Server.start(t, `--listen=unix:${socketPath}`, '--hosts=localhost');
	assert.match(run(`--listen=unix:${socketPath}`, '--hosts=localhost').stderr, /somebody listens at .* already/);
	await first.kill();
	assert.ok(existsSync(socketPath));
	await Server.start(t, `--listen=unix:${socketPath}`, '--hosts=localhost');
	const file = write(folder, 'file', 'mine');
	assert.match(run(`--listen=unix:${file}`, '--hosts=localhost').stderr, /is in the way, and no socket/);
	assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('a port that is taken is told', async (t) => {
	const server = await Server.start(t);
	const {status, stderr} = run(`--listen=127.0.0.1:${server.port}`);
	assert.equal(status, 1);
	assert.match(stderr, /can't listen at 127\.0\.0\.1\.\n {2}Free the address/);
});

test('SIGTERM: ready no more, clients are told when to come back, and it ends', async (t) => {
	const server = await Server.start(t);
	const [ada, idle] = [await SocketClient.open(server), await SocketClient.open(server)];
	assert.equal((await ada.request('login', {name: 'Ada'})).type, 'ok');
	assert.equal((await server.ask('/readyz')).status, 200);
	// One that does not answer: the server waits for it, and not for long.
	idle.socket.pause();
	server.signal('SIGTERM');
	await server.logged('draining');
	assert.deepEqual([(await server.ask('/readyz')).status, (await server.ask('/healthz')).status], [503, 200]);
	const bye = await ada.next('bye');
	assert.equal(bye.code, 'draining');
	assert.ok(bye.retryMs >= 500 && bye.retryMs <= 5000, `${bye.retryMs}`);
	assert.equal((await ada.closed).code, 4000);
	const late = new SocketClient(server);
	await late.connect();
	assert.equal((await late.next('bye')).code, 'draining');
	assert.deepEqual(await server.ended, [0, null]);
});

test('the log is JSON, and has no name, room, token or address', async (t) => {
	const server = await Server.start(t, '--open=yes');
	const ada = await SocketClient.open(server);
	await ada.request('login', {name: 'Adalbert'});
	await ada.request('join', {room: 'hiddenroom', nickname: 'Adalbert', kind: 'camera'});
	assert.deepEqual(await server.stop(), {status: 0, signal: null});
	for (const line of server.text.trimEnd().split('\n')) {
		const {time, level, event} = JSON.parse(line);
		assert.ok(time && level && event);
	}
	assert.match(server.log[0].meaning, /anybody/);
	assert.doesNotMatch(server.text, /Adalbert|hiddenroom/);
	assert.ok(!server.text.includes(ada.welcome.secret) && !server.text.includes(ada.welcome.session));
});

test('slow and half-open clients are let go, each counted', async (t) => {
	const server = await Server.start(t, '--header-seconds=1', '--body-seconds=1');
	const never = server.raw('');
	const half = server.raw('GET / HTTP/1.1\r\nHost: loc');
	const body = server.raw('POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
	// One byte after the other: the time is for all of them.
	const slow = new Promise((resolve) => {
		const socket = createConnection(server.port, '127.0.0.1', () => socket.write('GET /'));
		const timer = setInterval(() => socket.write('a'), 100);
		socket.on('error', () => {});
		socket.on('close', () => {
			clearInterval(timer);
			resolve(undefined);
		});
	});
	await Promise.all([never, half, body, slow]);
	const {body: metrics} = await server.ask('/metrics');
	assert.match(metrics, /drops_total\{reason="headers"\} 3\n/);
	assert.match(metrics, /drops_total\{reason="body"\} 1\n/);
	assert.equal((await SocketClient.open(server)).welcome.resumed, false);
});

test('requests past their bounds', async (t) => {
	const server = await Server.start(t);
	const head = 'Host: localhost\r\nConnection: close\r\n';
	assert.match(await server.raw(`POST /v1/tickets HTTP/1.1\r\n${head}Content-Length: 65537\r\n\r\n`), /^HTTP\/1\.1 413 /);
	const long = await server.ask('/v1/tickets', {method: 'POST', body: JSON.stringify({type: 'hello', version: 1, resume: 'x'.repeat(1024)})});
	assert.deepEqual([long.status, long.json.code], [413, 'too-large']);
	assert.match(await server.raw(`POST /v1/tickets HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`), /^HTTP\/1\.1 4\d\d /);
	assert.match(await server.raw(`POST /v1/tickets HTTP/1.1\r\n${head}\r\n`), /^HTTP\/1\.1 411 /);
	assert.match(await server.raw(`POST /v1/tickets HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), /^HTTP\/1\.1 411 /);
	for (const request of [
		`GET / HTTP/1.1\r\n${head}X: ${'x'.repeat(9000)}\r\n\r\n`,
		`BREW / HTTP/1.1\r\n${head}\r\n`,
		'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		`GET ${'x'.repeat(9000)}`,
		'\r\n\r\n\r\n\r\n',
	]) {
		assert.doesNotMatch(await server.raw(request), /^HTTP\/1\.1 200/, request.slice(0, 20));
	}
	assert.equal((await server.ask('/healthz')).status, 200);
});

test('no more sessions than there may be: an error that says so', async (t) => {
	const server = await Server.start(t, '--sessions-per-address=2');
	const clients = [await SocketClient.open(server), await SocketClient.open(server)];
	const third = new SocketClient(server);
	await third.connect();
	const bye = await third.next('bye');
	assert.equal(bye.code, 'too-many-sessions');
	assert.ok(bye.retryMs > 0);
	clients[0].write({type: 'bye'});
	await clients[0].closed;
	const fourth = await SocketClient.open(server);
	assert.ok(fourth.welcome);
	assert.equal((await clients[1].request('login', {name: 'Ada'})).type, 'ok', 'those who are in stay');
});

test('tickets of one address are bounded, and keep nobody else out', async (t) => {
	const server = await Server.start(t, '--sessions-per-address=3', '--trust-proxy=127.0.0.1/32');
	/** @param {string} address */
	const take = async (address) => (await server.ask('/v1/tickets', {method: 'POST', body: '{"type":"hello","version":1}', headers: {'x-forwarded-for': address}}));
	const taken = [await take('203.0.113.1'), await take('203.0.113.1'), await take('203.0.113.1'), await take('203.0.113.1'), await take('203.0.113.2')];
	assert.deepEqual(taken.map(({status}) => status), [200, 200, 200, 503, 200]);
	assert.equal(taken[3].json.code, 'too-many-sessions');
});

test('/metrics counts what happens: handshakes, relays, resumes, errors', async (t) => {
	const server = await Server.start(t);
	const [ada, bob] = [await SocketClient.open(server), await SocketClient.open(server)];
	await ada.request('login', {name: 'Ada'});
	await bob.request('login', {name: 'Bob'});
	await ada.request('offer', {to: 'Bob', call: 'c', sdp: 'v=0'});
	await bob.next('offer');
	assert.equal((await ada.request('offer', {to: 'Nobody', call: 'd', sdp: 'v=0'})).code, 'unknown-name');
	await ada.drop();
	await ada.connect(ada.resume);
	const stranger = new SocketClient(server);
	await stranger.connect({...ada.resume, secret: ''.padEnd(22, 'A')});
	const {body} = await server.ask('/metrics');
	const value = (/** @type {string} */ name) => Number(body.split('\n').find((line) => line.startsWith(`portlight_rooms_${name} `))?.split(' ').at(-1));
	assert.deepEqual(
		[value('sessions_resumed_total'), value('sessions_resume_missed_total'), value('messages_relayed_total'), value('errors_total{code="unknown-name"}')],
		[1, 1, 1, 1],
	);
	for (const [name, least] of /** @type {[string, number][]} */ ([['handshake_seconds', 4], ['relay_seconds', 5]])) {
		const buckets = [...body.matchAll(new RegExp(`^portlight_rooms_${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm'))].map(([, bound, count]) => [Number(bound), Number(count)]);
		assert.ok(value(`${name}_count`) >= least, `${name}: ${value(`${name}_count`)}`);
		assert.ok(value(`${name}_sum`) > 0);
		assert.equal(buckets.at(-1)?.[1], value(`${name}_count`));
		assert.ok(buckets.length > 10 && buckets.every(([, count], i) => i === 0 || count >= buckets[i - 1][1]), `${buckets}`);
	}
	assert.ok(value('messages_received_total') > 0 && value('received_bytes_total') > 0 && value('sent_bytes_total') > 0);
});
