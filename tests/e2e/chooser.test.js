import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'xvfb', '--size', '1920x1080']);
const {probe, probed, useFixture} = await import('./lib/fixture.js');

describe("Chromium's own chooseDesktopMedia", () => {
	const fixture = useFixture({
		kind: 'chromium',
		chooser: true,
		visible: true,
		// Beside the marker, which is at the top left.
		at: {x: 820, y: 10},
		size: {width: 1080, height: 1000},
		// This switch answers the browser's dialog.
		args: ['--auto-select-desktop-capture-source=Entire screen'],
	});

	test('the documented page plays the screen, and no process of ours is left', async () => {
		const page = await fixture.page('/examples/share.html');
		await page.evaluate(() => {
			window.addEventListener('message', ({data}) => data?.sourceId && Object.assign(window, {given: data.sourceId}));
		});
		await page.click('#share');
		await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
		const given = await page.evaluate(() => /** @type {any} */ (window).given);
		assert.equal(given.startsWith('portlight:'), false, "the browser's own source id passes through");
		assert.equal(await page.evaluate(() => document.querySelector('video')?.videoWidth), 1920);
		assert.deepEqual(fixture.ours.now(), {hosts: [], captures: []});
		await page.click('#stop');
	});

	test('the track shows the desktop as it is now', async () => {
		const page = await fixture.page();
		const {sourceId} = await probe(page, 'ask');
		const redeemed = await probe(page, 'redeem', sourceId, 'callback');
		assert.deepEqual(redeemed, {ok: true, tracks: ['video live']});
		await fixture.plays(page);
		const {settings} = await probe(page, 'track');
		assert.equal(settings.displaySurface, 'monitor');
		await probe(page, 'stop');
	});

	test('a second source id is a new one, and both play', async () => {
		const page = await fixture.page();
		const first = (await probe(page, 'ask')).sourceId;
		assert.equal((await probe(page, 'redeem', first)).ok, true);
		const second = (await probe(page, 'ask')).sourceId;
		assert.notEqual(second, first);
		assert.equal((await probe(page, 'redeem', second, 'webkit')).ok, true);
		await fixture.plays(page);
	});

	test('a spent id fails with the browser\'s own error', async () => {
		const page = await fixture.page();
		const {sourceId} = await probe(page, 'ask');
		assert.equal((await probe(page, 'redeem', sourceId)).ok, true);
		const second = await probe(page, 'redeem', sourceId);
		assert.equal(second.ok, false);
		assert.equal(second.isDOMException, true);
	});
});

describe("Chromium's own chooseDesktopMedia, declined", () => {
	// This switch presses the dialog's Cancel.
	const fixture = useFixture({kind: 'chromium', chooser: true, visible: true, args: ['--auto-reject-capture']});

	test('the page gets the one string and nothing else', async () => {
		const page = await fixture.page();
		assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
		// What else is said of the first request comes before the answer to the second.
		assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
		const once = ['requestScreenSourceId', 'PermissionDeniedError'];
		assert.deepEqual(await probed(page, 'messages'), [...once, ...once]);
	});
});
