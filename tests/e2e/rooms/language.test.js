import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {describe} from 'node:test';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {dial, login} = await import('../lib/calls.js');
const {askUntil} = await import('../lib/own.js');
const {press, until, useRooms} = await import('../lib/rooms.js');
const {rest} = await import('../lib/turns.js');

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('../lib/browser.js').Kind} Kind */

const messages = Object.fromEntries(['de', 'es', 'fr', 'pt-BR'].map((language) => {
	const file = new URL(`../../../docs/examples/rooms/messages/${language}.json`, import.meta.url);
	return [language, /** @type {Record<string, string>} */ (JSON.parse(readFileSync(file, 'utf8')))];
}));
const pages = ['index', 'assist', 'call', 'conference', 'request-video'];

/** All that stands in a page, or is read out there, also what is not shown now. @param {Page} page @returns {Promise<string[]>} */
const texts = (page) => page.evaluate(() => {
	const found = [];
	const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		found.push(/** @type {Text} */ (walker.currentNode).data);
	}
	for (const name of ['title', 'placeholder', 'aria-label', 'data-empty']) {
		found.push(...[...document.querySelectorAll(`[${name}]`)].map((element) => element.getAttribute(name) ?? ''));
	}
	return found.map((text) => text.trim().replace(/\s+/g, ' ')).filter(Boolean);
});

/** Shows all parts of the page at once, and tells what is wider than its place. @param {Page} page @returns {Promise<string[]>} */
const tooWide = (page) => page.evaluate(() => {
	document.querySelectorAll('body [hidden]').forEach((element) => element.removeAttribute('hidden'));
	document.querySelectorAll('dialog').forEach((dialog) => dialog.show());
	const {scrollWidth, clientWidth} = document.documentElement;
	const cut = [...document.querySelectorAll('button, .button, h1, h2, label, legend, .chip')].filter((element) => {
		const {left, right, width} = element.getBoundingClientRect();
		return !element.closest('.unseen') && width && (element.scrollWidth > element.clientWidth + 1 || left < 0 || right > clientWidth + 1);
	});
	return [...(scrollWidth > clientWidth ? [`the page has ${scrollWidth} of ${clientWidth} pixels`] : []), ...cut.map(({outerHTML}) => outerHTML)];
});

describe('the pages in other languages', () => {
	const rooms = useRooms();

	/** @param {Kind} kind @param {string} path below rooms/ @param {string} language */
	async function open(kind, path, language) {
		const page = await rooms.browsers[kind].open(`${rooms.server.origin}/rooms/${path}?lang=${language}`);
		rooms.pages.push(page);
		await askUntil(() => page.evaluate(() => document.documentElement.lang), (lang) => lang === language);
		return page;
	}

	for (const [at, language] of ['en', ...Object.keys(messages)].entries()) {
		const kind = /** @type {const} */ (['firefox', 'chromium'])[at % 2];
		rest(`${language}: each page says everything in it, and all fits a phone and a desk (${kind})`, async () => {
			for (const name of pages) {
				const page = await open(kind, `${name}.html`, language);
				await askUntil(() => page.evaluate(() => !document.querySelector('.chip.busy')));
				const english = (await texts(page)).filter((text) => (messages[language]?.[text] ?? text) !== text);
				assert.deepEqual(english, [], `${name} is all in ${language}`);
				for (const width of [360, 1280]) {
					await page.setViewport({width, height: 760});
					assert.deepEqual(await tooWide(page), [], `${name} at ${width} pixels`);
				}
			}
		});
	}

	rest('a German calls a Frenchwoman, and each reads of it in their own language; what the server refuses too', async () => {
		const gerd = await open('firefox', 'call.html', 'de');
		const fleur = await open('chromium', 'call.html', 'fr');
		await login(gerd, 'admin');
		await until(gerd, '#notice', /^Dieser Name ist reserviert\. Wählen Sie einen anderen Namen\.$/);
		await login(gerd, 'Gerd');
		await until(gerd, '#title', /^Angemeldet als Gerd$/);
		await login(fleur, 'Fleur');
		await until(fleur, '#title', /^Connecté en tant que Fleur$/);
		await dial(gerd, 'Fleur');
		await until(fleur, '#caller', /^Gerd vous appelle$/);
		await press(fleur, '#decline');
		await until(gerd, '#notice', /^Fleur hat den Anruf abgelehnt\.$/);
		await until(fleur, '#notice', /^Vous avez refusé l’appel\.$/);
	});

	rest('the language of the address goes along to the other pages', async () => {
		const page = await open('chromium', 'index.html', 'es');
		await press(page, 'a[href*="conference"]');
		await until(page, 'h1', /^Conferencia$/);
		await press(page, '.home');
		await until(page, 'nav', /Llamar/);
	});
});
