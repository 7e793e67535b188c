/** What the tests are written in: a browser for a file's tests, a site for each of them, and what they do again and again. */
import assert from 'node:assert/strict';
import {after, afterEach, before} from 'node:test';
import {took} from '../../tools/times.js';
import {openBrowser, preferNative} from './browser.js';
import {Desktop} from './desktop.js';
import {askUntil} from './own.js';
import {startServer} from './server.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('puppeteer-core').Frame} Frame */
/** @typedef {import('../pages/watch.js').Sample} Sample */

/**
 * Calls a verb of the page's probe.
 * @param {Page | Frame} page
 * @param {string} verb
 * @param {...any} args
 * @returns {Promise<any>}
 */
export function probe(page, verb, ...args) {
	return page.evaluate((v, a) => /** @type {any} */ (window).probe[v](...a), verb, args);
}

/**
 * @param {Page | Frame} page
 * @param {string} name of a field of the probe
 */
export function probed(page, name) {
	return page.evaluate((n) => /** @type {any} */ (window).probe[n], name);
}

/** @param {Page | Frame} page */
export const untilProbe = (page) => page.waitForFunction(() => 'probe' in window);

export class Fixture {
	/** @param {import('./browser.js').Options} options */
	constructor(options) {
		this.options = options;
		this.desktop = new Desktop();
		/** @type {Page[]} */
		this.pages = [];
		/** @type {import('./browser.js').TestBrowser | null} */
		this.opened = null;
		/** @type {Awaited<ReturnType<typeof startServer>>[]} the tests' own, and another */
		this.sites = [];
		this.withdraws = false;
	}

	async open() {
		this.sites = [await startServer(), await startServer()];
		this.opened = await openBrowser(this.options);
		if (this.options.kind === 'chromium' && !this.options.chooser) {
			await preferNative(this.opened);
		}
	}

	async close() {
		await this.opened?.close();
		await Promise.all(this.sites.map((site) => site.close()));
	}

	get browser() {
		assert(this.opened);
		return this.opened;
	}

	get site() {
		return this.sites[0];
	}

	/** A site that is nobody's own. */
	get elsewhere() {
		return this.sites[1];
	}

	get ours() {
		return this.browser.ours;
	}

	/** @param {string} [path] @param {string} [origin] @param {'tab' | 'window'} [where] a new one of which it opens in */
	async page(path = '/pages/probe.html', origin = this.site.origin, where = 'tab') {
		const page = await this.browser.open(`${origin}${path}`, where);
		this.pages.push(page);
		await page.waitForFunction(() => 'probe' in window || document.querySelector('iframe') || document.querySelector('#share, #wish'));
		return page;
	}

	/** One of the extension's own pages. @param {string} path */
	async own(path) {
		const page = await this.browser.openOwn(path);
		this.pages.push(page);
		return page;
	}

	/** The frame in a page. @param {Page} page */
	async frame(page) {
		const frame = await (await page.waitForSelector('iframe'))?.contentFrame();
		assert(frame);
		await untilProbe(frame);
		return frame;
	}

	/** Asks, with a person who agrees. @param {Page | Frame} page @param {import('./desktop.js').Consent} [consent] */
	async granted(page, consent = 'screen') {
		await this.desktop.willAnswer(consent);
		const answer = await probe(page, 'ask');
		assert.match(answer.sourceId ?? '', /^portlight:[\w-]{22,}/, `the page was answered ${JSON.stringify(answer)}`);
		return answer.sourceId;
	}

	/** Asks, and waits until the dialog is open, which nobody answers. @param {Page} page */
	async dialog(page) {
		await this.desktop.willAnswer('ignore');
		const answer = probe(page, 'ask');
		answer.catch(() => {}); // The page may go away before.
		await this.desktop.untilDialogs(1);
		return {answer};
	}

	/** The dialog that is open is withdrawn, where the desktop's portal does that. */
	async withdrawn() {
		if (!(await this.desktop.can('withdraw'))) {
			await this.declined();
			return;
		}
		await this.desktop.untilDialogs(0);
		await this.desktop.mendPortal();
	}

	/** The person declines the dialog that is open. */
	async declined() {
		await this.desktop.willAnswer('deny');
		await this.desktop.untilDialogs(0);
	}

