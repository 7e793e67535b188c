/** `portlight record` on a real desktop, through the real portal and the real helper. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, beforeEach, test} from 'node:test';
import {readMarker} from '../desktop/marker.js';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';
import {allProcesses, descendants} from '../e2e/lib/processes.js';
import {until} from '../fake/world.js';
import {took} from '../tools/times.js';
import {Recording, decodingErrors, drawn, facts, markers, pictures, program, record} from './recording.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1920x1080', '--rate', '30']);

const desktop = new Desktop();
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'record-'));
after(() => rmSync(folder, {recursive: true}));
beforeEach(() => desktop.willAnswer('screen'));

/** Those that a failed test leaves behind would keep the runner waiting. @type {Recording[]} */
const recordings = [];
afterEach(() => recordings.splice(0).forEach((recording) => recording.kill('SIGKILL')));

/** @param {string} name */
const inFolder = (name) => join(folder, name);

/**
 * The file plays, and shows what the marker drew, in its order.
 * @param {string} path
 * @param {number} from  the drawing that was on the desktop before the recording began
 */
async function assertShows(path, from) {
	assert.equal(decodingErrors(path), '');
	const seen = markers(path);
	const counters = seen.flatMap((marker) => marker?.counter ?? []);
	assert.ok(counters.length > seen.length * 0.9, `the marker is in ${counters.length} of ${seen.length} frames`);
	const drawings = [from, ...counters, await drawn(desktop, folder)];
	assert.ok(drawings.every((counter, i) => i === 0 || counter >= drawings[i - 1]), drawings.join(' '));
	return counters;
}

/** @param {string} path */
function start(path) {
	const recording = new Recording([path]);
	recordings.push(recording);
	return recording;
}

/** A recording that has begun. @param {string} path */
async function begun(path) {
	const recording = start(path);
	await until('there is a file', () => existsSync(path));
	const running = helpers(recording);
	assert.equal(running.length, 1);
	return {recording, running};
}

/** @param {Recording} recording */
const helpers = (recording) => descendants(recording.child.pid ?? -1).filter((p) => p.name === 'portlight-captu');

/** @param {{pid: number, start: string}[]} processes */
const alive = (processes) => {
	const now = allProcesses();
	return processes.filter((p) => now.some((q) => q.pid === p.pid && q.start === p.start));
};

/** Waits until more of it is written. @param {string} path */
async function growth(path) {
	const {size} = statSync(path);
	await until('more of it is written', () => statSync(path).size > size);
}

/** The helper's own log lines aside. @param {string} stderr */
const said = (stderr) => stderr.split('\n').filter((line) => line !== '' && !/^\[[A-Z]\]/.test(line));

test('records the desktop for as long as told', async () => {
	const path = inFolder('desktop.webm');
	const before = await drawn(desktop, folder);
	const run = await record(['--duration', '2', path]);
	assert.equal(run.status, 0, run.stderr);
	assert.equal(run.stdout.length, 0);
	assert.equal(said(run.stderr).length, 1, 'one line where stderr is no terminal');
	const summary = /^Recorded 2\.0 s, \d+ frames, [\d.]+\s[kM]B to .*desktop\.webm \(1920x1080, VP9\)\.$/;
	assert.match(said(run.stderr)[0], summary);
	const {duration, pts, keys: _keys, ...file} = facts(path);
	assert.deepEqual(file, {codec: 'vp9', width: 1920, height: 1080});
	assert.equal(pts[0], 0);
	// A picture that comes as the time ends is kept; one that is missing at the end is added.
	assert.ok(duration > 1.95 && pts[pts.length - 1] <= duration, `${duration} s, ${pts.join(' ')}`);
	assert.ok(
		pts.every((time, i) => i === 0 || time > pts[i - 1]),
		'time goes forward'
	);
	const counters = await assertShows(path, before);
	assert.ok(new Set(counters).size > 3, `the content moves: ${counters.join(' ')}`);
});

test('VP8 without the pointer, to the standard output', async () => {
	const run = await record(['--duration', '1', '--codec', 'vp8', '--cursor', 'hidden', '--source', 'screen', '-']);
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /to the standard output \(1920x1080, VP8\)/);
	const path = inFolder('stdout.webm');
	writeFileSync(path, run.stdout);
	assert.equal(decodingErrors(path), '');
	assert.equal(facts(path).codec, 'vp8');
	assert.ok(markers(path).some((marker) => marker !== null));
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
	test(`${signal} ends a recording with a playable file and without a helper`, async () => {
		const path = inFolder(`${signal}.webm`);
		const before = await drawn(desktop, folder);
		const {recording, running} = await begun(path);
		await growth(path);
		const asked = performance.now();
		recording.kill(signal);
		const run = await recording.ended();
		took(`${signal} ends a recording`, performance.now() - asked);
		assert.equal(run.status, 0, run.stderr);
		assert.deepEqual(alive(running), []);
		assert.ok((await assertShows(path, before)).length > 1);
	});
}

