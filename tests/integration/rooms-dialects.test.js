/** Clients of other applications, by their own words, on real sockets: `--dialect=lesson` and `--dialect=sse`. */
import assert from 'node:assert/strict';
import {EventEmitter, once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {join} from 'node:path';
import {test} from 'node:test';
import WebSocket from 'ws';
import {EventsClient, folderOf, run, Server, SocketClient, subprotocol} from './rooming.js';

/** @param {object | string} message */
const textOf = (message) => (typeof message === 'string' ? message : JSON.stringify(message));

/** What comes, as text, in its order. */
class Heard {
	/** @type {string[]} */
	#texts = [];
	#heard = new EventEmitter();

	/** @param {string} text */
	take(text) {
		this.#texts.push(text);
		this.#heard.emit('text');
	}

	/** @returns {Promise<string>} */
	async next() {
		while (this.#texts.length === 0) {
			await once(this.#heard, 'text');
		}
		return /** @type {string} */ (this.#texts.shift());
	}
}

/** Talks as the lesson's client does. */
class Pupil extends Heard {
	/** @param {Server} server @param {object} [options] of ws @param {string} [url] */
	static async open(server, options = {}, url = server.url) {
		const pupil = new Pupil();
		pupil.socket = new WebSocket(url.replace(/^http/, 'ws'), options);
		server.clients.push(/** @type {any} */ (pupil));
		pupil.closed = new Promise((resolve) => pupil.socket.on('close', (code) => resolve(code)));
		pupil.socket.on('error', () => {});
		pupil.socket.on('message', (data) => pupil.take(`${data}`));
		await once(pupil.socket, 'open');
		return pupil;
	}

	/** One who is logged in. @param {Server} server @param {string} username @param {object} [options] */
	static async named(server, username, options) {
		const pupil = await Pupil.open(server, options);
		pupil.say({type: 'login', username});
		assert.equal(await pupil.next(), '{"type":"login","success":true}');
		return pupil;
	}

	/** @param {object | string} message */
	say(message) {
		this.socket.send(textOf(message));
	}

	/** All that came before is known: what is asked last is answered last. */
	async silent() {
		this.say({type: 'login', username: ''});
		assert.equal(await this.next(), '{"type":"login","success":false}');
	}
}

const lesson = ['--dialect=lesson', '--dialect-listen=127.0.0.1:0'];
const offer = {type: 'offer', sdp: 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n'};
const answer = {type: 'answer', sdp: 'v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\n'};
const candidate = {candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'x'};
const offered = (/** @type {string} */ username) => JSON.stringify({type: 'offer', offer, username});

/** Two in a call. @param {Server} server @param {object} [options] of the called one's socket */
async function calling(server, options) {
	const ann = await Pupil.named(server, 'ann');
	const bob = await Pupil.named(server, 'bob', options);
	ann.say({type: 'offer', otherUsername: 'bob', offer});
	assert.equal(await bob.next(), offered('ann'));
	bob.say({type: 'answer', answer});
	assert.equal(await ann.next(), JSON.stringify({type: 'answer', answer}));
	return {ann, bob};
}

test('lesson: a call, word for word; who is meant is said once', async (t) => {
	const server = await Server.start(t, ...lesson);
	const listening = () => server.log.filter(({event}) => event === 'listening');
	while (listening().length < 2) {
		await once(server.heard, 'line');
	}
	const second = listening()[1].at;
	assert.notEqual(second, server.url);
	const ann = await Pupil.open(server, {}, second);
	ann.say({type: 'login', username: 'ann'});
	assert.equal(await ann.next(), '{"type":"login","success":true}');
	const bob = await Pupil.named(server, 'Bob');
	ann.say({type: 'offer', otherUsername: 'bob', offer});
	ann.say({type: 'candidate', candidate});
	assert.equal(await bob.next(), offered('ann'));
	assert.equal(await bob.next(), JSON.stringify({type: 'candidate', candidate}));
	bob.say({type: 'answer', answer});
	bob.say({type: 'candidate', candidate});
	assert.equal(await ann.next(), JSON.stringify({type: 'answer', answer}));
	assert.equal(await ann.next(), JSON.stringify({type: 'candidate', candidate}));
	// Once more in the same call, then its end, which the other side hears alone.
	ann.say({type: 'offer', offer});
	assert.equal(await bob.next(), offered('ann'));
	bob.say({type: 'close'});
	assert.equal(await ann.next(), '{"type":"close"}');
	await Promise.all([ann.silent(), bob.silent()]);
	// The other way round, with everybody named in every message.
	bob.say({type: 'offer', otherUsername: 'ann', offer});
	assert.equal(await ann.next(), offered('Bob'));
	ann.say({type: 'answer', otherUsername: 'Bob', answer});
	assert.equal(await bob.next(), JSON.stringify({type: 'answer', answer}));
	assert.equal(await server.metric('calls'), 1);
});

test('lesson: names that may not be, are taken or no text, and a second one: success is false', async (t) => {
	const server = await Server.start(t, ...lesson);
	await Pupil.named(server, 'ann');
	const pupil = await Pupil.open(server);
	for (const username of ['ann', 'ANN', '', ' ', 'x'.repeat(33), 'x'.repeat(2000), 'admin', '\u202eann', 5, null, {}, ['bob'], undefined]) {
		pupil.say({type: 'login', username});
		assert.equal(await pupil.next(), '{"type":"login","success":false}', `${username}`);
	}
	pupil.say({type: 'login', username: 'bob'});
	assert.equal(await pupil.next(), '{"type":"login","success":true}');
	pupil.say({type: 'login', username: 'bert'});
	assert.equal(await pupil.next(), '{"type":"login","success":false}');
	pupil.socket.close();
	await pupil.closed;
	await Pupil.named(server, 'bob');
});

test('lesson: what its own server does not survive is nothing', async (t) => {
	const server = await Server.start(t, ...lesson);
	const ann = await Pupil.open(server);
	// Before a login, before a call, to nobody, to oneself.
	for (const otherUsername of [undefined, 'bob', 'ann', '', 'x'.repeat(65), 'x'.repeat(5000)]) {
		for (const message of [{type: 'close'}, {type: 'offer', offer}, {type: 'answer', answer}, {type: 'candidate', candidate}]) {
			ann.say({...message, otherUsername});
		}
	}
	await ann.silent();
	ann.say({type: 'login', username: 'ann'});
	assert.equal(await ann.next(), '{"type":"login","success":true}');
	for (const otherUsername of [undefined, 'bob', 'ann', '', 'x'.repeat(65), '__proto__', 'toString']) {
		for (const message of [{type: 'close'}, {type: 'offer', offer}, {type: 'answer', answer}, {type: 'candidate', candidate}]) {
			ann.say({...message, otherUsername});
		}
	}
	await ann.silent();
	const bob = await Pupil.named(server, 'bob');
	// Closed, and closed again, by either side; an answer to a call that is over.
	ann.say({type: 'offer', otherUsername: 'bob', offer});
	assert.equal(await bob.next(), offered('ann'));
	ann.say({type: 'close'});
	ann.say({type: 'close'});
	assert.equal(await bob.next(), '{"type":"close"}');
	bob.say({type: 'close'});
	bob.say({type: 'answer', otherUsername: 'ann', answer});
	await Promise.all([ann.silent(), bob.silent()]);
});

/** Each is nothing that a dialect knows. */
const nonsense = [
	'', ' ', '{', 'null', '5', '"login"', '[]', '[{"type":"close"}]', 'nonsense',
	'{}', '{"type":5}', '{"type":null}', '{"type":""}', '{"type":"hello","version":1}', '{"type":"join","room":"sse"}', '{"type":"ok","id":1}', '{"type":"error"}',
	'{"type":"offer","type":"offer"}', '{"type":"close","__proto__":{}}', '{"type":"close","n":1e400}', '{"type":"close","n":9007199254740993}', '{"type":"\\u0000"}',
	`{"type":"close","deep":${'['.repeat(20)}${']'.repeat(20)}}`,
];

/** Errors so far. @param {Server} server @param {string} code */
async function counted(server, code) {
	const {body} = await server.ask('/metrics');
	return Number(body.match(new RegExp(`^portlight_rooms_errors_total\\{code="${code}"\\} (\\d+)$`, 'm'))?.[1] ?? 0);
}

test('lesson: bad input is nothing, is counted, and the call goes on', async (t) => {
	const server = await Server.start(t, ...lesson);
	const {ann, bob} = await calling(server);
	const bad = [
		...nonsense,
		{type: 'offer'}, {type: 'offer', offer: 'v=0'}, {type: 'offer', offer: {type: 'offer'}}, {type: 'offer', offer: {sdp: 5}}, {type: 'offer', offer: null}, {type: 'offer', offer: ['v=0']},
		{type: 'answer'}, {type: 'answer', answer: {sdp: {}}},
		{type: 'candidate'}, {type: 'candidate', candidate: null}, {type: 'candidate', candidate: 'x'}, {type: 'candidate', candidate: 5}, {type: 'candidate', candidate: []},
		{type: 'candidate', candidate, otherUsername: 5}, {type: 'candidate', candidate, otherUsername: {}}, {type: 'close', otherUsername: ['bob']},
		{type: 'offer', offer: {type: 'offer', sdp: 'x'.repeat(32769)}}, {type: 'candidate', candidate: {candidate: 'x'.repeat(4096)}},
		// Longer in our words than in theirs, and as long as a message may be.
		`{"type":"offer","offer":{"type":"offer","sdp":"${'\\b'.repeat(30000)}"}}`,
		{type: 'offer', offer: {sdp: 'x'.repeat(65490)}},
	];
	for (const message of bad) {
		ann.say(message);
	}
	await ann.silent();
	await bob.silent();
	for (const code of ['bad-json', 'bad-message', 'unknown-type', 'bad-field', 'bad-number', 'too-large']) {
		assert(await counted(server, code) > 0, code);
	}
	bob.say({type: 'candidate', candidate});
	assert.equal(await ann.next(), JSON.stringify({type: 'candidate', candidate}));
});

test('lesson: a message that is too long, no text, or one of too many ends its sender alone', async (t) => {
	const server = await Server.start(t, ...lesson);
	const {ann, bob} = await calling(server);
	const long = await Pupil.open(server);
	long.say(JSON.stringify({type: 'login', username: 'x'.repeat(65536)}));
	assert.equal(await long.closed, 1009);
	const binary = await Pupil.open(server);
	binary.socket.send(Buffer.from('{"type":"login","username":"x"}'));
	assert.equal(await binary.closed, 1003);
	const flood = await Pupil.open(server);
	for (let i = 0; i < 400; i++) {
		flood.say('nonsense');
	}
	assert.equal(await flood.closed, 4000);
	ann.say({type: 'candidate', candidate});
	assert.equal(await bob.next(), JSON.stringify({type: 'candidate', candidate}));
});

test('lesson: who closes the page, or answers no ping, has closed the call', async (t) => {
	const server = await Server.start(t, ...lesson, '--ping-ms=200');
	const {ann, bob} = await calling(server);
	ann.socket.terminate();
	assert.equal(await bob.next(), '{"type":"close"}');
	const mute = await Pupil.named(server, 'mute', {autoPong: false});
	mute.say({type: 'offer', otherUsername: 'bob', offer});
	assert.equal(await bob.next(), offered('mute'));
	assert.equal(await bob.next(), '{"type":"close"}');
	assert.equal(await mute.closed, 1006);
	// Who answers pings and says nothing stays.
	assert.equal(bob.socket.readyState, WebSocket.OPEN);
	await Pupil.named(server, 'mute');
});

test('lesson: of whom a candidate or a close is, can not be said: a third one’s is not told', async (t) => {
	const server = await Server.start(t, ...lesson);
	const {ann, bob} = await calling(server);
	const third = await Pupil.named(server, 'third');
	third.say({type: 'offer', otherUsername: 'bob', offer});
	assert.equal(await bob.next(), offered('third'));
	ann.say({type: 'candidate', candidate});
	ann.say({type: 'close'});
	await ann.silent();
	await bob.silent();
	third.say({type: 'candidate', candidate});
	third.say({type: 'close'});
	assert.equal(await bob.next(), JSON.stringify({type: 'candidate', candidate}));
	assert.equal(await bob.next(), '{"type":"close"}');
});

test('lesson: a call with a client of ours, from either side', async (t) => {
	const server = await Server.start(t, ...lesson);
	const pupil = await Pupil.named(server, 'pupil');
	const own = await SocketClient.open(server);
	await own.request('login', {name: 'own'});
	pupil.say({type: 'offer', otherUsername: 'own', offer});
	const {from, call, sdp} = await own.next('offer');
	assert.deepEqual([from, sdp], ['pupil', offer.sdp]);
	assert.equal((await own.request('answer', {to: 'pupil', call, sdp: answer.sdp})).type, 'ok');
	assert.equal((await own.request('candidate', {to: 'pupil', call, candidate: null})).type, 'ok');
	assert.equal(await pupil.next(), JSON.stringify({type: 'answer', answer}));
	pupil.say({type: 'close'});
	assert.equal((await own.next('close')).reason, 'closed');
	await own.request('offer', {to: 'pupil', call: 'of-ours', sdp: offer.sdp});
	assert.equal(await pupil.next(), offered('own'));
	pupil.say({type: 'answer', answer});
	assert.deepEqual((({call: id, sdp: text}) => [id, text])(await own.next('answer')), ['of-ours', answer.sdp]);
	// Who is away for a while is nothing that the lesson knows.
	await own.drop();
	await own.connect(own.resume);
	await pupil.silent();
	await own.request('logout');
	assert.equal(await pupil.next(), '{"type":"close"}');
});

test('lesson: who may connect, and what is refused', async (t) => {
	const server = await Server.start(t, ...lesson);
	/** @param {Server} of @param {string} path @param {string[]} protocols @param {object} [options] */
	const refused = (of, path, protocols, options) => new Promise((resolve) => {
		const socket = new WebSocket(of.url.replace(/^http/, 'ws') + path, protocols, options);
		socket.on('unexpected-response', (_, {statusCode}) => {
			resolve(statusCode);
			socket.terminate();
		});
		socket.on('open', () => {
			resolve('open');
			socket.terminate();
		});
		socket.on('error', () => {});
	});
	assert.equal(await refused(server, '', [], {origin: 'https://elsewhere.example'}), 403);
	assert.equal(await refused(server, '', [], {headers: {host: 'elsewhere.example'}}), 421);
	assert.equal(await refused(server, '', [], {origin: server.url.slice(0, -1)}), 'open');
	assert.equal(await refused(server, '', [subprotocol]), 404);
	assert.equal(await refused(server, 'v1/socket', []), 400);
	const plain = await Server.start(t);
	assert.equal(await refused(plain, '', []), 404);
	assert.equal((await plain.ask('/stream')).status, 404);
	assert.equal((await plain.ask('/', {method: 'POST', body: '{}'})).status, 405);
});

test('lesson: the server ends, and says so by closing', async (t) => {
	const server = await Server.start(t, ...lesson);
	const {ann} = await calling(server);
	const [{status}] = await Promise.all([server.stop(), ann.closed.then((code) => assert.equal(code, 4000))]);
	assert.equal(status, 0);
});

/** Talks as the demo of Server-Sent Events does. */
class Streamer extends Heard {
	/** @param {Server} server @param {string} [cookie] @param {object} [headers] */
	static async open(server, cookie, headers = {}) {
		const streamer = new Streamer();
		streamer.server = server;
		const asked = request(new URL('/stream', server.url), {agent: false, headers: {...(cookie ? {cookie} : {}), ...headers}});
		asked.on('error', () => {});
		asked.end();
		const [response] = await once(asked, 'response');
		streamer.asked = asked;
		streamer.status = response.statusCode;
		streamer.type = response.headers['content-type'];
		streamer.given = response.headers['set-cookie']?.[0];
		streamer.cookie = streamer.given?.split(';')[0] ?? cookie;
		streamer.closed = new Promise((resolve) => response.on('close', resolve));
		/** @type {(value?: any) => void} */
		let identified = () => {};
		streamer.identified = new Promise((resolve) => (identified = resolve));
		let text = '';
		response.on('error', () => {});
		response.setEncoding('utf8').on('data', (piece) => {
			const whole = (text + piece).split('\n\n');
			text = whole.pop() ?? '';
			whole.filter((event) => event.startsWith('data: ')).forEach((event) => streamer.take(event.slice(6)));
			streamer.id ??= whole.find((event) => event.startsWith('id: '))?.slice(4);
			if (streamer.id) {
				identified();
			}
		});
		return streamer;
	}

	/** @param {object | string} message @param {object} [headers] */
	post(message, headers = {}) {
		return this.server.ask('/', {method: 'POST', headers: {cookie: this.cookie, 'content-type': 'application/json', ...headers}, body: textOf(message)});
	}

	async drop() {
		this.asked.destroy();
		await this.closed;
	}
}

test('sse: what one posts all others hear, word for word', async (t) => {
	const server = await Server.start(t, '--dialect=sse', '--ping-ms=100');
	const one = await Streamer.open(server);
	assert.deepEqual([one.status, one.type], [200, 'text/event-stream']);
	assert.match(one.given, /^portlight-stream=[\w-]{22}\.[\w-]{22}; Path=\/; HttpOnly; SameSite=Strict$/);
	const others = [await Streamer.open(server), await Streamer.open(server)];
	const said = [
		offer, answer,
		{type: 'candidate', label: 0, id: '0', candidate: candidate.candidate},
		{type: 'candidate', id: 'audio', candidate: ''},
		{type: 'candidate', candidate: 'x'},
	];
	for (const message of said) {
		const {status, body} = await one.post(message);
		assert.deepEqual([status, body], [204, '']);
		for (const other of others) {
			assert.equal(await other.next(), JSON.stringify(message));
		}
	}
	// Comments keep the stream alive; what one said oneself does not come back.
	await others[0].post(offer);
	assert.equal(await one.next(), JSON.stringify(offer));
});

test('sse: a stream that breaks goes on, and what was said meanwhile comes', async (t) => {
	const server = await Server.start(t, '--dialect=sse', '--grace-ms=1000');
	const one = await Streamer.open(server);
	const other = await Streamer.open(server);
	await other.identified;
	await other.drop();
	while (await server.metric('sessions_waiting') !== 1) {
		await server.ask('/healthz');
	}
	await one.post(offer);
	// Reloaded, it is another page, to which that was not said.
	const loaded = await Streamer.open(server, other.cookie);
	assert.notEqual(loaded.cookie, other.cookie);
	const again = await Streamer.open(server, other.cookie, {'last-event-id': other.id});
	assert.equal(again.given, undefined);
	assert.equal(await again.next(), JSON.stringify(offer));
	assert.equal(await server.metric('sessions_resumed_total'), 1);
	// Another tab has a session of its own while the first one's stream stands.
	const tab = await Streamer.open(server, other.cookie, {'last-event-id': other.id});
	assert.notEqual(tab.cookie, other.cookie);
	await one.post(answer);
	assert.equal(await tab.next(), JSON.stringify(answer));
	assert.equal(await loaded.next(), JSON.stringify(answer));
	assert.equal(await again.next(), JSON.stringify(answer));
	// After the grace it is nobody's.
	await again.drop();
	while (await server.metric('sessions') !== 3) {
		await server.ask('/healthz');
	}
	assert.equal((await again.post(offer)).status, 401);
	assert.notEqual((await Streamer.open(server, other.cookie, {'last-event-id': other.id})).cookie, other.cookie);
});

test('sse: bad input is refused with its error, and others hear nothing of it', async (t) => {
	const server = await Server.start(t, '--dialect=sse');
	const one = await Streamer.open(server);
	const other = await Streamer.open(server);
	const bad = [
		...nonsense.filter((text) => text !== ''),
		{type: 'offer'}, {type: 'offer', sdp: 5}, {type: 'answer', sdp: null}, {type: 'offer', offer},
		{type: 'candidate'}, {type: 'candidate', candidate: {}}, {type: 'candidate', candidate: 'x', label: '0'}, {type: 'candidate', candidate: 'x', label: 0.5}, {type: 'candidate', candidate: 'x', id: 0},
		{type: 'offer', sdp: 'x'.repeat(32769)}, `{"type":"offer","sdp":"${'\\b'.repeat(30000)}"}`, {type: 'close'}, {type: 'login', username: 'x'},
	];
	for (const message of bad) {
		const {status, json} = await one.post(message);
		assert.equal(status, 400, textOf(message).slice(0, 80));
		assert(json.code && json.message && json.remedy, JSON.stringify(json));
	}
	assert.equal((await one.post({type: 'offer', sdp: 'x'.repeat(65536)})).status, 413);
	assert.equal((await one.post(offer, {cookie: ''})).status, 401);
	assert.equal((await one.post(offer, {cookie: `${one.cookie?.slice(0, -1)}${one.cookie?.endsWith('A') ? 'B' : 'A'}`})).status, 401);
	assert.equal((await one.post(offer, {cookie: 'portlight-stream=.'})).status, 401);
	// A session of our protocol is none of theirs, nor the other way round.
	const own = await EventsClient.open(server);
	assert.equal((await one.post(offer, {cookie: `portlight-stream=${own.resume.session}.${own.resume.secret}`})).status, 401);
	const [session, secret] = /** @type {string} */ (one.cookie).slice('portlight-stream='.length).split('.');
	const taking = await EventsClient.open(server, {session, secret, received: 0});
	assert.equal(taking.welcome.resumed, false);
	await Promise.all([own.drop(), taking.drop()]);
	assert.equal((await one.post(offer, {origin: 'https://elsewhere.example'})).status, 403);
	assert.equal((await Streamer.open(server, undefined, {origin: 'https://elsewhere.example'})).status, 403);
	assert.equal((await one.post(offer, {cookie: `a=b; ${one.cookie}`, origin: server.url.slice(0, -1)})).status, 204);
	assert.equal(await other.next(), JSON.stringify(offer));
});

test('sse: too many messages are refused; others go on', async (t) => {
	const server = await Server.start(t, '--dialect=sse', '--messages-per-second=1');
	const one = await Streamer.open(server);
	const other = await Streamer.open(server);
	let code;
	do {
		({code} = (await one.post(offer)).json ?? {});
	} while (code === undefined);
	assert.equal(code, 'too-many-requests');
	await other.post(answer);
	assert.equal(await one.next(), JSON.stringify(answer));
	// What is nothing at all ends the session in the end.
	let last;
	do {
		last = await one.post('nonsense');
	} while (last.status === 400 && last.json.code === 'bad-json');
	assert.equal(last.json.code, 'too-many-requests');
	assert.equal((await one.post(offer)).status, 401);
	await one.closed;
});

test('both at once; a mistake in their settings is named', async (t) => {
	const server = await Server.start(t, '--dialect=lesson;sse', '--dialect-listen=127.0.0.1:0');
	await Pupil.named(server, 'ann');
	assert.equal((await Streamer.open(server)).status, 200);
	const file = join(folderOf(t), 'rooms.conf');
	/** @param {string} lines */
	const check = (lines) => {
		writeFileSync(file, `[server]\n${lines}`);
		return run('--config', file, '--check-config');
	};
	for (const [lines, line, what] of [
		['dialect=lessons\n', 2, 'There is no dialect "lessons".'],
		['dialect=sse\ndialect-listen=127.0.0.1:9\n', 3, 'Nobody speaks'],
		['dialect=lesson\ndialect-listen=0.0.0.0:8080\n', 3, 'for this machine alone'],
		['dialect=lesson\ndialect-listen=8080\n', 3, 'has no port'],
		['dialect=lesson\nlisten=unix:/run/x\nhosts=a.example\n', 2, 'have no token'],
		['dialect=sse\nlisten=0.0.0.0:80\nhosts=a.example\ntrust-proxy=10.0.0.0/8\nopen=no\n', 2, 'have no token'],
	]) {
		const {status, stderr} = check(/** @type {string} */ (lines));
		assert.equal(status, 2, `${lines}`);
		assert(stderr.startsWith(`${file}:${line}: `) && stderr.includes(`${what}`) && stderr.split('\n')[1].startsWith('  '), stderr);
	}
	assert.equal(check('dialect=lesson;sse\nlisten=unix:/run/x\nhosts=a.example\nopen=public\n').status, 0);
	// The port of its own is taken: said with what to do.
	const taken = run('--listen=127.0.0.1:0', '--dialect=lesson', `--dialect-listen=127.0.0.1:${server.port}`);
	assert.equal(taken.status, 1);
	assert.match(taken.stderr, /can't listen at 127.0.0.1:\d+.*\n.*--dialect-listen/);
});
