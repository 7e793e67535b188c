/**
 * The extension's real background, here in Node, for real pages: tests/js/fake.js has the browser's side of it, and this
 * the bridge over which pages and content scripts reach it. So no message that a page gets is written by a test, but the
 * host's, which docs/PROTOCOL.md has.
 */
import { readFileSync } from 'node:fs';
import { settle } from '../../js/clock.js';
import { chrome, FakeEvent, FakePort, sender, useHost, useStorage } from '../../js/fake.js';
import { extensionApi, getMessage } from './in-page.js';

const root = new URL('../../../', import.meta.url);
const json = (path) => JSON.parse(readFileSync(new URL(path, root)));
const messages = json('extension/_locales/en/messages.json');
/** A script as pages get it, which the build makes. @param {string} file */
export const script = (file) => readFileSync(new URL(`build/extension-chromium/${file}`, root), 'utf8');
export const manifest = { ...json('manifest/extension.json'), version: '1.2.3' };
/** The English text of that name. */
export const text = (name, ...values) => getMessage(messages, name, values);
/** What texts of _locales begin with, where a page is opened with `marked`. */
export const MARK = '¤';

/** What pages may call, and what they hear of. */
const CALLS = [
	...['runtime.sendMessage', 'runtime.openOptionsPage', 'commands.getAll', 'windows.update'],
	...['storage.local.get', 'storage.local.set', 'storage.session.get', 'storage.managed.get'],
	...['permissions.contains', 'permissions.request', 'tabs.query', 'tabs.create', 'tabs.reload', 'tabs.update'],
];
const EVENTS = ['runtime.onMessage', 'storage.onChanged', 'permissions.onAdded', 'permissions.onRemoved'];

/** @type {Set<Bridge>} to the pages that are open */
const bridges = new Set();
const emit = (name, ...args) => bridges.forEach((bridge) => bridge.tell({ op: 'event', name, args }));

/** What holds for the test that runs: it may change all of it. */
export const world = {
	/** What was asked of the browser: [name, ...arguments]. @type {any[][]} */
	asked: [],
	/** The browser's API that are there beside: `desktopCapture`, `commands.openShortcutSettings`. @type {string[]} */
	more: [],
	/** What the host was asked. @type {any[]} */
	toHost: [],
	/** The background does not answer. */
	silent: false,
	tab: {},
	/** The tab in front: that of whoever asks. */
	front: 1,
	shortcut: 'Alt+Shift+0',
	/** Whether the toolbar shows our button. @type {boolean | undefined} undefined: the browser doesn't say */
	pinned: true,
	/** Origins that the browser was told to keep the extension out of. @type {string[]} */
	forbidden: [],
	/** Whether the user agrees to what the browser asks. */
	agrees: true,
	/** What the manifest has beside. @type {Record<string, any>} */
	manifest: {},
	/** @type {Record<string, any>} */
	policy: {},
	/** @type {{local: Record<string, any>, session: Record<string, any>}} */
	kept: { local: {}, session: {} },
};

const note = (name, answer = async () => {}) => (...args) => {
	world.asked.push([name, ...args]);
	return answer(...args);
};

/** Runs what the background puts into a page: in that page, where it is a real one. */
async function executeScript({ target, world: where, files = [], func, args = [] }) {
	const bridge = [...bridges].find(({ from }) => from.tab?.id === target.tabId);
	if (!bridge) {
		return [{ frameId: 0, result: true }];
	}
	const sources = func ? [`(${func})(...${JSON.stringify(args)})`] : files.map(script);
	let result;
	for (const source of sources) {
		result = await bridge.evaluate(source, where === 'MAIN');
	}
	return [{ frameId: 0, result }];
}

