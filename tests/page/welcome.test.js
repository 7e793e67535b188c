/** The page of the first run in a real page, with the real background behind it and a scripted host behind that. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { errors } from '../../extension/shared/errors.js';
import { chrome, lastHost } from '../js/fake.js';
import { ask, hostFails, hostIs, manifest, MARK, openOwn, refresh, startBackground, text, toHost, world } from './lib/background.js';
import { encodeClip } from './lib/in-page.js';
import { assertKeyboard, assertTranslated, Pages, plain, shows, tabTo, until } from './lib/pages.js';

/** @type {Pages} */
let pages;
/** Four pictures. @type {object[]} */
let clip;
before(async () => {
	pages = await Pages.start();
	await startBackground(pages.origin);
	await pages.browser.browser.defaultBrowserContext().overridePermissions(pages.origin, ['clipboard-read', 'clipboard-sanitized-write']);
	const page = await pages.open('/blank.html');
	clip = await page.evaluate(encodeClip, { colors: Array(4).fill('#0000ff'), width: 640, height: 360 });
	await pages.tidy();
});
after(async () => {
	await refresh();
	await pages.close();
});
beforeEach(() => refresh());
afterEach(() => pages.tidy());

const open = (how) => openOwn(pages, '/ui/welcome.html', how);
const passTime = (page, ms) => page.evaluate((time) => window.passTime(time), ms);
const textOf = (page, selector) => page.evaluate((at) => document.querySelector(at).textContent, selector);
const marks = (page) => page.$$eval('.steps > li', (steps) => steps.map(({ className }) => className));
/** All that was asked of the background is answered. */
const settled = (page) => page.evaluate(() => window.chrome.runtime.sendMessage({ type: 'shares' }));

/** The page, its host found. */
async function openReady(how) {
	const page = await open(how);
	await until(page, shows, '#step-portal.good');
	return page;
}

/** One whose test is shared, up to the host's answer. */
async function sharing(how) {
	const page = await openReady(how);
	await page.click('#test');
	await until(page, shows, '#test-stop');
	const opened = await hostHeard('open');
	return { page, id: opened.share };
}

/** Waits until the host is asked this. */
async function hostHeard(type) {
	while (toHost(type).length === 0) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	return toHost(type).at(-1);
}

const send = (id, frames) => frames.forEach((frame) => lastHost().postMessage({ ...frame, share: id }));
const state = async (page, kind, words) => assert.equal(await until(page, shows, `#test-state.${kind}`), words);

test('without a host it says how to install one, and looks again, ever more seldom, until it is there', async () => {
	hostFails();
	const page = await open();
	assert.equal(await until(page, shows, '#step-host.bad #host'), errors['host-missing'].message);
	assert.match(await page.evaluate(shows, '#packages'), /sudo apt install \.\/portlight_\*\.deb\s[^]*sudo dnf install \.\/portlight-\[0-9\]\*\.rpm \.\/webext-portlight-\*\.rpm/);
	assert.equal(await page.evaluate(shows, '#source'), '');
	await page.click('#install summary');
	assert.match(await until(page, shows, '#source'), /make && sudo make install\s[^]*make && build\/bin\/portlight install/);
	assert.deepEqual(await marks(page), ['bad', '', '']);
	assert.equal(await textOf(page, '#portal'), text('stepLater'));
	assert.equal(await page.evaluate(shows, '#host-remedy'), '');
	assert.equal(await page.$eval('#test', ({ disabled }) => disabled), true);
	const looks = async (ms) => {
		world.toHost = [];
		await passTime(page, ms);
		await settled(page);
		await settled(page);
		return toHost('hello').length;
	};
	await settled(page);
	assert.deepEqual([await looks(2999), await looks(1), await looks(5999), await looks(1), await looks(11_999), await looks(1)], [0, 1, 0, 1, 0, 1]);
	hostIs();
	await passTime(page, 24_000);
	assert.equal(await until(page, shows, '#step-portal.good #portal'), text('portalReady', '4'));
	assert.equal(await textOf(page, '#host'), text('hostReady', '1.2.3'));
	assert.deepEqual(await marks(page), ['good', 'good', '']);
	assert.equal(await page.evaluate(shows, '#install'), '');
	assert.equal(await page.$eval('#test', ({ disabled }) => disabled), false);
	await settled(page);
	assert.equal(await looks(120_000), 0, 'what is there is not looked for');
});

