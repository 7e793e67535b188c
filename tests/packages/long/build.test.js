/** The source package in bare Debians: it builds from what debian/control names alone, also for arm64. */
import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {after, before, test} from 'node:test';
import {output, plainEnv, read, root, sums, version} from '../lib/deb.js';
import {bare, fresh, layer, missing} from '../lib/system.js';

const built = join(root, 'build/deb');
const source = [`portlight_${version}.dsc`, `portlight_${version}.tar.xz`].map((name) => join(built, name));
/** What a build needs is in the first paragraph. */
const key = readFileSync(join(root, 'packaging/debian/control'), 'utf8').split('\n\n')[0];
/** Without the unit tests, which are not in doubt here. */
const env = () => ({...plainEnv(), DEB_BUILD_OPTIONS: 'nocheck'});
const dsc = `/srv/${basename(source[0])}`;
/** @type {string[]} */
let tools;

before(() => {
	output('make', ['-C', root, 'deb'], {env: env()});
	if (!missing) {
		const script = `apt-get -qq install -y --no-install-recommends dpkg-dev; apt-get -qq build-dep -y --no-install-recommends ${dsc}`;
		tools = layer('build', bare(), script, {files: source, key});
	}
});

/** The source package, unpacked and built in the system. @param {import('../lib/system.js').System} system @param {string} flags */
function build(system, flags) {
	system.bring(...source);
	system.run(`cd /srv && dpkg-source -x ${dsc} portlight && cd portlight && dpkg-buildpackage -us -uc ${flags}`);
}

test('it builds in a bare Debian, with its unit tests, and the packages are those that are built here', {skip: missing}, () => {
	const system = fresh(tools);
	try {
		build(system, '-b');
		const [here, there] = [sums(built), sums(system.path('srv'))];
		const packages = Object.keys(here).filter((name) => name.endsWith('.deb'));
		assert.deepEqual(Object.keys(there).filter((name) => name.endsWith('.deb')), packages);
		// The same bytes where compiler and libraries are the same; else what is in them, but for programs.
		const compiler = 'gcc --version; ld --version; dpkg-query -W libglib2.0-dev libjson-c-dev libpipewire-0.3-dev libvpx-dev libyuv-dev';
		if (output('sh', ['-c', compiler]) === system.run(compiler)) {
			assert.deepEqual(packages.map((name) => there[name]), packages.map((name) => here[name]));
		} else {
			console.log('# compiler or libraries differ from those here: bytes not compared');
			for (const name of packages) {
				assert.deepEqual(read(system.path(`srv/${name}`)).files, read(join(built, name)).files);
			}
		}
		// What the build needs has what the recorder needs.
		system.run(`dpkg -i ${packages.filter((name) => !name.includes('dbgsym')).map((name) => `/srv/${name}`).join(' ')}`);
		assert.match(system.run('portlight record --help'), /--duration/);
	} finally {
		system.remove();
	}
});

test('it builds for arm64 on this machine, and the programs of the package run', {skip: missing}, () => {
	const cross = layer(
		'arm64',
		tools,
		`dpkg --add-architecture arm64; apt-get -qq update
		apt-get -qq install -y --no-install-recommends crossbuild-essential-arm64 qemu-user-static
		apt-get -qq build-dep -y --no-install-recommends --host-architecture arm64 --build-profiles cross,nocheck,pkg.portlight.norooms ${dsc}`,
		{files: source, key},
	);
	const system = fresh(cross);
	try {
		build(system, '-aarm64 -Pcross,nocheck,pkg.portlight.norooms -B');
		assert.equal(read(system.path(`srv/portlight_${version}_arm64.deb`)).fields.Architecture, 'arm64');
		system.run(`for name in portlight portlight-record; do dpkg-deb -x /srv/"$name"_${version}_arm64.deb /srv/arm64; done`);
		const programs = ['bin/portlight', 'libexec/portlight/portlight-host', 'libexec/portlight/portlight-capture'];
		for (const program of programs) {
			assert.equal(system.run(`qemu-aarch64-static /srv/arm64/usr/${program} --version`), `${basename(program)} ${version}\n`);
		}
		assert.match(system.run('qemu-aarch64-static /srv/arm64/usr/libexec/portlight/portlight-record --help'), /--duration/);
	} finally {
		system.remove();
	}
});

test('another folder, umask, time zone and home, beside what others built: the same bytes', () => {
	const folder = mkdtempSync(join(tmpdir(), 'portlight-again-'));
	after(() => rmSync(folder, {recursive: true, force: true}));
	const copy = join(folder, 'another');
	// What was built from, whoever works on the tree meanwhile: unclean now, and without git.
	output('dpkg-source', ['-x', source[0], copy]);
	renameSync(join(copy, 'debian'), join(copy, 'packaging/debian'));
	mkdirSync(join(copy, 'build/bin'), {recursive: true});
	mkdirSync(join(copy, 'tests/node_modules'), {recursive: true});
	writeFileSync(join(copy, 'build/bin/portlight-host'), 'not a program');
	writeFileSync(join(copy, 'tests/node_modules/other.js'), 'not ours');
	output('sh', ['-c', 'umask 077 && exec make -C "$1" deb', 'sh', copy], {
		env: {...env(), HOME: '/nonexistent', TZ: 'Pacific/Kiritimati', LC_ALL: 'C', GIT_CEILING_DIRECTORIES: folder, SOURCE_DATE_EPOCH: undefined},
	});
	const first = sums(built);
	assert.ok(Object.keys(first).length >= 5, Object.keys(first).join());
	assert.deepEqual(sums(join(copy, 'build/deb')), first);
	assert.equal(readFileSync(join(copy, 'build/bin/portlight-host'), 'utf8'), 'not a program', 'what is built elsewhere stays');
});
