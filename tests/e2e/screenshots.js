/**
 * `make screenshots`: the popup, the options page and the page of the first run as a person sees them, in both colour
 * schemes, into FOLDER. UI_LANGUAGE=de: in another language.
 */
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--size', '1280x720']);
const {Fixture} = await import('./lib/fixture.js');

/** @typedef {import('puppeteer-core').Page} Page */

const language = process.env.UI_LANGUAGE ?? 'en';
const folder = /** @type {string} */ (process.env.FOLDER);
const SIZE_MAX = 60_000;

const fixture = new Fixture({
	kind: 'chromium',
	chooser: true, // As the settings are out of the box: on Wayland it is the desktop's all the same.
	args: [`--lang=${language}`, '--host-resolver-rules=MAP meet.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
	env: {LANGUAGE: language},
});

/** @param {Page} page @param {string} name @param {number} width */
async function shoot(page, name, width) {
	await page.setViewport({width, height: 200});
	for (const scheme of ['light', 'dark']) {
		// Without motion: nothing is caught on its way from one colour to another.
		await page.emulateMediaFeatures([
			{name: 'prefers-color-scheme', value: scheme},
			{name: 'prefers-reduced-motion', value: 'reduce'},
		]);
		await sleep(300);
		const path = /** @type {`${string}.png`} */ (join(folder, `${name}-${scheme}.png`));
		await page.screenshot({path: `${path}.raw.png`, fullPage: true});
		// Few colours make a small file.
		const palette = 'split[a][b];[a]palettegen=max_colors=128[p];[b][p]paletteuse=dither=none';
		execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-i', `${path}.raw.png`, '-vf', palette, path]);
		await rm(`${path}.raw.png`);
		assert.equal((await stat(path)).size < SIZE_MAX, true, `${path} is small`);
	}
}

await fixture.open();
try {
	const welcome = await fixture.browser.openOwn('ui/welcome.html');
	await welcome.waitForSelector('#step-portal.good');
	await shoot(welcome, 'welcome', 720);
	await fixture.desktop.willAnswer('screen');
	const page = await fixture.page('/pages/probe.html', fixture.site.origin.replace('127.0.0.1', 'meet.localhost'));
	await fixture.share(page);
	const popup = await fixture.browser.openOwn('ui/popup.html');
	await page.bringToFront();
	await popup.evaluate(() => location.reload());
	await sleep(3500);
	await shoot(popup, 'popup', 360);
	await popup.evaluate(() =>
		/** @type {any} */ (globalThis).chrome.storage.local.set({
			sites: {
				'https://meet.example.org': {consent: 'allow', displayMedia: true},
				'https://classroom.example.edu': {consent: 'ask', displayMedia: true},
				'https://ads.example.com': {consent: 'block'},
			},
		}),
	);
	const options = await fixture.browser.openOwn('ui/options.html');
	await options.waitForSelector('#health .good');
	await shoot(options, 'options', 720);
} finally {
	await fixture.close();
}
