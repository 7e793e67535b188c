/** The tools by which `make run` keeps a share: tests/tools/host-tap and webm-from-dump. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {Browser, frame} from '../fake/browser.js';
import {World} from '../fake/world.js';
import {decodingErrors, facts} from './recording.js';

const muxer = fileURLToPath(new URL('../../build/tests/webm-from-dump', import.meta.url));
const tap = fileURLToPath(new URL('../tools/host-tap', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'portlight-tools-'));
after(() => rmSync(folder, {recursive: true}));

/**
 * Ten real frames of a test picture.
 * @param {'libvpx' | 'libvpx-vp9'} encoder
 * @returns {Buffer[]}
 */
function encodedFrames(encoder) {
	const path = join(folder, `${encoder}.ivf`);
	const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=10:duration=1'];
	const run = spawnSync('ffmpeg', ['-v', 'error', '-y', ...source, '-c:v', encoder, '-lag-in-frames', '0', path]);
	assert.equal(run.status, 0, String(run.stderr));
	const ivf = readFileSync(path);
	const frames = [];
	for (let at = 32; at < ivf.length; at += 12 + ivf.readUInt32LE(at)) {
		frames.push(ivf.subarray(at + 12, at + 12 + ivf.readUInt32LE(at)));
	}
	assert.equal(frames.length, 10);
	return frames;
}

/**
 * The host's messages for one frame, in fragments of 1000 bytes.
 * @param {number} share
 * @param {Buffer} data
 * @param {number} seq
 */
function messages(share, data, seq) {
	const parts = Math.ceil(data.length / 1000);
	return Array.from({length: parts}, (_, part) => {
		const first = part === 0 && {key: seq === 0, width: 320, height: 240, pts: 7_000_000_000 + seq * 100_000};
		const payload = data.subarray(part * 1000, part * 1000 + 1000).toString('base64');
		return frame(JSON.stringify({type: 'frame', share, seq, part, parts, data: payload, ...first}));
	});
}

/** @param {string} name @param {Buffer[]} parts */
function writeDump(name, parts) {
	const path = join(folder, name);
	writeFileSync(path, Buffer.concat(parts));
	return path;
}

/** @param {...string} args */
const mux = (...args) => spawnSync(muxer, args, {encoding: 'utf8'});

test('the frames of a share become a file that plays', () => {
	const vp8 = encodedFrames('libvpx');
	const vp9 = encodedFrames('libvpx-vp9');
	const hello = frame(JSON.stringify({type: 'result', id: 1, protocol: 1}));
	const mixed = vp8.flatMap((data, seq) => [...messages(1, data, seq), ...messages(2, vp9[seq], seq)]);
	const dump = writeDump('two-shares', [hello, ...mixed]);
	const out = join(folder, 'out.webm');
	for (const [args, codec] of /** @type {[string[], string][]} */ ([
		[[], 'vp8'],
		[['--share', '1'], 'vp8'],
		[['--share', '2'], 'vp9'],
	])) {
		const run = mux(...args, dump, out);
		assert.equal(run.status, 0, run.stderr);
		const said = JSON.parse(run.stdout);
		assert.deepEqual([said.codec, said.frames, said.keyframes], [codec, 10, 1]);
		assert.equal(decodingErrors(out), '');
		const file = facts(out);
		assert.deepEqual(
			file.pts.map((pts) => Math.round(pts * 1000)),
			[0, 100, 200, 300, 400, 500, 600, 700, 800, 900]
		);
		assert.deepEqual([file.codec, file.width, file.height], [codec, 320, 240]);
	}
});

test('a dump that breaks off is taken up to there', () => {
	const all = Buffer.concat(encodedFrames('libvpx').flatMap((data, seq) => messages(1, data, seq)));
	const run = mux(writeDump('cut', [all.subarray(0, all.length - 10)]), join(folder, 'cut.webm'));
	assert.equal(run.status, 0, run.stderr);
	assert.match(run.stderr, /breaks off within a message/);
	assert.equal(JSON.parse(run.stdout).frames, 9);
});

test('what is no share is refused', () => {
	const [key, delta] = encodedFrames('libvpx');
	const out = join(folder, 'none.webm');
	for (const [parts, message] of /** @type {[Buffer[], RegExp][]} */ ([
		[[], /there is no frame/],
		[[frame('not JSON')], /not JSON/],
		[[Buffer.alloc(8)], /framing is broken/],
		[messages(1, delta, 1), /no keyframe/],
		[messages(1, key, 0).slice(1), /lacks a part/],
	])) {
		const run = mux(writeDump('bad', parts), out);
		assert.equal(run.status, 1);
		assert.match(run.stderr, message);
	}
	assert.equal(mux().status, 2);
	assert.equal(mux(join(folder, 'nothing'), out).status, 1);
});

test('the tap passes everything on, keeps it, and ends with the host', async () => {
	const world = await World.begin();
	try {
		await world.startPortal();
		const dump = join(folder, 'tapped');
		const env = {...world.env, PORTLIGHT_HOST: world.host, PORTLIGHT_DUMP: dump};
		const browser = new Browser(tap, {env});
		world.browsers.push(browser);
		const hello = await browser.hello();
		assert.equal(hello.protocol, 1);
		await browser.share();
		const opened = await browser.open(1, {credit: 2});
		await browser.frame(1);
		assert.ok(world.processes().includes(browser.process.pid ?? -1), 'the host took the place of the tap');
		browser.process.kill('SIGKILL');
		await browser.exited;
		await world.empty();
		const text = readFileSync(dump, 'utf8');
		assert.ok(text.includes(JSON.stringify(hello.version)));
		assert.ok(text.includes(`"width":${opened.width}`));
		assert.ok(text.includes('"type":"frame"'));
	} finally {
		await world.finish();
	}
});
