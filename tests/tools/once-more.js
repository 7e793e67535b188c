/**
 * Runs tests, and those that fail once more, alone.
 *
 *   node tests/tools/once-more.js node [--at-once=N] FILE…        of node:test
 *   node tests/tools/once-more.js cmocka [--at-once=N] PROGRAM…
 *
 * A test that passes the second time is flaky: a line `FLAKY name: first failure` says so, and the status is 0, or with
 * STRICT=1 in the environment 1. Lines `TIME<TAB>what<TAB>ms` that tests print go to times.tsv (test, what, ms), flaky
 * tests to flaky.tsv (test, first failure), both in the folder that PORTLIGHT_CHECK names, by default build/check.
 */
import {spawn} from 'node:child_process';
import {appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {basename, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';

/** @typedef {{run: string, name: string, whole: boolean, reason: string}} Failure  run: the file or program */

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = process.env.PORTLIGHT_CHECK ?? join(root, 'build/check');
const reporter = fileURLToPath(new URL('reporter.js', import.meta.url));

/** @param {string} file @param {string[]} fields */
const keep = (file, fields) => appendFileSync(join(folder, file), `${fields.map((field) => field.replaceAll('\t', ' ')).join('\t')}\n`);

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {boolean} [held] the output is not shown
 * @returns {Promise<{status: number, output: string}>}
 */
function run(program, args, env = process.env, held = false) {
	const child = spawn(program, args, {env, stdio: ['ignore', held ? 'pipe' : 'inherit', held ? 'pipe' : 'inherit']});
	let output = '';
	child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
	child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (status, signal) => resolve({status: status ?? 1, output: signal ? `${output}\nended by ${signal}\n` : output}));
	});
}

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replaceAll('\n', '\\n');

/**
 * @param {string[]} files
 * @param {number} atOnce
 * @param {string[]} names of the tests, all when there is none
 * @returns {Promise<Failure[]>}
 */
async function runNode(files, atOnce, names = []) {
	const scratch = mkdtempSync(join(tmpdir(), 'once-more-'));
	try {
		const report = join(scratch, 'report');
		const {status} = await run(process.execPath, [
			'--test',
			`--test-concurrency=${atOnce}`,
			'--test-reporter=tap',
			'--test-reporter-destination=stdout',
			`--test-reporter=${reporter}`,
			`--test-reporter-destination=${report}`,
			// Newer versions of Node hold the pattern against the names of the suites as well.
			...names.map((name) => `--test-name-pattern=/(^|\\s)${escaped(name)}$/`),
			...files,
		]);
		const lines = readFileSync(report, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
		for (const {file, what, ms} of lines.filter((line) => 'what' in line)) {
			keep('times.tsv', [basename(file), what, ms]);
		}
		const failures = lines.filter((line) => 'name' in line).map(({file, ...rest}) => ({run: relative('', file ?? files[0]), ...rest}));
		const ran = lines.some((line) => line.passed > 0) || failures.length > 0;
		if (!ran || (status !== 0 && failures.length === 0)) {
			const reason = ran ? `node --test ended with ${status}` : 'none of its tests ran';
			return files.map((file) => ({run: file, name: basename(file), whole: true, reason}));
		}
		return failures;
	} finally {
		rmSync(scratch, {recursive: true});
	}
}

/**
 * What a cmocka program said of its tests. One that ended in the middle of a test failed as a whole: others did not run.
 * @param {string} program
 * @param {{status: number, output: string}} result
 * @returns {Failure[]}
 */
function readCmocka(program, {status, output}) {
	/** @type {Failure[]} */
	const failures = [];
	const ended = /^\[==========\] (.+: )?\d+ test\(s\) run/m.test(output);
	let name = basename(program);
	/** @type {string[]} */
	let reasons = [];
	for (const line of output.split('\n')) {
		const started = /^\[ RUN {6}\] (\S+)/.exec(line);
		const told = /^TIME\t(.+)\t(\d+)$/.exec(line);
		if (started) {
			name = started[1];
			reasons = [];
		} else if (told) {
			keep('times.tsv', [name, told[1], told[2]]);
		} else if (/^\[ +(?:LINE|ERROR) +\] --- /.test(line)) {
			reasons.push(line.replace(/^.*?--- /, ''));
		} else if (line === `[  FAILED  ] ${name}` && !failures.some((failure) => failure.name === name)) {
			failures.push({run: program, name, whole: false, reason: reasons.join(' ')});
		}
	}
	if (!ended || (status !== 0 && failures.length === 0)) {
		return [{run: program, name, whole: true, reason: `${basename(program)} ended with ${status} in ${name}`}];
	}
	return failures;
}

/** @param {string[]} programs @param {number} atOnce @param {string[]} [names] of the tests @returns {Promise<Failure[]>} */
async function runCmocka(programs, atOnce, names = []) {
	const waiting = [...programs];
	/** @type {Failure[]} */
	const failures = [];
	const work = async () => {
		for (let program; (program = waiting.shift()); ) {
			const env = names.length > 0 ? {...process.env, TEST: names[0]} : process.env;
			const result = await run(program, [], env, true);
			process.stdout.write(`== ${program}\n${result.output}`);
			failures.push(...readCmocka(program, result));
		}
	};
	await Promise.all(Array.from({length: atOnce}, work));
	return failures;
}

/**
 * The targets that have the test. Node names the file that declares it, which may be a helper of several.
 * @param {string[]} targets @param {Failure} failure
 */
function targetsOf(targets, {run: file, name}) {
	if (targets.includes(file)) {
		return [file];
	}
	const naming = targets.filter((target) => [name, basename(file)].some((text) => readFileSync(target, 'utf8').includes(text)));
	return naming.length > 0 ? naming : targets;
}

async function main() {
	const [kind, ...words] = process.argv.slice(2);
	const option = words.find((word) => word.startsWith('--at-once='));
	const atOnce = option ? Number(option.split('=')[1]) : availableParallelism();
	const targets = words.filter((word) => word !== option);
	const runner = {node: runNode, cmocka: runCmocka}[kind];
	if (!runner || targets.length === 0 || !(atOnce > 0)) {
		console.error('Usage: once-more.js node|cmocka [--at-once=N] FILE…');
		return 2;
	}
	mkdirSync(folder, {recursive: true});
	let failed = false;
	const seen = new Set();
	for (const failure of await runner(targets, atOnce)) {
		const key = JSON.stringify([failure.run, failure.whole || failure.name]);
		if (seen.has(key)) {
			continue; // The same words in two suites of a file: both were run again.
		}
		seen.add(key);
		const again = targetsOf(targets, failure);
		console.log(`Once more, alone: ${again.join(', ')}: ${failure.name}`);
		const second = await runner(again, 1, failure.whole ? [] : [failure.name]);
		if (second.length > 0) {
			failed = true;
			continue;
		}
		console.log(`FLAKY ${failure.name}: ${failure.reason}`);
		keep('flaky.tsv', [`${failure.run}: ${failure.name}`, failure.reason]);
		failed ||= Boolean(process.env.STRICT);
	}
	return failed ? 1 : 0;
}

process.exitCode = await main();
