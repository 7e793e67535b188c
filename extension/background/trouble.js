/** Pages made for other extensions take every failure for a refusal. So the user is told what failed, and what helps. */
import { failureText } from '../ui/text.js';
import { touchedNow } from './cooldown.js';
import { ext } from './ext.js';

/** The same is not said again sooner, however often a page asks. */
const AGAIN_MS = 60_000;
/** Nothing is broken then: it is said only to a user who just clicked in that page. */
const ASKED_TOO_SOON = ['busy', 'cool-down'];
/** Firefox has the second word for a program that is not where its manifest says. */
const NOT_INSTALLED = ['host-missing', 'host-unusable'];

let last = { what: '', at: -Infinity };

/**
 * The first time that the host is missing opens the page that helps to install it; all else is a notification.
 *
 * @param {import('../shared/failure.js').Failure} failure of a request
 * @param {import('./source-ids.js').Place} place
 */
export async function tell(failure, place) {
	if (failure.intended && !(ASKED_TOO_SOON.includes(failure.code) && (await touchedNow(place)))) {
		return;
	}
	const { helped } = await ext.storage.local.get({ helped: false });
	if (NOT_INSTALLED.includes(failure.code) && !helped) {
		await ext.storage.local.set({ helped: true });
		await ext.tabs.create({ url: ext.runtime.getURL('ui/welcome.html') });
		return;
	}
	const what = `${failure.code} ${place.origin}`;
	if (what === last.what && Date.now() < last.at + AGAIN_MS) {
		return;
	}
	last = { what, at: Date.now() };
	const { message, remedy } = failureText(failure);
	await ext.notifications.create('failed', {
		type: 'basic',
		iconUrl: ext.runtime.getURL('icons/icon-128.png'),
		title: ext.i18n.getMessage('failedTitle', [new URL(place.origin).host]),
		message: `${message} ${remedy}`,
	});
}
