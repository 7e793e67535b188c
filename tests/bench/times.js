/**
 * What the tests of the last `make check` told of time, held against what is promised. On a machine that runs two lanes of
 * tests at once the median is what tells; a promise is missed where it is.
 */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {median} from './lib/report.js';

const path = process.argv[2] ?? fileURLToPath(new URL('../../build/check/times.tsv', import.meta.url));

/** In ms, the first that fits: nothing of ours is left, and the page knows, within a second of any end. @type {[RegExp, number][]} */
const promises = [
	[/^nothing left|^page saw ended|^exit with |^stop of a |: stop$| ends a recording$|^the end /, 1000],
	[/^new size.* p50$/, 100],
	[/^portlight doctor$/, 500],
];

/** @param {string} text of times.tsv */
function read(text) {
	/** @type {Map<string, number[]>} */
	const times = new Map();
	for (const line of text.split('\n').filter(Boolean)) {
		const [, what, ms] = line.split('\t');
		times.set(what, [...(times.get(what) ?? []), Number(ms)]);
	}
	return [...times].sort(([a], [b]) => a.localeCompare(b));
}

function main() {
	let text;
	try {
		text = readFileSync(path, 'utf8');
	} catch {
		console.error(`There is no ${path}. Run \`make check\` first.`);
		return 2;
	}
	let missed = 0;
	console.log('| what | times | median ms | longest ms | promised ms | |\n|---|---|---|---|---|---|');
	for (const [what, all] of read(text)) {
		const promised = promises.find(([words]) => words.test(what))?.[1];
		const kept = promised === undefined || median(all) <= promised;
		missed += kept ? 0 : 1;
		console.log(`| ${what} | ${all.length} | ${median(all)} | ${Math.max(...all)} | ${promised ?? ''} | ${kept ? '' : 'missed'} |`);
	}
	return missed > 0 ? 1 : 0;
}

process.exitCode = main();
