/** One live share in the popup: its picture, what is shared with whom and for how long, its buttons, its figures. */
import { ext } from '../background/ext.js';
import { play } from './player.js';
import { announce, ask, failureText, make, number, siteName, symbol, text } from './text.js';

/** @typedef {import('../background/share.js').ShareInfo} ShareInfo */

/** Each preview is one more decoder. */
const PREVIEWS_MAX = 2;
const WIDTH_MAX = 720;
let previews = 0;

/**
 * @param {string} name of its symbol and text
 * @param {string} label for screen readers: one button of each name stands on each card
 * @param {() => void} press
 */
function button(name, label, press) {
	const made = make('button', name === 'stop' ? 'danger' : '', symbol(name), make('span', '', text(name)));
	made.setAttribute('aria-label', label);
	made.addEventListener('click', press);
	return made;
}

/** @param {number} since in ms @returns {string} as `12:34`, or `1:02:03` */
function elapsed(since) {
	const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
	const rest = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
	const hours = Math.floor(seconds / 3600);
	return [...(hours > 0 ? [hours, rest[0]] : [Number(rest[0])]), rest[1]].join(':');
}

/** @param {ShareInfo} share */
function whatIsShared({ surface, width, height, region }) {
	const what = text(surface === 'window' ? 'surfaceWindow' : 'surfaceMonitor');
	const size = `${width} × ${height}`;
	return region ? text('surfaceRegion', what, size, `${region.x}, ${region.y}`) : `${what}, ${size}`;
}

export class ShareCard {
	#key;
	#canvas = make('canvas', '');
	#badge = make('span', 'badge', symbol('pause'), text('paused'));
	#what = make('p', 'quiet');
	#state = make('p', 'quiet live');
	#figures = make('p', 'figures quiet');
	#details = make('details', '', make('summary', 'quiet', text('details')), this.#figures);
	#pause;
	/** @type {chrome.runtime.Port | null} */
	#port = null;
	/** @type {{cpuMs: number, at: number} | null} */
	#before = null;
	#cost = '';
	/** Whether the user has paused it. */
	#paused = false;
	/** @type {ShareInfo} */
	#share;

	/** @param {ShareInfo} share */
	constructor(share) {
		this.#share = share;
		this.#key = share.key;
		this.site = siteName(share.origin, share.top);
		this.#pause = button('pause', text('pauseShareWith', this.site), () => void ask(this.#paused ? 'resume' : 'pause', { key: this.#key }));
		const another = button('another', text('anotherWith', this.site), () => void this.#another());
		another.className = 'plain another';
		const stop = button('stop', text('stopShareWith', this.site), () => {
			// A disabled button would lose the focus to the body.
			if (stop.ariaDisabled !== 'true') {
				stop.ariaDisabled = 'true';
				void ask('stop', { key: this.#key });
			}
		});
		this.#details.addEventListener('toggle', () => void this.#showFigures());
		const buttons = make('div', 'buttons', this.#pause, stop);
		this.element = make('li', 'share card', ...this.#picture(share), this.#words(share), buttons, this.#details, another);
	}

	/** @param {ShareInfo} share */
	update(share) {
		this.#share = share;
		const byUser = share.pausedBy.includes('person');
		this.element.classList.toggle('paused', share.paused);
		if (byUser !== this.#paused) {
			this.#paused = byUser;
			const verb = byUser ? 'resume' : 'pause';
			this.#pause.replaceChildren(symbol(verb), make('span', '', text(verb)));
			this.#pause.setAttribute('aria-label', text(byUser ? 'resumeShareWith' : 'pauseShareWith', this.site));
		}
		const state = text(!share.paused ? 'live' : byUser ? 'paused' : 'pausedByPage');
		this.#what.textContent = whatIsShared(share);
		this.#state.textContent = `${state} · ${elapsed(share.since)}`;
		void this.#showFigures();
	}

	remove() {
		if (this.#port) {
			previews--;
			this.#port.disconnect();
		}
		this.element.remove();
	}

	/** @param {ShareInfo} share */
	#picture({ width, height }) {
		if (previews === PREVIEWS_MAX) {
			return [];
		}
		previews++;
		const canvas = this.#canvas;
		canvas.width = Math.min(WIDTH_MAX, width || 16);
		canvas.height = Math.max(1, Math.round((canvas.width * (height || 9)) / (width || 16)));
		canvas.setAttribute('role', 'img');
		canvas.setAttribute('aria-label', text('previewOf', this.site));
		this.#port = ext.runtime.connect({ name: 'preview' });
		play(this.#port, canvas);
		this.#port.postMessage({ key: this.#key });
		return [make('div', 'picture', canvas, this.#badge)];
	}

	/** @param {ShareInfo} share */
	#words({ origin, title, tabId, restored }) {
		const name = make('button', 'site', this.site);
		name.title = [title, origin].filter(Boolean).join('\n');
		name.addEventListener('click', async () => {
			const tab = await ext.tabs.update(tabId, { active: true });
			await ext.windows.update(/** @type {chrome.tabs.Tab} */ (tab).windowId, { focused: true });
			window.close();
		});
		const again = make('p', 'restored quiet', text('restored'));
		again.hidden = !restored;
		return make('div', 'words', name, this.#what, this.#state, again);
	}

	async #another() {
		const answer = await ask('change', { key: this.#key });
		if (answer?.ok === false && answer.code !== 'denied') {
			announce(failureText(answer).message);
		}
	}

	/** Nobody counts what nobody looks at. */
	async #showFigures() {
		if (!this.#details.open) {
			return;
		}
		const { fps, kbps, codec } = this.#share;
		const rate = text('figures', number(fps), number(kbps / 1000), codec.toUpperCase());
		this.#figures.textContent = [rate, this.#cost].filter(Boolean).join('\n');
		const { ok, cpuMs, rssKiB } = (await ask('share-stats', { key: this.#key })) ?? {};
		const at = performance.now();
		if (!ok || cpuMs === undefined || (this.#before && at - this.#before.at <= 500)) {
			return; // The host can't say, or it was asked a moment ago.
		}
		if (this.#before) {
			const busy = (cpuMs - this.#before.cpuMs) / (at - this.#before.at);
			const percent = number(Math.max(0, busy), { style: 'percent', maximumFractionDigits: 0 });
			this.#cost = text('cost', percent, number(rssKiB / 1024, { maximumFractionDigits: 0 }));
		}
		this.#before = { cpuMs, at };
	}
}
