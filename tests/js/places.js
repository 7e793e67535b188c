/** A browser with documents in tabs, of which one is in front: what decides who may ask. */
import assert from 'node:assert/strict';
import { beforeEach } from 'node:test';
import { useTime } from './clock.js';
import { Document } from './document.js';
import { chrome, useStorage } from './fake.js';

export const A = 'https://a.example';
export const place = (over = {}) => ({ tabId: 1, frameId: 0, origin: A, ...over });
export const time = useTime();
/** What the browser says of the frames: the policy, and what the extension's scripts see in them. */
export const browser = {};

/** @param {number} [tabId] @param {number} [frameId] */
export function documentOf(tabId = 1, frameId = 0) {
	const key = `${tabId} ${frameId}`;
	if (!browser.documents.has(key)) {
		browser.documents.set(key, new Document());
	}
	return browser.documents.get(key);
}

/** A page's script reloads a frame. @param {number} [tabId] @param {number} [frameId] */
export function reload(tabId = 1, frameId = 0) {
	browser.documents.set(`${tabId} ${frameId}`, new Document(documentOf(tabId, frameId)));
}

beforeEach(() => {
	useStorage();
	Object.assign(browser, { policy: true, documents: new Map(), scripts: [], frames: [], front: null });
	chrome.tabs = {
		query: async (query) => {
			assert.deepEqual(query, { active: true, lastFocusedWindow: true });
			return [{ id: browser.front ?? browser.scripts.at(-1)?.target.tabId ?? 1 }]; // That of whoever asks, as a rule.
		},
	};
	chrome.scripting = {
		executeScript: async (script) => {
			browser.scripts.push(script);
			const { func, args, target } = script;
			if (func.name === 'policySays') {
				assert.deepEqual(args, ['display-capture']);
				const frame = new Document();
				frame.says.policy = browser.policy;
				frame.clobber('featurePolicy');
				return [{ frameId: target.frameIds[0], result: frame.run(script) }];
			}
			if (func.name === 'readFrame') {
				return browser.frames;
			}
			assert.notEqual(script.world, 'MAIN', 'the page has no say');
			const all = [...browser.documents.keys()].map((key) => key.split(' ').map(Number));
			const frames = target.allFrames ? all.filter(([tabId]) => tabId === target.tabId).map(([, id]) => id) : target.frameIds;
			return frames.map((frameId) => ({ frameId, result: documentOf(target.tabId, frameId).run(script) }));
		},
	};
});

/** @param {Promise<unknown>} promise */
export async function codeOf(promise) {
	try {
		await promise;
		return 'ok';
	} catch (error) {
		return /** @type {any} */ (error).code;
	}
}

/** Whether the place has to wait. */
export const holds = async (consent, over = {}) => (await codeOf(consent.admit(place(over)))) === 'cool-down';
