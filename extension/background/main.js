/** The background: wires pages, the way to a source, the host and the face. Every listener is registered at once. */
import { Failure } from '../shared/failure.js';
import { answeringAsks, nativeWish } from './asks.js';
import { capabilitiesOf, learn, prefersHost } from './capabilities.js';
import { Consent } from './consent.js';
import * as desktopCapture from './desktop-capture.js';
import { onDialectMessage } from './dialects.js';
import { ext } from './ext.js';
import { injectTrack } from './inject.js';
import { NativeHost } from './native.js';
import { answering, isOwnPage } from './own-pages.js';
import { nativeSources, Requests } from './requests.js';
import { capturePath, defaults, otherExtensions } from './settings.js';
import { Shares } from './shares.js';
import { offerTest } from './test-share.js';
import * as controls from './controls.js';
import * as displayMedia from './display-media.js';
import * as face from './face.js';
import * as notices from './notices.js';
import * as sites from './sites.js';
import * as trouble from './trouble.js';

const host = new NativeHost(learn);
const shares = new Shares((live) => {
	face.show(live);
	controls.show(live.length > 0);
	notices.show(live);
}, (failure) => face.report(failure));
const consent = new Consent();
const unexplained = (/** @type {Failure} */ failure, /** @type {import('./source-ids.js').Place} */ place) => void trouble.tell(failure, place).catch(console.warn);
const requests = new Requests(face.whileAsking(chooseSource), (failure) => face.report(failure), otherExtensions, consent, unexplained);

/** Nothing is shared after it, nor asked for. */
async function stopAll() {
	requests.withdraw();
	await shares.stopAll();
}

/** @type {import('./requests.js').Choose} */
async function chooseSource(port, place, signal, sources, wish) {
	const sender = /** @type {chrome.runtime.MessageSender} */ (port.sender);
	const display = wish.display === true;
	if (!display && !(await prefersHost(host, sources, wish))) {
		return desktopCapture.choose(sender, signal, sources);
	}
	if ((await capturePath()) === 'browser') {
		throw new Failure('native-off');
	}
	const { cursor: preset, ...bounds } = await defaults();
	const { cursor, multiple, needs } = nativeWish(wish, preset);
	const remember = !shares.has(place.origin) && (await consent.remembers(place, sender, display ? { remember: false } : wish));
	const kept = remember && { origin: place.origin, remember };
	const what = { sources: nativeSources(sources), exact: wish.exact === true, cursor, ...(multiple && { multiple }), ...kept };
	const hostShare = await host.share(what, signal, needs);
	const chosen = [hostShare, ...hostShare.others];
	try {
		await injectTrack(place).catch((error) => {
			throw new Failure('cancelled', String(error));
		});
		if (hostShare.ended || signal.aborted) {
			throw hostShare.ended ?? new Failure('cancelled');
		}
	} catch (error) {
		await Promise.all(chosen.map((share) => share.stop()));
		throw error;
	}
	const sourceIds = chosen.map((share) => shares.grant(place, share, port, bounds));
	return { sourceId: sourceIds[0], ...(multiple && { sourceIds }), restored: hostShare.restored };
}

ext.runtime.onConnect.addListener((port) => {
	if (port.name === 'page') {
		requests.connect(port);
	} else if (port.name === 'share') {
		shares.connect(port);
	} else if (port.name === 'preview' && isOwnPage(port.sender)) {
		shares.preview(port);
	} else if (port.name === 'test' && isOwnPage(port.sender)) {
		offerTest(port, host, shares, requests.withdrawn);
	} else {
		port.disconnect();
	}
});

ext.runtime.onMessage.addListener(onDialectMessage);
ext.runtime.onMessage.addListener(answeringAsks((place) => capabilitiesOf(place, host, consent)));

ext.runtime.onMessage.addListener(
	answering({
		shares: () => shares.list(),
		asking: () => face.asking(),
		decline: ({ tabId }) => requests.decline(tabId),
		stop: ({ key }) => shares.stop(key),
		'stop-all': stopAll,
		pause: ({ key }) => shares.pause(key),
		resume: ({ key }) => shares.resume(key),
		'share-stats': ({ key }) => shares.stats(key),
		'host-status': () => host.look(),
		grants: () => host.grants(),
		revoke: ({ origin }) => host.request('revoke', { origin }),
		forgive: () => face.forgive(),
	}),
);

sites.begin(host, (failure) => face.report(failure));
notices.begin((key) => void shares.stop(key), () => shares.list());
controls.begin(stopAll);
void face.begin();
void displayMedia.begin();
