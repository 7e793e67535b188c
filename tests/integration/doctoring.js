/** A machine on which `portlight doctor` finds nothing wrong, to break one thing of. */
import Ajv from 'ajv';
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromiumId, firefoxId} from '../fake/browser.js';
import {until, World} from '../fake/world.js';
import {program} from './recording.js';

export const name = 'org.portlight.host';
export const version = spawnSync(program, ['--version'], {encoding: 'utf8'}).stdout.trim().split(' ')[1];
const root = fileURLToPath(new URL('../..', import.meta.url));
export const schema = JSON.parse(readFileSync(join(root, 'docs/doctor.schema.json'), 'utf8'));
const fits = new Ajv({allErrors: true}).compile(schema);

/**
 * @typedef {{status: string, code: string, text: string, remedy?: string, browser?: string, profile?: string,
 *   [detail: string]: string | number | undefined}} Check
 */

/** Starts a program that may see other folders of the system than the rest. @type {string[]} */
export const apart = process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--map-current-user', '--keep-caps', '--mount'];
const [first, ...others] = [...apart, 'sh', '-c', 'mount -t tmpfs tmpfs /usr/share/mozilla && mount -t tmpfs tmpfs /usr/share/chromium && test -d /etc/firefox-esr'];
const tried = spawnSync(first, others, {encoding: 'utf8'});
/** Why Machine.addPackage() can't be done here, or false. */
export const unmountable = tried.status !== 0 && `no mounts of one’s own here, or no firefox-esr and chromium: ${tried.stderr}`;

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
	if (child.exitCode === null && child.signalCode === null) {
		child.kill('SIGKILL');
		await once(child, 'exit');
	}
}

/** A PipeWire daemon of its own, with or without its session manager. */
export class PipeWire {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'portlight-pw-'));
		/** @type {import('node:child_process').ChildProcess[]} */
		this.children = [];
	}

	/** @param {string} command @param {string[]} args */
	run(command, args) {
		const folders = {XDG_RUNTIME_DIR: this.folder, XDG_STATE_HOME: this.folder, XDG_CONFIG_HOME: this.folder};
		const env = {...process.env, ...folders, HOME: this.folder, DBUS_SESSION_BUS_ADDRESS: 'disabled:'};
		this.children.push(spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {env, stdio: 'ignore'}));
	}

	/** @param {{manager: boolean}} wish */
	async start({manager}) {
		this.run('pipewire', ['-c', join(root, 'tests/fake/pipewire.conf')]);
		await until('PipeWire listens', () => existsSync(join(this.folder, 'pipewire-0')));
		if (manager) {
			// Its part that links streams; 0.5 has it as a profile.
			const split = existsSync('/usr/share/wireplumber/policy.conf');
			this.run('wireplumber', split ? ['-c', 'policy.conf'] : ['-p', 'policy']);
		}
	}

	async close() {
		for (const child of this.children) {
			await end(child);
		}
		rmSync(this.folder, {recursive: true, force: true});
	}
}

export class Machine extends World {
	/** @param {PipeWire} pipewire */
	constructor(pipewire) {
		super();
		this.home = join(this.folder, 'home');
		this.program = join(this.folder, 'portlight');
		this.capture = join(this.folder, 'portlight-capture');
		copyFileSync(program, this.program);
		copyFileSync(join(dirname(program), 'portlight-capture'), this.capture);
		const unset = {XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, PIPEWIRE_REMOTE: undefined};
		Object.assign(this.env, unset, {
			HOME: this.home,
			WAYLAND_DISPLAY: 'wayland-0',
			PIPEWIRE_RUNTIME_DIR: pipewire.folder,
		});
		/** @type {import('node:net').Server[]} */
		this.servers = [];
		/** What starts the program, before its own name. @type {string[]} */
		this.through = [];
	}

	/** Where all is well. @param {PipeWire} pipewire */
	static async well(pipewire) {
		const machine = new Machine(pipewire);
		await machine.listen('wayland-0');
		await machine.startBus();
		await machine.startPortal();
		machine.addFirefox();
		machine.addChromium();
		assert.equal((await machine.command('install')).status, 0);
		return machine;
	}

	/** A socket that takes connections and says nothing. @param {string} socket */
	async listen(socket) {
		/** @type {import('node:net').Socket[]} */
		const open = [];
		const server = createServer((one) => open.push(one));
		server.on('close', () => open.forEach((one) => one.destroy()));
		server.listen(join(this.folder, socket));
		await once(server, 'listening');
		this.servers.push(server);
		server.unref();
		return server;
	}

	/** @param {string} path below the home @param {string | Buffer | object} content */
	write(path, content) {
		const full = join(this.home, path);
		mkdirSync(dirname(full), {recursive: true});
		const plain = typeof content === 'string' || Buffer.isBuffer(content);
		writeFileSync(full, plain ? content : JSON.stringify(content));
		return full;
	}

	/** A program. @param {string} path @param {string} script  of the shell */
	script(path, script) {
		rmSync(path, {force: true});
		writeFileSync(path, `#!/bin/sh\n${script}\n`);
		chmodSync(path, 0o755);
		return path;
	}

	/** A script that never ends, and starts a program that would outlive it. */
	sleeps() {
		const program = join(this.folder, 'sleep');
		copyFileSync('/bin/sleep', program);
		return `${program} 1000; true`;
	}

