/** The rooms' server with real clients on real sockets: calls, rooms, resume, both carriers. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {EventsClient, Server, SocketClient} from './rooming.js';

/** @param {any} answer */
const ok = (answer) => assert.equal(answer.type, 'ok', JSON.stringify(answer));
/** @param {any} answer @param {string} code */
const refused = (answer, code) => {
	assert.equal(answer.type, 'error', JSON.stringify(answer));
	assert.equal(answer.code, code);
	assert.ok(answer.message && answer.remedy);
};

/** A call that stands. @param {Server} server @param {any} [ada] @param {any} [bob] */
async function call(server, ada, bob) {
	ada ??= await SocketClient.open(server);
	bob ??= await SocketClient.open(server);
	ok(await ada.request('login', {name: 'Ada'}));
	ok(await bob.request('login', {name: 'Bob'}));
	ok(await ada.request('offer', {to: 'Bob', call: 'c', sdp: 'v=0 offer'}));
	const offer = await bob.next('offer');
	assert.deepEqual([offer.from, offer.call, offer.sdp], ['Ada', 'c', 'v=0 offer']);
	ok(await bob.request('answer', {to: 'Ada', call: 'c', sdp: 'v=0 answer'}));
	assert.equal((await ada.next('answer')).sdp, 'v=0 answer');
	return {ada, bob};
}

test('a call by name: offer, answer, candidates, close', async (t) => {
	const server = await Server.start(t);
	const {ada, bob} = await call(server);
	ok(await ada.request('candidate', {to: 'Bob', call: 'c', candidate: {candidate: 'candidate:1', sdpMid: '0'}}));
	assert.deepEqual((await bob.next('candidate')).candidate, {candidate: 'candidate:1', sdpMid: '0'});
	ok(await bob.request('candidate', {to: 'Ada', call: 'c', candidate: null}));
	assert.equal((await ada.next('candidate')).candidate, null);
	ok(await bob.request('close', {to: 'Ada', call: 'c', reason: 'bye'}));
	assert.equal((await ada.next('close')).reason, 'bye');
	assert.equal(await server.metric('calls'), 0);
	assert.equal(await server.metric('messages_relayed_total'), 5);
});

test('what a name may not be, each with its code', async (t) => {
	const server = await Server.start(t);
	const ada = await SocketClient.open(server);
	refused(await ada.request('offer', {to: 'Bob', call: 'c', sdp: 'v=0'}), 'login-required');
	refused(await ada.request('login', {name: ''}), 'empty');
	refused(await ada.request('login', {name: 'x'.repeat(33)}), 'too-long');
	refused(await ada.request('login', {name: 'Server'}), 'reserved');
	ok(await ada.request('login', {name: 'Ada'}));
	refused(await ada.request('offer', {to: 'Bob', call: 'c', sdp: 'v=0'}), 'unknown-name');
	refused(await ada.request('offer', {to: 'Ada', call: 'c', sdp: 'v=0'}), 'self');
	const other = await SocketClient.open(server);
	refused(await other.request('login', {name: 'ada'}), 'taken');
	refused(await other.request('nonsense'), 'unknown-type');
	ok(await ada.request('logout'));
	ok(await other.request('login', {name: 'ada'}));
});

test('a broken carrier: the session goes on with another, nothing lost, nothing twice', async (t) => {
	const server = await Server.start(t);
	const {ada, bob} = await call(server);
	await bob.drop();
	assert.equal((await ada.next('away')).from, 'Bob');
	for (let i = 0; i < 20; i++) {
		ok(await ada.request('candidate', {to: 'Bob', call: 'c', candidate: {candidate: `${i}`}}));
	}
	const wanted = bob.request('candidate', {to: 'Ada', call: 'c', candidate: {candidate: 'sent while broken'}});
	await bob.connect(bob.resume);
	assert.equal(bob.welcome.resumed, true);
	for (let i = 0; i < 20; i++) {
		assert.equal((await bob.next('candidate')).candidate.candidate, `${i}`);
	}
	ok(await wanted);
	assert.equal((await ada.next('back')).from, 'Bob');
	assert.equal((await ada.next('candidate')).candidate.candidate, 'sent while broken');
	assert.equal(await server.metric('sessions_resumed_total'), 1);
});

