/** `portlight record` when portal, helper or disk fail: a scripted portal and a scripted helper on a private bus. */
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, constants, copyFileSync, existsSync, openSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {idle, until, World} from '../fake/world.js';
import {took} from '../tools/times.js';
import {Recording, facts, program, record} from './recording.js';

/** @type {World} */
let world;
/** @type {string} */
let copy;
/** @type {string} */
let file;

beforeEach(() => {
	world = new World();
	copy = join(world.folder, 'portlight-command');
	copyFileSync(program, copy);
	copyFileSync(join(dirname(program), 'portlight-record'), join(world.folder, 'portlight-record'));
	file = join(world.folder, 'x.webm');
});

afterEach(() => world.finish());

/**
 * Starts a recording whose frames have no meaning; VP8, which the muxer does not look into.
 * @param {string[]} [args]
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string[]} [through]
 */
function start(args = [], env = {}, through = []) {
	return new Recording(['--codec', 'vp8', ...args, file], {path: copy, env: {...world.env, ...env}, through});
}

/**
 * Starts a recording where there is a portal and a helper.
 * @param {object} [script]  of the portal
 * @param {Parameters<typeof start>} how
 */
async function startWith(script, ...how) {
	world.addCapture();
	await world.startBus();
	await world.startPortal(script);
	return start(...how);
}

const untilFile = () => until('there is a file', () => existsSync(file));
const untilHelper = () => until('the helper runs', () => world.processes().length === 2);

/** Nothing of ours runs, and nothing but `names` was left in the folder. @param {string[]} names */
async function assertClean(...names) {
	await world.empty();
	const left = readdirSync(world.folder).filter((name) => /webm/.test(name));
	assert.deepEqual(left, names);
}

/** The portal's session was closed once, after the helper had ended. */
async function assertSessionOutlived() {
	const {helpers} = await world.called('session.Close');
	assert.equal(helpers, 0, 'helpers that read the stream of a closed session');
}

