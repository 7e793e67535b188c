/** The popup in a real page, with the real background behind it and a scripted host behind that. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { errors } from '../../extension/shared/errors.js';
import { chrome, FakePort, lastHost, sender } from '../js/fake.js';
import { ask, heard, hostFails, hostIs, manage, manifest, MARK, openOwn, refresh, share, startBackground, text, toHost, world } from './lib/background.js';
import { encodeClip } from './lib/in-page.js';
import { assertKeyboard, assertTranslated, Pages, plain, shows, tabTo, until } from './lib/pages.js';

/** @type {Pages} */
let pages;
/** Twelve red pictures. @type {object[]} */
let clip;
before(async () => {
	pages = await Pages.start();
	await startBackground(pages.origin);
	const page = await pages.open('/blank.html');
	clip = await page.evaluate(encodeClip, { colors: Array(12).fill('#ff0000'), width: 640, height: 360 });
	await pages.tidy();
});
after(async () => {
	await refresh();
	await pages.close();
});
beforeEach(() => refresh());
afterEach(() => pages.tidy());

/** A popup; one that closed itself says so. */
const open = (how) => openOwn(pages, '/ui/popup.html', { before: (page) => page.evaluateOnNewDocument(noteClose), ...how });
const noteClose = () => (window.close = () => (window.isClosed = true));
const closed = (page) => until(page, () => window.isClosed);
/** All that was asked of the background is answered. */
const settled = (page) => page.evaluate(() => window.chrome.runtime.sendMessage({ type: 'shares' }));
const passTime = (page, ms) => page.evaluate((time) => window.passTime(time), ms);
const announced = (page, words) => until(page, (wanted) => document.querySelector('#announce').textContent === wanted, words);

test('nothing is shared: it says so, and that the host is ready', async () => {
	const popup = await open();
	assert.equal(await until(popup, shows, '#host-state.good'), text('hostGood', '1.2.3'));
	assert.ok((await until(popup, shows, '#none')).startsWith(text('nothingShared')));
	const hidden = ['#shares', '#failure', '#browser-shares', '#pin', '#access', '#reload'];
	assert.deepEqual(await Promise.all(hidden.map((one) => popup.evaluate(shows, one))), hidden.map(() => ''));
});

test("shares by the browser's own dialog are not listed, which is said where there may be any", async () => {
	world.more = ['desktopCapture'];
	const popup = await open();
	assert.ok(await until(popup, shows, '#browser-shares'));
	world.kept.local.capturePath = 'native';
	const other = await open();
	await until(other, shows, '#host-state.good');
	assert.equal(await other.evaluate(shows, '#browser-shares'), '');
});

test('a share that begins appears with whom, what and how large it is, and its picture', async () => {
	const popup = await open();
	await until(popup, shows, '#none');
	const { id } = await share('https://meet.example');
	assert.match(await until(popup, shows, '.share .words'), /^meet\.example\s+Screen, 640 × 360\s+Live · 0:00$/);
	assert.equal(await popup.$eval('.share .site', (site) => site.title), 'A page\nhttps://meet.example');
	assert.equal(await popup.evaluate(shows, '.share .badge'), '');
	await popup.evaluate(() => {
		const { now } = Date;
		Date.now = () => now() + 3_723_000;
	});
	await passTime(popup, 1000);
	await until(popup, () => document.querySelector('.share .live').textContent.startsWith('Live · 1:02:0'));
	clip.forEach((frame) => lastHost().postMessage({ ...frame, share: id }));
	await until(popup, () => Number(document.querySelector('canvas').dataset.pictures) >= 8);
	const [red, green, blue] = await popup.$eval('canvas', (canvas) => [...canvas.getContext('2d').getImageData(320, 180, 1, 1).data]);
	assert.ok(red > 200 && green < 60 && blue < 60, `${[red, green, blue]}`);
	assert.deepEqual(await popup.$eval('canvas', ({ width, height }) => [width, height]), [640, 360]);
});

