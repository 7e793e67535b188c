/**
 * `make bench` and `make bench-quick`: Portlight's engine and its competitors on the same frames, interleaved, in one run;
 * one table, build/bench/report.json, and every single run in build/bench/runs.json. docs/PERFORMANCE.md says what is measured and how to read it.
 *
 *   node tests/bench/bench.js [--quick] [--only PART,…]    PART: cells, growth, glass
 *
 * BENCH_SIZES, BENCH_WORKLOADS, BENCH_ENGINES (lists) and BENCH_RUNS narrow it down while one works on a part.
 * Ctrl-C ends it with a table of what was measured until then.
 */
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {endAll, run} from './lib/children.js';
import {startPipeWire} from './lib/pipewire.js';
import {bareLoop, busyShare, engines, growth as growthPlan, kbpsOf, modes, moreWorkloads, moving, screens, warmUpSteps, workloads} from './lib/plan.js';
import {makeGlass, makeRows, makeSmallTables, makeTable, makeVerdicts, median} from './lib/report.js';

/** @typedef {import('./lib/plan.js').Screen} Screen */
/** @typedef {import('./lib/plan.js').Engine} Engine */

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'build/bench');
const cell = join(root, 'build/release/tests/bench/bench-cell');
const built = join(root, 'build/bin/portlight-capture');
/** As it was when the run began: whoever builds meanwhile changes nothing. */
const helper = join(out, 'portlight-capture');
const began = performance.now();

const {values: options} = parseArgs({options: {quick: {type: 'boolean', default: false}, only: {type: 'string', default: 'cells,growth,glass'}}});
const mode = modes[options.quick ? 'quick' : 'full'];
const parts = options.only.split(',');

let ending = false;
/** What went wrong; the rest is measured all the same. @type {string[]} */
const broken = [];
/** What was measured so far. */
const measured = {
	/** @type {import('./lib/report.js').Run[]} */
	runs: [],
	/** CPU ms per frame, of each line of the plan. @type {number[][]} */
	growth: growthPlan.map(() => []),
	/** @type {import('./lib/report.js').GlassTurn[]} */
	glass: [],
};

/** @param {string} text */
function say(text) {
	console.log(`[${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s] ${text}`);
}

/** @param {string} name @param {string[]} all @param {string[]} more  that have to be asked for */
function chosen(name, all, more = []) {
	const known = [...all, ...more];
	const wanted = process.env[name]?.split(',') ?? all;
	const unknown = wanted.filter((word) => !known.includes(word));
	if (unknown.length) {
		throw new Error(`${name}: ${unknown.join(', ')} is not one of ${known.join(', ')}`);
	}
	return wanted;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Engine} engine
 * @param {string} workload
 * @param {Screen} screen
 * @param {boolean} judged  decode and compare, too
 * @param {number} [seconds]  of the steps that count
 * @returns {Promise<import('./lib/report.js').Run>}
 */
async function measure(env, engine, workload, screen, judged, seconds = mode.windowS) {
	const share = moving.includes(workload) ? mode.motionShare : 1;
	const warmUp = Math.round(workload in warmUpSteps ? warmUpSteps[workload] * share : mode.warmUpS * screen.fps);
	const args = [
		...['--engine', engine.engine, '--codec', engine.codec, '--workload', workload, '--helper', helper],
		...['--size', `${screen.width}x${screen.height}`, '--fps', screen.fps, '--kbps', kbpsOf(screen)],
		...['--warmup', warmUp, '--steps', Math.round(seconds * screen.fps)],
		...['--quality-every', judged ? mode.qualityEvery : 0],
		...(engine.pipeline ? ['--pipeline', engine.pipeline(screen, workload)] : []),
	];
	return JSON.parse(await run(cell, args.map(String), env));
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} what
 * @returns {Promise<T | null>}
 */
async function attempt(name, what) {
	try {
		return await what();
	} catch (error) {
		if (ending) {
			// Nothing is wrong, and nothing else is to begin.
			return new Promise(() => undefined);
		}
		const text = `${name}: ${/** @type {Error} */ (error).message}`;
		broken.push(text);
		say(`BROKEN ${text}`);
		return null;
	}
}

/**
 * Whether the bare loop has no time to spare at the whole rate where everything moves. An engine that leaves frames out can't be
 * compared by what a frame costs, so what moves gets half the rate then.
 * @param {NodeJS.ProcessEnv} env
 * @param {Screen} screen
 */
