/** One address, which is neither this machine's nor a proxy's, has only so many of the server's connections. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {createConnection} from 'node:net';
import {test} from 'node:test';
import {enterNetwork} from '../../e2e/lib/network.js';
import {certify, folderOf, Server, SocketClient} from '../rooming.js';

const [SERVER, CROWD, OTHER, PROXY] = [1, 2, 3, 4].map((number) => `10.77.0.${number}`);

/** @param {string[]} words */
const ip = (...words) => assert.equal(spawnSync('ip', words).status, 0, words.join(' '));

if (enterNetwork(import.meta.url)) {
	ip('link', 'set', 'lo', 'up');
	[SERVER, CROWD, OTHER, PROXY].forEach((address) => ip('address', 'add', `${address}/32`, 'dev', 'lo'));

	test('a crowd of one address keeps nobody else out; a proxy’s is not counted', async (t) => {
		const {certificate, key} = certify(folderOf(t), 'rooms', SERVER);
		const server = await Server.start(t, `--listen=${SERVER}:0`, '--hosts=rooms.example.org', `--certificate=${certificate}`, `--key=${key}`,
			'--sessions-per-address=2', `--trust-proxy=${PROXY}/32`);
		/** @type {import('node:net').Socket[]} */
		const open = [];
		t.after(() => open.forEach((socket) => socket.destroy()));
		const closed = Object.assign(new EventEmitter(), {count: 0});
		/** Comes, and says nothing. @param {string} localAddress */
		const come = async (localAddress) => {
			const socket = createConnection({host: SERVER, port: server.port, localAddress});
			socket.on('close', () => closed.emit('one', closed.count++)).on('error', () => {}).resume();
			open.push(socket);
			await once(socket, 'connect');
		};
		for (let i = 0; i < 20; i++) {
			await come(CROWD);
		}
		const other = await SocketClient.open(server, {localAddress: OTHER});
		assert.equal((await other.request('login', {name: 'Other'})).type, 'ok');
		const closes = () => once(closed, 'one');
		while (closed.count < 12) {
			await closes();
		}
		for (let i = 0; i < 20; i++) {
			await come(PROXY);
		}
		// The server has accepted all of them.
		assert.equal((await other.request('logout')).type, 'ok');
		assert.equal(closed.count, 12);
		open[0].destroy();
		await closes();
		assert.equal((await other.request('login', {name: 'Other'})).type, 'ok');
		const late = await SocketClient.open(server, {localAddress: CROWD});
		assert.ok(late.welcome);
	});
}
