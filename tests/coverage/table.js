/**
 * Prints line and branch coverage, a row for each folder.
 *   table.js C.JSON FOLDER    what llvm-cov exported, and where V8's own files are (as of NODE_V8_COVERAGE)
 */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {branches, lines} from './source.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @typedef {{count: number, covered: number}} Share */
/** @type {Map<string, {lines: Share, branches: Share}>} by folder */
const folders = new Map();

/** @param {string} folder @param {{lines: Share, branches: Share}} found  of one file */
function add(folder, found) {
	const row = folders.get(folder) ?? {lines: {count: 0, covered: 0}, branches: {count: 0, covered: 0}};
	folders.set(folder, row);
	for (const kind of /** @type {const} */ (['lines', 'branches'])) {
		row[kind].count += found[kind].count;
		row[kind].covered += found[kind].covered;
	}
}

/** @param {boolean[]} list  true: it ran @returns {Share} */
const share = (list) => ({count: list.length, covered: list.filter(Boolean).length});

function addC(/** @type {string} */ path) {
	for (const {filename, summary} of JSON.parse(readFileSync(path, 'utf8')).data[0].files) {
		const folder = /(host\/\w+)\/[^/]+$/.exec(filename)?.[1];
		if (folder !== undefined) {
			add(folder, summary);
		}
	}
}

/**
 * Adds one script's counts to those of its source. A range lies within another or outside of it; the inner one decides.
 * @param {Float64Array} counts  for each character
 * @param {{ranges: {startOffset: number, endOffset: number, count: number}[]}[]} functions
 */
function addCounts(counts, functions) {
	const ranges = functions.flatMap((one) => one.ranges);
	ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
	const own = new Float64Array(counts.length);
	for (const {startOffset, endOffset, count} of ranges) {
		own.fill(count, startOffset, endOffset);
	}
	own.forEach((count, at) => (counts[at] += count));
}

function addExtension(/** @type {string} */ folder) {
	/** @type {Map<string, {text: string, counts: Float64Array}>} */
	const sources = new Map();
	// Those that no test loads count as well.
	for (const name of readdirSync(join(root, 'extension'), {recursive: true})) {
		if (String(name).endsWith('.js')) {
			const text = readFileSync(join(root, 'extension', String(name)), 'utf8');
			sources.set(String(name), {text, counts: new Float64Array(text.length)});
		}
	}
	const start = new URL('../../extension/', import.meta.url).href;
	for (const file of existsSync(folder) ? readdirSync(folder) : []) {
		for (const {url, functions} of JSON.parse(readFileSync(join(folder, file), 'utf8')).result) {
			// A module that is loaded several times has something behind its name.
			const source = url.startsWith(start) && sources.get(url.slice(start.length).replace(/[?#].*/, ''));
			if (!source) {
				continue;
			}
			if (functions[0].ranges[0].endOffset > source.text.length) {
				throw new Error(`${file}: ${url} was another version of the file`);
			}
			addCounts(source.counts, functions);
		}
	}
	for (const [name, {text, counts}] of sources) {
		add(`extension/${name.split('/')[0]}`, {
			lines: share(lines(text, counts)),
			branches: share(branches(text, counts)),
		});
	}
}

/** @param {string[]} cells */
const print = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(18))).join(''));
const percent = (/** @type {Share} */ {count, covered}) =>
	count === 0 ? '-' : `${((100 * covered) / count).toFixed(1)} % of ${String(count).padStart(5)}`;

const [c, v8] = process.argv.slice(2);
addC(c);
addExtension(v8);
print('folder', 'lines', 'branches');
for (const part of ['host', 'extension']) {
	const rows = [...folders].filter(([folder]) => folder.startsWith(`${part}/`)).sort();
	rows.forEach(([, row]) => add(part, row));
	for (const [folder, row] of [...rows, /** @type {const} */ ([part, folders.get(part)])]) {
		print(folder, percent(row.lines), percent(row.branches));
	}
}
