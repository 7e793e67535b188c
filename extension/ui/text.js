/** The pages' words, in the browser's language. */
import { ext } from '../background/ext.js';

/**
 * @param {string} name
 * @param {...string} values
 */
export function text(name, ...values) {
	return ext.i18n.getMessage(name, values);
}

/** Fills in every element that names its text. */
export function translate() {
	document.documentElement.lang = ext.i18n.getUILanguage();
	for (const element of document.querySelectorAll('[data-text]')) {
		element.textContent = text(/** @type {HTMLElement} */ (element).dataset.text ?? '');
	}
}

/**
 * The element with this id, which the page has.
 *
 * @param {string} id
 */
export function element(id) {
	return /** @type {HTMLElement} */ (document.getElementById(id));
}