	/** A page that plays the desktop. @param {'tab' | 'window'} [where] a new one of which it opens in */
	async sharing(where) {
		const page = await this.page(undefined, undefined, where);
		await this.share(page);
		return page;
	}

	/** @param {Page} page @param {import('./desktop.js').Consent} [consent] */
	async share(page, consent = 'screen') {
		await this.redeemed(page, await this.granted(page, consent));
		const {hosts, captures} = this.ours.now();
		assert.equal(hosts.length > 0 && captures.length > 0, true, 'a host and a helper run during a share');
		return {host: hosts[0], capture: captures[0]};
	}

	/** @param {Page | Frame} page @param {string} id @param {object} [more] constraints */
	async redeemed(page, id, more) {
		assert.deepEqual(await probe(page, 'redeem', id, 'promise', more), {ok: true, tracks: ['video live']});
		await this.plays(page);
	}

	/** The page plays what it was given, and that is the desktop. @param {Page | Frame} page */
	async plays(page) {
		tookReal(await probe(page, 'play'));
	}

	/** What is drawn from now on comes to the page. @param {Page | Frame} page @returns {Promise<Sample>} */
	async moves(page) {
		const sample = await probe(page, 'next');
		tookReal(sample);
		return sample;
	}

	/** What another page sees the desktop draw does not come to this one. @param {Page} page @param {Page} other */
	async standsStill(page, other) {
		const seenMeanwhile = async () => {
			await probe(page, 'clear');
			await this.gap(other, 5);
			return probe(page, 'distinct');
		};
		// What was on its way comes first.
		await askUntil(seenMeanwhile, (distinct) => distinct <= 1);
	}

	/**
	 * How much higher the marker's counter is from one picture to the next, as a mean: 1 where every drawing comes to the page.
	 * @param {Page} page
	 * @param {number} count of pictures with different markers
	 */
	async gap(page, count) {
		/** @type {number[]} */
		const counters = (await probe(page, 'markers', count)).map((/** @type {Sample} */ {counter}) => counter);
		assert.equal(counters.length, count, `the picture moves: ${counters}`);
		assertInOrder(counters);
		return (counters[count - 1] - counters[0]) / (count - 1);
	}

	/** The page stops its share, and nothing is left. @param {Page} page */
	async stop(page) {
		await probe(page, 'stop');
		await this.assertNothingLeft();
	}

	/** After any end: nothing of ours is left. @param {string} [what] the time is told as */
	async assertNothingLeft(what = 'nothing left') {
		const {left, ms} = await this.ours.gone();
		assert.deepEqual(left, []);
		took(what, ms);
	}

	/** The page sees the end, once. @param {Page} page */
	async assertEnded(page) {
		const began = performance.now();
		await askUntil(() => probed(page, 'ended'), (ended) => ended.length > 0);
		took('page saw ended', performance.now() - began);
		assert.equal((await probed(page, 'ended')).length, 1);
		assert.equal((await probe(page, 'track')).readyState, 'ended');
	}

	/** Closes what a test opened. The next one has another site, which has no part in what was refused to this one. */
	async tidy() {
		await Promise.all(this.pages.splice(0).map((page) => page.close().catch(() => {})));
		await this.site.close();
		this.sites[0] = await startServer();
		await this.assertNothingLeft('nothing left of a test');
		if (this.withdraws) {
			await this.desktop.mendPortal();
		}
		await this.desktop.assertAlive();
	}
}

/**
 * One for the tests of a file or of a `describe`.
 * @param {import('./browser.js').Options} options
 * @param {{withdraws?: boolean}} [tests] whether pages go away while a dialog of theirs is open
 */
export function useFixture(options, {withdraws = false} = {}) {
	const fixture = new Fixture(options);
	fixture.withdraws = withdraws;
	before(() => fixture.open());
	after(() => fixture.close());
	afterEach(() => fixture.tidy());
	return fixture;
}

/** The desktop's marker, read from a picture. @param {Sample} sample */
export function tookReal(sample) {
	took('marker to page', sample.latencyMs);
}

/** @param {number[]} counters */
export function assertInOrder(counters) {
	assert.deepEqual(counters, [...counters].sort((a, b) => a - b), 'the markers come in the order in which they were drawn');
}
