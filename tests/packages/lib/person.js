/** A person with a home of their own, who starts browsers as people do: by name, with an address, and nothing else. */
import {spawn} from 'node:child_process';
import {chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {descendants} from '../../e2e/lib/processes.js';
import {NOBODY} from './machine.js';

/** @typedef {import('../../e2e/lib/browser.js').Kind} Kind */

const programs = {firefox: 'firefox-esr', chromium: 'chromium'};

export class OpenBrowser {
	/** @param {import('node:child_process').ChildProcess} child */
	constructor(child) {
		this.child = child;
	}

	get running() {
		return this.child.exitCode === null && this.child.signalCode === null;
	}

	/**
	 * The person closes its window; nothing of the browser is left.
	 * @param {() => Promise<unknown>} closeWindow
	 */
	async close(closeWindow) {
		const below = this.#all();
		for (let tries = 200; this.running; tries--) {
			if (tries % 50 === 0) {
				await closeWindow();
			}
			if (tries === 0) {
				throw new Error('The browser does not close.');
			}
			await sleep(100);
		}
		await gone(below);
	}

	/** Ends what is left of it, as the end of a session does. */
	async end() {
		const below = this.#all();
		below.forEach(({pid}) => process.kill(pid, 'SIGKILL'));
		await gone(below);
	}

	#all() {
		const pid = /** @type {number} */ (this.child.pid);
		return [{pid, start: startOf(pid)}, ...descendants(pid)].filter(({start}) => start !== '');
	}
}

/** @param {{pid: number, start: string}[]} processes */
async function gone(processes) {
	for (const {pid, start} of processes) {
		while (startOf(pid) === start) {
			await sleep(20);
		}
	}
}

/** @param {number} pid @returns {string} '' where there is none */
function startOf(pid) {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
		const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return rest[0] === 'Z' ? '' : rest[19];
	} catch {
		return '';
	}
}

export class Person {
	/** @param {NodeJS.ProcessEnv} desktop the environment of the desktop's programs */
	constructor(desktop) {
		this.home = mkdtempSync(join(tmpdir(), 'person-'));
		chownSync(this.home, NOBODY, NOBODY);
		const unset = {XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined, XDG_DATA_HOME: undefined, XDG_STATE_HOME: undefined};
		this.env = {...desktop, ...unset, HOME: this.home, USER: 'nobody'};
	}

	/** @param {Kind} kind @param {string} url */
	open(kind, url) {
		const output = openSync(join(this.home, `${kind}.log`), 'a');
		const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
		const child = spawn('setpriv', [...who, programs[kind], url], {
			cwd: this.home,
			env: this.env,
			stdio: ['ignore', output, output],
		});
		closeSync(output);
		return new OpenBrowser(child);
	}

	/** Their home goes with them. */
	leave() {
		rmSync(this.home, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
	}
}
