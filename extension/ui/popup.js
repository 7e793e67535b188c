/** The popup: what is shared with whom, and a Stop for each. */
import { ext } from '../background/ext.js';
import { element, text, translate } from './text.js';

/** @typedef {import('../background/shares.js').ShareInfo} ShareInfo */

/** @param {string} origin */
function siteOf(origin) {
	return URL.canParse(origin) ? new URL(origin).host : text('unnamedSite');
}

/** @param {ShareInfo} share */
function row(share) {
	const site = siteOf(share.origin);
	const time = new Date(share.since).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
	const surface = text(share.surface === 'window' ? 'surfaceWindow' : 'surfaceMonitor');

	const name = document.createElement('p');
	name.className = 'site';
	name.textContent = site;
	name.title = share.title || share.origin;
	const what = document.createElement('p');
	what.className = 'quiet';
	what.textContent = text('since', surface, time);
	const words = document.createElement('div');
	words.append(name, what);

	const stop = document.createElement('button');
	stop.className = 'danger';
	stop.textContent = text('stop');
	stop.setAttribute('aria-label', text('stopShareWith', site));
	stop.addEventListener('click', () => {
		stop.disabled = true;
		void ext.runtime.sendMessage({ type: 'stop', key: share.key });
	});

	const item = document.createElement('li');
	item.className = 'share card';
	item.append(words, stop);
	return item;
}

async function refresh() {
	/** @type {ShareInfo[]} */
	const shares = await ext.runtime.sendMessage({ type: 'shares' });
	element('shares').replaceChildren(...shares.map(row));
	element('none').hidden = shares.length > 0;
	/** @type {{failure?: {message: string, remedy: string}}} */
	const { failure } = await ext.storage.session.get('failure');
	element('failure').hidden = !failure;
	if (failure) {
		element('failure-message').textContent = failure.message;
		element('failure-remedy').textContent = failure.remedy;
	}
}

translate();
element('settings').addEventListener('click', () => {
	void ext.runtime.openOptionsPage();
	window.close();
});
ext.runtime.onMessage.addListener((message) => {
	if (message?.type === 'shares-changed') {
		void refresh();
	}
});
await refresh();
