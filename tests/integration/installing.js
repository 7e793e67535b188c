/** A home of its own, and `portlight` run in it. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {program} from './recording.js';

export const name = 'org.portlight.host';
export const host = join(dirname(program), 'portlight-host');
export const chromium = `.config/chromium/NativeMessagingHosts/${name}.json`;
export const firefox = `.mozilla/native-messaging-hosts/${name}.json`;

/** A command that can do what it likes here, as root too, sees no more than its file's modes allow. */
export const ordinary = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];

export class Home {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'portlight-home-'));
		const unset = {XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, WAYLAND_DISPLAY: undefined, DISPLAY: undefined};
		const nowhere = {XDG_RUNTIME_DIR: this.folder, DBUS_SESSION_BUS_ADDRESS: undefined, PIPEWIRE_RUNTIME_DIR: undefined};
		/** @type {NodeJS.ProcessEnv} */
		this.env = {...process.env, ...unset, ...nowhere, HOME: this.folder};
	}

	remove() {
		rmSync(this.folder, {recursive: true, force: true});
	}

	/** @param {...string} args  after `portlight` */
	run(...args) {
		return this.runAs([], ...args);
	}

	/** @param {string[]} through  what starts it @param {...string} args */
	runAs(through, ...args) {
		const [command, ...rest] = [...through, program, ...args];
		return spawnSync(command, rest, {env: this.env, encoding: 'utf8'});
	}

	/** The result of a run with --json. @param {...string} args */
	json(...args) {
		return JSON.parse(this.run(...args, '--json').stdout);
	}

	/** @param {string} path */
	path(path) {
		return join(this.folder, path);
	}

	/** Leaves traces of a browser that has run. @param {...string} folders  the browsers' own */
	browse(...folders) {
		for (const folder of folders) {
			mkdirSync(this.path(join(folder, 'a profile')), {recursive: true});
		}
	}

	/** @param {string} path @param {string | Buffer} content */
	write(path, content) {
		mkdirSync(dirname(this.path(path)), {recursive: true});
		writeFileSync(this.path(path), content);
	}

	/** @param {string} path */
	read(path) {
		return readFileSync(this.path(path), 'utf8');
	}

	/** @param {string} path */
	manifest(path) {
		return JSON.parse(this.read(path));
	}

	/** All that is below it. @returns {string[]} */
	tree() {
		return /** @type {string[]} */ (readdirSync(this.folder, {recursive: true})).sort();
	}

	/** The files of these. */
	files() {
		return this.tree().filter((path) => statSync(this.path(path)).isFile());
	}
}
