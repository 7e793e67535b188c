/** The rules of consent in real browsers, on a real portal: what is remembered, and pages that try to get more. */
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, press, reload, shows, until} = await import('./lib/own.js');
const {startServer} = await import('./lib/server.js');
const {assertReal, Bench, probe, probed} = await import('./lib/suite.js');

/** @typedef {import('puppeteer-core').Page} Page */

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind}: consent`, () => {
		const bench = new Bench({kind, incognito: true});
		/** One of the extension's own pages. @type {Page} */
		let own;
		/** A site of its own for each test, so that none inherits another's refusals. @type {Awaited<ReturnType<typeof startServer>>} */
		let site;
		before(async () => {
			await bench.open();
			assert(bench.browser);
			own = await bench.browser.openOwn('ui/options.html');
		});
		after(() => bench.close());
		beforeEach(async () => {
			site = await startServer();
		});
		afterEach(async () => {
			await bench.tidy();
			await site.close();
			await bench.desktop.mendPortal();
		});

		/** @param {'ask' | 'allow' | 'block'} consent */
		const choose = (consent) =>
			own.evaluate(
				(origin, c) => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).storage.local.set({sites: {[origin]: {consent: c}}}),
				site.origin,
				consent,
			);

		/** @param {object} message @returns {Promise<any>} */
		const tell = (message) =>
			own.evaluate((m) => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).runtime.sendMessage(m), message);

		/** What outlives the browser: the extension's choices, and the host's file. @returns {Promise<{local: any, file: string}>} */
		async function kept() {
			const local = await own.evaluate(() => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).storage.local.get(null));
			const file = join(String(process.env.XDG_STATE_HOME), 'portlight/grants');
			return {local, file: await readFile(file, 'utf8').catch(() => '')};
		}

		/** A page of the test's site that the person has clicked into. @param {string} [path] */
		async function touched(path) {
			const page = await bench.page(path, site.origin);
			await page.mouse.click(600, 400);
			return page;
		}

		/** What a frame is answered, in which no module of ours may run. @param {import('puppeteer-core').Frame} frame @returns {Promise<any>} */
		const ask = (frame) =>
			frame.evaluate(
				() =>
					new Promise((resolve) => {
						window.addEventListener('message', ({data}) => data !== 'requestScreenSourceId' && resolve(data));
						window.postMessage('requestScreenSourceId', '*');
					}),
			);

		/** @param {Page} page @param {string} id */
		async function play(page, id) {
			assert.deepEqual(await probe(page, 'redeem', id), {ok: true, tracks: ['video live']});
			assertReal(await probe(page, 'play'));
		}

		/** A frame of another origin. @param {string} allow @param {string} [sandbox] */
		async function framed(allow, sandbox) {
			const inner = `${bench.elsewhere?.origin}/pages/probe.html`;
			const page = await bench.page(`/pages/framed.html?${new URLSearchParams({inner, allow, ...(sandbox && {sandbox})})}`, site.origin);
			const frame = await (await page.waitForSelector('iframe'))?.contentFrame();
			assert(frame);
			return frame;
		}

		test('an allowed site is restored without a dialog, shows itself, and is asked again once revoked', async () => {
			await choose('allow');
			const page = await touched();
			await play(page, await bench.granted(page));
			// Another source is asked for, although this one is kept.
			await bench.desktop.willAnswer('deny');
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			await probe(page, 'stop');
			await bench.assertNothingLeft();
			const {grants} = await tell({type: 'grants'});
			assert.equal(grants.at(-1).origin, site.origin);

			await bench.desktop.willAnswer('ignore');
			await page.mouse.click(600, 400);
			const {sourceId} = await probe(page, 'ask');
			assert.equal(await bench.desktop.dialogs(), 0);
			await play(page, sourceId);
			const [share] = await tell({type: 'shares'});
			assert.deepEqual([share.restored, share.origin], [true, site.origin]);
			assert.notEqual(share.title, '');
			const notices = () =>
				own.evaluate(async () => {
					const {browser, chrome} = /** @type {any} */ (globalThis);
					return Object.keys(await (browser ?? chrome).notifications.getAll());
				});
			// Firefox keeps no list of what this desktop, which has no place for notifications, did not show.
			const shown = kind === 'chromium' ? [`restored ${share.key}`] : [];
			assert.deepEqual(await notices(), shown);

			// A second one while the first is live is asked for.
			await page.mouse.click(600, 400);
			void probe(page, 'ask').catch(() => {});
			await bench.desktop.untilDialogs(1);
			await bench.desktop.willAnswer('deny');
			await bench.desktop.untilDialogs(0);
			await tell({type: 'stop', key: share.key});
			await bench.assertEnded(page);
			assert.deepEqual(await notices(), shown, 'it can still be read');

			// As a person does it, in the settings.
			assert.equal((await kept()).file.includes(site.origin), true);
			const button = `[aria-label="Revoke what ${new URL(site.origin).host} remembers"]`;
			await reload(own);
			await until(own, (selector) => document.querySelector(selector) !== null, button);
			await press(own, button);
			await until(own, (selector) => document.querySelector(selector) === null, button);
			assert.equal((await kept()).file.includes(site.origin), false);
			await page.mouse.click(600, 400);
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError', 'the person was asked');
			await bench.assertNothingLeft();
		});

		test('a private window: nothing of it is kept, and it is stopped like any other', async () => {
			await choose('allow');
			const {local} = await kept();
			assert(bench.browser);
			const page = await bench.browser.openPrivate(site.url('/pages/probe.html'), own);
			bench.pages.push(page);
			await page.waitForFunction(() => 'probe' in window);
			await page.mouse.click(600, 400);
			await play(page, await bench.granted(page));
			const [share, ...others] = await tell({type: 'shares'});
			assert.deepEqual([share.origin, share.restored, others], [site.origin, false, []]);
			if (kind === 'firefox') {
				const popup = await bench.browser.popupOfPrivate(own);
				bench.pages.push(popup);
				await until(popup, shows, '#site-private');
				const locked = await popup.evaluate(() => ['consent', 'display-media'].map((id) => /** @type {any} */ (document.getElementById(id)).disabled));
				assert.deepEqual(locked, [true, true]);
				await until(popup, shows, '.share .danger');
				await press(popup, '.share .danger');
			} else {
				await tell({type: 'stop', key: share.key});
			}
			await bench.assertEnded(page);
			await bench.assertNothingLeft();

			await bench.desktop.willAnswer('ignore');
			void probe(page, 'ask').catch(() => {});
			await bench.desktop.untilDialogs(1);
			await bench.desktop.willAnswer('deny');
			await bench.desktop.untilDialogs(0);
			const now = await kept();
			assert.deepEqual([now.local, now.file.includes(site.origin)], [local, false]);
		});

		test('an allowed site that nobody touched is asked about', async () => {
			await choose('allow');
			const page = await touched();
			await bench.granted(page);
			await page.close();
			await bench.desktop.willAnswer('ignore');
			// What tests have a page do counts as touching it; so it asks by itself.
			const alone = await bench.browser?.open(`${site.origin}/pages/probe.html?ask`);
			await bench.desktop.untilDialogs(1);
			await alone?.close();
			await bench.desktop.untilDialogs(0);
		});

		test('a blocked site gets no dialog', async () => {
			await choose('block');
			await bench.desktop.willAnswer('ignore');
			const page = await touched();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			assert.deepEqual(bench.ours.now().hosts, [], 'nobody was asked');
			assert.equal(await bench.desktop.dialogs(), 0);
		});

		test('a frame of another origin needs the permissions policy, and a sandboxed one an origin', async () => {
			await bench.desktop.willAnswer('ignore');
			for (const frame of [await framed('camera'), await framed('display-capture', 'allow-scripts')]) {
				assert.equal(await ask(frame), 'PermissionDeniedError');
			}
			assert.deepEqual(bench.ours.now().hosts, [], 'nobody was asked');
			await bench.desktop.willAnswer('screen');
			const {sourceId} = await ask(await framed('camera; display-capture'));
			assert.match(sourceId, /^portlight:/);
		});

		test('a page that floods has one dialog, a trickle of answers, and leaves the rest of the browser alone', async () => {
			const page = await bench.page('/pages/probe.html', site.origin);
			await bench.share(page); // Before that, no id of ours is redeemed by anything in the page.
			await probe(page, 'stop');
			const other = await bench.page();
			await bench.desktop.willAnswer('ignore');
			await page.evaluate(() => {
				let wrong = 0;
				const redeem = () => {
					const {port1, port2} = new MessageChannel();
					port2.onmessage = ({data}) => (wrong += Number(data.code === 'bad-source-id'));
					window.postMessage({type: 'portlight:redeem', sourceId: 'portlight:x'}, '*', [port1]);
				};
				const flood = () => {
					for (let i = 0; i < 50; i++) {
						window.postMessage('requestScreenSourceId', '*');
						redeem();
					}
				};
				Object.assign(window, {flooding: setInterval(flood, 50), wrong: () => wrong});
			});
			await bench.desktop.untilDialogs(1);
			const slowest = await slowestOf(() => other.evaluate(() => 1), () => tell({type: 'shares'}));
			assert.equal(slowest < 2500, true, `the browser took ${Math.round(slowest)} ms`);
			const wrong = await page.evaluate(() => /** @type {any} */ (window).wrong());
			assert.equal(wrong > 50, true, `${wrong} ids that are nobody's were refused`);
			assert.equal(await bench.desktop.dialogs(), 1);
			await bench.desktop.willAnswer('deny');
			await bench.desktop.untilDialogs(0);
			const denied = performance.now();
			await bench.desktop.willAnswer('ignore');
			await sleep(1000); // Two seconds after the refusal it may.
			assert.equal(await bench.desktop.dialogs(), 0, 'it is not asked again');
			const refusals = () =>
				page.evaluate(() => /** @type {any} */ (window).probe.messages.filter((/** @type {any} */ m) => m === 'PermissionDeniedError').length);
			const count = Number(await askUntil(refusals, (answers) => answers >= 2));
			const seconds = (performance.now() - denied) / 1000;
			// Four a second, and what was answered while the dialog closed.
			assert.equal(count >= 2 && count < 4 * seconds + 14, true, `${count} answers in ${seconds.toFixed(1)} s`);
			await page.evaluate(() => clearInterval(/** @type {any} */ (window).flooding));
			await page.bringToFront();
			await page.mouse.click(600, 400);
			// What answers the flood's last request is no answer to this one.
			void askUntil(() => probe(page, 'ask'), (answer) => answer !== 'PermissionDeniedError').catch(() => {});
			await bench.desktop.untilDialogs(1);
			await page.close();
			await bench.desktop.untilDialogs(0);
		});

		test('a page that was refused gets no other dialog by itself, whatever it does', async () => {
			await bench.desktop.willAnswer('deny');
			assert(bench.browser);
			const page = await bench.browser.open(site.url('/pages/hostile.html'));
			bench.pages.push(page);
			// It is not looked at before it is through: what tests have a page do counts as touching it.
			/** @param {string} name */
			const asked = (name) =>
				new Promise((resolve) => page.on('console', (said) => said.text() === `asked ${name}` && resolve(name)));
			for (const click of ['click 1', 'click 2']) {
				const answered = asked(click);
				await page.mouse.click(600, 600);
				await answered;
			}
			const through = asked('loaded-anew');
			await bench.desktop.willAnswer('ignore');
			await Promise.race([through, bench.desktop.untilDialogs(1)]);
			assert.equal(await bench.desktop.dialogs(), 0);
			const names = ['click 1', 'click 2', 'itself', 'sibling', 'navigated', 'added', 'opened', 'loaded-anew'];
			const answers = await page.evaluate(() => JSON.parse(String(localStorage.getItem('answers'))));
			assert.deepEqual(answers, Object.fromEntries(names.map((name) => [name, 'PermissionDeniedError'])));
			for (const other of await bench.browser.browser.pages()) {
				if (other.url().endsWith('?opened')) {
					bench.pages.push(other);
				}
			}
		});

		test('a source id is worth nothing to the document that took the place of the one it was given to', async () => {
			const page = await bench.page('/pages/probe.html', site.origin);
			const id = await bench.granted(page);
			await page.reload();
			await page.waitForFunction(() => 'probe' in window);
			const late = await probe(page, 'redeem', id);
			assert.deepEqual([late.ok, late.name], [false, 'NotAllowedError']);
			await bench.assertNothingLeft();
		});

		test('a page that is left and come back to has lost its share, and may ask again', async (t) => {
			const page = await bench.page('/pages/probe.html', site.origin);
			await bench.share(page);
			await page.goto(`${site.origin}/examples/share.html`);
			await bench.assertNothingLeft();
			await page.goBack();
			await page.waitForFunction(() => 'probe' in window);
			const persisted = await probed(page, 'persisted');
			// Which it is the browser decides: Firefox, as a driver starts it, loads pages anew, and Chromium now and then.
			t.diagnostic(persisted ? 'the page came from the cache' : 'the browser loaded the page anew');
			if (persisted) {
				await bench.assertEnded(page);
			}
			await bench.share(page);
			await probe(page, 'stop');
			await bench.assertNothingLeft();
		});
	});
}

/**
 * The longest that any of these took, asked for two seconds.
 * @param {...(() => Promise<unknown>)} asks
 */
async function slowestOf(...asks) {
	let slowest = 0;
	for (const end = performance.now() + 2000; performance.now() < end; ) {
		for (const ask of asks) {
			const began = performance.now();
			await ask();
			slowest = Math.max(slowest, performance.now() - began);
		}
	}
	return slowest;
}
