/** `portlight doctor` on machines where one thing is broken: the desktop, PipeWire, Portlight's own programs and files. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {until} from '../fake/world.js';
import {Machine, PipeWire, schema, version} from './doctoring.js';

const pipewire = new PipeWire();
/** @type {Machine} */
let machine;

before(async () => {
	await pipewire.start({manager: true});
	const check = () => execFileSync(join(dirname(machine.program), 'portlight-capture'), ['--check'], {env: machine.env, encoding: 'utf8'});
	machine = new Machine(pipewire);
	await until('the session manager runs', () => /^manager /m.test(check()), 100);
	await machine.finish();
});
after(() => pipewire.close());
beforeEach(async () => {
	machine = await Machine.well(pipewire);
});
afterEach(() => machine.finish());

/** A helper that says so. @param {{version?: string, check?: string}} how */
function fakeHelper({version: own = version, check = 'echo sandbox ok; echo codec vp8; echo codec vp9'}) {
	machine.script(machine.capture, `if [ "$1" = --version ]; then echo portlight-capture ${own}; else ${check}; fi`);
}

test('where all is well each line is ok and has its code', async () => {
	const {status, checks} = await machine.doctor();
	assert.equal(status, 0);
	assert.deepEqual(
		checks.map(({status, code}) => `${status} ${code}`),
		[
			...['session', 'bus', 'portal', 'pipewire', 'session-manager'].map((code) => `ok ${code}`),
			...['host', 'helper', 'sandbox', 'codecs', 'choices', 'extensions'].map((code) => `ok ${code}`),
			...['browser', 'extension', 'browser', 'extension'].map((code) => `ok ${code}`),
		]
	);
	/** @param {string} code */
	const of = (code) => checks.filter((check) => check.code === code);
	assert.equal(of('portal')[0].interfaceVersion, 4);
	assert.match(of('portal')[0].text, /screens, windows; pointer: hidden, embedded, metadata/);
	assert.match(String(of('pipewire')[0].version), /^\d+\.\d+\.\d+$/);
	assert.equal(of('helper')[0].version, version);
	assert.equal(of('codecs')[0].codecs, 'vp8, vp9');
	assert.deepEqual(of('browser').map(({browser, path}) => [browser, path]), [
		['chromium', machine.host],
		['firefox', machine.host],
	]);
	assert.deepEqual(of('extension').map((check) => check.profile), [
		join(machine.home, '.config/chromium/Default'),
		join(machine.home, '.mozilla/firefox/a.default'),
	]);
	assert.ok(of('extension').every((check) => check.version === version && /switched on, let in to all sites$/.test(check.text)));
});

/** What is broken, and the codes of the problems that come of it. @type {[string, () => unknown, string[]][]} */
const broken = [
	['no Wayland session', () => delete machine.env.WAYLAND_DISPLAY, ['session-missing']],
	['a Wayland session that ended', () => (machine.env.WAYLAND_DISPLAY = 'wayland-9'), ['session-dead']],
	['no session bus', () => machine.stopBus().then(() => rmSync(join(machine.folder, 'bus'), {force: true})).then(() => delete machine.env.DBUS_SESSION_BUS_ADDRESS), ['bus-missing']],
	['an address without a bus', () => (machine.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${machine.folder}/nobody`), ['bus-lost']],
	['a bus that says nothing', () => machine.listen('mute').then(() => (machine.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${machine.folder}/mute`)), ['bus-lost']],
	['no portal', () => machine.stopPortal(), ['portal-missing']],
	['a portal without screen sharing', () => machine.startPortal({interface: false}), ['portal-missing']],
	['a portal that shares neither screens nor windows', () => machine.startPortal({source_types: 4}), ['portal-unsupported']],
	['no PipeWire', () => (machine.env.PIPEWIRE_RUNTIME_DIR = machine.folder), ['pipewire-missing']],
	['a PipeWire that says nothing', () => machine.listen('pipewire-0').then(() => (machine.env.PIPEWIRE_RUNTIME_DIR = machine.folder)), ['pipewire-refused']],
	['no helper', () => rmSync(machine.capture), ['helper-missing']],
	['a helper of another version', () => fakeHelper({version: '0.0.1'}), ['version-mismatch']],
	['a helper that is no program', () => writeFileSync(machine.capture, 'text'), ['helper-crashed']],
	['a helper that crashes', () => fakeHelper({check: 'echo sandbox ok; kill -SEGV $$'}), ['helper-crashed']],
	['a helper that hangs', () => fakeHelper({check: machine.sleeps()}), ['helper-crashed']],
	['a kernel without the sandbox', () => fakeHelper({check: 'echo sandbox-error Invalid argument; exit 1'}), ['sandbox-refused']],
	['a codec that does not work', () => fakeHelper({check: 'echo sandbox ok; echo codec vp8; exit 1'}), ['encoder-failed']],
	['no host', () => rmSync(machine.host), ['host-missing', 'chromium: host-unusable', 'firefox: host-unusable']],
	[
		'a host of another version',
		() => machine.script(machine.host, 'echo portlight-host 0.0.1'),
		['version-mismatch', 'chromium: version-mismatch', 'firefox: version-mismatch'],
	],
	['choices that can’t be kept', () => mkdirSync(dirname(machine.state), {recursive: true}) && writeFileSync(machine.state, ''), ['state-unusable']],
	['a bad line in a list of extensions', () => machine.write('.config/portlight/extensions', 'firefox a"b@example.org\n'), ['extension-list']],
];

