/** Runs `portlight record`, and looks into what it left. PORTLIGHT names the program, if not the release build's. */
import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {locateMarker, readMarker} from '../desktop/marker.js';

export const program = process.env.PORTLIGHT ?? fileURLToPath(new URL('../../build/bin/portlight', import.meta.url));

/** A recording in progress. */
export class Recording {
	/**
	 * @param {string[]} args  after `record`
	 * @param {{path?: string, env?: NodeJS.ProcessEnv, cwd?: string, through?: string[]}} [options]  `through`: what starts it
	 */
	constructor(args, {path = program, env = process.env, cwd, through = []} = {}) {
		const [command, ...rest] = [...through, path, 'record', ...args];
		this.child = spawn(command, rest, {env, cwd, stdio: ['ignore', 'pipe', 'pipe']});
		/** What it wrote. @type {Buffer[]} */
		this.chunks = [];
		this.stderr = '';
		this.child.stdout?.on('data', (data) => this.chunks.push(data));
		this.child.stderr?.setEncoding('utf8').on('data', (text) => (this.stderr += text));
		this.closed = once(this.child, 'close');
	}

	/** @returns {Promise<{status: number | null, signal: string | null, stdout: Buffer, stderr: string}>} */
	async ended() {
		const [status, signal] = await this.closed;
		return {status, signal, stdout: Buffer.concat(this.chunks), stderr: this.stderr};
	}

	/** @param {NodeJS.Signals} signal */
	kill(signal) {
		this.child.kill(signal);
	}
}

/**
 * @param {string[]} args
 * @param {ConstructorParameters<typeof Recording>[1]} [options]
 */
export function record(args, options) {
	return new Recording(args, options).ended();
}

/** What has another name since ffmpeg 7: pictures of another size than the first stay as they are; times stay the file's own. */
const modern = Number(/version n?(\d+)/.exec(spawnSync('ffmpeg', ['-version'], {encoding: 'utf8'}).stdout)?.[1]) >= 7;
const unscaled = modern ? ['-noautoscale'] : ['-autoscale', '0'];
const ownTimes = ['-enc_time_base', modern ? 'demux' : '-1'];

/**
 * What ffmpeg complains of when it decodes a file; nothing is ''. Its own time base is switched off: it would round the
 * frames' times to a rate that it guesses, and complain of two in one step.
 * @param {string} path
 */
export function decodingErrors(path) {
	const args = ['-v', 'error', '-i', path, ...ownTimes, '-f', 'null', '-'];
	const run = spawnSync('ffmpeg', args, {encoding: 'utf8'});
	return run.status === 0 ? run.stderr : `status ${run.status}: ${run.stderr}`;
}

/**
 * @param {string} path
 * @returns {{codec: string, width: number, height: number, duration: number, pts: number[], keys: number}}
 *   in seconds; a duration of NaN where the file names none
 */
export function facts(path) {
	const entries = 'stream=codec_name,width,height:format=duration:packet=pts_time,flags';
	const args = ['-v', 'quiet', '-show_entries', entries, '-of', 'json', path];
	const text = execFileSync('ffprobe', args, {maxBuffer: 2 ** 30});
	const {streams, format, packets = []} = JSON.parse(text.toString());
	return {
		codec: streams[0].codec_name,
		width: streams[0].width,
		height: streams[0].height,
		duration: Number(format.duration),
		pts: packets.map((/** @type {{pts_time: string}} */ packet) => Number(packet.pts_time)),
		keys: packets.filter((/** @type {{flags: string}} */ packet) => packet.flags.startsWith('K')).length,
	};
}

/** Where tests/desktop/marker stands on the screen, in pixels. */
const place = {x: 12, y: 12, width: 22 * 36, height: 12 * 36};

/**
 * The markers of all frames of a recording, or of a screenshot, of the whole first monitor; null where there is none.
 * @param {string} path
 */
export function markers(path) {
	const [width, height] = [place.x + place.width, place.y + place.height];
	const format = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgba'];
	const args = ['-v', 'error', '-i', path, '-vf', `crop=${width}:${height}:0:0`, ...format, '-'];
	const raw = execFileSync('ffmpeg', args, {maxBuffer: 2 ** 30});
	const size = width * height * 4;
	return Array.from({length: raw.length / size}, (_, i) =>
		readMarker({data: raw.subarray(i * size, (i + 1) * size), width, height}, place)
	);
}

/** The sizes of a recording's or a screenshot's pictures; it may still grow. @param {string} path */
export function sizes(path) {
	const args = ['-v', 'error', '-show_entries', 'frame=width,height', '-of', 'csv=p=0', path];
	const lines = spawnSync('ffprobe', args).stdout.toString().split('\n').filter((line) => line !== '');
	return lines.map((line) => line.split(',').slice(0, 2).map(Number));
}

/**
 * The pictures of a recording or a screenshot of any size, each with the marker that is somewhere in it, or null.
 * @param {string} path
 */
export function pictures(path) {
	const wanted = sizes(path);
	const raw = [...unscaled, '-fps_mode', 'passthrough', ...ownTimes, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'];
	const data = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...raw], {maxBuffer: 2 ** 32});
	let at = 0;
	return wanted.map(([width, height]) => {
		const image = {data: data.subarray(at, (at += width * height * 4)), width, height};
		const place = locateMarker(image);
		return {width, height, image, marker: place && readMarker(image, place)};
	});
}

/**
 * Which of the marker's drawings is on the desktop now.
 * @param {import('../e2e/lib/desktop.js').Desktop} desktop
 * @param {string} folder  for the screenshot
 */
export async function drawn(desktop, folder) {
	const path = join(folder, 'desktop.png');
	await desktop.tell('screenshot', path);
	const [marker] = markers(path);
	assert.ok(marker, 'the desktop shows the marker');
	return marker.counter;
}
