import { createContext, runInContext } from 'node:vm';

const PLATFORM = `
	globalThis.window = globalThis;
	class Document {
		get visibilityState() { return says.visibilityState; }
		get prerendering() { return says.prerendering; }
	}
	Object.defineProperty(Document.prototype, 'featurePolicy', { get: () => ({ allowsFeature: () => says.policy }) });
	globalThis.Document = Document;
	globalThis.document = new Document();
	globalThis.VideoDecoder = class {
		static isConfigSupported = async ({ codec }) => ({ supported: says.codecs.includes(codec) });
	};
`;

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
		/** What the browser says of it: a page can not change that, but hide it. */
		this.says = { visibilityState: 'visible', prerendering: false, policy: true, codecs: ['vp8', 'vp09.00.10.08'] };
		this.world = createContext({ navigator: { userActivation }, addEventListener, says: this.says });
		runInContext(PLATFORM, this.world);
	}

	run({ func, args = [] }) {
		return runInContext(`(${func})(...${JSON.stringify(args)})`, this.world);
	}

	/** The page names elements so: that hides properties of its window and of its document. @param {...string} names */
	clobber(...names) {
		names.forEach((name) => runInContext(`window.${name} = {}; Object.defineProperty(document, '${name}', { value: {} })`, this.world));
	}

	/** The user clicks or types; or a page only says that they do. */
	act(type = 'pointerdown', more = {}) {
		const event = { isTrusted: true, ...more };
		if (event.isTrusted && event.key !== 'Escape') {
			this.acted = Date.now();
		}
		this.listeners.filter(([wanted]) => wanted === type).forEach(([, listener]) => listener(event));
	}
}