test('a large picture is shown smaller; one of another source follows it', async () => {
	hostIs({}, { open: () => ({ codec: 'vp8', width: 1600, height: 900 }) });
	const { track, id } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	const show = async (width, height, seq) => {
		const frames = await popup.evaluate(encodeClip, { colors: ['#00ff00'], width, height, seq });
		lastHost().postMessage({ ...frames[0], share: id });
		return until(popup, (wanted) => document.querySelector('canvas').height === wanted && document.querySelector('canvas').width, Math.round((720 * height) / width));
	};
	assert.equal(await show(1600, 900, 0), 720);
	assert.equal(await show(900, 900, 1), 720);
	await passTime(popup, 1000);
	await until(popup, () => document.querySelector('.share .words').textContent.includes('900 × 900'));
	track.disconnect();
	await until(popup, shows, '#none');
});

test('the region of a share is told', async () => {
	hostIs({ supports: ['vp8', 'region', 'configure'] });
	const { track } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	track.postMessage({ type: 'configure', region: { x: 100, y: 50, width: 320, height: 200 } });
	await settled(popup);
	await passTime(popup, 1000);
	const words = text('surfaceRegion', text('surfaceMonitor'), '640 × 360', '100, 50');
	await until(popup, (wanted) => document.querySelector('.share .words').innerText.includes(wanted), words);
});

test('the picture has its own shape from the start', async () => {
	const { track } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	const shape = () => popup.$eval('canvas', ({ width, height, clientWidth, clientHeight }) => [width / height, clientWidth / clientHeight]);
	for (const ratio of await shape()) {
		assert.ok(Math.abs(ratio - 640 / 360) < 0.02, `${ratio}`);
	}
	track.disconnect();
});

test('what it costs is told to who opens the details, from the second look on', async () => {
	let passed = 0;
	hostIs({}, { stats: () => ({ cpuMs: 0.12 * passed, rssKiB: 49_152, frames: 0, bytes: 0 }) });
	await share();
	const popup = await open();
	await until(popup, shows, '.share');
	await passTime(popup, 1000);
	await settled(popup);
	assert.equal(toHost('stats').length, 0);
	await popup.click('.share summary');
	await settled(popup);
	const figures = () => popup.$eval('.figures', ({ textContent }) => textContent);
	const second = async () => {
		await settled(popup);
		await settled(popup);
		passed += 1000;
		await passTime(popup, 1000);
		await settled(popup);
		await settled(popup);
	};
	await until(popup, (words) => document.querySelector('.figures').textContent === words, text('figures', '0', '0', 'VP8'));
	await second();
	await second();
	await second();
	assert.ok((await figures()).endsWith(text('cost', '12%', '48')), await figures());
});

test('Pause, Resume and Stop by the keyboard; the focus never falls to nothing', async () => {
	const { track } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	await tabTo(popup, '.share .buttons button');
	const label = () => popup.evaluate(() => document.activeElement.ariaLabel);
	assert.equal(await label(), text('pauseShareWith', 'a.example'));
	await popup.keyboard.press('Space');
	await until(popup, shows, '.share.paused');
	await heard(track, 'paused');
	assert.match(await popup.evaluate(shows, '.share .badge'), /Paused/);
	assert.match(await popup.evaluate(shows, '.share .live'), /^Paused · /);
	assert.equal(await label(), text('resumeShareWith', 'a.example'));
	await popup.keyboard.press('Enter');
	await until(popup, shows, '.share:not(.paused)');
	await heard(track, 'resumed');
	await tabTo(popup, '.share .danger');
	assert.equal(await label(), text('stopShareWith', 'a.example'));
	await popup.keyboard.press('Enter');
	await popup.keyboard.press('Enter'); // Twice is once.
	await until(popup, shows, '#none');
	await heard(track, 'ended');
	await announced(popup, text('ended', 'a.example'));
	assert.equal(await popup.evaluate(() => document.activeElement.id), 'settings');
	assert.equal(toHost('stop').length, 1);
});

test('a popup that is opened while a share is paused shows the moment it was paused, dimmed', async () => {
	const { id } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	await popup.click('.share .buttons button');
	await until(popup, shows, '.share.paused');
	lastHost().postMessage({ ...clip[0], share: id });
	const again = await open();
	await until(again, () => document.querySelector('canvas')?.dataset.pictures === '1');
	assert.ok(Number(await again.$eval('canvas', (canvas) => getComputedStyle(canvas).opacity)) < 0.5);
	assert.match(await again.evaluate(shows, '.share .badge'), /Paused/);
});

