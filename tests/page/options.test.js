/** The page of settings in a real page, with the real background behind it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { errors } from '../../extension/shared/errors.js';
import { hostFails, hostIs, manage, manifest, MARK, openOwn, refresh, startBackground, text, toHost, world } from './lib/background.js';
import { assertKeyboard, assertTranslated, Pages, plain, shows, tabTo, until } from './lib/pages.js';

/** @type {Pages} */
let pages;
before(async () => {
	pages = await Pages.start();
	await startBackground(pages.origin);
	await pages.browser.browser.defaultBrowserContext().overridePermissions(pages.origin, ['clipboard-read', 'clipboard-sanitized-write']);
});
after(async () => {
	await refresh();
	await pages.close();
});
beforeEach(() => refresh());
afterEach(() => pages.tidy());

/** The page, when all of it is there. */
async function open({ hash = '', ...how } = {}) {
	const page = await openOwn(pages, `/ui/options.html${hash}`, how);
	await until(page, () => document.querySelector('#health .good, #health .bad') && document.querySelector('#shortcut').textContent);
	return page;
}

const announced = (page, words) => until(page, (wanted) => document.querySelector('#announce').textContent === wanted, words);
/** Does something of which the page says that it is saved. */
async function saving(page, act) {
	await page.evaluate(() => (document.querySelector('#announce').textContent = ''));
	await act();
	await announced(page, text('saved'));
}
const valueOf = (page, selector) => page.$eval(selector, ({ value }) => value);
const health = (page) => page.$$eval('#health li', (items) => items.map(({ innerText }) => innerText.trim().replace(/\s*\n\s*/g, '\n')));
const kept = () => world.kept.local;
/** Without what is known of the host. */
const chosen = () => ({ ...kept(), host: undefined });

test('the defaults are shown, changed and kept', async () => {
	const page = await open();
	const values = () => page.$$eval('#defaults select', (selects) => selects.map(({ value }) => value));
	assert.deepEqual(await values(), ['always', '30', '0', 'motion']);
	assert.deepEqual(await page.$$eval('[name=maxFps] option', (options) => options.map((one) => one.text)), ['15', '30', '60'].map((fps) => text('defaultFpsMost', fps)));
	for (const [name, value] of [['cursor', 'never'], ['maxFps', '15'], ['maxHeight', '720'], ['fidelity', 'text']]) {
		await saving(page, () => page.select(`[name=${name}]`, value));
	}
	assert.deepEqual(chosen(), { 'default:cursor': 'never', 'default:maxFps': 15, 'default:maxHeight': 720, 'default:fidelity': 'text', host: undefined });
	const other = await open();
	assert.deepEqual(await other.$$eval('#defaults select', (selects) => selects.map(({ value }) => value)), ['never', '15', '720', 'text']);
});

test('what was saved is said for a moment', async () => {
	const page = await open();
	await saving(page, () => page.select('[name=cursor]', 'never'));
	await page.evaluate(() => window.passTime(2500));
	assert.equal(await page.evaluate(() => document.querySelector('#announce').textContent), '');
});

test('what one page of settings changes, another shows at once', async () => {
	world.more = ['desktopCapture'];
	const [one, other] = [await open(), await open()];
	await other.select('[name=maxHeight]', '1080');
	await other.click('[name=capture][value=native]');
	await one.bringToFront();
	await until(one, () => document.querySelector('[name=maxHeight]').value === '1080' && document.querySelector('[value=native]').checked);
});

test("whose dialog opens is chosen by the arrow keys, where the browser has its own", async () => {
	assert.equal(await (await open()).evaluate(shows, '#capture-card'), '');
	world.more = ['desktopCapture'];
	const page = await open();
	assert.equal(await valueOf(page, '[name=capture]:checked'), 'auto');
	await tabTo(page, '[name=capture]');
	for (const [key, path] of [['Down', 'chooser'], ['Down', 'native'], ['Up', 'chooser'], ['Up', 'auto']]) {
		await saving(page, () => page.keyboard.press(`Arrow${key}`));
		assert.deepEqual([await valueOf(page, '[name=capture]:checked'), kept().capturePath], [path, path]);
	}
	assert.equal(await page.evaluate(shows, '#capture-managed'), '');
});

