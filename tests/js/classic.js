/** Runs the extension's scripts for pages, which are put together from modules, in a window of the test's making. */
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
		document: Object.assign(new EventTarget(), { hidden: false, scripts: [], querySelector: () => null }),
		Event,
		EventTarget: class extends EventTarget {
			addEventListener(...args) {
				return this === window ? window.addEventListener(...args) : super.addEventListener(...args);
			}
			dispatchEvent(event) {
				return this === window ? target.dispatchEvent(event) : super.dispatchEvent(event);
			}
		},
		MessageChannel,
		MessagePort,
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

/** @type {WeakMap<object, Set<string>>} the modules that were run in a window */
const loaded = new WeakMap();
const IMPORT = /^import .* from '(.*)';$/gm;

/**
 * As classic scripts, each after those that it imports. Every character keeps its place, for the coverage. What is run
 * again runs by itself, as a script does that comes into a page twice.
 *
 * @param {object} window
 * @param {...string} files below extension/
 */
export function run(window, ...files) {
	const done = loaded.get(window) ?? new Set();
	loaded.set(window, done);
	for (const file of files) {
		const url = new URL(file, root);
		const text = readFileSync(url, 'utf8');
		for (const [, wanted] of text.matchAll(IMPORT)) {
			const before = new URL(wanted, url).href.slice(root.href.length);
			if (!done.has(before)) {
				run(window, before);
			}
		}
		const script = text.replace(IMPORT, (line) => ' '.repeat(line.length)).replace(/^export /gm, '       ');
		runInContext(done.has(file) ? `(() => {${script}})()` : script, contexts.get(window), { filename: url.href });
		done.add(file);
	}
}
