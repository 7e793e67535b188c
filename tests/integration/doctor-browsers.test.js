/** `portlight doctor` and the browsers: their manifests, the hosts that those name, and the extension in their profiles. */
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {chromiumId, firefoxId} from '../fake/browser.js';
import {Machine, name, PipeWire, unmountable as skip, version} from './doctoring.js';

const chromium = `.config/chromium/NativeMessagingHosts/${name}.json`;
const firefox = `.mozilla/native-messaging-hosts/${name}.json`;
const pipewire = new PipeWire();
/** @type {Machine} */
let machine;

before(() => pipewire.start({manager: true}));
after(() => pipewire.close());
beforeEach(async () => {
	machine = await Machine.well(pipewire);
});
afterEach(() => machine.finish());

/** @param {object} changes  in Firefox's manifest */
function change(changes) {
	const path = join(machine.home, firefox);
	writeFileSync(path, JSON.stringify({...JSON.parse(readFileSync(path, 'utf8')), ...changes}));
}

/** Replaces Firefox's manifest. @param {string | Buffer} content */
const put = (content) => writeFileSync(join(machine.home, firefox), content);

/** @param {(path: string) => void} make  something else in its place */
function instead(make) {
	rmSync(join(machine.home, firefox));
	make(join(machine.home, firefox));
}

/** A host that is no host. @param {string} script */
const otherHost = (script) => change({path: machine.script(join(machine.folder, 'portlight-other'), script)});

/** What is broken of Firefox, and the code of the problem. @type {[string, () => unknown, string][]} */
const broken = [
	['no manifest', () => rmSync(join(machine.home, firefox)), 'host-missing'],
	['an empty manifest', () => put(''), 'manifest-bad'],
	['a manifest of spaces', () => put(' \n'), 'manifest-bad'],
	['a huge manifest', () => put(`{"path": "${'x'.repeat(70_000)}"}`), 'manifest-bad'],
	['a binary manifest', () => put(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff])), 'manifest-bad'],
	['a manifest that is no JSON', () => put('{"name": '), 'manifest-bad'],
	['a manifest that is a list', () => put('[]'), 'manifest-bad'],
	['a manifest that is nested without end', () => put('['.repeat(60_000)), 'manifest-bad'],
	['a manifest of another host', () => change({name: 'org.example.other'}), 'manifest-bad'],
	['a manifest that names no host', () => change({path: undefined}), 'manifest-bad'],
	['a manifest whose path is relative', () => change({path: 'portlight-host'}), 'manifest-bad'],
	['a manifest that is a folder', () => instead((path) => mkdirSync(path)), 'manifest-bad'],
	['a manifest that is a pipe', () => instead((path) => execFileSync('mkfifo', [path])), 'manifest-bad'],
	['a manifest that links to itself', () => instead((path) => symlinkSync(path, path)), 'manifest-bad'],
	['a manifest that links to nowhere', () => instead((path) => symlinkSync('/nowhere', path)), 'manifest-bad'],
	['a host that is not there', () => change({path: '/nowhere/portlight-host'}), 'host-unusable'],
	['a host that is a folder', () => change({path: machine.folder}), 'host-unusable'],
	['a host that is not executable', () => (otherHost('true'), chmodSync(join(machine.folder, 'portlight-other'), 0o644)), 'host-unusable'],
	['a host that is /bin/ls', () => change({path: '/bin/ls'}), 'host-foreign'],
	['a host that says more than its version', () => otherHost(`echo portlight-host ${version}; echo and more`), 'host-foreign'],
	['a host that fails', () => otherHost(`echo portlight-host ${version}; exit 1`), 'host-foreign'],
	['a host that hangs, with what it started', () => otherHost(machine.sleeps()), 'host-unusable'],
	['a host that talks without end', () => otherHost('exec yes'), 'host-unusable'],
	['a host that crashes', () => otherHost('kill -SEGV $$'), 'host-unusable'],
	['a host that leaves a program behind', () => otherHost(`${machine.sleeps().split(';')[0]} >/dev/null & echo portlight-host 9.0.0`), 'version-mismatch'],
	['a host of another version', () => otherHost('echo portlight-host 9.0.0'), 'version-mismatch'],
	['a manifest that does not let our extension in', () => change({allowed_extensions: ['other@example.org']}), 'wrong-caller'],
	['an extension that is switched off', () => machine.addFirefox({addon: {active: false, userDisabled: true}}), 'extension-off'],
	['an extension that is let in nowhere', () => machine.addFirefox({preferences: {[firefoxId]: {origins: []}}}), 'page-closed-off'],
];

