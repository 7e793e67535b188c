/** What every page needs of the document, which is in the person's language from here on. */
import { language, t, translate } from './language.js';

// Some tests take modules without a page.
if (globalThis.document) {
	translate(document);
}

/** The one element that fits. @param {string} selector @param {ParentNode} [inside] @returns {any} */
export function find(selector, inside = document) {
	const found = inside.querySelector(selector);
	if (!found) {
		throw new Error(`This page has no ${selector}.`);
	}
	return found;
}

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] of the element; `data-…`, `aria-…` and `role` are attributes
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (/^(data-|aria-|role)/.test(name)) {
			element.setAttribute(name, value);
		} else {
			/** @type {any} */ (element)[name] = value;
		}
	}
	element.append(...children);
	return element;
}

/** @param {string} name of a symbol in icons.svg */
export function icon(name) {
	const space = 'http://www.w3.org/2000/svg';
	const svg = document.createElementNS(space, 'svg');
	svg.setAttribute('class', 'icon');
	svg.setAttribute('aria-hidden', 'true');
	const use = document.createElementNS(space, 'use');
	use.setAttribute('href', `icons.svg#${name}`);
	svg.append(use);
	return svg;
}

/** Says what happened, where the page and its screen reader expect that. @param {string} text @param {boolean} [bad] */
export function say(text, bad = false) {
	const notice = find('#notice');
	notice.textContent = text;
	notice.classList.toggle('bad', bad);
}

/** What was said does not hold now. @param {string} text */
export function unsay(text) {
	if (find('#notice').textContent === text) {
		say('');
	}
}

/** An error in words, with what to do about it. @param {unknown} error */
export function sayError(error) {
	say(words(error), true);
}

/** @param {unknown} error */
export function words(error) {
	const { name, message = String(error), remedy } = /** @type {any} */ (error ?? {});
	const texts = browserErrors[name] && !remedy ? [browserErrors[name]] : [message, remedy].filter(Boolean).map((text) => t(text));
	return texts.join(' ');
}

/** What browsers' own errors mean for a person. @type {Record<string, string>} */
const browserErrors = {
	NotAllowedError: t('It was not allowed. Ask again and choose “Allow”, or change it in the address bar.'),
	NotFoundError: t('No such device is connected. Connect one, or go on without.'),
	NotReadableError: t('Another program uses the device. Close that program and try again.'),
};

/** The chip beside the title. @param {string} text @param {'' | 'good' | 'busy' | 'bad' | 'live'} [kind] */
export function chip(text, kind = '') {
	const element = find('#link');
	element.textContent = text;
	element.className = `chip ${kind}`;
}

/** What the connection to the server is like. @type {Record<string, [string, 'good' | 'busy' | 'bad']>} */
const serverStates = {
	connecting: [t('Connecting'), 'busy'],
	connected: [t('Online'), 'good'],
	interrupted: [t('Reconnecting'), 'busy'],
	over: [t('Offline'), 'bad'],
};

/** @param {string} state of a Server */
export const serverWord = (state) => serverStates[state][0];

/** @param {string} state of a Server */
export const serverChip = (state) => chip(...serverStates[state]);

/** Runs what a button does, and says what failed. @param {string} selector @param {(event: Event) => unknown} act */
export function onClick(selector, act) {
	find(selector).addEventListener('click', guarded(act));
}

/** @param {string} selector of a form @param {(form: HTMLFormElement) => unknown} act */
export function onSubmit(selector, act) {
	find(selector).addEventListener(
		'submit',
		guarded((event) => {
			event.preventDefault();
			return act(/** @type {HTMLFormElement} */ (event.currentTarget));
		}),
	);
}

/** What is asked once more while it is still being done, as by a double click, is done once. @param {(event: Event) => unknown} act */
function guarded(act) {
	let busy = false;
	return async (/** @type {Event} */ event) => {
		if (busy) {
			event.preventDefault();
			return;
		}
		busy = true;
		try {
			await act(event);
		} catch (error) {
			sayError(error);
		} finally {
			busy = false;
		}
	};
}

/** Lets keys press the buttons that name them in `aria-keyshortcuts`, unless something is being written or asked. */
export function shortcuts() {
	addEventListener('keydown', (event) => {
		const { altKey, ctrlKey, defaultPrevented, key, metaKey, target } = event;
		const writes = target instanceof HTMLElement && target.matches('input, textarea, select');
		if (defaultPrevented || altKey || writes || document.querySelector('dialog[open]')) {
			return;
		}
		const keys = `${ctrlKey || metaKey ? 'Control+' : ''}${key.length === 1 ? key.toUpperCase() : key}`;
		const button = /** @type {HTMLElement | null} */ (document.querySelector(`button[aria-keyshortcuts="${CSS.escape(keys)}"]`));
		if (button?.checkVisibility()) {
			event.preventDefault();
			button.click();
		}
	});
}

/**
 * Shows rows in a list. A row whose state is as it was stays the same element, so that it keeps the focus.
 * @param {HTMLElement} list @param {{key: string, state: unknown, make: () => HTMLElement}[]} rows
 */
export function drawRows(list, rows) {
	const old = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.row, item]));
	const items = rows.map(({ key, state, make: build }) => {
		const row = JSON.stringify([key, state]);
		const item = old.get(row) ?? build();
		/** @type {HTMLElement} */ (item).dataset.row = row;
		return item;
	});
	if (items.length !== list.childElementCount || items.some((item, at) => item !== list.children[at])) {
		list.replaceChildren(...items);
	}
}

/** @param {number} bytes */
export function size(bytes) {
	const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
	const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
	return new Intl.NumberFormat(language, { style: 'unit', unit: units[power], unitDisplay: power ? 'short' : 'long', maximumFractionDigits: 1 }).format(bytes / 1000 ** power);
}

/** Eight colours that stand out on any picture. */
export const colours = ['#ff3b30', '#0a84ff', '#30d158', '#ff9f0a', '#bf5af2', '#00c7be', '#ff2d92', '#ffd60a'];
