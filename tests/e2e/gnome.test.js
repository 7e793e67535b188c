import assert from 'node:assert/strict';
import {describe} from 'node:test';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'gnome', '--size', '1280x800']);
const {askUntil} = await import('./lib/own.js');
const {probe, useFixture} = await import('./lib/fixture.js');

const title = 'Portlight marker';

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`GNOME Shell, ${kind}`, () => {
		const fixture = useFixture({kind});
		const {desktop} = fixture;

		/** @returns {Promise<{title: string, x: number, y: number, width: number, height: number}>} */
		const markerWindow = async () =>
			(await desktop.tell('window', 'list')).find((/** @type {{title: string}} */ w) => w.title === title);

		turn('one window is shared, moved, resized and closed', async () => {
			const page = await fixture.page();
			await fixture.share(page, 'window');
			const {settings, label} = await probe(page, 'track');
			assert.equal(settings.displaySurface, 'window');
			assert.match(label, /window/);
			const before = await markerWindow();
			const first = await fixture.moves(page);
			assert.equal(first.width < 1280 && first.height < 800, true, 'the window, not the screen');

			await desktop.tell('window', 'move', title, before.x + 64, before.y + 48);
			await askUntil(markerWindow, ({x, y}) => x === before.x + 64 && y === before.y + 48);
			const moved = await fixture.moves(page);
			assert.deepEqual([moved.width, moved.height], [first.width, first.height]);

			await desktop.tell('window', 'resize', title, before.width - 160, before.height - 120);
			const near = (/** @type {number} */ side, /** @type {number} */ wanted) => Math.abs(side - wanted) <= 2;
			const smaller = (/** @type {any} */ {width, height}) => near(width, first.width - 160) && near(height, first.height - 120);
			const resized = await askUntil(() => fixture.moves(page), smaller);
			await askUntil(() => probe(page, 'track'), ({settings: {width}}) => width === resized.width);

			await desktop.tell('window', 'close', title);
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();
			await desktop.tell('start', 'marker');
		});

		turn('the cross in the top bar ends the share', async () => {
			const page = await fixture.sharing();
			await desktop.tell('stop-share');
			await fixture.assertEnded(page);
			await fixture.assertNothingLeft();
		});

		turn('two shares at once, and one ends alone', async () => {
			const one = await fixture.page();
			await fixture.share(one);
			const other = await fixture.page();
			await fixture.share(other, 'window');
			assert.equal(fixture.ours.now().captures.length, 2);
			await probe(one, 'stop');
			await askUntil(() => fixture.ours.now().captures.length === 1);
			await fixture.moves(other);
			await fixture.stop(other);
		});
	});
}
