/** The background: joins pages, the way to a source, the host and the toolbar. Every listener is registered at once. */
import { Failure } from '../shared/failure.js';
import { capabilitiesOf, learn } from './capabilities.js';
import { Capture } from './capture.js';
import { Consent } from './consent.js';
import { ext } from './ext.js';
import { loadDialects, loadPageApi, raiseFlag } from './inject.js';
import { Host } from './host.js';
import { Requests } from './requests.js';
import { otherExtensions } from './settings.js';
import { Shares } from './shares.js';
import { placeOf } from './source-ids.js';
import * as displayMedia from './display-media.js';
import * as sites from './sites.js';
import * as toolbar from './toolbar.js';

/** @typedef {import('./source-ids.js').Place} Place */

const host = new Host(learn);
const shares = new Shares(toolbar.show, toolbar.report);
const consent = new Consent();
const capture = new Capture(host, shares, consent);
/** @type {import('./requests.js').Choose} */
const choose = (port, place, ...rest) => toolbar.whileAsking(place, () => capture.choose(port, place, ...rest));
const requests = new Requests(choose, toolbar.report, otherExtensions, consent, (...failed) => void toolbar.explain(...failed).catch(console.warn));

/** Nothing is shared or asked for after this. */
async function stopAll() {
	requests.withdraw();
	await shares.stopAll();
}

/** Another source for a live share, if the user wants one. @param {number} key */
async function change(key) {
	const share = shares.expect(key);
	const { info } = share;
	await requests.openForUser(info.tabId, (signal) => toolbar.whileAsking(info, () => capture.change(share, signal)));
}

/** The errors that the page API's script itself may report, with their texts. */
const PAGE_API_ERRORS = Object.fromEntries(
	['bad-ask', 'bad-state', 'busy', 'cancelled', 'host-crashed', 'not-activated', 'not-supported', 'too-many-requests', 'unknown-share'].map(
		(code) => [code, new Failure(code).forPage()],
	),
);
/** The globals that pages of these dialects look for. @type {Record<string, string>} */
const FLAGS = { skyway: 'ScreenShareExtentionExists', rongcloud: 'isScreenSharePluginInstalled' };

/**
 * Passes on to the tab's own page what it told a frame: that page redeems the source id, so it has to be the one that asks.
 * @param {number} tabId @param {unknown} said @param {unknown} around its origin
 */
async function askForParent(tabId, said, around) {
	await loadDialects({ tabId, frameId: 0, origin: '' });
	await ext.tabs.sendMessage(tabId, { type: 'dialect-from-frame', said, around, others: await otherExtensions() }, { frameId: 0 });
}

/** @param {chrome.runtime.MessageSender | undefined} sender */
function isOwnPage(sender) {
	return sender?.id === ext.runtime.id && sender.url?.startsWith(ext.runtime.getURL('')) === true;
}

/** All that content scripts may say. Every other message is for the extension's own pages alone. */
const FROM_CONTENT = ['page-api', 'capabilities', 'dialects', 'dialect-global', 'dialect-for-parent'];

/** @param {any} message @param {Place} place where it came from, in FROM_CONTENT @returns {Promise<unknown>} */
async function answer(message, place) {
	switch (message.type) {
	case 'page-api':
		await loadPageApi(place);
		return PAGE_API_ERRORS;
	case 'capabilities':
		return capabilitiesOf(place, host, consent);
	case 'dialects':
		await loadDialects(place, message.signs === true);
		return otherExtensions();
	case 'dialect-global':
		return Object.hasOwn(FLAGS, message.name) && raiseFlag(place, FLAGS[message.name]).then(() => true);
	case 'dialect-for-parent':
		return askForParent(place.tabId, message.said, message.around);

	case 'shares':
		return shares.list();
	case 'asking':
		return toolbar.asking();
	case 'decline':
		return requests.decline(message.tabId);
	case 'stop':
		return shares.stop(message.key);
	case 'stop-all':
		return stopAll();
	case 'pause':
		return shares.pause(message.key);
	case 'resume':
		return shares.resume(message.key);
	case 'change':
		return change(message.key);
	case 'share-stats':
		return shares.stats(message.key);
	case 'host-status':
		return host.look();
	case 'grants':
		return host.grants();
	case 'revoke':
		return host.revoke(message.origin);
	case 'access':
		return { granted: await toolbar.hasAccess() };
	case 'toolbar':
		return { pinned: await toolbar.isPinned() };
	case 'forgive':
		return toolbar.forgive();
	default:
		throw new Failure('bad-ask', String(message.type));
	}
}

ext.runtime.onMessage.addListener((message, sender, reply) => {
	const own = isOwnPage(sender);
	const place = placeOf(sender);
	const fits = FROM_CONTENT.includes(message?.type) ? !own && place !== null : own;
	if (!fits) {
		return false;
	}
	const answered = answer(message, /** @type {Place} */ (place));
	if (!own) {
		answered.then(reply, () => reply(null));
		return true;
	}
	answered.then(
		(value) => reply(Array.isArray(value) ? value : { ok: true, .../** @type {object} */ (value) }),
		(error) => {
			const { code, message: text, remedy, detail } = Failure.from(error);
			reply({ ok: false, code, message: text, remedy, detail });
		},
	);
	return true;
});

ext.runtime.onConnect.addListener((port) => {
	const own = isOwnPage(port.sender);
	switch (port.name) {
	case 'page':
		return requests.connect(port);
	case 'share':
		return shares.connect(port);
	case 'preview':
		return own ? shares.preview(port) : port.disconnect();
	case 'test':
		return own ? capture.offerTest(port, requests.withdrawn) : port.disconnect();
	default:
		return port.disconnect();
	}
});

sites.begin(host, toolbar.report);
toolbar.begin(host, stopAll, (key) => void shares.stop(key));
void displayMedia.begin();
