/** The rooms' server behind nginx and Caddy, by the very blocks of docs/ROOMS.md. */
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {ask, EventsClient, folderOf, Server, SocketClient} from '../rooming.js';

const text = readFileSync(new URL('../../../docs/ROOMS.md', import.meta.url), 'utf8');

/** The block as it is printed, with the socket of this test. @param {string} language @param {string} socket */
function block(language, socket) {
	const found = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'm').exec(text);
	assert(found, `docs/ROOMS.md has a block for ${language}`);
	return found[1].replaceAll('/run/portlight-rooms/socket', socket);
}

async function freePort() {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = /** @type {import('node:net').AddressInfo} */ (server.address());
	server.close();
	await once(server, 'close');
	return port;
}

/** @type {Record<string, (folder: string, socket: string, port: number) => string[]>} writes a configuration, and gives the command */
const proxies = {
	nginx(folder, socket, port) {
		mkdirSync(join(folder, 'temp'));
		const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`).join(' ');
		const file = join(folder, 'nginx.conf');
		writeFileSync(file, `daemon off; user root; pid ${folder}/pid; error_log stderr; worker_processes 1; events {}
http { access_log off; ${temp} server { listen 127.0.0.1:${port}; ${block('nginx', socket)} } }\n`);
		return ['nginx', '-c', file, '-e', 'stderr'];
	},
	caddy(folder, socket, port) {
		const file = join(folder, 'Caddyfile');
		writeFileSync(file, `{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\n${block('caddy', socket).replace('rooms.example.org', `http://localhost:${port}`)}`);
		return ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'];
	},
};

for (const [name, configure] of Object.entries(proxies)) {
	const path = `${process.env.PATH}:/usr/sbin`;
	const missing = spawnSync('sh', ['-c', `command -v ${name}`], {env: {PATH: path}}).status !== 0 && `${name} is missing: packaging/install-deps rooms`;
	test(`behind ${name}: both carriers, and each client's own address`, {skip: missing}, async (t) => {
		const folder = folderOf(t);
		const socket = join(folder, 'socket');
		const server = await Server.start(t, `--listen=unix:${socket}`, '--hosts=rooms.example.org', '--sessions-per-address=2');
		const port = await freePort();
		const [command, ...args] = configure(folder, socket, port);
		const proxy = spawn(command, args, {env: {PATH: path, HOME: folder}, stdio: ['ignore', 'ignore', 'pipe']});
		const ended = once(proxy, 'close');
		let said = '';
		proxy.stderr.setEncoding('utf8').on('data', (piece) => (said += piece));
		t.after(async () => {
			proxy.kill('SIGTERM');
			await ended;
		});
		server.url = `http://localhost:${port}/`;
		while (!(await ask(`${server.url}healthz`).then(({status}) => status === 200, () => false))) {
			assert.equal(proxy.exitCode, null, said);
			await sleep(50);
		}

		const ada = await SocketClient.open(server, {localAddress: '127.0.0.1'});
		const bob = await EventsClient.open(server);
		assert.equal((await ada.request('login', {name: 'Ada'})).type, 'ok');
		assert.equal((await bob.request('login', {name: 'Bob'})).type, 'ok');
		await ada.request('offer', {to: 'Bob', call: 'c', sdp: 'v=0'});
		assert.equal((await bob.next('offer')).from, 'Ada');
		await bob.request('answer', {to: 'Ada', call: 'c', sdp: 'v=0'});
		assert.equal((await ada.next('answer')).from, 'Bob');

		// A third of that address is one too many, whatever it says of itself; one of another address is not.
		const third = await SocketClient.open(server, {localAddress: '127.0.0.1', headers: {'x-forwarded-for': '203.0.113.9'}});
		assert.equal((await third.next('bye')).code, 'too-many-sessions');
		const other = await SocketClient.open(server, {localAddress: '127.0.0.2'});
		assert(other.welcome);
		bob.stream.destroy();
	});
}
