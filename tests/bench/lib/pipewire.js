/** A private PipeWire daemon with its session manager, of the system's versions and none of its configuration. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {start} from './children.js';

const config = fileURLToPath(new URL('../../fake/pipewire.conf', import.meta.url));

/** @returns {Promise<{env: NodeJS.ProcessEnv, close: () => void}>} close() removes its folder; endAll() ends it */
export async function startPipeWire() {
	const folder = mkdtempSync(join(tmpdir(), 'portlight-bench-'));
	const {PIPEWIRE_REMOTE: _remote, PIPEWIRE_RUNTIME_DIR: _folder, ...rest} = process.env;
	const env = {
		...rest,
		XDG_RUNTIME_DIR: folder,
		XDG_STATE_HOME: folder,
		XDG_CONFIG_HOME: folder,
		DBUS_SESSION_BUS_ADDRESS: 'disabled:',
		GST_REGISTRY: join(folder, 'gstreamer-registry'),
	};
	start('pipewire', ['-c', config], {env, stdio: 'ignore'});
	for (let tries = 0; !existsSync(join(folder, 'pipewire-0')); tries++) {
		if (tries === 500) {
			throw new Error('the PipeWire daemon did not start within 5 s');
		}
		await sleep(10);
	}
	start('wireplumber', ['-c', 'policy.conf'], {env, stdio: 'ignore'});
	await sleep(300);
	return {env, close: () => rmSync(folder, {recursive: true, force: true})};
}