for (const [what, breaks, code] of broken) {
	test(what, async () => {
		breaks();
		const {problems, checks} = await machine.doctor();
		assert.deepEqual(problems, [`firefox: ${code}`]);
		const {browser, path, manifest} = checks.filter((check) => check.status === 'problem')[0];
		assert.equal(browser, 'firefox');
		assert.ok(manifest === undefined || manifest === join(machine.home, firefox));
		assert.ok(code !== 'host-foreign' || path);
		await machine.empty();
	});
}

test('a manifest that can’t be read', {skip: process.getuid?.() === 0 && !existsSync('/usr/bin/setpriv') && 'root reads all, and there is no setpriv'}, async () => {
	chmodSync(join(machine.home, firefox), 0o000);
	if (process.getuid?.() === 0) {
		// Root reads everything; nobody does not, and has no bus.
		machine.through = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
		execFileSync('chmod', ['-R', 'go+rX', machine.folder]);
		chmodSync(join(machine.home, firefox), 0o000);
	}
	const run = await machine.command('doctor', '--json', '--browser', 'firefox');
	const [problem] = JSON.parse(run.stdout).checks.filter((/** @type {any} */ {code}) => code === 'manifest-bad');
	assert.match(problem.text, /Permission denied/);
});

test('of two installations it says which one each browser starts', async () => {
	const other = machine.addInstallation();
	change({path: other});
	machine.write(`.config/mozilla/native-messaging-hosts/${name}.json`, {
		...JSON.parse(readFileSync(join(machine.home, firefox), 'utf8')),
		path: machine.host,
	});
	const {problems, checks} = await machine.doctor();
	assert.deepEqual(problems, [], 'both are whole');
	/** @param {string} code */
	const of = (code) => checks.filter((check) => check.code === code).map(({browser, path}) => [browser, path]);
	assert.deepEqual(of('browser'), [
		['chromium', machine.host],
		['firefox', other],
	]);
	assert.deepEqual(of('host-elsewhere'), [['firefox', other]]);
	assert.deepEqual(of('host-hidden'), [['firefox', machine.host]]);
});

/** The codes of one browser's extension, with their status. @param {import('./doctoring.js').Check[]} checks @param {string} browser */
const extension = (checks, browser) =>
	checks.filter((check) => check.browser === browser && !['browser', 'extension-system'].includes(check.code)).map(({status, code}) => `${status} ${code}`);

/** What Chromium's profile says of the extension, and what doctor. @type {[string, () => unknown, string[]][]} */
const profiles = [
	['switched off', () => machine.addChromium({disable_reasons: [1]}), ['problem extension-off']],
	['switched off, as older versions write it', () => machine.addChromium({disable_reasons: 1}), ['problem extension-off']],
	['let in when clicked alone', () => machine.addChromium({withholding_permissions: true}), ['problem page-closed-off']],
	[
		'let in to some sites',
		() => machine.addChromium({withholding_permissions: true, runtime_granted_permissions: {scriptable_host: ['https://meet.example.org/*']}}),
		['ok extension'],
	],
	['of an older version', () => machine.addChromium({manifest: {version: '0.0.9'}}), ['ok extension', 'note extension-version']],
	['loaded from a folder that is gone', () => machine.addChromium({location: 8, path: '/nowhere', manifest: undefined}), ['note extension-missing']],
	['left over', () => machine.addChromium({location: undefined, path: undefined}), ['note extension-missing']],
	['in a file that is no JSON', () => machine.write('.config/chromium/Default/Preferences', '{"extensions": '), ['note profile-unreadable']],
	['in a file of the wrong shape', () => machine.write('.config/chromium/Default/Preferences', {extensions: {settings: [chromiumId]}}), ['note extension-missing']],
	['in a huge file', () => truncateSync(machine.write('.config/chromium/Default/Preferences', '{'), 2 ** 34), ['note profile-unreadable']],
	['nowhere', () => rmSync(join(machine.home, '.config/chromium/Default'), {recursive: true}), ['note extension-missing']],
];

for (const [what, make, codes] of profiles) {
	test(`Chromium’s extension ${what}`, async () => {
		make();
		const {checks} = await machine.doctor();
		assert.deepEqual(extension(checks, 'chromium'), codes);
		assert.deepEqual(extension(checks, 'firefox'), ['ok extension']);
	});
}

