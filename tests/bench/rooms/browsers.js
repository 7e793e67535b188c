/**
 * The browsers' part of `make bench-rooms`: what two people notice, measured in real browsers on a desktop of its own.
 *
 *   node tests/bench/rooms/browsers.js [--quick]     alone: prints the table, writes build/rooms/browsers.json
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {run} from '../lib/children.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const out = join(root, 'build/rooms');

/**
 * @typedef {{p50: number, p95: number, count: number}} Times in ms
 * @typedef {{path: 'native' | 'browser', p50: number, p95: number, fps: number, width: number, height: number}} Turn
 * @typedef {object} Result of one desktop
 * @property {Turn[]} turns of a shared screen at the far side of a call, native and browser in turns: drawn until decoded
 * @property {{cold: boolean, still: boolean, opened: number, admitted: number}[]} first pictures of an assistance share at a viewer, in ms
 *   since its page was opened and since it was let in; cold: nothing of the page was in the browser's cache; still: nothing
 *   moved on the screen
 * @property {number[]} strokes  from the viewer's pointer to the pixels at the sharer, in ms
 */

/** @param {number[]} values @returns {Times} */
function summary(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const quantile = (/** @type {number} */ q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
	return {p50: quantile(0.5), p95: quantile(0.95), count: sorted.length};
}

/** @param {Turn[]} turns @param {Turn['path']} path */
function glass(turns, path) {
	const own = turns.filter((turn) => turn.path === path);
	const median = (/** @type {'p50' | 'p95' | 'fps'} */ what) => summary(own.map((turn) => turn[what])).p50;
	return {p50: median('p50'), p95: median('p95'), fps: median('fps'), turns: own.length};
}

/**
 * Measures, prints a table and adds it to the report as `browsers`.
 * @param {any} report
 * @param {{quick?: boolean}} [options]
 * @returns {Promise<boolean>} whether all targets are met
 */
export async function browsersBench(report, {quick = report.quick} = {}) {
	const plan = quick ? {turns: 2, seconds: 5, views: 5, strokes: 20} : {turns: 6, seconds: 10, views: 13, strokes: 60};
	const look = ['--apps', 'none', '--size', '1280x720'];
	const text = await run(join(root, 'tests/desktop/with-desktop'), [...look, '--', process.execPath, join(root, 'tests/bench/rooms/people.js'), JSON.stringify(plan)]);
	/** @type {Result} */
	const {turns, first, strokes} = JSON.parse(text);
	const warm = first.filter(({cold, still}) => !cold && !still);
	const browsers = {
		native: glass(turns, 'native'),
		browser: glass(turns, 'browser'),
		opened: summary(warm.map(({opened}) => opened)),
		openedStill: summary(first.filter(({still}) => still).map(({opened}) => opened)),
		openedCold: first.find(({cold}) => cold)?.opened ?? NaN,
		admitted: summary(warm.map(({admitted}) => admitted)),
		strokes: summary(strokes),
		turns,
		first,
	};
	report.browsers = browsers;
	return printTable(browsers);
}

/** @param {any} browsers @returns {boolean} */
function printTable({native, browser, opened, openedStill, openedCold, admitted, strokes}) {
	const two = (/** @type {Times} */ {p50, p95}) => `${p50.toFixed(0)} / ${p95.toFixed(0)}`;
	/** @type {[string, string, string, boolean][]} */
	const rows = [
		['far side of a call, native path: glass to glass p50 / p95, ms', `${two(native)}, ${native.fps.toFixed(1)} pictures a second`, '', true],
		['far side of a call, browser path', `${two(browser)}, ${browser.fps.toFixed(1)} pictures a second`, '', true],
		['assist: first picture after the URL was opened, let in at once, p50 / p95, ms', two(opened), '2,000', opened.p50 <= 2000],
		['the same of a screen on which nothing moves', two(openedStill), '2,000', openedStill.p50 <= 2000],
		['the same with an empty cache, once', openedCold.toFixed(0), '2,000', openedCold <= 2000],
		['assist: first picture after one was let in', two(admitted), '', true],
		['assist: stroke to the other side’s pixels p50 / p95, ms', two(strokes), 'p50 50', strokes.p50 <= 50],
	];
	const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => String(row[column]).length)));
	console.log();
	for (const row of rows) {
		console.log([0, 1, 2].map((column) => String(row[column]).padEnd(widths[column])).join('  ') + (row[3] ? '' : '  MISSED'));
	}
	return rows.every((row) => row[3]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	/** @type {any} */
	const report = {};
	const met = await browsersBench(report, {quick: process.argv.includes('--quick')});
	mkdirSync(out, {recursive: true});
	writeFileSync(join(out, 'browsers.json'), `${JSON.stringify(report.browsers, null, '\t')}\n`);
	process.exitCode = met ? 0 : 1;
}