test('pages made for other extensions are answered, until one switch says no', async () => {
	const page = await open();
	assert.equal(await page.$eval('#other-extensions', ({ checked }) => checked), true);
	await tabTo(page, '#other-extensions');
	await saving(page, () => page.keyboard.press('Space'));
	assert.deepEqual(chosen(), { otherExtensions: false, host: undefined });
});

test('what the organization decides is shown and stays', async () => {
	manage({ nativePath: 'forced', dialects: false, blockedSites: ['https://bad.example'] });
	kept().sites = { 'https://bad.example': { consent: 'allow' }, 'https://good.example': { consent: 'allow' } };
	world.more = ['desktopCapture'];
	const page = await open();
	for (const note of ['#capture-managed', '#others-managed', '#sites li > p.quiet']) {
		assert.equal(await page.evaluate(shows, note), text('managed'));
	}
	assert.deepEqual(await page.$$eval('[name=capture]', (inputs) => inputs.map((one) => [one.checked, one.disabled])), [[false, true], [false, true], [true, true]]);
	assert.deepEqual(await page.$eval('#other-extensions', (one) => [one.checked, one.disabled]), [false, true]);
	assert.deepEqual(await page.$$eval('#sites select', (selects) => selects.map((one) => [one.value, one.disabled])), [['block', true], ['allow', false]]);
	assert.equal((await page.$$('#sites li > p.quiet')).length, 1);
	assert.ok((await health(page)).includes(text('policy', 'nativePath, dialects, blockedSites')));
});

test("where nothing may be remembered, no site can be given that", async () => {
	manage({ remember: false });
	kept().sites = { 'https://a.example': { consent: 'ask' } };
	const page = await open();
	assert.equal(await page.$eval('#sites option[value=allow]', ({ disabled }) => disabled), true);
});

test('sites are listed by name; what is chosen for one is kept', async () => {
	kept().sites = { 'https://b.example': { consent: 'block' }, 'https://a.example:8443': { consent: 'ask', displayMedia: true } };
	const page = await open();
	assert.deepEqual(await page.$$eval('#sites .name', (names) => names.map(({ innerText, title }) => [innerText, title])), [
		['a.example:8443', 'https://a.example:8443'],
		['b.example', 'https://b.example'],
	]);
	assert.deepEqual(await page.$$eval('#sites select', (selects) => selects.map(({ value }) => value)), ['ask', 'block']);
	await saving(page, () => page.select('#sites li:last-child select', 'allow'));
	await tabTo(page, '#sites li:last-child summary');
	await page.keyboard.press('Enter');
	for (const name of ['displayMedia', 'legacy']) {
		await tabTo(page, `#sites li:last-child [name=${name}]`);
		await saving(page, () => page.keyboard.press('Space'));
	}
	assert.deepEqual(kept().sites['https://b.example'], { consent: 'allow', displayMedia: true, legacy: true });
});

test('sites are forgotten by the keyboard; the focus goes on to what took their place', async () => {
	kept().sites = Object.fromEntries(['a', 'b', 'c'].map((name) => [`https://${name}.example`, { consent: 'block' }]));
	const page = await open();
	await tabTo(page, '#sites li:nth-child(2) .forget');
	const label = () => page.evaluate(() => document.activeElement.ariaLabel);
	const left = (count) => until(page, (wanted) => document.querySelectorAll('#sites li').length === wanted && document.activeElement !== document.body, count);
	await page.keyboard.press('Enter');
	await left(2);
	assert.equal(await label(), text('forgetSite', 'c.example'));
	await page.keyboard.press('Enter');
	await left(1);
	assert.equal(await label(), text('forgetSite', 'a.example'));
	await page.keyboard.press('Enter');
	await left(0);
	assert.equal(await page.evaluate(() => document.activeElement.id), 'sites-heading');
	assert.equal(await page.evaluate(shows, '#sites-none'), text('sitesNone'));
	assert.deepEqual(kept().sites, {});
});

