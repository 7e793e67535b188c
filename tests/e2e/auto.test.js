/** Whose dialog a request opens in Chromium, which has one of its own: by the session, the wish and the setting. */
import assert from 'node:assert/strict';
import {describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {probe, useFixture} = await import('./lib/fixture.js');

/** @typedef {'the desktop' | 'the browser'} Whose */

for (const session of ['wayland', 'x11']) {
	describe(`Chromium in a session of ${session}`, () => {
		// This switch presses Cancel in the browser's own dialog.
		const fixture = useFixture({kind: 'chromium', chooser: true, env: {XDG_SESSION_TYPE: session, WAYLAND_DISPLAY: ''}, args: ['--auto-reject-capture']});
		const wayland = session === 'wayland';

		/** @param {string} capturePath */
		const choose = (capturePath) => fixture.browser.inBackground((path) => /** @type {any} */ (globalThis).chrome.storage.local.set({capturePath: path}), capturePath);

		/** @param {string} message that a page asks with @param {Whose} whose @param {string} [origin] of that page */
		async function assertAsked(message, whose, origin) {
			const page = await fixture.page(undefined, origin);
			const before = await fixture.desktop.tell('asked');
			await fixture.desktop.willAnswer('deny');
			const answer = page.evaluate(
				(said) =>
					new Promise((resolve) => {
						window.addEventListener('message', ({data}) => data !== said && resolve(data));
						window.postMessage(said, '/');
					}),
				message,
			);
			assert.equal(await answer, 'PermissionDeniedError');
			assert.equal((await fixture.desktop.tell('asked')) - before, whose === 'the desktop' ? 1 : 0, message);
		}

		test('auto: the desktop is asked where the browser would ask it anyway', async () => {
			await choose('auto');
			await assertAsked('requestScreenSourceId', wayland ? 'the desktop' : 'the browser');
		});

		test('auto: for a tab or sound, which only the browser has, the browser is', async () => {
			await assertAsked('audio-plus-tab', 'the browser');
		});

		test('a setting says whose dialog it is', async () => {
			await choose('chooser');
			await assertAsked('requestScreenSourceId', 'the browser');
			await choose('native');
			await assertAsked('audio-plus-tab', 'the desktop', fixture.elsewhere.origin); // This site was refused just now.
			await choose('auto');
		});

		test('auto: the page API has the host in every session, unless the browser is chosen', async () => {
			const page = await fixture.page('/pages/api.html');
			await fixture.desktop.willAnswer('screen');
			assert.equal((await probe(page, 'request', {})).error, undefined);
			await fixture.plays(page);
			await choose('chooser');
			const other = await fixture.page('/pages/api.html');
			assert.equal((await probe(other, 'capabilities')).ok.controls, false);
			// Without an X server there is no dialog of the browser's for sessions of X11.
			assert.equal((await probe(other, 'request', {})).error.code, wayland ? 'denied' : 'chooser-error');
			await choose('auto');
		});
	});
}
