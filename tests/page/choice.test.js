/**
 * Which way a request takes, the browser's own dialog or the host's: from a real page's word, by the real content scripts
 * in a world of their own, to the real background; and back to a track that plays.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { errors } from '../../extension/shared/errors.js';
import { chrome, lastHost } from '../js/fake.js';
import { ask, hostFails, hostIs, join, manage, refresh, script, startBackground, toHost, world } from './lib/background.js';
import { encodeClip } from './lib/in-page.js';
import { Pages, until } from './lib/pages.js';

/** @type {Pages} */
let pages;
/** @type {import('puppeteer-core').Page} */
let page;
/** Another tab with another site for each test: what one was refused is not held against the next. */
let tab = 10;
let site = '';
/** What the background knows of the host is only fresh for some seconds. */
const { now } = Date;
let later = 0;
Date.now = () => now() + later;
before(async () => {
	pages = await Pages.start();
	await startBackground(pages.origin);
});
after(async () => {
	await refresh();
	await pages.close();
});
beforeEach(async () => {
	await refresh();
	later += 6_000;
	tab++;
	site = `https://s${tab}.example`;
	page = await pages.open('/blank.html', {
		before: async (own) => {
			const url = `${site}/`;
			const from = { id: chrome.runtime.id, url, origin: site, frameId: 0, tab: { id: tab, url, title: 'A page', incognito: false } };
			await join(own, from, { content: ['scripts/relay.js'] });
			await own.evaluateOnNewDocument(script('scripts/messages.js'));
			await own.evaluateOnNewDocument(`window.encodeClip = ${encodeClip}`);
		},
		held: false,
	});
});
afterEach(() => pages.tidy());

/** The browser has a dialog of its own, in which the user chooses this. @param {string} id '': nothing */
function browserHasDialog(id = 'of-the-browser') {
	chrome.desktopCapture = {
		chooseDesktopMedia: (...args) => {
			world.asked.push(['chooser', args[0]]);
			queueMicrotask(() => args.at(-1)(id, {}));
			return 1;
		},
		cancelChooseDesktopMedia() {},
	};
}

/** Asks in the words of pages that were made for another extension; the answer is the source id, or the refusal. */
const askPlainly = () => page.evaluate(() => new Promise((resolve) => {
	window.addEventListener('message', function hear({ data }) {
		if (data?.sourceId || data === 'PermissionDeniedError') {
			window.removeEventListener('message', hear);
			resolve(data.sourceId ?? data);
		}
	});
	window.postMessage('requestScreenSourceId', '*');
}));

/** Asks in Portlight's own words (docs/PAGES.md); the answer is the source id, or the error's code. */
const askOurs = (wish = {}) => page.evaluate(async (more) => {
	const { port1, port2 } = new MessageChannel();
	const answered = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
	window.postMessage({ portlight: 1, ask: 'request', ...more }, '*', [port2]);
	const { ok, error } = await answered;
	return more.multiple && ok ? ok.sourceIds : (ok?.sourceId ?? error.code);
}, wish);

const OURS = /^portlight:/;
const chosenBy = () => [...world.asked.filter(([name]) => name === 'chooser').map(() => 'browser'), ...toHost('share').map(() => 'host')];

test('a browser without a dialog of its own: the host is asked, in whichever words', async () => {
	assert.match(await askPlainly(), OURS);
	assert.match(await askOurs(), OURS);
	assert.deepEqual(chosenBy(), ['host', 'host']);
	assert.deepEqual(toHost('share').map(({ sources, cursor }) => [sources, cursor]), Array(2).fill([['monitor', 'window'], 'embedded']));
});