test('something else is shared from here', async () => {
	const said = [];
	chrome.runtime.onMessage.addListener((message) => void said.push(message));
	await share();
	const popup = await open();
	await until(popup, shows, '.share');
	await tabTo(popup, '.share .another');
	assert.equal(await popup.evaluate(() => document.activeElement.ariaLabel), text('anotherWith', 'a.example'));
	await popup.keyboard.press('Enter');
	await settled(popup);
	const [{ key }] = await ask({ type: 'shares' });
	assert.deepEqual(said.filter(({ type }) => type === 'change'), [{ type: 'change', key }]);
});

test('a page that paused its own share can not be resumed by the user, and is told apart', async () => {
	const { track } = await share();
	const popup = await open();
	await until(popup, shows, '.share');
	track.postMessage({ type: 'pause' });
	assert.match(await until(popup, shows, '.share.paused .live'), /^Paused by the page · /);
	assert.equal(await popup.$eval('.share .buttons button', (button) => button.ariaLabel), text('pauseShareWith', 'a.example'));
});

test('several shares are counted and stopped at once; two of them show their picture', async () => {
	await share('https://a.example', 1);
	await share('https://b.example', 2);
	await share('https://c.example', 3);
	const popup = await open();
	await until(popup, () => document.querySelectorAll('.share').length === 3);
	assert.equal(await popup.evaluate(() => document.querySelectorAll('.share canvas').length), 2);
	await popup.setViewport({ width: 360, height: 600 });
	for (const stop of await popup.$$('.share:nth-child(-n + 2) .danger, #stop-all')) {
		assert.ok(await stop.isIntersectingViewport({ threshold: 1 }), 'no Stop of two is out of sight');
	}
	await popup.click('#stop-all');
	await until(popup, shows, '#none');
	assert.equal(toHost('stop').length, 3);
	assert.equal(await popup.evaluate(shows, '#stop-all'), '');
});

test('one that was restored says so, and a window is called one', async () => {
	hostIs({}, { share: () => ({ share: 1, surface: 'window', width: 640, height: 360, restored: true }) });
	await share();
	const popup = await open();
	assert.match(await until(popup, shows, '.share'), /Window, 640 × 360/);
	assert.ok(await popup.evaluate(shows, '.share p.restored'));
	assert.equal(world.asked.filter(([name]) => name === 'notifications.create').length, 1);
});

test('the name of the site leads to its tab', async () => {
	await share('https://a.example', 5);
	const popup = await open();
	await until(popup, shows, '.share');
	await popup.click('.share .site');
	await closed(popup);
	assert.deepEqual(world.asked, [['tabs.update', 5, { active: true }], ['windows.update', 7, { focused: true }]]);
});

test('Settings opens them and closes the popup', async () => {
	const popup = await open();
	await until(popup, shows, '#none');
	await tabTo(popup, '#settings');
	await popup.keyboard.press('Enter');
	await closed(popup);
	assert.deepEqual(world.asked, [['openOptionsPage']]);
});

test('what this site may do is shown, changed and kept', async () => {
	world.tab.url = 'https://meet.example/room/1';
	const popup = await open();
	assert.ok((await until(popup, shows, '#site')).startsWith(text('siteSettings', 'meet.example')));
	assert.equal(await popup.$eval('#site select', ({ value }) => value), 'ask');
	await popup.select('#site select', 'allow');
	await announced(popup, text('saved'));
	await popup.evaluate(() => (document.querySelector('#announce').textContent = ''));
	assert.equal(await popup.evaluate(shows, '#reload'), '');
	for (const name of ['displayMedia', 'legacy']) {
		await tabTo(popup, `[name=${name}]`);
		await popup.keyboard.press('Space');
		await announced(popup, text('saved'));
		await popup.evaluate(() => (document.querySelector('#announce').textContent = ''));
	}
	const chosen = { consent: 'allow', displayMedia: true, legacy: true };
	assert.deepEqual(world.kept.local.sites, { 'https://meet.example': chosen });
	const again = await open();
	await until(again, shows, '#site');
	const shown = ['#site select', '[name=displayMedia]', '[name=legacy]'];
	assert.deepEqual(await again.evaluate((all) => all.map((one) => document.querySelector(one)).map(({ value, checked }) => checked ?? value), shown), ['allow', true, true]);
	await tabTo(popup, '#reload');
	await popup.keyboard.press('Enter');
	await closed(popup);
	assert.deepEqual(world.asked, [['tabs.reload', 1]]);
});

