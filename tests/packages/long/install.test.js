/** The Debian packages in a bare Debian: installed, removed, replaced, and where there is no space. */
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {copySources, output, plainEnv, read, root, version} from '../lib/deb.js';
import {bare, fresh, layer, missing} from '../lib/system.js';

const env = {...plainEnv(), DEB_BUILD_OPTIONS: 'nocheck'};
const next = version.replace(/\d+$/, (last) => String(Number(last) + 1));
/** @type {string} */
let folder;
/** @type {string[]} portlight and webext-portlight, as files */
let debs;
/** @type {string[]} the same of the next version */
let nextDebs;
/** @type {string[]} the bare system, with the libraries that the packages need */
let libraries;
/** @type {import('../lib/system.js').System} */
let system;

/** @param {string} built @param {string} of */
const files = (built, of) => [
	join(built, `portlight_${of}_${output('dpkg', ['--print-architecture']).trim()}.deb`),
	join(built, `webext-portlight_${of}_all.deb`),
];
/** @param {string[]} of as they are called in the system */
const inside = (of) => of.map((file) => file.replace(/.*\//, '/srv/')).join(' ');
/** What differs between two snapshots. @param {Map<string, string>} old @param {Map<string, string>} now */
const changed = (old, now) => [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
/** What the packages say that they have, as a snapshot names it. @param {string[]} of */
const listed = (of) => of.flatMap((file) => read(file).files).map(({path}) => `/${path.replace(/\/$/, '')}`);
const states = "dpkg-query -W -f '${Package} ${Status} ${Version}\\n' '*portlight*' 2>/dev/null | grep -v not-installed || true";
const installedStates = (/** @type {string} */ of) => `portlight install ok installed ${of}\nwebext-portlight install ok installed ${of}\n`;

before(() => {
	if (missing) {
		return;
	}
	folder = mkdtempSync(join(tmpdir(), 'portlight-install-'));
	output('make', ['-C', root, 'deb'], {env});
	debs = files(join(root, 'build/deb'), version);
	const copy = join(folder, 'next');
	copySources(copy);
	/** @param {string} name @param {(text: string) => string} change */
	const edit = (name, change) => writeFileSync(join(copy, name), change(readFileSync(join(copy, name), 'utf8')));
	edit('Makefile', (text) => text.replace(/^VERSION := .*$/m, `VERSION := ${next}`));
	edit('packaging/debian/changelog', (text) => `${text.split('\n\n  *')[0].replace(version, next)}\n\n  * Next.\n\n${/^ -- .*$/m.exec(text)?.[0]}\n\n${text}`);
	output('make', ['-C', copy, 'deb'], {env});
	nextDebs = files(join(copy, 'build/deb'), next);
	const names = read(debs[0]).fields.Depends.split(', ').map((name) => name.replace(/ .*/, ''));
	libraries = layer('libraries', bare(), `apt-get -qq install -y --no-install-recommends ${names.join(' ')}`);
});

after(() => folder && rmSync(folder, {recursive: true}));

beforeEach(() => {
	if (!missing) {
		system = fresh(libraries);
		system.bring(...debs, ...nextDebs);
	}
});
afterEach(() => missing || system.remove());

test('installing adds what the packages list, removing leaves their configuration, purging nothing, and again is the same', {skip: missing}, () => {
	const empty = system.snapshot();
	system.run(`dpkg -i ${inside(debs)}`);
	const installed = system.snapshot();
	const own = listed(debs);
	assert.deepEqual(changed(empty, installed), own.filter((path) => !empty.has(path)).sort().filter((path, i, all) => path !== all[i - 1]));
	assert.equal(system.run('portlight --version; /usr/libexec/portlight/portlight-host --version'), `portlight ${version}\nportlight-host ${version}\n`);
	assert.equal(system.run('dpkg --verify portlight webext-portlight'), '');
	const record = system.attempt('portlight record a.webm');
	assert.notEqual(record.status, 0);
	assert.match(record.stderr, /Install the package portlight-record/);

	system.run('dpkg --remove portlight webext-portlight');
	const configuration = read(debs[1]).conffiles;
	assert.deepEqual(changed(empty, system.snapshot()), ['/etc/firefox', '/etc/firefox-esr', ...configuration].sort());
	system.run('dpkg --purge portlight webext-portlight');
	assert.deepEqual(changed(empty, system.snapshot()), []);
	assert.equal(system.run(states), '');
	assert.equal(system.run('ls /var/lib/dpkg/info | grep portlight || true'), '');

	system.run(`dpkg -i ${inside(debs)}`);
	assert.deepEqual(changed(installed, system.snapshot()), []);
});

test('an upgrade and a downgrade leave what a fresh installation has, and keep a changed preference', {skip: missing}, () => {
	const preference = read(debs[1]).conffiles[0];
	system.run(`dpkg -i ${inside(debs)}`);
	const old = system.snapshot();
	system.run(`apt-get -qq install -y ${inside(nextDebs)}`);
	assert.equal(system.run(states), installedStates(next));
	assert.equal(system.run('portlight --version'), `portlight ${next}\n`);
	const upgraded = system.snapshot();
	const other = fresh(libraries);
	try {
		other.bring(...debs, ...nextDebs);
		other.run(`dpkg -i ${inside(nextDebs)}`);
		assert.deepEqual(changed(other.snapshot(), upgraded), []);
	} finally {
		other.remove();
	}
	assert.ok(changed(old, upgraded).includes('/usr/bin/portlight'), 'the next version is another');

	system.run(`sed -i s/8/12/ ${preference}`);
	system.run(`apt-get -qq install -y --allow-downgrades ${inside(debs)}`);
	assert.equal(system.run(states), installedStates(version));
	assert.deepEqual(changed(old, system.snapshot()), [preference]);
	assert.equal(system.run('dpkg --audit'), '');
});

test("removing takes away what `install --system` wrote, and nothing that another installation has", {skip: missing}, () => {
	const manifest = 'native-messaging-hosts/org.portlight.host.json';
	const [chrome, librewolf] = [`/etc/opt/chrome/${manifest}`, `/usr/lib/librewolf/${manifest}`];
	system.run(`
		dpkg -i ${inside(debs)}
		printf '#!/bin/sh\\n' >/usr/bin/google-chrome
		chmod 755 /usr/bin/google-chrome
		mkdir -p ${librewolf.replace(/[^/]*$/, '')}
		sed s,/usr/libexec,/usr/local/libexec, /usr/lib/mozilla/${manifest} >${librewolf}`);
	const before = system.snapshot();
	system.run('portlight install --system');
	assert.deepEqual(changed(before, system.snapshot()), ['/etc/opt/chrome', '/etc/opt/chrome/native-messaging-hosts', chrome]);
	assert.match(system.run(`cat ${chrome}`), /"\/usr\/libexec\/portlight\/portlight-host"/);
	system.run('portlight uninstall --system --host /usr/libexec/portlight/portlight-host');
	assert.deepEqual(changed(before, system.snapshot()), [], "the packages' own manifests and another host's stay");

	system.run('portlight install --system; dpkg --remove portlight');
	assert.deepEqual(changed(before, system.snapshot()).filter((path) => path.includes('opt') || path.includes('librewolf')), []);
	assert.equal(system.run(`ls ${librewolf}`), `${librewolf}\n`);
});

test('where the space ends, dpkg says so; what was there still works, and is replaced once there is space', {skip: missing}, () => {
	const full = system.attempt(`
		mkdir /usr/libexec/portlight
		mount -t tmpfs -o size=64k tmpfs /usr/libexec/portlight
		dpkg -i /srv/portlight_${version}_*.deb`);
	assert.notEqual(full.status, 0);
	assert.match(full.stderr, /No space left on device/);
	assert.equal(system.run(states), '');
	assert.equal(system.run('ls /usr/bin/portlight /usr/lib/mozilla /etc/chromium /usr/share/portlight 2>/dev/null || true'), '');

	system.run(`dpkg -i ${inside(debs)}`);
	assert.equal(system.run(states), installedStates(version));
	const upgrade = system.attempt(`
		cp -a /usr/libexec/portlight /tmp/programs
		mount -t tmpfs -o size=$(( $(du -sk /tmp/programs | cut -f 1) + 64 ))k tmpfs /usr/libexec/portlight
		cp -a /tmp/programs/. /usr/libexec/portlight/
		status=0
		dpkg -i ${inside(nextDebs)} || status=$?
		portlight --version
		/usr/libexec/portlight/portlight-host --version
		dpkg --verify portlight
		exit $status`);
	assert.notEqual(upgrade.status, 0);
	assert.match(upgrade.stderr, /No space left on device/);
	assert.match(upgrade.stdout, new RegExp(`^portlight ${version}\nportlight-host ${version}\n$`, 'm'));
	assert.match(system.run(states), new RegExp(`^portlight install ok installed ${version}\n`));
	system.run(`dpkg -i ${inside(nextDebs)}`);
	assert.equal(system.run(states), installedStates(next));
	assert.equal(system.run('dpkg --audit'), '');
});

test('on a machine with PipeWire and a portal, at most 20 packages are new, with all that is recommended', {skip: missing}, () => {
	const desktop = fresh(layer('desktop', bare(), 'apt-get -qq install -y --no-install-recommends pipewire wireplumber xdg-desktop-portal'));
	try {
		desktop.bring(...debs);
		const plan = desktop.run(`apt-get -s install ${inside(debs)}`);
		const added = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name);
		assert.ok(added.includes('portlight') && added.includes('webext-portlight'), plan);
		assert.ok(added.length <= 20, `${added.length}: ${added.join(' ')}`);
		console.log(`# new packages: ${added.join(' ')}`);
	} finally {
		desktop.remove();
	}
});
