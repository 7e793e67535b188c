/** `portlight install` and `uninstall` in a home of their own. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {readdirSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {chromiumId, firefoxId} from '../fake/browser.js';
import {program} from './recording.js';

const name = 'org.portlight.host';
const root = fileURLToPath(new URL('../..', import.meta.url));
/** @type {string} */
let home;
/** @type {NodeJS.ProcessEnv} */
let env;

beforeEach(() => {
	home = mkdtempSync(join(tmpdir(), 'portlight-home-'));
	const unset = {XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, WAYLAND_DISPLAY: undefined, DISPLAY: undefined};
	const nowhere = {XDG_RUNTIME_DIR: home, DBUS_SESSION_BUS_ADDRESS: undefined, PIPEWIRE_RUNTIME_DIR: undefined};
	env = {...process.env, ...unset, ...nowhere, HOME: home};
});

afterEach(() => rmSync(home, {recursive: true}));

/** @param {...string} args */
const run = (...args) => spawnSync(program, args, {env, encoding: 'utf8'});

/** @param {string} text */
function writeExtensions(text) {
	mkdirSync(join(home, '.config/portlight'), {recursive: true});
	writeFileSync(join(home, '.config/portlight/extensions'), text);
}

/** Every file below the home. @returns {string[]} */
const files = () =>
	/** @type {string[]} */ (readdirSync(home, {recursive: true}))
		.filter((path) => statSync(join(home, path)).isFile())
		.sort();

/** @param {string} path */
const manifest = (path) => JSON.parse(readFileSync(join(home, path), 'utf8'));

const chromium = `.config/chromium/NativeMessagingHosts/${name}.json`;
const firefox = `.mozilla/native-messaging-hosts/${name}.json`;

test('only the browsers that are there are told', () => {
	mkdirSync(join(home, '.config/chromium'), {recursive: true});
	mkdirSync(join(home, '.mozilla'));
	const installed = run('install');
	assert.equal(installed.status, 0, installed.stderr);
	assert.deepEqual(files(), [chromium, firefox]);
	const host = join(dirname(program), 'portlight-host');
	assert.deepEqual(manifest(chromium), {
		name,
		description: manifest(chromium).description,
		path: host,
		type: 'stdio',
		allowed_origins: [`chrome-extension://${chromiumId}/`],
	});
	assert.deepEqual(manifest(firefox), {
		name,
		description: manifest(firefox).description,
		path: host,
		type: 'stdio',
		allowed_extensions: [firefoxId],
	});
	assert.equal(run('install').status, 0, 'again is fine');

	const removed = run('uninstall');
	assert.equal(removed.status, 0);
	assert.deepEqual(files(), []);
	assert.match(run('uninstall').stdout, /nothing to remove/);
});

test('no browser, a named browser, all browsers', () => {
	const none = run('install');
	assert.equal(none.status, 1);
	assert.match(none.stderr, /^portlight: None of the browsers .*\n {2}Start your browser once, or name it/);
	assert.equal(run('install', '--browser', 'lynx').status, 2);
	assert.deepEqual(files(), []);

	assert.equal(run('install', '--browser', 'firefox').status, 0);
	assert.deepEqual(files(), [firefox]);
	assert.equal(run('uninstall', '--browser', 'chromium').status, 0);
	assert.deepEqual(files(), [firefox]);

	assert.equal(run('install', '--all').status, 0);
	assert.ok(files().length >= 10);
	assert.equal(run('uninstall').status, 0);
	assert.deepEqual(files(), []);
});

test('XDG_CONFIG_HOME is where browsers look', () => {
	env.XDG_CONFIG_HOME = join(home, 'elsewhere');
	mkdirSync(join(home, 'elsewhere/google-chrome'), {recursive: true});
	assert.equal(run('install').status, 0);
	assert.deepEqual(files(), [`elsewhere/google-chrome/NativeMessagingHosts/${name}.json`]);
});

