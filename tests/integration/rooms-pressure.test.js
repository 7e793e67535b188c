/** Clients of `portlight-rooms` who are sent more than they read. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {undisturbed} from './provoking.js';
import {EventsClient, Server, SocketClient} from './rooming.js';

test('who sends more than another, or a whole room, can take in is refused, and nobody is ended', async (t) => {
	const server = await Server.start(t, '--open=yes');
	await undisturbed(server, async () => {
		const [eve, ...others] = await Promise.all(Array.from({length: 4}, () => SocketClient.open(server)));
		const connections = [];
		for (const client of [eve, ...others]) {
			const {connection} = await client.request('join', {room: 'r', nickname: 'N', kind: 'data'});
			connections.push(connection);
		}
		await others[0].request('login', {name: 'Zoe'});
		await eve.request('login', {name: 'Eve'});
		// They read nothing for now, as on a slow path.
		others.forEach(({socket}) => socket.pause());
		const sdp = 'x'.repeat(32768);
		const asked = [
			...Array.from({length: 3}, (_, i) => eve.request('offer', {to: 'Zoe', call: `${i}`, sdp})),
			...Array.from({length: 3}, () => eve.request('send', {room: 'r', to: [connections[2]], body: sdp.slice(0, 32000)})),
			...Array.from({length: 3}, () => eve.request('send', {room: 'r', body: sdp.slice(0, 12000)})),
			eve.request('send', {room: 'r', body: sdp.slice(0, 17000)}),
			eve.request('publish', {room: 'r', stream: 's', audio: true, video: true, data: {x: 'x'.repeat(2000)}}),
			...Array.from({length: 3}, (_, i) => eve.request('close', {to: 'Zoe', call: `${i}`})),
		];
		const codes = (await Promise.all(asked)).map(({type, code}) => code ?? type);
		assert.deepEqual(codes, ['ok', 'busy', 'busy', 'ok', 'busy', 'busy', 'ok', 'busy', 'busy', 'too-large', 'ok', 'ok', 'no-call', 'no-call']);
		others.forEach(({socket}) => socket.resume());
		for (const client of others) {
			assert.equal((await client.next('message')).body.length > 0, true);
			await client.next('published');
			assert.equal((await client.request('leave', {room: 'r'})).type, 'ok');
		}
		eve.write({type: 'bye'});
	});
	assert.doesNotMatch((await server.ask('/metrics')).body, /sessions_ended_total\{code="too-slow"/);
});

/** A member of a room who acknowledges nothing, and what waits for them, in bytes. */
class Quiet extends EventsClient {
	waits = 0;
	said = 0;

	/** @param {any} message */
	take(message) {
		const {seq, ack: _ack, ...rest} = message;
		// The server counts the text without its first brace.
		this.waits += seq ? JSON.stringify(rest).length - 1 : 0;
		super.take(message);
	}

	/** @param {object} request */
	async ask(request) {
		const id = ++this.said;
		await this.post({...request, seq: id, id, ack: 0});
		while (!this.events.some((event) => event.id === id)) {
			await sleep(1);
		}
	}

	/** Acknowledges nothing. */
	write() {}

	/** Until almost as much waits as may. */
	async fill() {
		const free = () => 65536 - this.waits;
		while (free() > 400) {
			await this.ask({type: 'logout'});
		}
		// The answer to a login has the name, and so a length of one's choice.
		const pair = async (/** @type {number} */ length) => {
			const before = this.waits;
			await this.ask({type: 'login', name: 'x'.repeat(length)});
			await this.ask({type: 'logout'});
			return this.waits - before;
		};
		const least = (await pair(1)) - 1;
		for (let pairs = Math.ceil(free() / (least + 32)); pairs > 0; pairs--) {
			await pair(Math.floor(free() / pairs) - least);
		}
		assert(free() >= 0 && free() < 40, `${free()} bytes are free`);
	}
}

for (const way of ['in the middle of its messages', 'as it comes back']) {
	test(`a session that another’s end makes too slow ${way} ends too`, async (t) => {
		const server = await Server.start(t, '--open=yes', '--messages-per-second=100000');
		await undisturbed(server, async () => {
			const [ann, ben] = /** @type {Quiet[]} */ ([await Quiet.open(server), await Quiet.open(server)]);
			for (const one of [ann, ben]) {
				await one.ask({type: 'join', room: 'r', nickname: 'N', kind: 'data'});
			}
			// Whatever comes now is too much for Ben; that he left, for Ann.
			await ann.fill();
			if (way === 'as it comes back') {
				await ann.drop();
				await ben.next('away');
				await ben.fill();
				ann.connect({...ann.resume, received: 0}).catch(() => {});
			} else {
				await ben.fill();
				await ann.post([{type: 'send', room: 'r', body: 'x'.repeat(40), seq: ann.said + 1, ack: 0}, {type: 'ack', ack: 0}]);
			}
			while ((await server.metric('sessions')) > 2) {
				await sleep(10);
			}
		});
		assert.match((await server.ask('/metrics')).body, /sessions_ended_total\{code="too-slow"\} 2\b/);
		assert.equal((await server.stop()).status, 0);
	});
}
