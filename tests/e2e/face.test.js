/** The extension's own pages, in both browsers: first run, popup, options; pause, stop, and what the toolbar says. */
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, press, reload, shows, until} = await import('./lib/own.js');
const {Bench, probe, probed} = await import('./lib/suite.js');

/** @typedef {import('puppeteer-core').Page} Page */

/** @param {number} least */
const pictures = (least) => Number(document.querySelector('canvas')?.dataset.pictures ?? 0) >= least;

/** What the toolbar shows. @param {Page} own */
const toolbar = (own) =>
	own.evaluate(async () => {
		const {browser, chrome} = /** @type {any} */ (globalThis);
		const {action} = browser ?? chrome;
		return [await action.getBadgeText({}), await action.getTitle({})];
	});

/** Waits until the toolbar shows that nothing is shared. @param {Page} own */
async function untilQuiet(own) {
	const quiet = ['', 'Portlight'];
	assert.deepEqual(await askUntil(() => toolbar(own), (shown) => `${shown}` === `${quiet}`), quiet);
}

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: the extension's face`, () => {
		const bench = new Bench({kind, welcome: true});
		/** @type {Page} */
		let popup;
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		/** The popup, in a tab, as it is over another page. @param {Page} over */
		async function openPopup(over) {
			assert(bench.browser);
			popup = await bench.browser.openOwn('ui/popup.html');
			bench.pages.push(popup);
			await over.bringToFront();
			await reload(popup);
			await until(popup, shows, '#host-state.good');
			return popup;
		}

		test('the page of the first run finds the host, and its test shows the desktop', async () => {
			assert(bench.browser);
			const page = await bench.browser.welcome();
			bench.pages.push(page);
			await page.bringToFront();
			await until(page, shows, '#step-host.good');
			await until(page, shows, '#step-portal.good');
			assert.equal(await page.evaluate(shows, '#install'), '');
			await bench.desktop.willAnswer('screen');
			await press(page, '#test');
			await until(page, pictures, 3);
			await until(page, shows, '#test-state.good');
			assert.equal(bench.ours.now().captures.length, 1);
			await press(page, '#test-stop');
			await until(page, shows, '#test');
			await bench.assertNothingLeft();
			await bench.desktop.willAnswer('deny');
			await press(page, '#test');
			await until(page, shows, '#test-state.quiet');
			await bench.assertNothingLeft();
		});

		test('without a share the popup says so, and what this site may do is kept', async () => {
			const page = await bench.page();
			await openPopup(page);
			await until(popup, shows, '#none');
			assert.equal(await popup.evaluate(shows, '#live'), '');
			const host = new URL(/** @type {any} */ (bench.site).origin).host;
			assert.equal(await until(popup, shows, '#site-name'), host);
			await popup.evaluate(() => {
				const consent = /** @type {HTMLSelectElement} */ (document.querySelector('#consent'));
				consent.value = 'block';
				consent.dispatchEvent(new Event('change'));
			});
			await until(popup, () => document.querySelector('#announce')?.textContent);
			const options = await /** @type {any} */ (bench.browser).openOwn('ui/options.html');
			bench.pages.push(options);
			const row = await until(options, shows, '#sites li');
			assert.match(row, new RegExp(host));
			assert.equal(await options.evaluate(() => document.querySelector('select')?.value), 'block');
			await press(options, '#sites button');
			await until(options, shows, '#sites-none');
		});

		test('the popup shows the share; Pause stops the pixels, Resume brings them back, Stop ends it', async () => {
			const page = await bench.sharing();
			await openPopup(page);
			await until(popup, pictures, 3);
			assert.match(await popup.evaluate(shows, '.share .words'), /1280 × 720/);
			const [badge, title] = await toolbar(popup);
			assert.deepEqual([badge, /1/.test(title)], ['1', true]);
			const moves = await askUntil(() => probe(page, 'measure', 1000), ({distinct}) => distinct > 2);
			assert.equal(moves.distinct > 2, true, 'the page plays while it is looked at');

			await press(popup, '.share .buttons button');
			await until(popup, shows, '.share.paused');
			const still = await askUntil(() => probe(page, 'measure', 1000), ({distinct}) => distinct <= 1);
			assert.equal(still.distinct <= 1, true, 'one picture stands still');
			assert.equal((await probe(page, 'track')).readyState, 'live');
			assert.equal(bench.ours.now().captures.length, 1, 'the helper is there');
			const encoded = () => popup.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {runtime} = browser ?? chrome;
				const [{key}] = await runtime.sendMessage({type: 'shares'});
				return (await runtime.sendMessage({type: 'share-stats', key})).frames;
			});
			const before = await encoded();
			const seen = await popup.evaluate(() => document.querySelector('canvas')?.dataset.pictures);
			await sleep(500);
			assert.equal(await popup.evaluate(() => document.querySelector('canvas')?.dataset.pictures), seen, 'nor the preview');

			assert.equal(await encoded(), before, 'and the helper encodes nothing');

			await press(popup, '.share .buttons button');
			// The track may show the picture of the pause once more.
			const next = () => page.evaluate(() => /** @type {any} */ (window).probe.watch.next(5000));
			const now = await askUntil(next, (sample) => sample?.latencyMs < 1000);
			assert.ok(now?.latencyMs < 1000, `drawn after the pause: ${now?.latencyMs} ms ago`);
			assert.deepEqual(await probed(page, 'ended'), []);
			await press(popup, '.share .danger');
			await bench.assertEnded(page);
			await until(popup, shows, '#none');
			await untilQuiet(popup);
			await bench.assertNothingLeft();
		});

		test('two shares and an open dialog are stopped at once', async () => {
			const [one, other] = [await bench.sharing(), await bench.sharing()];
			const third = await bench.page();
			await bench.desktop.willAnswer('ignore');
			const asked = probe(third, 'ask');
			await bench.desktop.untilDialogs(1);
			await openPopup(one);
			await until(popup, shows, '#stop-all');
			await press(popup, '#stop-all');
			assert.equal(await asked, 'PermissionDeniedError');
			await bench.desktop.untilDialogs(0);
			await bench.assertEnded(one);
			await bench.assertEnded(other);
			await bench.assertNothingLeft();
			await bench.desktop.mendPortal();
		});

		test('the keyboard shortcut is set, and its command stops everything', async () => {
			const page = await bench.sharing();
			await openPopup(page);
			const keys = await popup.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const all = await (browser ?? chrome).commands.getAll();
				return all.find((/** @type {{name: string}} */ {name}) => name === 'stop-all').shortcut;
			});
			assert.equal(keys, 'Alt+Shift+0');
			// A driver's keys reach Chromium's pages alone, so there the command's own event stands for them.
			await (kind === 'chromium'
				? bench.browser?.inBackground(() => /** @type {any} */ (globalThis).chrome.commands.onCommand.dispatch('stop-all'))
				: bench.browser?.pressShortcut());
			await bench.assertEnded(page);
			await bench.assertNothingLeft();
		});

		test('a tab that is discarded takes its share with it, and leaves no badge', async () => {
			await bench.sharing();
			assert(bench.browser);
			const own = await bench.browser.openOwn('ui/popup.html');
			await own.bringToFront();
			await own.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {runtime, tabs} = browser ?? chrome;
				const [share] = await runtime.sendMessage({type: 'shares'});
				await tabs.discard(share.tabId);
			});
			await bench.assertNothingLeft();
			await until(own, shows, '#none');
			await untilQuiet(own);
			// The driver has lost sight of that tab.
			bench.pages = [own];
			const discarded = await own.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {tabs} = browser ?? chrome;
				const found = await tabs.query({discarded: true});
				await tabs.remove(found.map((/** @type {{id: number}} */ {id}) => id));
				return found.length;
			});
			assert.equal(discarded, 1);
		});

		test('a background that is killed leaves no badge behind, and the popup shows no share', async () => {
			const page = await bench.sharing();
			await bench.browser?.killBackground();
			await bench.assertEnded(page);
			await bench.assertNothingLeft();
			await openPopup(page);
			await until(popup, shows, '#none');
			await untilQuiet(popup);
		});

		test('the options page names what is there, and its report names no site', async () => {
			const page = await bench.sharing();
			const options = await /** @type {any} */ (bench.browser).openOwn('ui/options.html');
			bench.pages.push(options);
			await until(options, () => document.querySelectorAll('#health .good').length >= 3);
			assert.equal(await options.evaluate(shows, '#health .bad'), '');
			const report = await options.evaluate(async () => {
				// A test's own import: what the Copy button writes.
				const {diagnose} = await import(/** @type {any} */ ('/ui/diagnostics.js'));
				return (await diagnose()).report;
			});
			assert.match(report, /^extension: \d.*\n(.*\n)*host: \d.*\n(.*\n)*portal: ScreenCast \d/m);
			assert.match(report, /live shares: 1/);
			assert.doesNotMatch(report, /127\.0\.0\.1|https?:/);
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});
	});

	if (kind === 'chromium') {
		describe('what Chromium says of it', () => {
			const bench = new Bench({kind});
			before(() => bench.open());
			after(() => bench.close());
			afterEach(() => bench.tidy());

			test('the manifest has no errors and no warnings', async () => {
				const page = await bench.browser?.open('chrome://extensions/');
				assert(page);
				bench.pages.push(page);
				const infos = await page.evaluate(() => /** @type {any} */ (globalThis).chrome.developerPrivate.getExtensionsInfo());
				const {manifestErrors, runtimeErrors, runtimeWarnings} = infos.find((/** @type {any} */ {name}) => name === 'Portlight');
				assert.deepEqual({manifestErrors, runtimeErrors, runtimeWarnings}, {manifestErrors: [], runtimeErrors: [], runtimeWarnings: []});
			});

			test('everything that can be used has a name, and the keyboard comes to all of it in order', async () => {
				const shared = await bench.sharing();
				for (const path of ['ui/popup.html', 'ui/options.html', 'ui/welcome.html']) {
					assert(bench.browser);
					const page = await bench.browser.openOwn(path);
					bench.pages.push(page);
					if (path === 'ui/popup.html') {
						await shared.bringToFront();
						await reload(page);
						await until(page, pictures, 1);
						await until(page, shows, '#site');
						await page.bringToFront();
					}
					await until(page, shows, {popup: '#host-state.good', options: '#health .good', welcome: '#step-portal.good'}[path.slice(3, -5)]);
					const usable = /^(button|link|textbox|combobox|checkbox|switch|radio|img|image|canvas)$/;
					/** @type {string[]} */
					const nameless = [];
					/** @param {any} node */
					const walk = ({role, name, children = []}) => {
						if (usable.test(role) && !name) {
							nameless.push(role);
						}
						children.forEach(walk);
					};
					walk(await page.accessibility.snapshot());
					assert.deepEqual(nameless, [], path);
					const focusable = await page.evaluate(() =>
						[.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('button, select, input, summary'))].filter(
							(one) => one.checkVisibility() && !one.disabled && (one.type !== 'radio' || one.checked),
						).length,
					);
					await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
					/** @type {number[]} */
					const tops = [];
					for (let i = 0; i < focusable; i++) {
						await page.keyboard.press('Tab');
						tops.push(await page.evaluate(() => {
							const at = /** @type {HTMLElement} */ (document.activeElement);
							return at === document.body ? -1 : Math.round(at.getBoundingClientRect().bottom + scrollY);
						}));
					}
					assert.equal(tops.includes(-1), false, `${path}: the keyboard comes to all ${focusable}`);
					assert.deepEqual(tops.map((top, i) => i === 0 || top > tops[i - 1] - 45), tops.map(() => true), `${path}: from top to bottom`);
				}
				await probe(shared, 'stop');
				await bench.assertNothingLeft();
			});
		});
	}

	describe(`${kind}: without a host`, () => {
		const bench = new Bench({kind, welcome: true, host: '/nowhere/portlight-host'});
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		test('the first run says how to install it, and the popup what failed and what to do', async () => {
			assert(bench.browser);
			const welcome = await bench.browser.welcome();
			await until(welcome, shows, '#step-host.bad');
			assert.match(await until(welcome, shows, '#install'), /make install/);
			assert.equal(await welcome.evaluate(() => /** @type {any} */ (document.querySelector('#test')).disabled), true);
			const page = await bench.page();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			const popup = await bench.browser.openOwn('ui/popup.html');
			bench.pages.push(popup);
			await until(popup, shows, '#failure');
			await until(popup, shows, '#host-state.bad');
			assert.equal((await toolbar(popup))[1], 'Portlight: the last request failed');
			await press(popup, '#forgive');
			await until(popup, () => /** @type {any} */ (document.querySelector('#failure')).hidden);
			assert.equal((await toolbar(popup))[1], 'Portlight');
		});
	});
}
