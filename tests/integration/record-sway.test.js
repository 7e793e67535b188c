/** `portlight record` on sway, whose portal, pictures and damage are another project's than GNOME's. */
import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';
import {decodingErrors, drawn, facts, markers, record} from './recording.js';

await insideDesktop(import.meta.url, ['--shell', 'sway', '--size', '1920x1080']);

const desktop = new Desktop();
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'record-'));
after(() => rmSync(folder, {recursive: true}));

test('what sway draws is recorded, in its order', async () => {
	const path = join(folder, 'sway.webm');
	const before = await drawn(desktop, folder);
	const run = await record(['--duration', '1', path]);
	assert.equal(run.status, 0, run.stderr);
	assert.equal(decodingErrors(path), '');
	const {width, height} = facts(path);
	assert.deepEqual([width, height], [1920, 1080]);
	const counters = markers(path).map((marker) => marker?.counter ?? NaN);
	assert.ok(new Set(counters).size > 1, `it moves: ${counters}`);
	const drawings = [before, ...counters, await drawn(desktop, folder)];
	assert.ok(drawings.every((counter, i) => i === 0 || counter >= drawings[i - 1]), `${drawings}`);
	await desktop.assertAlive();
});

test('no in the chooser is the user\'s no, and leaves no file', async () => {
	await desktop.willAnswer('deny');
	const path = join(folder, 'denied.webm');
	const run = await record([path]);
	assert.equal(run.status, 3);
	assert.match(run.stderr, /^portlight: The user declined to share\.$/m);
	assert.equal(existsSync(path), false);
});
