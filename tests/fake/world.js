/**
 * A place to run portlight-host in without a desktop: a private bus, a scripted portal on it, and a copy of the host
 * with a scripted capture helper beside it. The host's path comes from PORTLIGHT_HOST, or is the release build's.
 */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {Browser} from './browser.js';

const here = fileURLToPath(new URL('.', import.meta.url));
export const hostProgram = process.env.PORTLIGHT_HOST ?? join(here, '../../build/bin/portlight-host');

/**
 * @param {number} pid
 * @returns {string[]} the fields of its stat file from the state on; none when it is gone
 */
function stat(pid) {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
		return text.slice(text.lastIndexOf(')') + 2).split(' ');
	} catch {
		return [];
	}
}

/** Pids of a process's children, zombies left out. @param {number} pid */
export function children(pid) {
	const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
	return pids.filter((one) => {
		const [state, parent] = stat(one);
		return Number(parent) === pid && state !== 'Z';
	});
}

/** Processor time that it used so far. @param {number} pid */
export function cpuMs(pid) {
	const fields = stat(pid);
	// In ticks, of which Linux tells user space that there are 100 a second.
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** @param {number} pid */
export function residentMiB(pid) {
	return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} [signal]
 */
async function end(child, signal = 'SIGTERM') {
	if (child.exitCode === null && child.signalCode === null) {
		child.kill(signal);
		await once(child, 'exit');
	}
}

export class World {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'portlight-test-'));
		this.host = join(this.folder, 'portlight-host');
		if (!existsSync(hostProgram)) {
			throw new Error(`${hostProgram} is not built; run make programs`);
		}
		copyFileSync(hostProgram, this.host);
		/** The folder where the host keeps grants. */
		this.state = join(this.folder, 'state/portlight');
		/** @type {NodeJS.ProcessEnv} */
		this.env = {
			...process.env,
			XDG_RUNTIME_DIR: this.folder,
			XDG_STATE_HOME: join(this.folder, 'state'),
			DBUS_SESSION_BUS_ADDRESS: '',
		};
		delete this.env.DISPLAY;
		/** @type {{method: string, path?: string, options?: any}[]} calls that the portal got */
		this.calls = [];
		/** @type {Browser[]} */
		this.browsers = [];
	}

	async startBus() {
		// A fixed path, as a login session's: a bus that is started again is found there.
		const address = `unix:path=${this.folder}/bus`;
		const options = [`--config-file=${here}portal/bus.conf`, '--nofork', '--print-address=1', `--address=${address}`];
		this.bus = spawn('dbus-daemon', options, {stdio: ['ignore', 'pipe', 'ignore']});
		await once(this.bus.stdout, 'data');
		this.env.DBUS_SESSION_BUS_ADDRESS = address;
	}

	async stopBus() {
		if (this.bus !== undefined) {
			await end(this.bus);
		}
	}

	/** @param {object} [script]  see fake-portal */
	async startPortal(script = {}) {
		await this.stopPortal();
		this.portal = spawn(join(here, 'portal/fake-portal'), [JSON.stringify(script)], {
			env: this.env,
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const lines = createInterface({input: this.portal.stdout});
		await once(lines, 'line');
		lines.on('line', (line) => this.calls.push(JSON.parse(line)));
	}

	async stopPortal() {
		if (this.portal !== undefined) {
			await end(this.portal);
		}
	}

	/** Puts the scripted helper beside the host. */
	addCapture() {
		copyFileSync(join(here, 'capture/fake-capture'), join(this.folder, 'portlight-capture'));
	}

	/**
	 * @param {NodeJS.ProcessEnv} [env]
	 * @param {string[]} [args]
	 */
	browse(env = {}, args = undefined) {
		const browser = new Browser(this.host, {env: {...this.env, ...env}, args});
		this.browsers.push(browser);
		return browser;
	}

	/**
	 * Waits for a call to the portal.
	 * @param {string} method
	 */
	async called(method) {
		for (let i = 0; i < 200; i++) {
			const call = this.calls.find((one) => one.method === method);
			if (call !== undefined) {
				return call;
			}
			await sleep(20);
		}
		throw new Error(`the portal got no ${method}; it got ${JSON.stringify(this.calls)}`);
	}

	/** Process ids of the host copy and of the helper beside it: whoever runs, or was started with, this folder's. */
	processes() {
		const found = [];
		for (const name of readdirSync('/proc')) {
			if (!/^\d+$/.test(name)) {
				continue;
			}
			try {
				const program = readlinkSync(`/proc/${name}/exe`);
				const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
				const zombie = line === '';
				if (!zombie && (program.startsWith(this.folder) || line.includes(`${this.folder}/portlight-`))) {
					found.push(Number(name));
				}
			} catch {
				// It ended while we looked, or is not ours to see.
			}
		}
		return found;
	}

	/**
	 * @param {number} [patience]  in ms
	 * @returns {Promise<boolean>} nothing of ours is left
	 */
	async empty(patience = 1000) {
		const until = Date.now() + patience;
		while (this.processes().length > 0) {
			if (Date.now() > until) {
				return false;
			}
			await sleep(20);
		}
		return true;
	}

	/**
	 * The end of each test: hangs up, looks whether all went well, and leaves nothing behind either way.
	 * @param {{clean?: boolean}} [wish]  clean: every host ended with 0 by itself
	 */
	async close({clean = false} = {}) {
		try {
			for (const browser of this.browsers) {
				browser.hangUp();
				const exited = await browser.exited;
				if (clean) {
					assert.deepEqual(exited, {code: 0, signal: null}, browser.log);
				}
				assert.doesNotMatch(browser.log, /Sanitizer|runtime error|CRITICAL/);
			}
			assert.ok(await this.empty(), 'no process is left');
		} finally {
			await this.finish();
		}
	}

	async finish() {
		for (const browser of this.browsers) {
			await browser.finish();
		}
		await this.empty();
		for (const pid of this.processes()) {
			process.kill(pid, 'SIGKILL');
		}
		await this.stopPortal();
		await this.stopBus();
		rmSync(this.folder, {recursive: true, force: true});
	}
}
