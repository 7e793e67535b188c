/** Twenty shares at once, from tabs of several windows, in both browsers: each is its own, and all of them can be stopped. */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted', '--size', '640x480']);
const {askUntil, say} = await import('../lib/own.js');
const {probe, useFixture} = await import('../lib/fixture.js');

const SHARES = 20;
const WINDOWS = 4;

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: twenty shares`, () => {
		const fixture = useFixture({kind});

		test('at once, in several windows; one ends alone, and Stop all ends the rest', async () => {
			const pages = [];
			for (let i = 0; i < SHARES; i++) {
				const page = await fixture.page('/pages/probe.html', undefined, i % (SHARES / WINDOWS) === 0 ? 'window' : 'tab');
				await page.bringToFront();
				// The machine is to be busy with many shares, not with many pictures.
				const redeemed = await probe(page, 'redeem', await fixture.granted(page), 'promise', {maxFrameRate: 1});
				assert.deepEqual(redeemed, {ok: true, tracks: ['video live']});
				pages.push(page);
			}
			const {hosts, captures} = fixture.ours.now();
			assert.deepEqual([hosts.length, captures.length], [1, SHARES]);
			const own = await fixture.own('ui/popup.html');
			const listed = await say(own, {type: 'shares'});
			assert.equal(new Set(listed.map((/** @type {any} */ share) => share.tabId)).size, SHARES);

			await probe(pages[7], 'stop');
			const rest = async () => [fixture.ours.now().captures.length, (await say(own, {type: 'shares'})).length];
			assert.deepEqual(await askUntil(rest, (counts) => counts.every((count) => count < SHARES)), [SHARES - 1, SHARES - 1]);
			for (const page of pages.filter((_page, i) => i !== 7)) {
				assert.equal((await probe(page, 'track')).readyState, 'live');
			}

			assert.equal((await say(own, {type: 'stop-all'})).ok, true);
			await fixture.assertNothingLeft('nothing left of nineteen shares');
			for (const page of pages) {
				await askUntil(() => probe(page, 'track'), ({readyState}) => readyState === 'ended');
			}
		});
	});
}
