/** The packages for other systems than Debian: built by Debian's builds of their tools, and installed into an empty root. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {copySources, plainEnv, root, version} from '../lib/deb.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
/** @type {string} */
let folder;

before(() => {
	folder = mkdtempSync(join(tmpdir(), 'portlight-others-'));
	chmodSync(folder, 0o755);
});
after(() => rmSync(folder, {recursive: true}));

/** @param {string} program @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options] */
function run(program, args, options) {
	const {status, stdout, stderr, error} = spawnSync(program, args, {cwd: root, env: plainEnv(), ...options, encoding: 'utf8'});
	assert.equal(status, 0, `${program} ${args.join(' ')}: ${error ?? ''}${stdout}${stderr}`);
	return String(stdout);
}

/** As root where we are not: enough to own the files of an empty root. @param {string} program @param {string[]} args */
const asRoot = (program, args) => (isRoot ? run(program, args) : run('unshare', ['--map-root-user', program, ...args]));

/** @param {string} where every file below it @returns {string[]} */
const files = (where) => /** @type {string[]} */ (readdirSync(where, {recursive: true})).map((path) => `/${path}`);

/** What is installed there is of this version, runs, and names itself to browsers. @param {string} where @param {string[]} manifests */
function assertInstalled(where, manifests) {
	for (const program of ['bin/portlight', ...['host', 'capture', 'record'].map((name) => `libexec/portlight/portlight-${name}`)]) {
		assert.match(run(join(where, 'usr', program), ['--version']), new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`));
	}
	for (const path of manifests) {
		const {path: host} = JSON.parse(readFileSync(join(where, path, 'org.portlight.host.json'), 'utf8'));
		assert.equal(host, '/usr/libexec/portlight/portlight-host');
		assert.ok(existsSync(join(where, host)));
	}
}

/** @param {string} where @returns {any[]} */
const extensions = (where) =>
	files(where)
		.filter((path) => path.endsWith('/manifest.json'))
		.map((path) => JSON.parse(readFileSync(join(where, path), 'utf8')));

const chromium = '/etc/chromium/native-messaging-hosts';
const firefox = '/usr/lib/mozilla/native-messaging-hosts';
const firefox64 = '/usr/lib64/mozilla/native-messaging-hosts';

describe('rpm', () => {
	test('the packages install into an empty root, and what they bring runs', () => {
		const build = join(folder, 'rpm-build');
		run('make', ['--silent', 'rpm', `B=${build}`]);
		const packages = files(join(build, 'rpm/RPMS')).filter((path) => path.endsWith('.rpm'));
		const names = packages.map((path) => path.replace(/.*\/([a-z-]+)-[0-9].*\.(\w+)\.rpm/, '$1 $2')).sort();
		const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
		assert.deepEqual(names, [`portlight ${machine}`, `portlight-record ${machine}`, `portlight-rooms ${machine}`, 'webext-portlight noarch']);

		const where = join(folder, 'rpm-root');
		asRoot('rpm', ['--root', where, '--nodeps', '--install', ...packages.map((path) => join(build, 'rpm/RPMS', path))]);
		assertInstalled(where, [chromium, firefox, firefox64, '/etc/opt/chrome/native-messaging-hosts']);
		assert.deepEqual([...new Set(extensions(where).map((manifest) => manifest.version))], [version]);
		// An empty root has no shell to run what a package runs.
		const [portlight] = packages.filter((path) => path.includes(`/portlight-${version}-`));
		run('sh', ['-n', '-c', run('rpm', ['--query', '--queryformat', '%{PREUN}', '--package', join(build, 'rpm/RPMS', portlight)])]);
		asRoot('rpm', ['--root', where, '--noscripts', '--erase', 'portlight', 'portlight-record', 'portlight-rooms', 'webext-portlight']);
		assert.deepEqual(files(where).filter((path) => path.includes('portlight')), []);
	});
});

describe('Arch Linux', () => {
	test('the package installs into an empty root, and what it brings runs', () => {
		const build = join(folder, 'arch-build');
		// makepkg refuses to run as root, and another user may not see into root's clone.
		const sources = join(folder, 'sources');
		copySources(sources);
		const person = isRoot ? {uid: NOBODY, gid: NOBODY, cwd: sources, env: {...plainEnv(), HOME: folder, TMPDIR: folder}} : {cwd: sources};
		if (isRoot) {
			chownSync(folder, NOBODY, NOBODY);
		}
		run('make', ['--silent', 'arch', `B=${build}`], person);
		const [made] = readdirSync(join(build, 'arch')).filter((name) => name.includes('.pkg.tar.'));
		assert.match(made, new RegExp(`^portlight-${version}-1-`));

		const where = join(folder, 'arch-root');
		run('mkdir', ['-p', join(where, 'var/lib/pacman')]);
		const pacman = ['--root', where, '--noconfirm', '--noscriptlet', '--disable-download-timeout', '-dd'];
		asRoot('pacman', ['--upgrade', ...pacman, join(build, 'arch', made)]);
		assertInstalled(where, [chromium, firefox]);
		assert.ok(!existsSync(join(where, 'usr/lib64')), 'lib64 is a link there, which no package may bring');
		assert.deepEqual([...new Set(extensions(where).map((manifest) => manifest.version))], [version]);
		asRoot('pacman', ['--remove', ...pacman, 'portlight']);
		assert.deepEqual(files(where).filter((path) => path.includes('portlight')), []);
	});
});

describe('Nix', () => {
	test('the expression is one, and finds the version', () => {
		const env = {...plainEnv(), HOME: folder, NIX_STATE_DIR: join(folder, 'nix'), NIX_STORE_DIR: join(folder, 'store')};
		run('nix-instantiate', ['--parse', 'packaging/nix/package.nix'], {env});
		// What it asks nixpkgs for; the derivation itself needs nixpkgs.
		const wanted = 'builtins.attrNames (builtins.functionArgs (import ./packaging/nix/package.nix))';
		const args = run('nix-instantiate', ['--eval', '--strict', '--json', '-E', wanted], {env});
		assert.deepEqual(JSON.parse(args).slice(0, 2), ['ffmpeg', 'glib']);
		const text = readFileSync(join(root, 'packaging/nix/package.nix'), 'utf8');
		const found = /version = lib\.head \((.*)\);/.exec(text)?.[1].replace('../../Makefile', './Makefile') ?? '';
		assert.deepEqual(JSON.parse(run('nix-instantiate', ['--eval', '--strict', '--json', '-E', found], {env})), [version]);
	});
});
