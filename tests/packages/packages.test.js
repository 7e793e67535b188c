/** The Debian packages: built here, and what is in them. tests/packages/long installs them. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {appendFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {copySources, output, plainEnv, read, root, version} from './lib/deb.js';

const built = join(root, 'build/deb');
/** @type {string} of this test */
let folder;
/** @type {string} the packages, unpacked */
let system;
/** @type {ReturnType<typeof read>} */
let host;
/** @type {ReturnType<typeof read>} */
let webext;
/** @type {ReturnType<typeof read>} */
let record;
/** @type {ReturnType<typeof read>} */
let rooms;

/** @param {string} name */
const package_ = (name) => join(built, `${name}.deb`);
/** @param {string} path in the unpacked packages */
const json = (path) => JSON.parse(readFileSync(join(system, path), 'utf8'));
/** @param {{files: {path: string}[]}} of */
const paths = (of) => of.files.map(({path}) => path);
// The gate has the unit tests in a step of its own.
const env = {...plainEnv(), DEB_BUILD_OPTIONS: 'nocheck'};

const firefoxTree = 'usr/share/webext/portlight';
const chromiumTree = 'usr/share/chromium/extensions/portlight-screen-sharing';
const firefoxLink = 'usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}/portlight@portlight';

before(() => {
	folder = mkdtempSync(join(tmpdir(), 'portlight-packages-'));
	output('make', ['-C', root, 'deb', 'extension'], {env});
	const architecture = output('dpkg', ['--print-architecture']).trim();
	const names = [`portlight_${version}_${architecture}`, `webext-portlight_${version}_all`, `portlight-record_${version}_${architecture}`, `portlight-rooms_${version}_${architecture}`];
	const files = names.map(package_);
	[host, webext, record, rooms] = files.map(read);
	system = join(folder, 'system');
	for (const file of files) {
		output('dpkg-deb', ['-x', file, system]);
	}
});

after(() => rmSync(folder, {recursive: true, force: true}));

test('lintian finds no error and no warning', () => {
	const changes = output('sh', ['-c', 'echo "$1"/*.changes', 'sh', built]).trim();
	const found = spawnSync('lintian', ['--fail-on', 'error,warning', '--tag-display-limit', '0', changes], {encoding: 'utf8'});
	assert.equal(found.status, 0, `${found.error ?? ''}${found.stdout}${found.stderr}`);
	assert.deepEqual(found.stdout.match(/^[EW]: .*/gm), null);
});

test('a changelog of another version is told before anything is built', () => {
	const made = spawnSync('make', ['-C', root, 'deb', 'VERSION=9.9.9', `B=${join(folder, 'other')}`], {env, encoding: 'utf8'});
	assert.notEqual(made.status, 0);
	assert.match(made.stderr, /newest entry of packaging\/debian\/changelog is not of version 9\.9\.9\. Remedy: /);
});

