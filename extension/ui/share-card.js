/** One live share in the popup: its preview, to whom and since when, what it costs, Pause and Stop. */
import { ext } from '../background/ext.js';
import { play } from './player.js';
import { language, make, number, siteName, symbol, text } from './text.js';

/** @typedef {import('../background/share.js').ShareInfo} ShareInfo */

/** Each preview is one more decoder. */
const PREVIEWS_MAX = 2;
let previews = 0;

/** @param {string} name of its symbol and text @param {string} className */
function button(name, className) {
	return make('button', className, symbol(name), make('span', '', text(name)));
}

export class ShareCard {
	#key;
	#figures = make('p', 'figures quiet');
	#badge = make('span', 'badge');
	#pause = button('pause', '');
	/** @type {chrome.runtime.Port | null} */
	#port = null;
	/** @type {{cpuMs: number, at: number} | null} */
	#before = null;
	#cost = '';
	#paused = false;
	#shown = '';

	/** @param {ShareInfo} share */
	constructor(share) {
		this.#key = share.key;
		this.site = siteName(share.origin, share.top);
		this.element = make('li', 'share card');
		this.element.append(...this.#picture(), this.#words(share));
	}

	/** @param {ShareInfo} share */
	update(share) {
		this.#paused = share.pausedBy.includes('person');
		this.element.classList.toggle('paused', share.paused);
		const shown = `${share.paused} ${this.#paused}`;
		if (shown !== this.#shown) {
			this.#shown = shown;
			const state = share.paused && !this.#paused ? 'pausedByPage' : share.paused ? 'paused' : 'live';
			this.#badge.replaceChildren(symbol(share.paused ? 'pause' : 'screen'), text(state));
			const verb = this.#paused ? 'resume' : 'pause';
			this.#pause.replaceChildren(symbol(verb), make('span', '', text(verb)));
			this.#pause.setAttribute('aria-label', text(this.#paused ? 'resumeShareWith' : 'pauseShareWith', this.site));
		}
		const size = `${share.width} × ${share.height}`;
		const rate = text('figures', size, number(share.fps), number(share.kbps / 1000), share.codec.toUpperCase());
		this.#figures.textContent = [rate, this.#cost].filter(Boolean).join('\n');
		void this.#ask();
	}

	remove() {
		if (this.#port) {
			previews--;
			this.#port.disconnect();
		}
		this.element.remove();
	}

	#picture() {
		if (previews === PREVIEWS_MAX) {
			return [];
		}
		previews++;
		const canvas = make('canvas', '');
		canvas.setAttribute('role', 'img');
		canvas.setAttribute('aria-label', text('previewOf', this.site));
		this.#port = ext.runtime.connect({ name: 'preview' });
		play(this.#port, canvas);
		this.#port.postMessage({ key: this.#key });
		return [make('div', 'picture', canvas, this.#badge)];
	}

	/** @param {ShareInfo} share */
	#words({ origin, title, tabId, surface, since, restored }) {
		const name = make('button', 'site', this.site);
		name.title = [title, origin].filter(Boolean).join('\n');
		name.addEventListener('click', async () => {
			const tab = await ext.tabs.update(tabId, { active: true });
			await ext.windows.update(/** @type {chrome.tabs.Tab} */ (tab).windowId, { focused: true });
			window.close();
		});
		const time = new Date(since).toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });
		const what = text('since', text(surface === 'window' ? 'surfaceWindow' : 'surfaceMonitor'), time);
		this.#pause.addEventListener('click', () => {
			void ext.runtime.sendMessage({ type: this.#paused ? 'resume' : 'pause', key: this.#key });
		});
		const stop = button('stop', 'danger');
		stop.setAttribute('aria-label', text('stopShareWith', this.site));
		stop.addEventListener('click', () => {
			if (stop.ariaDisabled === 'true') {
				return;
			}
			// Disabled in earnest, it would lose the focus to the body.
			stop.ariaDisabled = 'true';
			void ext.runtime.sendMessage({ type: 'stop', key: this.#key });
		});
		const again = make('p', 'restored quiet', text('restored'));
		again.hidden = !restored;
		const badge = this.#port ? [] : [this.#badge];
		const buttons = make('div', 'buttons', this.#pause, stop);
		return make('div', 'words', ...badge, name, make('p', 'quiet', what), this.#figures, again, buttons);
	}

	/** What the helper takes, between two times of asking; nothing where the host can't say. */
	async #ask() {
		const { ok, cpuMs, rssKiB } = (await ext.runtime.sendMessage({ type: 'share-stats', key: this.#key })) ?? {};
		if (!ok || cpuMs === undefined) {
			return;
		}
		const at = performance.now();
		if (this.#before && at - this.#before.at > 500) {
			const busy = (cpuMs - this.#before.cpuMs) / (at - this.#before.at);
			const percent = number(Math.max(0, busy), { style: 'percent', maximumFractionDigits: 0 });
			this.#cost = text('cost', percent, number(rssKiB / 1024, { maximumFractionDigits: 0 }));
		}
		if (!this.#before || at - this.#before.at > 500) {
			this.#before = { cpuMs, at };
		}
	}
}
