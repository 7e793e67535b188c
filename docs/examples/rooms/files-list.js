/** Files as a list in the page: sent, offered to this side, on their way, done. */
import { Transfer } from './files.js';
import { t } from './language.js';
import { find, make, size } from './ui.js';

/** Files that may wait for an answer. */
const OFFERS = 100;

export class FileList {
	/** @param {HTMLElement} list @param {(text: string) => void} announce for a screen reader, when something begins or ends */
	constructor(list, announce) {
		this.list = list;
		this.announce = announce;
	}

	/** @param {import('./peer.js').Peer} peer @param {Iterable<File>} files @param {string} to */
	send(peer, files, to) {
		for (const file of files) {
			this.#show(new Transfer(peer.pc.createDataChannel('file'), file), (bytes) => t('{0} to {1}.', bytes, to));
		}
	}

	/** @param {RTCDataChannel} channel @param {string} from */
	receive(channel, from) {
		if (this.list.querySelectorAll('[data-state=offered]').length >= OFFERS) {
			channel.close();
			return;
		}
		this.#show(new Transfer(channel), (bytes) => t('{0} from {1}.', bytes, from));
	}

	/** @param {Transfer} transfer @param {(bytes: string) => string} whose its size, to or from whom */
	#show(transfer, whose) {
		const name = make('span', { className: 'name' });
		const bar = make('progress', { max: 1, value: 0 });
		const text = make('span', { className: 'small quiet numbers' });
		const buttons = make('div', { className: 'row' });
		const item = make('li', {}, name, bar, text, buttons);
		let shown = '';
		const draw = () => {
			item.hidden = !transfer.name;
			name.textContent = transfer.name;
			bar.setAttribute('aria-label', transfer.name);
			bar.hidden = transfer.state !== 'moving';
			bar.value = transfer.size ? transfer.moved / transfer.size : 1;
			text.textContent = `${whose(size(transfer.size))} ${this.#words(transfer)}`;
			const now = transfer.state + transfer.name;
			if (now !== shown) {
				shown = now;
				item.dataset.state = transfer.state;
				item.dataset.sha256 = transfer.digests.join(' ');
				buttons.replaceChildren(...this.#buttons(transfer, item));
				if (transfer.name && transfer.state !== 'moving') {
					this.announce(`${transfer.name}, ${text.textContent}`);
				}
			}
		};
		transfer.addEventListener('change', draw);
		draw();
		this.list.prepend(item);
	}

	/** @param {Transfer} transfer */
	#words(transfer) {
		const { state, error, outgoing, moved } = transfer;
		const what = {
			offered: outgoing ? t('Waiting for the other side to accept.') : t('Do you want it?'),
			moving: t('{0} so far.', size(moved)),
			done: outgoing ? t('Arrived, and the checksum (SHA-256) is the same.') : t('Complete; the checksum (SHA-256) is the sender’s.'),
			cancelled: error,
			declined: error || t('Declined.'),
			broken: error,
		};
		return what[state];
	}

	/** @param {Transfer} transfer @param {HTMLElement} item */
	#buttons(transfer, item) {
		/** @param {string} text @param {() => void} onclick @param {string} [className] */
		const button = (text, onclick, className = '') => make('button', { type: 'button', className: `narrow ${className}`, onclick }, text);
		if (transfer.state === 'offered' && !transfer.outgoing) {
			return [button(t('Accept'), () => transfer.accept(), 'main'), button(t('Decline'), () => transfer.decline())];
		}
		if (!transfer.over) {
			return [button(t('Cancel'), () => transfer.cancel())];
		}
		if (transfer.blob) {
			const href = URL.createObjectURL(transfer.blob);
			const remove = () => {
				URL.revokeObjectURL(href);
				item.remove();
			};
			return [make('a', { className: 'button narrow', href, download: transfer.name }, t('Save')), button(t('Remove'), remove)];
		}
		return [button(t('Remove'), () => item.remove())];
	}
}

/** The most lines that a chat shows, and the longest of them. */
const LINES = 1000;
const LINE = 4000;

/** A chat's lines. @param {string} selector of its list @param {string} by @param {string} text @param {boolean} [mine] */
export function addLine(selector, by, text, mine = false) {
	const log = find(selector);
	log.append(make('li', { className: mine ? 'mine' : '' }, make('span', { className: 'by' }, by), text.slice(0, LINE)));
	if (log.childElementCount > LINES) {
		log.firstChild.remove();
	}
	log.scrollTop = log.scrollHeight;
}
