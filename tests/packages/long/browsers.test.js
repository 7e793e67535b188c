/**
 * The Debian packages in the browsers that people have: installed, and a page asks. No switch and no preference, and no driver
 * but where a popup is looked at.
 */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import puppeteer from 'puppeteer-core';
import {chromiumId} from '../../e2e/lib/browser.js';
import {Desktop} from '../../e2e/lib/desktop.js';
import {askUntil} from '../../e2e/lib/own.js';
import {root, version} from '../lib/deb.js';
import {deb, install, neighbourDeb, next, nextDeb} from '../lib/debs.js';
import {enterMachine, run, startDesktop} from '../lib/machine.js';
import {Person} from '../lib/person.js';
import {profileOf, welcomed} from '../lib/profile.js';
import {startSite} from '../lib/site.js';

const {host_permissions: sites} = JSON.parse(readFileSync(join(root, 'manifest/extension.json'), 'utf8'));
const WELCOME = /\/ui\/welcome\.html/;

/** @typedef {Awaited<ReturnType<Awaited<ReturnType<typeof startSite>>['visit']>>} Visit */

/** @param {import('../../e2e/lib/browser.js').Kind} kind */
function suite(kind) {
	/** @type {Awaited<ReturnType<typeof startDesktop>>} */
	let machine;
	/** @type {Awaited<ReturnType<typeof startSite>>} */
	let site;
	/** @type {Person} */
	let person;
	/** @type {import('../lib/person.js').OpenBrowser | null} */
	let browser = null;
	const desktop = new Desktop();

	before(async () => {
		machine = await startDesktop();
		site = await startSite();
	});
	after(async () => {
		await site.close();
		await machine.end();
	});
	beforeEach(() => {
		person = new Person(machine.env);
	});
	afterEach(async () => {
		await browser?.end();
		person.leave();
		await desktop.assertAlive();
	});

	/** The person opens the browser. */
	async function open() {
		const loaded = site.visit();
		browser = person.open(kind, site.url('/pages/remote.html'));
		return loaded;
	}

	/** The person closes it. */
	async function close() {
		await browser?.close(() => desktop.tell('key', 'alt+f4'));
		return profileOf(person, kind);
	}

	/**
	 * From the page's question to a picture of the page itself, by one dialog of two clicks.
	 * @param {Visit} page @param {string} [wanted] version of the extension
	 */
	async function share(page, wanted = version) {
		// Until its window is drawn nobody sees the page, and it may not ask.
		await askUntil(() => page.probe('inFront'));
		const asked = await desktop.tell('asked');
		const {sourceId} = await page.probe('ask');
		assert.match(sourceId ?? 'denied', /^portlight:/);
		assert.deepEqual(await page.probe('redeem', sourceId), {ok: true, tracks: ['video live']});
		await page.probe('follow', sourceId);
		await playing(page);
		assert.equal(await desktop.tell('asked'), asked + 1, 'one dialog');
		assert.equal((await page.probe('version')).version, wanted);
	}

	/** @param {Visit} page */
	const playing = (page) => askUntil(() => page.probe('paintSeen'), (seen) => seen > 0.05);

	/** Nothing was missing, and nobody was asked for anything. @param {import('../lib/profile.js').Profile} profile */
	function assertWell(profile) {
		assert.equal(profile.on, true);
		assert.deepEqual([...profile.sites].sort(), [...sites].sort());
		assert.equal(profile.welcomed, 'not needed');
		assert.deepEqual(profile.tabs.filter((url) => WELCOME.test(url)), []);
		if (kind === 'firefox') {
			assert.equal(profile.onToolbar, true);
		}
	}

	/** The page alone, without anything that answers it. @param {Visit} page */
	async function assertAlone(page) {
		assert.equal(await page.probe('version'), null);
		assert.equal(await page.probe('inFront'), true);
		assert.equal(browser?.running, true);
	}

	/** A removal ends the share, and the page is told; the browser stays. @param {Visit} page */
	async function removed(page) {
		run('dpkg', '--remove', ...both);
		assert.equal(await askUntil(() => page.probe('ended')), 'host-stopped');
		assert.equal((await page.probe('track')).readyState, 'ended');
		assert.equal(browser?.running, true);
		assertWell(await close());
	}

	const both = /** @type {const} */ (['portlight', 'webext-portlight']);

	test('a profile that is older than the packages: they work from its next start on', async () => {
		install();
		await assertAlone(await open());
		assert.equal((await close()).on, false);
		install(...both.map(deb));
		for (let start = 0; start < 2; start++) {
			await share(await open());
			assertWell(await close());
		}
	});

	test('a fresh profile; an upgrade and a removal while it shares', async () => {
		install(...both.map(deb));
		await share(await open());
		assertWell(await close());

		const page = await open();
		await share(page);
		run('dpkg', '--install', ...both.map(nextDeb));
		await playing(page);
		assert.equal(await page.probe('ended'), undefined, 'an upgrade ends no share');
		await removed(page);

		// Without an upgrade in between the host that runs is the package's own file.
		run('dpkg', '--install', ...both.map(nextDeb));
		const later = await open();
		await share(later, next);
		await removed(later);

		await assertAlone(await open());
		await close();
	});

	test('without the host the page of the first run opens, once and behind', async () => {
		install(deb('webext-portlight'));
		const page = await open();
		await askUntil(() => welcomed(person, kind), (word) => word === 'shown');
		await askUntil(() => page.probe('inFront'));
		const first = await close();
		assert.equal(first.on, true);
		assert.equal(first.tabs.filter((url) => WELCOME.test(url)).length > 0, true, first.tabs.join());
		// And what was missing is mended without another start of the extension.
		const again = await open();
		run('dpkg', '--install', deb('portlight'));
		await share(again);
		assert.deepEqual((await close()).tabs.filter((url) => WELCOME.test(url)), []);
	});

	for (const newer of both) {
		test(`a newer ${newer} with the other as it was`, async () => {
			install(...both.map((name) => (name === newer ? nextDeb(name) : deb(name))));
			await share(await open(), newer === 'webext-portlight' ? next : version);
			assertWell(await close());
		});
	}

	if (kind === 'chromium') {
		test('the popup tells how to have the button on the toolbar', async () => {
			install(...both.map(deb));
			// Nothing but a driver can look into it.
			const driven = await puppeteer.launch({
				executablePath: '/usr/bin/chromium',
				env: {...person.env, HOME: person.home},
				userDataDir: join(person.home, 'driven'),
				headless: true,
				enableExtensions: true,
				args: ['--no-sandbox'],
			});
			try {
				const popup = await driven.newPage();
				await popup.goto(`chrome-extension://${chromiumId}/ui/popup.html`);
				const hint = await popup.waitForSelector('#pin', {visible: true});
				assert.match((await hint?.evaluate((element) => element.textContent)) ?? '', /\w/);
			} finally {
				await driven.close();
			}
		});
	}

	test("another package's extension beside it", async () => {
		install(...both.map(deb), neighbourDeb());
		const page = await open();
		await share(page);
		assert.equal(await page.probe('neighbour'), 'here');
		const profile = await close();
		assertWell(profile);
		// Chromium's wrapper can take a folder of extensions for a page to open.
		assert.deepEqual(profile.tabs.filter((url) => url.startsWith('file:')), []);
	});
}

if (enterMachine(import.meta.url)) {
	for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
		describe(kind, () => suite(kind));
	}
}
