/** One headless browser for a file of tests, and a site with the extension's own files, as they are in the sources. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../../e2e/lib/browser.js';
import { holdTime } from './in-page.js';

const root = new URL('../../../extension/', import.meta.url);
const TYPES = {
	'.css': 'text/css',
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.png': 'image/png',
	'.svg': 'image/svg+xml',
};
/** Where `make coverage` wants to read of what ran; the format is Node's own. */
const coverage = process.env.NODE_V8_COVERAGE;

/** What Firefox's page gets instead, for a test in Chromium. @type {Record<string, string>} */
const OTHER = { '/firefox/page/sink-generator.js': '/firefox/page/sink-canvas.js' };

/** The source of a file that the site has. @param {string} pathname */
const sourceOf = (pathname) => (OTHER[pathname] ?? pathname).replace(/^\/firefox\//, '/');

/** @param {URL} url `/blank.html?js=…` is an empty page with these scripts of the extension */
async function contentOf({ pathname, searchParams }) {
	if (pathname === '/blank.html') {
		const scripts = searchParams.getAll('js').map((src) => `<script type="module" src="/${src}"></script>`);
		return `<!doctype html><link rel="icon" href="data:,"><title>A page</title>${scripts.join('')}<button>Go</button>`;
	}
	if (pathname === '/favicon.ico') {
		return ''; // Browsers ask for one where a page names none; not where it is an extension's.
	}
	return readFile(join(fileURLToPath(root), normalize(sourceOf(pathname)))).catch(() => null);
}

async function startSite() {
	const server = createServer(async (request, response) => {
		const url = new URL(request.url, 'http://127.0.0.1');
		const content = await contentOf(url);
		response.writeHead(content === null ? 404 : 200, { 'content-type': TYPES[extname(url.pathname)] ?? 'text/plain' });
		response.end(content ?? '');
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

export class Pages {
	/** What the pages complained of since the last test. */
	errors = [];
	#open = [];
	#covered = 0;

	/** @param {{fakeCamera?: boolean}} [options] */
	static async start(options) {
		const pages = new Pages();
		Object.assign(pages, await startSite());
		// No extension is installed and no host is started; a manifest has to name some program.
		pages.browser = await openBrowser({ kind: 'chromium', extension: false, host: process.execPath, ...options });
		return pages;
	}

	async close() {
		await this.tidy();
		await this.browser.close();
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	/**
	 * @param {string} path on the site, or a whole URL
	 * @param {object} [how]
	 * @param {(page: import('puppeteer-core').Page) => unknown} [how.before] prepares it before it is loaded
	 * @param {boolean} [how.held] false: its timers run as ever
	 */
	async open(path, { before, held = true } = {}) {
		const page = await this.browser.browser.newPage();
		this.#open.push(page);
		page.setDefaultTimeout(20_000);
		page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
		page.on('pageerror', (error) => this.errors.push(String(error)));
		if (coverage) {
			await page.coverage.startJSCoverage({ resetOnNavigation: false, includeRawScriptCoverage: true });
		}
		if (held) {
			await page.evaluateOnNewDocument(holdTime);
		}
		await before?.(page);
		await page.goto(new URL(path, this.origin).href);
		return page;
	}

	/** After each test: closes its pages, none of which may have had anything to complain of. */
	async tidy() {
		for (const page of this.#open.splice(0)) {
			if (!page.isClosed()) {
				await this.#cover(page);
				await page.close();
			}
		}
		assert.deepEqual(this.errors.splice(0), [], 'in the console');
	}

	async #cover(page) {
		if (!coverage) {
			return;
		}
		const entries = await page.coverage.stopJSCoverage();
		const result = entries
			.map(({ rawScriptCoverage }) => rawScriptCoverage)
			.filter(({ url }) => url.startsWith(this.origin))
			.map((script) => ({ ...script, url: new URL(`.${sourceOf(new URL(script.url).pathname)}`, root).href }));
		await mkdir(coverage, { recursive: true });
		await writeFile(join(coverage, `coverage-page-${process.pid}-${this.#covered++}.json`), JSON.stringify({ result }));
	}
}

/** Waits until something holds in a page, and resolves with it. */
export async function until(page, fn, ...args) {
	return (await page.waitForFunction(fn, {}, ...args)).jsonValue();
}

/** In the page: what can be read of an element that is shown; '' elsewhere. */
export const shows = (selector) => {
	const found = document.querySelector(selector);
	return found?.checkVisibility() ? found.innerText || 'shown' : '';
};

/** What is read of words that hold commands between backticks. */
export const plain = (words) => words.replaceAll('`', '');

/** Goes on by Tab until what has the focus fits. */
export async function tabTo(page, selector) {
	for (let presses = 0; presses < 100; presses++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) {
			return;
		}
	}
	assert.fail(`the keyboard does not come to ${selector}`);
}

/** All that can be used has a name, and Tab comes to all of it, in the order in which it is read. */
export async function assertKeyboard(page) {
	const nameless = [];
	const usable = /^(button|link|textbox|combobox|checkbox|switch|radio|img|image|canvas)$/;
	const walk = ({ role, name, children = [] }) => {
		if (usable.test(role) && !name) {
			nameless.push(role);
		}
		children.forEach(walk);
	};
	walk(await page.accessibility.snapshot());
	assert.deepEqual(nameless, []);
	const count = await page.evaluate(() => {
		const usable = [...document.querySelectorAll('button, select, input, summary')].filter(
			(one) => one.checkVisibility() && !one.disabled && (one.type !== 'radio' || one.checked),
		);
		document.activeElement.blur();
		window.usable = usable;
		return usable.length;
	});
	const reached = [];
	for (let i = 0; i < count; i++) {
		await page.keyboard.press('Tab');
		reached.push(await page.evaluate(() => window.usable.indexOf(document.activeElement)));
	}
	assert.deepEqual(reached, [...reached.keys()]);
	return count;
}

/**
 * Every text that is shown, and every name and title, comes from _locales: there they begin with a mark.
 *
 * @param {RegExp} data what else may be read: names, numbers, commands
 */
export async function assertTranslated(page, mark, data) {
	const words = await page.evaluate(() => {
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		const found = [];
		while (texts.nextNode()) {
			const { parentElement, data } = texts.currentNode;
			parentElement.checkVisibility() && data.trim() && found.push(data.trim());
		}
		for (const one of document.querySelectorAll('[aria-label], [title]')) {
			found.push(one.ariaLabel ?? one.title);
		}
		return [...found, document.title];
	});
	assert.deepEqual(words.filter((text) => !text.includes(mark) && !data.test(text)), []);
	return words.length;
}