test('the commands are copied by the keyboard', async () => {
	hostFails();
	const page = await open();
	await until(page, shows, '#install');
	await tabTo(page, '#packages button');
	await page.keyboard.press('Enter');
	await until(page, (words) => document.querySelector('#announce').textContent === words, text('copied'));
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'sudo apt install ./portlight_*.deb');
	await passTime(page, 2500);
	assert.equal(await textOf(page, '#announce'), '');
	await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error('no'))));
	await page.keyboard.press('Space');
	await until(page, (words) => document.querySelector('#announce').textContent === words, text('copyFailed'));
});

test('what else may be wrong is said at its step', async () => {
	const { message, remedy } = errors['host-unusable'];
	for (const [how, step, words, more] of [
		[() => hostFails('Failed to start native messaging host.'), 'host', message, remedy],
		[() => (world.silent = true), 'host', text('backgroundSilent'), text('backgroundSilentRemedy')],
		[() => hostIs({ portal: 0 }), 'portal', errors['portal-missing'].message, errors['portal-missing'].remedy],
		[() => hostIs({ pipewire: false }), 'portal', text('pipewireMissing'), text('pipewireRemedy')],
	]) {
		await refresh();
		how();
		const page = await open();
		assert.equal(await until(page, shows, `#step-${step}.bad #${step}`), words);
		assert.equal(await page.evaluate(shows, `#${step}-remedy`), plain(more));
		assert.equal(Boolean(await page.evaluate(shows, '#install')), words === message);
		assert.equal(await page.$eval('#test', ({ disabled }) => disabled), true);
		await pages.tidy();
	}
});

test('a page that nobody sees does not look; it does at once when the user is back', async () => {
	hostFails();
	const page = await open();
	await until(page, shows, '#step-host.bad');
	const hide = (hidden) => page.evaluate((now) => {
		Object.defineProperty(document, 'hidden', { configurable: true, value: now });
		document.dispatchEvent(new Event('visibilitychange'));
	}, hidden);
	await hide(true);
	hostIs();
	world.toHost = [];
	await passTime(page, 120_000);
	await settled(page);
	assert.deepEqual(world.toHost, []);
	await hide(false);
	await until(page, shows, '#step-portal.good');
	await page.evaluate(() => window.dispatchEvent(new Event('focus')));
	await settled(page);
	assert.equal(toHost('hello').length, 1);
});

test('the test shows what is shared, until it is stopped; all by the keyboard', async () => {
	const page = await openReady();
	await tabTo(page, '#test');
	await page.keyboard.press('Enter');
	await state(page, 'asking', text('testAsking'));
	assert.equal(await page.evaluate(() => document.activeElement.id), 'test-stop');
	const { share } = await hostHeard('open');
	assert.equal(await page.evaluate(shows, '#test-picture'), '');
	send(share, clip);
	await state(page, 'good', text('testWorks'));
	assert.ok(await page.evaluate(shows, '#test-picture'));
	await until(page, () => Number(document.querySelector('canvas').dataset.pictures) === 4);
	const [red, , blue] = await page.$eval('canvas', (canvas) => [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data]);
	assert.ok(blue > 200 && red < 60);
	assert.deepEqual(await marks(page), ['good', 'good', 'good']);
	await page.keyboard.press('Space');
	await state(page, 'quiet', text('testDone'));
	assert.equal(await page.evaluate(() => document.activeElement.id), 'test');
	assert.equal(await page.evaluate(shows, '#test-picture'), '');
	await hostHeard('stop');
	assert.deepEqual(await ask({ type: 'shares' }), []);
});

test('a test that the user ends elsewhere is over; one that breaks says why', async () => {
	const first = await sharing();
	await ask({ type: 'stop-all' });
	await state(first.page, 'quiet', text('testDone'));
	await pages.tidy();
	const { page, id } = await sharing();
	lastHost().postMessage({ type: 'ended', share: id, code: 'pipewire-lost' });
	const { message, remedy } = errors['pipewire-lost'];
	await state(page, 'bad', `${message} ${remedy}`);
	assert.deepEqual(await marks(page), ['good', 'good', 'bad']);
});

test('a person who says no is not told that it failed; the rest is', async () => {
	for (const [code, kind, words] of [
		['denied', 'quiet', errors.denied.message],
		['portal-error', 'bad', `${errors['portal-error'].message} ${errors['portal-error'].remedy}`],
	]) {
		hostIs({}, { share: ({ id }, host) => host.postMessage({ type: 'error', id, code }) });
		const page = await openReady();
		await page.click('#test');
		await state(page, kind, words);
		assert.equal(await page.evaluate(() => document.activeElement.id), 'test');
		await pages.tidy();
	}
});

