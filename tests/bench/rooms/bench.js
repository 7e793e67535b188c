/**
 * `make bench-rooms`: portlight-rooms, ws on Node as a bare relay, and a bare relay on epoll, under the same load in one run;
 * then calls between browsers. Prints the table with its targets and writes build/rooms/bench.json.
 *
 *   node tests/bench/rooms/bench.js [--quick] [--no-browsers]
 */
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import os from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {endAll} from '../lib/children.js';
import {Load, Server} from './servers.js';
import {printTable} from './table.js';

const out = fileURLToPath(new URL('../../../build/rooms', import.meta.url));
const {values: options} = parseArgs({
	allowNegative: true,
	options: {quick: {type: 'boolean', default: false}, browsers: {type: 'boolean', default: true}},
});
const users = 10_000;
const plan = options.quick
	? {rate: 4, most: 4, idle: 10, exact: 100_000, breaks: 100, flood: 100_000_000}
	: {rate: 10, most: 10, idle: 30, exact: 1_000_000, breaks: 1000, flood: 100_000_000};
const began = performance.now();
/** @type {any} */
const report = {machine: {cpus: os.cpus().length, model: os.cpus()[0].model, kernel: os.release(), node: process.version}, quick: options.quick, servers: {}};

/** @param {string} text */
const say = (text) => console.log(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${text}`);

/** Connections that the kernel dropped because a backlog was full. */
function listenDrops() {
	const rows = readFileSync('/proc/net/netstat', 'latin1').split('\n').map((line) => line.split(' '));
	const names = rows[0];
	return ['ListenOverflows', 'ListenDrops'].reduce((sum, name) => sum + Number(rows[1][names.indexOf(name)]), 0);
}

/** Runs `work` on a new server with so many users. @param {import('./servers.js').Kind} kind @param {number} count @param {(server: Server, load: Load) => Promise<any>} work */
async function measure(kind, count, work, {tokens = '', args = /** @type {string[]} */ ([])} = {}) {
	const server = await Server.start(kind, 0, ...args);
	const load = new Load(server, count, tokens);
	try {
		return await work(server, load);
	} finally {
		await load.end();
		await server.end();
	}
}

/** @param {import('./servers.js').Kind} kind */
const withUsers = (kind) =>
	measure(kind, users, async (server, load) => {
		const row = (report.servers[kind] = /** @type {any} */ ({}));
		const before = server.memory;
		row.connect = await load.play('connect', 64);
		await sleep(1500);
		row.memoryEach = (server.memory - before) / users;
		say(`${kind}: ${users} users, ${row.memoryEach.toFixed(1)} KiB each, ${row.connect.perSecond} a second came`);
		if (kind === 'rooms') {
			const since = server.cpu;
			await sleep(plan.idle * 1000);
			row.idle = (server.cpu - since) / plan.idle;
			say(`${kind}: idle at ${(100 * row.idle).toFixed(2)} % of a core`);
			await load.play('call');
			// Who has just come into a call is pinged at once, all ten thousand.
			await sleep(4000);
		}
		row.rate = await load.play('rate', 8000, plan.rate);
		say(`${kind}: at 8,000 a second p50 ${row.rate.ms.p50} ms, p99 ${row.rate.ms.p99} ms`);
		const cpu = server.cpu;
		row.most = await load.play('most', 500, plan.most);
		row.most.core = (server.cpu - cpu) / row.most.seconds;
		say(`${kind}: ${row.most.perSecond} messages a second with ${(100 * row.most.core).toFixed(0)} % of a core`);
		const kept = server.memory;
		row.flood = await flood(server, load);
		row.flood.keptKiB = server.memory - kept;
		say(`${kind}: a reader that never reads: ${row.flood.keptKiB} KiB more, closed after ${row.flood.closedSeconds} s, others' p99 ${row.flood.before.p99} -> ${row.flood.during.p99} ms`);
		if (kind === 'rooms') {
			await comeBack(server, load, row);
		}
	});

/** The end of who never reads is seen at the server: its FIN waits behind what is not read. @param {Server} server @param {Load} load */
async function flood(server, load) {
	const connections = server.files;
	const since = performance.now() + 3000;
	const played = load.play('flood', plan.flood);
	let closedSeconds = -1;
	let over = false;
	void played.finally(() => (over = true));
	while (!over) {
		await sleep(200);
		if (closedSeconds < 0 && server.files < connections) {
			closedSeconds = (performance.now() - since) / 1000;
		}
	}
	return {...(await played), closedSeconds};
}