test('a site that is no longer allowed is forgotten by the host too', async () => {
	kept().sites = { 'https://a.example': { consent: 'allow' } };
	const page = await open();
	await page.click('#sites .forget');
	await until(page, shows, '#sites-none');
	await until(page, () => document.activeElement.id === 'sites-heading');
	assert.deepEqual(toHost('revoke').map(({ origin }) => origin), ['https://a.example']);
});

test('the site that the settings were opened for comes first, with the focus, known or not', async () => {
	kept().sites = { 'https://a.example': { consent: 'block' }, 'https://b.example': { consent: 'block' } };
	const page = await open({ hash: '#https://new.example/room' });
	const names = () => page.$$eval('#sites .name', (all) => all.map(({ innerText }) => innerText));
	assert.deepEqual(await names(), ['new.example', 'a.example', 'b.example']);
	assert.equal(await page.evaluate(() => document.activeElement === document.querySelector('#sites select')), true);
	await page.evaluate(() => (location.hash = '#https://b.example'));
	await until(page, () => document.querySelector('#sites .name').innerText === 'b.example');
	assert.deepEqual(await names(), ['b.example', 'a.example']);
	await page.evaluate(() => (location.hash = '#javascript:alert(1)'));
	await until(page, () => document.querySelector('#sites .name').innerText === 'a.example');
});

const GRANTS = ['https://a.example', 'https://b.example'].map((origin, index) => ({
	origin,
	since: Date.UTC(2026, 0, 2, 12),
	lastUsed: Date.UTC(2026, 2, 4, 12),
	surface: index ? 'window' : 'monitor',
}));

/** The lines of what the host remembers, under the sites they belong to. */
const remembered = (page) => page.$$eval('#sites li', (items) => items.map((item) => [item.dataset.origin, item.querySelector('.grant p')?.innerText ?? '']));

test('what the host remembers is a line of its site, and revoked there or forgotten with it', async () => {
	kept().sites = { 'https://a.example': { consent: 'allow' }, 'https://c.example': { consent: 'ask' } };
	const grants = [...GRANTS];
	hostIs({}, {
		grants: () => ({ grants: [...grants] }),
		revoke: ({ origin }) => grants.splice(grants.findIndex((one) => one.origin === origin), 1) && {},
	});
	const page = await open();
	await until(page, () => document.querySelectorAll('.grant').length === 2);
	const words = (surface) => text('grantWords', text(surface), 'Jan 2, 2026', 'Mar 4, 2026');
	assert.deepEqual(await remembered(page), [
		['https://a.example', words('surfaceMonitor')],
		['https://c.example', ''],
		['https://b.example', words('surfaceWindow')],
	]);
	await tabTo(page, '.grant button');
	assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), text('revokeSite', 'a.example'));
	await page.keyboard.press('Enter');
	await announced(page, text('revoked'));
	await until(page, () => document.activeElement.matches('li:first-child select'));
	await tabTo(page, 'li:last-child .forget');
	await page.keyboard.press('Enter');
	await until(page, () => document.querySelectorAll('#sites li').length === 2);
	assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), text('forgetSite', 'c.example'));
	assert.deepEqual([grants, (await remembered(page)).map(([, line]) => line)], [[], ['', '']]);
});

test('what could not be revoked is said, and stays', async () => {
	hostIs({}, {
		grants: () => ({ grants: GRANTS }),
		revoke: ({ id }, host) => host.postMessage({ type: 'error', id, code: 'state-unusable' }),
	});
	const page = await open();
	await until(page, () => document.querySelector('.grant'));
	await page.click('.grant button');
	await announced(page, errors['state-unusable'].message);
	await page.evaluate(() => (document.querySelector('#announce').textContent = ''));
	await page.click('.forget');
	await announced(page, errors['state-unusable'].message);
	world.silent = true;
	await page.click('.grant button');
	await announced(page, text('backgroundSilent'));
	assert.equal((await page.$$('.grant')).length, 2);
});

