/** `portlight record` on a real desktop, through the real portal and the real helper. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, beforeEach, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';
import {allProcesses, descendants} from '../e2e/lib/processes.js';
import {Recording, decodingErrors, facts, markers, program, record} from './recording.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1920x1080', '--rate', '30']);

const desktop = new Desktop();
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'record-'));
after(() => rmSync(folder, {recursive: true}));
beforeEach(() => desktop.willAnswer('screen'));

/** @param {string} name */
const inFolder = (name) => join(folder, name);

/**
 * Waits for something to come true.
 * @param {string} what
 * @param {() => boolean | Promise<boolean>} done
 * @param {number} [limitMs]
 */
async function until(what, done, limitMs = 10000) {
	const end = performance.now() + limitMs;
	while (!(await done())) {
		assert.ok(performance.now() < end, `${what} within ${limitMs} ms`);
		await sleep(20);
	}
}

/** @param {Recording} recording */
const helpers = (recording) => descendants(recording.child.pid ?? -1).filter((p) => p.name === 'portlight-captu');

/** @param {{pid: number, start: string}[]} processes */
const alive = (processes) => {
	const now = allProcesses();
	return processes.filter((p) => now.some((q) => q.pid === p.pid && q.start === p.start));
};

/** The helper's own log lines aside. @param {string} stderr */
const said = (stderr) => stderr.split('\n').filter((line) => line !== '' && !/^\[[A-Z]\]/.test(line));

test('records the desktop for as long as told', async () => {
	const path = inFolder('desktop.webm');
	const before = Date.now();
	const run = await record(['--duration', '3', path]);
	assert.equal(run.status, 0, run.stderr);
	assert.equal(run.stdout.length, 0);
	assert.equal(said(run.stderr).length, 1, 'one line where stderr is no terminal');
	const summary = /^Recorded 3\.0 s, \d+ frames, [\d.]+ [kM]B to .*desktop\.webm \(1920x1080, VP9\)\.$/;
	assert.match(said(run.stderr)[0], summary);
	assert.equal(decodingErrors(path), '');
	const file = facts(path);
	assert.deepEqual({...file, pts: 0, keys: 0, duration: 0}, {
		codec: 'vp9',
		width: 1920,
		height: 1080,
		duration: 0,
		pts: 0,
		keys: 0,
	});
	assert.ok(Math.abs(file.duration - 3) < 0.05, `${file.duration} s`);
	assert.equal(file.pts[0], 0);
	assert.ok(
		file.pts.every((pts, i) => i === 0 || pts > file.pts[i - 1]),
		'time goes forward'
	);

	const seen = markers(path);
	const read = seen.flatMap((marker) => marker ?? []);
	assert.ok(read.length > seen.length * 0.9, `the marker is in ${read.length} of ${seen.length} frames`);
	const distinct = new Set(read.map((marker) => marker.counter)).size;
	assert.ok(distinct > 3 * 5, `the content moves: ${distinct} distinct pictures in 3 s`);
	assert.ok(
		read.every((marker, i) => i === 0 || marker.counter >= read[i - 1].counter),
		'in its order'
	);
	assert.ok(read[0].timeMs >= before && read[read.length - 1].timeMs <= Date.now(), 'and is of this moment');
	/* What passed on the desktop between two pictures has passed in the file. */
	const last = seen.length - 2;
	const inFile = (file.pts[last] - file.pts[1]) * 1000;
	const onDesktop = (seen[last]?.timeMs ?? NaN) - (seen[1]?.timeMs ?? NaN);
	assert.ok(Math.abs(inFile - onDesktop) < 150, `${inFile} ms in the file, ${onDesktop} ms on the desktop`);
});

test('VP8 without the pointer, to the standard output', async () => {
	const run = await record(['--duration', '1.5', '--codec', 'vp8', '--cursor', 'hidden', '--source', 'screen', '-']);
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
		const recording = new Recording([path]);
		await until('a file', () => existsSync(path));
		await sleep(1000);
		const running = helpers(recording);
		assert.equal(running.length, 1);
		const asked = performance.now();
		recording.kill(signal);
		const run = await recording.ended();
		assert.ok(performance.now() - asked < 1500, 'it ends soon');
		assert.equal(run.status, 0, run.stderr);
		assert.deepEqual(alive(running), []);
		assert.equal(decodingErrors(path), '');
		const file = facts(path);
		assert.ok(file.duration > 0.9 && file.duration < 5, `${file.duration} s`);
	});
}

