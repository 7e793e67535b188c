/** `portlight install --system` and full disks: on file systems that only the test sees. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {Home, host, name} from './installing.js';
import {program} from './recording.js';

const skip = process.getuid?.() !== 0 && 'needs root, to mount';

const chrome = `/etc/opt/chrome/native-messaging-hosts/${name}.json`;
const edge = `/etc/opt/edge/native-messaging-hosts/${name}.json`;
const packaged = `/etc/chromium/native-messaging-hosts/${name}.json`;

/** @type {Home} */
let home;

beforeEach(() => {
	home = new Home();
	mkdirSync(home.path('bin'));
	home.env.PATH = `${home.path('bin')}${delimiter}/usr/bin${delimiter}/bin${delimiter}/usr/sbin${delimiter}/sbin`;
	home.env.portlight = program;
	home.env.host = host;
});

afterEach(() => home.remove());

/** Makes a browser be there. @param {string} command */
function addBrowser(command) {
	home.write(`bin/${command}`, '#!/bin/sh\n');
	chmodSync(home.path(`bin/${command}`), 0o755);
}

/**
 * What a shell prints where what it changes in /etc and /usr/lib is gone with it.
 * @param {string} script  with the functions `portlight`, and `show FILE…` (mode and host of each that is there)
 */
function inside(script) {
	const set = `set -u
		mkdir "$HOME/over"
		mount -t tmpfs none "$HOME/over"
		for folder in etc usr/lib; do
			mkdir -p "$HOME/over/$folder/upper" "$HOME/over/$folder/work"
			mount -t overlay none -o "lowerdir=/$folder,upperdir=$HOME/over/$folder/upper,workdir=$HOME/over/$folder/work" "/$folder"
		done
		rm -rf /etc/opt/* /etc/chromium/native-messaging-hosts
		portlight() { "$portlight" "$@" 2>&1; echo "status $?"; }
		show() { for file; do [ ! -e "$file" ] || echo "$(stat -c %A "$file") $(jq -r .path "$file")"; done; }`;
	const {status, stdout, stderr} = spawnSync('unshare', ['--mount', 'sh', '-c', `${set}\n${script}`], {env: home.env, encoding: 'utf8'});
	assert.equal(stderr, '');
	assert.equal(status, 0);
	return stdout;
}

test('for everybody: the browsers that are there and that no package serves', {skip}, () => {
	addBrowser('google-chrome-stable');
	addBrowser('firefox');
	addBrowser('chromium');
	const text = inside(`
		umask 077
		portlight install --system
		show '${chrome}' '${edge}' '${packaged}'
		stat -c %A /etc/opt/chrome /etc/opt/chrome/native-messaging-hosts
		portlight install --system --quiet
		portlight uninstall --system
		find /etc/opt`);
	assert.match(text, new RegExp(`^chromium: A package or \`make install\` brings ${packaged}\\.$`, 'm'));
	assert.match(text, /^firefox: A package or `make install` brings \/usr\/lib\/mozilla\/.*$/m);
	assert.match(text, /^Not here: chrome-beta, .*edge, .*librewolf\.$/m);
	const told = text.split('\n').filter((line) => !/^(Not here|.*: A package)/.test(line));
	assert.deepEqual(told, [
		`chrome: wrote ${chrome}`,
		'status 0',
		`-rw-r--r-- ${host}`,
		'drwxr-xr-x',
		'drwxr-xr-x',
		'status 0',
		`chrome: removed ${chrome}`,
		'status 0',
		'/etc/opt',
		'',
	]);
});

test('for everybody: browsers by name, and all of them', {skip}, () => {
	const text = inside(`
		portlight install --system edge
		portlight install --system waterfox
		portlight install --system --all --quiet
		find /etc/opt /usr/lib/librewolf -name ${name}.json | sort
		portlight uninstall --system --dry-run edge
		portlight uninstall --system --quiet
		find /etc/opt
		[ -e /usr/lib/librewolf ] || echo gone`);
	assert.deepEqual(text.split('\n'), [
		`edge: wrote ${edge}`,
		'status 0',
		'portlight: waterfox has no folder for everybody.',
		'  Each user runs: portlight install.',
		'status 1',
		'status 0',
		chrome,
		`/etc/opt/chrome_for_testing/native-messaging-hosts/${name}.json`,
		edge,
		`/etc/opt/vivaldi/native-messaging-hosts/${name}.json`,
		`/usr/lib/librewolf/native-messaging-hosts/${name}.json`,
		`edge: would remove ${edge}`,
		'status 0',
		'status 0',
		'/etc/opt',
		'gone',
		'',
	]);
});