test('from a WebSocket to events and back in mid-call', async (t) => {
	const server = await Server.start(t);
	const {ada, bob} = await call(server);
	await bob.drop();
	const events = new EventsClient(server);
	events.received = bob.received;
	ok(await ada.request('candidate', {to: 'Bob', call: 'c', candidate: {candidate: 'first'}}));
	await events.connect(bob.resume);
	assert.equal(events.welcome.resumed, true);
	assert.equal((await events.next('candidate')).candidate.candidate, 'first');
	bob.received = events.received;
	// The events' carrier is still there: it is replaced.
	await bob.connect(bob.resume);
	assert.equal(bob.welcome.resumed, true);
	assert.equal((await events.next('bye')).code, 'replaced');
	await events.closed;
	ok(await ada.request('candidate', {to: 'Bob', call: 'c', candidate: {candidate: 'second'}}));
	assert.equal((await bob.next('candidate')).candidate.candidate, 'second');
});

test('a call between an events client and a WebSocket', async (t) => {
	const server = await Server.start(t);
	const ada = await EventsClient.open(server);
	assert.equal(ada.headers['content-type'], 'text/event-stream');
	assert.equal(ada.headers['cache-control'], 'no-store');
	const {bob} = await call(server, ada);
	assert.equal((await ada.posted).status, 204);
	// Several in one request.
	const message = (/** @type {number} */ n) => ({seq: 2 + n, id: 100 + n, type: 'candidate', to: 'Bob', call: 'c', candidate: {candidate: `${n}`}});
	assert.equal((await ada.post([message(1), message(2), message(3)])).status, 204);
	for (const n of [1, 2, 3]) {
		assert.equal((await bob.next('candidate')).candidate.candidate, `${n}`);
	}
});

test('tickets are for one stream; secrets are asked for', async (t) => {
	const server = await Server.start(t);
	const ada = await EventsClient.open(server);
	const again = await server.ask(`/v1/events?ticket=${ada.ticket}`);
	assert.equal(again.status, 401);
	assert.equal(again.json.code, 'hello-required');
	assert.equal((await server.ask('/v1/events')).status, 401);
	const headers = {authorization: `Bearer ${ada.welcome.session}.${'A'.repeat(22)}`};
	assert.equal((await server.ask('/v1/messages', {method: 'POST', headers, body: '{}'})).status, 401);
	assert.equal((await server.ask('/v1/tickets', {method: 'POST', body: '{"type":"login"}'})).status, 400);
	assert.equal((await server.ask('/v1/tickets', {method: 'POST', body: 'no'})).json.code, 'bad-json');
});

test('another session can not be taken without its secret', async (t) => {
	const server = await Server.start(t);
	const ada = await SocketClient.open(server);
	const thief = new SocketClient(server);
	await thief.connect({...ada.resume, secret: 'A'.repeat(22)});
	assert.equal(thief.welcome.resumed, false);
	assert.notEqual(thief.welcome.session, ada.welcome.session);
	ok(await ada.request('login', {name: 'Ada'}));
	assert.equal(await server.metric('sessions_resume_missed_total'), 1);
});

test('whoever does not come back is gone after the grace', async (t) => {
	const server = await Server.start(t, '--grace-ms=300');
	const {ada, bob} = await call(server);
	await bob.drop();
	assert.equal((await ada.next('away')).from, 'Bob');
	assert.equal((await ada.next('close')).reason, 'gone');
	const {session} = bob.welcome;
	await bob.connect(bob.resume);
	assert.equal(bob.welcome.resumed, false);
	assert.notEqual(bob.welcome.session, session);
});

