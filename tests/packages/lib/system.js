/**
 * Debian systems to install packages in: layers over the bare system of tests/systems/in-chroot. A layer that only gets
 * packages of Debian is kept for the next run; what a test does goes to a layer that ends with it. Needs root.
 */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {output, root} from './deb.js';

const cache = process.env.PORTLIGHT_SYSTEMS ?? '/var/cache/portlight/systems';
/** The Debian that runs here: packages built here fit no other. */
export const suite = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';

/** Why there can be no system here; false: there can. @type {string | false} */
export const missing =
	process.getuid?.() !== 0
		? 'this needs root, to make systems and to enter them. Remedy: run it with sudo'
		: !['bookworm', 'trixie'].includes(suite) && 'tests/systems/in-chroot makes Debian 12 and 13 only, and packages that are built here fit no other system';

// A network of its own would be the caller's; processes and mounts are the system's, and end with the script.
const inside = `
lower=$1 upper=$2 script=$3
mkdir -p "$upper.work" "$upper.root"
system=$upper.root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work" "$system"
mount -t proc proc "$system/proc"
mount --rbind /sys "$system/sys"
mount --rbind /dev "$system/dev"
mount -t tmpfs -o mode=1777 tmpfs "$system/tmp"
mount -t tmpfs -o mode=755 tmpfs "$system/run"
exec chroot "$system" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \\
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -euc "$script"`;

export class System {
	/** @type {string[]} newest first */
	#lower;
	#upper;

	/** @param {string[]} lower @param {string} upper */
	constructor(lower, upper) {
		this.#lower = lower;
		this.#upper = upper;
		mkdirSync(join(upper, 'srv'), {recursive: true});
		chmodSync(upper, 0o755);
		mkdirSync(join(upper, 'etc'), {recursive: true});
		copyFileSync('/etc/resolv.conf', join(upper, 'etc/resolv.conf'));
	}

	/** Files for the system, in its /srv. @param {...string} files */
	bring(...files) {
		for (const file of files) {
			copyFileSync(file, join(this.#upper, 'srv', basename(file)));
		}
	}

	/** A folder or file of what was changed in the system. @param {string} path */
	path(path) {
		return join(this.#upper, path);
	}

	/** A script of the shell in the system, with its status. @param {string} script */
	attempt(script) {
		const args = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', 'sh', '-euc', inside, 'sh'];
		return spawnSync('unshare', [...args, this.#lower.join(':'), this.#upper, script], {
			encoding: 'utf8',
			maxBuffer: 1 << 28,
		});
	}

	/** What a script that works says on its standard output. @param {string} script */
	run(script) {
		const done = this.attempt(script);
		assert.equal(done.status, 0, `${script}\n${done.stdout.slice(-4000)}${done.stderr.slice(-8000)}`);
		return done.stdout;
	}

	/** Every path below /, but for the journals of dpkg and apt, with mode, owner, target and content. */
	snapshot() {
		const others = ['/proc', '/sys', '/dev', '/tmp', '/run', '/srv', '/var/lib/dpkg', '/var/lib/apt', '/var/cache', '/var/log'];
		const apart = others.map((path) => `-path ${path}`).join(' -o ');
		const [entries, sums] = this.run(`
			find / \\( ${apart} \\) -prune -o -printf '%p\\t%y %m %u:%g %l\\n'
			echo
			find / \\( ${apart} \\) -prune -o -type f -exec sha256sum {} +`).split('\n\n');
		/** @type {Map<string, string>} */
		const found = new Map();
		for (const line of entries.split('\n')) {
			const [path, what] = line.split('\t');
			found.set(path, what);
		}
		for (const [, sum, path] of sums.matchAll(/^\\?([0-9a-f]{64}) {2}(.*)$/gm)) {
			found.set(path, `${found.get(path)} ${sum}`);
		}
		return found;
	}

	/** Ends the system, whose layer becomes this folder. @param {string} folder */
	keep(folder) {
		renameSync(this.#upper, folder);
		this.remove();
	}

	remove() {
		for (const folder of [this.#upper, `${this.#upper}.work`, `${this.#upper}.root`]) {
			rmSync(folder, {recursive: true, force: true});
		}
	}
}

/** The bare system of this Debian, as a list of layers. @returns {string[]} */
export const bare = () => [output(join(root, 'tests/systems/in-chroot'), ['--make', suite]).trim()];

/**
 * A system with more packages of Debian, kept for the next run.
 * @param {string} name
 * @param {string[]} lower
 * @param {string} script
 * @param {{files?: string[], key?: string}} [options] files for /srv; key: what of them makes another layer
 * @returns {string[]}
 */
export function layer(name, lower, script, {files = [], key = ''} = {}) {
	const hash = createHash('sha256').update([...lower.map((path) => basename(path)), script, key].join('\n')).digest('hex').slice(0, 12);
	const folder = join(cache, `${suite}.${name}.${hash}`);
	if (!existsSync(folder)) {
		const system = new System(lower, mkdtempSync(`${folder}.new-`));
		system.bring(...files);
		// Nothing is started in it.
		const quiet = "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d";
		system.run(`${quiet}; apt-get -qq update; ${script}; apt-get clean`);
		system.keep(folder);
	}
	return [folder, ...lower];
}

/** A system for a test to change. @param {string[]} lower */
export const fresh = (lower) => new System(lower, mkdtempSync(join(tmpdir(), 'portlight-system-')));