test('for everybody: what packages or others brought stays', {skip}, () => {
	addBrowser('microsoft-edge');
	addBrowser('google-chrome');
	const text = inside(`
		mkdir -p "$(dirname '${packaged}')" "$(dirname '${chrome}')"
		cat >'${packaged}' <<END
{"name": "${name}", "path": "$host"}
END
		echo '{"name": "${name}", "path": "/opt/wrapper"}' >'${chrome}'
		portlight install --system edge chrome
		portlight uninstall --system
		portlight uninstall --system chromium firefox
		portlight uninstall --system --force
		show '${packaged}' '${chrome}' '${edge}'`);
	assert.deepEqual(text.split('\n'), [
		`portlight: ${chrome} names another program, /opt/wrapper, and stays as it is.`,
		'  Replace it with --force.',
		`edge: wrote ${edge}`,
		'status 1',
		`chrome: ${chrome} names another program, /opt/wrapper, and stays as it is.`,
		`edge: removed ${edge}`,
		'status 0',
		'There was nothing to remove.',
		'status 0',
		'portlight: uninstall --system removes only what is Portlight\'s: leave out --force.',
		'  See portlight uninstall --help.',
		'status 2',
		`-rw-r--r-- ${host}`,
		'-rw-r--r-- /opt/wrapper',
		'',
	]);
});

test('for everybody: of two installations, each removes its own', {skip}, () => {
	mkdirSync(home.path('other'));
	for (const file of [program, host]) {
		copyFileSync(file, home.path(join('other', file.slice(file.lastIndexOf('/') + 1))));
	}
	const other = home.path('other/portlight-host');
	const text = inside(`
		"$HOME/other/portlight" install --system edge
		portlight uninstall --system
		"$HOME/other/portlight" uninstall --system
		ln -s other "$HOME/link"
		"$HOME/link/portlight" install --system --host "$HOME/link/portlight-host" edge
		"$HOME/other/portlight" uninstall --system
		portlight install --system --quiet edge
		mkdir "$HOME/bare" && cp "$portlight" "$HOME/bare/"
		"$HOME/bare/portlight" uninstall --system
		portlight uninstall --system --quiet
		"$HOME/other/portlight" install --system edge
		rm "$HOME/other/portlight-host"
		portlight uninstall --system`);
	assert.deepEqual(text.split('\n'), [
		`edge: wrote ${edge}`,
		`edge: ${edge} names ${other}, and stays as it is.`,
		'status 0',
		`edge: removed ${edge}`,
		`edge: wrote ${edge}`,
		`edge: removed ${edge}`,
		'status 0',
		`edge: ${edge} names ${host}, and stays as it is.`,
		'status 0',
		`edge: wrote ${edge}`,
		`edge: removed ${edge}`,
		'status 0',
		'',
	]);
});

test('for everybody: a file that browsers share stays for those that are not named', {skip}, () => {
	addBrowser('google-chrome');
	addBrowser('brave-browser');
	const text = inside(`
		portlight install --system brave chrome
		portlight uninstall --system brave
		rm "$HOME/bin/google-chrome"
		portlight uninstall --system brave`);
	assert.deepEqual(text.split('\n'), [
		`chrome: wrote ${chrome}`,
		'status 0',
		`brave: ${chrome} is chrome's too, and stays as it is.`,
		'  Without names, uninstall --system removes it.',
		'status 0',
		`brave: removed ${chrome}`,
		'status 0',
		'',
	]);
});

test('for everybody: root’s own list of extensions lets nothing in', {skip}, () => {
	home.write('.config/portlight/extensions', 'chromium abcdefghijklmnopabcdefghijklmnop\n');
	const text = inside(`
		mkdir -p /etc/portlight
		echo 'chromium ponmlkjihgfedcbaponmlkjihgfedcba' >/etc/portlight/extensions
		portlight install --system --quiet edge
		jq -r '.allowed_origins[1:][]' '${edge}'`);
	assert.equal(text, 'status 0\nchrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba/\n');
});

test('for everybody: only root can', {skip}, () => {
	const text = inside(`
		setpriv --reuid=65534 --clear-groups sh -c 'HOME=/ "$portlight" install --system edge 2>&1; echo "status $?"'
		find /etc/opt`);
	assert.deepEqual(text.split('\n'), [
		'portlight: Can\'t create /etc/opt/edge/native-messaging-hosts: Permission denied.',
		'  Run it as root.',
		'status 1',
		'/etc/opt',
		'',
	]);
});

test('a full disk is told, and nothing half done is left', {skip}, () => {
	const text = inside(`
		mkdir -p "$HOME/.config/chromium"
		mount -t tmpfs -o size=4k none "$HOME/.config/chromium"
		head -c 4096 /dev/zero >"$HOME/.config/chromium/Cookies"
		portlight install chromium
		find "$HOME/.config/chromium" | sort
		rm "$HOME/.config/chromium/Cookies"
		portlight install chromium
		find "$HOME/.config/chromium" -type f`);
	const lines = text.split('\n');
	assert.match(lines[0], /^portlight: .*No space left on device$/);
	const manifest = home.path(`.config/chromium/NativeMessagingHosts/${name}.json`);
	assert.deepEqual(lines.slice(1), [
		'  Make room on the disk, and try again.',
		'status 1',
		home.path('.config/chromium'),
		home.path('.config/chromium/Cookies'),
		`chromium: wrote ${manifest}`,
		'status 0',
		manifest,
		'',
	]);
});
