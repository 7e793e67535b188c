import assert from 'node:assert/strict';
import {after, afterEach, before, describe, test} from 'node:test';
import {clients} from './pages/dialects.js';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('./lib/own.js');
const {startServer} = await import('./lib/server.js');
const {Bench, probe} = await import('./lib/suite.js');

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: the dialects of pages`, () => {
		const bench = new Bench({kind});
		before(() => bench.open());
		after(() => bench.close());
		/** @type {Awaited<ReturnType<typeof startServer>> | undefined} */
		let site;
		/** @type {import('puppeteer-core').Page | null} that the last client is done with: a new one takes longer */
		let tab = null;
		afterEach(async () => {
			await bench.tidy();
			await site?.close();
			if (!tab) {
				await bench.desktop.mendPortal(); // A test that failed may have left its dialog open.
			}
		});

		/**
		 * A page of a site of its own, which has no part in what was refused to the others; a tab is forgiven by what it was
		 * granted since.
		 * @param {string} name
		 */
		async function open(name) {
			site = await startServer();
			const {framed, html = '', script = ''} = clients[name];
			const frame = framed ? `${bench.elsewhere?.origin}/pages/getScreenId.html` : '';
			const page = tab ?? (await bench.page('/pages/dialects.html'));
			tab = null;
			bench.pages = [page];
			await page.goto(`${site.origin}/pages/dialects.html?${new URLSearchParams({frame, html, script})}`);
			await page.waitForFunction(() => 'probe' in window);
			return page;
		}

		/**
		 * A page that is refused and told so, or hears nothing where its dialect has no word for that.
		 * @param {import('puppeteer-core').Page} page
		 * @param {string} name
		 */
		async function refused(page, name) {
			await bench.desktop.willAnswer('deny');
			const asked = probe(page, 'ask', name);
			if (clients[name].denial !== 'silent') {
				assert.equal((await asked).error, 'denied');
				return;
			}
			asked.catch(() => {}); // It waits until the page is closed.
			await bench.desktop.untilDialogs(1);
			await bench.desktop.untilDialogs(0);
			await bench.assertNothingLeft();
			assert.equal(await page.evaluate(() => /** @type {any} */ (window).said.at(-1)), 'csioRequestScreenSourceId');
		}

		for (const [name, client] of Object.entries(clients)) {
			test(name, async () => {
				const page = await open(name);
				if (client.detect) {
					assert.equal(await askUntil(() => probe(page, 'detect', name)), true, 'the page finds the extension');
				}
				await refused(page, name);
				await page.mouse.click(5, 5); // A page that was refused just now may not ask again by itself.
				await bench.desktop.willAnswer('screen');
				const {id, error} = await probe(page, 'ask', name);
				assert.match(id ?? '', /^portlight:/, error);
				const picture = await probe(page, 'redeem', name, id);
				assert.equal(picture.width > 0 && picture.fits, true, `it plays: ${JSON.stringify(picture)}`);
				await bench.assertNothingLeft();
				if (client.abort) {
					await bench.desktop.willAnswer('ignore');
					assert.equal(await probe(page, 'abort', name), true, 'the page takes its request back');
					await bench.assertNothingLeft();
					await bench.desktop.untilDialogs(0);
					await bench.desktop.mendPortal();
				}
				tab = page;
				bench.pages = [];
			});
		}

		test('a page that speaks none finds nothing', async () => {
			const page = await bench.page('/pages/dialects.html');
			await page.waitForFunction(() => 'probe' in window);
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
