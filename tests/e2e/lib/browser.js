/**
 * Real browsers in throwaway profiles, with the extension and the native host's manifest, and with every road out of
 * the machine closed.
 */
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import puppeteer from 'puppeteer-core';
import {chromiumArgs, chromiumFakes, firefoxFakes, firefoxPrefs} from './browser-settings.js';
import {descendants, OurProcesses} from './processes.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const build = process.env.PORTLIGHT_BUILD ?? join(root, 'build');

export const hostName = 'org.portlight.host';
export const chromiumId = 'dmefmpejkcdmdoopbohfmhdjieggcbbo';
export const firefoxId = 'portlight@portlight';
/** Where Firefox has the extension's own pages: random in a person's profile. */
const firefoxUuid = '5d1b9a52-7c1e-4b5c-9a43-0c5f6a3b9e21';

/** @typedef {'firefox' | 'chromium'} Kind */

/**
 * @typedef {object} Options
 * @property {Kind} kind
 * @property {boolean} [visible]  a window on the desktop; without, the browser is headless
 * @property {{x: number, y: number}} [at]  where that window is, on X11
 * @property {boolean} [extension]  false: the browser as it is
 * @property {string} [folder]  of another build of it
 * @property {boolean} [welcome]  leaves the page of the first run open, where there is one
 * @property {boolean} [incognito]  the user lets the extension into private windows
 * @property {boolean} [chooser]  Chromium's own chrome.desktopCapture, where the tests otherwise prefer the host
 * @property {boolean} [fakeCamera]  a camera of the browser's own making, allowed without asking
 * @property {boolean} [anyCertificate]  takes sites' certificates as they are
 * @property {string} [host]  the program that the manifest names
 * @property {string[]} [args]  more of the browser's switches
 * @property {Record<string, string | number | boolean>} [prefs]  more of Firefox's preferences
 * @property {Record<string, string>} [env]  more of its environment
 * @property {{width: number, height: number}} [size]  of the page
 */

/** A folder of this run's own, under the desktop's where there is one. */
async function throwawayFolder() {
	return mkdtemp(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'browser-'));
}

/**
 * @param {Kind} kind
 * @param {string} folder that the manifest goes to
 * @param {string} path of the host
 */
async function writeManifest(kind, folder, path) {
	const caller =
		kind === 'chromium'
			? {allowed_origins: [`chrome-extension://${chromiumId}/`]}
			: {allowed_extensions: [firefoxId]};
	const manifest = {name: hostName, description: 'Portlight', path, type: 'stdio', ...caller};
	await mkdir(folder, {recursive: true});
	await writeFile(join(folder, `${hostName}.json`), JSON.stringify(manifest));
}

/** @param {import('puppeteer-core').Target} target whether it is the extension's background in Chromium */
const isWorker = (target) => target.type() === 'service_worker' && target.url().startsWith(`chrome-extension://${chromiumId}/`);

/** A running browser, its extension, and our processes below it. */
export class TestBrowser {
	/**
	 * @param {Kind} kind
	 * @param {import('puppeteer-core').Browser} browser
	 * @param {string} home
	 */
	constructor(kind, browser, home) {
		this.kind = kind;
		this.browser = browser;
		this.home = home;
		this.pid = /** @type {number} */ (browser.process()?.pid);
		this.ours = new OurProcesses(this.pid);
	}

	/**
	 * @param {string} url
	 * @param {'tab' | 'window'} [type] a new one of which it opens in
	 * @returns {Promise<import('puppeteer-core').Page>}
	 */
	async open(url, type = 'tab') {
		const page = await this.browser.newPage({type});
		await page.goto(url, {waitUntil: 'load'});
		return page;
	}

	/** @param {string} path of one of the extension's own pages */
	ownUrl(path) {
		return this.kind === 'chromium' ? `chrome-extension://${chromiumId}/${path}` : `moz-extension://${firefoxUuid}/${path}`;
	}