test('Firefox’s profiles: another one, none, broken ones', async () => {
	machine.addFirefox({addon: {version: '7.0.0'}, preferences: {}});
	assert.deepEqual(extension((await machine.doctor()).checks, 'firefox'), ['problem page-closed-off', 'note extension-version']);
	// Where permissions are in a data base nothing is known of them.
	mkdirSync(join(machine.home, '.mozilla/firefox/a.default/extension-store-permissions'));
	const unknown = (await machine.doctor()).checks.filter((check) => check.code === 'extension' && check.browser === 'firefox');
	assert.match(unknown[0].text, /let in to sites is unknown/);
	machine.addFirefox({addon: null});
	assert.deepEqual(extension((await machine.doctor()).checks, 'firefox'), ['note extension-missing']);
	machine.write('.mozilla/firefox/a.default/extensions.json', Buffer.alloc(100));
	assert.deepEqual(extension((await machine.doctor()).checks, 'firefox'), ['note profile-unreadable']);
	machine.write('.mozilla/firefox/profiles.ini', Buffer.from([0, 1, 2, 255]));
	assert.deepEqual(extension((await machine.doctor()).checks, 'firefox'), ['note extension-missing']);
});

test('the package’s extension, in profiles made after it and before', {skip}, async () => {
	machine.addPackage({pref: true});
	machine.addFirefox({addon: null});
	rmSync(join(machine.home, '.config/chromium/Default'), {recursive: true});
	mkdirSync(join(machine.home, '.config/chromium/Default'));
	const {problems, checks} = await machine.doctor();
	assert.deepEqual(problems, []);
	const system = checks.filter(({code}) => code === 'extension-system');
	assert.deepEqual(system.map(({browser, version: found}) => [browser, found]), [
		['chromium', version],
		['firefox', version],
	]);
	assert.match(String(system[0].path), /\/portlight-screen-sharing$/);
	assert.deepEqual(extension(checks, 'chromium'), ['note extension-next']);
	assert.deepEqual(extension(checks, 'firefox'), ['note extension-next']);
	// As Firefox 153 left it in a profile that was older than the package, without the pref: "active", and dead.
	machine.addFirefox({addon: {location: 'app-system-share', path: '/usr/share/webext/portlight'}, preferences: {}});
	assert.deepEqual((await machine.doctor()).problems, ['firefox: profile-older']);
});

test('a package without Firefox’s pref tells of each profile that is older', {skip}, async () => {
	machine.addPackage({pref: false});
	machine.addFirefox({addon: null});
	const {problems, stdout} = await machine.doctor();
	assert.deepEqual(problems, ['firefox: profile-older']);
	assert.match(stdout, /^problem +profile-older .*a\.default.* older than the package.*\n +\S.*extensions\.startupScanScopes/m);
	// What the user set himself counts too, and before all else.
	machine.write('.mozilla/firefox/a.default/prefs.js', '// Mozilla User Preferences\nuser_pref("extensions.startupScanScopes", 15);\n');
	assert.deepEqual((await machine.doctor()).problems, []);
	machine.write('.mozilla/firefox/a.default/user.js', 'user_pref("extensions.startupScanScopes", 5);\n');
	assert.deepEqual((await machine.doctor()).problems, ['firefox: profile-older']);
});

