/** A share with the page of the first run, to see that everything works: asked for and redeemed like any page's. */
import { Failure } from '../shared/failure.js';
import { placeOf } from './source-ids.js';

/**
 * @param {chrome.runtime.Port} port from one of the extension's own pages, in a tab
 * @param {import('./native.js').NativeHost} host
 * @param {import('./shares.js').Shares} shares
 */
export function offerTest(port, host, shares) {
	const place = placeOf(port.sender);
	const gone = new AbortController();
	port.onDisconnect.addListener(() => gone.abort());
	port.onMessage.addListener(async () => {
		try {
			if (!place) {
				throw new Failure('cancelled');
			}
			const hostShare = await host.share({ sources: ['monitor', 'window'], cursor: 'embedded' }, gone.signal);
			if (gone.signal.aborted) {
				await hostShare.stop();
			} else {
				port.postMessage({ type: 'granted', sourceId: shares.grant(place, hostShare, port) });
			}
		} catch (error) {
			if (!gone.signal.aborted) {
				const { code, message, remedy } = Failure.from(error);
				port.postMessage({ type: 'refused', code, message, remedy });
			}
		}
	});
}
