/** `portlight record` of a window in a whole GNOME Shell: resized in mid-stream, and stopped by the desktop. */
import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';
import {until} from '../fake/world.js';
import {Recording, decodingErrors, facts, sizes} from './recording.js';

await insideDesktop(import.meta.url, ['--shell', 'gnome', '--consent', 'window']);

const desktop = new Desktop();
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'record-'));
after(() => rmSync(folder, {recursive: true}));

/** A recording's sizes, in their order; it may still grow. @param {string} path */
const changes = (path) => sizes(path).filter((size, i, all) => String(size) !== String(all[i - 1]));

test('a window is recorded in all its sizes, until the desktop stops it', async (t) => {
	const path = join(folder, 'window.webm');
	const recording = new Recording(['--source', 'window', path]);
	t.after(() => recording.kill('SIGKILL'));
	await until('there is a picture', () => {
		assert.equal(recording.child.exitCode, null, recording.stderr);
		return existsSync(path) && changes(path).length > 0;
	}, 100);
	await desktop.tell('window', 'resize', 'marker', 1000, 700);
	await until('there are two sizes', () => changes(path).length > 1, 100);
	await desktop.tell('stop-share');
	const run = await recording.ended();
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /^(The desktop ended the share\.|The shared screen or window is gone\.)\nRecorded /m);
	assert.equal(decodingErrors(path), '');
	const seen = changes(path);
	const file = facts(path);
	assert.deepEqual([file.width, file.height], seen[0], 'the file has its first picture’s size');
	assert.ok(file.keys >= seen.length, 'each size begins with a keyframe');
});