/** @param {string} origin that the extension's own pages have here */
export async function startBackground(origin) {
	const { setTimeout } = globalThis;
	// What the background would do later keeps no test run waiting; what it does in its next turn is still to come.
	globalThis.setTimeout = (callback, delay, ...args) => {
		const timer = setTimeout(callback, delay, ...args);
		return delay === undefined ? timer : timer.unref();
	};
	world.kept = useStorage({}, world.policy);
	chrome.storage.onChanged.addListener((...args) => emit('storage.onChanged', ...args));
	const nothing = async () => {};
	Object.assign(chrome.runtime, {
		getURL: (path) => `${origin}/${path}`,
		getManifest: () => ({ ...manifest, ...world.manifest }),
		onConnect: new FakeEvent(),
		onInstalled: new FakeEvent(),
		onMessage: new FakeEvent(),
		openOptionsPage: note('openOptionsPage'),
		sendMessage: async (message) => emit('runtime.onMessage', message),
	});
	const toolbar = ['setBadgeBackgroundColor', 'setBadgeText', 'setBadgeTextColor', 'setIcon', 'setTitle'];
	const notifications = { onButtonClicked: new FakeEvent(), onClicked: new FakeEvent(), getAll: async () => ({}), clear: nothing };
	Object.assign(chrome, {
		action: { ...Object.fromEntries(toolbar.map((name) => [name, nothing])), getUserSettings: async () => ({ isOnToolbar: world.pinned }) },
		commands: { onCommand: new FakeEvent(), getAll: async () => [{ name: 'stop-all', shortcut: world.shortcut }] },
		contextMenus: { create() {}, onClicked: new FakeEvent(), update: nothing },
		i18n: { getMessage: (name, values) => getMessage(messages, name, values) },
		notifications: { ...notifications, create: note('notifications.create') },
		permissions: {
			...{ onAdded: new FakeEvent(), onRemoved: new FakeEvent() },
			contains: async ({ origins = [], data_collection: data = [] }) => ![...origins, ...data].some((one) => world.forbidden.includes(one)),
			request: note('permissions.request', async ({ origins = [], data_collection: data = [] }) => {
				world.forbidden = world.forbidden.filter((one) => !world.agrees || ![...origins, ...data].includes(one));
				return world.agrees;
			}),
		},
		scripting: { executeScript, getRegisteredContentScripts: async () => [], registerContentScripts: nothing },
		tabs: {
			query: async ({ lastFocusedWindow }) => [lastFocusedWindow ? { id: world.front } : world.tab],
			create: note('tabs.create'),
			reload: note('tabs.reload'),
			update: note('tabs.update', async () => ({ windowId: 7 })),
		},
		windows: { update: note('windows.update') },
	});
	await import('../../../extension/background/main.js');
}

const HELLO = { protocol: 1, version: '1.2.3', portal: 4, pipewire: true };
const SUPPORTS = ['vp8', 'cursor-embedded', 'cursor-hidden', 'monitor', 'window', 'stats', 'grants', 'multiple', 'configure'];

/**
 * The host from here on: as it is where all is well, with other fields of its hello, or with answers of the test's own.
 *
 * @param {object} [hello]
 * @param {Record<string, (message: any, host: FakePort) => object | void>} [answers]
 */
export function hostIs(hello = {}, answers = {}) {
	useHost({
		hello: () => ({ ...HELLO, supports: SUPPORTS, ...hello }),
		open: () => ({ codec: 'vp8', width: 640, height: 360 }),
		grants: () => ({ grants: [] }),
		stats: () => ({ cpuMs: 0, rssKiB: 49_152, frames: 0, bytes: 0 }),
		...answers,
	});
	const answer = chrome.runtime.onNative;
	chrome.runtime.onNative = (message, host) => {
		world.toHost.push(message);
		answer(message, host);
	};
}

/** Browsers say this of a host that is not installed; what else they say is in background/native-port.js. */
export function hostFails(words = 'Specified native messaging host not found.') {
	hostIs({}, { hello: (_message, host) => void host.disconnect({ message: words }) });
}

/** What the host was asked of one type. */
export const toHost = (type) => world.toHost.filter((message) => message.type === type);

/** Before each test: nothing is shared, chosen or managed, all is well. */
export async function refresh() {
	world.silent = false;
	await ask({ type: 'stop-all' });
	chrome.runtime.hosts.forEach((host) => host.disconnect());
	await settle();
	await ask({ type: 'forgive' });
	Object.assign(world.kept, { local: {}, session: {} });
	Object.keys(world.policy).forEach((name) => delete world.policy[name]);
	Object.assign(world, { agrees: true, asked: [], forbidden: [], front: 1, manifest: {}, more: [], pinned: true, shortcut: 'Alt+Shift+0', tab: { id: 1, url: 'https://a.example/call', incognito: false }, toHost: [] });
	delete chrome.desktopCapture;
	hostIs();
}

/** @param {Record<string, any>} policy what the organization decides from now on */
export function manage(policy) {
	Object.assign(world.policy, policy);
	chrome.storage.onChanged.emit({}, 'managed');
}

/** A message to the background, from one of the extension's own pages unless said otherwise. */
export function ask(message, from = { id: chrome.runtime.id, url: chrome.runtime.getURL('ui/popup.html') }) {
	return new Promise((resolve, reject) => {
		if (world.silent) {
			reject(new Error('Could not establish connection. Receiving end does not exist.'));
		} else if (!chrome.runtime.onMessage.emit(message, from, resolve).includes(true)) {
			resolve(undefined);
		}
	});
}

/** Waits for a message of this type on a port of the test's own. */
export function heard(port, type) {
	const [already] = port.of(type);
	return already ?? new Promise((resolve) => port.onMessage.addListener((message) => message.type === type && resolve(message)));
}

/**
 * A share with a page of some site, as content/relay.js and content/share.js ask for it and redeem it.
 *
 * @returns {Promise<{track: FakePort, id: number}>} the port of the page's track; the host's number
 */
