/** Runs a test file inside an embedded desktop of its own. */
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** Longer than any file takes; a test that hangs is ended, and so is its desktop. */
const LIMIT_MS = 900_000;
/** Drawings a second. Without a GPU each costs Mutter 25 ms, so 30 would take most of a core from what is tested. */
const RATE = '10';
/** Of the screen, for the same reason: 1920x1080 takes half as long again. Files about pictures' sizes name theirs. */
const SIZE = '1280x720';

const withDesktop = fileURLToPath(new URL('../../desktop/with-desktop', import.meta.url));

/** REAL=1 puts the real desktop where the scripted one would do. @param {string} option */
const real = (option) => (option === 'scripted' && process.env.REAL ? 'mutter' : option);

/**
 * Returns inside the desktop. Called outside, it starts the desktop with this same file in it, waits, and exits: the
 * test runner's protocol goes through, since it is on the standard output that both share.
 * @param {string} url of the file
 * @param {string[]} options  of with-desktop
 */
export async function insideDesktop(url, options) {
	if (process.env.PORTLIGHT_DESKTOP) {
		return;
	}
	const command = [process.execPath, ...process.execArgv, fileURLToPath(url)];
	// E2E_VERBOSE=1 tells what happens on the desktop, and when.
	const verbose = process.env.E2E_VERBOSE ? ['--verbose'] : [];
	const run = spawnSync(withDesktop, ['--rate', RATE, '--size', SIZE, ...options.map(real), ...verbose, '--', ...command], {stdio: 'inherit', timeout: LIMIT_MS});
	if (run.error) {
		throw run.error;
	}
	process.exit(run.status ?? 1);
}
