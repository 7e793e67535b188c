/**
 * What was recorded: a file in the site's own storage (OPFS), else parts in memory. It is there until it is removed, also
 * when the tab was closed in mid-recording; then `unfinished` finds it at the next visit. A lock tells whether a tab has it.
 */
import { t } from '../language.js';

/** What MediaRecorder writes has no length and no index of places. */
const RAW = '.raw';

/** The library that writes both into it; a server may lack it. */
const LIBRARY = new URL('../../library/mediabunny.min.mjs', import.meta.url).href;

/** @param {string} name */
const lockOf = (name) => `recording ${name}`;

async function folder() {
	return (await navigator.storage.getDirectory()).getDirectoryHandle('recordings', { create: true });
}

export class Tape {
	/** Bytes so far. */
	size = 0;
	/** Where there is no disk. @type {Blob[] | null} */
	parts = null;
	/** The worker that writes. @type {import('./beside.js').Beside | null} */
	beside = null;
	/** @type {(value?: unknown) => void} */
	unlock = () => {};
	/** What was made of it for saving. @type {{file: Blob, seekable: boolean, why: string} | null} */
	made = null;

	/** @param {string} name of the file as it is saved */
	constructor(name) {
		this.name = name;
	}

	/** A new one. @param {string} name @param {import('./beside.js').Beside} beside */
	static async make(name, beside) {
		const tape = new Tape(name);
		try {
			await tape.#lock();
			await beside.ask({ open: name + RAW });
			tape.beside = beside;
		} catch {
			// Firefox has no such storage in private windows.
			tape.parts = [];
		}
		return tape;
	}

	/** Resolves once it is held. */
	#lock() {
		return new Promise((held, failed) => {
			navigator.locks
				.request(lockOf(this.name), () => {
					held(true);
					return new Promise((unlock) => (this.unlock = unlock));
				})
				.catch(failed);
		});
	}

	/** Adds to its end. @param {Blob} chunk @throws where the disk is full */
	async write(chunk) {
		if (this.beside) {
			const bytes = await chunk.arrayBuffer();
			this.size = (await this.beside.ask({ chunk: bytes }, [bytes])).size;
		} else {
			this.parts?.push(chunk);
			this.size += chunk.size;
		}
	}

	/** Nothing more comes. */
	async end() {
		await this.beside?.ask({ close: true });
		this.beside = null;
	}

	/** @returns {Promise<Blob>} what was recorded, as it is */
	async raw() {
		return this.parts ? new Blob(this.parts, { type: 'video/webm' }) : (await (await folder()).getFileHandle(this.name + RAW)).getFile();
	}

	/**
	 * The file to save: with its length and an index of places. Where that can't be had, what was recorded as it is, and why.
	 * @param {(part: number) => void} progress 0 to 1
	 * @returns {Promise<{file: Blob, seekable: boolean, why: string}>}
	 */
	async finish(progress) {
		if (!this.made) {
			const raw = await this.raw();
			try {
				this.made = { file: await this.#seekable(raw, progress), seekable: true, why: '' };
			} catch (error) {
				this.made = { file: raw, seekable: false, why: /** @type {Error} */ (error).message };
			}
		}
		return this.made;
	}

	/** @param {Blob} raw @param {(part: number) => void} progress */
	async #seekable(raw, progress) {
		const library = await import(LIBRARY).catch(() => {
			throw new Error(t('This server has no mediabunny, the library for that.'));
		});
		const { BlobSource, BufferTarget, Conversion, Input, Output, StreamTarget, WEBM, WebMOutputFormat } = library;
		const handle = this.parts ? null : await (await folder()).getFileHandle(this.name, { create: true });
		const target = handle ? new StreamTarget(await handle.createWritable(), { chunked: true }) : new BufferTarget();
		const conversion = await Conversion.init({
			input: new Input({ source: new BlobSource(raw), formats: [WEBM] }),
			output: new Output({ format: new WebMOutputFormat(), target }),
			// Not encoded again, whatever the times of the first sound and picture are.
			copy: { mode: 'forced', shiftTolerance: Infinity },
		});
		if (!conversion.isValid || conversion.discardedTracks.length) {
			const reasons = conversion.discardedTracks.map((/** @type {any} */ { reason }) => reason);
			throw new Error(reasons.length ? t('The recording could not be read: {0}.', reasons.join(', ')) : t('The recording could not be read: it has no picture.'));
		}
		conversion.onProgress = progress;
		await conversion.execute();
		return handle ? handle.getFile() : new Blob([target.buffer], { type: 'video/webm' });
	}

	/** Takes it from the disk, or from memory. */
	async remove() {
		if (!this.parts) {
			const all = await folder();
			await Promise.all([this.name, this.name + RAW].map((name) => all.removeEntry(name).catch(() => {})));
		}
		this.parts = null;
		this.unlock();
	}

	/** What a tab that is gone left behind. @returns {Promise<Tape[]>} each is this tab's now */
	static async unfinished() {
		if (!navigator.storage?.getDirectory || !navigator.locks) {
			return [];
		}
		const { held = [] } = await navigator.locks.query();
		const all = await folder();
		const left = [];
		for await (const [entry, handle] of /** @type {any} */ (all).entries()) {
			const name = entry.endsWith(RAW) ? entry.slice(0, -RAW.length) : entry;
			if (held.some((lock) => lock.name === lockOf(name))) {
				continue;
			}
			const { size } = await handle.getFile();
			if (entry === name || !size) {
				await all.removeEntry(entry);
				continue;
			}
			const tape = Object.assign(new Tape(name), { size });
			await tape.#lock();
			left.push(tape);
		}
		return left;
	}
}
