/**
 * Hostile clients of the rooms' server: each ends in its typed error or a closed connection, and two
 * friends who talk all the while lose nothing.
 */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {createConnection} from 'node:net';
import {test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {connect as connectTls} from 'node:tls';
import {BINARY, CLOSE, frame, handshake, PING, TEXT, undisturbed} from './provoking.js';
import {certify, folderOf, Server, SocketClient} from './rooming.js';

/** The server's options for HTTPS. @param {import('node:test').TestContext} t */
function certified(t) {
	const {certificate, key} = certify(folderOf(t), 'rooms');
	return [`--certificate=${certificate}`, `--key=${key}`];
}

/**
 * Connects, and gives what the server said until it closed. Its close frame is answered; `enough` of the answers ends it as well.
 * @param {Server} server @param {(socket: import('node:net').Socket) => void} speak
 * @param {(got: ReturnType<typeof understand>) => boolean} [enough]
 */
function converse(server, speak, enough = () => false) {
	return new Promise((resolve) => {
		let bytes = Buffer.alloc(0);
		let closing = false;
		const to = {port: server.port, host: '127.0.0.1'};
		const socket = server.ca ? connectTls({...to, ca: server.ca}) : createConnection(to);
		socket.setNoDelay(true);
		speak(socket);
		socket.on('data', (piece) => {
			bytes = Buffer.concat([bytes, piece]);
			const got = understand(bytes);
			if (!closing && (got.closed || enough(got))) {
				closing = true;
				socket.write(frame(CLOSE, Buffer.from([3, 232])));
			}
			// Not before its own close frame has come: a server need not answer who is gone.
			if (got.closed) {
				socket.end();
			}
		});
		socket.on('error', () => {});
		socket.on('close', () => resolve(understand(bytes)));
	});
}

/** Sends pieces once the handshake is answered. @param {(string | Buffer)[]} pieces */
const afterHandshake = (pieces) => (/** @type {import('node:net').Socket} */ socket) => {
	socket.write(handshake());
	socket.once('data', () => pieces.forEach((piece) => socket.write(piece)));
};

/**
 * Sends bytes once the handshake is answered; gives what the server said until it closed.
 * @param {Server} server @param {(string | Buffer)[]} pieces
 */
function provoke(server, ...pieces) {
	return converse(server, afterHandshake(pieces));
}

/** Splits an upgraded answer into status, messages and close code. @param {Buffer} bytes */
function understand(bytes) {
	const head = bytes.indexOf('\r\n\r\n');
	const status = Number(bytes.subarray(9, 12).toString());
	const messages = [];
	let code;
	let closed = false;
	for (let at = head + 4; head >= 0 && at + 2 <= bytes.length;) {
		const opcode = bytes[at] & 15;
		let length = bytes[at + 1] & 127;
		at += 2;
		if (length === 126) {
			length = bytes.readUInt16BE(at);
			at += 2;
		}
		const payload = bytes.subarray(at, at + length);
		at += length;
		if (opcode === TEXT) {
			messages.push(JSON.parse(payload.toString()));
		} else if (opcode === CLOSE) {
			closed = true;
			code = length >= 2 ? payload.readUInt16BE(0) : undefined;
		}
	}
	return {status, messages, code, closed, bye: messages.find(({type}) => type === 'bye')?.code};
}

const hello = frame(TEXT, '{"type":"hello","version":1}');
/** @param {object} message */
const say = (message) => frame(TEXT, JSON.stringify(message));
/** @param {string} json */
const text = (json) => frame(TEXT, json);

test('what is no WebSocket is refused in words, and counted', async (t) => {
	const server = await Server.start(t);
	await undisturbed(server, async () => {
		for (const [name, status, said, headers] of /** @type {[string, number, RegExp, Record<string, string | undefined>][]} */ ([
			['no key', 400, /16 bytes in base64/, {'Sec-WebSocket-Key': undefined}],
			['a short key', 400, /16 bytes in base64/, {'Sec-WebSocket-Key': 'AAAA'}],
			['a long key', 400, /16 bytes in base64/, {'Sec-WebSocket-Key': 'A'.repeat(500)}],
			['version 7', 426, /Sec-WebSocket-Version: 13/, {'Sec-WebSocket-Version': '7'}],
			['another subprotocol', 400, /none that is spoken/, {'Sec-WebSocket-Protocol': 'chat'}],
			['no subprotocol', 400, /Ask for the subprotocol/, {'Sec-WebSocket-Protocol': undefined}],
			['no Connection', 400, /Only GET/, {Connection: 'close'}],
			['HTTP/2', 400, /Only GET/, {Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA'}],
			['another site', 403, /Pages of this origin/, {Origin: 'https://elsewhere.example'}],
			['another host', 421, /not known by that name/, {Host: 'elsewhere.example'}],
		])) {
			const before = (await server.drops()).upgrade ?? 0;
			const answer = await server.raw(handshake(headers));
			assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name);
			assert.match(answer, said, name);
			assert.equal((await server.drops()).upgrade, before + 1, name);
		}
		assert.match(await server.raw(handshake().replace('GET ', 'POST ')), /^HTTP\/1\.1 400 [^]*Only GET/);
		/* libwebsockets' own words, and none of a WebSocket's. */
		assert.match(await server.raw(handshake({Upgrade: 'chat'})), /^HTTP\/1\.0 403 /);
		assert.match(await server.raw(handshake({Upgrade: undefined, Connection: 'close'})), /^HTTP\/1\.1 404 /);
	});
	assert.equal((await server.stop()).status, 0);
});

test('compressed frames are not offered', async (t) => {
	const server = await Server.start(t);
	const socket = createConnection(server.port, '127.0.0.1');
	t.after(() => socket.destroy());
	socket.write(handshake({'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits'}));
	const [piece] = await new Promise((resolve) => socket.once('data', (data) => resolve([data])));
	assert.match(`${piece}`, /^HTTP\/1\.1 101 /);
	assert.doesNotMatch(`${piece}`, /extensions/i);
});

/** What is wrong with it: the frames, the code it is closed with, and what it counts as. */
function brokenFrames() {
	const code = (/** @type {number} */ number, text = '') => frame(CLOSE, Buffer.concat([Buffer.from([number >> 8, number & 255]), Buffer.from(text)]));
	const storm = Buffer.concat([frame(TEXT, '{', {fin: false}), ...Array.from({length: 4000}, () => frame(0, ' ', {fin: false}))]);
	return /** @type {Record<string, [Buffer, number, string]>} */ ({
		'not masked': [frame(TEXT, '{}', {masked: false}), 1002, 'unmasked'],
		'a ping that is not masked': [frame(PING, '', {masked: false}), 1002, 'unmasked'],
		'a long one that is not masked': [frame(TEXT, ' '.repeat(300), {masked: false}), 1002, 'unmasked'],
		'reserved bits': [frame(TEXT, '{}', {reserved: 1}), 1002, 'frame'],
		'compressed': [frame(TEXT, Buffer.from('aa', 'hex'), {reserved: 4}), 1002, 'frame'],
		'reserved kind': [frame(3, 'x'), 1002, 'frame'],
		'reserved control': [frame(11, 'x'), 1002, 'frame'],
		'a ping in pieces': [frame(PING, 'x', {fin: false}), 1002, 'frame'],
		'a ping too long': [frame(PING, 'x'.repeat(126)), 1002, 'frame'],
		'more of nothing': [frame(0, 'x'), 1002, 'frame'],
		'a message in a message': [Buffer.concat([frame(TEXT, '{', {fin: false}), frame(TEXT, '}')]), 1002, 'frame'],
		'binary': [frame(BINARY, '{}'), 1003, 'message-kind'],
		'not UTF-8': [frame(TEXT, Buffer.from([0x22, 0xff, 0x22])), 1007, 'utf-8'],
		'a surrogate': [frame(TEXT, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 1007, 'utf-8'],
		'not UTF-8 in the second piece': [Buffer.concat([frame(TEXT, '"', {fin: false}), frame(0, Buffer.from([0xff, 0x22]))]), 1007, 'utf-8'],
		'one byte too long': [frame(TEXT, ' '.repeat(65537)), 1009, 'message-size'],
		'too long in two pieces': [Buffer.concat([frame(TEXT, ' '.repeat(40000), {fin: false}), frame(0, ' '.repeat(25537))]), 1009, 'message-size'],
		'2^63 - 1 bytes': [frame(TEXT, 'x', {length: 0x7fffffffffffffffn}), 1009, 'message-size'],
		'2^64 - 1 bytes': [frame(TEXT, 'x', {length: 0xffffffffffffffffn}), 1009, 'message-size'],
		'a storm of pieces': [storm, 1008, 'fragments'],
		'a close of one byte': [frame(CLOSE, 'x'), 1002, 'frame'],
		'a close with code 999': [code(999), 1002, 'close-code'],
		'a close with code 1005': [code(1005, 'none'), 1002, 'close-code'],
		'a close with code 2999': [code(2999), 1002, 'close-code'],
		'a close with code 5000': [code(5000), 1002, 'close-code'],
		'a flood of pings': [Buffer.concat(Array.from({length: 2000}, () => frame(PING, 'x'.repeat(100)))), 1008, 'controls'],
		'a flood of pongs': [Buffer.concat(Array.from({length: 2000}, () => frame(10, ''))), 1008, 'controls'],
	});
}

for (const secure of [false, true]) {
	test(`frames that break the protocol end their connection alone, with their code, and count${secure ? '; over TLS' : ''}`, async (t) => {
		const server = await Server.start(t, ...(secure ? certified(t) : []));
		await undisturbed(server, async () => {
			for (const [name, [bytes, code, reason]] of Object.entries(brokenFrames())) {
				const before = (await server.drops())[reason] ?? 0;
				for (const pieces of [[hello, bytes], [bytes] /* before `hello` too */, [Buffer.concat([hello, bytes])]]) {
					const got = await provoke(server, ...pieces);
					assert.deepEqual([got.status, got.code], [101, code], `${name}: ${JSON.stringify(got)}`);
				}
				assert.equal((await server.drops())[reason], before + 3, name);
			}
		});
		assert.equal((await server.ask('/healthz')).status, 200);
		assert.equal((await server.stop()).status, 0); /* under ASan: and nothing has leaked */
	});
}

/** @param {{messages: any[]}} got */
const answered = ({messages}) => messages.some(({type}) => ['ok', 'error'].includes(type));

test('right frames in any pieces, pings between them, and every right way to close', async (t) => {
	const server = await Server.start(t);
	for (const size of [1, 2, 3, 7, 64, 1000]) {
		const login = Buffer.from(JSON.stringify({type: 'login', seq: 1, id: 1, name: `Å${size}`}));
		const bytes = Buffer.concat([
			...[frame(PING, ''), hello, frame(10, 'unasked'), frame(TEXT, login.subarray(0, 40), {fin: false}), frame(PING, 'between')],
			...[frame(0, '', {fin: false}), frame(0, login.subarray(40)), frame(PING, 'x'.repeat(125))],
		]);
		const pieces = Array.from({length: Math.ceil(bytes.length / size)}, (_, i) => bytes.subarray(i * size, (i + 1) * size));
		const got = await converse(server, afterHandshake(pieces), answered);
		assert.deepEqual(got.messages.map(({type}) => type), ['welcome', 'ok'], `in pieces of ${size}`);
		assert.equal(got.code, 1000);
	}
	for (const payload of ['', Buffer.from([15, 160]), Buffer.from([3, 243]), Buffer.from([3, 232, ...Buffer.from('bye')])]) {
		assert.equal((await provoke(server, hello, frame(CLOSE, payload))).closed, true);
	}
	assert.deepEqual(await server.drops(), {});
});

/* libwebsockets makes its answer to the handshake in the buffer that has these. */
for (const secure of [false, true]) {
	test(`what a client sends with its handshake is read as what it sends after it${secure ? '; over TLS' : ''}`, async (t) => {
		const server = await Server.start(t, ...(secure ? certified(t) : []));
		for (const spaces of [0, 100, 150, 200, 250, 300, 400, 1000, 5000]) {
			const bytes = Buffer.concat([Buffer.from(handshake()), hello, text(JSON.stringify({type: 'logout', seq: 1, id: 1}) + ' '.repeat(spaces))]);
			const got = await converse(server, (socket) => socket.write(bytes), answered);
			assert.deepEqual(got.messages.map(({code, type}) => code ?? type), ['welcome', 'login-required'], `${spaces} spaces: ${JSON.stringify(got.messages)}`);
		}
		assert.deepEqual(await server.drops(), {});
	});
}

test('messages that are none end the session with their code', async (t) => {
	const server = await Server.start(t);
	const nested = '['.repeat(20) + ']'.repeat(20);
	const cases = {
		'hello-required': ['{"type":"login","seq":1,"id":1,"name":"x"}', '{"type":"ack","ack":0}'],
		'version-mismatch': ['{"type":"hello","version":2}'],
		'bad-json': ['', 'x', '{', '{"type":"hello","version":1}}', '{"type":"hello","type":"hello","version":1}', "{'type':'hello'}", '{"type":"hello","version":1,"x":"\\u0000"}', `{"type":"hello","version":${nested}}`],
		'bad-message': ['{}', '[]', '{"type":1}'],
		'bad-field': ['{"type":"hello"}', '{"type":"hello","version":"1"}', '{"type":"hello","version":1,"__proto__":{}}', '{"type":"hello","version":1,"resume":{}}', '{"type":"hello","version":1,"resume":null}'],
		'bad-number': ['{"type":"hello","version":1e999}', '{"type":"hello","version":9007199254740993}'],
		'unknown-type': ['{"type":"welcome"}', '{"type":"constructor"}'],
	};
	await undisturbed(server, async () => {
		for (const [code, messages] of Object.entries(cases)) {
			for (const message of messages.filter((each) => each !== '')) {
				assert.equal((await provoke(server, text(message))).bye, code, message);
			}
		}
		const after = {
			'bad-json': ['x', '{"type":"login","seq":1,"id":1,"id":2,"name":"x"}'],
			'bad-sequence': ['{"type":"login","id":1,"name":"x"}', '{"type":"login","seq":2,"id":1,"name":"x"}', '{"type":"login","seq":0,"id":1,"name":"x"}', '{"type":"login","seq":1.5,"id":1,"name":"x"}', '{"type":"ack","ack":1}', '{"type":"ack","ack":9007199254740991}', '{"type":"login","seq":1,"ack":5,"id":1,"name":"x"}'],
			'hello-required': ['{"type":"hello","version":1}'],
			'bad-field': ['{"type":"ack"}', '{"type":"ack","ack":-1}'],
		};
		for (const [code, messages] of Object.entries(after)) {
			for (const message of messages) {
				assert.equal((await provoke(server, hello, text(message))).bye, code, message);
			}
		}
	});
	const {body} = await server.ask('/metrics');
	assert.match(body, /portlight_rooms_sessions_ended_total\{code="bad-sequence"\} 7\b/);
});

test('requests that are wrong are answered, and the session goes on', async (t) => {
	const server = await Server.start(t, '--open=yes');
	const wrong = {
		'bad-field': [{type: 'login', name: 7}, {type: 'login'}, {type: 'login', name: 'x', extra: 1}, {type: 'login', name: 'x', ['__proto__x']: 1},
			{type: 'offer', to: 'Ada', call: 'c', sdp: 'x', from: 'Bob'}, {type: 'join', room: 'r', nickname: 'N', kind: 'camera', role: 'moderator'},
			{type: 'send', room: 'r', body: 1, to: [-1]}, {type: 'send', room: 'r', body: 1, as: 'x'}, {type: 'join', room: 'r', nickname: 'N', kind: 'toString'}],
		'too-large': [{type: 'offer', to: 'Ada', call: 'c', sdp: 'x'.repeat(32769)}, {type: 'candidate', to: 'Ada', call: 'c', candidate: {x: 'x'.repeat(4096)}},
			{type: 'login', name: 'x'.repeat(2000)}, {type: 'join', room: 'r', nickname: 'N', kind: 'camera', data: {x: 'x'.repeat(2048)}}],
		'unknown-type': [{type: 'shutdown'}, {type: 'hasOwnProperty'}],
		'bad-name': [{type: 'login', name: 'a\u0007'}, {type: 'login', name: '\u202eadA'}, {type: 'join', room: '../r', nickname: 'N', kind: 'camera'}],
		'taken': [{type: 'login', name: 'ada'}, {type: 'login', name: 'A\u200dda'}, {type: 'login', name: '\uff21da'}],
		'login-required': [{type: 'close', to: 'Ada', call: 'friends'}],
		'not-member': [{type: 'kick', room: 'r', connection: 1}, {type: 'send', room: 'r', body: 1}, {type: 'leave', room: 'r'}],
		'bad-token': [{type: 'join', room: 'r', nickname: 'N', kind: 'camera', token: 'AAAA.AAAA'}],
	};
	await undisturbed(server, async () => {
		const eve = await SocketClient.open(server);
		for (const [code, requests] of Object.entries(wrong)) {
			for (const {type, ...fields} of requests) {
				const answer = await eve.request(type, fields);
				assert.equal(answer.code, code, JSON.stringify({type, ...fields}).slice(0, 200));
				assert.ok(answer.message && answer.remedy);
			}
		}
		assert.equal((await eve.request('login', {name: 'Eve'})).type, 'ok');
		/* Somebody else's call is not hers, whatever it is called. */
		assert.equal((await eve.request('close', {to: 'Ada', call: 'friends'})).code, 'no-call');
		assert.equal((await eve.request('candidate', {to: 'Bob', call: 'friends', candidate: null})).code, 'no-call');
		assert.equal((await eve.request('offer', {to: 'Eve', call: 'c', sdp: 'x'})).code, 'self');
		eve.socket.close();
	});
	assert.equal((await server.stop()).status, 0);
});

test("another's session, room, role or connection can not be had", async (t) => {
	const server = await Server.start(t, '--open=yes');
	const ada = await SocketClient.open(server);
	const eve = await SocketClient.open(server);
	const {connection} = await ada.request('join', {room: 'r', nickname: 'Ada', kind: 'camera'});
	const joined = await eve.request('join', {room: 'r', nickname: 'Eve', kind: 'camera'});
	assert.equal(joined.role, 'publisher');
	await ada.next('joined');
	for (const [type, fields] of /** @type {[string, object][]} */ ([
		['send', {body: 1}], ['publish', {stream: 's', audio: true, video: true}], ['unpublish', {stream: 's'}],
		['kick', {connection: joined.connection}], ['lock', {locked: true}]])) {
		assert.equal((await eve.request(type, {room: 'r', as: connection, ...fields})).code, 'not-member', type);
	}
	for (const [type, fields] of /** @type {[string, object][]} */ ([
		['kick', {connection}], ['mute', {connection}], ['stop', {connection, stream: 's'}], ['lock', {locked: true}], ['admit', {knock: 1, allowed: true}]])) {
		assert.equal((await eve.request(type, {room: 'r', ...fields})).code, 'forbidden', type);
	}
	for (const resume of [
		{...ada.resume, secret: eve.welcome.secret}, {...ada.resume, secret: ''.padEnd(22, 'A')}, {...ada.resume, secret: `${ada.welcome.secret}A`}, {...eve.resume, session: ada.welcome.session}]) {
		const thief = new SocketClient(server);
		await thief.connect(resume);
		assert.equal(thief.welcome.resumed, false);
		assert.notEqual(thief.welcome.session, ada.welcome.session);
		thief.socket.close();
	}
	/* Nothing of it reached her, and she is still there. */
	assert.deepEqual(ada.events, []);
	assert.equal((await ada.request('lock', {room: 'r', locked: true})).type, 'ok');
	await eve.next('locked');
});

test('a message again and again counts once', async (t) => {
	const server = await Server.start(t);
	const eve = await SocketClient.open(server);
	assert.equal((await eve.request('login', {name: 'Eve'})).type, 'ok');
	assert.equal((await eve.request('logout')).type, 'ok');
	for (let i = 0; i < 3; i++) {
		eve.write({type: 'login', seq: 1, id: 1, name: 'Eve'});
	}
	assert.equal((await eve.request('logout')).code, 'login-required');
	assert.deepEqual(eve.events, []);
	assert.equal(await server.metric('messages_duplicate_total'), 3);
});

test('floods are refused, and cost nobody else a message', async (t) => {
	const server = await Server.start(t, '--open=yes');
	await undisturbed(server, async () => {
		const eve = await SocketClient.open(server);
		await eve.request('login', {name: 'Eve'});
		await eve.request('offer', {to: 'Bob', call: 'flood', sdp: 'v=0'});
		const answers = await Promise.all(Array.from({length: 300}, () => eve.request('candidate', {to: 'Bob', call: 'flood', candidate: null})));
		const refusals = answers.filter(({code}) => code === 'too-many-requests');
		assert.ok(refusals.length > 0 && refusals.length < 110, `${refusals.length} refused`);
		assert.ok(refusals.every(({retryMs}) => retryMs > 0));
		eve.socket.close();
		/* More than is refused. */
		const flood = Array.from({length: 5000}, (_, i) => say({type: 'logout', seq: i + 1, id: i + 1}));
		await provoke(server, hello, Buffer.concat(flood));
	});
	/* `bye` can be lost with what of the flood nobody read; the count can't. */
	assert.match((await server.ask('/metrics')).body, /sessions_ended_total\{code="too-many-requests"\} 1\b/);
});

test('bytes that are no HTTP, and HTTP that is out of bounds: answered, closed and counted', async (t) => {
	const end = 'Host: localhost\r\nConnection: close\r\n\r\n';
	/** @type {Record<string, [string | Buffer, RegExp, string?]>} */
	const cases = {
		'empty lines': ['\r\n'.repeat(5000), /^$/, 'request'],
		'HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 505 [^]*speaks HTTP\/1\.1/, 'request'],
		'TLS': [Buffer.from('160301020001000201fc0303', 'hex'), /^HTTP\/1\.1 400 [^]*no request/, 'request'],
		'noise': [Buffer.concat([Buffer.from([0x80]), randomBytes(16384)]), /^HTTP\/1\.1 400 /, 'request'],
		'an unknown method': [`BREW / HTTP/1.1\r\n${end}`, /^HTTP\/1\.1 501 [^]*There are GET, HEAD/, 'request'],
		'CONNECT': [`CONNECT example.org:443 HTTP/1.1\r\n${end}`, /^HTTP\/1\.1 501 /, 'request'],
		'a method without an end': ['G'.repeat(9000), /^HTTP\/1\.1 501 /, 'request'],
		'a small method': [`get / HTTP/1.1\r\n${end}`, /^HTTP\/1\.1 400 /, 'request'],
		'a long path': [`GET /${'x'.repeat(9000)} HTTP/1.1\r\n${end}`, /^HTTP\/1\.1 431 [^]*at most 8192/, 'headers'],
		'a long header': [`GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n${end}`, /^HTTP\/1\.1 431 /, 'headers'],
		'many headers': [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(3000)}${end}`, /^$/, 'request'],
		'a megabyte of headers': [`GET / HTTP/1.1\r\nX: ${'x'.repeat(1 << 20)}`, /^(HTTP\/1\.1 431 [^]*)?$/, 'headers'],
		'a negative length': [`GET / HTTP/1.1\r\nContent-Length: -1\r\n${end}`, /^HTTP\/1\.1 413 /, 'body'],
		'a length that is no number': [`POST /v1/messages HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n${end}`, /^HTTP\/1\.1 413 /, 'body'],
		'a long body': [`POST /v1/tickets HTTP/1.1\r\nContent-Length: 65537\r\n${end}`, /^HTTP\/1\.1 413 /, 'body'],
		'another URL': [`GET http://localhost/ HTTP/1.1\r\n${end}`, /^HTTP\/1\.0 403 /, 'request'],
		'a path out of it': [`GET /../../../etc/passwd HTTP/1.1\r\n${end}`, /^HTTP\/1\.[01] 4\d\d /],
		'a hidden path out of it': [`GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${end}`, /^HTTP\/1\.[01] 4\d\d /],
		'two hosts': [`GET / HTTP/1.1\r\nHost: elsewhere.example\r\n${end}`, /^HTTP\/1\.1 421 /],
	};
	for (const secure of [false, true]) {
		const server = await Server.start(t, ...(secure ? certified(t) : []));
		// libwebsockets 4.1 takes it for /, 4.3 closes.
		assert.match(await server.raw(`GET /%00 HTTP/1.1\r\n${end}`), /^(HTTP\/1\.1 302 [^]*)?$/);
		await undisturbed(server, async () => {
			for (const [name, [bytes, expected, reason]] of Object.entries(cases)) {
				const before = await server.drops();
				const answer = await server.raw(bytes);
				assert.match(answer, expected, `${name}: ${answer}`);
				assert.doesNotMatch(answer, /root:/);
				/* Two friends, and who asks. */
				while ((await server.metric('connections')) > 3) {
					await sleep(10);
				}
				assert.deepEqual(await server.drops(), reason ? {...before, [reason]: (before[reason] ?? 0) + 1} : before, name);
			}
		});
		assert.equal((await server.stop()).status, 0);
	}
});

test('what is no TLS is closed and counted', async (t) => {
	const server = await Server.start(t, ...certified(t));
	await undisturbed(server, async () => {
		for (const bytes of ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', randomBytes(4096), Buffer.from('16030100010e', 'hex')]) {
			const before = (await server.drops()).tls ?? 0;
			await new Promise((resolve) => {
				const socket = createConnection(server.port, '127.0.0.1', () => socket.end(bytes));
				socket.resume();
				socket.on('error', () => {});
				socket.on('close', resolve);
			});
			while (((await server.drops()).tls ?? 0) === before) {
				await sleep(10);
			}
			assert.equal((await server.drops()).tls, before + 1);
		}
	});
});

test('requests on a stream of events are not heard', async (t) => {
	const server = await Server.start(t);
	const tickets = await Promise.all([0, 1].map(() => server.ask('/v1/tickets', {method: 'POST', body: '{"type":"hello","version":1}'})));
	const asking = tickets.map(({json}) => `GET /v1/events?ticket=${json.ticket} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
	let got = '';
	const socket = createConnection(server.port, '127.0.0.1', () => socket.write(asking[0]));
	const came = (/** @type {RegExp} */ text) => new Promise((resolve) => socket.on('data', () => text.test(got) && resolve(undefined)));
	socket.on('data', (piece) => (got += piece));
	await came(/"welcome"/);
	socket.write(asking[1] + 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
	const [, session, secret] = /"session":"(.+?)","secret":"(.+?)"/.exec(got) ?? [];
	const answered = came(/"login-required"/);
	await server.ask('/v1/messages', {method: 'POST', headers: {authorization: `Bearer ${session}.${secret}`}, body: '{"type":"logout","seq":1,"id":1}'});
	await answered;
	assert.equal(got.match(/HTTP\/1\.1/g)?.length, 1);
	assert.equal(got.match(/"welcome"/g)?.length, 1);
	socket.destroy();
	assert.equal((await server.stop()).status, 0);
});
