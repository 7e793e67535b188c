/** `make run`: by Chromium's own path, refused, and stopped. */
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {took} from '../../tools/times.js';
import {checkRun, makeRun} from '../lib/make-run.js';
import {allProcesses, descendants} from '../lib/processes.js';

test("make run by Chromium's own path: picture, video and report of a real share", () => checkRun('chromium', 'browser'));

test('a refused share is a failure with a remedy', async () => {
	const {text, status, out} = await makeRun({BROWSER: 'firefox', CONSENT: 'deny'});
	assert.equal(status, 1, text);
	assert.match(text, /failed: the page did not get the screen/);
	assert.match(text, /Remedy: /);
	assert.equal(existsSync(join(out, 'report.json')), false);
});

test('Ctrl-C ends all of it', async () => {
	let stopped = 0;
	/** @type {import('../lib/processes.js').Proc[]} */
	let running = [];
	const {status, text} = await makeRun({BROWSER: 'chromium'}, (soFar, child) => {
		if (!stopped && /first frame/.test(soFar)) {
			running = descendants(/** @type {number} */ (child.pid));
			stopped = performance.now();
			child.kill('SIGINT');
		}
	});
	assert.equal(status, 130, text);
	took('make run: nothing left after Ctrl-C', performance.now() - stopped);
	assert.equal(running.some((p) => p.name === 'portlight-captu'), true, 'a share was under way');
	const alive = new Set(allProcesses().map(({pid, start}) => `${pid} ${start}`));
	assert.deepEqual(running.filter(({pid, start}) => alive.has(`${pid} ${start}`)), []);
});
