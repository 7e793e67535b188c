/**
 * Clients of other applications call through portlight-rooms, Firefox with Chromium: those that are printed in the seeds' documents, where
 * these are, and clients of our own that say the same. What one's camera shows is read at the far end.
 */
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {cp, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {after, afterEach, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {insideDesktop} from '../lib/inside.js';
import {lessonClient, seed, sseClient} from '../lib/seeds.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {openBrowser} = await import('../lib/browser.js');
const {askUntil} = await import('../lib/own.js');
const {fill, marker, press} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(process.env.PORTLIGHT_BUILD ?? join(root, 'build'), 'bin/portlight-rooms');
/** The lesson's port: its client has it written in. */
const origin = 'http://localhost:8080';
/** Whose camera it is: the marker's counter begins with it. */
const cameras = {firefox: 1, chromium: 2};

const lesson = seed('webrtc-lesson');
const demo = seed('making-connections-with-webrtc');
/** A test of a printed client says what it lacks. @param {{path: string, lines: string[] | null}} document */
const needs = ({path, lines}) => ({skip: lines ? false : `the seed's document is not there: ${path}. Set PORTLIGHT_SEEDS to the folder that has it.`});

/** @param {string} body @param {string[]} scripts in their order; one of them as a module */
const html = (body, scripts) => `<!doctype html><meta charset="utf-8"><title>Dialect</title>${body}
${['camera.js', ...scripts].map((script) => `<script src="${script}" ${/camera|own/.test(script) ? 'type="module"' : 'defer'}></script>`).join('\n')}`;
const videos = '<video id="local" autoplay muted></video><video id="remote" autoplay></video>';
const forms = `<div id="login"><input id="username"><button id="login">Login</button></div>
<div id="call"><input id="username-to-call"><button id="call">Call</button><button id="close-call">Close</button></div>`;

/** The pages, as the server gets them. @param {string} folder */
async function writePages(folder) {
	const files = {'legacy.js': 'legacy.js', 'pages/camera.js': 'camera.js', 'pages/lesson.js': 'own-lesson.js', 'pages/sse.js': 'own-sse.js', 'pages/server-connection.js': 'server-connection.js', '../desktop/marker.js': 'desktop/marker.js'};
	await Promise.all(Object.entries(files).map(([from, to]) => cp(join(root, 'tests/e2e', from), join(folder, to))));
	const video = '<video id="video" autoplay></video>';
	/** @type {Record<string, string>} */
	const made = {
		'own-lesson.html': html(forms + videos, ['own-lesson.js']),
		'own-sse.html': html(video, ['server-connection.js', 'own-sse.js']),
	};
	if (lesson.lines) {
		const {html: printed, script} = lessonClient(lesson.lines);
		Object.assign(made, {'lesson.html': html(printed + videos, ['legacy.js', 'lesson.js']), 'lesson.js': script});
	}
	if (demo.lines) {
		Object.assign(made, {'sse.html': html(video, ['legacy.js', 'server-connection.js', 'sse.js']), 'sse.js': sseClient(demo.lines)});
	}
	await Promise.all(Object.entries(made).map(([name, text]) => writeFile(join(folder, name), text)));
}

describe('clients of other applications, Firefox with Chromium', () => {
	/** @type {Record<string, import('../lib/browser.js').TestBrowser>} */
	const browsers = {};
	/** @type {Page[]} */
	const pages = [];
	/** @type {import('node:child_process').ChildProcess} */
	let server;
	/** @type {string} */
	let folder;

	before(async () => {
		folder = await mkdtemp(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'dialects-'));
		await writePages(folder);
		server = spawn(program, ['--listen=127.0.0.1:0', '--dialect=lesson;sse', `--pages=${folder}`], {stdio: ['ignore', 'inherit', 'pipe']});
		/** @type {string[]} */
		const lines = [];
		createInterface({input: /** @type {import('node:stream').Readable} */ (server.stderr)}).on('line', (line) => lines.push(line));
		await askUntil(() => lines, () => lines.some((line) => line.includes('"at":"http://127.0.0.1:8080/"')));
		for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
			browsers[kind] = await openBrowser({kind, extension: false, fakeCamera: true});
		}
	});
	afterEach(() => Promise.all(pages.splice(0).map((page) => page.close())));
	after(async () => {
		await Promise.all(Object.values(browsers).map((browser) => browser.close()));
		if (server?.exitCode === null) {
			const ended = once(server, 'exit');
			server.kill();
			assert.deepEqual(await ended, [0, null]);
		}
		await rm(folder, {recursive: true});
	});

	/** @param {Kind} kind @param {string} path */
	async function open(kind, path) {
		const page = await browsers[kind].open(`${origin}/${path}?camera=${cameras[kind]}`);
		pages.push(page);
		return page;
	}

	/** @param {Page} page @param {string} name */
	async function login(page, name) {
		await fill(page, '#username', name);
		await press(page, 'button#login');
	}

	/** What the far side's camera shows comes, and goes on. @param {Page} page @param {Kind} far @param {string} video */
	async function sees(page, far, video) {
		await page.bringToFront();
		const first = await askUntil(() => marker(page, video));
		assert.equal((first?.counter ?? 0) >> 20, cameras[far]);
		await askUntil(() => marker(page, video), (next) => next && next.counter > (first?.counter ?? 0));
	}

	/** @param {Page} page @param {string} wanted */
	const reaches = (page, wanted) => askUntil(() => page.evaluate(() => /** @type {any} */ (window).connection?.signalingState), (state) => state === wanted);

	/** A taken name, a call, its end. @param {string} path @param {Kind} caller @param {Kind} callee */
	async function lessonCall(path, caller, callee) {
		const ann = await open(caller, path);
		const bob = await open(callee, path);
		/** @type {string[]} */
		const alerts = [];
		bob.on('dialog', (dialog) => {
			alerts.push(dialog.message());
			void dialog.accept();
		});
		await login(ann, 'Ann');
		await reaches(ann, 'stable');
		await login(bob, 'ann');
		await askUntil(() => alerts.length);
		await login(bob, 'Bob');
		await reaches(bob, 'stable');
		await fill(ann, '#username-to-call', 'Bob');
		await press(ann, 'button#call');
		await sees(ann, callee, '#remote');
		await sees(bob, caller, '#remote');
		await press(bob, 'button#close-call');
		await reaches(ann, 'closed');
		await reaches(bob, 'closed');
	}

	/** One is there, the other comes. @param {string} path @param {Kind} first @param {Kind} second */
	async function sseCall(path, first, second) {
		const one = await open(first, path);
		// Its offer is heard by nobody. Of two who come at once each would take back its own, which the demo does not know.
		await reaches(one, 'have-local-offer');
		await one.evaluate(() => /** @type {any} */ (window).server.sent);
		const other = await open(second, path);
		await sees(one, second, '#video');
		await sees(other, first, '#video');
	}

	for (const [first, second] of /** @type {[Kind, Kind][]} */ ([['firefox', 'chromium'], ['chromium', 'firefox']])) {
		test(`the lesson, a client of our own: ${first} calls ${second}`, () => lessonCall('own-lesson.html', first, second));
		test(`the lesson, its printed client: ${first} calls ${second}`, needs(lesson), () => lessonCall('lesson.html', first, second));
		test(`the demo of events, a client of our own: ${first}, then ${second}`, () => sseCall('own-sse.html', first, second));
		test(`the demo of events, its printed client: ${first}, then ${second}`, needs(demo), () => sseCall('sse.html', first, second));
	}
});
