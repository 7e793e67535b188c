import { createContext, runInContext } from 'node:vm';

/** A document, as a browser that counts acts for 5 s keeps it: the extension's scripts really run in it. */
export class Document {
	listeners = [];

	/** @param {Document} [before] of the same origin in the same frame, whose acts Chromium takes over */
	constructor(before) {
		this.acted = before?.acted ?? -Infinity;
		const acted = () => this.acted;
		const userActivation = {
			get isActive() {
				return Date.now() - acted() < 5000;
			},
			get hasBeenActive() {
				return acted() > 0;
			},
		};
		const addEventListener = (type, listener) => this.listeners.push([type, listener]);
		this.world = createContext({ navigator: { userActivation }, addEventListener });
		runInContext('globalThis.window = globalThis', this.world);
	}

	run({ func, args = [] }) {
		return runInContext(`(${func})(...${JSON.stringify(args)})`, this.world);
	}

	/** The person clicks or types; or a page only says that they do. */
	act(type = 'pointerdown', more = {}) {
		const event = { isTrusted: true, ...more };
		if (event.isTrusted && event.key !== 'Escape') {
			this.acted = Date.now();
		}
		this.listeners.filter(([wanted]) => wanted === type).forEach(([, listener]) => listener(event));
	}
}
