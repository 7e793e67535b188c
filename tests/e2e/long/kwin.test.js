/** A window of KDE's desktop, restored as what the user chose before: its dialog lets no program choose. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {before, describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

const installed = spawnSync('sh', ['-c', 'command -v kwin_wayland']).status === 0;
if (!installed) {
	test('KWin', {skip: 'kwin_wayland is not installed. Remedy: packaging/install-deps kde'});
} else {
	await insideDesktop(import.meta.url, ['--shell', 'kwin']);
	const {probe, useFixture} = await import('../lib/fixture.js');
	const {askUntil} = await import('../lib/own.js');

	const TITLE = 'Portlight marker';

	describe('KWin, Firefox', () => {
		const fixture = useFixture({kind: 'firefox'});
		/** One of the extension's own pages. @type {import('puppeteer-core').Page} */
		let own;
		before(async () => {
			own = await fixture.browser.openOwn('ui/options.html');
		});

		/** The user let this site share the marker's window again without a dialog. */
		async function remembered() {
			await own.evaluate(
				(origin) => /** @type {any} */ (globalThis).browser.storage.local.set({sites: {[origin]: {consent: 'allow'}}}),
				fixture.site.origin,
			);
			const token = await fixture.desktop.tell('restore-token', TITLE);
			const folder = join(String(process.env.XDG_STATE_HOME), 'portlight');
			await mkdir(folder, {recursive: true, mode: 0o700});
			const now = Math.floor(Date.now() / 1000);
			const grant = [fixture.site.origin, 'window', now, now, token].join('\t');
			await writeFile(join(folder, 'grants'), `portlight-grants 1 1\n${grant}\n`, {mode: 0o600});
		}

		/** A page that shares the marker's window. @param {string} cursor */
		async function sharing(cursor) {
			await remembered();
			const page = await fixture.page('/pages/api.html');
			await page.mouse.click(600, 400);
			const {ok, error} = await probe(page, 'request', {cursor});
			assert.equal(error, undefined);
			assert.match(ok.id, /^portlight:/);
			await fixture.plays(page);
			assert.deepEqual(await fixture.desktop.tell('dialogs'), {open: 0, answered: 0}, 'nobody was asked');
			return page;
		}

		for (const cursor of ['always', 'never', 'send']) {
			test(`a window is restored and read, cursor: ${cursor}`, async () => {
				const page = await sharing(cursor);
				await fixture.gap(page, 3);
				const {ok: source} = await probe(page, 'tell', 'source');
				assert.equal(source.surface, 'window');
				await probe(page, 'stop');
				await fixture.assertNothingLeft();
			});
		}

		test('a window is resized and closed', async () => {
			const page = await sharing('always');
			const first = await fixture.moves(page);
			const before = await fixture.desktop.tell('window', 'activate', TITLE);
			await fixture.desktop.tell('window', 'resize', TITLE, before.width - 160, before.height - 120);
			const near = (/** @type {number} */ side, /** @type {number} */ wanted) => Math.abs(side - wanted) <= 2;
			const smaller = (/** @type {any} */ {width, height}) => near(width, first.width - 160) && near(height, first.height - 120);
			await askUntil(() => fixture.moves(page), smaller);
			await fixture.desktop.tell('window', 'close', TITLE);
			const [ended] = await askUntil(() => probe(page, 'heard', 'ended'), (events) => events.length > 0);
			assert.equal(ended.code, 'source-gone');
			await fixture.assertNothingLeft();
			await fixture.desktop.tell('start', 'marker');
		});

		test('the user declines', async () => {
			const page = await fixture.page();
			await fixture.desktop.willAnswer('deny');
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			await fixture.assertNothingLeft();
		});
	});
}
