/**
 * Networks of a test's own: one for it and for the browsers that it starts as always (`here`), one for whoever is `there`, and
 * between them a server, which both reach and which carries nothing from one to the other. Each of the two has two cables to
 * the server, of which the first is plugged in; the first one `here` can be slow and lose frames. Nothing leaves the machine, and
 * no root is needed where the kernel lets people make namespaces. All of it goes with the processes in it.
 */
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

/** The server's address, for both. */
export const SERVER = '10.77.0.1';
/** Longer than any file takes. */
const LIMIT_MS = 900_000;
const enter = ['--user', '--map-current-user', '--keep-caps', '--net'];
const slowLink = fileURLToPath(new URL('slow-link', import.meta.url));

/** @returns {string} what is missing for that here, or '' */
function missing() {
	for (const program of ['ip', 'ethtool', 'turnserver', 'nsenter']) {
		if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) {
			return `there is no ${program}; packaging/install-deps rooms installs it`;
		}
	}
	const {status, stderr} = spawnSync('unshare', [...enter, 'true'], {encoding: 'utf8'});
	return status === 0 ? '' : `the kernel gives this user no network namespace: ${stderr.trim()}`;
}

/**
 * Goes on inside the network `here`. Called outside, it starts this same file in it, waits, and exits.
 * @param {string} url of the file
 * @returns {boolean} false where there can be none; that is then a skipped test
 */
export function enterNetwork(url) {
	if (process.env.PORTLIGHT_NETWORK) {
		return true;
	}
	const lack = missing();
	if (lack) {
		test('calls across networks', {skip: lack}, () => {});
		return false;
	}
	const command = [process.execPath, ...process.execArgv, fileURLToPath(url)];
	const env = {...process.env, PORTLIGHT_NETWORK: '1'};
	const run = spawnSync('unshare', [...enter, ...command], {stdio: 'inherit', env, timeout: LIMIT_MS});
	if (run.error) {
		throw run.error;
	}
	process.exit(run.status ?? 1);
}

/** @param {string} program @param {...(string | number)} args */
function run(program, ...args) {
	const {status, stderr, error} = spawnSync(program, args.map(String), {encoding: 'utf8'});
	assert.equal(status, 0, `${program} ${args.join(' ')}: ${error ?? stderr}`);
}

/** @typedef {'here' | 'there'} Place */

export class Networks {
	/** Processes that keep a namespace. @type {Record<string, import('node:child_process').ChildProcess>} */
	holders = {};
	/** @type {import('node:child_process').ChildProcess[]} */
	started = [];

	async open() {
		run('ip', 'link', 'set', 'lo', 'up');
		for (const name of ['there', 'server', 'slow']) {
			const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo && exec cat >/dev/null'], {stdio: ['pipe', 'pipe', 'inherit']});
			this.holders[name] = holder;
			await once(holder.stdout, 'data');
		}
		run(...this.in('server', 'ip', 'address', 'add', `${SERVER}/32`, 'dev', 'lo'));
		for (const [place, net] of /** @type {const} */ ([['here', 1], ['there', 2]])) {
			for (const cable of [1, 2]) {
				await this.#lay(place, cable, `10.77.${10 * net + cable}`);
			}
			this.plug(place, 1);
		}
	}

	/** @param {Place} place @param {number} cable @param {string} net its first three numbers */
	async #lay(place, cable, net) {
		const [near, far] = [`${place}${cable}`, `to-${place}${cable}`];
		if (place === 'here' && cable === 1) {
			const [one, other] = [`${near}-one`, `${near}-other`];
			this.#pair([near, place], [one, 'slow']);
			this.#pair([other, 'slow'], [far, 'server']);
			run(...this.in('slow', 'ip', 'link', 'set', one, 'up'));
			run(...this.in('slow', 'ip', 'link', 'set', other, 'up'));
			// Frames that are carried by hand have to be whole: with their checksums, and no longer than the link's.
			run(...this.in(place, 'ethtool', '-K', near, 'tx', 'off', 'tso', 'off', 'gso', 'off'));
			run(...this.in('server', 'ethtool', '-K', far, 'tx', 'off', 'tso', 'off', 'gso', 'off'));
			this.link = await this.start(this.in('slow', slowLink, one, other), /ready/);
		} else {
			this.#pair([near, place], [far, 'server']);
		}
		run(...this.in(place, 'ip', 'address', 'add', `${net}.2/24`, 'dev', near));
		run(...this.in('server', 'ip', 'address', 'add', `${net}.1/24`, 'dev', far));
		run(...this.in('server', 'ip', 'link', 'set', far, 'up'));
	}

	/** A cable between two networks. @param {...[string, Place | 'server' | 'slow']} ends */
	#pair(...ends) {
		run('ip', 'link', 'add', ends[0][0], 'type', 'veth', 'peer', 'name', ends[1][0]);
		for (const [name, place] of ends) {
			if (place !== 'here') {
				run('ip', 'link', 'set', name, 'netns', this.#pid(place));
			}
		}
	}

	/** Starts a program that ends with us, and waits until it says that it is ready. @param {string[]} command @param {RegExp} ready */
	async start([program, ...args], ready) {
		const child = spawn(program, args, {stdio: ['pipe', 'pipe', 'inherit']});
		this.started.push(child);
		let said = '';
		await new Promise((resolve, reject) => {
			child.stdout.on('data', (piece) => ready.test((said += piece)) && resolve(said));
			child.once('exit', (status) => reject(new Error(`${program} ended with ${status} before it was ready.`)));
		});
		return child;
	}

	/** @param {string} name */
	#pid(name) {
		return /** @type {number} */ (this.holders[name].pid);
	}

	/** A command in that network. @param {Place | 'server' | 'slow'} place @param {...string} command @returns {[string, ...string[]]} */
	in(place, ...command) {
		return place === 'here' ? /** @type {[string, ...string[]]} */ (command) : ['nsenter', `--net=/proc/${this.#pid(place)}/ns/net`, ...command];
	}

	/** @param {Place} place @param {number} cable */
	plug(place, cable) {
		const name = `${place}${cable}`;
		run(...this.in(place, 'ip', 'link', 'set', name, 'up'));
		run(...this.in(place, 'ip', 'route', 'add', 'default', 'via', `10.77.${(place === 'here' ? 10 : 20) + cable}.1`, 'dev', name));
	}

	/** The first cable `here`, each way. @param {{delayMs: number, lossPercent: number}} how */
	async slow({delayMs, lossPercent}) {
		assert(this.link);
		const {stdin, stdout} = this.link;
		stdin.write(`${delayMs} ${lossPercent}\n`);
		await once(stdout, 'data');
	}

	/** @param {Place} place @param {number} cable */
	unplug(place, cable) {
		run(...this.in(place, 'ip', 'link', 'set', `${place}${cable}`, 'down'));
	}

	/** A program that runs another one there, as a browser that is there. @param {string} folder @param {string} program */
	wrapper(folder, program) {
		const path = `${folder}/there`;
		writeFileSync(path, `#!/bin/sh\nexec ${this.in('there', program).join(' ')} "$@"\n`, {mode: 0o755});
		return path;
	}

	async close() {
		for (const child of [...this.started, ...Object.values(this.holders)]) {
			if (child.exitCode === null && child.signalCode === null) {
				const ended = once(child, 'exit');
				child.kill();
				await ended;
			}
		}
	}
}
