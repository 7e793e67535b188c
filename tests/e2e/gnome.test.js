import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, describe, test} from 'node:test';
import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'gnome', '--size', '1280x800']);
const {askUntil} = await import('./lib/own.js');
const {assertReal, Bench, probe} = await import('./lib/suite.js');

const title = 'Portlight marker';

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`GNOME Shell, ${kind}`, () => {
		const bench = new Bench({kind});
		const {desktop} = bench;
		before(() => bench.open());
		after(() => bench.close());
		afterEach(() => bench.tidy());

		/** @returns {Promise<{title: string, x: number, y: number, width: number, height: number}>} */
		const markerWindow = async () =>
			(await desktop.tell('window', 'list')).find((/** @type {{title: string}} */ w) => w.title === title);

		/**
		 * Waits until the page's frames have another size, and reads the marker from one.
		 * @param {import('puppeteer-core').Page} page
		 * @param {(size: {width: number, height: number}) => boolean} right
		 */
		async function sampleOfSize(page, right) {
			const end = performance.now() + 5000;
			for (;;) {
				const sample = await page.evaluate(() => /** @type {any} */ (window).probe.watch.next(3000));
				assertReal(sample);
				if (right(sample)) {
					return sample;
				}
				assert.equal(performance.now() < end, true, `frames are still ${sample.width} x ${sample.height}`);
			}
		}

		test('one window is shared, moved, resized and closed', async () => {
			const page = await bench.page();
			await bench.share(page, 'window');
			const {settings, label} = await probe(page, 'track');
			assert.equal(settings.displaySurface, 'window');
			assert.match(label, /window/);
			const before = await markerWindow();
			const first = await sampleOfSize(page, () => true);
			assert.equal(first.width < 1280 && first.height < 800, true, 'the window, not the screen');

			await desktop.tell('window', 'move', title, before.x + 64, before.y + 48);
			await sleep(500);
			const moved = await sampleOfSize(page, () => true);
			assert.deepEqual([moved.width, moved.height], [first.width, first.height]);

			await desktop.tell('window', 'resize', title, before.width - 160, before.height - 120);
			const near = (/** @type {number} */ side, /** @type {number} */ wanted) => Math.abs(side - wanted) <= 2;
			const resized = await sampleOfSize(page, ({width, height}) => near(width, first.width - 160) && near(height, first.height - 120));
			const track = await askUntil(() => probe(page, 'track'), ({settings: {width}}) => width === resized.width);
			assert.equal(track.settings.width, resized.width, "the track's settings follow");

			await desktop.tell('window', 'close', title);
			await bench.assertEnded(page, 3000);
			await bench.assertNothingLeft();
			await desktop.tell('start', 'marker');
		});

		test('the cross in the top bar ends the share', async () => {
			const page = await bench.sharing();
			await desktop.tell('stop-share');
			await bench.assertEnded(page);
			await bench.assertNothingLeft();
		});

		test('two shares at once, and one ends alone', async () => {
			const [one, other] = [await bench.page(), await bench.page()];
			await bench.share(one);
			await bench.share(other, 'window');
			assert.equal(bench.ours.now().captures.length, 2);
			await probe(one, 'stop');
			const {left} = await bench.ours.gone(1000, ['captures']);
			assert.equal(left.length, 1, 'the other goes on');
			assertReal(await other.evaluate(() => /** @type {any} */ (window).probe.watch.next(3000)));
			await probe(other, 'stop');
			await bench.assertNothingLeft();
		});
	});
}
