/** What the organization decided for everyone (managed.json is its schema); it is laid over what the person chose. */
import { ext } from './ext.js';

/**
 * @typedef {{dialects?: Record<string, boolean>, allowedSites?: string[], blockedSites?: string[],
 *   nativePath?: 'forced' | 'off', remember?: boolean}} Managed
 */

/** @returns {Promise<Managed>} */
export async function managed() {
	try {
		return await ext.storage.managed.get(null);
	} catch {
		return {}; // Firefox rejects where nothing is managed.
	}
}
