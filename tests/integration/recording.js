/** Runs `portlight record`, and looks into what it left. PORTLIGHT names the program, if not the release build's. */
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';

export const program = process.env.PORTLIGHT ?? fileURLToPath(new URL('../../build/bin/portlight', import.meta.url));

/** A recording in progress. */
export class Recording {
	/**
	 * @param {string[]} args  after `record`
	 * @param {{path?: string, env?: NodeJS.ProcessEnv, through?: string[]}} [options]  `through`: what starts it
	 */
	constructor(args, {path = program, env = process.env, through = []} = {}) {
		const [command, ...rest] = [...through, path, 'record', ...args];
		this.child = spawn(command, rest, {env, stdio: ['ignore', 'pipe', 'pipe']});
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

/**
 * What ffmpeg complains of when it decodes a file; nothing is ''. Its own time base is switched off: it would round the
 * frames' times to a rate that it guesses, and complain of two in one step.
 * @param {string} path
 */
export function decodingErrors(path) {
	const args = ['-v', 'error', '-i', path, '-enc_time_base', '-1', '-f', 'null', '-'];
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

/** @param {Buffer} data  CRC-16/CCITT-FALSE */
function crc16(data) {
	let crc = 0xffff;
	for (const byte of data) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit++) {
			crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
		}
	}
	return crc;
}

/** Where tests/desktop/marker stands on the screen, in pixels. */
const inset = 12;
const cell = 36;

/**
 * The marker in one picture of the desktop.
 * @param {Buffer} luma
 * @param {number} width
 * @returns {{timeMs: number, counter: number} | null} null: there is none
 */
function readMarker(luma, width) {
	const bytes = Buffer.alloc(12);
	for (let bit = 0; bit < 96; bit++) {
		const x = inset + cell * (3 + (bit % 16)) + cell / 2;
		const y = inset + cell * (3 + Math.floor(bit / 16)) + cell / 2;
		if (luma[y * width + x] < 128) {
			bytes[bit >> 3] |= 0x80 >> (bit & 7);
		}
	}
	const whole = bytes[0] === 0xa5 && crc16(bytes.subarray(0, 10)) === bytes.readUInt16BE(10);
	return whole ? {timeMs: bytes.readUIntBE(1, 6), counter: bytes.readUIntBE(7, 3)} : null;
}

/**
 * The markers of all frames of a recording of the whole first monitor.
 * @param {string} path
 */
export function markers(path) {
	const {width, height} = facts(path);
	const crop = `crop=${inset + 22 * cell}:${inset + 12 * cell}:0:0`;
	const format = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray'];
	const args = ['-v', 'error', '-i', path, '-vf', crop, ...format, '-'];
	const raw = execFileSync('ffmpeg', args, {maxBuffer: 2 ** 30});
	const side = (inset + 22 * cell) * (inset + 12 * cell);
	if (width < inset + 22 * cell || height < inset + 12 * cell) {
		throw new Error(`${width}x${height} is too small for the marker`);
	}
	const found = [];
	for (let at = 0; at + side <= raw.length; at += side) {
		found.push(readMarker(raw.subarray(at, at + side), inset + 22 * cell));
	}
	return found;
}
