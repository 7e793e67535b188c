/** The servers of the rooms' benchmark, each a process with a port, and the load on one of them. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {start} from '../lib/children.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const built = join(root, 'build/release/tests/bench/rooms');
const here = fileURLToPath(new URL('.', import.meta.url));

/** One client may do what ten thousand do in life, and all have one address. */
const roomsOptions = ['--sessions=12000', '--sessions-per-address=12000', '--messages-per-second=100000', '--bytes-per-second=1000000'];

/** @typedef {'rooms' | 'ws' | 'epoll'} Kind */

/** @param {import('node:child_process').ChildProcess} child @param {'stdout' | 'stderr'} stream */
function lines(child, stream) {
	const reader = createInterface({input: /** @type {import('node:stream').Readable} */ (child[stream])});
	/** @type {((line: string) => void)[]} */
	const waiting = [];
	/** @type {string[]} */
	const come = [];
	reader.on('line', (line) => (waiting.shift() ?? ((text) => void come.push(text)))(line));
	return () => new Promise((resolve, reject) => {
		const line = come.shift();
		if (line !== undefined) {
			resolve(line);
			return;
		}
		waiting.push(resolve);
		child.once('exit', (code, signal) => reject(new Error(`${child.spawnfile} ended: ${signal ?? code}`)));
	});
}

/** @param {import('node:child_process').ChildProcess} child */
async function kill(child) {
	if (child.exitCode === null && child.signalCode === null) {
		const ended = new Promise((resolve) => child.once('exit', resolve));
		child.kill('SIGKILL');
		await ended;
	}
}

export class Server {
	/** @param {Kind} kind @param {number} [port] */
	static async start(kind, port = 0, ...options) {
		const server = new Server();
		server.kind = kind;
		const [program, args] = {
			rooms: [join(root, 'build/bin/portlight-rooms'), [`--listen=127.0.0.1:${port}`, ...roomsOptions, ...options]],
			ws: [process.execPath, [join(here, 'relay_ws.js')]],
			epoll: [join(built, 'bench-rooms-epoll'), []],
		}[kind];
		server.child = start(program, args, {stdio: ['ignore', kind === 'rooms' ? 'ignore' : 'pipe', kind === 'rooms' ? 'pipe' : 'inherit']});
		const line = lines(server.child, kind === 'rooms' ? 'stderr' : 'stdout');
		for (;;) {
			const text = await line();
			const at = kind === 'rooms' ? /"at":"http:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1] : text;
			if (at) {
				server.port = Number(at);
				return server;
			}
		}
	}

	/** What it keeps, in KiB (Pss). */
	get memory() {
		const text = readFileSync(`/proc/${this.child.pid}/smaps_rollup`, 'latin1');
		return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]);
	}

	/** Descriptors that it has open. */
	get files() {
		return readdirSync(`/proc/${this.child.pid}/fd`).length;
	}

	/** Processor time so far, in seconds. */
	get cpu() {
		const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
		return (Number(fields[11]) + Number(fields[12])) / 100;
	}

	async end() {
		await kill(this.child);
	}
}

export class Load {
	/** @param {Server} server @param {number} users @param {string} [tokens] a file */
	constructor(server, users, tokens) {
		const kind = server.kind === 'rooms' ? 'rooms' : 'relay';
		this.child = start(join(built, 'bench-rooms-load'), [String(server.port), kind, String(users), ...(tokens ? [tokens] : [])], {stdio: ['pipe', 'pipe', 'inherit']});
		this.line = lines(this.child, 'stdout');
	}

	/** Plays a phase. @param {...(string | number)} words @returns {Promise<any>} what it measured */
	async play(...words) {
		this.child.stdin?.write(`${words.join(' ')}\n`);
		return JSON.parse(await this.line());
	}

	async end() {
		await kill(this.child);
	}
}