	/**
	 * One of the extension's own pages, in a tab.
	 * @param {string} path
	 */
	async openOwn(path) {
		const page = await this.browser.newPage();
		// Firefox says nothing of what becomes of such pages, but runs what it is told in them.
		await page.goto(this.ownUrl(path), this.kind === 'firefox' ? {timeout: 1} : {}).catch(() => {});
		await this.#untilAt(page, path);
		return page;
	}

	/**
	 * A page in a private window.
	 * @param {string} url
	 * @param {import('puppeteer-core').Page} own  one of the extension's own pages
	 */
	async openPrivate(url, own) {
		await own.evaluate(async (wanted) => {
			const {browser, chrome} = /** @type {any} */ (globalThis);
			await (browser ?? chrome).windows.create({incognito: true, url: wanted});
		}, url);
		return this.#find('The private window', async (page) => page.url() === url);
	}

	/**
	 * The popup as it is in the private window (Firefox only: Chromium has no such page in a tab there).
	 * @param {import('puppeteer-core').Page} own
	 */
	async popupOfPrivate(own) {
		await own.evaluate(async () => {
			const {runtime, tabs, windows} = /** @type {any} */ (globalThis).browser;
			const {id: windowId} = (await windows.getAll()).find((/** @type {{incognito: boolean}} */ {incognito}) => incognito);
			await tabs.create({windowId, url: runtime.getURL('ui/popup.html'), active: false});
		});
		return this.#find('The popup', (page) => this.#isAt(page, 'ui/popup.html'));
	}

	/** Waits until the first run is over. @returns {Promise<string>} whether its page was `shown`, for what is missing */
	async firstRun() {
		const own = await this.openOwn('ui/popup.html');
		for (let tries = 400; tries > 0; tries--) {
			const {welcomed} = await own.evaluate(() => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				return (browser ?? chrome).storage.local.get('welcomed');
			});
			if (welcomed) {
				await own.close();
				return welcomed;
			}
			await sleep(50);
		}
		throw new Error('The first run is not over.');
	}

	/** The page of the first run, which opens by itself where something is missing. */
	welcome() {
		// Behind another it is drawn, and with that loaded to its end, only when it is looked at.
		return this.#find('The page of the first run', (page) => this.#isAt(page, 'ui/welcome.html', ['interactive', 'complete']));
	}

	/** @param {string} name @param {(page: import('puppeteer-core').Page) => Promise<boolean>} fits */
	async #find(name, fits) {
		for (let tries = 400; tries > 0; tries--) {
			for (const page of await this.browser.pages()) {
				if (await fits(page)) {
					return page;
				}
			}
			await sleep(50);
		}
		throw new Error(`${name} did not open.`);
	}

	/** @param {import('puppeteer-core').Page} page @param {string} path @param {string[]} [states] of its loading */
	#isAt(page, path, states = ['complete']) {
		const url = this.ownUrl(path);
		return page.evaluate((u, s) => s.includes(document.readyState) && location.href.split('#')[0] === u, url, states).catch(() => false);
	}

	/** @param {import('puppeteer-core').Page} page @param {string} path */
	async #untilAt(page, path) {
		for (let tries = 400; !(await this.#isAt(page, path)); tries--) {
			if (tries === 0) {
				throw new Error(`${path} did not open.`);
			}
			await sleep(50);
		}
	}

	/**
	 * Runs a function in the extension's background (Chromium only: Firefox shows its background to no one).
	 * @template T
	 * @param {(...args: any[]) => T} fn
	 * @param {...any} args
	 * @returns {Promise<Awaited<T>>}
	 */
	async inBackground(fn, ...args) {
		const target = await this.browser.waitForTarget(isWorker);
		const session = await target.createCDPSession();
		const expression = `(${fn})(...${JSON.stringify(args)})`;
		const {result, exceptionDetails} = await session.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true});
		// A worker with a debugger on it, when it ends and comes back, is held at its first line.
		await session.detach();
		if (exceptionDetails) {
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		}
		return result.value;
	}

	/**
	 * Presses Alt+Shift+0 in the window of the browser itself (Firefox only: Chromium's is out of a driver's reach).
	 */
	async pressShortcut() {
		await this.inWindow(() => {
			const {Components, KeyboardEvent} = /** @type {any} */ (globalThis);
			const {classes, interfaces} = Components;
			const keyboard = classes['@mozilla.org/text-input-processor;1'].createInstance(interfaces.nsITextInputProcessor);
			keyboard.beginInputTransactionForTests(globalThis);
			const keys = [['Alt', 'AltLeft', 18], ['Shift', 'ShiftLeft', 16], [')', 'Digit0', 48]].map(
				([key, code, keyCode]) => new KeyboardEvent('', {key, code, keyCode}),
			);
			keys.forEach((key) => keyboard.keydown(key));
			keys.reverse().forEach((key) => keyboard.keyup(key));
		});
	}

	/**
	 * Runs a function in the window of the browser itself (Firefox only).
	 * @param {() => unknown} fn
	 */
	async inWindow(fn) {
		const {connection} = /** @type {any} */ (this.browser);
		const {result} = await connection.send('browsingContext.getTree', {'moz:scope': 'chrome'});
		const target = {context: result.contexts[0].context};
		const answer = await connection.send('script.evaluate', {expression: `(${fn})()`, target, awaitPromise: false});
		if (answer.result.type !== 'success') {
			throw new Error(answer.result.exceptionDetails.text);
		}
	}

	/**
	 * Ends the extension's background in mid-work: its worker in Chromium, its whole process in Firefox.
	 */
	async killBackground() {
		if (this.kind === 'chromium') {
			const page = await this.open('chrome://serviceworker-internals/');
			// A locator's own time-out would keep this process for half a minute.
			await (await page.waitForSelector('[data-command="stop"]', {visible: true}))?.click();
			// It may be running again before that is seen.
			await page.waitForFunction(() => /\bSTOPPED\b/.test(document.body.innerText), {timeout: 2000}).catch(() => {});
			await page.close();
			return;
		}
		const extension = descendants(this.pid).find((p) => p.name === 'WebExtensions');
		if (!extension) {
			throw new Error("Firefox's extension process was not found.");
		}
		process.kill(extension.pid, 'SIGKILL');
		// The browser has noticed when it has buried it.
		for (let tries = 250; existsSync(`/proc/${extension.pid}`) && tries > 0; tries--) {
			await sleep(20);
		}
	}

	/** Closes the browser as a person would, and removes its profile. */
	async close() {
		const children = descendants(this.pid);
		await Promise.race([this.browser.close().catch(() => {}), new Promise((r) => setTimeout(r, 8000).unref())]);
		for (const p of descendants(this.pid).concat(children)) {
			const stat = await readFile(`/proc/${p.pid}/stat`, 'latin1').catch(() => '');
			const same = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === p.start;
			if (same && !p.name.startsWith('portlight')) {
				try {
					process.kill(p.pid, 'SIGKILL');
				} catch {
					// It ended by itself just now.
				}
			}
		}
		await rm(this.home, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
	}
}

