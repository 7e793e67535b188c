/** The rooms' server under crowds: 10,000 sockets that never finish a request, and 100,000 connects that leave nothing behind. */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {on} from 'node:events';
import {readFileSync} from 'node:fs';
import {createConnection} from 'node:net';
import {join} from 'node:path';
import {test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {Worker} from 'node:worker_threads';
import {CLOSE, frame, handshake, TEXT, undisturbed} from '../provoking.js';
import {ask, folderOf, Server, SocketClient} from '../rooming.js';

const HALF_OPEN = 10_000;
const CONNECTS = 100_000;
const BATCH = 5000;
const AT_ONCE = 64;

/** @param {Server} server */
const resident = (server) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]);

test('10,000 half-open sockets end and are counted; two who talk lose nothing, and others still come in', async (t) => {
	const server = await Server.start(t, '--header-seconds=30');
	const crowd = new Worker(new URL('half-open.js', import.meta.url), {workerData: {port: server.port, count: HALF_OPEN}});
	t.after(() => crowd.terminate());
	const heard = on(crowd, 'message');
	await undisturbed(server, async () => {
		assert.deepEqual((await heard.next()).value, ['open']);
		const late = await SocketClient.open(server);
		assert.equal((await late.request('login', {name: 'Late'})).type, 'ok');
		late.socket.close();
		assert.deepEqual((await heard.next()).value, ['closed']);
	});
	assert.deepEqual(await server.drops(), {headers: HALF_OPEN});
});

/** Each of these ends by itself or abruptly, after some part of what a client does. */
const hello = frame(TEXT, '{"type":"hello","version":1}');
/** @param {object} message @param {number} seq */
const say = (message, seq) => frame(TEXT, JSON.stringify({...message, seq, ack: 0, id: seq}));
/** @param {string} address @param {Record<string, string>} [other] */
const greet = (address, other) => Buffer.from(handshake({'X-Forwarded-For': address, ...other}));
/** @type {((number: number, address: string) => {bytes: Buffer | string, until?: RegExp, last?: Buffer})[]} */
const visits = [
	(number, address) => ({
		bytes: Buffer.concat([
			...[greet(address), hello, say({type: 'login', name: `n${number}`}, 1), say({type: 'join', room: `r${number % 7}`, nickname: `n${number}`, kind: 'camera'}, 2)],
			...[say({type: 'publish', room: `r${number % 7}`, stream: 's', audio: true, video: true}, 3), say({type: 'leave', room: `r${number % 7}`}, 4)],
		]),
		until: /"id":4\b/,
		last: Buffer.concat([frame(TEXT, '{"type":"bye"}'), frame(CLOSE, Buffer.from([3, 232]))]),
	}),
	(number, address) => ({bytes: Buffer.concat([greet(address), hello, say({type: 'join', room: `w${number % 199}`, nickname: `n${number}`, kind: 'data'}, 1)]), until: /"id":1\b/}),
	(_, address) => ({bytes: Buffer.concat([greet(address), hello]), until: /welcome/}),
	(_, address) => ({bytes: greet(address).subarray(0, 100)}),
	(_, address) => ({bytes: greet(address, {'Sec-WebSocket-Version': '8'}), until: /426/}),
	(_, address) => ({bytes: Buffer.concat([greet(address), hello, frame(TEXT, '{}', {masked: false})]), until: /masked/}),
	() => ({bytes: 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', until: /ok/}),
	() => ({bytes: ''}),
];

/** @param {string} path @param {number} number */
function visit(path, number) {
	// What the server keeps of an address it forgets a minute later: the same few come again.
	const address = `10.0.0.${number & 255}`;
	const {bytes, until, last} = visits[number % visits.length](number, address);
	return new Promise((resolve, reject) => {
		let got = '';
		const socket = createConnection(path, () => {
			socket.write(bytes);
			if (until === undefined) {
				socket.destroy();
			}
		});
		socket.setEncoding('latin1').on('data', (piece) => {
			got += piece;
			if (until?.test(got)) {
				if (last) {
					socket.end(last);
				} else {
					socket.destroy();
				}
			}
		});
		socket.on('error', () => {});
		socket.on('close', () => (until === undefined || until.test(got) ? resolve(undefined) : reject(new Error(`visit ${number}: ${got}`))));
	});
}

/** @param {string} path @param {number} from @param {number} to */
async function visitAll(path, from, to) {
	let next = from;
	await Promise.all(Array.from({length: AT_ONCE}, async () => {
		while (next < to) {
			await visit(path, next++);
		}
	}));
}

test('100,000 connects, ended well and abruptly, leave no session, room or memory behind', async (t) => {
	const path = join(folderOf(t), 'socket');
	const server = await Server.start(t, `--listen=unix:${path}`, '--hosts=localhost', '--open=public', '--grace-ms=1000');
	const metrics = async () => (await ask('http://localhost/metrics', {socketPath: path})).body;
	const left = async () => Object.fromEntries([...(await metrics()).matchAll(/^portlight_rooms_(connections|sessions|rooms|users_named|room_connections) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]));
	const quiet = {connections: 1, sessions: 0, users_named: 0, rooms: 0, room_connections: 0};
	const settle = async () => {
		while (Object.entries(await left()).some(([name, value]) => value > quiet[name])) {
			await sleep(100);
		}
	};
	// In batches: how much the heap ever holds depends on how many sessions wait at once for their clients to come back.
	const quietly = async (/** @type {number} */ from, /** @type {number} */ to) => {
		const sizes = [];
		for (let number = from; number < to; number += BATCH) {
			await visitAll(path, number, number + BATCH);
			await settle();
			sizes.push(resident(server));
		}
		return sizes;
	};
	// Between batches it goes up and down by a few hundred KiB, as pages are freed whole or not.
	const before = Math.max(...await quietly(0, 8 * BATCH));
	const after = (await quietly(8 * BATCH, 8 * BATCH + CONNECTS)).at(-1) ?? 0;
	assert.deepEqual(await left(), quiet);
	t.diagnostic(`${before} KiB resident before, ${after} after`);
	assert.ok(after <= before * 1.05, `${before} KiB before, ${after} after`);
	assert.equal((await server.stop()).status, 0);
});
