/** `portlight install` and `uninstall` in a home of their own. */
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {chromiumId, firefoxId} from '../fake/browser.js';
import {World} from '../fake/world.js';
import {chromium, firefox, Home, host, name} from './installing.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** @type {Home} */
let home;

beforeEach(() => {
	home = new Home();
});

afterEach(() => home.remove());

/** @param {string} text */
const writeExtensions = (text) => home.write('.config/portlight/extensions', text);

test('only the browsers that are there are told', () => {
	home.browse('.config/chromium', '.mozilla');
	const before = home.tree();
	const installed = home.run('install');
	assert.equal(installed.status, 0, installed.stderr);
	assert.deepEqual(home.files(), [chromium, firefox]);
	assert.deepEqual(home.manifest(chromium), {
		name,
		description: home.manifest(chromium).description,
		path: host,
		type: 'stdio',
		allowed_origins: [`chrome-extension://${chromiumId}/`],
	});
	assert.deepEqual(home.manifest(firefox), {
		name,
		description: home.manifest(firefox).description,
		path: host,
		type: 'stdio',
		allowed_extensions: [firefoxId],
	});
	assert.match(installed.stdout, new RegExp(`^chromium: wrote ${home.path(chromium)}\nfirefox: wrote ${home.path(firefox)}\nNot here: chrome, `));

	const again = home.run('install');
	assert.equal(again.status, 0);
	assert.match(again.stdout, new RegExp(`^chromium: nothing to change in ${home.path(chromium)}\nfirefox: nothing to change in `));

	const removed = home.run('uninstall');
	assert.equal(removed.status, 0);
	assert.equal(removed.stdout, `chromium: removed ${home.path(chromium)}\nfirefox: removed ${home.path(firefox)}\n`);
	assert.deepEqual(home.tree(), before);
	assert.equal(home.run('uninstall').stdout, 'There was nothing to remove.\n');
});

test('no browser, a named browser, all browsers', () => {
	const none = home.run('install');
	assert.equal(none.status, 1);
	assert.match(none.stderr, /^portlight: None of the browsers .*\n {2}Start your browser once, or name it/);
	assert.deepEqual(home.tree(), []);

	assert.equal(home.run('install', 'firefox').status, 0);
	assert.deepEqual(home.files(), [firefox]);
	assert.equal(home.run('uninstall', 'chromium').status, 0);
	assert.deepEqual(home.files(), [firefox]);

	assert.equal(home.run('install', '--all').status, 0);
	assert.ok(home.files().length >= 10);
	assert.equal(home.run('uninstall').status, 0);
	assert.deepEqual(home.tree(), [], 'the folders that it made are gone too');
});

test('browsers are named with the option or without, and as often as one likes', () => {
	const installed = home.run('install', 'edge', '--browser', 'opera', '-b', 'edge', 'edge');
	assert.equal(installed.status, 0, installed.stderr);
	const edge = `.config/microsoft-edge/NativeMessagingHosts/${name}.json`;
	assert.deepEqual(home.files(), [edge, `.config/opera/NativeMessagingHosts/${name}.json`]);
	assert.equal(installed.stdout.match(/^edge: wrote/gm)?.length, 1);
	assert.equal(home.run('uninstall', 'opera').status, 0);
	assert.deepEqual(home.files(), [edge]);
});

test('a browser that Portlight does not know is told, with the one that was meant', () => {
	for (const command of ['install', 'uninstall']) {
		const unknown = home.run(command, 'lynx');
		assert.equal(unknown.status, 2);
		assert.match(unknown.stderr, /^portlight: Portlight does not know a browser "lynx"\.\n {2}portlight (un)?install --help lists them\.\n$/);
		const misspelt = home.run(command, 'chrome', '--browser', 'Firefx');
		assert.equal(misspelt.status, 2);
		assert.equal(misspelt.stderr, 'portlight: Portlight does not know a browser "Firefx".\n  Did you mean firefox?\n');
	}
	assert.deepEqual(home.tree(), [], 'nothing is written for those that it knows');
});

