/** The person's own desktop: what it must have, and the marker on it. */
import {execFile, spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {Failure} from './failure.js';

const marker = fileURLToPath(new URL('../../desktop/marker', import.meta.url));

/** Rejects with a Failure where the session has no ScreenCast portal. */
export async function checkPortal() {
	const call = ['call', '--session', '--timeout', '30', '--dest', 'org.freedesktop.portal.Desktop'];
	const object = ['--object-path', '/org/freedesktop/portal/desktop'];
	const property = ['org.freedesktop.DBus.Properties.Get', 'org.freedesktop.portal.ScreenCast', 'version'];
	try {
		await promisify(execFile)('gdbus', [...call, ...object, '--method', ...property]);
	} catch {
		throw new Failure(
			'this session has no ScreenCast portal',
			'Install xdg-desktop-portal and the backend of your desktop, or use DESKTOP=embedded.',
		);
	}
}

/**
 * Puts up the marker in a window of its own, and waits until it has drawn.
 * @returns {Promise<() => void>} takes it away again
 */
export async function showMarker() {
	const child = spawn(marker, ['--size', '420x300'], {stdio: ['ignore', 'pipe', 'inherit']});
	await new Promise((resolve, reject) => {
		child.stdout.once('data', resolve);
		child.once('error', reject);
		child.once('exit', (status) =>
			reject(new Failure(`the marker window could not be shown (status ${status})`, 'Its own words are above. Or use DESKTOP=embedded.')),
		);
	});
	return () => void child.kill();
}