test('Firefox asks in the click that lets a site remember; who refuses is asked each time', async () => {
	world.manifest.browser_specific_settings = { gecko: { data_collection_permissions: { optional: ['browsingActivity'] } } };
	world.forbidden = ['browsingActivity'];
	const popup = await open();
	await until(popup, shows, '#site');
	await popup.select('#site select', 'allow');
	await announced(popup, text('saved'));
	assert.deepEqual(world.asked.splice(0), [['permissions.request', { data_collection: ['browsingActivity'] }]]);
	assert.equal(world.kept.local.sites['https://a.example'].consent, 'allow');
	world.forbidden = ['browsingActivity'];
	world.agrees = false;
	const other = await open();
	await until(other, shows, '#site');
	assert.equal(await other.$eval('#site select', ({ value }) => value), 'ask', 'what is not agreed to does not hold');
	await other.select('#site select', 'allow');
	await announced(other, text('rememberRefused'));
	assert.equal(await other.$eval('#site select', ({ value }) => value), 'ask');
	assert.equal(world.kept.local.sites['https://a.example'].consent, 'ask');
});

test("a private window's choices can not be kept, and the organization's not be changed", async () => {
	const controls = (page) => page.evaluate(() => [...document.querySelectorAll('#site select, #site input, [value=allow]')].map(({ disabled }) => disabled));
	world.tab.incognito = true;
	const own = await open();
	assert.ok(await until(own, shows, '#site-private'));
	assert.deepEqual(await controls(own), [true, false, true, true]);
	world.tab.incognito = false;
	manage({ blockedSites: ['https://*.example'], remember: false, nativePath: 'off' });
	const popup = await open();
	assert.equal(await until(popup, shows, '#site-managed'), text('managed'));
	assert.deepEqual(await controls(popup), [true, true, true, false]);
	assert.equal(await popup.$eval('#site select', ({ value }) => value), 'block');
});

test('where the toolbar hides the button, how to pin it is told', async () => {
	world.pinned = false;
	assert.equal(await until(await open(), shows, '#pin'), text('pinHint'));
});

test('sites that the browser keeps the extension out of are let in by a click', async () => {
	world.forbidden = [manifest.host_permissions[1]];
	const popup = await open();
	assert.ok((await until(popup, shows, '#access')).startsWith(text('accessMissing')));
	await tabTo(popup, '#allow');
	await popup.keyboard.press('Enter');
	await until(popup, () => document.querySelector('#access').hidden);
	assert.deepEqual(world.asked, [['permissions.request', { origins: manifest.host_permissions }]]);
	await until(popup, () => document.activeElement.id === 'settings');
});

test('a page that could not ask has no choices', async () => {
	for (const url of ['about:blank', undefined]) {
		world.tab = { id: 1, url, incognito: false };
		const popup = await open();
		await until(popup, shows, '#host-state.good');
		assert.equal(await popup.evaluate(shows, '#site'), '');
	}
});

test('who asks is named while the dialog is open, in a frame too, and can be refused here', async () => {
	const cancelled = [];
	hostIs({}, {
		share: () => {}, // The dialog is open.
		cancel: ({ request }, host) => {
			cancelled.push(request);
			host.postMessage({ type: 'error', id: request, code: 'cancelled', message: '', remedy: '' });
		},
	});
	const asks = (...from) => {
		const [near, far] = FakePort.pair('page', sender(...from));
		far.sender.tab.url = 'https://around.example/';
		world.front = from[0];
		chrome.runtime.onConnect.emit(far);
		near.postMessage({ type: 'request' });
		return near;
	};
	const popup = await open();
	await until(popup, shows, '#none');
	const near = asks(1, 5, 'https://framed.example');
	const name = text('siteInFrame', 'framed.example', 'around.example');
	assert.ok((await until(popup, shows, '#asking')).startsWith(text('asks', name)));
	assert.equal(await popup.evaluate(shows, '#none'), '');
	await tabTo(popup, '#asking button');
	assert.equal(await popup.evaluate(() => document.activeElement.ariaLabel), text('cancelSite', name));
	await popup.keyboard.press('Enter');
	assert.equal((await heard(near, 'refused')).code, 'denied');
	await until(popup, () => document.querySelector('#asking').hidden);
	await until(popup, () => document.activeElement.id === 'settings');
	assert.equal(cancelled.length, 1);
});

