/** The part of a page that records: a button, what runs with its clock and size, who else records, what waits to be saved. */
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
	/** Those that wait to be saved. @type {{tape: Tape, state: string, busy: boolean}[]} */
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
				tapes.forEach((tape) => this.kept.push({ tape, state: 'left from an earlier visit', busy: false }));
				this.draw();
			})
			.catch(() => {});
	}

	async start() {
		const sound = this.page.sound().map((track) => track.clone());
		if (find('#recordVoice').checked) {
			sound.push(...(await camera({ audio: true, video: false }, say)).getTracks());
		}
		const recorder = new Recorder(this.page.picture(find('#recordMarks').checked), sound);
		recorder.addEventListener('failed', (event) => {
			sayError(new Error(`The recording ended: ${/** @type {CustomEvent} */ (event).detail.message}. What came before can be saved.`));
			void this.stop();
		});
		try {
			await recorder.start();
		} catch (error) {
			sound.forEach((track) => track.stop());
			throw error;
		}
		this.recorder = recorder;
		this.announce();
		this.draw();
	}

	/** Ends what runs, if something does; it can be saved then. */
	async stop() {
		const { recorder } = this;
		if (recorder) {
			this.recorder = null;
			this.page.announce(false);
			const lasted = clock(performance.now() - recorder.since);
			this.kept.push({ tape: await recorder.stop(), state: lasted, busy: false });
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
			say([...begun.map(({ name }) => `${name} records this.`), ...ended.map(({ name }) => `${name} stopped recording.`)].join(' '));
		}
		this.draw();
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	async save(entry) {
		entry.busy = true;
		entry.state = 'is made ready';
		this.draw();
		const { file, seekable, why } = await entry.tape.finish((part) => {
			entry.state = `is made ready: ${Math.round(100 * part)} %`;
			this.draw();
		});
		const href = URL.createObjectURL(file);
		make('a', { href, download: entry.tape.name }).click();
		setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_MS);
		Object.assign(entry, { busy: false, state: 'saved' });
		this.draw();
		say(seekable ? `The recording is saved: ${entry.tape.name}.` : `The recording is saved, but players can’t jump to a place in it. ${why}`, !seekable);
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	async discard(entry) {
		if (entry.state === 'saved' || confirm(`Discard ${entry.tape.name}? It was not saved.`)) {
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
		find('#record').textContent = recorder ? 'Stop recording' : 'Record';
		['#recordMarks', '#recordVoice'].forEach((id) => (find(id).disabled = Boolean(recorder)));
		const runs = recorder ? [`You record · ${clock(now - recorder.since)} · ${size(recorder.tape?.size ?? 0)}`] : [];
		const badges = [...runs, ...others.map(({ name, since }) => `${name} records · ${clock(now - since)}`)];
		drawRows(find('#recorders'), badges.map((text, at) => ({ key: String(at), state: text, make: () => make('li', {}, text) })));
		find('#kept').hidden = !kept.length;
		drawRows(find('#keptList'), kept.map((entry) => ({ key: entry.tape.name, state: [entry.state, entry.tape.size], make: () => this.#row(entry) })));
	}

	/** @param {RecordingPanel['kept'][0]} entry */
	#row(entry) {
		const { tape, state, busy } = entry;
		const button = (/** @type {string} */ text, /** @type {() => Promise<void>} */ act) =>
			make('button', { type: 'button', className: 'narrow', disabled: busy, 'aria-label': `${text}: ${tape.name}`, onclick: () => act().catch(sayError) }, text);
		const buttons = [button(state === 'saved' ? 'Save again' : 'Save', () => this.save(entry)), button('Discard', () => this.discard(entry))];
		return make('li', {}, make('span', { className: 'name' }, tape.name), make('span', { className: 'quiet small' }, `${state} · ${size(tape.size)}`), make('div', { className: 'row' }, ...buttons));
	}
}