test('a killed recording is playable up to its last second, and its helper ends too', async () => {
	const path = inFolder('killed.webm');
	const recording = new Recording([path]);
	await until('a file', () => existsSync(path));
	await sleep(2500);
	const running = helpers(recording);
	assert.equal(running.length, 1);
	recording.kill('SIGKILL');
	assert.equal((await recording.ended()).signal, 'SIGKILL');
	await until('no helper', () => alive(running).length === 0, 1000);
	assert.equal(decodingErrors(path), '');
	const {pts} = facts(path);
	assert.ok(pts[pts.length - 1] > 1.2, `${pts[pts.length - 1]} s of 2.5 s are there`);
});

test('a terminal shows a live line', async () => {
	const path = inFolder('terminal.webm');
	const command = `${program} record --duration 2 ${path}`;
	const {status, stdout} = spawnSync('script', ['-qec', command, '/dev/null'], {encoding: 'utf8'});
	assert.equal(status, 0, stdout);
	assert.match(stdout, /Choose in the desktop's dialog what to record/);
	assert.match(stdout, /\r0:01 {2}\d+ frames {2}[\d.]+ [kM]B {2}\d+ fps {2}\(Ctrl-C ends\)/);
	assert.ok(stdout.includes('\u001b[KRecorded 2.0 s'), 'the live line makes room for the last one');
});

test('a refusal is told, and leaves no file', async () => {
	await desktop.willAnswer('deny');
	const path = inFolder('denied.webm');
	const run = await record([path]);
	assert.equal(run.status, 3);
	assert.deepEqual(said(run.stderr), [
		'portlight: The person declined to share.',
		'  Ask again and choose a screen or a window in the dialog.',
	]);
	assert.equal(existsSync(path), false);
});

test('an existing file is kept: without --force, and with it when there is nothing new', async () => {
	const path = inFolder('kept.webm');
	writeFileSync(path, 'precious');
	const {answered} = await desktop.tell('dialogs');
	const refused = await record(['--duration', '1', path]);
	assert.equal(refused.status, 6);
	assert.match(refused.stderr, /^portlight: .*kept\.webm exists already\.\n {2}Name another file, or .*--force\.\n$/);
	assert.deepEqual((await desktop.tell('dialogs')).answered, answered, 'nobody was asked');
	assert.equal(readFileSync(path, 'utf8'), 'precious');

	await desktop.willAnswer('deny');
	assert.equal((await record(['--force', path])).status, 3);
	assert.equal(readFileSync(path, 'utf8'), 'precious');

	await desktop.willAnswer('screen');
	assert.equal((await record(['--force', '--duration', '1', path])).status, 0);
	assert.equal(decodingErrors(path), '');
});

test('Ctrl-C while the dialog is open withdraws it', async () => {
	await desktop.willAnswer('ignore');
	const path = inFolder('withdrawn.webm');
	const recording = new Recording([path]);
	await desktop.untilDialogs(1);
	recording.kill('SIGINT');
	const run = await recording.ended();
	assert.equal(run.status, 130, run.stderr);
	assert.equal(existsSync(path), false);
	await desktop.untilDialogs(0);
	/* GNOME's backend does not survive every dialog that is withdrawn. */
	await desktop.mendPortal();
});

test('doctor finds everything in its place', () => {
	const {status, stdout} = spawnSync(program, ['doctor'], {encoding: 'utf8'});
	assert.doesNotMatch(stdout, /^problem/m);
	assert.equal(status, 0, stdout);
	assert.match(stdout, /^ok {7}Wayland session/m);
	assert.match(stdout, /^ok {7}Screen sharing portal, version \d+: screens/m);
	assert.match(stdout, /^ok {7}PipeWire/m);
});

test('when the portal dies, what was recorded stays', async () => {
	const path = inFolder('portal.webm');
	const recording = new Recording([path]);
	await until('a file', () => existsSync(path));
	await sleep(1000);
	const running = helpers(recording);
	await desktop.tell('kill', 'portal');
	const run = await recording.ended();
	assert.equal(run.status, 4, run.stderr);
	assert.match(run.stderr, /^portlight: The session bus or the portal went away/m);
	assert.match(run.stderr, /^Recorded [\d.]+ s/m);
	assert.deepEqual(alive(running), []);
	assert.equal(decodingErrors(path), '');
});
