/** `make rooms DESKTOP=embedded`: what it plays and writes, and stopped. */
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {makeRun} from '../lib/make-run.js';
import {descendants} from '../lib/processes.js';

test('a call, a conference of three and an assistance share: report and screenshots', async () => {
	const {out, text, status} = await makeRun({}, undefined, 'rooms.js');
	assert.equal(status, 0, text);
	const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
	assert.deepEqual([report.ok, report.errors], [true, []]);
	assert.match(report.browsers.firefox, /firefox/i);
	assert.match(report.browsers.chromium, /chrom/i);
	const screens = (/** @type {any} */ {name, people, media}) => [
		name,
		people.map((/** @type {any} */ {browser}) => browser),
		media.filter((/** @type {any} */ {what}) => what === 'screen').map((/** @type {any} */ {from, to, path}) => `${from} ${path} ${to}`),
		media.filter((/** @type {any} */ {what}) => what === 'camera').length,
	];
	assert.deepEqual(report.plays.map(screens), [
		['call', ['firefox', 'chromium'], ['Carl native Fiona', 'Fiona native Carl'], 2],
		['conference', ['firefox', 'chromium', 'chromium'], ['Fiona native Carl', 'Fiona native Chris'], 6],
		['assist', ['firefox', 'chromium'], ['Sharon native Vera'], 0],
	]);
	for (const {what, width, height, fps, marker} of report.plays.flatMap((/** @type {any} */ {media}) => media)) {
		assert.equal(width > 0 && height > 0 && fps > 0, true);
		assert.equal(what !== 'screen' || marker.last > marker.first, true);
	}
	const pictures = ['assist-sharer.png', 'assist-viewer.png', 'call.png', 'conference.png'];
	assert.deepEqual((await readdir(out)).sort(), [...pictures, 'report.json']);
	for (const name of pictures) {
		assert.equal((await readFile(join(out, name))).subarray(1, 4).toString(), 'PNG');
	}
});

test('Ctrl-C ends all of it', async () => {
	/** @type {import('../lib/processes.js').Proc[]} */
	let running = [];
	const {out, status, text} = await makeRun({STOPPED: '1'}, (soFar, child) => {
		if (!running.length && /sees .* screen/.test(soFar)) {
			running = descendants(/** @type {number} */ (child.pid));
			child.kill('SIGINT');
		}
	}, 'rooms.js');
	assert.equal(status, 130, text);
	assert.equal(running.some(({name}) => name === 'portlight-rooms'), true, 'the server ran');
	assert.deepEqual(running.filter(({pid}) => existsSync(`/proc/${pid}`)), []);
	assert.equal(existsSync(join(out, 'report.json')), false);
});
