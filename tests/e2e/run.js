/**
 * `make run`: a page in a real browser asks for the screen, the desktop's own dialog is answered, the page plays the
 * desktop for ten seconds, and nothing is left behind. build/run/ then holds page.png, share.webm and report.json.
 *
 * DESKTOP=embedded|session  BROWSER=firefox|chromium  CAPTURE=native|browser  PLAY_SECONDS=10  CONSENT=screen|deny
 */
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openBrowser, preferNative} from './lib/browser.js';
import {Desktop} from './lib/desktop.js';
import {Failure} from './lib/failure.js';
import {usage} from './lib/processes.js';
import {choice, closingAll, inRepository, runEmbedded, runMain, say} from './lib/program.js';
import {makeReport, notReal, shortfalls} from './lib/report.js';
import {startServer} from './lib/server.js';
import {checkPortal, showMarker} from './lib/session.js';
import {HostTap} from './lib/tap.js';

const out = process.env.PORTLIGHT_OUT ?? inRepository('build/run');
const playMs = 1000 * Number(process.env.PLAY_SECONDS || 10);

function choices() {
	const desktop = choice('DESKTOP', ['embedded', 'session']);
	const kind = /** @type {'firefox' | 'chromium'} */ (choice('BROWSER', ['firefox', 'chromium']));
	const capture = choice('CAPTURE', ['native', 'browser']);
	if (capture === 'browser' && kind === 'firefox') {
		throw new Failure('Firefox has no chrome.desktopCapture', 'Use BROWSER=chromium with CAPTURE=browser.');
	}
	return {desktop, kind, capture};
}

/** Starts this program again in an embedded desktop. @param {string} capture */
function embedded(capture) {
	const shell = capture === 'browser' ? 'xvfb' : 'mutter';
	say(shell === 'xvfb' ? 'starting an X11 display' : 'starting an embedded desktop (mutter, PipeWire, the GNOME portal)');
	return runEmbedded(import.meta.url, ['--shell', shell, '--size', '1920x1080', '--apps', shell === 'xvfb' ? 'marker' : 'marker,terminal', '--out', out]);
}

/** What the page does while it is asked, told as it happens. @param {import('puppeteer-core').Page} page */
async function listenIn(page) {
	/** @type {Record<string, number>} */
	const at = {};
	let sourceId = '';
	await page.exposeFunction('runSays', (/** @type {string} */ what, /** @type {number} */ time, /** @type {string} */ id) => {
		at[what] = time;
		sourceId = id || sourceId;
		const lines = {
			asked: 'the page asked for a source id',
			answered: `the page was given the source id ${id.slice(0, 18)}…`,
			refused: 'the page was told PermissionDeniedError',
			frame: 'the page shows its first frame',
		};
		say(lines[/** @type {keyof typeof lines} */ (what)]);
	});
	await page.evaluate(() => {
		const now = () => performance.timeOrigin + performance.now();
		const tell = /** @type {any} */ (window).runSays;
		window.addEventListener('message', ({data}) => {
			if (data === 'requestScreenSourceId') {
				tell('asked', now(), '');
			} else if (data === 'PermissionDeniedError') {
				tell('refused', now(), '');
			} else if (data?.sourceId) {
				tell('answered', now(), data.sourceId);
			}
		});
		document.querySelector('video')?.requestVideoFrameCallback(() => tell('frame', now(), ''));
	});
	return {at, sourceId: () => sourceId};
}

/** @param {import('./lib/browser.js').TestBrowser} browser */
function costs(browser) {
	const {hosts, captures} = browser.ours.now();
	return {host: hosts[0] ? usage(hosts[0].pid) : null, capture: captures[0] ? usage(captures[0].pid) : null};
}

/** @param {ReturnType<typeof usage> | null} before @param {ReturnType<typeof usage> | null} after */
function spent(before, after) {
	return before && after ? {cpuNs: after.cpuNs - before.cpuNs, peakMiB: after.peakMiB} : null;
}

