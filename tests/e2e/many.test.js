/** Twenty shares at once, from tabs of several windows, in both browsers: each is its own, and all of them can be stopped. */
import assert from 'node:assert/strict';
import {after, afterEach, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted', '--size', '640x480']);
const {askUntil} = await import('./lib/own.js');
const {Bench, probe} = await import('./lib/suite.js');

const SHARES = 20;
const WINDOWS = 4;

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: twenty shares`, () => {
		const bench = new Bench({kind});
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		test('at once, in several windows; one ends alone, and Stop all ends the rest', async () => {
			assert(bench.browser);
			const pages = [];
			for (let i = 0; i < SHARES; i++) {
				const page = await bench.page('/pages/probe.html', undefined, i % (SHARES / WINDOWS) === 0 ? 'window' : 'tab');
				await page.bringToFront();
				// The machine is to be busy with many shares, not with many pictures.
				const redeemed = await probe(page, 'redeem', await bench.granted(page), 'promise', {maxFrameRate: 1});
				assert.deepEqual(redeemed, {ok: true, tracks: ['video live']});
				pages.push(page);
			}
			const {hosts, captures} = bench.ours.now();
			assert.deepEqual([hosts.length, captures.length], [1, SHARES]);
			const own = await bench.browser.openOwn('ui/popup.html');
			bench.pages.push(own);
			/** @param {string} type */
			const say = (type) =>
				own.evaluate((t) => /** @type {any} */ (globalThis).chrome.runtime.sendMessage({type: t}), type);
			const listed = await say('shares');
			assert.equal(new Set(listed.map((/** @type {any} */ share) => share.tabId)).size, SHARES);

			await probe(pages[7], 'stop');
			const rest = async () => [bench.ours.now().captures.length, (await say('shares')).length];
			assert.deepEqual(await askUntil(rest, (counts) => counts.every((count) => count < SHARES)), [SHARES - 1, SHARES - 1]);
			for (const page of pages.filter((_page, i) => i !== 7)) {
				assert.equal((await probe(page, 'track')).readyState, 'live');
			}

			assert.equal((await say('stop-all')).ok, true);
			// Nineteen helpers end at once, on as many cores as there are.
			const {left} = await bench.ours.gone(5000);
			assert.deepEqual(left, []);
			for (const page of pages) {
				const track = await askUntil(() => probe(page, 'track'), ({readyState}) => readyState === 'ended');
				assert.equal(track.readyState, 'ended');
			}
		});
	});
}
