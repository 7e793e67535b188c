/** Runs a test file inside an embedded desktop of its own. */
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** Longer than any file takes; a test that hangs is ended, and so is its desktop. */
const LIMIT_MS = 600_000;

const withDesktop = fileURLToPath(new URL('../../desktop/with-desktop', import.meta.url));

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
	const run = spawnSync(withDesktop, [...options, ...verbose, '--', ...command], {stdio: 'inherit', timeout: LIMIT_MS});
	if (run.error) {
		throw run.error;
	}
	process.exit(run.status ?? 1);
}