/** In the page: a part of what it plays, as base64. @param {number} ms @returns {Promise<string>} */
async function record(ms) {
	const recorder = new MediaRecorder(/** @type {MediaStream} */ (document.querySelector('video')?.srcObject));
	const done = new Promise((resolve) => recorder.addEventListener('dataavailable', ({data}) => resolve(data)));
	recorder.start();
	setTimeout(() => recorder.stop(), ms);
	const reader = new FileReader();
	reader.readAsDataURL(await done);
	await new Promise((resolve) => reader.addEventListener('load', resolve));
	return String(reader.result).replace(/^[^,]*,/, '');
}

/** Clicks the page's button, and waits until the page has the screen. @param {import('puppeteer-core').Page} page @param {number} patience */
async function ask(page, patience) {
	await page.click('#share');
	const decided = () =>
		document.body.classList.contains('live') || !document.querySelector('#share')?.hasAttribute('disabled');
	await page.waitForFunction(decided, {timeout: patience, polling: 50}).catch(() => {
		throw new Failure(
			'the request was not answered',
			'Is the share dialog open? `portlight doctor` checks the portal and the host.',
		);
	});
	if (!(await page.evaluate(() => document.body.classList.contains('live')))) {
		const [state, hint] = await page.evaluate(() => ['state', 'hint'].map((id) => document.getElementById(id)?.textContent));
		throw new Failure(
			`the page did not get the screen (${state}: ${hint})`,
			'Run it again and choose a screen; `portlight doctor` checks the installation.',
		);
	}
}

/**
 * Watches what the page plays, and what it costs.
 * @param {import('puppeteer-core').Page} page
 * @param {import('./lib/browser.js').TestBrowser} browser
 */
async function watch(page, browser) {
	const first = await page.evaluate(() => {
		const {FrameWatch} = /** @type {any} */ (window);
		const frames = new FrameWatch(document.querySelector('video'));
		Object.assign(window, {frames});
		frames.start();
		return frames.next(8000);
	});
	if (first) {
		say(`the marker of the desktop is in the page: drawn ${Math.round(first.latencyMs)} ms before`);
	}
	const before = costs(browser);
	await page.evaluate(() => /** @type {any} */ (window).frames.clear());
	await new Promise((resolve) => setTimeout(resolve, playMs));
	const seen = await page.evaluate(() => /** @type {any} */ (window).frames.summary());
	const after = costs(browser);
	const decoded = await page.evaluate(() => /** @type {any} */ (window).frames.total);
	say(`played ${playMs / 1000} s: ${seen.distinct} distinct pictures of the ${seen.drawn} that the desktop drew`);
	await page.screenshot({path: join(out, 'page.png')});
	await page.evaluate(() => /** @type {any} */ (window).frames.stop());
	return {seen, decoded, host: spent(before.host, after.host), capture: spent(before.capture, after.capture)};
}

/** @param {import('puppeteer-core').Page} page @param {import('./lib/browser.js').TestBrowser} browser */
async function stop(page, browser) {
	await page.click('#stop');
	const {left, ms} = await browser.ours.gone();
	if (left.length) {
		const names = left.map((p) => `${p.name} (${p.pid})`).join(', ');
		throw new Failure(`${names} still ran long after Stop`, 'End it by hand and report this.');
	}
	say(`stopped; nothing of ours was left after ${ms} ms`);
}

/**
 * The share itself, in an open browser.
 * @param {{desktop: string, kind: 'firefox' | 'chromium', capture: string}} chosen
 * @param {import('./lib/browser.js').TestBrowser} browser
 * @param {string} url
 * @param {Desktop | null} desktop
 */
