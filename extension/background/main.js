/** The background: wires pages, the way to a source, the host and the face. Every listener is registered at once. */
import { Failure } from '../shared/failure.js';
import * as desktopCapture from './desktop-capture.js';
import { onDialectMessage } from './dialects.js';
import { ext } from './ext.js';
import { injectTrack } from './inject.js';
import { NativeHost } from './native.js';
import { nativeSources, Requests } from './requests.js';
import { capturePath, dialectsOff } from './settings.js';
import { Shares } from './shares.js';
import * as face from './face.js';

const host = new NativeHost();
const shares = new Shares((live) => face.show(live));
const requests = new Requests(chooseSource, (failure) => face.report(failure), dialectsOff);

/** @type {import('./requests.js').Choose} */
async function chooseSource(port, place, signal, sources) {
	const sender = /** @type {chrome.runtime.MessageSender} */ (port.sender);
	if (desktopCapture.available() && (await capturePath()) !== 'native') {
		return desktopCapture.choose(sender, signal, sources);
	}
	const hostShare = await host.share({ sources: nativeSources(sources), cursor: 'embedded' }, signal);
	try {
		await injectTrack(place);
	} catch (error) {
		await hostShare.stop();
		throw new Failure('cancelled', String(error));
	}
	if (hostShare.ended) {
		throw hostShare.ended;
	}
	if (signal.aborted) {
		await hostShare.stop();
		throw new Failure('cancelled');
	}
	return shares.grant(place, hostShare, port);
}

ext.runtime.onConnect.addListener((port) => {
	if (port.name === 'page') {
		requests.connect(port);
	} else if (port.name === 'share') {
		shares.connect(port);
	} else {
		port.disconnect();
	}
});

ext.runtime.onMessage.addListener(onDialectMessage);

/** What the extension's own pages ask; nothing of it is answered to a page's relay. */
ext.runtime.onMessage.addListener((message, sender, reply) => {
	if (!sender.url?.startsWith(ext.runtime.getURL(''))) {
		return false;
	}
	switch (message?.type) {
	case 'shares':
		reply(shares.list());
		return false;
	case 'stop':
		shares.stop(message.key).then(() => reply(true), () => reply(false));
		return true;
	case 'host-status':
		host.status().then(
			({ version, portal, supports }) => reply({ ok: true, version, portal, supports }),
			(error) => {
				const { code, message: text, remedy, detail } = Failure.from(error);
				reply({ ok: false, code, message: text, remedy, detail });
			},
		);
		return true;
	default:
		return false;
	}
});

// The toolbar keeps what an earlier life of this worker wrote on it, but no share outlives that life.
face.show([]);
