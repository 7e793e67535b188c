/** The part of a page that records: a button, what runs with its clock and size, who else records, what waits to be saved. */
import { t } from '../language.js';
import { camera } from '../media.js';
import { drawRows, find, make, onClick, say, sayError, size } from '../ui.js';
import { Recorder } from './recorder.js';
import { Tape } from './tape.js';

/** How long a file that is being downloaded may be needed, in milliseconds. */
const DOWNLOAD_MS = 60_000;

/** @param {number} ms */
const clock = (ms) => {
	const seconds = Math.floor(ms / 1000);
	const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	return parts.slice(parts[0] ? 0 : 1).map((part, at) => (at ? String(part).padStart(2, '0') : part)).join(':');
};

export class RecordingPanel {
	/** @type {Recorder | null} */
	recorder = null;
	/** The start that is under way, or was the last. @type {object | null} */
	attempt = null;
	/** Those that wait to be saved. @type {{tape: Tape, state: string, busy: boolean, saved: boolean}[]} */
	kept = [];
	/** Others who record. @type {{name: string, since: number}[]} */
	others = [];

	/**
	 * @param {object} page
	 * @param {(marks: boolean) => import('./recorder.js').Picture} page.picture
	 * @param {() => MediaStreamTrack[]} page.sound of what is shown
	 * @param {(on: boolean) => void} page.announce tells the others
	 */
	constructor(page) {
		this.page = page;
		onClick('#record', () => (this.recorder ? this.stop() : this.start()));
		setInterval(() => this.draw(), 1000);
		Tape.unfinished()
			.then((tapes) => {
				tapes.forEach((tape) => this.kept.push({ tape, state: t('left from an earlier visit'), busy: false, saved: false }));
				this.draw();
			})
			.catch(() => {});
	}

	async start() {
		const attempt = {};
		this.attempt = attempt;
		const sound = this.page.sound().map((track) => track.clone());
		if (find('#recordVoice').checked) {
			sound.push(...(await camera({ audio: true, video: false }, say)).getTracks());
		}
		const recorder = new Recorder(this.page.picture(find('#recordMarks').checked), sound);
		recorder.addEventListener('failed', (event) => {
			sayError(new Error(t('The recording ended: {0}. What came before can be saved.', /** @type {CustomEvent} */ (event).detail.message)));
			void this.stop();
		});
		try {
			await recorder.start();
		} catch (error) {
			sound.forEach((track) => track.stop());
			throw error;
		}
		if (this.attempt !== attempt) {
			// What was to be recorded ended before the microphone was allowed.
			await (await recorder.stop()).remove();
			return;
		}
		this.recorder = recorder;
		this.announce();
		this.draw();
	}

	/** Ends what runs, if something does; it can be saved then. */
	async stop() {
		this.attempt = null;
		const { recorder } = this;
		if (recorder) {
			this.recorder = null;
			this.page.announce(false);
			const lasted = clock(performance.now() - recorder.since);
			this.kept.push({ tape: await recorder.stop(), state: lasted, busy: false, saved: false });
			this.draw();
		}
	}

	/** Tells the others, again where they have forgotten. */
	announce() {
		if (this.recorder) {
			this.page.announce(true);
		}
	}

	/** @param {{name: string, since: number}[]} others who record now */
	heard(others) {
		const was = this.others;
		this.others = others;
		const [begun, ended] = [others.filter(({ name }) => !was.some((one) => one.name === name)), was.filter(({ name }) => !others.some((one) => one.name === name))];
		if (begun.length + ended.length) {
			say([...begun.map(({ name }) => t('{0} records this.', name)), ...ended.map(({ name }) => t('{0} stopped recording.', name))].join(' '));
		}
		this.draw();
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	async save(entry) {
		entry.busy = true;
		entry.state = t('is made ready');
		this.draw();
		const { file, seekable, why } = await entry.tape.finish((part) => {
			entry.state = t('is made ready: {0} %', Math.round(100 * part));
			this.draw();
		});
		const href = URL.createObjectURL(file);
		make('a', { href, download: entry.tape.name }).click();
		setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_MS);
		Object.assign(entry, { busy: false, saved: true, state: t('saved') });
		this.draw();
		say(seekable ? t('The recording is saved: {0}.', entry.tape.name) : t('The recording is saved, but players can’t jump to a place in it. {0}', why), !seekable);
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	async discard(entry) {
		if (entry.saved || confirm(t('Discard {0}? It was not saved.', entry.tape.name))) {
			this.kept = this.kept.filter((one) => one !== entry);
			await entry.tape.remove();
			this.draw();
		}
	}

	/** Where what waits is shown: inside the room, or before it. @param {boolean} inside */
	place(inside) {
		find(inside ? '#recording' : '#entrance').append(find('#kept'));
		find('#kept').classList.toggle('card', !inside);
		this.draw();
	}

	draw() {
		const { recorder, others, kept } = this;
		const now = performance.now();
		find('#record').setAttribute('aria-pressed', String(Boolean(recorder)));
		find('#record').textContent = recorder ? t('Stop recording') : t('Record');
		['#recordMarks', '#recordVoice'].forEach((id) => (find(id).disabled = Boolean(recorder)));
		const runs = recorder ? [t('You record · {0} · {1}', clock(now - recorder.since), size(recorder.tape?.size ?? 0))] : [];
		const badges = [...runs, ...others.map(({ name, since }) => t('{0} records · {1}', name, clock(now - since)))];
		drawRows(find('#recorders'), badges.map((text, at) => ({ key: String(at), state: text, make: () => make('li', {}, text) })));
		find('#kept').hidden = !kept.length;
		drawRows(find('#keptList'), kept.map((entry) => ({ key: entry.tape.name, state: [entry.state, entry.tape.size], make: () => this.#row(entry) })));
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	#row(entry) {
		const { tape, state, busy, saved } = entry;
		const { name } = tape;
		const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => Promise<void>} */ act) =>
			make('button', { type: 'button', className: 'narrow', disabled: busy, 'aria-label': label, onclick: () => act().catch(sayError) }, text);
		const save = () => this.save(entry);
		const buttons = [
			saved ? button(t('Save again'), t('Save again: {0}', name), save) : button(t('Save'), t('Save: {0}', name), save),
			button(t('Discard'), t('Discard: {0}', name), () => this.discard(entry)),
		];
		return make('li', {}, make('span', { className: 'name' }, name), make('span', { className: 'quiet small' }, `${state} · ${size(tape.size)}`), make('div', { className: 'row' }, ...buttons));
	}
}
