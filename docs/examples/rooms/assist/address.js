/** Pages that one suggests to the other: which addresses may be, and the question. */
import { t } from '../language.js';
import { find } from '../ui.js';

/** In characters. */
const MOST = 2048;
/** After an answer nobody is asked for so long, so that one who suggests on and on can be sent away. */
const QUIET_MS = 10_000;
let quietUntil = 0;

/**
 * @param {unknown} text
 * @returns {URL} throws what is wrong with it
 */
export function pageAddress(text) {
	const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
	if (!url) {
		throw new Error(t('That is not an address. Copy it from the bar above the page, with its https:// in front.'));
	}
	if (url.protocol !== 'https:') {
		throw new Error(t('Only addresses that begin with https:// can be suggested.'));
	}
	if (url.username || url.password) {
		throw new Error(t('An address with a name or a password before its @ cannot be suggested. Remove that part.'));
	}
	if (url.href.length > MOST) {
		throw new Error(t('An address may have {0} characters at most. Suggest a shorter one.', MOST));
	}
	return url;
}

/** Whether the name may look like another one: browsers write other alphabets' letters as xn--… @param {URL} url */
export const looksForeign = ({ hostname }) => hostname.split('.').some((part) => part.startsWith('xn--'));

/** Asks the person; nothing opens but by their click. What is no such address is dropped. @param {{url: string, nickname: string}} told */
export function askToOpen({ url: text, nickname }) {
	if (find('#ask').open || performance.now() < quietUntil) {
		return;
	}
	let url;
	try {
		url = pageAddress(text);
	} catch {
		return;
	}
	find('#asks').textContent = t('{0} suggests a page', nickname);
	find('#site').textContent = url.host;
	find('#address').textContent = url.href;
	find('#foreign').hidden = !looksForeign(url);
	find('#follow').href = url.href;
	find('#ask').showModal();
	find('#ask').onclose = () => (quietUntil = performance.now() + QUIET_MS);
	find('#refuse').focus();
}
