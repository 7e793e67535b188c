/** The words of our pages, in the browser's language, and the elements that hold them. */
import { ext } from '../background/ext.js';
import { portalFailure } from '../shared/failure.js';

/** @param {string} name @param {...string} values */
export function text(name, ...values) {
	return ext.i18n.getMessage(name, values);
}

/**
 * What happened and what to do about it: translated, or in the catalogue's English. Commands stand between backticks.
 *
 * @param {{code: string, message: string, remedy: string}} failure
 */
export function failureText({ code, message, remedy }) {
	const key = code.replaceAll('-', '_');
	return { message: text(`error_${key}`) || message, remedy: text(`remedy_${key}`) || remedy };
}

/**
 * What keeps this machine from sharing, as the background answers `host-status`; null: nothing.
 *
 * @param {any} status undefined if the background doesn't answer
 * @returns {{code?: string, message: string, remedy: string} | null}
 */
export function lacking(status) {
	if (!status) {
		return { message: text('backgroundSilent'), remedy: text('backgroundSilentRemedy') };
	}
	const failure = status.ok ? portalFailure(status) : status;
	if (failure) {
		return { code: failure.code, ...failureText(failure) };
	}
	return status.pipewire === false ? { message: text('pipewireMissing'), remedy: text('pipewireRemedy') } : null;
}

/** The language of the texts, for dates and numbers beside them. */
export function language() {
	const [known] = Intl.DateTimeFormat.supportedLocalesOf(ext.i18n.getMessage('@@ui_locale').split('@')[0].replaceAll('_', '-'));
	return known ?? ext.i18n.getUILanguage();
}

/** Fills in every element that names its text. */
export function translate() {
	document.documentElement.lang = language();
	for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-text]'))) {
		say(element, text(element.dataset.text ?? ''));
	}
	for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-label]'))) {
		const label = text(element.dataset.label ?? '');
		element.setAttribute('aria-label', label);
		element.title = element.matches('button') ? label : '';
	}
}

/**
 * Puts words into an element, what is between backticks as code. Unchanged words stay as they are, because screen readers
 * read out what is put in.
 *
 * @param {HTMLElement} element
 * @param {string} words
 */
export function say(element, words) {
	if (element.dataset.words !== words) {
		element.dataset.words = words;
		element.replaceChildren(...words.split('`').map((part, i) => (i % 2 ? make('code', '', part) : part)));
	}
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let quiet;

/** @param {string} words shown and read out for a moment */
export function announce(words) {
	element('announce').textContent = words;
	clearTimeout(quiet);
	quiet = setTimeout(() => (element('announce').textContent = ''), 2500);
}

/** The element with this id, which the page has. @param {string} id */
export function element(id) {
	return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className, ...children) {
	const made = document.createElement(tag);
	made.className = className;
	made.append(...children);
	return made;
}

/** @param {string} name of a symbol of symbols.svg */
export function symbol(name) {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
	use.setAttribute('href', `symbols.svg#${name}`);
	svg.setAttribute('aria-hidden', 'true');
	svg.append(use);
	return svg;
}

/**
 * A line that says how something is: its symbol says it without colour.
 *
 * @param {HTMLElement} line
 * @param {'good' | 'bad' | 'asking' | 'quiet'} kind
 * @param {string} words
 */
export function setState(line, kind, words) {
	if (line.dataset.kind !== kind) {
		line.dataset.kind = kind;
		line.className = `state ${kind}`;
		line.replaceChildren(symbol(kind), make('span', ''));
	}
	say(/** @type {HTMLElement} */ (line.lastChild), words);
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options) {
	return new Intl.NumberFormat(language(), { maximumFractionDigits: 1, ...options }).format(value);
}

/**
 * @param {string} origin
 * @param {string} [top] of the page, where the origin is that of a frame of another site in it
 * @returns {string}
 */
export function siteName(origin, top) {
	if (top !== undefined) {
		return text('siteInFrame', siteName(origin), siteName(top));
	}
	if (ext.runtime.getURL('').startsWith(origin)) {
		return text('ownTest');
	}
	return URL.canParse(origin) ? new URL(origin).host : text('unnamedSite');
}

/**
 * @param {string} type
 * @param {object} [more]
 * @returns {Promise<any>} the background's answer; undefined if it doesn't answer
 */
export function ask(type, more) {
	return ext.runtime.sendMessage({ type, ...more }).catch(() => undefined);
}
