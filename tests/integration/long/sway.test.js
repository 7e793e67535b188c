/** What a sway desktop does to a share: turned, scaled and resized outputs, still ones, and two hundred shares on end. */
import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, beforeEach, test} from 'node:test';
import {Desktop} from '../../e2e/lib/desktop.js';
import {insideDesktop} from '../../e2e/lib/inside.js';
import {until} from '../../fake/world.js';
import {took} from '../../tools/times.js';
import {Recording, decodingErrors, pictures, record, sizes} from '../recording.js';

await insideDesktop(import.meta.url, ['--shell', 'sway', '--size', '1920x1080']);

const OUTPUT = 'HEADLESS-1';
const desktop = new Desktop();
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'record-'));
after(() => rmSync(folder, {recursive: true}));
beforeEach(() => desktop.willAnswer('screen'));
afterEach(async () => {
	await desktop.assertAlive();
});

/** @param {string} name @param {string[]} [options] */
async function recorded(name, options = ['--duration', '1']) {
	const path = join(folder, `${name}.webm`);
	const run = await record([...options, path]);
	assert.equal(run.status, 0, run.stderr);
	assert.equal(decodingErrors(path), '');
	return pictures(path);
}

/** @param {ReturnType<typeof pictures>} seen */
function assertRead(seen) {
	const counters = seen.map(({marker}) => marker?.counter ?? NaN);
	assert.ok(new Set(counters).size > 3, `it moves: ${counters}`);
	assert.ok(counters.every((counter, i) => i === 0 || counter >= counters[i - 1]), `${counters}`);
}

for (const transform of ['90', '180', '270', 'flipped', 'flipped-90', 'flipped-180', 'flipped-270', 'normal']) {
	test(`an output with transform ${transform} is upright`, async () => {
		await desktop.tell('output', OUTPUT, 'transform', transform);
		const seen = await recorded(transform);
		assertRead(seen);
		const turned = transform.endsWith('90') || transform.endsWith('270');
		assert.deepEqual([seen[0].width, seen[0].height], turned ? [1080, 1920] : [1920, 1080]);
	});
}

for (const scale of ['1.25', '2', '1']) {
	test(`an output with scale ${scale} comes in its own pixels`, async () => {
		await desktop.tell('output', OUTPUT, 'scale', scale);
		const seen = await recorded(`scale-${scale}`);
		assertRead(seen);
		assert.deepEqual([seen[0].width, seen[0].height], [1920, 1080]);
	});
}

test('an output that gets another mode in mid-share and the old one again is followed, and its last picture is what sway shows', async () => {
	const path = join(folder, 'mode.webm');
	const recording = new Recording([path]);
	try {
		const widths = () => sizes(path).map(([width]) => width);
		await until('there is a picture', () => widths().length > 0, 200);
		await desktop.tell('output', OUTPUT, 'mode', '1280x720@60Hz');
		await until('it is smaller', () => widths().at(-1) === 1280, 200);
		await desktop.tell('output', OUTPUT, 'mode', '1920x1080@60Hz');
		await until('it is as large as before', () => widths().at(-1) === 1920, 200);
		// What sway says has changed is all that changed.
		await desktop.tell('kill', 'marker', 'STOP');
		const shot = join(folder, 'mode.png');
		await desktop.tell('screenshot', shot);
		const [truth] = pictures(shot);
		const last = () => /** @type {any} */ (pictures(path).at(-1));
		await until('the last picture is what sway shows', () => last().marker?.counter === truth.marker?.counter, 500);
		assert.ok(distance(last().image.data, truth.image.data) < 2, 'all of it is');
	} finally {
		await desktop.tell('kill', 'marker', 'CONT');
		recording.kill('SIGINT');
	}
	assert.equal((await recording.ended()).status, 0);
	assertRead(pictures(path));
});

/** The mean difference of two pictures' bytes. @param {Uint8Array} a @param {Uint8Array} b */
function distance(a, b) {
	let sum = 0;
	a.forEach((value, i) => (sum += Math.abs(value - b[i])));
	return sum / a.length;
}

test('the pointer is embedded or hidden as asked', async () => {
	for (const cursor of ['embedded', 'hidden']) {
		assertRead(await recorded(`pointer-${cursor}`, ['--duration', '1', '--cursor', cursor]));
	}
});

test('the portal is started again, and the next share works', async () => {
	await desktop.tell('start', 'portal');
	assertRead(await recorded('restarted'));
});

test('the user may think for a minute, and then decline', async () => {
	await desktop.willAnswer('ignore');
	const recording = new Recording([join(folder, 'thinking.webm')]);
	await desktop.untilDialogs(1);
	await new Promise((resolve) => setTimeout(resolve, 60_000));
	assert.equal(recording.child.exitCode, null, recording.stderr);
	await desktop.willAnswer('deny');
	const run = await recording.ended();
	assert.equal(run.status, 3, run.stderr);
	assert.match(run.stderr, /The user declined to share/);
});

test('two hundred shares, two at a time, and the portal lives', async () => {
	let count = 0;
	const one = async (/** @type {number} */ lane) => {
		for (; count < 200; count++) {
			const path = join(folder, `lane-${lane}.webm`);
			const run = await record(['--force', '--duration', '0.4', path]);
			assert.equal(run.status, 0, run.stderr);
		}
	};
	await Promise.all([one(1), one(2)]);
	await desktop.assertAlive();
});

test('a still screen comes', async () => {
	// The first share of a portal: a later one gets a picture when something moves, as wlroots has it.
	await desktop.tell('kill', 'marker', 'STOP');
	try {
		await desktop.tell('start', 'portal');
		const began = performance.now();
		const path = join(folder, 'still.webm');
		const recording = new Recording([path]);
		await until('there is a picture', () => existsSync(path), 200);
		took('first picture of a still sway screen', performance.now() - began);
		recording.kill('SIGINT');
		const run = await recording.ended();
		assert.equal(run.status, 0, run.stderr);
		assert.notEqual(pictures(path)[0].marker, null);
	} finally {
		await desktop.tell('kill', 'marker', 'CONT');
	}
});
