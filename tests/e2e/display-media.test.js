/** getDisplayMedia by the native path, by the points of the tables in docs/SCREEN-CAPTURE.md. */
import assert from 'node:assert/strict';
import {beforeEach, describe} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {probe, probed, useFixture} = await import('./lib/fixture.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('puppeteer-core').Frame} Frame */

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: getDisplayMedia`, () => {
		const fixture = useFixture({kind, chooser: true});
		beforeEach(() => switched({[fixture.site.origin]: true}));

		/** What the person sets in the popup. @param {Record<string, boolean>} sites by origin */
		async function switched(sites) {
			const own = await fixture.browser.openOwn('ui/options.html');
			await own.evaluate(async (wanted) => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				const {scripting, storage} = browser ?? chrome;
				const chosen = Object.entries(wanted).map(([origin, displayMedia]) => [origin, {displayMedia}]);
				await storage.local.set({sites: Object.fromEntries(chosen)});
				const on = Object.values(wanted).some(Boolean);
				while ((await scripting.getRegisteredContentScripts()).length !== Number(on)) {
					await new Promise((resolve) => setTimeout(resolve, 20));
				}
			}, sites);
			await own.close();
		}

		/** @param {string} [query] @param {string} [origin] */
		const open = (query = '', origin) => fixture.page(`/pages/display.html${query}`, origin);

		/** @param {Page | Frame} page */
		async function click(page) {
			await page.click('#go');
			return probe(page, 'answer');
		}

		/** @param {Page | Frame} page @param {any} [options] @param {string} [controller] */
		async function ask(page, options, controller) {
			await probe(page, 'wish', options, controller);
			return click(page);
		}

		turn('the stream is the real desktop, and its track says so as the text has it', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('screen');
			const constraints = {width: 640, frameRate: {max: 20}};
			const {kinds, name} = await ask(page, {video: constraints, audio: true});
			assert.deepEqual([kinds, name], [['video'], undefined]);
			await fixture.plays(page);
			const {label, settings, constraints: kept} = await probe(page, 'track');
			assert.notEqual(label, '');
			assert.deepEqual([settings.displaySurface, settings.logicalSurface, settings.cursor], ['monitor', true, 'always']);
			assert.deepEqual([settings.width, settings.height, settings.frameRate, settings.resizeMode], [640, 360, 20, 'crop-and-scale']);
			assert.deepEqual(kept, constraints);
			assert.deepEqual(await probed(page, 'messages'), [], "the page's listeners see none of it");
			await fixture.stop(page);
		});

		turn('the track says what it can do', async (t) => {
			const page = await open();
			await fixture.desktop.willAnswer('screen');
			await ask(page, {video: {width: 640}});
			const {capabilities, settings} = await probe(page, 'track');
			if (!capabilities) {
				t.skip('the tracks of this browser have no getCapabilities');
				return;
			}
			assert.deepEqual([capabilities.width.max, capabilities.height.max], [1280, 720]);
			assert.deepEqual(capabilities.aspectRatio, {min: 1280 / 720, max: 1280 / 720});
			assert.deepEqual([capabilities.displaySurface, capabilities.logicalSurface, capabilities.cursor], ['monitor', true, ['always']]);
			assert.deepEqual(capabilities.resizeMode, ['none', 'crop-and-scale']);
			assert.deepEqual([capabilities.deviceId, capabilities.groupId], [settings.deviceId, settings.groupId]);
		});

		turn('constraints that are applied later are kept, or refused and then as before', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('screen');
			await ask(page, {video: true});
			const apply = async (/** @type {any} */ constraints) => {
				const {width, height, resizeMode, refused} = await probe(page, 'apply', constraints);
				return refused ?? [width, height, resizeMode];
			};
			assert.deepEqual(await apply({width: {exact: 640}}), [640, 360, 'crop-and-scale']);
			assert.equal(await apply({width: 320, groupId: {exact: 'other'}}), 'OverconstrainedError groupId');
			assert.deepEqual(await apply({width: 320, resizeMode: 'none'}), [1280, 720, 'none']);
			assert.deepEqual(await apply({advanced: [{width: 640, height: 640}, {width: 640}]}), [640, 360, 'crop-and-scale']);
			assert.deepEqual(await apply(undefined), [1280, 720, 'none']);
			await fixture.plays(page);
		});

		turn('the person declines, and may choose again each time', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('deny');
			assert.equal((await ask(page, null)).name, 'NotAllowedError');
			await fixture.desktop.willAnswer('screen');
			assert.deepEqual((await ask(page, {video: {cursor: 'never'}})).kinds, ['video']);
			assert.equal((await probe(page, 'track')).settings.cursor, 'never');
		});

		turn('nobody clicked', async () => {
			const page = await open('?early');
			assert.equal(await page.evaluate(() => /** @type {any} */ (window).early), 'InvalidStateError');
			assert.equal(await fixture.desktop.dialogs(), 0);
		});

		turn('what the text refuses is refused before anybody is asked', async () => {
			const page = await open();
			await fixture.desktop.willAnswer('ignore');
			for (const [options, name, constraint] of [
				[7, 'TypeError'],
				[{video: false}, 'TypeError'],
				[{video: {advanced: []}}, 'TypeError'],
				[{video: {width: {min: 10}}}, 'TypeError'],
				[{video: {frameRate: {exact: 10}}}, 'TypeError'],
				[{video: {displaySurface: {exact: 'monitor'}}}, 'TypeError'],
				[{audio: {advanced: []}}, 'TypeError'],
				[{video: {width: {max: 0}}}, 'OverconstrainedError', 'width'],
				[{systemAudio: 'maybe'}, 'TypeError'],
			]) {
				const answer = await ask(page, options);
				assert.deepEqual([answer.name, answer.constraint], [name, constraint], JSON.stringify(options));
			}
			assert.equal(await fixture.desktop.dialogs(), 0);
			assert.deepEqual(fixture.ours.now(), {hosts: [], captures: []});
		});

		turn('a controller serves one call', async (t) => {
			const page = await open();
			if (!(await page.evaluate(() => 'CaptureController' in window))) {
				t.skip('this browser has no CaptureController');
				return;
			}
			await fixture.desktop.willAnswer('screen');
			assert.deepEqual((await ask(page, {}, 'new')).kinds, ['video']);
			assert.equal((await ask(page, {}, 'same')).name, 'InvalidStateError');
		});

		turn('a frame of another origin needs the policy', async () => {
			const inner = `${fixture.elsewhere.origin}/pages/display.html`;
			await switched({[fixture.site.origin]: true, [fixture.elsewhere.origin]: true});
			for (const [allow, name] of [['', 'NotAllowedError'], ['display-capture', undefined]]) {
				const page = await fixture.page(`/pages/framed.html?allow=${allow}&inner=${inner}`);
				const frame = await fixture.frame(page);
				await fixture.desktop.willAnswer('screen');
				const answer = await ask(frame, {video: true});
				assert.equal(answer.name, name, `allow="${allow}"`);
				if (!name) {
					await fixture.plays(frame);
				}
				await page.close();
			}
		});

		turn('the function looks like a browser\'s own', async () => {
			const page = await open();
			const {text, ...shape} = await probe(page, 'shape');
			assert.deepEqual(shape, {name: 'getDisplayMedia', length: 0, prototype: false, own: false, globals: []});
			assert.match(text, /^function \w*\(\) \{ \[native code\] \}$/);
			assert.deepEqual(await probe(page, 'misused'), ['TypeError', 'TypeError', 'TypeError']);
		});

		turn('a site that is switched off has the browser\'s own, and so has another of the same host', async () => {
			const page = await open('', fixture.elsewhere.origin);
			const asked = await fixture.desktop.tell('asked');
			await fixture.desktop.willAnswer('screen');
			await probe(page, 'wish', {video: true});
			await page.click('#go');
			// Were the desktop asked for it, it would be so before it is for a page that asks later.
			assert.deepEqual((await ask(await open(), {video: true})).kinds, ['video']);
			assert.equal(await fixture.desktop.tell('asked'), asked + 1, 'one dialog');
			await page.close();
			await switched({[fixture.site.origin]: false});
			const {text} = await probe(await open(), 'shape');
			assert.equal(text, 'function getDisplayMedia() { [native code] }');
		});
	});
}
