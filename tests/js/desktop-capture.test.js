/** The browser's own dialog: what it gives, and every way in which it gives nothing. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { settle } from './clock.js';
import { chrome, sender } from './fake.js';

const { choose } = await import('../../extension/background/desktop-capture.js');

/** @type {{sources: string[], tab: any, answer: Function}[]} the dialogs that were opened */
let dialogs;
/** @type {number[]} */
let cancelled;

beforeEach(() => {
	dialogs = [];
	cancelled = [];
	delete chrome.runtime.lastError;
	chrome.desktopCapture = {
		chooseDesktopMedia: (sources, tab, answer) => dialogs.push({ sources, tab, answer }),
		cancelChooseDesktopMedia: (request) => {
			cancelled.push(request);
			dialogs[request - 1].answer('', {}); // As Chromium does.
		},
	};
});

const ask = (signal = new AbortController().signal, from = sender(3)) => choose(from, signal, ['screen', 'window']);

test('the id is passed on untouched, bound to the frame that asked', async () => {
	const chosen = ask();
	dialogs[0].answer('an-id', { canRequestAudioTrack: true });
	assert.deepEqual(await chosen, { sourceId: 'an-id', canRequestAudioTrack: true });
	assert.deepEqual([dialogs[0].sources, dialogs[0].tab.id, dialogs[0].tab.url], [['screen', 'window'], 3, 'https://a.example/']);
});

test('an about:blank or srcdoc frame gets an id of its origin, not of an address that has none', () => {
	for (const url of ['about:blank', 'about:srcdoc']) {
		void ask(undefined, { ...sender(3, 5), url });
	}
	assert.deepEqual(dialogs.map(({ tab }) => tab.url), ['https://a.example/', 'https://a.example/']);
});

test('no id is a refusal', async () => {
	const chosen = ask();
	dialogs[0].answer('', {});
	await assert.rejects(chosen, { code: 'denied' });
});

test("the browser's errors are told as the browser's", async () => {
	const chosen = ask();
	chrome.runtime.lastError = { message: 'Failed to show dialog.' };
	dialogs[0].answer(undefined);
	await assert.rejects(chosen, { code: 'chooser-error', detail: 'Failed to show dialog.', domName: 'NotReadableError' });
	chrome.desktopCapture.chooseDesktopMedia = () => {
		throw new TypeError('Error at parameter');
	};
	await assert.rejects(ask(), { code: 'chooser-error', detail: /Error at parameter/ });
});

test('a page that left before gets no dialog', async () => {
	await assert.rejects(ask(AbortSignal.abort()), { code: 'cancelled' });
	assert.equal(dialogs.length, 0);
});

test('a page that leaves closes its dialog, and has not been refused', async () => {
	const gone = new AbortController();
	const chosen = ask(gone.signal);
	gone.abort();
	await assert.rejects(chosen, { code: 'cancelled' });
	assert.deepEqual(cancelled, [1]);
});

test('a page that leaves later closes nothing', async () => {
	const gone = new AbortController();
	const chosen = ask(gone.signal);
	dialogs[0].answer('an-id', {});
	await chosen;
	await settle();
	gone.abort();
	assert.deepEqual(cancelled, []);
});
