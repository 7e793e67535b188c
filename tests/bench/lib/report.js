/** From single runs to the report, the table and the verdicts. */
import {defaultCodec} from './plan.js';

/**
 * @typedef {object} Run
 * @property {string} workload
 * @property {number} width
 * @property {number} height
 * @property {string} engine
 * @property {string} codec
 * @property {number} vp8  encodes that were VP8
 * @property {number} cpuMsPerFrame
 * @property {number} cpuPercent
 * @property {{p50: number, p95: number}} encodeMs
 * @property {number} kbps
 * @property {number} psnr  0: not looked at in this run
 * @property {number} ssim
 * @property {number} rssMiB
 * @property {number} wakeupsPerSecond
 * @property {number} frames
 * @property {number} encodes
 * @property {number} missed
 * @property {{p50: number, p95: number}} heldMs  PipeWire's buffers
 */

/** @typedef {{engine: 'portlight' | 'chromium', p50: number, p95: number, fps: number, cpuPercent: number}} Glass */
/** @typedef {Glass & {width: number, height: number, cpuMs: Record<string, number>, hops?: Record<string, number>}} GlassTurn */
/** @typedef {{pixels: number, damage: number, cpuMsPerFrame: number}} Growth */

/** @param {number[]} values */
export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number} value @param {number} [digits] */
function round(value, digits = 2) {
	return Number(value.toFixed(digits));
}

/** What the steps that count came in: `vp8`, `vp9` or both. @param {Run[]} cell */
function codecsOf(cell) {
	const codecs = [cell.some((run) => run.vp8 < run.encodes) && 'vp9', cell.some((run) => run.vp8 > 0) && 'vp8'];
	return codecs.filter(Boolean).join('+');
}

/** One row of each cell: the medians of its runs. @param {Run[]} runs */
export function makeRows(runs) {
	/** @type {Map<string, Run[]>} */
	const cells = new Map();
	for (const run of runs) {
		const key = [run.workload, run.width, run.height, run.engine, run.codec].join(' ');
		cells.set(key, [...(cells.get(key) ?? []), run]);
	}
	return [...cells.values()].map((cell) => {
		const {workload, width, height, engine, codec, frames} = cell[0];
		/** @param {(run: Run) => number} field */
		const of = (field) => median(cell.map(field));
		const judged = cell.filter((run) => run.psnr > 0);
		return {
			workload,
			width,
			height,
			engine,
			codec,
			codecUsed: codecsOf(cell),
			cpuMsPerFrame: round(of((run) => run.cpuMsPerFrame), 3),
			encodeMs: {p50: round(of((run) => run.encodeMs.p50)), p95: round(of((run) => run.encodeMs.p95))},
			kbps: round(of((run) => run.kbps), 1),
			psnr: round(median(judged.map((run) => run.psnr))),
			ssim: round(median(judged.map((run) => run.ssim)), 4),
			rssMiB: round(of((run) => run.rssMiB), 1),
			wakeupsPerSecond: round(of((run) => run.wakeupsPerSecond), 1),
			frames,
			encodes: of((run) => run.encodes),
		};
	});
}

/** Both ways, the medians of their turns. @param {GlassTurn[]} turns @returns {Glass[]} */
export function makeGlass(turns) {
	return /** @type {const} */ (['portlight', 'chromium']).flatMap((engine) => {
		const own = turns.filter((turn) => turn.engine === engine);
		/** @param {(turn: GlassTurn) => number} field */
		const of = (field) => round(median(own.map(field)), 1);
		return own.length
			? [{engine, p50: of((t) => t.p50), p95: of((t) => t.p95), fps: of((t) => t.fps), cpuPercent: of((t) => t.cpuPercent)}]
			: [];
	});
}

/** @typedef {ReturnType<typeof makeRows>[number]} Row */

/** @param {Run[]} runs @param {Row} row */
function spreadOf(runs, row) {
	const same = runs.filter((run) =>
		run.workload === row.workload && run.width === row.width && run.engine === row.engine && run.codec === row.codec,
	);
	const costs = same.map((run) => run.cpuMsPerFrame);
	return costs.length > 1 ? `${Math.min(...costs).toFixed(2)}–${Math.max(...costs).toFixed(2)}` : '';
}

