/** The extension's own pages, in both browsers: first run, popup, options; pause, stop, and what the toolbar says. */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {restSuite, turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, press, reload, say, shows, until} = await import('./lib/own.js');
const {probe, probed, useFixture} = await import('./lib/fixture.js');

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
const untilQuiet = (own) => askUntil(() => toolbar(own), ([badge, title]) => badge === '' && title === 'Portlight');

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: the extension's face`, () => {
		const fixture = useFixture({kind});
		/** @type {Page} */
		let popup;

		/** The popup, in a tab, as it is over another page. @param {Page} over */
		async function openPopup(over) {
			popup = await fixture.own('ui/popup.html');
			await over.bringToFront();
			await reload(popup);
			await until(popup, shows, '#host-state.good');
			return popup;
		}

		turn('the page of the first run finds the host, and its test shows the desktop', async () => {
			assert.equal(await fixture.browser.firstRun(), 'not needed', 'it does not open by itself');
			const page = await fixture.own('ui/welcome.html');
			await until(page, shows, '#step-host.good');
			await until(page, shows, '#step-portal.good');
			assert.equal(await page.evaluate(shows, '#install'), '');
			await fixture.desktop.willAnswer('screen');
			await press(page, '#test');
			await until(page, pictures, 3);
			await until(page, shows, '#test-state.good');
			assert.equal(fixture.ours.now().captures.length, 1);
			await press(page, '#test-stop');
			await until(page, shows, '#test');
			await fixture.assertNothingLeft();
			await fixture.desktop.willAnswer('deny');
			await press(page, '#test');
			await until(page, shows, '#test-state.quiet');
			await fixture.assertNothingLeft();
		});

		turn('without a share the popup says so, and what this site may do is kept', async () => {
			const page = await fixture.page();
			await openPopup(page);
			await until(popup, shows, '#none');
			assert.equal(await popup.evaluate(shows, '#shares'), '');
			const host = new URL(fixture.site.origin).host;
			assert.equal(await until(popup, shows, '#site-name'), `Settings for ${host}`);
			await popup.evaluate(() => {
				const consent = /** @type {HTMLSelectElement} */ (document.querySelector('#site select'));
				consent.value = 'block';
				consent.dispatchEvent(new Event('change'));
			});
			await until(popup, () => document.querySelector('#announce')?.textContent);
			const options = await fixture.own('ui/options.html');
			const row = await until(options, shows, '#sites li');
			assert.match(row, new RegExp(host));
			assert.equal(await options.evaluate(() => /** @type {any} */ (document.querySelector('#sites select')).value), 'block');
			await press(options, '#sites .forget');
			await until(options, shows, '#sites-none');
		});

		turn('the popup shows the share; Pause stops the pixels, Resume brings them back, Stop ends it', async () => {
			const page = await fixture.sharing();
			await openPopup(page);
			await until(popup, pictures, 3);
			assert.match(await popup.evaluate(shows, '.share .words'), /1280 × 720/);
			const [badge, title] = await toolbar(popup);
			assert.deepEqual([badge, /1/.test(title)], ['1', true]);
			const other = await fixture.sharing('window');
			await fixture.moves(page);

			await press(popup, '.share .buttons button');
			await until(popup, shows, '.share.paused');
			await fixture.standsStill(page, other);
			assert.equal((await probe(page, 'track')).readyState, 'live');
			assert.equal(fixture.ours.now().captures.length, 2, 'the helper is there');
			const [{key}] = await say(popup, {type: 'shares'});
			const done = async () => ({
				previewed: await popup.evaluate(() => document.querySelector('canvas')?.dataset.pictures),
				encoded: (await say(popup, {type: 'share-stats', key})).frames,
			});
			const before = await done();
			await fixture.gap(other, 5);
			assert.deepEqual(await done(), before, 'the preview stands still too, and the helper encodes nothing');
			await reload(popup);
			await until(popup, pictures, 1);
			assert.deepEqual((await done()).encoded, before.encoded, 'a popup opened now shows the moment of the pause');
			await probe(other, 'stop');
			await until(popup, () => document.querySelectorAll('.share').length === 1);

			await press(popup, '.share .buttons button');
			await fixture.moves(page);
			assert.deepEqual(await probed(page, 'ended'), []);
			await press(popup, '.share .danger');
			await fixture.assertEnded(page);
			await until(popup, shows, '#none');
			await untilQuiet(popup);
			await fixture.assertNothingLeft();
		});

		turn('two shares and an open dialog are stopped at once', async () => {
			const [one, other] = [await fixture.sharing(), await fixture.sharing()];
			const third = await fixture.page();
			const {answer} = await fixture.dialog(third);
			await openPopup(one);
			await until(popup, shows, '#stop-all');
			await press(popup, '#stop-all');
			assert.equal(await answer, 'PermissionDeniedError');
			await fixture.desktop.untilDialogs(0);
			await fixture.assertEnded(one);
			await fixture.assertEnded(other);
			await fixture.assertNothingLeft();
			await fixture.desktop.mendPortal();
		});

		turn('the keyboard shortcut is set, and its command stops everything', async () => {
			const page = await fixture.sharing();
			await openPopup(page);
			const keys = await popup.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const all = await (browser ?? chrome).commands.getAll();
				return all.find((/** @type {{name: string}} */ {name}) => name === 'stop-all').shortcut;
			});
			assert.equal(keys, 'Alt+Shift+0');
			// A driver's keys reach Chromium's pages alone, so there the command's own event stands for them.
			await (kind === 'chromium'
				? fixture.browser.inBackground(() => /** @type {any} */ (globalThis).chrome.commands.onCommand.dispatch('stop-all'))
				: fixture.browser.pressShortcut());
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();
		});

		turn('a tab that is discarded takes its share with it, and leaves no badge', async () => {
			await fixture.sharing();
			const own = await fixture.browser.openOwn('ui/popup.html');
			await own.bringToFront();
			await own.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {runtime, tabs} = browser ?? chrome;
				const [share] = await runtime.sendMessage({type: 'shares'});
				await tabs.discard(share.tabId);
			});
			await fixture.assertNothingLeft();
			await until(own, shows, '#none');
			await untilQuiet(own);
			// The driver has lost sight of that tab.
			fixture.pages = [own];
			const discarded = await own.evaluate(async () => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {tabs} = browser ?? chrome;
				const found = await tabs.query({discarded: true});
				await tabs.remove(found.map((/** @type {{id: number}} */ {id}) => id));
				return found.length;
			});
			assert.equal(discarded, 1);
		});

		turn('a background that is killed leaves no badge behind, and the popup shows no share', async () => {
			const page = await fixture.sharing();
			await fixture.browser.killBackground();
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();
			await openPopup(page);
			await until(popup, shows, '#none');
			await untilQuiet(popup);
		});

		turn('the options page names what is there, and its report names no site', async () => {
			const page = await fixture.sharing();
			const options = await fixture.own('ui/options.html');
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
			await fixture.stop(page);
		});
	});

	if (kind === 'chromium') {
		describe('what Chromium says of it', () => {
			const fixture = useFixture({kind});

			test('the manifest has no errors and no warnings', async () => {
				const page = await fixture.browser.open('chrome://extensions/');
				assert(page);
				fixture.pages.push(page);
				const infos = await page.evaluate(() => /** @type {any} */ (globalThis).chrome.developerPrivate.getExtensionsInfo());
				const {manifestErrors, runtimeErrors, runtimeWarnings} = infos.find((/** @type {any} */ {name}) => name === 'Portlight');
				assert.deepEqual({manifestErrors, runtimeErrors, runtimeWarnings}, {manifestErrors: [], runtimeErrors: [], runtimeWarnings: []});
			});

			test('everything that can be used has a name, and the keyboard comes to all of it in order', async () => {
				const shared = await fixture.sharing();
				for (const path of ['ui/popup.html', 'ui/options.html', 'ui/welcome.html']) {
					const page = await fixture.own(path);
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
				await fixture.stop(shared);
			});
		});
	}

	(kind === 'firefox' ? describe : restSuite)(`${kind}: without a host`, () => {
		const fixture = useFixture({kind, welcome: true, host: '/nowhere/portlight-host'});

		turn('the first run says how to install it, and the popup what failed and what to do', async () => {
			const welcome = await fixture.browser.welcome();
			await until(welcome, shows, '#step-host.bad');
			assert.match(await until(welcome, shows, '#install'), /apt install/);
			assert.equal(await welcome.evaluate(() => /** @type {any} */ (document.querySelector('#test')).disabled), true);
			await welcome.close();
			const page = await fixture.page();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			fixture.pages.push(await fixture.browser.welcome()); // A page made for another extension can't say what to do.
			const popup = await fixture.own('ui/popup.html');
			await until(popup, shows, '#failure');
			await until(popup, () => /** @type {any} */ (document.querySelector('#host-state')).hidden); // It would say the same.
			assert.equal((await toolbar(popup))[1], 'Portlight: the last request failed');
			await press(popup, '#forgive');
			await until(popup, () => /** @type {any} */ (document.querySelector('#failure')).hidden);
			await until(popup, shows, '#host-state.bad');
			assert.equal((await toolbar(popup))[1], 'Portlight');
		});
	});
}
