/** What the toolbar shows: who asks, sharing, paused or a problem, how many shares are live, and for the popup what went wrong last. */
import { ext } from './ext.js';

/**
 * @typedef {import('./share.js').ShareInfo} ShareInfo
 * @typedef {import('../shared/failure.js').Failure} Failure
 * @typedef {import('./source-ids.js').Place} Place
 */

/** @type {ShareInfo[]} */
let live = [];
/** @type {Place[]} of the pages whose dialog is open */
const places = [];
let problem = false;

/** What most needs to be seen. */
function state() {
	if (places.length > 0) {
		return 'asking';
	}
	if (live.length > 0) {
		return live.every(({ paused }) => paused) ? 'paused' : 'sharing';
	}
	return problem ? 'problem' : 'icon';
}

/** @param {Place} place */
function nameOf({ origin, top }) {
	const [site, around] = [origin, top].map((one = '') => (URL.canParse(one) ? new URL(one).host : ext.i18n.getMessage('unnamedSite')));
	return top === undefined ? site : ext.i18n.getMessage('siteInFrame', [site, around]);
}

/** Whose dialogs are open, the newest last. */
export function asking() {
	return places.map((place) => ({ tabId: place.tabId, site: nameOf(place) }));
}

const TITLES = { asking: 'titleAsking', sharing: 'sharing', paused: 'titlePaused', problem: 'titleProblem', icon: 'name' };

function draw() {
	const now = state();
	const count = String(live.length);
	void ext.action.setIcon({ path: { 16: `/icons/${now}-16.png`, 32: `/icons/${now}-32.png` } });
	void ext.action.setBadgeBackgroundColor({ color: '#c01c28' });
	void ext.action.setBadgeTextColor({ color: '#ffffff' });
	void ext.action.setBadgeText({ text: live.length === 0 ? '' : count });
	void ext.action.setTitle({ title: ext.i18n.getMessage(TITLES[now], [now === 'asking' ? asking().slice(-1)[0].site : count]) });
	// Nobody listens while no popup is open.
	ext.runtime.sendMessage({ type: 'shares-changed' }).catch(() => {});
}

/**
 * What an earlier life of this background wrote on the toolbar is still there, but no share outlives that life. What
 * went wrong last is still true.
 */
export async function begin() {
	draw();
	problem = (await ext.storage.session.get('failure')).failure !== undefined;
	draw();
}

/** @param {ShareInfo[]} shares */
export function show(shares) {
	const more = shares.length > live.length;
	live = shares;
	if (more) {
		void forgive();
	}
	draw();
}

/**
 * Shows who asks the person, for as long as the dialog is open.
 *
 * @param {import('./requests.js').Choose} choose
 * @returns {import('./requests.js').Choose}
 */
export function whileAsking(choose) {
	return async (port, place, ...rest) => {
		places.push(place);
		draw();
		try {
			return await choose(port, place, ...rest);
		} finally {
			places.splice(places.indexOf(place), 1);
			draw();
		}
	};
}

/**
 * Keeps the reason of a request that failed, for the popup; it survives the worker.
 *
 * @param {Failure} failure
 */
export function report(failure) {
	console.warn('Portlight:', failure.code, failure.message, failure.detail);
	const { code, message, remedy, detail } = failure;
	problem = true;
	void ext.storage.session.set({ failure: { code, message, remedy, detail, when: Date.now() } });
	draw();
}

/** The last failure matters no more. */
export async function forgive() {
	problem = false;
	await ext.storage.session.remove('failure');
	draw();
}