test('what was granted by the host plays in the page', async () => {
	const sourceId = await askPlainly();
	await page.evaluate(async (id) => {
		const constraints = { audio: false, video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: id } } };
		const srcObject = await navigator.mediaDevices.getUserMedia(constraints);
		const video = Object.assign(document.createElement('video'), { srcObject, muted: true });
		document.body.append(video);
		video.requestVideoFrameCallback(() => (window.played = [video.videoWidth, video.videoHeight]));
		video.play();
	}, sourceId);
	const { share } = toHost('open').at(-1);
	const clip = await page.evaluate(encodeClip, { colors: ['#f00', '#0f0', '#00f'], width: 320, height: 180 });
	clip.forEach((frame) => lastHost().postMessage({ ...frame, share }));
	assert.deepEqual(await until(page, () => window.played), [320, 180]);
	await page.evaluate(() => document.querySelector('video').srcObject.getTracks()[0].stop());
	await until(page, () => document.querySelector('video').srcObject.getTracks()[0].readyState === 'ended');
});

test("a browser with a dialog, not on Wayland: other words get it, ours get the host's", async () => {
	browserHasDialog();
	assert.equal(await askPlainly(), 'of-the-browser');
	assert.deepEqual(world.asked.at(-1), ['chooser', ['screen', 'window']]);
	assert.match(await askOurs(), OURS);
	assert.deepEqual(chosenBy(), ['browser', 'host']);
});

test('what is refused in the browser\'s dialog is not asked of the host', async () => {
	browserHasDialog('');
	assert.equal(await askPlainly(), 'PermissionDeniedError');
	assert.deepEqual(chosenBy(), ['browser']);
});

/** Asks in the words of Screen-Capturing.js, which can name sources. */
const askFor = (word) => page.evaluate((said) => new Promise((resolve) => {
	window.addEventListener('message', function hear({ data }) {
		if (data?.sourceId || data === 'PermissionDeniedError') {
			window.removeEventListener('message', hear);
			resolve(data.sourceId ?? data);
		}
	});
	window.postMessage(said, '*');
}), word);

test("on Wayland, where the host answers, the desktop's dialog is the only one, unless a tab or sound is wanted", async () => {
	browserHasDialog();
	hostIs({ wayland: true });
	assert.match(await askPlainly(), OURS);
	for (const word of ['audio-plus-tab', { 'get-custom-sourceId': ['screen', 'audio'] }]) {
		assert.equal(await askFor(word), 'of-the-browser');
	}
	assert.match(await askFor('get-sourceId'), OURS);
	assert.deepEqual(chosenBy(), ['browser', 'browser', 'host', 'host']);
});

test("the user wants the browser's own dialog back: all words get it", async () => {
	browserHasDialog();
	hostIs({ wayland: true });
	world.kept.local.capturePath = 'chooser';
	assert.equal(await askPlainly(), 'of-the-browser');
	assert.equal(await askOurs(), 'of-the-browser');
	delete chrome.desktopCapture;
	assert.match(await askPlainly(), OURS, 'a browser without one');
	assert.deepEqual(chosenBy(), ['browser', 'browser', 'host']);
});

test('the user wants the host always: all words get it', async () => {
	browserHasDialog();
	world.kept.local.capturePath = 'native';
	assert.match(await askPlainly(), OURS);
	assert.match(await askOurs(), OURS);
	assert.deepEqual(chosenBy(), ['host', 'host']);
});

test('the organization wants it always: what the user chose is of no matter', async () => {
	browserHasDialog();
	manage({ nativePath: 'forced' });
	world.kept.local.capturePath = 'auto';
	assert.match(await askPlainly(), OURS);
	assert.deepEqual(chosenBy(), ['host']);
});

test('the organization wants it never: the browser is asked where it has a dialog, else nobody', async () => {
	manage({ nativePath: 'off' });
	world.kept.local.capturePath = 'native';
	assert.equal(await askOurs(), 'native-off');
	assert.equal(await askPlainly(), 'PermissionDeniedError');
	assert.equal(world.kept.session.failure.code, 'native-off');
	browserHasDialog();
	assert.equal(await askPlainly(), 'of-the-browser');
	assert.equal(await askOurs(), 'of-the-browser');
	assert.deepEqual(chosenBy(), ['browser', 'browser']);
});

