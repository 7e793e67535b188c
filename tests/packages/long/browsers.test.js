/** The Debian packages in the browsers that people have: installed, and a page asks. No driver, no switch, no preference. */
import assert from 'node:assert/strict';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {Desktop} from '../e2e/lib/desktop.js';
import {askUntil} from '../e2e/lib/own.js';
import {deb, install, next, nextDeb} from './lib/debs.js';
import {enterMachine, run, startDesktop} from './lib/machine.js';
import {Person} from './lib/person.js';
import {profileOf} from './lib/profile.js';
import {startSite} from './lib/site.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const version = /^VERSION := (.+)$/m.exec(readFileSync(join(root, 'Makefile'), 'utf8'))?.[1];
const {host_permissions: sites} = JSON.parse(readFileSync(join(root, 'manifest/extension.json'), 'utf8'));
const WELCOME = /\/ui\/welcome\.html/;

/** @typedef {Awaited<ReturnType<Awaited<ReturnType<typeof startSite>>['visit']>>} Visit */

/** @param {import('../e2e/lib/browser.js').Kind} kind */
function suite(kind) {
	/** @type {Awaited<ReturnType<typeof startDesktop>>} */
	let machine;
	/** @type {Awaited<ReturnType<typeof startSite>>} */
	let site;
	/** @type {Person} */
	let person;
	/** @type {import('./lib/person.js').OpenBrowser | null} */
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
	afterEach(async () => {
		await desktop.tell('screenshot', `/tmp/${kind}.png`); run('cp', `/tmp/${kind}.png`, '/work/wt-pkg/build/');
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
		await browser?.close(() => desktop.tell('key', 'ctrl+shift+w'));
		return profileOf(person, kind);
	}

	/** From the page's question to a picture of the page itself, by one dialog of two clicks. @param {Visit} page */
	async function share(page) {
		const asked = await desktop.tell('asked');
		const {sourceId} = await page.probe('ask');
		assert.match(sourceId ?? '', /^portlight:/);
		assert.deepEqual(await page.probe('redeem', sourceId), {ok: true, tracks: ['video live']});
		await page.probe('follow', sourceId);
		await playing(page);
		assert.equal(await desktop.tell('asked'), asked + 1, 'one dialog');
	}

	/** @param {Visit} page */
	const playing = (page) => askUntil(() => page.probe('paintSeen'), (seen) => seen > 0.05);

	/** @param {import('./lib/profile.js').Profile} profile @param {string} [wanted] */
	function assertWell(profile, wanted = version) {
		assert.equal(profile.version, wanted);
		assert.deepEqual([...profile.sites].sort(), [...sites].sort(), 'all sites, and nobody was asked');
		assert.equal(profile.welcomed, 'not needed');
		assert.deepEqual(profile.tabs.filter((url) => WELCOME.test(url)), []);
		if (kind === 'firefox') {
			assert.equal(profile.onToolbar, true);
		}
	}

	test('a profile that is older than the packages', async () => {
		install();
		person = new Person(machine.env);
		assert.equal(await (await open()).probe('version'), null);
		assert.equal((await close()).version, undefined);
		install(deb('portlight'), deb('webext-portlight'));
		for (let start = 0; start < 2; start++) {
			await share(await open());
			assertWell(await close());
		}
	});
}

if (enterMachine(import.meta.url)) {
	for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
		describe(kind, () => suite(kind));
	}
}
