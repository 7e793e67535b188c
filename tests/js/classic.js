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

/** An EventTarget that delivers what is posted to it, as a window does. Its timers go off when the test says so. */
export function makeWindow(globals = {}, time = new FakeTime()) {
	const target = new EventTarget();
	const context = createContext({
		CustomEvent,
		DOMException,
		document: Object.assign(new EventTarget(), { hidden: false }),
		Event,
		EventTarget,
		MessageChannel,
		URL,
		console: { ...console, info() {}, warn() {} },
		isSecureContext: true,
		origin: 'https://a.example',
		queueMicrotask,
		...time.globals,
		addEventListener: target.addEventListener.bind(target),
		dispatchEvent: target.dispatchEvent.bind(target),
		removeEventListener: target.removeEventListener.bind(target),
		posted: [],
		postMessage(data, targetOrigin, ports = []) {
			window.posted.push({ data, targetOrigin });
			const event = Object.assign(new Event('message'), { data, ports, source: window, origin: window.origin });
			queueMicrotask(() => target.dispatchEvent(event));
		},
		...globals,
	});
	const window = runInContext('globalThis.window = globalThis', context);
	contexts.set(window, context);
	return window;
}

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
