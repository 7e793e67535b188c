/** Processes of the benchmark: each is ended when the benchmark ends, whatever way. */
import {spawn} from 'node:child_process';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Starts a program that the kernel kills when this one is killed.
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function start(program, args, options) {
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], options);
	running.add(child);
	child.on('exit', () => running.delete(child));
	return child;
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} its output
 */
export function run(program, args, env = process.env) {
	const child = start(program, args, {stdio: ['ignore', 'pipe', 'pipe'], env});
	let out = '';
	let errors = '';
	child.stdout?.on('data', (data) => (out += data));
	child.stderr?.on('data', (data) => (errors += data));
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (status, signal) => {
			if (status === 0) {
				resolve(out);
			} else {
				reject(new Error(`${program} ${signal ?? `exited with ${status}`}: ${errors.trim().split('\n').slice(-12).join(' | ')}`));
			}
		});
	});
}

/** Ends what still runs, and waits for it. */
export async function endAll() {
	await Promise.all(
		[...running].map(
			(child) =>
				new Promise((resolve) => {
					const force = setTimeout(() => child.kill('SIGKILL'), 10000);
					child.on('exit', () => {
						clearTimeout(force);
						resolve(null);
					});
					child.kill('SIGTERM');
				}),
		),
	);
}
