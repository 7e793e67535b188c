/** What the page API needs of the background: its script, the texts of its errors, and its wishes in the host's words. */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';
import { nextTurn, targetOf } from './inject.js';
import { placeOf } from './source-ids.js';

/** What content/page-api.js itself may have to say. */
const CODES = ['bad-ask', 'bad-state', 'busy', 'cancelled', 'host-crashed', 'not-activated', 'not-supported', 'too-many-requests', 'unknown-share'];
/** The cursor modes of pages, with the portal's, and what the host must support for it. */
export const CURSORS = {
	always: { mode: 'embedded', needs: /** @type {string[]} */ ([]) },
	never: { mode: 'hidden', needs: ['cursor-hidden'] },
	send: { mode: 'metadata', needs: ['cursor-metadata', 'cursor-send'] },
};

/**
 * A page's wishes, in the host's words.
 *
 * @param {import('./requests.js').Wish} wish
 * @param {string} [preset] the person's cursor mode, for a page that names none: nothing that a share fails for
 */
export function nativeWish({ cursor, region, multiple }, preset = 'always') {
	const named = typeof cursor === 'string' && Object.hasOwn(CURSORS, cursor);
	const known = /** @type {keyof typeof CURSORS} */ (named ? cursor : preset);
	const { mode } = CURSORS[known];
	const needs = named ? CURSORS[known].needs : [];
	const more = { region: region === true, multiple: multiple === true };
	const features = Object.entries(more).flatMap(([name, wanted]) => (wanted ? [name] : []));
	return { cursor: mode, multiple: more.multiple, needs: [...needs, ...features] };
}

/**
 * A listener of runtime.onMessage for what the relay and content/page-api.js say.
 *
 * @param {(place: import('./source-ids.js').Place) => Promise<object>} capabilities
 */
export function answeringAsks(capabilities) {
	/**
	 * @param {any} message
	 * @param {chrome.runtime.MessageSender} sender
	 * @param {(reply: unknown) => void} reply
	 * @returns {boolean} whether the reply comes later
	 */
	return (message, sender, reply) => {
		const place = placeOf(sender);
		if (place && message?.type === 'page-api') {
			const target = targetOf(place);
			const texts = Object.fromEntries(CODES.map((code) => [code, new Failure(code).forPage()]));
			nextTurn()
				.then(() => ext.scripting.executeScript({ target, files: ['scripts/page-api.js'], injectImmediately: true }))
				.then(() => reply(texts), () => reply(null));
			return true;
		}
		if (place && message?.type === 'capabilities') {
			capabilities(place).then(reply, () => reply(null));
			return true;
		}
		return false;
	};
}
