/** The rules of consent in real browsers, on a real portal: what is remembered, and pages that try to get more. */
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {before, describe} from 'node:test';
import {took} from '../tools/times.js';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, press, reload, say, shows, until} = await import('./lib/own.js');
const {probe, probed, untilProbe, useFixture} = await import('./lib/fixture.js');

/** @typedef {import('puppeteer-core').Page} Page */

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: consent`, () => {
		const fixture = useFixture({kind, incognito: true}, {withdraws: true});
		/** One of the extension's own pages. @type {Page} */
		let own;
		before(async () => {
			own = await fixture.browser.openOwn('ui/options.html');
		});

		/** @param {'ask' | 'allow' | 'block'} consent */
		const choose = (consent) =>
			own.evaluate(
				(origin, c) => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).storage.local.set({sites: {[origin]: {consent: c}}}),
				fixture.site.origin,
				consent,
			);

		/** @param {object} message */
		const tell = (message) => say(own, message);

		/** What outlives the browser: the extension's choices, and the host's file. @returns {Promise<{local: any, file: string}>} */
		async function kept() {
			const local = await own.evaluate(() => (/** @type {any} */ (globalThis).browser ?? /** @type {any} */ (globalThis).chrome).storage.local.get(null));
			const file = join(String(process.env.XDG_STATE_HOME), 'portlight/grants');
			return {local, file: await readFile(file, 'utf8').catch(() => '')};
		}

		/** A page of the test's site that the user has clicked into. @param {string} [path] */
		async function touched(path) {
			const page = await fixture.page(path);
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

		/** A frame of another origin. @param {string} allow @param {string} [sandbox] */
		async function framed(allow, sandbox) {
			const inner = `${fixture.elsewhere.origin}/pages/probe.html`;
			const page = await fixture.page(`/pages/framed.html?${new URLSearchParams({inner, allow, ...(sandbox && {sandbox})})}`);
			const frame = await (await page.waitForSelector('iframe'))?.contentFrame();
			assert(frame);
			return frame;
		}

		turn('an allowed site is restored without a dialog, shows itself, and is asked again once revoked', async () => {
			await choose('allow');
			const page = await touched();
			await fixture.share(page);
			// Another source is asked for, although this one is kept.
			await fixture.desktop.willAnswer('deny');
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			await fixture.stop(page);
			const {grants} = await tell({type: 'grants'});
			assert.equal(grants.at(-1).origin, fixture.site.origin);

			await fixture.desktop.willAnswer('ignore');
			await page.mouse.click(600, 400);
			const {sourceId} = await probe(page, 'ask');
			assert.equal(await fixture.desktop.dialogs(), 0);
			await fixture.redeemed(page, sourceId);
			const [share] = await tell({type: 'shares'});
			assert.deepEqual([share.restored, share.origin], [true, fixture.site.origin]);
			assert.notEqual(share.title, '');
			const notices = () =>
				own.evaluate(async () => {
					const {browser, chrome} = /** @type {any} */ (globalThis);
					return Object.keys(await (browser ?? chrome).notifications.getAll());
				});
			// This desktop has no place for notifications: when Firefox drops from its list what wasn't shown is its affair.
			const shown = [`restored ${share.key}`];
			kind === 'chromium' && assert.deepEqual(await notices(), shown);

			// A second one while the first is live is asked for.
			await page.mouse.click(600, 400);
			await fixture.dialog(page);
			await fixture.declined();
			await tell({type: 'stop', key: share.key});
			await fixture.assertEnded(page);
			kind === 'chromium' && assert.deepEqual(await notices(), shown, 'it can still be read');

			// As a person does it, in the settings.
			assert.equal((await kept()).file.includes(fixture.site.origin), true);
			const button = `[aria-label="Revoke what ${new URL(fixture.site.origin).host} remembers"]`;
			await reload(own);
			await until(own, (selector) => document.querySelector(selector) !== null, button);
			await press(own, button);
			await until(own, (selector) => document.querySelector(selector) === null, button);
			assert.equal((await kept()).file.includes(fixture.site.origin), false);
			await page.mouse.click(600, 400);
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError', 'the user was asked');
			await fixture.assertNothingLeft();
		});

		turn('a private window: nothing of it is kept, and it is stopped like any other', async () => {
			await choose('allow');
			const {local} = await kept();
			const page = await fixture.browser.openPrivate(fixture.site.url('/pages/probe.html'), own);
			fixture.pages.push(page);
			await untilProbe(page);
			await page.mouse.click(600, 400);
			await fixture.share(page);
			const [share, ...others] = await tell({type: 'shares'});
			assert.deepEqual([share.origin, share.restored, others], [fixture.site.origin, false, []]);
			if (kind === 'firefox') {
				const popup = await fixture.browser.popupOfPrivate(own);
				fixture.pages.push(popup);
				await askUntil(() => popup.evaluate(() => document.querySelector('#site:not([hidden])') !== null));
				await press(popup, '#site > summary');
				await until(popup, shows, '#site-private');
				const locked = await popup.evaluate(() => [...document.querySelectorAll('#site-choices :is(select, input)')].map((one) => /** @type {any} */ (one).disabled));
				assert.deepEqual(locked, [true, true, true]);
				await until(popup, shows, '.share .danger');
				await press(popup, '.share .danger');
			} else {
				await tell({type: 'stop', key: share.key});
			}
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();

			await fixture.dialog(page);
			await fixture.declined();
			const now = await kept();
			assert.deepEqual([now.local, now.file.includes(fixture.site.origin)], [local, false]);
		});

		turn('an allowed site that nobody touched is asked about', async () => {
			await choose('allow');
			const page = await touched();
			await fixture.granted(page);
			await page.close();
			await fixture.desktop.willAnswer('ignore');
			// What tests have a page do counts as touching it; so it asks by itself.
			const alone = await fixture.browser.open(`${fixture.site.origin}/pages/probe.html?ask`);
			await fixture.desktop.untilDialogs(1);
			await alone.close();
			await fixture.desktop.untilDialogs(0);
		});

		turn('a frame of an allowed site opens the dialog, which names both: the click may be meant for the page that hides it', async () => {
			await choose('allow');
			const page = await touched();
			await fixture.granted(page);
			await page.close();
			await fixture.desktop.willAnswer('ignore');
			const inner = `${fixture.site.origin}/pages/probe.html?clicked`;
			const around = await fixture.page(`/pages/framed.html?${new URLSearchParams({inner})}`, fixture.elsewhere.origin);
			await fixture.frame(around);
			await around.mouse.click(100, 100);
			await fixture.desktop.untilDialogs(1);
			const [site, top] = [fixture.site, fixture.elsewhere].map(({origin}) => new URL(origin).host);
			const [{site: name, tabId}] = await tell({type: 'asking'});
			assert.equal(name, `${site}, in a frame of ${top}`);
			await tell({type: 'decline', tabId});
			await fixture.desktop.untilDialogs(0);
		});

		turn('a tab that is hidden opens no dialog before it is shown', async () => {
			await fixture.desktop.willAnswer('ignore');
			const page = await fixture.page();
			const other = await fixture.page(undefined, fixture.elsewhere.origin);
			const answer = probe(page, 'ask');
			answer.catch(() => {}); // The page is closed.
			const before = await fixture.desktop.tell('asked');
			await fixture.granted(other); // What was asked before would have its dialog by now.
			assert.equal(await fixture.desktop.tell('asked'), before + 1);
			await fixture.desktop.willAnswer('ignore');
			await page.bringToFront();
			await fixture.desktop.untilDialogs(1);
		});

		turn('a blocked site gets no dialog', async () => {
			await choose('block');
			await fixture.desktop.willAnswer('ignore');
			const page = await touched();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			assert.deepEqual(fixture.ours.now().hosts, [], 'nobody was asked');
			assert.equal(await fixture.desktop.dialogs(), 0);
		});

		turn('a frame of another origin needs the permissions policy, and a sandboxed one an origin', async () => {
			await fixture.desktop.willAnswer('ignore');
			for (const [allow, sandbox] of [['camera'], ['display-capture', 'allow-scripts']]) {
				assert.equal(await ask(await framed(allow, sandbox)), 'PermissionDeniedError');
			}
			assert.deepEqual(fixture.ours.now().hosts, [], 'nobody was asked');
			await fixture.desktop.willAnswer('screen');
			const {sourceId} = await ask(await framed('camera; display-capture'));
			assert.match(sourceId, /^portlight:/);
		});

		turn('a page that floods has one dialog, a trickle of answers, and leaves the rest of the browser alone', async () => {
			const page = await fixture.page();
			await fixture.share(page); // Before that, no id of ours is redeemed by anything in the page.
			await probe(page, 'stop');
			const other = await fixture.page(undefined, fixture.elsewhere.origin);
			const before = await fixture.desktop.tell('asked');
			await fixture.desktop.willAnswer('ignore');
			await page.bringToFront();
			await page.evaluate(() => {
				let asked = 0;
				let refused = 0;
				let wrong = 0;
				window.addEventListener('message', ({data}) => (refused += Number(data === 'PermissionDeniedError')));
				const redeem = () => {
					const {port1, port2} = new MessageChannel();
					port2.onmessage = ({data}) => (wrong += Number(data.code === 'bad-source-id'));
					const data = {type: 'portlight:redeem', sourceId: 'portlight:x'};
					window.dispatchEvent(new MessageEvent('portlight:heard', {data, ports: [port1], cancelable: true}));
				};
				const flood = () => {
					for (let i = 0; i < 50; i++) {
						window.postMessage('requestScreenSourceId', '*');
						asked++;
						redeem();
					}
				};
				Object.assign(window, {flooding: setInterval(flood, 50), counts: () => ({asked, refused, wrong})});
			});
			await fixture.desktop.untilDialogs(1);
			await slowestOf(() => other.evaluate(() => 1), () => tell({type: 'shares'}));
			const counts = () => page.evaluate(() => /** @type {any} */ (window).counts());
			await askUntil(counts, ({wrong}) => wrong > 50);
			assert.equal(await fixture.desktop.dialogs(), 1);
			await fixture.declined();
			await fixture.desktop.willAnswer('ignore');
			// The user's answer is the first; the second comes without one.
			const {asked, refused} = await askUntil(counts, (told) => told.refused >= 2);
			assert.equal(await fixture.desktop.tell('asked'), before + 1);
			assert.equal(refused < asked / 5, true, `${refused} of ${asked} requests were answered`);
			await page.evaluate(() => clearInterval(/** @type {any} */ (window).flooding));
			await page.bringToFront();
			await page.mouse.click(600, 400);
			// What answers the flood's last request is no answer to this one.
			const insist = async () => {
				while ((await probe(page, 'ask')) === 'PermissionDeniedError') {
					// Again.
				}
			};
			insist().catch(() => {}); // The page is closed.
			await fixture.desktop.untilDialogs(1);
			await page.close();
			await fixture.desktop.untilDialogs(0);
		});

		turn('a page that was refused gets no other dialog by itself, whatever it does', async () => {
			await fixture.desktop.willAnswer('deny');
			const page = await fixture.browser.open(fixture.site.url('/pages/hostile.html'));
			fixture.pages.push(page);
			// It is not looked at before it is through: what tests have a page do counts as touching it.
			/** @param {string} name @param {Page} [of] */
			const asked = (name, of = page) =>
				new Promise((resolve) => of.on('console', (said) => said.text() === `asked ${name}` && resolve(name)));
			const [first, added] = [asked('click 1'), asked('added')];
			await page.mouse.click(600, 600);
			const findOpened = async () => (await fixture.browser.browser.pages()).find((one) => one.url().endsWith('?opened'));
			const opened = await askUntil(findOpened);
			assert(opened);
			await page.bringToFront(); // What it opened hides it, so nobody may have been asked by this click.
			await first;
			for (const click of ['click 2', 'click 3']) {
				const refused = asked(click);
				await page.mouse.click(600, 600);
				await refused;
			}
			await fixture.desktop.willAnswer('ignore');
			await added;
			const answered = asked('opened', opened);
			await opened.bringToFront();
			await answered;
			const through = asked('reloaded');
			await page.bringToFront();
			let over = false;
			void through.then(() => (over = true));
			await askUntil(async () => over || (await fixture.desktop.dialogs()) > 0);
			assert.equal(await fixture.desktop.dialogs(), 0);
			const names = ['click 1', 'click 2', 'click 3', 'itself', 'sibling', 'navigated', 'added', 'opened', 'reloaded'];
			const answers = await page.evaluate(() => JSON.parse(String(localStorage.getItem('answers'))));
			assert.deepEqual(answers, Object.fromEntries(names.map((name) => [name, 'PermissionDeniedError'])));
			fixture.pages.push(opened);
		});

		turn('a frame without an address of its own is of the page around it', async () => {
			const page = await fixture.page();
			for (const attributes of [{}, {src: 'about:blank'}, {srcdoc: '<p>A frame</p>'}]) {
				const element = await page.evaluateHandle((given) => {
					const frame = document.createElement('iframe');
					Object.entries({allow: 'display-capture', ...given}).forEach(([name, value]) => frame.setAttribute(name, value));
					const loaded = new Promise((resolve) => frame.addEventListener('load', () => resolve(frame)));
					document.body.append(frame);
					return loaded;
				}, attributes);
				const frame = await /** @type {any} */ (element).contentFrame();
				await fixture.desktop.willAnswer('screen');
				const {sourceId} = await ask(frame);
				assert.match(sourceId, /^portlight:/, JSON.stringify(attributes));
			}
		});

		turn('a source id is worth nothing to the document that took the place of the one it was given to', async () => {
			const page = await fixture.page();
			const id = await fixture.granted(page);
			await page.reload();
			await untilProbe(page);
			const late = await probe(page, 'redeem', id);
			assert.equal(late.ok, false);
			await fixture.assertNothingLeft();
		});

		/** A share, while which the page is left; and back to the page. @param {Page} page */
		async function shareLeaveReturn(page) {
			await fixture.share(page);
			await page.goto(fixture.site.url('/examples/share.html'));
			await fixture.assertNothingLeft();
			// A page that a browser kept is not loaded again, which page.goBack() would wait for.
			await page.evaluate(() => history.back());
			await askUntil(() => page.evaluate(() => location.pathname === '/pages/probe.html' && 'probe' in window).catch(() => false));
		}

		turn('a page that is left and come back to has lost its share, and may ask again', async () => {
			const page = await fixture.page();
			await shareLeaveReturn(page);
			await fixture.share(page);
			await fixture.stop(page);
		});

		turn('a page that comes out of the cache of such pages saw the end of its share', async () => {
			const page = await fixture.page();
			// Now and then a browser loads it again.
			await askUntil(async () => {
				await shareLeaveReturn(page);
				return probed(page, 'persisted');
			});
			await fixture.assertEnded(page);
		});
	});
}

/**
 * Tells the longest that any of these took, each asked so often.
 * @param {...(() => Promise<unknown>)} asks
 */
async function slowestOf(...asks) {
	let slowest = 0;
	for (let times = 20; times > 0; times--) {
		for (const ask of asks) {
			const began = performance.now();
			await ask();
			slowest = Math.max(slowest, performance.now() - began);
		}
	}
	took('slowest answer beside a page that floods', slowest);
}
