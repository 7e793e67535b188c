/**
 * A small fake of the WebExtension API for the extension's modules. Import it before them. It fakes what the browser does
 * around them; nothing of the extension is replaced.
 */

import { webcrypto } from 'node:crypto';

// Node 18 has it, but not as a global yet.
globalThis.crypto ??= webcrypto;

/** An event as extensions know them. */
export class FakeEvent {
	listeners = new Set();
	addListener(listener) {
		this.listeners.add(listener);
	}
	removeListener(listener) {
		this.listeners.delete(listener);
	}
	emit(...args) {
		return [...this.listeners].map((listener) => listener(...args));
	}
}

/** One end of a port. What it sends is copied, and arrives later, in order; a closed one throws. */
export class FakePort {
	onMessage = new FakeEvent();
	onDisconnect = new FakeEvent();
	received = [];
	connected = true;

	constructor(name, sender) {
		this.name = name;
		this.sender = sender;
		this.onMessage.addListener((message) => this.received.push(message));
	}

	static pair(name, sender) {
		const [near, far] = [new FakePort(name), new FakePort(name, sender)];
		near.other = far;
		far.other = near;
		return [near, far];
	}

	postMessage(message) {
		if (!this.connected) {
			throw new Error('Attempting to use a disconnected port object');
		}
		const copy = structuredClone(message);
		queueMicrotask(() => this.other.onMessage.emit(copy, this.other));
	}

	disconnect(error) {
		if (this.connected) {
			this.connected = false;
			queueMicrotask(() => {
				this.other.connected = false;
				this.other.error = error;
				this.other.onDisconnect.emit(this.other);
			});
		}
	}

	/** What arrived of one type. */
	of(type) {
		return this.received.filter((message) => message.type === type);
	}
}

/**
 * What a content script has of the extension.
 *
 * @param {(message: any) => any} [answer] what the background says to a message
 * @returns {{runtime: any, ports: FakePort[], sent: string[]}} the background's ends of the ports, and the types of messages
 */
export function makeRuntime(answer = () => {}) {
	const ports = [];
	const sent = [];
	const runtime = {
		id: 'portlight',
		getManifest: () => ({ version: '1.2.3' }),
		onMessage: new FakeEvent(),
		connect({ name }) {
			const [near, far] = FakePort.pair(name);
			ports.push(far);
			return near;
		},
		async sendMessage(message) {
			sent.push(message.type);
			return answer(message);
		},
	};
	return { runtime, ports, sent };
}

export const chrome = {
	runtime: {
		id: 'portlight',
		getManifest: () => ({}),
		getPlatformInfo: async () => ({}),
		/** The host's ends of the native ports, newest last. */
		hosts: [],
		/** What a host does with a request; set by the test. */
		onNative: () => {},
		connectNative(name) {
			const [near, far] = FakePort.pair(name);
			this.hosts.push(far);
			far.onMessage.addListener((message) => this.onNative(message, far));
			return near;
		},
	},
};
globalThis.chrome = chrome;

/**
 * The storage of the extension.
 *
 * @param {object} [local] what the user chose so far
 * @param {object | null} [managed] what is managed; null: nothing, and it rejects as Firefox's does
 * @returns {{local: Record<string, any>, session: Record<string, any>}} what is kept
 */
export function useStorage(local = {}, managed = {}) {
	const kept = { local: structuredClone(local), session: {} };
	/** @param {'local' | 'session'} name */
	const area = (name) => ({
		get: async (keys) => {
			const wanted = typeof keys === 'string' ? { [keys]: undefined } : (keys ?? kept[name]);
			const found = Object.entries(wanted).map(([key, value]) => [key, kept[name][key] ?? value]);
			return structuredClone(Object.fromEntries(found));
		},
		set: async (values) => {
			const changed = Object.entries(values).map(([key, newValue]) => [key, { oldValue: kept[name][key], newValue }]);
			Object.assign(kept[name], structuredClone(values));
			chrome.storage.onChanged.emit(Object.fromEntries(changed), name);
		},
		remove: async (key) => void delete kept[name][key],
	});
	const get = async () => {
		if (managed === null) {
			throw new Error('Managed storage manifest not found');
		}
		return structuredClone(managed);
	};
	chrome.storage = { local: area('local'), session: area('session'), managed: { get }, onChanged: new FakeEvent() };
	return kept;
}

/**
 * A host that answers hello, and the rest as told.
 *
 * @param {Record<string, (message: any, host: FakePort) => object | void>} [answers] the fields of the result, or
 *   nothing when it answers by itself
 */
export function useHost(answers = {}) {
	chrome.runtime.hosts = [];
	let share = 0;
	const all = {
		hello: () => ({ protocol: 1, version: '1.2.3', supports: ['vp8', 'vp9', 'cursor-embedded'], portal: 4 }),
		share: () => ({ share: ++share, surface: 'monitor', width: 1920, height: 1080 }),
		open: ({ codec }) => ({ codec, width: 1920, height: 1080 }),
		stop: (message, host) => {
			host.postMessage({ type: 'ended', share: message.share, code: 'stopped', message: 'Stopped.', remedy: '' });
			return {};
		},
		...answers,
	};
	chrome.runtime.onNative = (message, host) => {
		const fields = all[message.type]?.(message, host);
		if (fields) {
			host.postMessage({ type: 'result', id: message.id, ...fields });
		}
	};
}

/** The host that was started last. */
export const lastHost = () => chrome.runtime.hosts.at(-1);

export const sender = (tabId = 1, frameId = 0, origin = 'https://a.example') => ({
	id: 'portlight',
	tab: { id: tabId, url: `${origin}/`, title: 'A page' },
	frameId,
	origin,
	url: `${origin}/`,
});