export async function share(site = 'https://a.example', tabId = 1) {
	const from = sender(tabId, 0, site);
	world.front = tabId;
	const connect = (name) => {
		const [near, far] = FakePort.pair(name, from);
		chrome.runtime.onConnect.emit(far);
		return near;
	};
	const page = connect('page');
	page.postMessage({ type: 'request' });
	const { sourceId } = await heard(page, 'granted');
	const track = connect('share');
	track.postMessage({ type: 'redeem', sourceId, codecs: ['vp9', 'vp8'] });
	await heard(track, 'opened');
	return { track, id: toHost('open').at(-1).share };
}

/** What joins a page with the background. */
class Bridge {
	/** @type {Map<number, FakePort>} the page's ends of its ports */
	#ports = new Map();
	#session;
	#world;
	/** @type {number | undefined} of the world that the content scripts are in */
	#context;
	/** @type {string | undefined} the page's own frame */
	#frame;

	constructor(session, from, inWorld) {
		this.from = from;
		this.#session = session;
		this.#world = inWorld;
		session.on('Runtime.bindingCalled', ({ name, payload }) => name === 'toBackground' && this.#hear(JSON.parse(payload)));
		session.on('Runtime.executionContextCreated', ({ context }) => {
			const { frameId } = context.auxData;
			this.#frame ??= frameId;
			if (context.name === inWorld && frameId === this.#frame) {
				this.#context = context.id;
				this.leave(); // A new document has none of the ports of the one before.
			}
		});
	}

	leave() {
		this.#ports.forEach((port) => port.disconnect());
		this.#ports.clear();
	}

	tell(message) {
		// A page that is just being closed hears nothing.
		this.evaluate(`fromBackground(${JSON.stringify(message)})`).catch(() => {});
	}

	/** @param {string} expression @param {boolean} [main] in the page's own world, not in that of its content scripts */
	async evaluate(expression, main = false) {
		const where = main || !this.#world ? {} : { contextId: this.#context };
		const { result, exceptionDetails } = await this.#session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, ...where });
		if (exceptionDetails) {
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		}
		return result.value;
	}

	#hear({ op, id, name, args, message }) {
		world.front = this.from.tab?.id ?? world.front;
		if (op === 'call') {
			this.#call(name, args).then(
				(value) => this.tell({ op: 'answer', id, value }),
				(error) => this.tell({ op: 'answer', id, error: String(error.message) }),
			);
		} else if (op === 'connect') {
			const [near, far] = FakePort.pair(name, this.from);
			this.#ports.set(id, near);
			near.onMessage.addListener((said) => this.tell({ op: 'post', id, message: said }));
			near.onDisconnect.addListener(() => this.tell({ op: 'disconnect', id }));
			chrome.runtime.onConnect.emit(far);
		} else if (op === 'post') {
			const port = this.#ports.get(id);
			port.connected && port.postMessage(message);
		} else {
			this.#ports.get(id).disconnect();
		}
	}

	async #call(name, args) {
		if (name === 'runtime.sendMessage') {
			return ask(args[0], this.from);
		}
		return name.split('.').reduce((at, each) => at[each], chrome)(...args);
	}
}

/**
 * Makes ready a page that is about to be loaded: with the background in reach of its scripts, or of those that are put
 * into a world of their own there, before the page's.
 *
 * @param {import('puppeteer-core').Page} page
 * @param {object} from the sender, as the browser names it
 * @param {{content?: string[], marked?: boolean}} [how] `content`: content scripts
 */
export async function join(page, from, { content, marked = false } = {}) {
	const session = await page.createCDPSession();
	const worldName = content && 'extension';
	const bridge = new Bridge(session, from, worldName);
	bridges.add(bridge);
	page.once('close', () => {
		bridges.delete(bridge);
		bridge.leave();
	});
	await session.send('Runtime.enable');
	await session.send('Page.enable');
	await session.send('Runtime.addBinding', { name: 'toBackground', ...(content && { executionContextName: worldName }) });
	const config = {
		base: chrome.runtime.getURL(''),
		...{ calls: CALLS, events: EVENTS, id: chrome.runtime.id, manifest: chrome.runtime.getManifest(), marked: marked ? MARK : '', messages, more: world.more },
	};
	const sources = [`(${extensionApi})(${JSON.stringify(config)}, ${getMessage})`, ...(content ?? []).map(script)];
	await session.send('Page.addScriptToEvaluateOnNewDocument', { source: sources.join(';\n'), ...(content && { worldName }) });
	return bridge;
}

/**
 * Opens one of the extension's own pages.
 *
 * @param {import('./pages.js').Pages} pages
 * @param {string} path
 * @param {{marked?: boolean, before?: (page: import('puppeteer-core').Page) => unknown}} [how]
 */
export function openOwn(pages, path, { marked, before } = {}) {
	const url = chrome.runtime.getURL(path);
	const from = { id: chrome.runtime.id, url, origin: new URL(url).origin, frameId: 0, tab: { id: 100, url, incognito: false } };
	return pages.open(path, {
		before: async (page) => {
			await join(page, from, { marked });
			await before?.(page);
		},
	});
}