test('Firefox is asked in the click that lets a site remember, and what it has been refused is named', async () => {
	world.manifest.browser_specific_settings = { gecko: { data_collection_permissions: { optional: ['browsingActivity'] } } };
	world.forbidden = ['browsingActivity'];
	world.agrees = false;
	kept().sites = { 'https://a.example': { consent: 'ask' } };
	manage({ allowedSites: ['https://b.example'] });
	const page = await open();
	await page.select('#sites select', 'allow');
	await announced(page, text('rememberRefused'));
	assert.deepEqual([await valueOf(page, '#sites select'), kept().sites['https://a.example'].consent], ['ask', 'ask']);
	world.agrees = true;
	world.asked = [];
	await page.click('#health .remedy');
	await until(page, () => document.activeElement.id === 'check');
	assert.deepEqual(world.asked, [['permissions.request', { data_collection: ['browsingActivity'] }]]);
	await saving(page, () => page.select('#sites select', 'allow'));
	assert.equal(kept().sites['https://a.example'].consent, 'allow');
});

test('the shortcut is shown, and changed where the browser lets it be changed', async () => {
	const page = await open();
	assert.equal(await page.$eval('#shortcut kbd', ({ innerText }) => innerText), 'Alt+Shift+0');
	await page.click('#shortcut-change');
	await page.evaluate(() => window.chrome.commands.getAll());
	assert.deepEqual(world.asked, [['tabs.create', { url: 'chrome://extensions/shortcuts' }]]);
	world.shortcut = '';
	world.asked = [];
	world.more = ['commands.openShortcutSettings'];
	const firefox = await open();
	assert.equal(await firefox.evaluate(shows, '#shortcut'), text('shortcutNone'));
	await firefox.click('#shortcut-change');
	await firefox.evaluate(() => window.chrome.commands.getAll());
	assert.deepEqual(world.asked, []);
});

test('where all is well, each part is named', async () => {
	const page = await open();
	assert.deepEqual(await health(page), [
		text('hostReady', '1.2.3'),
		text('portalReady', '4'),
		text('pipewireReady'),
		text('codecs', 'VP9, VP8, VP9 4:4:4'),
	]);
	assert.equal((await page.$$('#health .state:not(.good)')).length, 0);
});

const broken = (code) => plain(`${errors[code].message}\n${errors[code].remedy}`);

test('each part that is broken is named, with its remedy', async () => {
	for (const [how, words] of [
		[() => hostFails(), broken('host-missing')],
		[() => hostIs({ version: '0.9.0' }), `${text('versionSkew', '1.2.3', '0.9.0')}\n${text('versionSkewRemedy')}`],
		[() => hostIs({ portal: 3 }), text('portalOld', '3')],
		[() => hostIs({ portal: 0 }), broken('portal-missing')],
		[() => hostIs({ pipewire: false }), plain(`${text('pipewireMissing')}\n${text('pipewireRemedy')}`)],
		[() => (world.kept.session.failure = { code: 'session-closed', message: 'It closed.', remedy: 'Ask again.' }), `${text('lastFailure')}: It closed.\nAsk again.`],
		[() => (world.silent = true), `${text('backgroundSilent')}\n${text('backgroundSilentRemedy')}`],
	]) {
		await refresh();
		how();
		const page = await open();
		assert.ok((await health(page)).includes(words), `${words} in ${await health(page)}`);
		await pages.tidy();
	}
});

test('a browser that decodes nothing is named', async () => {
	const page = await open({ before: (own) => own.evaluateOnNewDocument(() => delete window.VideoDecoder) });
	assert.ok((await health(page)).includes(broken('no-decoder')));
});

