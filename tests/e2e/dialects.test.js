import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, describe, test} from 'node:test';
import {clients} from './pages/dialects.js';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter']);
const {askUntil} = await import('./lib/own.js');
const {startServer} = await import('./lib/server.js');
const {Bench, probe} = await import('./lib/suite.js');

/** Played to the picture; the others to the person's refusal, which takes the same way. */
const granted = ['muaz', 'getscreenid', 'janus', 'opentok', 'respoke', 'jidesha', 'getscreenmedia2'];

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: the dialects of pages`, () => {
		const bench = new Bench({kind});
		before(() => bench.open());
		after(() => bench.close());
		/** @type {Awaited<ReturnType<typeof startServer>> | undefined} */
		let site;
		afterEach(async () => {
			await bench.tidy();
			await site?.close();
		});

		/**
		 * A page of a site of its own, which has no part in what was refused to the others.
		 * @param {string} name
		 */
		async function open(name) {
			site = await startServer();
			const {framed, html = '', script = ''} = clients[name];
			const frame = framed ? `${bench.elsewhere?.origin}/pages/getScreenId.html` : '';
			const page = await bench.page(`/pages/dialects.html?${new URLSearchParams({frame, html, script})}`, site.origin);
			await page.waitForFunction(() => 'probe' in window);
			await sleep(300); // Longer than the extension takes, shorter than a person.
			return page;
		}

		for (const [name, client] of Object.entries(clients)) {
			test(name, async () => {
				const page = await open(name);
				if (client.detect) {
					assert.equal(await askUntil(() => probe(page, 'detect', name)), true, 'the page finds the extension');
				}
				if (client.denial !== 'silent') {
					const grants = granted.includes(name);
					await bench.desktop.willAnswer(grants ? 'screen' : 'deny');
					const {id = '', error} = await probe(page, 'ask', name);
					if (grants) {
						assert.match(id, /^portlight:/, error);
						assert.equal((await probe(page, 'redeem', id)) > 0, true, 'it plays');
					} else {
						assert.equal(error, 'denied');
					}
					await bench.assertNothingLeft();
				}
				if (client.abort) {
					await bench.desktop.willAnswer('ignore');
					await page.mouse.click(5, 5); // A page that was refused just now may not ask again by itself.
					assert.equal(await probe(page, 'abort', name), true, 'the page takes its request back');
					await bench.assertNothingLeft();
					await bench.desktop.untilDialogs(0);
					await bench.desktop.mendPortal();
				}
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
