/** What the extension's own pages (popup, options, first run) ask of the background. No page's relay is answered here. */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';

/** @param {chrome.runtime.MessageSender | undefined} sender */
export function isOwnPage(sender) {
	return sender?.id === ext.runtime.id && sender.url?.startsWith(ext.runtime.getURL('')) === true;
}

/**
 * A listener of runtime.onMessage that answers by the message's type: with `{ok: true}` and the fields of the answer,
 * or `{ok: false}` and those of the failure; a list is answered as it is.
 *
 * @param {Record<string, (message: any) => unknown>} answers
 */
export function answering(answers) {
	/**
	 * @param {any} message
	 * @param {chrome.runtime.MessageSender} sender
	 * @param {(reply: unknown) => void} reply
	 * @returns {boolean} whether the reply comes later
	 */
	return (message, sender, reply) => {
		if (!isOwnPage(sender) || !Object.hasOwn(answers, message?.type)) {
			return false;
		}
		const answer = new Promise((resolve) => resolve(answers[message.type](message)));
		answer.then(
			(value) => reply(Array.isArray(value) ? value : { ok: true, .../** @type {object} */ (value) }),
			(error) => {
				const { code, message: text, remedy, detail } = Failure.from(error);
				reply({ ok: false, code, message: text, remedy, detail });
			},
		);
		return true;
	};
}
