/** The command line of our programs: help, versions, slips, and output that can't be written. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, test} from 'node:test';
import {program} from './recording.js';

const home = mkdtempSync(join(tmpdir(), 'portlight-command-'));
after(() => rmSync(home, {recursive: true}));
const nowhere = {XDG_RUNTIME_DIR: home, DBUS_SESSION_BUS_ADDRESS: undefined, WAYLAND_DISPLAY: undefined, DISPLAY: undefined};
const env = {...process.env, HOME: home, XDG_CONFIG_HOME: undefined, XDG_STATE_HOME: undefined, LC_ALL: 'C.UTF-8', ...nowhere};

/** @param {string} path @param {string[]} args @param {number | 'pipe'} [stdout] */
const start = (path, args, stdout = 'pipe') => spawnSync(path, args, {env, encoding: 'utf8', stdio: ['ignore', stdout, 'pipe']});
/** @param {...string} args */
const run = (...args) => start(program, args);

const programs = ['portlight', 'portlight-record', 'portlight-host', 'portlight-capture'];
const commands = ['record', 'doctor', 'install', 'uninstall', 'grants'];
/** Every program, and every command of `portlight`. */
const all = [
	...programs.map((name) => ({path: join(dirname(program), name), args: /** @type {string[]} */ ([])})),
	...commands.map((name) => ({path: program, args: [name]})),
];

test('every program and command has its help and its version, by the short options too', () => {
	for (const {path, args} of all) {
		const [help, short] = ['--help', '-h'].map((option) => start(path, [...args, option]));
		assert.deepEqual([help.status, help.stderr], [0, ''], path);
		assert.match(help.stdout, /^Usage:\s+portlight/);
		assert.equal(short.stdout, help.stdout);
		const [version, letter] = ['--version', '-V'].map((option) => start(path, [...args, option]));
		assert.deepEqual([version.status, version.stderr], [0, ''], path);
		assert.match(version.stdout, /^portlight[- a-z]* \d+\.\d+\.\d+\n$/);
		assert.equal(letter.stdout, version.stdout);
	}
});

test('help explains a command', () => {
	assert.equal(run('help').stdout, run('--help').stdout);
	for (const command of commands) {
		assert.match(run('--help').stdout, new RegExp(`^  ${command}  `, 'm'));
		assert.equal(run('help', command).stdout, run(command, '--help').stdout);
	}
	assert.deepEqual([run('help', 'record', 'doctor').status, run('help', 'nonsense').status], [2, 2]);
});

test('a slip is told with the word that was meant', () => {
	for (const [slip, meant] of [[['recrod'], 'record'], [['unistall'], 'uninstall'], [['help', 'docter'], 'doctor'], [['grant'], 'grants']]) {
		const {status, stdout, stderr} = run(...slip);
		assert.deepEqual([status, stdout], [2, '']);
		assert.equal(stderr, `portlight: There is no command "${slip.at(-1)}".\n  Did you mean portlight ${meant}?\n`);
	}
	assert.match(run('nonsense').stderr, /^portlight: There is no command "nonsense"\.\n {2}See portlight --help\.\n$/);
	assert.match(run('--verbose').stderr, /^portlight: The option "--verbose" is unknown, or belongs behind a command\.\n/);
	assert.match(run('grants', 'lsit').stderr, /Did you mean portlight grants list\?\n {2}See portlight grants --help\.\n$/);
	assert.equal(run('grants', 'lsit').status, 2);
	assert.equal(run().status, 2);
});

test('output that can’t be written is a failure, in every program', () => {
	const full = openSync('/dev/full', 'w');
	try {
		for (const {path, args} of all) {
			const ours = /portlight(-record)?$/.test(path);
			for (const option of ['--help', '--version']) {
				const {status, stderr} = start(path, [...args, option], full);
				assert.equal(status, ours ? 6 : 1, `${path} ${args} ${option}`);
				assert.match(stderr, /^portlight(-host|-capture)?: Can't write the output(: No space left on device)?\.\n$/);
			}
		}
		for (const args of [['grants'], ['grants', 'list', '--json'], ['doctor'], ['uninstall']]) {
			const {status, stderr} = start(program, args, full);
			assert.equal(status, 6, args.join(' '));
			assert.match(stderr, /^portlight: Can't write the output(: No space left on device)?\.\n/m);
		}
	} finally {
		closeSync(full);
	}
});

test('a closed standard output harms nothing where nothing is said', () => {
	const {status, stderr} = start('sh', ['-c', '"$1" grants revoke --all --quiet >&-', '-', program]);
	assert.deepEqual([status, stderr], [0, '']);
	assert.equal(start('sh', ['-c', '"$1" --version >&-', '-', program]).status, 6);
});

test('grants list is grants', () => {
	assert.equal(run('grants', 'list').stdout, 'No site may share without the desktop\'s dialog.\n');
	assert.equal(run('grants').stdout, run('grants', 'list').stdout);
	assert.equal(run('grants', 'list', '--json').stdout, '[]\n');
	assert.equal(run('grants', 'list', '--all').status, 2);
});

test('without portlight-record, record names the package', () => {
	const alone = join(home, 'portlight');
	copyFileSync(program, alone);
	const {status, stderr} = start(alone, ['record', 'x.webm']);
	assert.equal(status, 1);
	assert.match(stderr, /^portlight: portlight-record is missing or can't be run\.\n {2}Install the package portlight-record, or all of Portlight again\.\n$/);
	assert.equal(existsSync('x.webm'), false);
});
