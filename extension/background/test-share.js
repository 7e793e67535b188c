/** A share with the page of the first run, to see that everything works: asked for and redeemed like any page's. */
import { Failure } from '../shared/failure.js';
import { capturePath } from './settings.js';
import { placeOf } from './source-ids.js';

/**
 * @param {chrome.runtime.Port} port from one of the extension's own pages, in a tab
 * @param {import('./native.js').NativeHost} host
 * @param {import('./shares.js').Shares} shares
 * @param {AbortSignal} withdrawn the person's word to close all dialogs
 */
export function offerTest(port, host, shares, withdrawn) {
	const place = placeOf(port.sender);
	const gone = new AbortController();
	const signal = AbortSignal.any([gone.signal, withdrawn]);
	port.onDisconnect.addListener(() => gone.abort());
	port.onMessage.addListener(async () => {
		try {
			if (!place) {
				throw new Failure('cancelled');
			}
			if ((await capturePath()) === 'browser') {
				throw new Failure('native-off');
			}
			const hostShare = await host.share({ sources: ['monitor', 'window'], cursor: 'embedded' }, signal);
			if (signal.aborted) {
				await hostShare.stop();
				throw new Failure('cancelled');
			}
			port.postMessage({ type: 'granted', sourceId: shares.grant(place, hostShare, port) });
		} catch (error) {
			if (!gone.signal.aborted) {
				const { code, message, remedy } = Failure.from(error);
				port.postMessage({ type: 'refused', code, message, remedy });
			}
		}
	});
}
