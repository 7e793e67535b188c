/** Runs the extension's classic scripts, which import nothing, in a window of the test's making. */
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { FakeTime } from './clock.js';

/** Node 18 has no CustomEvent yet. */
export const CustomEvent =
	globalThis.CustomEvent ??
	class extends Event {
		constructor(type, init = {}) {
			super(type, init);
			this.detail = init.detail;
		}
	};

const root = new URL('../../extension/', import.meta.url);
/** @type {WeakMap<object, object>} what Node calls the context of a window */
const contexts = new WeakMap();

/** As browsers make them: what it is of is read by getters of the prototype, and `isTrusted` is its own. */
class MessageEvent extends Event {
	#init;

	constructor(type, init = {}, isTrusted = false) {
		super(type, init);
		this.#init = { data: null, ports: [], source: null, ...init };
		Object.defineProperty(this, 'isTrusted', { value: isTrusted });
	}

	/** Told of each read. @type {(event: Event) => unknown} */
	static read = () => {};

	get data() {
		MessageEvent.read(this);
		return this.#init.data;
	}

	get ports() {
		return this.#init.ports;
	}

	get source() {
		return this.#init.source;
	}
}

/** A message as the browser delivers it. */
export function posted(data, source, { ports = [], isTrusted = true } = {}) {
	return Object.assign(new MessageEvent('message', { data, ports, source }, isTrusted), { origin: source?.origin });
}

/** An EventTarget that delivers what is posted to it, as a window does. Its timers go off when the test says so. */
export function makeWindow(globals = {}, time = new FakeTime()) {
	const target = new EventTarget();
	const listening = [];
	const observers = [];
	const context = createContext({
		CustomEvent,
		DOMException,
		document: Object.assign(new EventTarget(), { hidden: false }),
		Event,
		EventTarget,
		MessageChannel,
		MessageEvent,
		MutationObserver: class {
			constructor(callback) {
				observers.push(callback);
			}
			observe() {}
		},
		URL,
		console: { ...console, info() {}, warn() {} },
		isSecureContext: true,
		origin: 'https://a.example',
		queueMicrotask,
		...time.globals,
		addEventListener(...args) {
			listening.push(args);
			target.addEventListener(...args);
		},
		dispatchEvent: target.dispatchEvent.bind(target),
		removeEventListener: target.removeEventListener.bind(target),
		location: new URL('https://a.example/'),
		/** As document.open() does: every listener of the window is gone, and then the document is another. */
		openDocument() {
			listening.splice(0).forEach((args) => target.removeEventListener(...args));
			queueMicrotask(() => observers.forEach((callback) => callback([])));
		},
		posted: [],
		postMessage(data, targetOrigin, ports = []) {
			window.posted.push({ data, targetOrigin });
			queueMicrotask(() => target.dispatchEvent(posted(data, window, { ports })));
		},
		...globals,
	});
	const window = runInContext('globalThis.window = globalThis', context);
	contexts.set(window, context);
	return window;
}

/** For node:vm. @param {object} window */
export const contextOf = (window) => contexts.get(window);

/**
 * @param {object} window
 * @param {...string} files below extension/
 */
export function run(window, ...files) {
	for (const file of files) {
		const url = new URL(file, root);
		runInContext(readFileSync(url, 'utf8'), contexts.get(window), { filename: url.href });
	}
}

/** What the scripts that were run before hand over to the one that asks for it. */
export function takeParts(window) {
	const parts = {};
	window.dispatchEvent(new CustomEvent('portlight:parts', { detail: parts }));
	return parts;
}