test('a page that goes away without a word is gone at once; behind a proxy it is away, and may come back', async (t) => {
	const server = await Server.start(t);
	const {ada, bob} = await call(server);
	bob.socket.close(1001);
	assert.equal((await ada.next('close')).reason, 'gone');
	assert.deepEqual(ada.events.filter(({type}) => type === 'away'), []);
	// Caddy closes like that when it is configured again.
	const cy = await SocketClient.open(server, {headers: {'x-forwarded-for': '203.0.113.1'}});
	ok(await cy.request('login', {name: 'Cy'}));
	ok(await ada.request('offer', {to: 'Cy', call: 'd', sdp: 'v=0'}));
	cy.socket.close(1001);
	assert.equal((await ada.next('away')).from, 'Cy');
	await cy.connect(cy.resume);
	assert.equal(cy.welcome.resumed, true);
});

test('a client that falls silent, its socket open, is away after two pings', async (t) => {
	const server = await Server.start(t, '--ping-ms=200');
	const {ada, bob} = await call(server);
	bob.write = () => {};
	assert.equal((await ada.next('away')).from, 'Bob');
	await bob.closed;
	ok(await ada.request('candidate', {to: 'Bob', call: 'c', candidate: null}));
});

test('who is in no call or room is pinged less often, and told when that changes', async (t) => {
	const server = await Server.start(t, '--ping-ms=200');
	const idle = await SocketClient.open(server);
	const {ada, bob} = await call(server);
	assert.deepEqual([idle.welcome.pingMs, bob.welcome.pingMs], [3000, 3000]);
	assert.equal(await bob.nextPing(), 200);
	assert.equal(await bob.nextPing(), 200);
	assert.deepEqual(idle.pings, []);
	ok(await ada.request('close', {to: 'Bob', call: 'c'}));
	let told = 200;
	while (told === 200) {
		told = await bob.nextPing();
	}
	assert.equal(told, 3000);
});

test('on a slow path a hello comes late, and is good', async (t) => {
	const server = await Server.start(t, '--ping-ms=200');
	const late = new SocketClient(server);
	await late.open();
	const {bob} = await call(server);
	for (let beats = 0; beats < 4; beats++) {
		await bob.nextPing();
	}
	await late.greet();
	ok(await late.request('login', {name: 'Late'}));
});

test('who comes into a call is told of its pings with the next message, not at a beat', async (t) => {
	const {ada, bob} = await call(await Server.start(t, '--ping-ms=60000'));
	assert.deepEqual([ada.welcome.pingMs, bob.welcome.pingMs], [900_000, 900_000]);
	assert.deepEqual([ada.pings, bob.pings], [[60_000], [60_000]], 'told before the last message of the call came');
});

test('for a client that does not read, no more than its bound is kept: others are told, and go on', async (t) => {
	const server = await Server.start(t, '--messages-per-second=100000', '--bytes-per-second=1000000');
	const {ada, bob} = await call(server);
	bob.socket.pause();
	const sdp = 'x'.repeat(8000);
	let answer;
	do {
		answer = await ada.request('offer', {to: 'Bob', call: 'c', sdp});
	} while (answer.type === 'ok');
	refused(answer, 'busy');
	const cy = await SocketClient.open(server);
	ok(await cy.request('login', {name: 'Cy'}));
	ok(await ada.request('offer', {to: 'Cy', call: 'd', sdp}));
	assert.equal((await cy.next('offer')).sdp, sdp);
});