test('no session bus', async () => {
	world.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${world.folder}/nobody`;
	const run = await start().ended();
	assert.equal(run.status, 4, run.stderr);
	assert.match(run.stderr, /^portlight: .+\n {2}.+\n$/);
	await assertClean();
});

test('no portal', async () => {
	await world.startBus();
	const run = await start().ended();
	assert.equal(run.status, 4);
	assert.match(run.stderr, /^portlight: This desktop has no screen sharing portal/);
	assert.match(run.stderr, /^ {2}Install xdg-desktop-portal and the backend of your desktop/m);
	await assertClean();
});

test('a portal without windows is asked for a window', async () => {
	await world.startBus();
	await world.startPortal({source_types: 1});
	const run = await start(['--source', 'window']).ended();
	assert.equal(run.status, 4, run.stderr);
	assert.match(run.stderr, /no source of the requested kind/);
	await assertClean();
});

test('the options reach the portal', async () => {
	const recording = await startWith({}, ['--source', 'window', '--cursor', 'hidden', '--duration', '0.1']);
	const run = await recording.ended();
	assert.equal(run.status, 0, run.stderr);
	const {options} = await world.called('SelectSources');
	assert.equal(options.types, 2);
	assert.equal(options.cursor_mode, 1);
});

for (const step of ['select', 'start']) {
	test(`the user declines in ${step}`, async () => {
		await world.startBus();
		await world.startPortal({[step]: 1});
		writeFileSync(file, 'precious');
		const run = await start(['--force']).ended();
		assert.equal(run.status, 3);
		assert.match(run.stderr, /^portlight: The user declined to share\.\n/m);
		assert.equal(readFileSync(file, 'utf8'), 'precious');
		await assertClean('x.webm');
	});
}

test('no helper beside the command', async () => {
	await world.startBus();
	await world.startPortal();
	const run = await start().ended();
	assert.equal(run.status, 5, run.stderr);
	assert.match(run.stderr, /^portlight: The capture helper could not be started/m);
	await assertClean();
});

for (const [mode, message] of [
	['crash', /The capture helper ended unexpectedly/],
	['exit', /The capture helper ended unexpectedly/],
	['garbage', /do not understand each other/],
	['oversize', /do not understand each other/],
	['early-frame', /do not understand each other/],
]) {
	test(`a helper that fails before a picture: ${mode}`, async () => {
		const recording = await startWith({}, [], {FAKE_CAPTURE: String(mode)});
		const run = await recording.ended();
		assert.equal(run.status, 5, run.stderr);
		assert.match(run.stderr, /** @type {RegExp} */ (message));
		assert.doesNotMatch(run.stderr, /^Recorded/m);
		await assertClean();
	});
}

test('a helper that crashes leaves what was recorded', async () => {
	const recording = await startWith({}, [], {FAKE_CAPTURE: 'crash-live'});
	const run = await recording.ended();
	assert.equal(run.status, 5, run.stderr);
	assert.match(run.stderr, /^portlight: The capture helper ended unexpectedly[^]*^Recorded .* \d+ frames?, .*x\.webm/m);
	assert.ok(facts(file).pts.length > 0);
	await assertClean('x.webm');
});

test('a helper that does not go is killed', async () => {
	const recording = await startWith({}, [], {FAKE_CAPTURE: 'stubborn'});
	await untilFile();
	const asked = performance.now();
	recording.kill('SIGTERM');
	const run = await recording.ended();
	took('end of a recording whose helper does not go', performance.now() - asked);
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /portlight-capture \d+ did not exit; killing it/);
	await assertSessionOutlived();
	await assertClean('x.webm');
});

for (const [end, args] of /** @type {[string, string[]][]} */ ([['crash-live', []], ['stubborn', ['--duration', '0.1']]])) {
	test(`the helper is gone before the session is closed: ${[end, ...args].join(' ')}`, async () => {
		await (await startWith({}, args, {FAKE_CAPTURE: end})).ended();
		await assertSessionOutlived();
	});
}

test('the desktop ends the share', async () => {
	const recording = await startWith();
	await untilFile();
	await world.tell('close');
	const run = await recording.ended();
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /^The desktop ended the share\.\nRecorded /);
	assert.ok(facts(file).pts.length > 0);
	await assertClean('x.webm');
});

test('the desktop ends the share before there is a picture', async () => {
	const recording = await startWith({}, [], {FAKE_CAPTURE: 'hang'});
	await untilHelper();
	await world.tell('close');
	const run = await recording.ended();
	assert.equal(run.status, 5, run.stderr);
	assert.match(run.stderr, /nothing was recorded/);
	await assertClean();
});

test('a signal before there is a picture ends it without a file', async () => {
	const recording = await startWith({}, [], {FAKE_CAPTURE: 'hang'});
	await untilHelper();
	recording.kill('SIGTERM');
	const run = await recording.ended();
	assert.equal(run.status, 143, run.stderr);
	await assertClean();
});

test('the portal leaves the bus', async () => {
	const recording = await startWith();
	await untilFile();
	await world.stopPortal();
	const run = await recording.ended();
	assert.equal(run.status, 4, run.stderr);
	assert.ok(facts(file).pts.length > 0);
	await assertClean('x.webm');
});

test('a file that outgrows its limit ends the recording and keeps what is there', async () => {
	const recording = await startWith({}, [], {FAKE_CAPTURE_SIZE: '50000'}, ['prlimit', '--fsize=5000000']);
	const run = await recording.ended();
	assert.equal(run.status, 6, run.stderr);
	assert.match(run.stderr, /Can't write .*x\.webm: File too large/);
	assert.match(run.stderr, /^Recorded .*x\.webm/m);
	assert.ok(facts(file).pts.length > 60, `${facts(file).pts.length} frames`);
	await assertClean('x.webm');
});

test('a full device is told', async () => {
	file = '/dev/full';
	const recording = await startWith();
	const run = await recording.ended();
	assert.equal(run.status, 6, run.stderr);
	assert.match(run.stderr, /^portlight: \/dev\/full: the disk is full\.\n {2}Free some space/);
	await assertClean();
});

test('a file that appears while the user chooses is kept', async () => {
	const recording = await startWith({start: 'held'});
	await world.called('Start');
	writeFileSync(file, 'precious');
	await world.tell('answer');
	const run = await recording.ended();
	assert.equal(run.status, 6, run.stderr);
	assert.match(run.stderr, /already exists/);
	assert.equal(readFileSync(file, 'utf8'), 'precious');
	await assertClean('x.webm');
});

test('a reader that goes away ends the recording', async () => {
	file = '-';
	const recording = await startWith({}, [], {FAKE_CAPTURE_SIZE: '50000'});
	recording.child.stdout?.once('data', () => recording.child.stdout?.destroy());
	const run = await recording.ended();
	assert.equal(run.status, 6, run.stderr);
	assert.match(run.stderr, /^portlight: The program that read the recording has ended\./m);
	await assertClean();
});

/** Waits until nothing moves. */
async function untilHalted() {
	for (const pid of world.processes()) {
		await idle(pid);
	}
}

/** A recording of which nobody reads more than its beginning. */
async function paused() {
	file = '-';
	const recording = await startWith({}, [], {FAKE_CAPTURE_SIZE: '50000'});
	await once(recording.child.stdout, 'data');
	recording.child.stdout.pause();
	return recording;
}

/** All that the summary counts is in what the reader got. @param {{stdout: Buffer, stderr: string}} run */
function assertWhole({stdout, stderr}) {
	const got = join(world.folder, 'got');
	writeFileSync(got, stdout);
	assert.equal(facts(got).pts.length, Number(/^Recorded .* (\d+) frames/m.exec(stderr)?.[1]));
}

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
	test(`${signal} ends a recording whose reader does not read`, async () => {
		const recording = await paused();
		await untilHalted();
		recording.kill(signal);
		await once(recording.child, 'exit');
		await world.empty();
		recording.child.stdout.resume();
		const run = await recording.ended();
		assert.equal(run.status, 6, run.stderr);
		assert.match(run.stderr, /^portlight: The program that reads the recording did not take the rest\./m);
		await assertSessionOutlived();
	});
}

test('a named pipe whose reader never reads', async () => {
	file = join(world.folder, 'pipe');
	execFileSync('mkfifo', [file]);
	const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
	const recording = await startWith();
	await untilHelper();
	await untilHalted();
	recording.kill('SIGTERM');
	const run = await recording.ended();
	closeSync(reader);
	assert.equal(run.status, 6, run.stderr);
	await assertClean();
});

test('a reader that pauses gets the whole recording', async () => {
	const recording = await paused();
	await untilHalted();
	recording.child.stdout.resume();
	const before = recording.chunks.length;
	await until('the recording goes on', () => recording.chunks.length > before + 20);
	recording.kill('SIGTERM');
	const run = await recording.ended();
	assert.equal(run.status, 0, run.stderr);
	assertWhole(run);
	await assertClean();
});

test('a recording that ends while its reader pauses waits for it, without a helper', async () => {
	const recording = await paused();
	await untilHalted();
	await world.tell('close');
	await until('no helper', () => world.helpers().length === 0);
	recording.child.stdout.resume();
	const run = await recording.ended();
	assert.equal(run.status, 0, run.stderr);
	assertWhole(run);
});

test('a signal ends the wait for a reader', async () => {
	const recording = await paused();
	await untilHalted();
	await world.tell('close');
	await until('no helper', () => world.helpers().length === 0);
	recording.kill('SIGTERM');
	await world.empty();
	recording.child.stdout.resume();
	assert.equal((await recording.ended()).status, 6);
});

const dated = /^portlight-\d{4}-\d\d-\d\d-\d{6}(-\d+)?\.webm$/;
const datedFiles = () => readdirSync(world.folder).filter((name) => dated.test(name));

test('without a file it takes a dated name in the current folder, each time another', async () => {
	world.addCapture();
	await world.startBus();
	await world.startPortal();
	const unnamed = () => record(['--codec', 'vp8', '--duration', '0.1'], {path: copy, env: world.env, cwd: world.folder});
	const run = await unnamed();
	assert.equal(run.status, 0, run.stderr);
	const [name] = datedFiles();
	assert.match(run.stderr, new RegExp(`^Recorded .* to ${name} `, 'm'));
	assert.ok(facts(join(world.folder, name)).pts.length > 0);
	assert.equal((await unnamed()).status, 0);
	assert.equal(datedFiles().length, 2);
});

test('--quiet says nothing of a recording that went well, and everything of one that did not', async () => {
	const recording = await startWith({}, ['--quiet', '--duration', '0.1']);
	assert.deepEqual(await recording.ended(), {status: 0, signal: null, stdout: Buffer.alloc(0), stderr: ''});
	const again = await start(['-q']).ended();
	assert.equal(again.status, 6);
	assert.match(again.stderr, /already exists/);
});

test('--verbose logs what happens', async () => {
	const recording = await startWith({}, ['-v', '--duration', '0.1']);
	assert.match((await recording.ended()).stderr, /^portlight\[\d+\] info: ScreenCast portal version 4$/m);
});

test('a name that does not end with .webm is refused, and nobody is asked', async () => {
	await world.startBus();
	await world.startPortal();
	for (const name of ['b.mp4', 'b.mkv', 'b']) {
		file = join(world.folder, name);
		const run = await start().ended();
		assert.equal(run.status, 2, name);
		assert.match(run.stderr, /^portlight: .*\/b\S*: a recording is WebM, and its name must end with \.webm\.\n {2}.+ffmpeg.+\n$/);
	}
	assert.deepEqual(world.calls, []);
});

test('what is wrong with the arguments is told before anybody is asked', async () => {
	await world.startBus();
	await world.startPortal();
	for (const args of [['--fps', '0'], ['--fps', 'many'], ['--kbps', '99'], ['--codec', 'h264'], ['--cursor', 'big'], ['--region', '0,0,1,9']]) {
		const run = await start(args).ended();
		assert.equal(run.status, 2, args.join(' '));
		assert.match(run.stderr, /^portlight: .+\n {2}See portlight record --help\.\n$/);
	}
	assert.equal((await start(['another.webm']).ended()).status, 2);
	file = join(world.folder, 'no', 'x.webm');
	assert.equal((await start().ended()).status, 6);
	assert.deepEqual(world.calls, []);
});