/** @param {Server} server @param {Load} load @param {any} row */
async function comeBack(server, load, row) {
	const drops = listenDrops();
	const port = server.port;
	const back = load.play('return');
	await sleep(100);
	await server.end();
	const again = await Server.start('rooms', port);
	row.back = await back;
	row.back.synDrops = listenDrops() - drops;
	await again.end();
	say(`rooms: ${row.back.there} came back in ${row.back.seconds} s, ${row.back.synDrops} connections dropped by the kernel`);
}

const secret = 'the benchmark asks for tokens';

/** Rooms of four with a token for each place, asked from the backend's API. @param {number} port @param {number} rooms */
async function writeTokens(port, rooms, file) {
	const agent = new Agent({keepAlive: true, maxSockets: 16});
	/** @param {string} path @param {object} body @returns {Promise<any>} */
	const post = (path, body) =>
		new Promise((resolve, reject) => {
			const asked = request({port, path, method: 'POST', agent, headers: {authorization: `Bearer ${secret}`}}, (answer) => {
				let text = '';
				answer.on('data', (piece) => (text += piece)).on('end', () => (answer.statusCode === 201 ? resolve(JSON.parse(text)) : reject(new Error(`${path}: ${answer.statusCode} ${text}`))));
			});
			asked.on('error', reject);
			asked.end(JSON.stringify(body));
		});
	const names = Array.from({length: rooms}, (_, i) => `room${i}`);
	await Promise.all(names.map((room) => post('/api/v1/sessions', {room})));
	const tokens = await Promise.all(names.flatMap((room) => Array.from({length: 4}, () => post(`/api/v1/sessions/${room}/connections`, {lifetimeMs: 600_000}))));
	agent.destroy();
	writeFileSync(file, tokens.map(({room, token}) => `${room} ${token}\n`).join(''), {mode: 0o600});
}

async function inRooms() {
	const secretFile = join(out, 'secret');
	const file = join(out, 'tokens');
	writeFileSync(secretFile, secret, {mode: 0o600});
	const server = await Server.start('rooms', 0, `--backend-secret-file=${secretFile}`);
	await writeTokens(server.port, users / 4, file);
	const load = new Load(server, users, file);
	const row = report.servers.rooms;
	row.tokens = await load.play('connect', 64);
	say(`rooms: ${row.tokens.perSecond} logins a second with a token`);
	row.setups = await load.play('setups', 500);
	say(`rooms: ${row.setups.setUp} calls of 500 rooms set up, p50 ${row.setups.ms.p50} ms, p99 ${row.setups.ms.p99} ms`);
	await load.end();
	await server.end();
	[secretFile, file].forEach((path) => rmSync(path));
}

/** @param {import('./servers.js').Kind} kind */
const setupsOnly = (kind) =>
	measure(kind, 2000, async (server, load) => {
		await load.play('connect', 64);
		const row = report.servers[kind];
		row.setups = await load.play('setups', 500);
		say(`${kind}: the same ${row.setups.setUp} calls, p99 ${row.setups.ms.p99} ms`);
	});

const exact = () =>
	measure('rooms', 400, async (server, load) => {
		await load.play('connect', 64);
		await load.play('call');
		report.exact = await load.play('exact', 200, plan.exact, plan.breaks);
		const {relayed, missing, lost, twice, broken, resumed} = report.exact;
		say(`rooms: ${relayed} relayed over ${broken} broken carriers (${resumed} resumed): ${missing + lost} lost, ${twice} twice`);
	});

async function browsers() {
	const file = new URL('browsers.js', import.meta.url);
	if (!options.browsers || !existsSync(file)) {
		say(`Calls between browsers are left out: ${options.browsers ? 'tests/bench/rooms/browsers.js is missing' : '--no-browsers'}.`);
		return;
	}
	const {browsersBench} = await import(file.href);
	await browsersBench(report);
}

async function main() {
	mkdirSync(out, {recursive: true});
	for (const kind of /** @type {const} */ (['epoll', 'ws', 'rooms'])) {
		await withUsers(kind);
	}
	await inRooms();
	await setupsOnly('ws');
	await setupsOnly('epoll');
	await exact();
	await browsers();
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
	process.on(signal, () => void endAll().then(() => process.exit(130)));
}
try {
	await main();
} finally {
	await endAll();
	writeFileSync(join(out, 'bench.json'), `${JSON.stringify(report, null, '\t')}\n`);
}
process.exitCode = printTable(report) ? 0 : 1;
