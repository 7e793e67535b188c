/**
 * `make bench-page`: what the extension costs a page that never shares, how soon the dialog is asked for, and what a page
 * that floods it gets. With the extension, without, and with one whose scripts are empty, in turns, in one run.
 * BROWSER=firefox|chromium: this one only. LOADS=30 ASKS=8: how often.
 */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {cp, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1920x1080', '--rate', '30']);
const {chromiumId, openBrowser} = await import('./lib/browser.js');
const {Fixture, probe} = await import('./lib/fixture.js');

const root = fileURLToPath(new URL('../..', import.meta.url));
const LOADS = Number(process.env.LOADS ?? 30);
const ASKS = Number(process.env.ASKS ?? 8);
const FLOOD_MS = 3000;

/** @typedef {import('./lib/browser.js').Kind} Kind */
/** @typedef {import('puppeteer-core').Page} Page */

/** @param {number[]} values @param {number} [part] */
function quantile(values, part = 0.5) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

/** @param {number[]} values in milliseconds */
const summary = (values) => ({
	median: round(quantile(values)),
	p95: round(quantile(values, 0.95)),
	most: round(Math.max(...values)),
});
const round = (/** @type {number} */ value) => Math.round(value * 1000) / 1000;

/** @param {string} name @param {any} value */
const note = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);

/** The files that every page gets. @param {Kind} kind @returns {Promise<string[]>} */
async function injected(kind) {
	const {content_scripts: scripts} = JSON.parse(await readFile(join(root, `manifest/extension.${kind}.json`), 'utf8'));
	return scripts.flatMap((/** @type {any} */ {js, include_globs: some}) => (some ? [] : js));
}

/** @param {Kind} kind @returns {Promise<string>} a copy of the extension that puts nothing into pages */
async function emptied(kind) {
	const folder = await mkdtemp(join(tmpdir(), 'empty-'));
	await cp(join(root, `build/extension-${kind}`), folder, {recursive: true});
	for (const file of await injected(kind)) {
		await writeFile(join(folder, file), '');
	}
	return folder;
}

/**
 * Loads a page and returns from the first byte to its parsed document, in milliseconds.
 * @param {Page} page @param {string} url
 */
async function load(page, url) {
	await page.goto(url, {waitUntil: 'load'});
	return page.evaluate(() => {
		const [timing] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
		return timing.domContentLoadedEventEnd - timing.responseStart;
	});
}

/**
 * Time that the browser's own trace gives to the extension's scripts while a page loads, and to all of the page's tasks.
 * @param {Page} page @param {string} url
 */
async function traced(page, url) {
	await page.tracing.start({categories: ['devtools.timeline', 'toplevel', 'v8', 'disabled-by-default-v8.compile']});
	await page.goto(url, {waitUntil: 'load'});
	const {traceEvents} = JSON.parse(new TextDecoder().decode(await page.tracing.stop()));
	const ours = traceEvents.filter((/** @type {any} */ {name, dur, args}) => {
		const from = String(args?.data?.url ?? args?.fileName ?? '');
		return dur && /^(EvaluateScript|v8\.compile|FunctionCall)$/.test(name) && from.startsWith(`chrome-extension://${chromiumId}/`);
	});
	// What is inside of another is counted with it.
	let [us, end] = [0, 0];
	for (const {ts, dur} of ours.sort((/** @type {any} */ a, /** @type {any} */ b) => a.ts - b.ts)) {
		us += Math.max(0, ts + dur - Math.max(ts, end));
		end = Math.max(end, ts + dur);
	}
	return {ms: us / 1000, scripts: new Set(ours.map((/** @type {any} */ {args}) => args?.data?.url ?? args?.fileName)).size};
}

/** @param {Kind} kind @param {string} url */
async function loadCost(kind, url) {
	const folder = await emptied(kind);
	const browsers = [];
	for (const options of [{}, {folder}, {extension: false}]) {
		browsers.push(await openBrowser({kind, ...options}));
	}
	try {
		const pages = await Promise.all(browsers.map(({browser}) => browser.newPage()));
		/** @type {number[][]} */
		const times = [[], [], []];
		for (let turn = -3; turn < LOADS; turn++) {
			for (const which of turn % 2 ? [0, 1, 2] : [2, 1, 0]) {
				const ms = await load(pages[which], `${url}?${turn}`);
				if (turn >= 0) {
					times[which].push(ms);
				}
			}
		}
		const [ours, empty, none] = times.map(summary);
		note(`${kind}: load, ms`, {ours, empty, none, oursOverEmpty: round(ours.median - empty.median)});
		if (kind === 'chromium') {
			const costs = [];
			for (let turn = -3; turn < LOADS; turn++) {
				const {ms, scripts} = await traced(pages[0], `${url}?${turn}`);
				assert.equal(scripts, 2, 'the trace names both scripts');
				if (turn >= 0) {
					costs.push(ms);
				}
			}
			note('chromium: our scripts while a page loads, ms of main thread', summary(costs));
		}
	} finally {
		await Promise.all(browsers.map((browser) => browser.close()));
		await rm(folder, {recursive: true});
	}
}

