/** What the host remembers of sites, kept to what the person and the organization allow. */
import { Failure } from '../shared/failure.js';
import { ext } from './ext.js';
import { onDisallowed, site } from './sites.js';

/** Said by a host that keeps nothing: none at all, or an older one. */
const KEEPS_NOTHING = ['host-missing', 'unknown-type'];

/**
 * @param {import('./host.js').Host} host
 * @param {(failure: Failure) => void} report told when something may be remembered that should not be
 */
export function begin(host, report) {
	/** @param {() => Promise<unknown>} change */
	const attempt = async (change) => {
		try {
			await change();
		} catch (error) {
			const failure = Failure.from(error);
			if (!KEEPS_NOTHING.includes(failure.code)) {
				report(failure);
			}
		}
	};
	/** @param {string} origin */
	const revoke = (origin) => host.revoke(origin);
	const followPolicy = async () => {
		const { grants = [] } = await host.grants();
		for (const { origin } of grants) {
			const { consent, managed } = await site(origin);
			// What the person decided themselves may be otherwise in another browser, which has the same host.
			if (consent !== 'allow' && (managed.consent || managed.remember)) {
				await revoke(origin);
			}
		}
	};
	onDisallowed((origin) => void attempt(() => revoke(origin)));
	ext.storage.onChanged.addListener((_changes, area) => {
		if (area === 'managed') {
			void attempt(followPolicy);
		}
	});
}
