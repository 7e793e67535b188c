/**
 * Browsers whose pages can't decode what the host sends: nobody is asked, and the page and the user are told why. Chromium
 * has no switch that takes WebCodecs away; tests/js/capture.test.js has its part.
 */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {restSuite} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {probe, useFixture} = await import('./lib/fixture.js');
const {say} = await import('./lib/own.js');

/** @type {Record<string, import('./lib/browser.js').Options>} */
const browsers = {
	'firefox without WebCodecs': {kind: 'firefox', prefs: {'dom.media.webcodecs.enabled': false}},
	'firefox that resists fingerprinting, as LibreWolf does': {kind: 'firefox', prefs: {'privacy.resistFingerprinting': true}},
};

for (const [place, [name, options]] of Object.entries(browsers).entries()) {
	(place === 0 ? describe : restSuite)(name, () => {
		const fixture = useFixture(options);

		test('opens no dialog and leaves no host; the page gets the code, the user the remedy', async () => {
			const own = await fixture.own('ui/popup.html');
			const before = await fixture.desktop.tell('asked');
			const page = await fixture.page('/pages/api.html');
			const {error} = await probe(page, 'request', {});
			assert.deepEqual([error.code, error.name], ['no-decoder', 'NotSupportedError']);
			assert.match(error.remedy, /dom\.media\.webcodecs\.enabled/);
			const older = await fixture.page();
			assert.equal(await probe(older, 'ask'), 'PermissionDeniedError');
			assert.equal(await fixture.desktop.tell('asked'), before);
			await fixture.assertNothingLeft();
			const {failure} = await own.evaluate(() => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				return (browser ?? chrome).storage.session.get('failure');
			});
			assert.equal(failure.code, 'no-decoder');
			assert.deepEqual(await say(own, {type: 'shares'}), []);
		});
	});
}
