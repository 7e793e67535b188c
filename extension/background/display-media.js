/**
 * Which sites use our getDisplayMedia. page/display-media.js is registered with the browser for these alone, so it runs
 * before their own scripts, and other pages don't notice it.
 */
import { ext } from './ext.js';
import { displayMediaMissing, listSites } from './sites.js';

const ID = 'display-media';

/**
 * The match pattern of an origin. Patterns have no ports, so other ports of the host get the script too: the answer to
 * its first question is that the site isn't switched on, and it calls the browser's own function.
 *
 * @param {string} origin
 */
function patternOf(origin) {
	const { protocol, hostname } = new URL(origin);
	return `${protocol}//${hostname}/*`;
}

async function wanted() {
	const sites = await listSites();
	const patterns = (/** @type {boolean} */ on) => [
		...new Set(sites.filter(({ displayMedia }) => displayMedia === on).map(({ origin }) => patternOf(origin))),
	];
	const on = patterns(true);
	if (!displayMediaMissing()) {
		return { matches: on, excludeMatches: [] };
	}
	const everywhere = ext.runtime.getManifest().host_permissions ?? [];
	return { matches: everywhere, excludeMatches: patterns(false).filter((pattern) => !on.includes(pattern)) };
}

async function register() {
	const [[now], { matches, excludeMatches }] = await Promise.all([
		ext.scripting.getRegisteredContentScripts({ ids: [ID] }),
		wanted(),
	]);
	if (now && `${now.matches}` === `${matches}` && `${now.excludeMatches ?? []}` === `${excludeMatches}`) {
		return; // The browser kept it. Registering again would miss a page that is loading now.
	}
	if (now) {
		await ext.scripting.unregisterContentScripts({ ids: [ID] });
	}
	if (matches.length > 0) {
		await ext.scripting.registerContentScripts([
			{
				id: ID,
				js: ['page/display-media.js'],
				matches,
				...(excludeMatches.length > 0 && { excludeMatches }),
				allFrames: true,
				matchOriginAsFallback: true,
				runAt: 'document_start',
				world: 'MAIN',
			},
		]);
	}
}

/** One update at a time, in order. */
let last = Promise.resolve();
function update() {
	last = last.then(register).catch((error) => console.warn('Portlight: getDisplayMedia could not be registered:', error));
	return last;
}

/** Keeps the registration as the user and the organization decided; resolves after the first update. */
export function begin() {
	ext.storage.onChanged.addListener((changes, area) => {
		if (area === 'managed' || (area === 'local' && 'sites' in changes)) {
			void update();
		}
	});
	return update();
}
