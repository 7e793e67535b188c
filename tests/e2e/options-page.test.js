/** What is chosen in the options page reaches shares and other pages of settings; what the browser took away is named. */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {restSuite, turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted', '--size', '1920x1080']);
const {askUntil, until} = await import('./lib/own.js');
const {startServer} = await import('./lib/server.js');
const {probe, useFixture} = await import('./lib/fixture.js');

/** @typedef {import('puppeteer-core').Page} Page */

/** Chooses in a list, or switches, as a person does. @param {string} selector @param {string | boolean} value */
const choose = (selector, value) => {
	const input = /** @type {HTMLInputElement} */ (document.querySelector(selector));
	input[typeof value === 'boolean' ? 'checked' : 'value'] = /** @type {never} */ (value);
	input.dispatchEvent(new Event('change'));
};

/** Answers Firefox's own question, where it is open. */
const allow = () => /** @type {any} */ (document.querySelector('#addon-webext-permissions-notification'))?.button?.click();
const deny = () => /** @type {any} */ (document.querySelector('#addon-webext-permissions-notification'))?.secondaryButton?.click();

/** @param {string} selector */
const valueOf = (selector) => /** @type {HTMLInputElement | null} */ (document.querySelector(selector))?.value;

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: settings`, () => {
		const fixture = useFixture({kind});

		/** @returns {Promise<Page>} */
		async function openSettings() {
			const page = await fixture.own('ui/options.html');
			await until(page, () => document.querySelector('#health .good') !== null);
			return page;
		}

		turn('the defaults hold where a page asks for nothing, and what a page asks for goes first', async () => {
			const settings = await openSettings();
			for (const [name, value] of [['cursor', 'never'], ['maxFps', '15'], ['maxHeight', '720']]) {
				await settings.evaluate(choose, `[name=${name}]`, value);
			}
			const other = await openSettings();
			assert.deepEqual([await other.evaluate(valueOf, '[name=cursor]'), await other.evaluate(valueOf, '[name=maxHeight]')], ['never', '720']);
			const page = await fixture.page();
			// The probe's own bounds are taken out: this page says nothing of size.
			await fixture.redeemed(page, await fixture.granted(page), {maxWidth: 0, maxHeight: 0});
			const {settings: bounded} = await probe(page, 'track');
			assert.deepEqual([bounded.width, bounded.height, bounded.frameRate, bounded.cursor], [1280, 720, 15, 'never']);
			await probe(page, 'apply', {width: 1920, height: 1080, frameRate: 30});
			const {settings: asked} = await probe(page, 'track');
			assert.deepEqual([asked.width, asked.height, asked.frameRate], [1920, 1080, 30]);
			await fixture.stop(page);
			for (const [name, value] of [['cursor', 'always'], ['maxFps', '30'], ['maxHeight', '0']]) {
				await settings.evaluate(choose, `[name=${name}]`, value);
			}
		});

		turn('two pages of settings show and keep what either changes', async () => {
			const [one, other] = [await openSettings(), await openSettings()];
			await one.evaluate(choose, '#other-extensions', false);
			await until(other, () => /** @type {HTMLInputElement} */ (document.querySelector('#other-extensions')).checked === false);
			await other.evaluate(choose, '#other-extensions', true);
			await until(one, () => /** @type {HTMLInputElement} */ (document.querySelector('#other-extensions')).checked);
		});

		if (kind === 'firefox') {
			test('the click that lets a site remember has Firefox ask, and no means no', async () => {
				const page = await openSettings();
				await page.bringToFront();
				await page.evaluate(() => /** @type {any} */ (globalThis).browser.permissions.remove({data_collection: ['browsingActivity']}));
				await page.evaluate(() => (location.hash = '#https://a.example'));
				await until(page, () => document.activeElement?.matches('#sites select'));
				const chosen = () => page.evaluate(async () => {
					const {value} = /** @type {HTMLSelectElement} */ (document.querySelector('#sites select'));
					const {permissions, storage} = /** @type {any} */ (globalThis).browser;
					const {sites} = await storage.local.get('sites');
					const agreed = await permissions.contains({data_collection: ['browsingActivity']});
					return `${value} ${sites['https://a.example'].consent} ${agreed}`;
				});
				/** @type {[() => void, string][]} */
				const answers = [[deny, 'ask ask false'], [allow, 'allow allow true']];
				for (const [answer, after] of answers) {
					await page.keyboard.press('ArrowDown');
					// Its buttons take no click in their first moments.
					await askUntil(async () => {
						await fixture.browser.inWindow(answer);
						return chosen();
					}, (now) => now === after);
				}
				await page.keyboard.press('ArrowUp');
			});
		}

		turn('a page of [::1] is one of this machine', async (t) => {
			const site = await startServer('::1');
			t.after(() => site.close());
			const page = await fixture.page('/pages/probe.html', site.origin);
			await fixture.share(page);
			await fixture.stop(page);
		});
	});

	(kind === 'chromium' ? describe : restSuite)(`${kind}: settings of an extension that is kept out of sites`, () => {
		const fixture = useFixture({kind});

		turn('the diagnostics name it, with a button to let it in again', async () => {
			const own = await fixture.own('ui/options.html');
			await until(own, () => document.querySelector('#health .good') !== null);
			assert.equal(await own.evaluate(() => document.querySelector('#health button') !== null), false);
			if (kind === 'firefox') {
				await own.evaluate(() => /** @type {any} */ (globalThis).browser.permissions.remove({origins: ['https://*/*']}));
			} else {
				const extensions = await fixture.browser.open('chrome://extensions/');
				fixture.pages.push(extensions);
				await extensions.evaluate(async () => {
					const {developerPrivate} = /** @type {any} */ (globalThis).chrome;
					const all = await developerPrivate.getExtensionsInfo();
					const {id} = all.find((/** @type {any} */ {name}) => name === 'Portlight');
					await developerPrivate.updateExtensionConfiguration({extensionId: id, hostAccess: 'ON_CLICK'});
				});
			}
			await until(own, () => document.querySelector('#health button') !== null);
			const report = await own.evaluate(async () => {
				const {diagnose} = await import(/** @type {any} */ ('/ui/diagnostics.js'));
				return (await diagnose()).report;
			});
			assert.match(report, /^site access: not to all/m);
		});
	});
}

describe("chromium: whose dialog opens", () => {
	// The browser's own is cancelled at once.
	const fixture = useFixture({kind: 'chromium', chooser: true, args: ['--auto-reject-capture'], env: {WAYLAND_DISPLAY: 'wayland-0'}});

	test("on Wayland only the desktop's; one setting brings the browser's back", async () => {
		const page = await fixture.page();
		await fixture.share(page);
		await fixture.stop(page);
		const settings = await fixture.own('ui/options.html');
		await until(settings, () => document.querySelector('#capture-card')?.checkVisibility());
		await settings.evaluate(choose, '[name=capture][value=chooser]', true);
		await until(settings, async () => (await /** @type {any} */ (globalThis).chrome.storage.local.get('capturePath')).capturePath === 'chooser');
		await page.bringToFront();
		assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
		await fixture.assertNothingLeft();
	});
});
