/** Calls between people in different networks, whose only way to each other is the relay: coturn. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {enterNetwork, Networks, SERVER} = await import('./lib/network.js');
const {RoomsServer, until, useRooms, moves} = await import('./lib/rooms.js');
const {calling} = await import('./lib/calls.js');

if (enterNetwork(import.meta.url)) {
	describe('calls across networks, Firefox here and Chromium there', suite);
}

function suite() {
	const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'net-'));
	const networks = new Networks();
	const [certificate, key, secret, turn] = ['server.crt', 'server.key', 'secret', 'turn.conf'].map((name) => join(folder, name));
	const server = new RoomsServer({
		address: SERVER,
		args: ['--open=public', `--hosts=${SERVER}`, `--certificate=${certificate}`, `--key=${key}`, `--turn=turn:${SERVER}:3478`, `--turn-secret-file=${secret}`, '--turn-lifetime-s=60'],
		within: (...command) => networks.in('server', ...command),
	});
	before(async () => {
		await networks.open();
		process.env.CHROMIUM = networks.wrapper(folder, '/usr/bin/chromium');
		certify();
		writeFileSync(secret, 'what coturn and rooms know\n');
		await startTurn(networks, turn);
	});
	const rooms = useRooms({
		server,
		browser: (kind) => ({
			anyCertificate: true,
			...(kind === 'firefox' ? {prefs: {'network.proxy.no_proxies_on': SERVER}} : {args: [`--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${SERVER}`]}),
		}),
	});
	after(async () => {
		await networks.close();
		rmSync(folder, {recursive: true});
	});

	function certify() {
		const made = spawnSync('openssl', [
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
			...['-subj', '/CN=rooms', '-addext', `subjectAltName=IP:${SERVER}`, '-keyout', key, '-out', certificate],
		]);
		assert.equal(made.status, 0, String(made.stderr));
	}

	test('a call goes through the relay, a screen too', async () => {
		const {fiona, carl} = await calling(rooms, {fiona: '?relay', carl: '?relay'});
		await rooms.share(carl, '#screen');
		await moves(fiona);
	});
}

/** @param {InstanceType<typeof Networks>} networks @param {string} file */
async function startTurn(networks, file) {
	const lines = ['use-auth-secret', 'static-auth-secret=what coturn and rooms know', 'realm=rooms', `listening-ip=${SERVER}`, `relay-ip=${SERVER}`, 'no-cli', 'no-tls', 'no-dtls', 'log-file=stdout', `pidfile=${file}.pid`, `userdb=${file}.db`, 'verbose'];
	writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
	await networks.start(networks.in('server', 'turnserver', '-c', file), /DB connection success/);
}
