/** A machine of a test's own, whose packages it may change, and a desktop on it. */
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const privateMachine = fileURLToPath(new URL('private-machine', import.meta.url));
const withDesktop = fileURLToPath(new URL('../../desktop/with-desktop', import.meta.url));
/** Longer than any file takes; a test that hangs is ended, and so is its machine. */
const LIMIT_MS = 900_000;
/** Who uses the desktop where we are root: with-desktop's own choice. */
export const NOBODY = 65534;

/**
 * Goes on inside the machine. Called outside, it starts the machine with this same file in it, waits, and exits.
 * @param {string} url of the file
 * @returns {boolean} false where there can be no machine; that is then a skipped test
 */
export function enterMachine(url) {
	if (process.env.PORTLIGHT_MACHINE) {
		return true;
	}
	if (process.getuid?.() !== 0) {
		test('packages in real browsers', {skip: 'it needs root, to install packages in a machine of its own'}, () => {});
		return false;
	}
	const command = [process.execPath, ...process.execArgv, fileURLToPath(url)];
	const env = {...process.env, PORTLIGHT_MACHINE: '1'};
	const run = spawnSync(privateMachine, command, {stdio: 'inherit', env, timeout: LIMIT_MS, killSignal: 'SIGKILL'});
	if (run.error) {
		throw run.error;
	}
	process.exit(run.status ?? 1);
}

/** @param {string} program @param {...string} args @returns {string} what it printed */
export function run(program, ...args) {
	const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8'};
	const {status, stdout, stderr, error} = spawnSync(program, args, {encoding: 'utf8', env});
	if (status !== 0) {
		throw new Error(`${program} ${args.join(' ')}: ${error ?? `status ${status}`}\n${stdout}${stderr}`);
	}
	return stdout;
}

/**
 * Starts a desktop. Its socket is PORTLIGHT_DESKTOP of this process from here on, for tests/e2e/lib/desktop.js.
 * @returns {Promise<{env: NodeJS.ProcessEnv, end: () => Promise<void>}>} what programs on it have in their environment
 */
export async function startDesktop() {
	// No window but the browser's: keys go to it or to none.
	const options = ['--apps', 'none', '--size', '1280x720'];
	// Says what a program on the desktop sees, and keeps the desktop until nothing more comes.
	const hold = ['sh', '-c', 'env -0; echo; exec cat >/dev/null'];
	const child = spawn(withDesktop, [...options, '--', ...hold], {stdio: ['pipe', 'pipe', 'inherit']});
	let said = '';
	for await (const part of child.stdout) {
		said += part;
		if (said.endsWith('\0\n')) {
			break;
		}
	}
	if (!said.endsWith('\0\n')) {
		throw new Error('The desktop did not start; its reason is above.');
	}
	const env = Object.fromEntries(
		said
			.slice(0, -2)
			.split('\0')
			.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
	);
	process.env.PORTLIGHT_DESKTOP = env.PORTLIGHT_DESKTOP;
	return {
		env,
		end: async () => {
			child.stdin.end();
			if (child.exitCode === null) {
				await once(child, 'exit');
			}
		},
	};
}