test('folders that installers made are no sign of a browser', () => {
	// Another program's host, in a home where Chrome never ran.
	home.write('.config/google-chrome/NativeMessagingHosts/com.example.other.json', '{}');
	assert.equal(home.run('install', 'edge').status, 0);
	const installed = home.json('install');
	assert.deepEqual(installed.results.filter((/** @type {any} */ one) => one.result !== 'absent').map((/** @type {any} */ one) => one.name), ['edge']);
	assert.doesNotMatch(home.run('doctor').stdout, /\bchrome (starts|finds no host)/);

	assert.equal(home.run('uninstall').status, 0);
	assert.deepEqual(home.files(), ['.config/google-chrome/NativeMessagingHosts/com.example.other.json']);
	assert.ok(!existsSync(home.path('.config/microsoft-edge')));
	assert.equal(home.run('install').status, 1, 'no browser has run here');
});

test('an empty folder that others use too stays where it is', () => {
	home.browse('.config/chromium');
	const other = '.config/chromium/NativeMessagingHosts/com.example.other.json';
	home.write(other, '{}');
	assert.equal(home.run('install').status, 0);
	assert.equal(home.run('uninstall').status, 0);
	assert.deepEqual(home.files(), [other]);
});

test('a dry run says the same and changes nothing', () => {
	home.browse('.config/chromium', '.mozilla');
	const before = home.tree();
	const dry = home.run('install', '--dry-run');
	assert.equal(dry.status, 0);
	assert.deepEqual(home.tree(), before);
	const wet = home.run('install');
	assert.equal(dry.stdout.replaceAll('would write', 'wrote'), wet.stdout);

	const files = home.files();
	const dryRemoval = home.run('uninstall', '-n');
	assert.equal(dryRemoval.status, 0);
	assert.deepEqual(home.files(), files);
	assert.equal(dryRemoval.stdout.replaceAll('would remove', 'removed'), home.run('uninstall').stdout);
});

test('--json has all of it in one object', () => {
	home.browse('.config/chromium');
	home.write(firefox, 'not ours');
	home.browse('.mozilla');
	const ran = home.run('install', '--json');
	assert.equal(ran.status, 1);
	const installed = JSON.parse(ran.stdout);
	const absent = installed.results.filter((/** @type {any} */ one) => one.result === 'absent');
	assert.ok(absent.some((/** @type {any} */ one) => one.name === 'vivaldi'));
	assert.deepEqual(
		{...installed, results: installed.results.filter((/** @type {any} */ one) => one.result !== 'absent')},
		{
			ok: false,
			dryRun: false,
			results: [
				{name: 'chromium', result: 'written', path: home.path(chromium)},
				{
					name: 'firefox',
					result: 'kept',
					path: home.path(firefox),
					text: `${home.path(firefox)} is no manifest of Portlight's, and stays as it is.`,
					remedy: 'Replace it with --force.',
				},
			],
		},
	);
	assert.deepEqual(home.json('uninstall', '--dry-run', 'chromium'), {
		ok: true,
		dryRun: true,
		results: [{name: 'chromium', result: 'removed', path: home.path(chromium)}],
	});
});

test('--quiet says only what is wrong', () => {
	home.browse('.config/chromium');
	const {status, stdout, stderr} = home.run('install', '--quiet');
	assert.deepEqual([status, stdout, stderr], [0, '', '']);
	home.write(firefox, 'not ours');
	assert.match(home.run('install', '-q', 'firefox').stderr, /stays as it is/);
	const removed = home.run('uninstall', '-q');
	assert.deepEqual([removed.status, removed.stdout], [0, '']);
	assert.deepEqual(home.files(), [firefox]);
});

test('XDG_CONFIG_HOME is where browsers look', () => {
	home.env.XDG_CONFIG_HOME = home.path('elsewhere');
	home.browse('elsewhere/google-chrome');
	assert.equal(home.run('install').status, 0);
	assert.deepEqual(home.files(), [`elsewhere/google-chrome/NativeMessagingHosts/${name}.json`]);
});

test('a folder for --user-data-dir has its own manifest', () => {
	const none = home.run('install', '--profile', home.path('work'));
	assert.equal(none.status, 1);
	assert.match(none.stderr, /There is no folder .*\/work\.\n {2}\S/);
	home.browse('work', 'play');
	const before = home.tree();
	const args = ['--profile', home.path('work'), '--profile', `${home.path('play')}/`];
	const installed = home.run('install', ...args);
	assert.equal(installed.status, 0, installed.stderr);
	assert.deepEqual(home.files(), [`play/NativeMessagingHosts/${name}.json`, `work/NativeMessagingHosts/${name}.json`]);
	assert.equal(home.manifest(`work/NativeMessagingHosts/${name}.json`).path, host);
	assert.equal(home.run('uninstall', ...args).status, 0);
	assert.deepEqual(home.tree(), before);

	const firefoxes = home.run('install', 'firefox', '--profile', home.path('work'));
	assert.equal(firefoxes.status, 2);
	assert.match(firefoxes.stderr, /firefox looks for hosts in the home folder/);
	assert.equal(home.run('install', '--system', '--profile', home.path('work')).status, 2);
});

