/** `portlight doctor --live` on a real desktop, through the real portal and the real helper. */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {beforeEach, test} from 'node:test';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';
import {allProcesses, descendants} from '../e2e/lib/processes.js';
import {until} from '../fake/world.js';
import {took} from '../tools/times.js';
import {program} from './recording.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1920x1080', '--rate', '30']);

const desktop = new Desktop();
beforeEach(() => desktop.willAnswer('screen'));

/** @typedef {import('./doctoring.js').Check} Check */

/** @param {string[]} args */
function start(...args) {
	const child = spawn(program, ['doctor', ...args], {stdio: ['ignore', 'pipe', 'pipe']});
	const said = {out: '', err: ''};
	child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
	child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
	return {child, said, closed: once(child, 'close')};
}

/** Runs to its end. @param {string[]} args @returns {Promise<{status: number, checks: Check[], err: string}>} */
async function doctor(...args) {
	const {said, closed} = start('--json', ...args);
	const [status] = await closed;
	return {status, checks: JSON.parse(said.out).checks, err: said.err};
}

/** @param {import('node:child_process').ChildProcess} child */
const helpers = (child) => descendants(child.pid ?? -1).filter((p) => p.name === 'portlight-captu');

test('on a desktop that has everything, all is well', async () => {
	const began = performance.now();
	const {status, checks} = await doctor();
	took('portlight doctor', performance.now() - began);
	assert.equal(status, 0);
	assert.deepEqual(
		checks.filter((check) => check.status === 'ok').map(({code}) => code),
		['session', 'bus', 'portal', 'pipewire', 'session-manager', 'host', 'helper', 'sandbox', 'codecs', 'choices', 'extensions']
	);
});

test('--live shares for real and counts the frames', async () => {
	const {status, checks, err} = await doctor('--live');
	assert.equal(status, 0, err);
	const {code, width, height, frames, text} = /** @type {Check} */ (checks.at(-1));
	assert.deepEqual([code, width, height], ['live', 1920, 1080]);
	// The marker on the desktop moves all the time.
	assert.ok(Number(frames) > 1, text);
	assert.match(err, /^Choose a screen or a window in the desktop's dialog\./);
});

test('a refusal', async () => {
	await desktop.willAnswer('deny');
	const {status, checks} = await doctor('--live');
	assert.equal(status, 3);
	assert.equal(checks.at(-1)?.code, 'denied');
});

test('Ctrl-C ends a share that runs, and nothing is left of it', async () => {
	const {child, said, closed} = start('--live');
	await until('the helper runs', () => said.err.includes('Counting') && helpers(child).length === 1);
	const [helper] = helpers(child);
	child.kill('SIGINT');
	const [status, signal] = await closed;
	assert.equal(signal, null);
	assert.match(said.out, /^(ok +live .*frames|note +cancelled )/m);
	assert.equal(status, /^ok +live/m.test(said.out) ? 0 : 130);
	assert.ok(!allProcesses().some((p) => p.pid === helper.pid && p.start === helper.start), 'the helper is gone');
});
