/** Runs what `make run` and `make rooms` do. */
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const folder = mkdtempSync(join(tmpdir(), 'portlight-run-'));
after(() => rmSync(folder, {recursive: true, force: true}));

/**
 * @param {Record<string, string>} env
 * @param {(text: string, child: import('node:child_process').ChildProcess) => void} [watch] is given all output so far
 * @param {'run.js' | 'rooms.js'} [name] of the program
 */
export async function makeRun(env, watch, name = 'run.js') {
	const program = fileURLToPath(new URL(`../${name}`, import.meta.url));
	const out = join(folder, [name, ...Object.values(env)].join('-'));
	const child = spawn(process.execPath, [program], {
		env: {...process.env, DESKTOP: 'embedded', PLAY_SECONDS: '2', PORTLIGHT_OUT: out, NODE_TEST_CONTEXT: '', ...env},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let text = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (chunk) => {
			text += chunk;
			watch?.(text, child);
		});
	}
	const [status, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)));
	return {out, text, status, signal};
}

/** @param {string} file */
const decodes = (file) => promisify(execFile)('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);

/**
 * A whole run: picture, video and report of a real share.
 * @param {'firefox' | 'chromium'} browser
 * @param {'native' | 'browser'} capture
 */
export async function checkRun(browser, capture) {
	const {out, text, status} = await makeRun({BROWSER: browser, CAPTURE: capture});
	assert.equal(status, 0, text);
	const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
	const native = capture === 'native';
	assert.deepEqual(Object.keys(report), [
		'browser', 'path', 'sourceId', 'width', 'height', 'codec', 'framesDecoded', 'fps', 'firstFrameMs', 'glassToTrackMs',
		'cpuMsPerFrame', 'rssMiB',
	]);
	assert.equal(report.browser, browser);
	assert.equal(report.path, native ? 'native' : 'desktopCapture');
	assert.equal(report.sourceId.startsWith('portlight:'), native);
	assert.deepEqual([report.width, report.height], [1920, 1080]);
	assert.equal(report.framesDecoded > 1 && report.fps > 0, true, JSON.stringify(report));
	assert.equal(report.glassToTrackMs.p50 > 0 && report.glassToTrackMs.p95 >= report.glassToTrackMs.p50, true);
	if (native) {
		assert.match(report.codec, /^vp[89]$/);
		assert.equal(report.rssMiB.host < 20, true, `host: ${report.rssMiB.host} MiB`);
		assert.equal(report.rssMiB.capture < 256, true, `helper: ${report.rssMiB.capture} MiB`);
		assert.equal(report.cpuMsPerFrame.capture > 0, true);
	} else {
		assert.deepEqual([report.codec, report.rssMiB.capture, report.cpuMsPerFrame.host], [null, null, null]);
	}
	const {stderr} = await decodes(join(out, 'share.webm'));
	if (native) {
		// What Chromium's own recorder writes is Chromium's affair.
		assert.equal(stderr, '');
	}
	assert.equal((await stat(join(out, 'page.png'))).size > 20000, true);
}