test('what is drawn reaches the file while it is recorded; a killed recording is playable, and its helper ends too', async () => {
	const path = inFolder('killed.webm');
	const before = await drawn(desktop, folder);
	const {recording, running} = await begun(path);
	await growth(path);
	// From now on nothing moves, so nothing pushes into the file what waits to be written.
	await desktop.tell('kill', 'marker', 'STOP');
	try {
		const shown = await drawn(desktop, folder);
		const start = performance.now();
		await until('what was shown is in the file', () => markers(path).at(-1)?.counter === shown, 100);
		took('from the desktop to the file', performance.now() - start);
	} finally {
		await desktop.tell('kill', 'marker', 'CONT');
	}
	recording.kill('SIGKILL');
	assert.equal((await recording.ended()).signal, 'SIGKILL');
	await until('no helper', () => alive(running).length === 0);
	await assertShows(path, before);
});

test('a terminal shows a live line', async () => {
	const path = inFolder('terminal.webm');
	const command = `${program} record --duration 2 ${path}`;
	const {status, stdout} = spawnSync('script', ['-qec', command, '/dev/null'], {encoding: 'utf8'});
	assert.equal(status, 0, stdout);
	assert.match(stdout, /Choose in the desktop's dialog what to record/);
	assert.match(stdout, /\r0:0[01] {2}\d+ frames {2}[\d.]+\s[kM]B {2}\d+ fps {2}\(Ctrl-C ends\)/);
	assert.ok(stdout.includes('\u001b[KRecorded 2.0 s'), 'the live line makes room for the last one');
});

test('--region records a part of the screen', async () => {
	const path = inFolder('region.webm');
	const run = await record(['--duration', '1', '--region', '12,12,900,500', path]);
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /\(900x500, VP9\)/);
	const seen = pictures(path);
	assert.ok(seen.length > 0 && seen.every(({width, height}) => width === 900 && height === 500));
	// The marker stands at 12, 12 on the screen.
	const corner = {x: 0, y: 0, width: 22 * 36, height: 12 * 36};
	assert.ok(seen.some(({image}) => readMarker(image, corner) !== null));
	const outside = await record(['--region', '5000,0,100,100', inFolder('outside.webm')]);
	assert.equal(outside.status, 2, outside.stderr);
	assert.match(outside.stderr, /^portlight: The requested region lies outside the shared picture\. \(the picture is 1920x1080\)\n/m);
	assert.equal(existsSync(inFolder('outside.webm')), false);
});

test('-vv logs details, of the helper too', async () => {
	const run = await record(['-vv', '--duration', '1', inFolder('logged.webm')]);
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /^portlight\[\d+\] info: ScreenCast portal version \d+$/m);
	assert.match(run.stderr, /^portlight-capture\[\d+\] debug: /m);
});

test('a refusal is told, and leaves no file', async () => {
	await desktop.willAnswer('deny');
	const path = inFolder('denied.webm');
	const run = await record([path]);
	assert.equal(run.status, 3);
	assert.deepEqual(said(run.stderr), [
		'portlight: The user declined to share.',
		'  Ask again and choose a screen or a window in the dialog.',
	]);
	assert.equal(existsSync(path), false);
});

test('an existing file is kept without --force, and replaced with it', async () => {
	const path = inFolder('kept.webm');
	writeFileSync(path, 'precious');
	const asked = await desktop.tell('asked');
	const refused = await record(['--duration', '1', path]);
	assert.equal(refused.status, 6);
	assert.match(refused.stderr, /^portlight: .*kept\.webm already exists\.\n {2}Name another file, or .*--force\.\n$/);
	assert.equal(await desktop.tell('asked'), asked, 'nobody was asked');
	assert.equal(readFileSync(path, 'utf8'), 'precious');

	assert.equal((await record(['--force', '--duration', '1', path])).status, 0);
	assert.equal(decodingErrors(path), '');
});

test('Ctrl-C while the dialog is open withdraws it', async () => {
	await desktop.willAnswer('ignore');
	const path = inFolder('withdrawn.webm');
	const recording = start(path);
	await desktop.untilDialogs(1);
	recording.kill('SIGINT');
	const run = await recording.ended();
	assert.equal(run.status, 130, run.stderr);
	assert.equal(existsSync(path), false);
	await desktop.untilDialogs(0);
	/* GNOME's backend does not survive every dialog that is withdrawn. */
	await desktop.mendPortal();
});

test('when the portal dies, what was recorded stays', async () => {
	const path = inFolder('portal.webm');
	const {recording, running} = await begun(path);
	await desktop.tell('kill', 'portal');
	const run = await recording.ended();
	assert.equal(run.status, 4, run.stderr);
	assert.match(run.stderr, /^portlight: The session bus or the portal went away/m);
	assert.match(run.stderr, /^Recorded [\d.]+ s/m);
	assert.deepEqual(alive(running), []);
	assert.equal(decodingErrors(path), '');
});
