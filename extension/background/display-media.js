/**
 * Which sites get scripts before their own: those that use our getDisplayMedia, and those that the user says were made for
 * another extension. Other pages get none.
 */
import { ext } from './ext.js';
import { listSites } from './sites.js';

/** By the name of the choice for a site. */
const SCRIPTS = /** @type {const} */ ({ displayMedia: 'display-media', legacy: 'legacy' });

/**
 * The match pattern of an origin. Patterns have no ports, so other ports of the host get the script too: there it is the
 * answer to its first question that the site isn't switched on, and it calls the browser's own function.
 * @param {string} origin
 */
function patternOf(origin) {
	const { protocol, hostname } = new URL(origin);
	return `${protocol}//${hostname}/*`;
}

/** @param {string} id @param {string[]} matches */
async function register(id, matches) {
	const [now] = await ext.scripting.getRegisteredContentScripts({ ids: [id] });
	if (`${now?.matches ?? []}` === `${matches}`) {
		return; // The browser kept it. Registering again would miss a page that is loading now.
	}
	if (now) {
		await ext.scripting.unregisterContentScripts({ ids: [id] });
	}
	if (matches.length > 0) {
		const how = { allFrames: true, matchOriginAsFallback: true, runAt: /** @type {const} */ ('document_start'), world: /** @type {const} */ ('MAIN') };
		await ext.scripting.registerContentScripts([{ id, js: [`scripts/${id}.js`], matches, ...how }]);
	}
}

async function registerAll() {
	const sites = await listSites();
	for (const [choice, id] of Object.entries(SCRIPTS)) {
		const on = sites.filter((site) => site[/** @type {keyof typeof SCRIPTS} */ (choice)]);
		await register(id, [...new Set(on.map(({ origin }) => patternOf(origin)))]);
	}
}

/** One update at a time, in order. */
let last = Promise.resolve();
function update() {
	last = last.then(registerAll).catch((error) => console.warn('Portlight: scripts of sites could not be registered:', error));
	return last;
}

/** Keeps the registrations as the user and the organization decided; resolves after the first update. */
export function begin() {
	ext.storage.onChanged.addListener((changes, area) => {
		if (area === 'managed' || (area === 'local' && 'sites' in changes)) {
			void update();
		}
	});
	return update();
}