test('a Snap: what can work is written, and what can’t is told', async () => {
	mkdirSync(home.path('snap/firefox'), {recursive: true});
	const alone = home.run('install');
	assert.equal(alone.status, 0, alone.stderr);
	assert.deepEqual(home.files(), [firefox], 'a portal may read what is outside');
	assert.match(alone.stdout, /^snap\.firefox: firefox as a Snap \(firefox\) can't start the host.*\n {2}Install firefox as a package/m);

	const world = new World();
	try {
		await world.startBus();
		await world.startPortal({web_extensions: true});
		home.env.DBUS_SESSION_BUS_ADDRESS = world.env.DBUS_SESSION_BUS_ADDRESS;
		assert.match(home.run('install', 'firefox').stdout, /^snap\.firefox: firefox as a Snap .* can start the host\.\n {2}.*portlight install --allow snap\.firefox$/m);
	} finally {
		await world.finish();
	}
});

test('a Snap alone that can’t start the host is told once, and nothing has failed', () => {
	mkdirSync(home.path('snap/brave'), {recursive: true});
	const {status, stdout, stderr} = home.run('install');
	assert.equal(stderr, '');
	assert.equal(status, 0);
	assert.match(stdout, /^snap\.brave: brave as a Snap \(brave\) can't start the host/m);
	assert.doesNotMatch(stdout, /^Not here: .*\bbrave\b/m);
});

test('a Flatpak gets programs, their libraries and a manifest, again only what changed, and uninstall takes all of it away', () => {
	const app = '.var/app/com.google.Chrome';
	const manifest = `${app}/config/google-chrome/NativeMessagingHosts/${name}.json`;
	const own = home.path(`${app}/data/portlight/portlight-host`);
	mkdirSync(home.path(`${app}/config/google-chrome/Default`), {recursive: true});
	mkdirSync(home.path(`${app}/data`));
	const before = home.tree();
	assert.match(home.run('install', '--dry-run').stdout, /^com\.google\.Chrome: /m);
	assert.deepEqual(home.tree(), before);

	assert.match(home.run('install').stdout, /^com\.google\.Chrome: wrote /m);
	assert.equal(home.manifest(manifest).path, own);
	assert.equal(execFileSync(own, ['--version'], {env: {}, encoding: 'utf8'}), execFileSync(host, ['--version'], {encoding: 'utf8'}));
	const libraries = home.files().map((path) => basename(path)).filter((file) => file.startsWith('lib'));
	assert.deepEqual(
		libraries.map((file) => file.replace(/\.so\..*/, '')).sort(),
		['libjpeg', 'libjson-c', 'libseccomp', 'libvpx', 'libyuv'],
	);
	assert.match(home.run('install', 'chrome').stdout, /^com\.google\.Chrome: nothing to change/m);
	// As after an upgrade.
	writeFileSync(home.path(`${app}/data/portlight/lib/portlight-capture`), 'an older one');
	assert.match(home.run('install', '--dry-run').stdout, /^com\.google\.Chrome: would write /m);
	assert.match(home.run('install').stdout, /^com\.google\.Chrome: wrote /m);
	assert.match(execFileSync(home.path(`${app}/data/portlight/lib/portlight-capture`), ['--version'], {encoding: 'utf8'}), /^portlight-capture /);

	assert.match(home.run('uninstall').stdout, /^com\.google\.Chrome: removed /m);
	assert.deepEqual(home.tree(), before);
});

test('a Flatpak’s copy is the same under a strict umask, and is made where a library is missing', () => {
	mkdirSync(home.path('.var/app/com.google.Chrome'), {recursive: true});
	const strict = ['sh', '-c', 'umask 077; exec "$0" "$@"'];
	assert.match(home.runAs(strict, 'install').stdout, /^com\.google\.Chrome: wrote /m);
	assert.match(home.runAs(strict, 'install').stdout, /^com\.google\.Chrome: nothing to change/m);

	// As the loader says it.
	const missing = '#!/bin/sh\nif [ "$LD_TRACE_LOADED_OBJECTS" ]; then echo "\tlibvpx.so.99 => not found"; else echo "portlight-host 0.1.0"; fi\n';
	for (const program of ['portlight-host', 'portlight-capture']) {
		home.write(`bare/${program}`, missing);
		chmodSync(home.path(`bare/${program}`), 0o755);
	}
	const bare = home.run('install', '--host', home.path('bare/portlight-host'));
	assert.equal(bare.status, 0, bare.stderr);
	assert.equal(home.files().some((path) => path.endsWith('libvpx.so.99')), false);
});

test('manifests name every extension of the lists, and doctor tells of one that does not', () => {
	home.browse('.config/chromium', '.mozilla');
	assert.equal(home.run('install').status, 0);
	writeExtensions('chromium abcdefghijklmnopabcdefghijklmnop # a store’s\nfirefox other@example.org\n');
	const doctor = home.run('doctor').stdout;
	assert.match(doctor, /^problem +wrong-caller .*chromium.* does not let the extension chrome-extension:\/\/abcd.*\n +portlight install --browser chromium$/m);
	assert.match(doctor, /^problem +wrong-caller .*mozilla.* does not let the extension other@example.org in\.\n +portlight install --browser firefox$/m);
	assert.equal(home.run('install').status, 0);
	assert.deepEqual(home.manifest(chromium).allowed_origins, [
		`chrome-extension://${chromiumId}/`,
		'chrome-extension://abcdefghijklmnopabcdefghijklmnop/',
	]);
	assert.deepEqual(home.manifest(firefox).allowed_extensions, [firefoxId, 'other@example.org']);
	assert.match(home.run('doctor').stdout, /^ok +browser +chromium starts /m);
});

test('a bad line of the list is told of by install and doctor, and all else is installed', () => {
	home.browse('.mozilla');
	writeExtensions('firefox a"b@example.org\nfirefox other@example.org\n');
	const installed = home.run('install');
	assert.equal(installed.status, 1);
	assert.match(installed.stderr, /^portlight: .*\/\.config\/portlight\/extensions:1: a Firefox extension's id .*\n {2}\S/);
	assert.deepEqual(home.manifest(firefox).allowed_extensions, [firefoxId, 'other@example.org']);
	assert.match(home.run('doctor').stdout, /^problem +extension-list .*\/extensions:1: a Firefox extension's id .*\n +\S/m);
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
	mkdirSync(home.path('etc/portlight'), {recursive: true});
	writeFileSync(home.path('etc/portlight/extensions'), text);
	const made = spawnSync(join(root, 'packaging/install'), [home.folder, '/usr', name], {encoding: 'utf8'});
	assert.equal(made.status, 0, made.stderr);
	assert.equal(home.run('install', '--all').status, 1);
	const path = '/usr/libexec/portlight/portlight-host';
	assert.deepEqual(home.manifest(`etc/chromium/native-messaging-hosts/${name}.json`), {...home.manifest(chromium), path});
	assert.deepEqual(home.manifest(`usr/lib/mozilla/native-messaging-hosts/${name}.json`), {...home.manifest(firefox), path});
	assert.equal(home.manifest(firefox).allowed_extensions.length, 3);
});

test('`make uninstall` takes away what `make install` made, and leaves another installation’s manifest', () => {
	const [install, ...args] = [join(root, 'packaging/install'), home.folder, '/usr', name];
	const foreign = `etc/opt/edge/native-messaging-hosts/${name}.json`;
	home.write(foreign, JSON.stringify({name, path: '/opt/other/portlight-host'}));
	const before = home.files();
	assert.equal(spawnSync(install, args).status, 0);
	// As \`portlight install --system\` writes it.
	const own = `etc/opt/chrome/native-messaging-hosts/${name}.json`;
	home.write(own, JSON.stringify({name, path: '/usr/libexec/portlight/portlight-host'}, null, 1));
	assert.equal(home.files().length > before.length + 20, true);
	assert.equal(spawnSync(install, ['--remove', ...args]).status, 0);
	assert.deepEqual(home.files(), before);
	assert.equal(home.tree().some((/** @type {string} */ path) => /mozilla\/native-messaging-hosts|share\/portlight/.test(path)), false);
});
