/** A page that was granted a share by a fake host, up to where it redeems it. */
import { settle } from './clock.js';
import { FakePort, sender } from './fake.js';

const { Host } = await import('../../extension/background/host.js');
const { Shares } = await import('../../extension/background/shares.js');
const { placeOf } = await import('../../extension/background/source-ids.js');

export async function setUp(bounds = undefined, cursor = 'embedded') {
	const counts = [];
	const failures = [];
	const shares = new Shares((live) => counts.push(live.length), ({ code }) => failures.push(code));
	const host = new Host();
	const grant = async (from = sender()) => {
		const [page, far] = FakePort.pair('page', from);
		const hostShare = await host.share({ sources: ['monitor'], cursor });
		return { hostShare, page, id: shares.grant(placeOf(from), hostShare, far, bounds) };
	};
	const { hostShare, page, id } = await grant();
	const redeem = async (wish = {}, from = sender()) => {
		const [near, far] = FakePort.pair('share', from);
		shares.connect(far);
		near.postMessage({ type: 'redeem', sourceId: id, codecs: ['vp8', 'vp9'], ...wish });
		await settle();
		return near;
	};
	return { counts, failures, grant, host, hostShare, page, redeem, shares };
}

export const frame = (share, seq, fields = {}) => ({ type: 'frame', share, seq, part: 0, parts: 1, data: 'AA==', ...fields });