/** @param {string[][]} lines the first is the head */
function layOut(lines) {
	const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
	/** @param {string[]} line */
	const pad = (line) => line.map((cell, i) => (i < 4 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
	return lines.map((line) => pad(line).trimEnd()).join('\n');
}

/** @param {Row[]} rows @param {Run[]} runs */
export function makeTable(rows, runs) {
	const head = ['workload', 'size', 'engine', 'codec', 'CPU ms/frame', 'spread', 'p50 ms', 'p95 ms', 'kb/s', 'PSNR', 'SSIM', 'MiB', 'wakeups/s', 'frames', 'encodes'];
	const order = [...rows].sort((a, b) => a.width - b.width);
	return layOut([
		head,
		...order.map((row) => [
			row.workload,
			`${row.width}x${row.height}`,
			row.engine,
			row.codec === 'auto' ? `auto ${row.codecUsed}`.trim() : row.codec,
			row.cpuMsPerFrame.toFixed(3),
			spreadOf(runs, row),
			row.encodeMs.p50.toFixed(1),
			row.encodeMs.p95.toFixed(1),
			row.kbps.toFixed(0),
			row.psnr.toFixed(1),
			row.ssim.toFixed(4),
			row.rssMiB.toFixed(0),
			row.wakeupsPerSecond.toFixed(1),
			String(row.frames),
			String(row.encodes),
		]),
	]);
}

/** @param {Glass[]} glass @param {Growth[]} growth */
export function makeSmallTables(glass, growth) {
	const parts = [];
	if (glass.length) {
		parts.push(layOut([
			['glass to track', '', '', '', 'p50 ms', 'p95 ms', 'distinct fps', 'CPU %'],
			...glass.map((g) => [g.engine, '', '', '', g.p50.toFixed(1), g.p95.toFixed(1), g.fps.toFixed(1), g.cpuPercent.toFixed(0)]),
		]));
	}
	if (growth.length) {
		parts.push(layOut([
			['growth', '', '', '', 'megapixels', 'damage %', 'CPU ms/frame'],
			...growth.map((g) => ['', '', '', '', (g.pixels / 1e6).toFixed(2), (100 * g.damage).toFixed(0), g.cpuMsPerFrame.toFixed(2)]),
		]));
	}
	return parts.join('\n\n');
}

/**
 * CPU per frame of an engine that kept up; NaN for one that left out more than a tenth of the frames, since that is cheap.
 * @param {Row | undefined} row
 */
function costOf(row) {
	return row && row.encodes >= 0.9 * row.frames ? row.cpuMsPerFrame : NaN;
}

/** The lines of the table of targets, at 1920x1080 where it does not say otherwise. */
class Verdicts {
	/** @param {Row[]} rows */
	constructor(rows) {
		this.rows = rows;
		/** @type {string[]} */
		this.lines = [];
	}

	/** @param {string} workload @param {string} engine @param {string} [codec] */
	find(workload, engine, codec = defaultCodec) {
		return this.rows.find((row) => row.workload === workload && row.engine === engine && row.width === 1920 && row.codec === codec);
	}

	/** The bare loop with the codec that ours took. @param {string} workload */
	bare(workload) {
		const ours = this.find(workload, 'portlight');
		return this.find(workload, 'libvpx', ours?.codecUsed === 'vp8' ? 'vp8' : 'vp9');
	}

	/**
	 * @param {string} what
	 * @param {number | undefined} value
	 * @param {number} most
	 * @param {string} [detail]
	 */
	atMost(what, value, most, detail = '') {
		const known = value !== undefined && Number.isFinite(value);
		const verdict = !known ? 'n/a ' : value <= most ? 'PASS' : 'FAIL';
		const shown = known ? value.toFixed(value < 0.1 && value > 0 ? 4 : 2) : 'not measured, or frames were left out';
		this.lines.push(`${verdict}  ${what}: ${shown} (at most ${most})${known && detail ? `  ${detail}` : ''}`);
	}

	/** @param {string} workload @param {number} most @param {number} mostOfGst */
	cost(workload, most, mostOfGst) {
		const ours = costOf(this.find(workload, 'portlight'));
		const bare = costOf(this.bare(workload));
		const gst = costOf(this.find(workload, 'gst-tuned', 'vp8'));
		this.atMost(`${workload}: CPU per frame against bare libvpx`, ours / bare, most, `${ours.toFixed(2)} / ${bare.toFixed(2)} ms`);
		this.atMost(`${workload}: CPU per frame against tuned GStreamer`, ours / gst, mostOfGst, `${ours.toFixed(2)} / ${gst.toFixed(2)} ms`);
	}

	/** @param {string} workload */
	latency(workload) {
		const [ours, bare] = [this.find(workload, 'portlight'), this.bare(workload)].map((row) => {
			return Number.isNaN(costOf(row)) ? NaN : (row?.encodeMs.p50 ?? NaN);
		});
		this.atMost(`${workload}: dequeue to bytes written, p50 against the bare loop's`, ours / bare, 1.1, `${ours.toFixed(1)} / ${bare.toFixed(1)} ms`);
	}
}

/**
 * @param {Row[]} rows
 * @param {Run[]} runs
 * @param {Glass[]} glass
 * @param {Growth[]} growth
 */
export function makeVerdicts(rows, runs, glass, growth) {
	const verdicts = new Verdicts(rows);
	verdicts.cost('typing', 0.4, 0.33);
	verdicts.cost('video-window', 0.75, 0.75);
	verdicts.cost('scroll', 1.05, 0.8);
	verdicts.cost('video-full', 1.05, 0.8);
	const still = verdicts.find('still', 'portlight');
	const core = runs.filter((run) => run.workload === 'still' && run.engine === 'portlight' && run.width === 1920 && run.codec === defaultCodec);
	verdicts.atMost('still, once refined: encodes', still?.encodes, 0);
	verdicts.atMost('still, once refined: percent of a core', core.length ? median(core.map((run) => run.cpuPercent)) : undefined, 0.1);
	verdicts.atMost('still, once refined: CPU against tuned GStreamer', (still?.cpuMsPerFrame ?? NaN) / (verdicts.find('still', 'gst-tuned', 'vp8')?.cpuMsPerFrame ?? NaN), 0.01);
	['typing', 'scroll', 'video-window', 'video-full'].forEach((workload) => verdicts.latency(workload));
	const held = runs.filter((run) => run.engine === 'portlight' && run.width === 1920 && run.codec === defaultCodec && run.encodes > 0);
	verdicts.atMost("a buffer held, ms: the worst workload's p95", held.length ? Math.max(...held.map((run) => run.heldMs.p95)) : undefined, 1);
	const typing = verdicts.find('typing', 'portlight');
	const plain = verdicts.find('typing', 'libvpx', 'vp8');
	verdicts.atMost('typing: bits against plain VP8 CBR', (typing?.kbps ?? NaN) / (plain?.kbps ?? NaN), 0.45);
	verdicts.atMost('typing: PSNR below plain VP8 CBR, in dB', (plain?.psnr ?? NaN) - (typing?.psnr ?? NaN), 0);
	const own = glass.find((g) => g.engine === 'portlight');
	const chromium = glass.find((g) => g.engine === 'chromium');
	verdicts.atMost("glass to track: p50 against Chromium's own", (own?.p50 ?? NaN) / (chromium?.p50 ?? NaN), 0.7);
	verdicts.atMost("glass to track: p95 against Chromium's own", (own?.p95 ?? NaN) / (chromium?.p95 ?? NaN), 0.7);
	verdicts.atMost("glass to track: Chromium's distinct frames a second against ours", (chromium?.fps ?? NaN) / (own?.fps ?? NaN), 1);
	/** @param {number} damage */
	const grown = (damage) => growth.find((g) => g.pixels === 1920 * 1080 && g.damage === damage)?.cpuMsPerFrame ?? NaN;
	verdicts.atMost('cost at 1 % damage against 100 %', grown(0.01) / grown(1), 0.15);
	return verdicts.lines;
}
