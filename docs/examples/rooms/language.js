/**
 * The person's language. English stands in the pages and their modules; `messages/LANGUAGE.json` says what each text becomes.
 * A text that is missing there stays English.
 */

/** Besides English: each has a file in `messages/`. */
export const OFFERED = ['de', 'es', 'fr', 'pt-BR'];

/**
 * @param {readonly string[]} wanted BCP 47 tags, the best first
 * @returns {string} one of those offered, or `en`
 */
export function choose(wanted) {
	for (const tag of wanted) {
		const main = tag.split('-')[0].toLowerCase();
		const found = ['en', ...OFFERED].find((offered) => offered.split('-')[0] === main);
		if (found) {
			return found;
		}
	}
	return 'en';
}

/** `?lang=de` goes before what the browser is set to. */
const asked = new URLSearchParams(globalThis.location?.search).get('lang');
export const language = choose([...(asked ? [asked] : []), ...(globalThis.navigator?.languages ?? [])]);

/** @returns {Promise<Record<string, string>>} nothing where it cannot be had: English will do */
async function load() {
	try {
		const answer = await fetch(new URL(`messages/${language}.json`, import.meta.url));
		return answer.ok ? await answer.json() : {};
	} catch {
		return {};
	}
}
const messages = language === 'en' ? {} : await load();

/**
 * @param {string} text in English; `{0}`, `{1}` … stand for the values
 * @param {...(string | number)} values
 * @returns {string} the same in the person's language
 */
export function t(text, ...values) {
	const message = Object.hasOwn(messages, text) ? messages[text] : text;
	return values.length ? message.replace(/\{(\d)\}/g, (_, place) => String(values[place])) : message;
}

/** Attributes that a person reads or hears; `data-empty` is what a list shows while nothing is in it. */
const ATTRIBUTES = ['title', 'placeholder', 'aria-label', 'alt', 'data-empty'];

/** Puts all text of a document into the person's language, once. @param {Document} page */
export function translate(page) {
	page.documentElement.lang = language;
	const texts = page.createTreeWalker(page.documentElement, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const node = /** @type {Text} */ (texts.currentNode);
		const text = t(node.data.trim().replace(/\s+/g, ' '));
		node.data = node.data.replace(/\S(?:[^]*\S)?/, () => text);
	}
	for (const name of ATTRIBUTES) {
		for (const element of page.querySelectorAll(`[${name}]`)) {
			element.setAttribute(name, t(element.getAttribute(name) ?? ''));
		}
	}
	if (asked) {
		for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (page.querySelectorAll('.home[href], nav a'))) {
			link.search = new URLSearchParams({ lang: language }).toString();
		}
	}
}