	/**
	 * A profile as Firefox 153 writes it, with what doctor reads of it.
	 * @param {{addon?: object | null, preferences?: object}} [how]
	 */
	addFirefox({addon = {}, preferences = {[firefoxId]: {permissions: [], origins: ['https://*/*', 'http://localhost/*']}}} = {}) {
		const states = {active: true, userDisabled: false, appDisabled: false, embedderDisabled: false, softDisabled: false};
		const ours = {id: firefoxId, version, type: 'extension', ...states, location: 'app-profile', path: null, ...addon};
		const other = {id: 'default-theme@mozilla.org', version: '1.4.1', type: 'theme', ...states};
		this.write('.mozilla/firefox/profiles.ini', '[Install4F96D1932A9F858E]\nDefault=a.default\nLocked=1\n\n[Profile0]\nName=default\nIsRelative=1\nPath=a.default\n');
		this.write('.mozilla/firefox/a.default/extensions.json', {schemaVersion: 37, addons: addon === null ? [other] : [other, ours]});
		this.write('.mozilla/firefox/a.default/extension-preferences.json', preferences);
		this.write('.mozilla/firefox/a.default/compatibility.ini', '[Compatibility]\nLastVersion=153.8.0_20261117185949/20261117185949\nLastPlatformDir=/usr/lib/firefox-esr\n');
	}

	/** A profile as Chromium 156 writes it. @param {object} [entry]  what is different of the extension's */
	addChromium(entry = {}) {
		const hosts = ['http://localhost/*', 'https://*/*'];
		const ours = {
			active_permissions: {api: ['nativeMessaging'], explicit_host: hosts, scriptable_host: hosts},
			disable_reasons: [],
			location: 1,
			manifest: {manifest_version: 3, version},
			path: `${chromiumId}/${version}_0`,
			withholding_permissions: false,
			...entry,
		};
		const settings = {[chromiumId]: ours, mhjfbmdgcfjbbpaeojofohoefgiehjai: {location: 5, path: '/usr/share/chromium/pdf'}};
		this.write('.config/chromium/Local State', {profile: {info_cache: {Default: {}}}});
		this.write('.config/chromium/Default/Preferences', {extensions: {settings}});
		this.write('.config/chromium/Default/Secure Preferences', {extensions: {settings: {}}});
	}

	/** @param {...string} args */
	async command(...args) {
		const [command, ...rest] = [...this.through, this.program, ...args];
		const child = spawn(command, rest, {env: this.env, stdio: ['ignore', 'pipe', 'pipe']});
		let stdout = '';
		let stderr = '';
		child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
		child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
		const [status, signal] = await once(child, 'close');
		return {status, signal, stdout, stderr};
	}

	/**
	 * What doctor finds: the same as text and as JSON, which fits its schema.
	 * @param {...string} args
	 * @returns {Promise<{status: number, checks: Check[], problems: string[], stdout: string}>}
	 */
	async doctor(...args) {
		const [text, json] = await Promise.all([this.command('doctor', ...args), this.command('doctor', '--json', ...args)]);
		assert.equal(text.stderr, '');
		const said = JSON.parse(json.stdout);
		assert.ok(fits(said), `${JSON.stringify(fits.errors)}\n${json.stdout}`);
		/** @type {Check[]} */
		const checks = said.checks;
		const lines = text.stdout.split('\n').filter((line) => /^\S/.test(line));
		assert.deepEqual(lines.map((line) => line.split(/ +/, 2)), checks.map(({status, code}) => [status, code]));
		const problems = checks.filter((check) => check.status === 'problem');
		assert.ok(problems.every((check) => check.remedy), 'each problem has a remedy');
		assert.equal(said.ok, problems.length === 0);
		assert.equal(said.problems, problems.length);
		assert.deepEqual([text.status, json.status], said.ok ? [0, 0] : [1, 1]);
		const codes = problems.map(({code, browser}) => (browser ? `${browser}: ${code}` : code));
		return {status: text.status, checks, problems: codes, stdout: text.stdout};
	}

	/** Another installation of the same version, in a folder of its own. */
	addInstallation() {
		const other = join(this.folder, 'other');
		mkdirSync(other);
		for (const file of ['portlight', 'portlight-host', 'portlight-capture']) {
			copyFileSync(join(this.folder, file), join(other, file));
		}
		return join(other, 'portlight-host');
	}

	/**
	 * As after `apt install webext-portlight`: what `through` starts has its folders where the browsers look.
	 * @param {{pref: boolean}} wish  with the file by which Firefox finds it in old profiles
	 */
	addPackage({pref}) {
		const system = join(this.folder, 'system');
		const own = join(system, 'mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}');
		rmSync(system, {recursive: true, force: true});
		mkdirSync(own, {recursive: true});
		mkdirSync(join(system, 'etc'));
		cpSync(join(root, 'build/extension-firefox'), join(own, firefoxId), {recursive: true});
		mkdirSync(join(system, 'chromium/extensions/other'), {recursive: true});
		writeFileSync(join(system, 'chromium/extensions/other/manifest.json'), JSON.stringify({key: 'AAAA', version: '1'}));
		cpSync(join(root, 'build/extension-chromium'), join(system, 'chromium/extensions/portlight-screen-sharing'), {recursive: true});
		if (pref) {
			cpSync(join(root, 'packaging/debian/webext-portlight.js'), join(system, 'etc/webext-portlight.js'));
		}
		const mounts = ['mozilla /usr/share/mozilla', 'chromium /usr/share/chromium', 'etc /etc/firefox-esr'];
		const script = [...mounts.map((mount) => `mount --bind ${system}/${mount}`), 'exec "$@"'].join(' && ');
		this.through = [...apart, 'sh', '-c', script, 'sh'];
	}

	/** @override */
	async finish() {
		this.servers.forEach((server) => server.close());
		await super.finish();
	}
}