test('what is in them: plain files of root, below /usr and /etc, no folder that Debian forbids', () => {
	for (const {mode, path, target} of [host, webext, record].flatMap(({files}) => files)) {
		assert.match(path, /^(|usr\/.*|etc\/.*)$/);
		assert.doesNotMatch(path, /^usr\/(lib64|local)\/|^etc\/opt\//);
		const program = /^usr\/(bin|libexec\/portlight)\/[^/]+$/.test(path);
		assert.equal(mode, target ? 'lrwxrwxrwx' : path.endsWith('/') || path === '' ? 'drwxr-xr-x' : program ? '-rwxr-xr-x' : '-rw-r--r--', path);
		assert.ok(existsSync(join(system, target?.startsWith('/') ? target : path)), `${path} leads nowhere`);
	}
	const files = paths(host);
	for (const path of [
		'usr/bin/portlight',
		'usr/libexec/portlight/portlight-host',
		'usr/libexec/portlight/portlight-capture',
		'usr/share/man/man1/portlight.1.gz',
		'usr/share/man/man1/portlight-host.1.gz',
		'usr/share/bash-completion/completions/portlight',
		'usr/share/fish/vendor_completions.d/portlight.fish',
		'usr/share/zsh/vendor-completions/_portlight',
		'usr/share/metainfo/org.portlight.Portlight.metainfo.xml',
		'usr/share/icons/hicolor/scalable/apps/org.portlight.Portlight.svg',
		'usr/share/doc/portlight/copyright',
	]) {
		assert.ok(files.includes(path), path);
	}
});

test('together they take less than 1 MiB', () => {
	const sizes = [host, webext].map(({fields}) => Number(fields['Installed-Size']));
	assert.ok(sizes[0] + sizes[1] < 1024, `${sizes.join(' and ')} KiB`);
});

test('nothing is required but libraries; what a desktop has is recommended, the browsers are enhanced', () => {
	const libraries = host.fields.Depends.split(', ').map((name) => name.replace(/ .*/, ''));
	assert.deepEqual(libraries.filter((name) => !name.startsWith('lib')), []);
	assert.equal(webext.fields.Depends, undefined);
	assert.equal(webext.fields.Recommends, 'portlight');
	assert.match(host.fields.Recommends, /^pipewire, webext-portlight, wireplumber \| pipewire-session-manager, xdg-desktop-portal$/);
	for (const {fields} of [host, webext]) {
		assert.equal(fields.Enhances, 'chromium, firefox, firefox-esr');
	}
});

test('the recorder is apart, with the libraries that need many others', () => {
	assert.ok(paths(record).includes('usr/libexec/portlight/portlight-record'));
	assert.match(record.fields.Depends, new RegExp(`^portlight \\(= ${version.replaceAll('.', '\\.')}\\), .*libavformat`));
	assert.doesNotMatch(host.fields.Depends, /libav/);
	assert.equal(host.fields.Suggests, 'portlight-record');
});

test('the server is apart: its pages, its unit, its configuration, and nothing of the others', () => {
	const files = paths(rooms);
	for (const path of ['usr/bin/portlight-rooms', 'usr/lib/systemd/system/portlight-rooms.service', 'usr/share/portlight/examples/share.html', 'usr/share/man/man1/portlight-rooms.1.gz']) {
		assert.ok(files.includes(path), path);
	}
	// The pages' library is shipped where packaging/install-deps --pages put it.
	const library = existsSync(join(root, 'docs/examples/library')) ? ['', 'LICENSE', 'mediabunny.min.mjs'] : [];
	assert.deepEqual(files.filter((path) => path.includes('/library/')).map((path) => path.replace(/.*\/library\//, '')), library);
	assert.deepEqual(rooms.conffiles, ['/etc/portlight/rooms.conf']);
	assert.match(rooms.fields.Depends, /libwebsockets-evlib-uv/);
	assert.doesNotMatch(rooms.fields.Depends, /portlight|libpipewire|libav/);
	assert.ok(!paths(host).some((path) => path.includes('rooms')), 'the host has nothing of it');
	const checked = spawnSync(join(system, 'usr/bin/portlight-rooms'), ['--config', join(system, 'etc/portlight/rooms.conf'), '--check-config'], {encoding: 'utf8'});
	assert.deepEqual([checked.status, checked.stdout], [0, 'The configuration is right.\n'], checked.stderr);
});

test('dpkg keeps, as configuration, the two preference files and nothing that names a program', () => {
	assert.deepEqual([host.conffiles, record.conffiles], [[], []]);
	assert.deepEqual(webext.conffiles, ['/etc/firefox-esr/webext-portlight.js', '/etc/firefox/webext-portlight.js']);
	for (const path of webext.conffiles) {
		assert.match(readFileSync(join(system, path), 'utf8'), /^(\/\/ .*\n)+pref\("extensions\.startupScanScopes", 8\);\n$/);
	}
});

test('the manifests are those of the rows that the table says packages ship', () => {
	const rows = readFileSync(join(root, 'manifest/browsers.tsv'), 'utf8')
		.split('\n')
		.map((line) => line.split('\t'))
		.filter((row) => row.length === 6 && row[4] === 'package');
	const shipped = paths(host).filter((path) => path.includes('native-messaging-hosts/') && path.endsWith('.json'));
	assert.deepEqual(shipped.sort(), rows.map((row) => `${row[2].slice(1)}/org.portlight.host.json`).sort());
});

// https://developer.chrome.com/docs/extensions/develop/concepts/native-messaging and MDN's "Native manifests".
test("each host manifest follows its browser's rules", () => {
	const chromium = json('usr/share/portlight/chromium/org.portlight.host.json');
	const firefox = json('usr/lib/mozilla/native-messaging-hosts/org.portlight.host.json');
	const key = Buffer.from(json(`${chromiumTree}/manifest.json`).key, 'base64');
	const hash = createHash('sha256').update(key).digest('hex').slice(0, 32);
	const id = [...hash].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join('');
	for (const manifest of [chromium, firefox]) {
		assert.equal(manifest.name, 'org.portlight.host');
		assert.match(manifest.name, /^[a-z0-9_]+(\.[a-z0-9_]+)*$/);
		assert.equal(manifest.type, 'stdio');
		assert.ok(manifest.description);
		assert.equal(manifest.path, '/usr/libexec/portlight/portlight-host');
		assert.ok(statSync(join(system, manifest.path)).mode & 0o111);
	}
	assert.deepEqual(chromium.allowed_origins, [`chrome-extension://${id}/`]);
	assert.deepEqual(firefox.allowed_extensions, [json(`${firefoxTree}/manifest.json`).browser_specific_settings.gecko.id]);
	assert.deepEqual([chromium.allowed_extensions, firefox.allowed_origins], [undefined, undefined]);
	const link = host.files.find(({path}) => path === 'etc/chromium/native-messaging-hosts/org.portlight.host.json');
	assert.equal(link?.target, '/usr/share/portlight/chromium/org.portlight.host.json');
});

test('each browser gets the whole extension, and only one copy is there', () => {
	for (const [tree, of] of [[firefoxTree, 'firefox'], [chromiumTree, 'chromium']]) {
		output('diff', ['-r', join(system, tree), join(root, `build/extension-${of}`)]);
	}
	assert.equal(realpathSync(join(system, firefoxLink)), join(realpathSync(system), firefoxTree));
	// Firefox reads nothing outside of its folder; Chromium follows links.
	const links = webext.files.filter(({target}) => target);
	assert.deepEqual(links.filter(({path}) => path.startsWith(firefoxTree)), []);
	const own = webext.files.filter(({path, target}) => !target && path.startsWith(chromiumTree) && !path.endsWith('/'));
	for (const {path} of own) {
		const other = join(system, firefoxTree, path.slice(chromiumTree.length));
		assert.ok(!existsSync(other) || !readFileSync(join(system, path)).equals(readFileSync(other)), `${path} is there twice`);
	}
	// Chromium's wrapper splits its list of folders where two fit in 80 columns.
	assert.ok(chromiumTree.split('/').slice(-1)[0].length >= 20);
});

test("each extension's manifest follows its browser's rules", () => {
	for (const tree of [firefoxTree, chromiumTree]) {
		const manifest = json(`${tree}/manifest.json`);
		assert.equal(manifest.manifest_version, 3);
		assert.equal(manifest.version, version);
		assert.match(manifest.version, /^\d{1,5}(\.\d{1,5}){0,3}$/);
		assert.ok(existsSync(join(system, tree, '_locales', manifest.default_locale, 'messages.json')));
		const {background, content_scripts: scripts, icons, options_ui: options, action} = manifest;
		const named = [options.page, action.default_popup, ...Object.values(icons), ...(background.scripts ?? [background.service_worker])];
		for (const file of [...named, ...scripts.flatMap((/** @type {{js: string[]}} */ {js}) => js)]) {
			assert.ok(existsSync(join(system, tree, file)), `${tree}/${file}`);
		}
	}
	const firefox = json(`${firefoxTree}/manifest.json`);
	assert.equal(firefoxLink.split('/').slice(-1)[0], firefox.browser_specific_settings.gecko.id);
	assert.equal(firefox.key, undefined);
});

test('the metadata for software centres is valid and of this version', () => {
	const file = join(system, 'usr/share/metainfo/org.portlight.Portlight.metainfo.xml');
	output('appstreamcli', ['validate', '--no-net', file]);
	assert.match(readFileSync(file, 'utf8'), new RegExp(`<releases>\\s*<release version="${version.replaceAll('.', '\\.')}" `));
});

test('a row of the browser table with an unknown family or ships stops the build', () => {
	const copy = join(folder, 'a table');
	copySources(copy);
	const table = join(copy, 'manifest/browsers.tsv');
	const whole = readFileSync(table, 'utf8');
	const columns = /** @type {RegExpExecArray} */ (/^browser\t.*$/m.exec(whole))[0].split('\t');
	/** @param {Record<string, string>} values */
	const row = (values) => columns.map((column) => ({browser: 'mosaic', family: 'firefox', user: '$HOME/.mosaic', ships: 'tool', ...values})[column] ?? '-').join('\t');
	for (const [line, complaint] of /** @type {[string, RegExp][]} */ ([
		[row({family: 'gopher'}), /browsers\.tsv:\d+: mosaic: no family 'gopher'; there are chromium and firefox/],
		[row({ships: 'nobody'}), /browsers\.tsv:\d+: mosaic: 'nobody' ships nothing; package, rpm and tool do/],
		[row({}).replace(/\t[^\t]*$/, ''), new RegExp(`browsers\\.tsv:\\d+: mosaic: ${columns.length - 1} columns instead of ${columns.length}`)],
	])) {
		writeFileSync(table, whole);
		appendFileSync(table, `${line}\n`);
		const made = spawnSync('make', ['-C', copy, 'build/gen/browsers.inc'], {env, encoding: 'utf8'});
		assert.notEqual(made.status, 0, line);
		assert.match(made.stderr, complaint);
		assert.ok(!existsSync(join(copy, 'build/gen/browsers.inc')), 'half of it would be taken for whole the next time');
	}
});