/** Chromium's sandbox needs another user than root, and user namespaces, which containers and chroots may refuse. */
function canSandbox() {
	return process.getuid?.() !== 0 && !process.env.PORTLIGHT_NO_SANDBOX && spawnSync('unshare', ['--user', 'true']).status === 0;
}

/**
 * @param {Options} options
 * @returns {Promise<TestBrowser>}
 */
export async function openBrowser(options) {
	const {kind, extension = true, welcome, incognito, visible, fakeCamera, anyCertificate, host, args = [], prefs = {}, env = {}, size, at} = options;
	const {folder = join(build, `extension-${kind}`)} = options;
	const program = host ?? join(build, 'bin/portlight-host');
	for (const [path, remedy] of [
		[join(folder, 'manifest.json'), 'make extension'],
		[host ? folder : program, 'make programs'],
	]) {
		if (!existsSync(path)) {
			throw new Error(`There is no ${path}. Run \`${remedy}\` first.`);
		}
	}
	const home = await throwawayFolder();
	const profile = join(home, 'profile');
	const {width, height} = size ?? {width: 1280, height: 800};
	/** @type {import('puppeteer-core').LaunchOptions} */
	const common = {
		headless: !visible,
		acceptInsecureCerts: anyCertificate,
		userDataDir: profile,
		defaultViewport: visible ? null : {width, height},
		env: {...process.env, HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_CACHE_HOME: join(home, '.cache'), ...env},
		protocolTimeout: 60000,
		// Who opens a browser closes it, on a signal too.
		handleSIGINT: false,
		handleSIGTERM: false,
		handleSIGHUP: false,
	};
	let browser;
	if (kind === 'chromium') {
		await writeManifest(kind, join(profile, 'NativeMessagingHosts'), program);
		browser = await puppeteer.launch({
			...common,
			browser: 'chrome',
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			pipe: true,
			enableExtensions: true,
			args: [
				...chromiumArgs,
				`--window-size=${width},${height}`,
				...(at ? [`--window-position=${at.x},${at.y}`] : []),
				...(canSandbox() ? [] : ['--no-sandbox']),
				...(fakeCamera ? chromiumFakes : []),
				...args,
			],
		});
	} else {
		await writeManifest(kind, join(home, '.mozilla/native-messaging-hosts'), program);
		await allowRemembering(profile);
		browser = await puppeteer.launch({
			...common,
			browser: 'firefox',
			executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
			extraPrefsFirefox: {
				...firefoxPrefs,
				'extensions.webextensions.uuids': JSON.stringify({[firefoxId]: firefoxUuid}),
				...(fakeCamera ? firefoxFakes : {}),
				...prefs,
			},
			args: ['--remote-allow-system-access', `--width=${width}`, `--height=${height}`, ...args],
		});
	}
	const opened = new TestBrowser(kind, browser, home);
	if (extension) {
		try {
			await browser.installExtension(folder);
			if ((await opened.firstRun()) === 'shown' && !welcome) {
				await (await opened.welcome()).close();
			}
			if (incognito) {
				await (kind === 'chromium' ? letIntoPrivateWindows(opened) : installForPrivateWindows(browser, folder));
			}
		} catch (error) {
			await opened.close();
			throw error;
		}
	}
	return opened;
}