/** Notes when the portal's backend is told to show its dialog, from the bus. */
async function watchDialogs() {
	const rules = ["type='method_call',interface='org.freedesktop.impl.portal.ScreenCast',member='Start'"];
	const monitor = spawn('dbus-monitor', ['--session', '--profile', ...rules], {stdio: ['ignore', 'pipe', 'ignore']});
	/** @type {number[]} */
	const times = [];
	createInterface({input: monitor.stdout}).on('line', (line) => {
		const [type, at] = line.split('\t');
		if (type === 'mc') {
			times.push(1000 * Number(at));
		}
	});
	await once(monitor.stdout, 'data');
	return {
		times,
		end: async () => {
			monitor.kill();
			await once(monitor, 'close');
		},
	};
}

/** @param {Page} page */
function askAt(page) {
	return page.evaluate(async () => {
		const at = performance.timeOrigin + performance.now();
		await /** @type {any} */ (window).probe.ask();
		return at;
	});
}

/** @param {Kind} kind */
async function dialogTime(kind) {
	const fixture = new Fixture({kind});
	const dialogs = await watchDialogs();
	try {
		await fixture.open();
		/** @param {boolean} warm */
		const ask = async (warm) => {
			/** @type {number[]} */
			const times = [];
			for (let turn = -1; turn < ASKS; turn++) {
				const page = await fixture.page();
				await fixture.desktop.willAnswer('screen');
				const asked = await askAt(page);
				if (turn >= 0) {
					times.push(/** @type {number} */ (dialogs.times.at(-1)) - asked);
				}
				await page.close();
				fixture.pages.pop();
				await (warm ? sleep(200) : fixture.ours.gone());
			}
			return summary(times);
		};
		note(`${kind}: request to dialog, ms, no host running`, await ask(false));
		// Another page's share keeps the host.
		const other = await fixture.sharing();
		note(`${kind}: request to dialog, ms, host running`, await ask(true));
		await probe(other, 'stop');
	} finally {
		await fixture.close();
		await dialogs.end();
	}
}

/**
 * Asks a thousand times a second, and measures how long the page's own turns wait meanwhile.
 * @param {Page} page
 */
function flood(page) {
	return page.evaluate(async (ms) => {
		/** @type {number[]} */
		const waits = [];
		let asked = 0;
		const end = performance.now() + ms;
		let last = performance.now();
		while (performance.now() < end) {
			await new Promise((resolve) => setTimeout(resolve, 5));
			const now = performance.now();
			waits.push(now - last);
			for (; asked < now - (end - ms); asked++) {
				window.postMessage('requestScreenSourceId', '*');
			}
			last = now;
		}
		waits.sort((a, b) => a - b);
		return {asked, median: waits[waits.length >> 1], p95: waits[Math.floor(waits.length * 0.95)], most: waits[waits.length - 1]};
	}, FLOOD_MS);
}

/** @param {Kind} kind */
async function floodCost(kind) {
	const dialogs = await watchDialogs();
	const fixture = new Fixture({kind});
	try {
		await fixture.open();
		const bare = await openBrowser({kind, extension: false});
		const [page, plain] = [await fixture.page(), await bare.open(`${fixture.site.origin}/pages/probe.html`)];
		await fixture.desktop.willAnswer('ignore');
		const own = await flood(plain);
		await bare.close();
		const ours = await flood(page);
		await sleep(500);
		note(`${kind}: flood, ms between turns of the page`, {with: ours, without: own});
		note(`${kind}: flood, dialogs asked for`, dialogs.times.length);
		await fixture.declined(); // GNOME 43's portal can crash when a request is withdrawn.
		await page.close();
	} finally {
		await fixture.close();
		await dialogs.end();
	}
}

const {startServer} = await import('./lib/server.js');
for (const kind of /** @type {const} */ (['chromium', 'firefox'])) {
	if ((process.env.BROWSER ?? kind) !== kind) {
		continue;
	}
	const sizes = (await injected(kind)).map(async (file) => (await readFile(join(root, `build/extension-${kind}`, file))).length);
	note(`${kind}: bytes of script in every page`, (await Promise.all(sizes)).reduce((sum, size) => sum + size));
	const site = await startServer();
	await loadCost(kind, site.url('/examples/share.html'));
	await site.close();
	await dialogTime(kind);
	await floodCost(kind);
}
