/** Our processes, as the kernel shows them: found by parentage, never by name alone. */
import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';

/**
 * @typedef {object} Proc
 * @property {number} pid
 * @property {number} ppid
 * @property {string} name  the kernel's, at most 15 characters
 * @property {string} start  tells a process from a later one of the same id
 */

/** How long something may take that is to happen. No test fails by less. */
export const CAP_MS = 20_000;

/** The kernel's names of our programs. */
const names = {host: 'portlight-host', capture: 'portlight-captu'};

/**
 * @param {string} path
 * @returns {string} '' when the process is gone
 */
function read(path) {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return '';
	}
}

/** @returns {Proc[]} */
export function allProcesses() {
	const found = [];
	for (const entry of readdirSync('/proc')) {
		const stat = /^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : '';
		const open = stat.indexOf('(');
		const close = stat.lastIndexOf(')');
		if (open < 0) {
			continue;
		}
		const rest = stat.slice(close + 2).split(' ');
		if (rest[0] !== 'Z') {
			found.push({pid: Number(entry), ppid: Number(rest[1]), name: stat.slice(open + 1, close), start: rest[19]});
		}
	}
	return found;
}

/**
 * @param {number} root
 * @returns {Proc[]} its descendants
 */
export function descendants(root) {
	const all = allProcesses();
	const inside = new Set([root]);
	for (let grew = true; grew; ) {
		grew = false;
		for (const p of all) {
			if (!inside.has(p.pid) && inside.has(p.ppid)) {
				inside.add(p.pid);
				grew = true;
			}
		}
	}
	return all.filter((p) => p.pid !== root && inside.has(p.pid));
}

/**
 * Nanoseconds on a CPU, all threads, and MiB resident, now and at most.
 * @param {number} pid
 */
export function usage(pid) {
	const status = read(`/proc/${pid}/status`);
	/** @param {string} key */
	const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024;
	let cpuNs = 0;
	let threads = /** @type {string[]} */ ([]);
	try {
		threads = readdirSync(`/proc/${pid}/task`);
	} catch {
		// Gone: no threads.
	}
	for (const tid of threads) {
		cpuNs += Number(read(`/proc/${pid}/task/${tid}/schedstat`).split(' ')[0] || 0);
	}
	return {cpuNs, rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM')};
}

/** Watches for portlight-host and portlight-capture among a browser's descendants. */
export class OurProcesses {
	/** @param {number} browserPid */
	constructor(browserPid) {
		this.browserPid = browserPid;
		/** All that were ever seen. @type {Map<number, Proc>} */
		this.seen = new Map();
	}

	/** @returns {{hosts: Proc[], captures: Proc[]}} those alive now, also when their parents are gone */
	now() {
		for (const p of descendants(this.browserPid)) {
			if (p.name === names.host || p.name === names.capture) {
				this.seen.set(p.pid, p);
			}
		}
		const alive = allProcesses();
		/** @param {Proc} p */
		const known = (p) => {
			const before = this.seen.get(p.pid);
			return before !== undefined && before.start === p.start;
		};
		return {
			hosts: alive.filter((p) => p.name === names.host && known(p)),
			captures: alive.filter((p) => p.name === names.capture && known(p)),
		};
	}

	/**
	 * Waits until nothing that was seen is left.
	 * @returns {Promise<{ms: number, left: Proc[]}>} how long it took, and what is left where it does not happen
	 */
	async gone() {
		const begin = performance.now();
		for (;;) {
			const {hosts, captures} = this.now();
			const left = [...hosts, ...captures];
			const ms = Math.round(performance.now() - begin);
			if (left.length === 0 || ms > CAP_MS) {
				return {ms, left};
			}
			await sleep(20);
		}
	}
}
