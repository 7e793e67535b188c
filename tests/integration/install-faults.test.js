/** `portlight install` and `uninstall` where something is in the way. */
import assert from 'node:assert/strict';
import {chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync} from 'node:fs';
import {spawnSync} from 'node:child_process';
import {dirname} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {until} from '../fake/world.js';
import {chromium, firefox, Home, host, name, ordinary} from './installing.js';

/** @type {Home} */
let home;

beforeEach(() => {
	home = new Home();
	home.browse('.config/chromium', '.mozilla');
});

afterEach(() => home.remove());

/** A program in the home. @param {string} path @param {string} script @returns {string} */
function writeProgram(path, script) {
	home.write(path, `#!/bin/sh\n${script}\n`);
	chmodSync(home.path(path), 0o755);
	return home.path(path);
}

/** Text of a manifest of our host's name. @param {string} path */
const manifestOf = (path) => JSON.stringify({name, description: 'x', path, type: 'stdio', allowed_origins: []});

const nobodys = /** @type {[string, string | Buffer, RegExp][]} */ ([
	['an empty one', '', /is empty/],
	['a huge one', ' '.repeat(65537), /is too large for a manifest/],
	['a binary one', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]), /is not text/],
	['broken JSON', '{"name": "org.portlight.host", "path": ', /is no manifest of Portlight's/],
	['no object', '[]', /is no manifest of Portlight's/],
	['another host’s', manifestOf('/usr/bin/portlight-host').replace(name, 'com.example.other'), /is no manifest of Portlight's/],
	['a wrapper’s', manifestOf('/opt/wrapper\x1b[31m'), /names another program, \/opt\/wrapper/],
	['no path', `{"name": "${name}", "path": 5}`, /is no manifest of Portlight's/],
	['nested deeply', `${'['.repeat(60_000)}`, /is no manifest of Portlight's/],
]);
for (const [what, content, why] of nobodys) {
	test(`a manifest that is not ours stays unless it is forced: ${what}`, () => {
		home.write(chromium, content);
		const kept = home.run('install');
		assert.equal(kept.status, 1);
		assert.match(kept.stderr, why);
		assert.match(kept.stderr, /^portlight: .*, and stays as it is\.\n {2}Replace it with --force\.\n$/);
		assert.ok(!kept.stderr.includes('\x1b'));
		assert.equal(home.manifest(firefox).path, host, 'the other one is written');

		const removed = home.run('uninstall');
		assert.equal(removed.status, 0);
		assert.match(removed.stdout, /^chromium: .*, and stays as it is\.\n {2}Remove it with --force\.\nfirefox: removed /);
		assert.deepEqual(readFileSync(home.path(chromium)), Buffer.from(content));

		assert.equal(home.run('install', '--force').status, 0);
		assert.equal(home.manifest(chromium).path, host);
		home.write(chromium, content);
		assert.equal(home.run('uninstall', '--force').status, 0);
		assert.deepEqual(home.files(), []);
	});
}

test('links, folders and pipes in a manifest’s place are not ours', () => {
	const folder = '.config/chromium/NativeMessagingHosts';
	mkdirSync(home.path(folder));
	home.write('precious.json', manifestOf('/usr/libexec/portlight/portlight-host'));
	for (const target of [home.path('precious.json'), `${name}.json`, '/nowhere']) {
		symlinkSync(target, home.path(chromium));
		const kept = home.run('install', 'chromium');
		assert.equal(kept.status, 1);
		assert.match(kept.stderr, /is a link, and stays/);
		assert.equal(home.run('uninstall', 'chromium').status, 0);
		assert.equal(readlinkSync(home.path(chromium)), target);
		assert.equal(home.run('install', 'chromium', '--force').status, 0);
		assert.ok(lstatSync(home.path(chromium)).isFile(), 'the link itself is replaced');
		assert.equal(home.run('uninstall', 'chromium').status, 0);
		mkdirSync(home.path(folder), {recursive: true});
	}
	assert.equal(home.manifest('precious.json').path, '/usr/libexec/portlight/portlight-host');

	assert.equal(spawnSync('mkfifo', [home.path(chromium)]).status, 0);
	assert.match(home.run('install', 'chromium').stderr, /is not a file, and stays/);
	assert.equal(home.run('uninstall', 'chromium', '--force').status, 0);

	mkdirSync(home.path(`${chromium}/inside`), {recursive: true});
	assert.match(home.run('install', 'chromium').stderr, /is not a file, and stays/);
	for (const command of ['install', 'uninstall']) {
		const forced = home.run(command, 'chromium', '--force');
		assert.equal(forced.status, 1);
		assert.match(forced.stderr, /^portlight: .*\n {2}\S/);
	}
	assert.ok(existsSync(home.path(`${chromium}/inside`)));
});

test('a manifest that can’t be read stays', () => {
	home.write(chromium, manifestOf('/usr/libexec/portlight/portlight-host'));
	chmodSync(home.path(chromium), 0);
	const {status, stderr} = home.runAs(ordinary, 'install', 'chromium');
	assert.equal(status, 1);
	assert.match(stderr, /can't be read \(Permission denied\), and stays/);
});

test('a file in the place of a manifest’s folder', () => {
	home.write('.mozilla/native-messaging-hosts', 'a file in the way');
	const {status, stderr} = home.run('install');
	assert.equal(status, 1);
	assert.equal(stderr, `portlight: ${home.path('.mozilla/native-messaging-hosts')} is not a folder.\n  Move it away, and try again.\n`);
	assert.ok(existsSync(home.path(chromium)), 'the other one is written');
	assert.equal(home.run('uninstall').status, 0);
	assert.equal(home.read('.mozilla/native-messaging-hosts'), 'a file in the way');
});

test('a manifest’s folder that is a link is followed, and stays', () => {
	mkdirSync(home.path('elsewhere'));
	symlinkSync(home.path('elsewhere'), home.path('.mozilla/native-messaging-hosts'));
	assert.equal(home.run('install', 'firefox').status, 0);
	assert.deepEqual(home.files(), [`elsewhere/${name}.json`, firefox].sort());
	assert.equal(home.run('uninstall', 'firefox').status, 0);
	assert.ok(lstatSync(home.path('.mozilla/native-messaging-hosts')).isSymbolicLink());
	assert.ok(existsSync(home.path('elsewhere')));
});

test('links in the place of a manifest’s folder that lead nowhere, or round', () => {
	symlinkSync('/nowhere/at/all', home.path('.mozilla/native-messaging-hosts'));
	symlinkSync('NativeMessagingHosts', home.path('.config/chromium/NativeMessagingHosts'));
	const {status, stderr} = home.run('install');
	assert.equal(status, 1);
	for (const folder of ['.config/chromium/NativeMessagingHosts', '.mozilla/native-messaging-hosts']) {
		assert.ok(stderr.includes(`${home.path(folder)} is not a folder.\n  Move it away`), stderr);
	}
	assert.equal(home.run('uninstall').status, 0);
});

/** Links that a browser in a sandbox makes of its own folders, and what they lead to. @type {[string, string][]} */
const planted = [
	['config', 'elsewhere'],
	['config/google-chrome', 'elsewhere'],
	['config/google-chrome/NativeMessagingHosts', 'elsewhere'],
	['config/google-chrome/NativeMessagingHosts', 'nowhere'],
	['data', 'elsewhere'],
	['data/portlight', 'elsewhere'],
	['data/portlight/lib', 'elsewhere'],
	['data/portlight/lib', 'nowhere'],
];
for (const [link, target] of planted) {
	test(`a Flatpak’s ${link} that links to ${target} outside has nothing written or removed there`, () => {
		const app = '.var/app/com.google.Chrome';
		home.write('elsewhere/libvpx.so.9', 'a program’s own');
		home.write('elsewhere/lib/libvpx.so.9', 'another’s');
		const at = home.path(`${app}/${link}`);
		mkdirSync(dirname(at), {recursive: true});
		symlinkSync(home.path(target), at);
		const entries = () => readdirSync(home.path('elsewhere'), {recursive: true});
		const before = entries();
		const {status, stderr} = home.run('install', 'chrome');
		assert.equal(status, 1);
		assert.match(stderr, /^portlight: A link in \/.*\.var\/app\/com\.google\.Chrome\/.* leads out of the Flatpak's folder\.\n {2}\S/);
		assert.deepEqual(entries(), before);
		assert.equal(existsSync(home.path('nowhere')), false);
		if (target === 'nowhere' && link.startsWith('config')) {
			return;
		}
		// As if it was installed before the link was made.
		home.write(`${app}/config/google-chrome/NativeMessagingHosts/${name}.json`, manifestOf(home.path(`${app}/data/portlight/portlight-host`)));
		const then = entries();
		assert.equal(home.run('uninstall', 'chrome').status, 1);
		assert.deepEqual(entries(), then);
	});
}

test('a Flatpak in a home whose name is not UTF-8', () => {
	const script = `
		HOME="$HOME/$(printf 'h\\377')"
		mkdir -p "$HOME/.var/app/com.google.Chrome"
		"$0" install
		echo "status $?"
		find "$HOME/.var" -type f`;
	const {stdout, stderr} = home.runAs(['sh', '-c', script]);
	assert.match(stderr, /^portlight: The path of the host .* is not valid UTF-8.*\n {2}\S/);
	assert.match(stdout, /^status 1\n$/m);
});

test('uninstall --force --host removes what names that host alone', () => {
	home.write(chromium, manifestOf('/opt/wrapper'));
	home.write(firefox, 'no manifest');
	const {status, stdout} = home.run('uninstall', '--force', '--host', '/opt/other');
	assert.equal(status, 0);
	assert.match(stdout, /names another program, \/opt\/wrapper, and stays as it is\.\n/);
	assert.ok(existsSync(home.path(chromium)) && existsSync(home.path(firefox)));
	assert.equal(home.run('uninstall', '--force', '--host', '/opt/wrapper').status, 0);
	assert.deepEqual([existsSync(home.path(chromium)), existsSync(home.path(firefox))], [false, true]);
});

test('a file of a Flatpak’s copy that is a link is replaced, and what it leads to stays', () => {
	const lib = '.var/app/org.mozilla.firefox/data/portlight/lib';
	home.write('precious', 'precious');
	mkdirSync(home.path(lib), {recursive: true});
	symlinkSync(home.path('precious'), home.path(`${lib}/portlight-capture`));
	symlinkSync(host, home.path(`${lib}/portlight-host`));
	assert.equal(home.run('install', 'firefox').status, 0);
	assert.equal(home.read('precious'), 'precious');
	assert.equal(lstatSync(home.path(`${lib}/portlight-capture`)).isFile(), true);
	assert.equal(lstatSync(home.path(`${lib}/portlight-host`)).isFile(), true);
});

test('a home that can’t be written', () => {
	home.write(chromium, manifestOf('/elsewhere/portlight-host'));
	const folders = ['.config/chromium/NativeMessagingHosts', '.mozilla'].map((folder) => home.path(folder));
	folders.forEach((folder) => chmodSync(folder, 0o555));
	const before = home.tree();
	const installed = home.runAs(ordinary, 'install');
	const removed = home.runAs(ordinary, 'uninstall');
	folders.forEach((folder) => chmodSync(folder, 0o755));
	assert.equal(installed.status, 1);
	assert.equal(installed.stderr.match(/^portlight: .*Permission denied.*\n {2}Check who owns the folder\.$/gm)?.length, 2, installed.stderr);
	assert.equal(removed.status, 1);
	assert.match(removed.stderr, /^portlight: Can't remove .*Permission denied\.\n {2}Check who owns the folder\.$/m);
	assert.deepEqual(home.tree(), before);
});

test('HOME that is unset, empty, or no folder', () => {
	// Without HOME it is the account's home, as browsers take it too.
	const account = spawnSync('sh', ['-c', 'getent passwd "$(id -u)" | cut -d: -f6'], {encoding: 'utf8'}).stdout.trim();
	home.env.HOME = undefined;
	assert.ok(account.startsWith('/'));
	const unset = home.run('install', 'waterfox', '--dry-run');
	assert.equal(unset.status, 0, unset.stderr);
	assert.ok(unset.stdout.endsWith(` ${account}/.waterfox/native-messaging-hosts/${name}.json\n`), unset.stdout);
	for (const folder of ['', 'relative', home.path('nobody')]) {
		home.env.HOME = folder;
		for (const command of ['install', 'uninstall']) {
			const {status, stderr} = home.run(command, 'firefox');
			assert.equal(status, 1);
			assert.match(stderr, /^portlight: There is no home folder .*\n {2}Set HOME /);
		}
	}
	assert.ok(!existsSync(home.path('nobody')));
});

test('a host of one’s own answers as one, under whatever name, which JSON must escape', () => {
	const ours = home.path('my "host"');
	const missing = home.run('install', 'chromium', '--host', ours);
	assert.equal(missing.status, 1);
	assert.ok(missing.stderr.startsWith(`portlight: ${ours} is missing or can't be run.\n  `), missing.stderr);
	copyFileSync(host, ours);
	assert.equal(home.run('install', 'chromium', '--host', ours).status, 0);
	assert.equal(home.manifest(chromium).path, ours);
	assert.match(home.run('install', 'chromium', '--host', ours).stdout, /^chromium: nothing to change in /);

	assert.equal(home.run('uninstall', 'chromium').status, 0);
	assert.ok(existsSync(home.path(chromium)), 'its name alone tells nobody that it is ours');
	assert.equal(home.run('uninstall', 'chromium', '--host', ours).status, 0);
	assert.deepEqual(home.files(), ['my "host"']);
});

test('--host takes no program that does not answer as a portlight-host', async () => {
	const pid = home.path('pid');
	const child = home.path('child');
	for (const program of [
		'/bin/ls',
		'/bin/true',
		'/dev/null',
		home.folder,
		writeProgram('mute', 'exit 1'),
		writeProgram('other', 'echo portlight-record 1.2.3'),
		writeProgram('almost', 'echo portlight-host 1.2.3 and more'),
		writeProgram('endless', 'yes "portlight-host 1.2.3" | tr -d "\\n"'),
		writeProgram('flood', 'cat /dev/zero'),
		writeProgram('hung', `sleep 1000 & echo $! > '${child}'; echo $$ > '${pid}'; wait`),
		writeProgram('wordy', 'echo "Welcome."; echo portlight-host 1.2.3'),
	]) {
		const {status, stderr} = home.run('install', '--host', program);
		assert.equal(status, 1, program);
		assert.match(stderr, /^portlight: .* (is not a portlight-host: it does not answer|is missing or can't be run).*\n {2}\S/);
		assert.ok(!existsSync(home.path(chromium)), program);
	}
	for (const file of [pid, child]) {
		const process = `/proc/${readFileSync(file, 'utf8').trim()}`;
		// It may wait for whoever collects orphans.
		await until('what hung is ended', () => !existsSync(process) || /^State:\tZ/m.test(readFileSync(`${process}/status`, 'utf8')));
	}
	const told = home.json('install', '--host', '/bin/ls');
	assert.deepEqual([told.ok, told.results.length, told.results[0].result], [false, 1, 'failed']);
	assert.match(told.results[0].text, /^\/bin\/ls is not a portlight-host/);
	assert.equal(home.run('install', '--host', writeProgram('newer', 'echo portlight-host 99.0.0~rc1')).status, 0);
});

test('a host is registered by the path that one would write', () => {
	// As in /usr: the programs are in bin and libexec.
	mkdirSync(home.path('usr/bin'), {recursive: true});
	mkdirSync(home.path('usr/libexec/portlight'), {recursive: true});
	copyFileSync(host, home.path('usr/libexec/portlight/portlight-host'));
	copyFileSync(host.replace(/-host$/, ''), home.path('usr/bin/portlight'));
	const installed = spawnSync(home.path('usr/bin/portlight'), ['install'], {env: home.env, encoding: 'utf8'});
	assert.equal(installed.status, 0, installed.stderr);
	assert.equal(home.manifest(chromium).path, home.path('usr/libexec/portlight/portlight-host'));

	// The other installation takes over, and says so.
	const other = home.run('install', 'chromium');
	assert.equal(other.stdout, `chromium: wrote ${home.path(chromium)} (it named ${home.path('usr/libexec/portlight/portlight-host')})\n`);
	assert.equal(home.manifest(chromium).path, host);
	const relative = spawnSync(home.path('usr/bin/portlight'), ['install', '--host', 'usr/bin/../libexec/portlight/portlight-host'], {
		env: home.env,
		cwd: home.folder,
		encoding: 'utf8',
	});
	assert.equal(relative.status, 0, relative.stderr);
	assert.equal(home.manifest(firefox).path, home.path('usr/libexec/portlight/portlight-host'));
});

test('an installation without a host', () => {
	writeFileSync(home.path('portlight'), readFileSync(host.replace(/-host$/, '')), {mode: 0o755});
	const {status, stderr} = spawnSync(home.path('portlight'), ['install'], {env: home.env, encoding: 'utf8'});
	assert.equal(status, 1);
	assert.equal(stderr, 'portlight: portlight-host is missing or can\'t be run.\n  Reinstall Portlight, or name the program with --host.\n');
});
