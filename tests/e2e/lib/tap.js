/** Keeps what portlight-host says to the browser, and makes a video of the frames in it. */
import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

export class HostTap {
	/** @param {string} folder  for the dump */
	constructor(folder) {
		/** What the browser is to start instead of the host. */
		this.program = join(root, 'tests/tools/host-tap');
		this.dump = join(folder, 'host.dump');
		this.env = {PORTLIGHT_DUMP: this.dump};
	}

	/**
	 * Muxes the first share's frames as they came from the capture helper.
	 * @param {string} path
	 * @returns {Promise<{codec: string, frames: number}>} and more: what webm-from-dump says of the file
	 */
	async writeWebm(path) {
		const {stdout} = await run(join(root, 'build/tests/webm-from-dump'), [this.dump, path]);
		return JSON.parse(stdout);
	}
}