test('a diagnosis that fails itself says so', async () => {
	const page = await open({
		before: (own) => own.evaluateOnNewDocument(() => (VideoDecoder.isConfigSupported = () => Promise.reject(new Error('no')))),
	});
	assert.deepEqual(await health(page), [`${text('backgroundSilent')}\n${text('backgroundSilentRemedy')}`]);
});

test('sites that the browser keeps the extension out of are let in by a click', async () => {
	world.forbidden = [manifest.host_permissions[0]];
	const page = await open();
	await tabTo(page, '#health button');
	await page.keyboard.press('Enter');
	await until(page, () => document.activeElement.id === 'check');
	assert.deepEqual(world.asked, [['permissions.request', { origins: manifest.host_permissions }]]);
	assert.equal((await page.$$('#health .bad')).length, 0);
});

test('it looks again when asked, and when the access to sites changed', async () => {
	const page = await open();
	hostFails();
	await page.click('#check');
	await until(page, () => document.querySelector('#health .bad'));
	hostIs();
	for (const [name, wanted] of [['onAdded', '.good'], ['onRemoved', '.bad']]) {
		await page.evaluate((event) => window.chrome.permissions[event].emit({}), name);
		await until(page, (kind) => document.querySelector('#health li .state')?.matches(kind), wanted);
		hostFails();
	}
});

test('the report is copied, and names no address', async () => {
	world.kept.session.failure = { code: 'session-closed', message: 'a', remedy: 'b', detail: 'at https://secret.example/room' };
	kept().otherExtensions = false;
	world.forbidden = manifest.host_permissions.slice(0, 1);
	const page = await open();
	await tabTo(page, '#copy');
	await page.keyboard.press('Enter');
	await announced(page, text('copied'));
	const report = await page.evaluate(() => navigator.clipboard.readText());
	for (const line of [
		'Portlight',
		'extension: 1.2.3 (protocol 1)',
		'host: 1.2.3 (protocol 1)',
		'portal: ScreenCast 4',
		'pipewire: true',
		'codecs: vp9 vp8 vp9-444',
		'capture: auto',
		'own capture API: no',
		'site access: not to all',
		'pages for other extensions: not answered',
		'policy: none',
		'live shares: 0',
		'last failure: session-closed: at (address)',
	]) {
		assert.ok(report.split('\n').includes(line), `${line} in ${report}`);
	}
	assert.doesNotMatch(report, /secret|:\/\//);
});

test('a report of what is not there says that, and a copy that fails does too', async () => {
	hostFails();
	const page = await open();
	await page.evaluate(() => (navigator.clipboard.writeText = async (words) => {
		window.copied = words;
		throw new DOMException('no', 'NotAllowedError');
	}));
	await page.click('#copy');
	await announced(page, text('copyFailed'));
	assert.match(await page.evaluate(() => window.copied), /^host: host-missing: .*\n(.*\n)*portal: -\npipewire: -/m);
	world.silent = true;
	await page.click('#copy');
	await until(page, () => /^host: no answer from the background\n(.*\n)*live shares: -$/m.test(window.copied));
});

/** A page with something in every list. */
async function full(how) {
	kept().sites = { 'https://b.example': { consent: 'block' }, 'https://a.example': { consent: 'allow' } };
	manage({ blockedSites: ['https://b.example'] });
	world.forbidden = [manifest.host_permissions[0]];
	world.more = ['desktopCapture'];
	hostIs({ portal: 3 }, { grants: () => ({ grants: GRANTS }) });
	const page = await open(how);
	await until(page, () => document.querySelectorAll('.grant').length === 2);
	await page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
	return page;
}

test('everything has a name, and the keyboard comes to all of it in order', async () => {
	const page = await full();
	assert.ok((await assertKeyboard(page)) > 18);
});

test('every text is from _locales', async () => {
	const page = await full({ marked: true });
	assert.ok((await assertTranslated(page, MARK, /^(https:\/\/)?([ab]\.example|Alt\+Shift\+0)$/)) > 50);
});