test('without a host the browser is asked where it has a dialog, unless the host is wanted', async () => {
	hostFails();
	assert.equal(await askOurs(), 'host-missing');
	assert.equal(await askPlainly(), 'PermissionDeniedError');
	assert.equal(world.kept.session.failure.message, errors['host-missing'].message);
	browserHasDialog();
	assert.equal(await askPlainly(), 'of-the-browser');
	assert.equal(await askOurs(), 'of-the-browser');
	world.kept.local.capturePath = 'native';
	assert.equal(await askOurs(), 'host-missing');
	assert.deepEqual(chosenBy(), ['browser', 'browser']);
});

test('getDisplayMedia that is ours is always the host\'s, where the site has it switched on', async () => {
	browserHasDialog();
	assert.equal(await askOurs({ display: true }), 'not-supported');
	world.kept.local.sites = { [site]: { displayMedia: true, consent: 'allow' } };
	assert.match(await askOurs({ display: true, remember: true }), OURS);
	const [share] = toHost('share');
	assert.equal('remember' in share, false, 'it is asked each time');
	await refresh();
	browserHasDialog();
	world.kept.local.sites = { [site]: { displayMedia: true } };
	hostFails();
	assert.equal(await askOurs({ display: true }), 'host-missing', 'the page then goes to the browser itself');
	manage({ nativePath: 'off' });
	assert.equal(await askOurs({ display: true }), 'not-supported');
	assert.deepEqual(chosenBy(), []);
});

test('where a site may remember, the host is told, but for a second share of it', async () => {
	world.kept.local.sites = { [site]: { consent: 'allow' } };
	assert.match(await askOurs(), OURS);
	assert.match(await askOurs(), OURS);
	assert.deepEqual(toHost('share').map(({ origin, remember }) => [origin, remember]), [[site, true], [undefined, undefined]]);
});

test("the page's wishes, and the user's where it has none, reach the host", async () => {
	world.kept.local['default:cursor'] = 'never';
	await askOurs({ sources: ['window'] });
	await askOurs({ cursor: 'always', sources: ['screen'] });
	assert.equal(await askOurs({ cursor: 'send' }), 'not-supported');
	assert.deepEqual(toHost('share').map(({ sources, cursor }) => [sources, cursor]), [[['window'], 'hidden'], [['monitor'], 'embedded']]);
});

test('several sources at once have an id each', async () => {
	const streams = [1, 2].map((share) => ({ share, surface: 'window', width: 640, height: 360 }));
	hostIs({}, { share: () => ({ ...streams[0], streams }) });
	const ids = await askOurs({ multiple: true });
	assert.equal(new Set(ids.filter((id) => OURS.test(id))).size, 2);
});

test('a share that ends, or is withdrawn, before the page could have it is not granted', async () => {
	const granted = { share: 1, surface: 'monitor', width: 640, height: 360 };
	hostIs({}, {
		share: ({ id }, host) => {
			host.postMessage({ type: 'result', id, ...granted });
			host.postMessage({ type: 'ended', share: 1, code: 'session-closed' });
		},
	});
	assert.equal(await askOurs(), 'session-closed');
	await refresh();
	hostIs({}, {
		share: ({ id }, host) => {
			host.postMessage({ type: 'result', id, ...granted });
			queueMicrotask(() => void ask({ type: 'stop-all' }));
		},
	});
	assert.equal(await askOurs(), 'cancelled');
	assert.equal(toHost('stop').length, 1);
});

test('a page whose track can not be put into it gets no share, and the host is told', async () => {
	const { executeScript } = chrome.scripting;
	chrome.scripting.executeScript = async (what) => {
		if (what.files?.includes('scripts/share.js')) {
			throw new Error('No frame with this id.');
		}
		return executeScript(what);
	};
	assert.equal(await askOurs(), 'page-closed-off');
	chrome.scripting.executeScript = executeScript;
	assert.equal(toHost('stop').length, 1);
	assert.deepEqual(await ask({ type: 'shares' }), []);
});