test('a test that is given up in the dialog closes it', async () => {
	hostIs({}, { share: () => undefined });
	const page = await openReady();
	await page.click('#test');
	await hostHeard('share');
	await page.click('#test-stop');
	await state(page, 'quiet', text('testDone'));
	await hostHeard('cancel');
});

test('a background that goes away ends the test', async () => {
	let background;
	const note = (port) => (background = port);
	chrome.runtime.onConnect.addListener(note);
	hostIs({}, { share: () => undefined });
	const page = await openReady();
	await page.click('#test');
	await hostHeard('share');
	background.disconnect();
	background.onDisconnect.emit(background); // What is left of it here is to know, too.
	const { message, remedy } = errors['host-crashed'];
	await state(page, 'bad', plain(`${message} ${remedy}`));
	chrome.runtime.onConnect.removeListener(note);
});

test('a browser that decodes nothing says so', async () => {
	const page = await openReady({ before: (own) => own.evaluateOnNewDocument(() => delete window.VideoDecoder) });
	await page.click('#test');
	const { message, remedy } = errors['no-decoder'];
	await state(page, 'bad', plain(`${message} ${remedy}`));
	await hostHeard('stop');
});

test('so does one that can not decode these pictures', async () => {
	const { page, id } = await sharing();
	// Each time it asks for a keyframe, which is no better.
	for (let seq = 0; !(await page.evaluate(shows, '#test-state.bad')); seq++) {
		send(id, [{ ...clip[0], seq, data: 'AAAA' }]);
		await settled(page);
	}
	const { message, remedy } = errors['decoder-failed'];
	await state(page, 'bad', `${message} ${remedy}`);
	await hostHeard('stop');
});

test('what the toolbar and the browser keep from the user is told, and sites are let in by a click', async () => {
	const fine = await openReady();
	await settled(fine);
	assert.deepEqual([await fine.evaluate(shows, '#pin'), await fine.evaluate(shows, '#access')], ['', '']);
	world.pinned = false;
	world.forbidden = [manifest.host_permissions[0]];
	const page = await openReady();
	assert.equal(await until(page, shows, '#pin'), text('pinHint'));
	assert.ok((await until(page, shows, '#access')).startsWith(text('accessMissing')));
	world.asked = [];
	await page.click('#allow');
	await until(page, () => document.querySelector('#access').hidden);
	assert.deepEqual(world.asked, [['permissions.request', { origins: manifest.host_permissions }]]);
	world.pinned = true;
	await page.evaluate(() => window.dispatchEvent(new Event('focus')));
	await until(page, () => document.querySelector('#pin').hidden);
});

test('the settings are opened, and the shortcut is named where there is one', async () => {
	const page = await openReady();
	assert.equal(await textOf(page, '#point-shortcut'), text('pointShortcut', 'Alt+Shift+0'));
	await page.click('#settings');
	await settled(page);
	assert.deepEqual(world.asked, [['openOptionsPage']]);
	world.shortcut = '';
	const other = await openReady();
	await until(other, (words) => document.querySelector('#point-shortcut').textContent === words, text('pointNoShortcut'));
});

test('everything has a name, and the keyboard comes to all of it in order', async () => {
	assert.equal(await assertKeyboard(await openReady()), 2);
	hostFails();
	const page = await open();
	await until(page, shows, '#install');
	assert.equal(await assertKeyboard(page), 4);
});

test('every text is from _locales', async () => {
	for (const [how, seen, least] of [[hostIs, '#step-portal.good', 20], [hostFails, '#install', 25]]) {
		how();
		const page = await open({ marked: true });
		await until(page, shows, seen);
		await until(page, () => document.querySelector('#point-shortcut').textContent);
		const missing = errors['host-missing'].message;
		await page.evaluate(() => document.querySelectorAll('#install code:not(.command code)').forEach((one) => one.replaceWith(one.textContent)));
		await page.evaluate(() => document.body.normalize());
		const data = new RegExp(`^([123]|sudo .*|make && .*|${missing.replace(/[.]/g, '\\.')})$`);
		assert.ok((await assertTranslated(page, MARK, data)) >= least);
		await pages.tidy();
	}
});