async function isTooMuch(env, screen) {
	const name = `${screen.width}x${screen.height} at ${screen.fps} steps a second`;
	const result = await attempt(name, () => measure(env, bareLoop, 'video-full', screen, false, 1.5));
	const slow = (result?.cpuMsPerFrame ?? 0) > (busyShare * 1000) / screen.fps;
	if (slow) {
		say(`${name} is too much for this machine where everything moves; ${moving.join(', ')} get half as many`);
	}
	return slow;
}

/** @typedef {{engine: Engine, workload: string, screen: Screen}} Cell */

/** All cells of a round, in order; those that are compared follow each other. @param {NodeJS.ProcessEnv} env */
async function planCells(env) {
	const wanted = chosen('BENCH_ENGINES', [...new Set(engines.map((engine) => engine.engine))]);
	const those = engines.filter((engine) => wanted.includes(engine.engine));
	const sizes = chosen('BENCH_SIZES', screens.map(({width, height}) => `${width}x${height}`));
	/** @type {Cell[][]} */
	const groups = [];
	for (const whole of screens.filter(({width, height}) => sizes.includes(`${width}x${height}`))) {
		/** @type {boolean | undefined} */
		let slow;
		for (const workload of chosen('BENCH_WORKLOADS', workloads, moreWorkloads)) {
			if (options.quick && whole.width > 1920 && workload !== 'typing') {
				continue;
			}
			const half = moving.includes(workload) && (slow ??= await isTooMuch(env, whole));
			const screen = half ? {...whole, fps: whole.fps / 2} : whole;
			const these = those.filter((engine) => engine.workloads?.includes(workload) ?? true);
			groups.push(these.map((engine) => ({engine, workload, screen})));
		}
	}
	return groups;
}

/** @param {NodeJS.ProcessEnv} env */
async function measureCells(env) {
	/** Decoded and compared once each. @type {Set<string>} */
	const judged = new Set();
	const count = Number(process.env.BENCH_RUNS ?? mode.runs);
	const groups = await planCells(env);
	const since = performance.now();
	for (let round = 0; round < count; round++) {
		if (round > 0) {
			const left = ((performance.now() - since) / round) * (count - round);
			say(`${round} of ${count} runs of each cell are done; the others take about ${Math.ceil(left / 60000)} minutes`);
		}
		for (const group of groups) {
			// Another one begins each time, so that nobody is always measured on the warmest machine.
			for (let i = 0; i < group.length; i++) {
				const {engine, workload, screen} = group[(i + round) % group.length];
				const id = [screen.width, workload, engine.engine, engine.codec].join(' ');
				const name = `${round + 1}/${count} ${screen.width}x${screen.height} ${workload.padEnd(12)} ${engine.engine.padEnd(11)} ${engine.codec}`;
				const result = await attempt(name, () => measure(env, engine, workload, screen, !judged.has(id)));
				if (!result) {
					continue;
				}
				judged.add(id);
				measured.runs.push(result);
				say(`${name}  ${result.cpuMsPerFrame.toFixed(2)} ms/frame, p50 ${result.encodeMs.p50.toFixed(1)} ms, ${result.kbps.toFixed(0)} kb/s${result.psnr ? `, ${result.psnr.toFixed(1)} dB` : ''}, ${result.encodes}/${result.frames}`);
			}
		}
	}
}

/** @param {NodeJS.ProcessEnv} env */
async function measureGrowth(env) {
	for (let round = 0; round < mode.growthRuns; round++) {
		for (const [i, {screen, percent}] of growthPlan.entries()) {
			const name = `growth ${round + 1}/${mode.growthRuns} ${screen.width}x${screen.height}, ${percent} % changes`;
			const result = await attempt(name, () => measure(env, engines[0], `share=${percent}`, screen, false));
			if (result) {
				measured.growth[i].push(result.cpuMsPerFrame);
				say(`${name}: ${result.cpuMsPerFrame.toFixed(2)} ms/frame`);
			}
		}
	}
}

/** What is worth a word. @param {Record<string, number>} values */
function listOf(values) {
	const words = Object.entries(values).filter(([, value]) => value >= 0.05);
	return words.map(([name, value]) => `${name} ${value.toFixed(1)}`).join(', ');
}