async function share(chosen, browser, url, desktop) {
	const page = await browser.open(url);
	say(`${await browser.browser.version()} loaded ${url}`);
	const heard = await listenIn(page);
	await page.addScriptTag({type: 'module', content: "import {FrameWatch} from '/pages/watch.js'; window.FrameWatch = FrameWatch;"});
	await page.waitForFunction(() => 'FrameWatch' in window);
	if (!desktop) {
		say('your desktop asks what to share: choose the screen that shows the marker window');
	}
	await ask(page, desktop ? 20000 : 120000);
	// Where no embedded desktop knows when Share was clicked, the answer to the page is taken for it.
	const consentAt = chosen.capture === 'native' ? await desktop?.consentedAt() : undefined;
	const watched = await watch(page, browser);
	if (chosen.capture === 'browser') {
		// No helper here, so no frames of its own: the page's recording of the track takes their place.
		await writeFile(join(out, 'share.webm'), Buffer.from(await page.evaluate(record, Math.min(3000, playMs)), 'base64'));
	}
	await stop(page, browser);
	return {...watched, sourceId: heard.sourceId(), firstFrameAt: heard.at.frame ?? null, consentAt: consentAt ?? heard.at.answered};
}

/**
 * Everything inside the desktop.
 * @param {ReturnType<typeof choices>} chosen
 * @param {(() => unknown)[]} open  takes what is to be closed at the end, the last first
 */
async function run(chosen, open) {
	const native = chosen.capture === 'native';
	const desktop = chosen.desktop === 'embedded' ? new Desktop() : null;
	if (!desktop) {
		await checkPortal();
	}
	const site = await startServer();
	open.push(site.close);
	const scratch = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'run-'));
	open.push(() => rm(scratch, {recursive: true, force: true}));
	const tap = native ? new HostTap(scratch) : null;
	const browser = await openBrowser({
		kind: chosen.kind,
		visible: !native || !desktop,
		chooser: !native,
		host: tap?.program,
		env: tap?.env,
		// Beside the marker, which is at the top left.
		at: {x: 820, y: 10},
		size: native ? {width: 1280, height: 800} : {width: 1080, height: 1000},
		args: native || !desktop ? [] : ['--auto-select-desktop-capture-source=Entire screen'],
	});
	open.push(() => browser.close());
	if (chosen.kind === 'chromium' && native) {
		await preferNative(browser);
	}
	if (desktop && native) {
		await desktop.willAnswer(process.env.CONSENT === 'deny' ? 'deny' : 'screen');
	} else if (!desktop) {
		open.push(await showMarker());
		say('put up the marker window');
	}
	const result = await share(chosen, browser, site.url('/examples/share.html'), desktop);
	const video = await tap?.writeWebm(join(out, 'share.webm'));
	return {
		seen: result.seen,
		report: makeReport({
			...result,
			browser: chosen.kind,
			path: native ? 'native' : 'desktopCapture',
			codec: video?.codec ?? null,
			framesDecoded: result.decoded,
		}),
	};
}

/** @param {ReturnType<typeof choices>} chosen */
async function runAndClose(chosen) {
	const {seen, report} = await closingAll((open) => run(chosen, open));
	await writeFile(join(out, 'report.json'), `${JSON.stringify(report, null, '\t')}\n`);
	console.log(JSON.stringify(report, null, '  '));
	const wrong = notReal(seen);
	if (wrong) {
		throw new Failure(wrong.reason, wrong.remedy);
	}
	shortfalls(report).forEach((line) => say(`short of its target: ${line}`));
	say(`done: ${['page.png', 'share.webm', 'report.json'].map((name) => join(out, name)).join(', ')}`);
}

async function main() {
	const chosen = choices();
	if (chosen.desktop === 'embedded' && !process.env.PORTLIGHT_DESKTOP) {
		for (const name of ['page.png', 'share.webm', 'report.json']) {
			rmSync(join(out, name), {force: true});
		}
		mkdirSync(out, {recursive: true});
		return embedded(chosen.capture);
	}
	mkdirSync(out, {recursive: true});
	await runAndClose(chosen);
	return 0;
}

runMain(main);
