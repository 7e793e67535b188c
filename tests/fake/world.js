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
/** How long anything may take that has to happen; no test is about it. In ms. */
export const patience = 20_000;

/**
 * Asks again and again until it is so.
 * @template T
 * @param {string} what  is waited for
 * @param {() => T | Promise<T>} done
 * @param {number} [every]  in ms
 * @returns {Promise<T>} what it became, if not false
 */
export async function until(what, done, every = 10) {
	const end = performance.now() + patience;
	for (;;) {
		const came = await done();
		if (came) {
			return came;
		}
		assert.ok(performance.now() < end, `${what}: not within ${patience} ms`);
		await sleep(every);
	}
}

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

/** Waits until it has nothing to do, or waits for whoever reads what it writes. @param {number} pid */
export async function idle(pid) {
	let before = -1;
	const rests = () => {
		const used = cpuMs(pid) - before;
		before += used;
		return used === 0;
	};
	await until(`process ${pid} rests`, rests, 200);
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
			XDG_CONFIG_HOME: join(this.folder, 'config'),
			DBUS_SESSION_BUS_ADDRESS: '',
		};
		delete this.env.DISPLAY;
		/** @type {{method: string, path?: string, property?: string, options?: any, helpers?: number}[]} calls that the portal got */
		this.calls = [];
		/** How often the portal was told something, and has done it. */
		this.tellings = {begun: 0, done: 0};
		/** @type {Browser[]} */
		this.browsers = [];
	}

	/** A world with a bus and a helper. */
	static async begin() {
		const world = new World();
		world.addCapture();
		await world.startBus();
		return world;
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
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		const lines = createInterface({input: this.portal.stdout});
		await once(lines, 'line');
		lines.on('line', (line) => {
			const said = JSON.parse(line);
			if ('told' in said) {
				this.tellings.done++;
			} else {
				this.calls.push(said);
			}
		});
	}

	/**
	 * Has the portal do something more, and waits until it is done.
	 * @param {'answer' | 'decline' | 'close' | object} what  see fake-portal
	 */
	async tell(what) {
		const count = ++this.tellings.begun;
		this.portal?.stdin.write(`${JSON.stringify(what)}\n`);
		await until(`the portal does ${JSON.stringify(what)}`, () => this.tellings.done === count);
	}

	/**
	 * What the portal got of one method until now: its word of each call may come after the host's answer.
	 * @param {string} method
	 */
	async callsOf(method) {
		await this.tell({});
		return this.calls.filter((call) => call.method === method);
	}

	/**
	 * Has the portal give the answer that it holds, once the host knows where it will come.
	 * @param {string} method
	 * @param {Browser} browser
	 * @param {'answer' | 'decline'} [answer]
	 */
	async answer(method, browser, answer = 'answer') {
		await this.called(method);
		// The reply to a call that follows comes behind the one to METHOD.
		await this.tell({create: 'error'});
		assert.equal((await browser.share()).code, 'portal-error');
		await this.tell(answer);
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
	 * A browser whose host has said hello.
	 * @param {NodeJS.ProcessEnv} [env]
	 * @param {string[]} [args]
	 */
	async greeted(env, args) {
		const browser = this.browse(env, args);
		assert.equal((await browser.hello()).type, 'result');
		return browser;
	}

	/**
	 * Waits for a call to the portal, the first of that method.
	 * @param {string} method
	 */
	async called(method) {
		await until(`the portal gets ${method}`, () => this.calls.some((call) => call.method === method));
		return this.calls.filter((call) => call.method === method)[0];
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

	/** Pids of the helpers, from when they run as such on: before, each is a copy of its host, which waits for it. */
	helpers() {
		const program = join(this.folder, 'portlight-capture');
		return this.processes().filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program);
			} catch {
				return false; // It ended while we looked.
			}
		});
	}

	/** What a process was started with, after its name. @param {number} pid */
	argumentsOf(pid) {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
	}

	/** Waits until nothing of ours is left. */
	async empty() {
		await until('no process is left', () => this.processes().length === 0);
	}

	/**
	 * The end of each test: hangs up, looks whether all went well, and leaves nothing behind either way.
	 * @param {{clean?: boolean}} [wish]  clean: every host ended with 0 by itself
	 */
	async close({clean = false} = {}) {
		try {
			for (const browser of this.browsers) {
				browser.hangUp();
				await until('the host leaves', () => browser.left);
				const exited = await browser.exited;
				if (clean) {
					assert.deepEqual(exited, {code: 0, signal: null}, browser.log);
				}
				assert.doesNotMatch(browser.log, /Sanitizer|runtime error|CRITICAL/);
			}
			await this.empty();
		} finally {
			await this.finish();
		}
	}

	async finish() {
		// Helpers too, which may hold a host's pipes open.
		for (const pid of this.processes()) {
			try {
				process.kill(pid, 'SIGKILL');
			} catch {
				// It has ended since.
			}
		}
		for (const browser of this.browsers) {
			await browser.finish();
		}
		await this.empty();
		await this.stopPortal();
		await this.stopBus();
		rmSync(this.folder, {recursive: true, force: true});
	}
}
