/** `portlight install --allow`, with the desktops' own permission store on a private bus. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync} from 'node:fs';
import {createServer} from 'node:net';
import {after, before, test} from 'node:test';
import {World} from '../fake/world.js';
import {Home, name} from './installing.js';

const store = 'org.freedesktop.impl.portal.PermissionStore';
const path = '/org/freedesktop/impl/portal/PermissionStore';
const world = new World();
const home = new Home();

before(async () => {
	await world.startBus();
	home.env.DBUS_SESSION_BUS_ADDRESS = world.env.DBUS_SESSION_BUS_ADDRESS;
});

after(async () => {
	await world.finish();
	home.remove();
});

/** Runs with the store on the bus; it keeps what it has in the home. @param {() => void} what */
async function withStore(what) {
	const child = spawn('/usr/libexec/xdg-permission-store', {env: home.env, stdio: 'ignore'});
	try {
		await once(child, 'spawn');
		execFileSync('gdbus', ['wait', '--session', '--timeout', '20', store], {env: home.env});
		what();
	} finally {
		child.kill();
		await once(child, 'exit');
	}
}

/** @param {string} method @param {...string} args */
const call = (method, ...args) =>
	execFileSync('gdbus', ['call', '--session', '-d', store, '-o', path, '-m', `${store}.${method}`, ...args], {env: home.env, encoding: 'utf8'}).trim();

const kept = () => call('Lookup', 'webextensions', name);

test('a Snap is allowed and no longer allowed, and others’ permissions stay', async () => {
	await withStore(() => {
		const dry = home.run('install', '--allow', 'snap.firefox', '--dry-run');
		assert.equal(dry.stdout, 'snap.firefox: would write its permission to start the host\n');
		assert.throws(kept, /NotFound/, 'not even the table is there');

		const allowed = home.run('install', '--allow', 'snap.firefox');
		assert.equal(allowed.status, 0, allowed.stderr);
		assert.equal(allowed.stdout, 'snap.firefox: wrote its permission to start the host\n');
		assert.equal(kept(), "({'snap.firefox': ['yes']}, <byte 0x00>)");
		assert.equal(home.run('install', '--allow', 'snap.firefox').stdout, 'snap.firefox: nothing to change in its permission to start the host\n');

		// The user declined in the other browser.
		call('SetPermission', 'webextensions', 'true', name, 'snap.chromium', "['no']");
		const both = home.json('install', '--allow', 'snap.chromium', '--allow', 'snap.firefox');
		assert.deepEqual(both, {
			ok: true,
			dryRun: false,
			results: [
				{name: 'snap.chromium', result: 'written', text: 'its permission to start the host'},
				{name: 'snap.firefox', result: 'same', text: 'its permission to start the host'},
			],
		});
		assert.match(kept(), /'snap.chromium': \['yes'\]/);

		const taken = home.run('uninstall', '--allow', 'snap.firefox');
		assert.equal(taken.stdout, 'snap.firefox: removed its permission to start the host\n');
		assert.equal(kept(), "({'snap.chromium': ['yes']}, <byte 0x00>)");
		assert.match(home.run('uninstall', '--allow', 'snap.firefox').stdout, /^snap.firefox: nothing to change in /);
	});
	await withStore(() => assert.equal(kept(), "({'snap.chromium': ['yes']}, <byte 0x00>)", 'it lasts'));
});

test('a desktop without a permission store, and no desktop', () => {
	for (const command of ['install', 'uninstall']) {
		const none = home.run(command, '--allow', 'snap.firefox');
		assert.equal(none.status, 1);
		assert.match(none.stderr, /^portlight: The desktop's permission store failed: .*\n {2}Install xdg-desktop-portal, and log in again\.\n$/);
	}
	const away = new Home();
	try {
		const {status, stderr} = away.run('install', '--allow', 'snap.firefox', '--allow', 'snap.chromium');
		assert.equal(status, 1);
		assert.equal(stderr, 'portlight: There is no session bus.\n  Log in to a desktop, and run this in a terminal there.\n');
	} finally {
		away.remove();
	}
});

test('what is no id, and what does not go with it', () => {
	for (const id of ['', 'firefox', '.firefox', 'snap.', 'snap.fire fox', '../snap.firefox', `snap.${'x'.repeat(300)}`]) {
		const {status, stderr} = home.run('install', '--allow', id);
		assert.equal(status, 2, id);
		assert.match(stderr, /is not the id of a Snap or a Flatpak\.\n {2}It is like snap\.firefox /);
	}
	for (const more of [['firefox'], ['--all'], ['--system'], ['--profile', '/tmp'], ['--host', '/bin/ls'], ['--force']]) {
		const {status, stderr} = home.run('install', '--allow', 'snap.firefox', ...more);
		assert.equal(status, 2, more[0]);
		assert.match(stderr, /--allow is about a permission/);
	}
});

test('a bus that takes connections and says nothing', async () => {
	// The kernel takes the connections; nobody reads them while the command runs.
	const server = createServer().listen(home.path('mute'));
	await once(server, 'listening');
	home.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${home.path('mute')}`;
	home.browse('.mozilla');
	mkdirSync(home.path('snap/firefox'), {recursive: true});
	const installed = home.run('install');
	assert.equal(installed.status, 0, installed.stderr);
	assert.match(installed.stdout, /^firefox: wrote /m);
	assert.match(installed.stdout, /^snap\.firefox: /m);
	const allowed = home.run('install', '--allow', 'snap.firefox');
	assert.equal(allowed.status, 1);
	assert.match(allowed.stderr, /^portlight: Can't connect to the session bus: .*\n {2}Log in again\.\n$/);
	server.close();
	server.unref();
});