test('a room: two connections of one person, streams, messages, a moderator, its end', async (t) => {
	const server = await Server.start(t, '--open=yes');
	const [ada, bob] = [await SocketClient.open(server), await SocketClient.open(server)];
	const made = await ada.request('join', {room: 'demo', nickname: 'Ada', kind: 'camera'});
	ok(made);
	assert.equal(made.role, 'moderator');
	const joined = await bob.request('join', {room: 'demo', nickname: 'Bob', kind: 'camera'});
	ok(joined);
	assert.deepEqual(joined.members.map(({nickname}) => nickname), ['Ada']);
	assert.equal((await ada.next('joined')).member.nickname, 'Bob');
	const screen = await bob.request('join', {room: 'demo', nickname: 'Bob', kind: 'screen'});
	ok(screen);
	ok(await bob.request('publish', {room: 'demo', as: screen.connection, stream: 's', audio: false, video: true}));
	const published = await ada.next('published');
	assert.deepEqual([published.connection, published.stream.stream], [screen.connection, 's']);
	ok(await ada.request('send', {room: 'demo', to: [joined.connection], body: {chat: 'hello'}}));
	const message = await bob.next('message');
	assert.deepEqual([message.from, message.connection, message.body], [made.connection, joined.connection, {chat: 'hello'}]);
	refused(await bob.request('kick', {room: 'demo', as: joined.connection, connection: made.connection}), 'forbidden');
	ok(await ada.request('stop', {room: 'demo', connection: screen.connection, stream: 's'}));
	assert.equal((await bob.next('unpublished')).reason, 'stopped');
	ok(await ada.request('kick', {room: 'demo', connection: screen.connection}));
	// The person, with all connections.
	const ends = [await bob.next('ended'), await bob.next('ended')];
	assert.deepEqual(ends.map(({connection, reason}) => [connection, reason]), [[screen.connection, 'kicked'], [joined.connection, 'kicked']]);
	refused(await bob.request('join', {room: 'demo', nickname: 'Robert', kind: 'data'}), 'sent-away');
	const cy = await SocketClient.open(server);
	refused(await cy.request('join', {room: 'demo', nickname: 'bob', kind: 'data'}), 'sent-away');
	ok(await cy.request('join', {room: 'demo', nickname: 'Cy', kind: 'data'}));
	await cy.drop();
	assert.equal((await ada.next('away')).room, 'demo');
	ok(await ada.request('leave', {room: 'demo'}));
});

test('without --open a room needs a token', async (t) => {
	const server = await Server.start(t);
	const ada = await SocketClient.open(server);
	refused(await ada.request('join', {room: 'demo', nickname: 'Ada', kind: 'camera'}), 'unknown-room');
});

test('numbers from the future, a message too long, a frame that is not text: an end that says why', async (t) => {
	const server = await Server.start(t);
	const future = await SocketClient.open(server);
	future.write({seq: 5, id: 5, type: 'login', name: 'Ada'});
	assert.equal((await future.next('bye')).code, 'bad-sequence');
	assert.deepEqual(await future.closed, {code: 4000, reason: 'bad-sequence'});
	const long = await SocketClient.open(server);
	long.socket.send('x'.repeat(65537));
	assert.equal((await long.closed).code, 1009);
	const binary = await SocketClient.open(server);
	binary.socket.send(Buffer.from('{}'));
	assert.equal((await binary.closed).code, 1003);
	const bad = await SocketClient.open(server);
	bad.socket.send('{"type":');
	assert.equal((await bad.next('bye')).code, 'bad-json');
	const {body} = await server.ask('/metrics');
	assert.match(body, /drops_total\{reason="message-size"\} 1\n/);
	assert.match(body, /drops_total\{reason="message-kind"\} 1\n/);
	assert.match(body, /sessions_ended_total\{code="bad-sequence"\} 1\n/);
});

test('too many messages are refused with the time to wait, and none is lost', async (t) => {
	const server = await Server.start(t, '--messages-per-second=5');
	const ada = await SocketClient.open(server);
	const answers = await Promise.all(Array.from({length: 40}, () => ada.request('logout')));
	const late = answers.filter(({code}) => code === 'too-many-requests');
	assert.ok(late.length > 0 && late.length < 40, `${late.length}`);
	assert.ok(late.every(({retryMs}) => retryMs > 0));
});
