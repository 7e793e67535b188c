/** What the toolbar shows: asking, sharing, paused or a problem, how many shares are live, and for the popup what went wrong last. */
import { ext } from './ext.js';

/**
 * @typedef {import('./share.js').ShareInfo} ShareInfo
 * @typedef {import('../shared/failure.js').Failure} Failure
 */

/** @type {ShareInfo[]} */
let live = [];
let dialogs = 0;
let problem = false;

/** What most needs to be seen. */
function state() {
	if (dialogs > 0) {
		return 'asking';
	}
	if (live.length > 0) {
		return live.every(({ paused }) => paused) ? 'paused' : 'sharing';
	}
	return problem ? 'problem' : 'icon';
}

const TITLES = { asking: 'titleAsking', sharing: 'sharing', paused: 'titlePaused', problem: 'titleProblem', icon: 'name' };

function draw() {
	const now = state();
	const count = String(live.length);
	void ext.action.setIcon({ path: { 16: `/icons/${now}-16.png`, 32: `/icons/${now}-32.png` } });
	void ext.action.setBadgeBackgroundColor({ color: '#c01c28' });
	void ext.action.setBadgeTextColor({ color: '#ffffff' });
	void ext.action.setBadgeText({ text: live.length === 0 ? '' : count });
	void ext.action.setTitle({ title: ext.i18n.getMessage(TITLES[now], [count]) });
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
 * Shows that the person is asked, for as long as they are.
 *
 * @template {any[]} Args
 * @template Given
 * @param {(...args: Args) => Promise<Given>} choose
 * @returns {(...args: Args) => Promise<Given>}
 */
export function whileAsking(choose) {
	return async (...args) => {
		dialogs++;
		draw();
		try {
			return await choose(...args);
		} finally {
			dialogs--;
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
