/** Pages whose library is in a bundle: nothing tells what they are until the user does. */
import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('./lib/own.js');
const {probe, untilProbe, useFixture} = await import('./lib/fixture.js');

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: a page with its library in a bundle`, () => {
		const fixture = useFixture({kind});

		/** @param {boolean} legacy what the popup's switch for the site keeps */
		async function setLegacy(legacy) {
			const own = await fixture.browser.openOwn('ui/options.html');
			const registered = await askUntil(() =>
				own.evaluate(async (origin, on) => {
					const ext = /** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome;
					await ext.storage.local.set({sites: {[origin]: {legacy: on}}});
					const scripts = await ext.scripting.getRegisteredContentScripts();
					return scripts.some((/** @type {any} */ {id}) => id === 'legacy') === on;
				}, fixture.site.origin, legacy),
			);
			assert.equal(registered, true);
			await own.close();
		}

		/** @param {import('puppeteer-core').Page} page */
		async function asked(page) {
			await page.mouse.click(5, 5);
			await fixture.desktop.willAnswer('screen');
			return probe(page, 'ask');
		}

		turn('where the user says nothing, the browser is as it always is', async () => {
			const page = await fixture.page('/pages/bundled.html');
			await untilProbe(page);
			assert.equal(await probe(page, 'version'), 'no runtime');
		});

		turn('where they say that the site was made for another extension, it is answered, and what it kept redeems the id', async () => {
			await setLegacy(true);
			const page = await fixture.page('/pages/bundled.html');
			await untilProbe(page);
			assert.match(await probe(page, 'version'), kind === 'chromium' ? /^\d+\.\d+/ : /^no runtime$/);
			const id = await asked(page);
			assert.match(id, /^portlight:/);
			assert.equal(await probe(page, 'redeem', id), 'plays');
			await fixture.assertNothingLeft();
		});

		turn('where they take it back, the page is left alone', async () => {
			await setLegacy(false);
			const page = await fixture.page('/pages/bundled.html');
			await untilProbe(page);
			assert.equal(await probe(page, 'version'), 'no runtime');
		});
	});
}
