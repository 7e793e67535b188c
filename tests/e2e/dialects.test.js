import assert from 'node:assert/strict';
import {afterEach, describe, test} from 'node:test';
import {clients} from './pages/dialects.js';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('./lib/own.js');
const {probe, untilProbe, useFixture} = await import('./lib/fixture.js');

// The dialects are the same code in both browsers; on the real desktop, as before a release, both are tried.
for (const kind of /** @type {import('./lib/browser.js').Kind[]} */ (process.env.REAL ? ['firefox', 'chromium'] : ['chromium'])) {
	describe(`${kind}: the dialects of pages`, () => {
		const turn = turns(kind);
		const fixture = useFixture({kind});
		/** @type {import('puppeteer-core').Page | null} that the last client is done with: a new one takes longer */
		let tab = null;
		afterEach(async () => {
			if (!tab) {
				await fixture.desktop.mendPortal(); // A test that failed may have left its dialog open.
			}
		});

		/**
		 * A page of a site of its own, which has no part in what was refused to the others; a tab is forgiven by what it was
		 * granted since.
		 * @param {string} name
		 */
		async function open(name) {
			const {framed, html = '', script = ''} = clients[name];
			const frame = framed ? `${fixture.elsewhere.origin}/pages/getScreenId.html` : '';
			const page = tab ?? (await fixture.page('/pages/dialects.html'));
			tab = null;
			fixture.pages = [page];
			await page.goto(`${fixture.site.origin}/pages/dialects.html?${new URLSearchParams({frame, html, script})}`);
			await untilProbe(page);
			return page;
		}

		/**
		 * A page that is refused and told so, or hears nothing where its dialect has no word for that.
		 * @param {import('puppeteer-core').Page} page
		 * @param {string} name
		 */
		async function refused(page, name) {
			await fixture.desktop.willAnswer('deny');
			const {answered} = await fixture.desktop.tell('dialogs');
			const asked = probe(page, 'ask', name);
			if (clients[name].denial !== 'silent') {
				assert.equal((await asked).error, 'denied');
				return;
			}
			asked.catch(() => {}); // It waits until the page is closed.
			await askUntil(() => fixture.desktop.tell('dialogs'), (dialogs) => dialogs.answered > answered);
			await fixture.assertNothingLeft();
			assert.equal(await page.evaluate(() => /** @type {any} */ (window).said.at(-1)), 'csioRequestScreenSourceId');
		}

		for (const [name, client] of Object.entries(clients)) {
			if (client.runtime && kind === 'firefox') {
				continue; // Its pages have no chrome.runtime.
			}
			turn(name, async () => {
				const page = await open(name);
				if (client.detect) {
					await askUntil(() => probe(page, 'detect', name));
				}
				await refused(page, name);
				await page.mouse.click(5, 5); // A page that was refused just now may not ask again by itself.
				await fixture.desktop.willAnswer('screen');
				const {id, error} = await probe(page, 'ask', name);
				assert.match(id ?? '', /^portlight:/, error);
				const picture = await probe(page, 'redeem', name, id);
				assert.equal(picture.width > 0 && picture.fits, true, `it plays: ${JSON.stringify(picture)}`);
				await fixture.assertNothingLeft();
				if (client.abort) {
					await fixture.desktop.willAnswer('ignore');
					assert.equal(await probe(page, 'abort', name), true, 'the page takes its request back');
					await fixture.assertNothingLeft();
					await fixture.withdrawn();
				}
				tab = page;
				fixture.pages = [];
			});
		}

		test('a page that speaks none finds nothing', async () => {
			const page = await fixture.page('/pages/dialects.html');
			await untilProbe(page);
			const found = await page.evaluate(() => ({
				runtime: /** @type {any} */ (window).chrome?.runtime !== undefined,
				globals: Object.keys(window).filter((key) => /portlight|screen.*(exist|install)/i.test(key)),
				said: /** @type {any} */ (window).said,
				markers: document.querySelectorAll('[id*=install]').length,
			}));
			assert.deepEqual(found, {runtime: false, globals: [], said: [], markers: 0});
		});
	});
}