/**
 * As a user who agreed, when Firefox asked, that the host learns the address of sites that remember.
 * @param {string} profile
 */
async function allowRemembering(profile) {
	await mkdir(profile, {recursive: true});
	const granted = {permissions: [], origins: [], data_collection: ['browsingActivity']};
	await writeFile(join(profile, 'extension-preferences.json'), JSON.stringify({[firefoxId]: granted}));
}

/**
 * Firefox starts an extension again to let it in. Only one that has started before is sure to have opened its page of the first run.
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} path
 */
async function installForPrivateWindows(browser, path) {
	const extensionData = {type: 'path', path};
	await /** @type {any} */ (browser).connection.send('webExtension.install', {extensionData, 'moz:allowPrivateBrowsing': true});
}

/** What a person sets in the browser's page of extensions; that restarts the extension. @param {TestBrowser} browser */
async function letIntoPrivateWindows(browser) {
	const page = await browser.open('chrome://extensions/');
	const before = browser.browser.targets().find(isWorker);
	await page.evaluate(async (extensionId) => {
		const {developerPrivate} = /** @type {any} */ (globalThis).chrome;
		// Else one that was not packed is not restarted.
		await developerPrivate.updateProfileConfiguration({inDeveloperMode: true});
		await developerPrivate.updateExtensionConfiguration({extensionId, incognitoAccess: true});
	}, chromiumId);
	while (!browser.browser.targets().some((target) => isWorker(target) && target !== before)) {
		await sleep(50);
	}
	while (before && browser.browser.targets().includes(before)) {
		await sleep(50);
	}
	await page.close();
}

/** What a person sets in the options page: use the host even where the browser has its own way. @param {TestBrowser} browser */
export async function preferNative(browser) {
	// A worker that has only just started has no chrome.* yet.
	const set = () =>
		browser.inBackground(async () => {
			const {chrome} = /** @type {any} */ (globalThis);
			await chrome?.storage?.local.set({capturePath: 'native'});
			return chrome?.storage !== undefined;
		});
	for (let tries = 200; !(await set()); tries--) {
		if (tries === 0) {
			throw new Error("The extension's background has no chrome.storage.");
		}
		await sleep(50);
	}
}
