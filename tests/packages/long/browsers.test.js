/** The Debian packages in the browsers that people have: installed, and a page asks. No driver, no switch, no preference. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, afterEach, before, beforeEach, describe, test} from 'node:test';
import {Desktop} from '../../e2e/lib/desktop.js';
import {askUntil} from '../../e2e/lib/own.js';
import {root, version} from '../lib/deb.js';
import {deb, install, neighbourDeb, next, nextDeb} from '../lib/debs.js';
import {enterMachine, run, startDesktop} from '../lib/machine.js';
import {Person} from '../lib/person.js';
import {profileOf, welcomed} from '../lib/profile.js';
import {startSite} from '../lib/site.js';

const {host_permissions: sites} = JSON.parse(readFileSync(join(root, 'manifest/extension.json'), 'utf8'));
const WELCOME = /\/ui\/welcome\.html/;let shots=0;

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
		await desktop.tell('screenshot', `/tmp/${kind}.png`); run('cp', `/tmp/${kind}.png`, `/work/wt-pkg/build/${kind}-${++shots}.png`);//DEBUG
		await browser?.end();
		person.leave();
		await desktop.assertAlive();
	});

	/** The person opens the browser. */
	async function open() {console.log(Math.round(performance.now()), "open");
		const loaded = site.visit();
		browser = person.open(kind, site.url('/pages/remote.html'));
		return loaded;
	}

	/** The person closes it. */
	async function close() {console.log(Math.round(performance.now()), "close");
		await browser?.close(async () => {
			await desktop.tell('key', 'ctrl+shift+w');
			if (kind === 'firefox') {
				// It asks whether that was meant, where there are several tabs.
				await sleep(500);
				await desktop.tell('key', 'return');
			}
		});
		return profileOf(person, kind);
	}

	/** From the page's question to a picture of the page itself, by one dialog of two clicks. @param {Visit} page */
	async function share(page) {console.log(Math.round(performance.now()), "share");
		const asked = await desktop.tell('asked');
		const {sourceId} = await page.probe('ask');
		assert.match(sourceId ?? '', /^portlight:/);
		assert.deepEqual(await page.probe('redeem', sourceId), {ok: true, tracks: ['video live']});
		await page.probe('follow', sourceId);
console.log(Math.round(performance.now()), "redeemed");		await playing(page);console.log(Math.round(performance.now()), "playing");
		assert.equal(await desktop.tell('asked'), asked + 1, 'one dialog');
	}

	/** @param {Visit} page */
	const playing = (page) => askUntil(() => page.probe('paintSeen'), (seen) => seen > 0.05);

	/** @param {import('../lib/profile.js').Profile} profile @param {string} [wanted] */
	function assertWell(profile, wanted = version) {
		assert.equal(profile.version, wanted);
		assert.deepEqual([...profile.sites].sort(), [...sites].sort(), 'all sites, and nobody was asked');
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

	const both = /** @type {const} */ (['portlight', 'webext-portlight']);

	test('a profile that is older than the packages: they work from its next start on', async () => {
		install();
		await assertAlone(await open());
		assert.equal((await close()).version, undefined);
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
console.log(Math.round(performance.now()), "redeemed");		await playing(page);console.log(Math.round(performance.now()), "playing");
		assert.equal(await page.probe('ended'), undefined, 'an upgrade ends no share');
		assertWell({...(await close()), version});

		const later = await open();
		await share(later);
		run('dpkg', '--remove', ...both);
		assert.equal(await askUntil(() => later.probe('ended')), 'host-stopped');
		assert.equal((await later.probe('track')).readyState, 'ended');
		assert.equal(browser?.running, true);
		assertWell(await close(), next);

		await assertAlone(await open());
		assert.equal((await close()).version, undefined);
	});

	test('without the host the page of the first run opens, once and behind', async () => {
		install(deb('webext-portlight'));
		const page = await open();
		await askUntil(() => welcomed(person, kind), (word) => word === 'shown');
		await askUntil(() => page.probe('inFront'));
		const first = await close();
		assert.equal(first.version, version);
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
			await share(await open());
			assertWell(await close(), newer === 'webext-portlight' ? next : version);
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