test('browsers in a sandbox: what works there', async () => {
	for (const folder of ['snap/firefox', '.var/app/org.mozilla.firefox', '.local/share/flatpak/app/com.google.Chrome']) {
		mkdirSync(join(machine.home, folder), {recursive: true});
	}
	rmSync(join(machine.home, '.mozilla'), {recursive: true});
	rmSync(join(machine.home, '.config/chromium'), {recursive: true});
	/** @param {import('./doctoring.js').Check[]} checks */
	const told = (checks) => checks.flatMap(({browser, status, code, text}) => (browser ? [`${status} ${code}: ${text}`] : []));
	const [asFlatpak, asSnap, chrome, ...rest] = told((await machine.doctor()).checks);
	assert.match(asFlatpak, /^note sandboxed-unable: firefox as a Flatpak .* can't start the host/);
	assert.match(asSnap, /^note sandboxed-unable: firefox as a Snap \(firefox\) can't start the host/);
	assert.match(chrome, /^problem sandboxed-unable: chrome as a Flatpak .* can't start the host/);
	assert.deepEqual(rest, []);

	await machine.startPortal({web_extensions: true, proxy: true});
	const helped = await machine.doctor();
	assert.deepEqual(helped.problems, ['firefox: host-missing', 'chrome: sandboxed-unable']);
	const said = told(helped.checks).filter((line) => line.includes('sandboxed:'));
	assert.match(said[0], /^note sandboxed: firefox as a Flatpak .* can start the host/);
	assert.match(said[1], /^note sandboxed: firefox as a Snap .* can start the host/);
	assert.match(helped.stdout, /firefox as a Snap .*\n +It asks you once\./);
});

test('pipes in the place of Firefox’s files are not waited for', async () => {
	for (const file of ['profiles.ini', 'a.default/compatibility.ini', 'a.default/prefs.js']) {
		const path = join(machine.home, '.mozilla/firefox', file);
		rmSync(path, {force: true});
		execFileSync('mkfifo', [path]);
		assert.deepEqual((await machine.doctor()).problems, []);
		rmSync(path);
		machine.addFirefox();
	}
});

test('a portal that does not answer is all that is wrong, with a Snap that would ask it', async () => {
	mkdirSync(join(machine.home, 'snap/firefox'), {recursive: true});
	machine.portal?.kill('SIGSTOP');
	const {problems, checks} = await machine.doctor().finally(() => machine.portal?.kill('SIGCONT'));
	assert.deepEqual(problems, ['portal-timeout']);
	const unknown = checks.find(({code}) => code === 'sandboxed-unknown');
	assert.match(`${unknown?.status} ${unknown?.text}`, /^note firefox as a Snap \(firefox\) may be able to start the host/);
	assert.doesNotMatch(String(unknown?.remedy), /as a package/);
});

test('a Flatpak with a host of its own', async () => {
	const folder = '.var/app/org.mozilla.firefox';
	mkdirSync(join(machine.home, folder, '.mozilla/firefox'), {recursive: true});
	assert.equal((await machine.command('install', 'firefox')).status, 0);
	cpSync(join(machine.home, '.mozilla/firefox'), join(machine.home, folder, '.mozilla/firefox'), {recursive: true});
	const {problems, checks} = await machine.doctor();
	assert.deepEqual(problems, []);
	/** @param {string} code */
	const of = (code) => checks.filter((check) => check.code === code && /^org\.mozilla\.firefox/.test(check.text)).map(({path, version, profile}) => ({path, version, profile}));
	const inside = join(machine.home, folder, 'data/portlight/portlight-host');
	assert.deepEqual(of('browser'), [{path: inside, version, profile: undefined}]);
	assert.equal(of('extension')[0].profile, join(machine.home, folder, '.mozilla/firefox/a.default'));
	assert.ok(checks.some(({status, code}) => status === 'note' && code === 'sandboxed'));
	machine.script(inside, 'echo portlight-host 0.0.1');
	assert.deepEqual((await machine.doctor()).problems, ['firefox: version-mismatch']);
	rmSync(inside);
	execFileSync('mkfifo', [inside]);
	assert.deepEqual((await machine.doctor()).problems, ['firefox: host-unusable']);
});

test('doctor runs no program that a sandboxed browser could have put there', async () => {
	const folder = '.var/app/org.mozilla.firefox';
	mkdirSync(join(machine.home, folder, '.mozilla'), {recursive: true});
	assert.equal((await machine.command('install', 'firefox')).status, 0);
	const ran = join(machine.folder, 'ran');
	const host = join(machine.home, folder, 'data/portlight/portlight-host');
	const evil = `touch ${ran}; echo portlight-host ${version}`;
	// In the place of the host, of the one that it starts, and elsewhere.
	machine.script(host, evil);
	assert.deepEqual((await machine.doctor()).problems, ['firefox: version-mismatch']);
	assert.equal((await machine.command('install', 'firefox')).status, 0);
	machine.script(join(machine.home, folder, 'data/portlight/lib/portlight-host'), evil);
	assert.deepEqual((await machine.doctor()).problems, ['firefox: version-mismatch']);
	const manifest = join(folder, '.mozilla/native-messaging-hosts', `${name}.json`);
	const elsewhere = machine.script(join(machine.home, folder, 'data/evil'), evil);
	const text = JSON.parse(readFileSync(join(machine.home, manifest), 'utf8'));
	machine.write(manifest, {...text, path: elsewhere});
	const {problems, checks} = await machine.doctor();
	assert.deepEqual(problems, ['firefox: host-foreign']);
	assert.equal(checks.find(({code}) => code === 'host-foreign')?.path, elsewhere);
	assert.equal(existsSync(ran), false);
});

test('no browser has run here', async () => {
	rmSync(machine.home, {recursive: true});
	const {problems, checks} = await machine.doctor();
	assert.deepEqual(problems, []);
	assert.equal(checks.at(-1)?.code, 'browsers-none');
	assert.ok(!existsSync(join(machine.home, chromium)));
});