test('what failed last is told with what to do, until it is dismissed', async () => {
	hostFails();
	const [near, far] = FakePort.pair('page', sender());
	chrome.runtime.onConnect.emit(far);
	near.postMessage({ type: 'request' });
	await heard(near, 'refused');
	const popup = await open();
	const { message, remedy } = errors['host-missing'];
	const words = await until(popup, shows, '#failure');
	assert.ok(words.includes(message) && words.includes(plain(remedy)));
	assert.deepEqual(await popup.$$eval('#failure code', (all) => all.map(({ innerText }) => innerText)), ['make install', 'portlight doctor']);
	await until(popup, () => document.querySelector('#host-state').hidden); // It would say the same.
	await tabTo(popup, '#forgive');
	await popup.keyboard.press('Enter');
	await until(popup, () => document.querySelector('#failure').hidden);
	await until(popup, () => document.activeElement.id === 'settings');
	assert.equal(await until(popup, shows, '#host-state.bad'), message);
	assert.equal(world.kept.session.failure, undefined);
});

test('whatever the host lacks is said', async () => {
	for (const [how, words] of [
		[() => hostFails(), errors['host-missing'].message],
		[() => hostFails('Access to the specified native messaging host is forbidden.'), errors['wrong-caller'].message],
		[() => hostIs({ portal: 0 }), errors['portal-missing'].message],
		[() => hostIs({ portal: 0, portalCode: 'portal-unsupported' }), errors['portal-unsupported'].message],
		[() => hostIs({ pipewire: false }), text('pipewireMissing')],
		[() => hostIs({ protocol: 9 }), errors['version-mismatch'].message],
	]) {
		how();
		const popup = await open();
		assert.equal(await until(popup, shows, '#host-state.bad'), words);
	}
	world.silent = true;
	assert.equal(await until(await open(), shows, '#host-state.bad'), text('backgroundSilent'));
});

test('a portal that is only starting is asked for again', async () => {
	hostIs({ portal: 0, portalCode: 'portal-timeout' });
	const popup = await open();
	await until(popup, shows, '#host-state.bad');
	hostIs();
	await passTime(popup, 3000);
	await until(popup, shows, '#host-state.good');
});

test('so is a host that is slow', async () => {
	let answer = () => {};
	hostIs({}, { hello: ({ id }, host) => void (answer = () => host.postMessage({ type: 'result', id, protocol: 1, version: '1.2.3', supports: [], portal: 4 })) });
	const popup = await open();
	assert.ok(await until(popup, shows, '#host-state.asking'));
	await until(popup, shows, '#host-state.bad');
	answer();
	hostIs();
	await passTime(popup, 3000);
	await until(popup, shows, '#host-state.good');
});

test('everything has a name, and the keyboard comes to all of it in order', async () => {
	await share('https://a.example', 1);
	await share('https://b.example', 2);
	Object.assign(world.kept.session, { failure: { code: 'host-missing', message: 'a', remedy: 'b' } });
	const popup = await open();
	await until(popup, () => document.querySelectorAll('.share').length === 2);
	await until(popup, shows, '#failure');
	await until(popup, shows, '#site');
	await popup.evaluate(() => (document.querySelector('#site').open = true));
	assert.equal(await assertKeyboard(popup), 17);
});

test('every text is from _locales', async () => {
	const { track } = await share();
	track.postMessage({ type: 'pause' });
	const popup = await open({ marked: true });
	await until(popup, shows, '.share.paused');
	await until(popup, shows, '#site');
	await until(popup, shows, '#host-state.good');
	await popup.evaluate(() => [...document.querySelectorAll('details')].forEach((one) => (one.open = true)));
	await until(popup, () => document.querySelector('.figures').textContent);
	assert.ok((await assertTranslated(popup, MARK, /^(Portlight|a\.example|A page\nhttps:\/\/a\.example)$/)) > 15);
});