for (const [what, breaks, codes] of broken) {
	test(what, async () => {
		await breaks();
		const {problems, checks} = await machine.doctor();
		assert.deepEqual(problems, codes);
		const bus = checks.some(({code}) => code === 'bus');
		assert.equal(checks.some(({code}) => code.startsWith('portal')), bus, 'nobody is asked for a portal without a bus');
		await machine.empty();
	});
}

test('no session manager', async () => {
	const bare = new PipeWire();
	try {
		await bare.start({manager: false});
		machine.env.PIPEWIRE_RUNTIME_DIR = bare.folder;
		assert.deepEqual((await machine.doctor()).problems, ['manager-missing']);
	} finally {
		await bare.close();
	}
});

test('an X11 session is no problem', async () => {
	delete machine.env.WAYLAND_DISPLAY;
	machine.env.DISPLAY = ':99';
	const {checks, problems} = await machine.doctor();
	assert.deepEqual(problems, []);
	assert.deepEqual([checks[0].status, checks[0].code], ['note', 'session-x11']);
});

test('without HOME it looks where the user’s account says', async () => {
	delete machine.env.HOME;
	// The real home of whoever runs this: of what is there nothing is known.
	const run = await machine.command('doctor', '--json');
	assert.ok(run.status === 0 || run.status === 1, run.stderr);
	assert.ok(JSON.parse(run.stdout).checks.some((/** @type {{code: string}} */ {code}) => code === 'helper'));
});

test('--browser asks for some browsers, also for those that never ran', async () => {
	const both = await machine.doctor('--browser', 'firefox', '-b', 'firefox');
	assert.deepEqual([...new Set(both.checks.flatMap((check) => check.browser ?? []))], ['firefox']);
	assert.equal(both.checks.filter(({code}) => code === 'browser').length, 1, 'named twice, told once');
	const opera = await machine.doctor('--browser=opera');
	assert.deepEqual(opera.problems, ['opera: host-missing']);
});

test('a browser that Portlight does not know', async () => {
	const near = await machine.command('doctor', '--browser', 'firefx');
	assert.deepEqual([near.status, near.stdout], [2, '']);
	assert.match(near.stderr, /does not know a browser "firefx"\.\n {2}Did you mean firefox\?\n$/);
	const far = await machine.command('doctor', '--browser', 'firefox', '--browser', 'lynx');
	assert.deepEqual([far.status, far.stdout], [2, '']);
	assert.match(far.stderr, /"lynx"\.\n {2}portlight doctor --help lists them/);
	assert.match((await machine.command('doctor', '--help')).stdout, /^Browsers: .*\bfirefox\b/m);
	assert.equal((await machine.command('doctor', 'firefox')).status, 2);
});

/** @param {string[]} args */
function startLive(...args) {
	const child = spawn(machine.program, ['doctor', '--live', ...args], {env: machine.env, stdio: ['ignore', 'pipe', 'pipe']});
	let out = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
	child.stderr.resume();
	const ended = async () => {
		const [status] = await once(child, 'close');
		return {status, last: out.split('\n').filter((line) => /^\S/.test(line)).at(-1) ?? ''};
	};
	return {child, ended: ended()};
}

/** How a share can fail: what the portal does, the exit status, the last line. @type {[string, object, number, RegExp][]} */
const failures = [
	['the user declines', {start: 1}, 3, /^problem +denied /],
	['the portal fails', {create: 'error'}, 4, /^problem +portal-error /],
	['no stream is granted', {streams: []}, 4, /^problem +portal-no-streams /],
	['the desktop ends it', {start: 'closed'}, 5, /^problem +session-closed /],
	['there is no PipeWire behind it', {}, 5, /^problem +(pipewire-refused|pipewire-lost|helper-timeout|no-picture) /],
];
for (const [what, script, status, line] of failures) {
	test(`--live: ${what}`, async () => {
		await machine.startPortal(script);
		const run = await startLive().ended;
		assert.match(run.last, line);
		assert.equal(run.status, status);
		await machine.empty();
	});
}

test('--live: what is wrong before it decides the status', async () => {
	machine.env.WAYLAND_DISPLAY = 'wayland-9';
	await machine.startPortal({start: 1});
	assert.equal((await startLive().ended).status, 1);
});

test('--live: Ctrl-C closes the dialog', async () => {
	await machine.startPortal({start: 'unanswered'});
	const run = startLive();
	await machine.called('Start');
	run.child.kill('SIGINT');
	const {status, last} = await run.ended;
	assert.match(last, /^note +cancelled /);
	assert.equal(status, 130);
	assert.equal((await machine.callsOf('request.Close')).length, 1);
	assert.equal((await machine.callsOf('session.Close')).length, 1);
	await machine.empty();
});

test('the manual explains every code, and no other', () => {
	const page = readFileSync(fileURLToPath(new URL('../../docs/man/portlight.1.scd', import.meta.url)), 'utf8');
	const part = page.slice(page.indexOf('\n## Codes\n'), page.indexOf('\n# INSTALL'));
	const explained = [...part.matchAll(/^\*[a-z0-9-]+\*(, \*[a-z0-9-]+\*)*$/gm)].flatMap(([line]) => line.match(/[a-z0-9-]+/g) ?? []);
	assert.deepEqual(explained.sort(), [...schema.properties.checks.items.properties.code.enum].sort());
});