test('a host of one’s own, with a name that JSON must escape', () => {
	const host = join(home, 'my "host"');
	assert.equal(run('install', '--all', '--host', host).status, 1, 'it is not there');
	writeFileSync(host, '#!/bin/sh\n');
	chmodSync(host, 0o755);
	assert.equal(run('install', '--browser', 'chromium', '--host', host).status, 0);
	assert.equal(manifest(chromium).path, host);
});

test('manifests name every extension of the lists, and doctor tells of one that does not', () => {
	mkdirSync(join(home, '.config/chromium'), {recursive: true});
	mkdirSync(join(home, '.mozilla'));
	assert.equal(run('install').status, 0);
	writeExtensions('chromium abcdefghijklmnopabcdefghijklmnop # a store’s\nfirefox other@example.org\n');
	const doctor = run('doctor').stdout;
	assert.match(doctor, /^problem +wrong-caller .*chromium.* does not let the extension chrome-extension:\/\/abcd.*\n +portlight install --browser chromium$/m);
	assert.match(doctor, /^problem +wrong-caller .*mozilla.* does not let the extension other@example.org in\.\n +portlight install --browser firefox$/m);
	assert.equal(run('install').status, 0);
	assert.deepEqual(manifest(chromium).allowed_origins, [
		`chrome-extension://${chromiumId}/`,
		'chrome-extension://abcdefghijklmnopabcdefghijklmnop/',
	]);
	assert.deepEqual(manifest(firefox).allowed_extensions, [firefoxId, 'other@example.org']);
	assert.match(run('doctor').stdout, /^ok +browser +chromium starts /m);
});

test('a bad line of the list is told of by install and doctor, and all else is installed', () => {
	mkdirSync(join(home, '.mozilla'));
	writeExtensions('firefox a"b@example.org\nfirefox other@example.org\n');
	const installed = run('install');
	assert.equal(installed.status, 1);
	assert.match(installed.stderr, /^portlight: .*\/\.config\/portlight\/extensions:1: a Firefox extension's id .*\n {2}\S/);
	assert.deepEqual(manifest(firefox).allowed_extensions, [firefoxId, 'other@example.org']);
	assert.match(run('doctor').stdout, /^problem +extension-list .*\/extensions:1: a Firefox extension's id .*\n +\S/m);
});

test('`make install` writes the same lists', {skip: !existsSync(join(root, 'build/man')) && 'run `make`'}, () => {
	const text = [
		'# Ours',
		`firefox ${firefoxId}`,
		' firefox\t{01234567-89ab-cdef-0123-456789abcdeF}\r',
		'chromium abcdefghijklmnopabcdefghijklmnop# a store’s',
		'chromium abcdefghijklmnopabcdefghijklmnox',
		'firefox a@b c@d',
		`firefox ${'a'.repeat(80)}@`,
		'firefox a"b@example.org',
		'firefox @x',
	].join('\n');
	writeExtensions(text);
	mkdirSync(join(home, 'etc/portlight'), {recursive: true});
	writeFileSync(join(home, 'etc/portlight/extensions'), text);
	const made = spawnSync(join(root, 'packaging/install'), [home, '/usr', name], {encoding: 'utf8'});
	assert.equal(made.status, 0, made.stderr);
	assert.equal(run('install', '--all').status, 1);
	const host = '/usr/libexec/portlight/portlight-host';
	assert.deepEqual(manifest(`etc/chromium/native-messaging-hosts/${name}.json`), {...manifest(chromium), path: host});
	assert.deepEqual(manifest(`usr/lib/mozilla/native-messaging-hosts/${name}.json`), {...manifest(firefox), path: host});
	assert.equal(manifest(firefox).allowed_extensions.length, 3);
});

test('what can’t be written is told, and the others are written', () => {
	mkdirSync(join(home, '.config/chromium'), {recursive: true});
	mkdirSync(join(home, '.mozilla'));
	writeFileSync(join(home, '.mozilla/native-messaging-hosts'), 'a file in the way');
	const installed = run('install');
	assert.equal(installed.status, 1);
	assert.match(installed.stderr, /^portlight: .*native-messaging-hosts/);
	assert.ok(existsSync(join(home, chromium)));
});