/** In an embedded desktop of its own. */
async function measureGlass() {
	// A browser of its own for each round: one that hangs costs one round.
	for (let round = 0; round < mode.glassRounds; round++) {
		const name = `glass to track ${round + 1}/${mode.glassRounds}`;
		const args = ['--apps', 'none', '--', process.execPath, join(root, 'tests/bench/glass.js'), String(round), String(mode.glassS)];
		const output = await attempt(name, () => run(join(root, 'tests/desktop/with-desktop'), args));
		for (const turn of output ? JSON.parse(output) : []) {
			measured.glass.push(turn);
			say(`${name}: ${turn.engine}, ${turn.width}x${turn.height}: p50 ${turn.p50.toFixed(1)} ms, p95 ${turn.p95.toFixed(1)} ms, ${turn.fps.toFixed(1)} distinct frames/s, CPU ${turn.cpuPercent.toFixed(0)} %`);
			say(`    CPU ms per distinct frame: ${listOf(turn.cpuMs)}`);
			if (turn.hops) {
				say(`    ms from the compositor's time stamp to each hop: ${listOf(turn.hops)}`);
			}
		}
	}
}

/** @param {string} name a pkg-config package */
function version(name) {
	return execFileSync('pkg-config', ['--modversion', name], {encoding: 'utf8'}).trim();
}

function describeMachine() {
	return {
		cpu: os.cpus()[0].model.trim(),
		cores: os.availableParallelism?.() ?? os.cpus().length,
		memoryGiB: Math.round(os.totalmem() / 2 ** 30),
		kernel: os.release(),
		load: os.loadavg().map((load) => Number(load.toFixed(2))),
		libvpx: version('vpx'),
		pipewire: version('libpipewire-0.3'),
		gstreamer: version('gstreamer-1.0'),
		date: new Date().toISOString().slice(0, 10),
		mode: options.quick ? 'quick' : 'full',
	};
}

/** @param {ReturnType<typeof describeMachine>} machine */
function machineLine({date, mode: name, cpu, cores, load, kernel, libvpx, pipewire, gstreamer}) {
	return `${date}, ${name} run on ${cpu}, ${cores} cores, load ${load[0]} at the beginning; Linux ${kernel}, libvpx ${libvpx}, PipeWire ${pipewire}, GStreamer ${gstreamer}`;
}

/** Writes and prints what was measured. @param {ReturnType<typeof describeMachine>} machine */
function report(machine) {
	const {runs} = measured;
	const rows = makeRows(runs);
	const growth = growthPlan.flatMap(({screen, percent}, i) =>
		measured.growth[i].length
			? [{pixels: screen.width * screen.height, damage: percent / 100, cpuMsPerFrame: Number(median(measured.growth[i]).toFixed(3))}]
			: [],
	);
	const glass = makeGlass(measured.glass);
	writeFileSync(join(out, 'report.json'), `${JSON.stringify({machine, rows, glass, growth}, null, '\t')}\n`);
	writeFileSync(join(out, 'runs.json'), `${JSON.stringify(runs, null, '\t')}\n`);
	const tables = [...(rows.length ? [makeTable(rows, runs)] : []), makeSmallTables(glass, growth), makeVerdicts(rows, runs, glass, growth).join('\n')];
	const text = tables.filter(Boolean).join('\n\n');
	writeFileSync(join(out, 'table.txt'), `${machineLine(machine)}\n\n${text}\n`);
	console.log(`\n${text}\n`);
	broken.forEach((text) => console.log(`BROKEN  ${text}`));
	say(`done: ${join(out, 'report.json')}`);
}

const machine = describeMachine();

async function main() {
	mkdirSync(out, {recursive: true});
	copyFileSync(built, helper);
	say(machineLine(machine));
	if (machine.load[0] > machine.cores / 4) {
		say('other programs keep this machine busy: costs and times will come out too high, and spread');
	}
	// What is short comes first: whoever ends it early has some of everything.
	if (parts.includes('glass')) {
		await measureGlass();
	}
	const rig = await startPipeWire();
	process.on('exit', rig.close);
	if (parts.includes('growth')) {
		await measureGrowth(rig.env);
	}
	if (parts.includes('cells')) {
		await measureCells(rig.env);
	}
	report(machine);
}

for (const [signal, status] of /** @type {const} */ ([['SIGINT', 130], ['SIGTERM', 143]])) {
	process.once(signal, () => {
		say('interrupted; ending everything');
		ending = true;
		void endAll().finally(() => {
			report(machine);
			process.exit(status);
		});
	});
}
main().then(
	async () => {
		await endAll();
		process.exit(broken.length ? 1 : 0);
	},
	async (error) => {
		say(`failed: ${error.message}`);
		await endAll();
		process.exit(1);
	},
);
