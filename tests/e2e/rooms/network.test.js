/** Calls between people in different networks, whose only way to each other is the relay: coturn. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {enterNetwork, Networks, SERVER} = await import('../lib/network.js');
const {askUntil} = await import('../lib/own.js');
const {RoomsServer, moves, plays, press, until, useRooms} = await import('../lib/rooms.js');
const {arrives, calling, chat, dial, send, two} = await import('../lib/calls.js');

/** @typedef {import('puppeteer-core').Page} Page */

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

	/** The two ends of what is used now, and where they are. @param {Page} page */
	const path = (page) => page.evaluate(async () => {
		const {pc} = /** @type {import('/rooms/peer.js').Peer} */ ((await import('/rooms/call.js')).now().peer);
		const {path: used} = await import('/rooms/peer.js');
		const {pair, local, remote} = /** @type {NonNullable<Awaited<ReturnType<typeof used>>>} */ (await used(pc));
		return {kinds: [local.candidateType, remote.candidateType], ports: [local.port, remote.port], received: pair.bytesReceived};
	});

	/** @param {Page} page @param {(state: {state: string, resumes: number, connection: string}) => unknown} pleases */
	const states = (page, pleases) => askUntil(() => page.evaluate(async () => {
		const {now, server: {state, resumes}} = await import('/rooms/call.js');
		return {state, resumes, connection: now().peer?.state ?? ''};
	}), pleases);

	/** @param {Page[]} pages */
	async function seeEachOther(...pages) {
		for (const page of pages) {
			await page.bringToFront();
			await askUntil(() => plays(page), ({count}) => count === 2);
		}
	}

	test('without another path than the relay; pictures, a screen, and what the quality says', async () => {
		const {fiona, carl} = await calling(rooms, {fiona: '?relay', carl: '?relay'});
		await seeEachOther(fiona, carl);
		await rooms.share(carl, '#screen');
		await moves(fiona);
		for (const page of [fiona, carl]) {
			assert.deepEqual((await path(page)).kinds, ['relay', 'relay']);
			await press(page, '#showQuality');
			await until(page, '#quality', /through a relay/);
		}
	});

	test('a relay’s password ends: paths that are looked for later have the new one', async () => {
		const {fiona, carl} = await calling(rooms);
		const before = [await path(fiona), await path(carl)];
		/** @param {Page} page */
		const expiry = (page) => page.evaluate(async () => 1000 * parseInt((await import('/rooms/call.js')).server.ice[0].username ?? ''));
		const first = [await expiry(fiona), await expiry(carl)];
		await askUntil(() => Date.now(), (now) => now > Math.max(...first) + 1000, 90_000);
		assert.equal((await Promise.all([expiry(fiona), expiry(carl)])).every((end, at) => end > first[at]), true);
		await fiona.evaluate(async () => (await import('/rooms/call.js')).now().peer?.restart());
		for (const [at, page] of [fiona, carl].entries()) {
			const {kinds} = await askUntil(() => path(page), ({ports}) => ports.every((port) => !before[at].ports.includes(port)));
			assert.equal(kinds.includes('relay'), true);
		}
		await press(fiona, '#hangUp');
		await until(carl, '#notice', /Fiona ended the call/);
		await dial(carl, 'Fiona');
		await press(fiona, '#accept');
		await until(carl, '#link', /Connected/);
		await seeEachOther(fiona, carl);
	});

	test('2 % lost and 80 ms late, each way: pictures, lines in order, a file', async () => {
		await networks.slow({delayMs: 80, lossPercent: 2});
		try {
			const {fiona, carl} = await calling(rooms);
			await seeEachOther(fiona, carl);
			await rooms.share(fiona, '#screen');
			await moves(carl);
			const lines = Array.from({length: 20}, (_, at) => `line ${at}`);
			for (const line of lines) {
				await chat(fiona, line);
			}
			const heard = await askUntil(() => carl.$$eval('#log li', (all) => all.map((one) => one.lastChild?.textContent)), ({length}) => length === lines.length);
			assert.deepEqual(heard, lines);
			const bytes = randomBytes(2_000_003);
			writeFileSync(join(folder, 'two.bin'), bytes);
			await send(carl, join(folder, 'two.bin'));
			await press(fiona, '#transfers .main');
			await arrives(fiona);
			await until(fiona, '#transfers', /Complete/);
			assert.equal(await fiona.$eval('#transfers li', (item) => item.getAttribute('data-sha256')), createHash('sha256').update(bytes).digest('hex'));
		} finally {
			await networks.slow({delayMs: 0, lossPercent: 0});
		}
	});

	for (const place of /** @type {const} */ (['here', 'there'])) {
		test(`the network changes ${place}: the call goes on by another path`, async () => {
			const {fiona, carl} = await calling(rooms);
			await rooms.share(carl, '#screen');
			await moves(fiona);
			const [mover, other] = place === 'here' ? [fiona, carl] : [carl, fiona];
			networks.unplug(place, 1);
			await states(mover, ({connection}) => connection === 'interrupted');
			networks.plug(place, 2);
			try {
				await Promise.all([mover, other].map((page) => states(page, ({state, connection}) => state === 'connected' && connection === 'connected')));
				await moves(fiona);
				await chat(mover, 'Here again');
				await until(other, '#log', /Here again/);
				// What needs both the path and the server.
				await press(carl, '#screen');
				await rooms.share(fiona, '#screen');
				await moves(carl);
			} finally {
				networks.unplug(place, 2);
				networks.plug(place, 1);
			}
		});
	}

	test('another secret than the relay’s: both are told, and what to do', async () => {
		await server.stop();
		writeFileSync(secret, 'what coturn does not know\n');
		await server.start();
		const {fiona, carl} = await two(rooms);
		await dial(fiona, 'Carl');
		await until(carl, '#caller', /Fiona calls you/);
		await press(carl, '#accept');
		for (const page of [fiona, carl]) {
			await until(page, '#notice', /relay turn:10.77.0.1:3478\S* refused .* compares turn-secret-file/);
		}
	});
}

/** @param {InstanceType<typeof Networks>} networks @param {string} file */
async function startTurn(networks, file) {
	const lines = ['use-auth-secret', 'static-auth-secret=what coturn and rooms know', 'realm=rooms', `listening-ip=${SERVER}`, `relay-ip=${SERVER}`, 'no-cli', 'no-tls', 'no-dtls', 'log-file=stdout', `pidfile=${file}.pid`, `userdb=${file}.db`];
	writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
	await networks.start(networks.in('server', 'turnserver', '-c', file), /DB connection success/);
}
