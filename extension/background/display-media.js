/**
 * On which sites getDisplayMedia is ours: page/display-media.js is registered with the browser for these and no other, so
 * that it is there before a page's own scripts, and other pages see nothing of it.
 */
import { ext } from './ext.js';
import { displayMediaMissing, listSites } from './sites.js';

const ID = 'display-media';

/**
 * The pattern of an origin's pages. It knows no ports: what is another site of the same host is told by the answer to
 * its first question that it is not switched on, and goes to the browser's own.
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
		return; // The browser kept it; a page that loads just now is not to miss it.
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

/** One at a time, and what changes meanwhile makes one more. */
let last = Promise.resolve();
function update() {
	last = last.then(register).catch((error) => console.warn('Portlight: getDisplayMedia could not be registered:', error));
	return last;
}

/** From now on what is registered follows what the person and the organization decided; resolves when it first does. */
export function begin() {
	ext.storage.onChanged.addListener((changes, area) => {
		if (area === 'managed' || (area === 'local' && 'sites' in changes)) {
			void update();
		}
	});
	return update();
}
