/** The documented flow alone. The page shows steps 1, 4 and 5 from this very file, so what is read is what ran. */
import { t } from './language.js';
import { chip, find, onClick, say } from './ui.js';

const video = find('#screen');
let asking = false;
/** How long an extension may take to answer. */
const PATIENCE_MS = 3000;
const noExtension = t('No screen sharing extension answered. Install Portlight, then load this page again.');
const looking = find('#link').textContent;

onClick('#share', () => {
	for (let step = 1; step <= 5; step++) {
		mark(step, '', '');
	}
	asking = true;
	find('#share').disabled = true;
	say(t('Choose a screen or a window in the dialog that opens.'));
	requestSourceId();
	mark(1, 'done', t('Posted “requestScreenSourceId” to this window.'));
	mark(2, 'now', t('Waiting for the extension.'));
	// The extension's sign of life is its answer to another message of the flow.
	window.postMessage('check-addon-installed', '/');
	setTimeout(() => {
		if (asking && find('#step2').dataset.state === 'now') {
			asking = false;
			mark(2, 'failed', noExtension);
			idle(noExtension, true);
		}
	}, PATIENCE_MS);
});

// STEP 1
function requestSourceId() {
	window.postMessage('requestScreenSourceId', '*');
}
// END

// STEP 4
window.addEventListener('message', (event) => {
	if (event.source !== window) {
		return;
	}
	if (event.data && event.data.sourceId) {
		onSourceId(event.data.sourceId);
	} else if (event.data === 'PermissionDeniedError') {
		onRefused();
	} else if (event.data === 'addon-installed' || event.data?.addonInstalled) {
		onExtension();
	}
});
// END

// STEP 5
/** @param {string} sourceId @returns {Promise<MediaStream>} */
function getScreen(sourceId) {
	const constraints = {
		audio: false,
		video: {
			mandatory: {
				chromeMediaSource: 'desktop',
				chromeMediaSourceId: sourceId,
				maxWidth: 3840,
				maxHeight: 2160,
			},
		},
	};
	return navigator.mediaDevices.getUserMedia(/** @type {any} */ (constraints));
}
// END

function onExtension() {
	chip(t('Extension found'), 'good');
	if (asking) {
		mark(2, 'done', t('The extension is here and has it.'));
		mark(3, 'now', t('The dialog is open, or about to open.'));
	}
}

/** @param {string} sourceId */
async function onSourceId(sourceId) {
	if (!asking) {
		return;
	}
	asking = false;
	mark(2, 'done', t('The extension is here and has it.'));
	mark(3, 'done', t('You chose.'));
	mark(4, 'done', `{ sourceId: "${sourceId}" }`);
	mark(5, 'now', t('Redeeming the id.'));
	try {
		play(await getScreen(sourceId));
	} catch (error) {
		const { name, message } = /** @type {Error} */ (error);
		mark(5, 'failed', `${name}: ${message}`);
		idle(t('The id could not be redeemed. Request again: an id serves once, for 30 seconds.'), true);
	}
}

function onRefused() {
	if (!asking) {
		return;
	}
	asking = false;
	mark(2, 'done', t('The extension is here and has it.'));
	mark(3, 'failed', t('Nothing was chosen.'));
	mark(4, 'done', '"PermissionDeniedError"');
	idle(t('Nothing was shared. You can request again at any time.'));
}

/** @param {MediaStream} stream */
function play(stream) {
	const [track] = stream.getVideoTracks();
	track.addEventListener('ended', () => idle(t('The share was ended.')));
	find('#stop').onclick = () => {
		track.stop();
		idle(t('You stopped the share.'));
	};
	video.srcObject = stream;
	show(true);
	const { width, height, frameRate } = track.getSettings();
	mark(5, 'done', !width || !height ? t('A live video track.') : frameRate ? t('A live video track, {0} × {1} at up to {2} pictures a second.', width, height, Math.round(frameRate)) : t('A live video track, {0} × {1}.', width, height));
	say(t('You share. Only this page sees it.'));
	chip(t('Sharing'), 'live');
	find('#stop').focus();
}

/** @param {string} text @param {boolean} [bad] */
function idle(text, bad) {
	video.srcObject = null;
	show(false);
	find('#facts').textContent = '';
	chip(t('Not sharing'));
	say(text, bad);
	find('#share').focus();
}

/** @param {boolean} live */
function show(live) {
	video.hidden = !live;
	find('.empty').hidden = live;
	find('#stop').hidden = !live;
	find('#share').hidden = live;
	find('#share').disabled = false;
}

/** @param {number} step @param {'' | 'now' | 'done' | 'failed'} state @param {string} text */
function mark(step, state, text) {
	const item = find(`#step${step}`);
	item.dataset.state = state;
	find('output', item).textContent = text;
}

for (const type of ['loadedmetadata', 'resize']) {
	video.addEventListener(type, () => {
		find('#facts').textContent = video.srcObject ? `${video.videoWidth} × ${video.videoHeight}` : '';
	});
}

/** Each step's code, from this file. */
async function showCode() {
	const source = await (await fetch(import.meta.url)).text();
	for (const [, step, code] of source.matchAll(/^\/\/ STEP (\d)\n([^]*?)^\/\/ END$/gm)) {
		find(`#step${step} pre`).textContent = code.replace(/^\/\*\*.*\*\/\n/gm, '').replace(/\/\*\*.*?\*\/ \((\w+)\)/g, '$1').trim();
	}
}

void showCode();
window.postMessage('check-addon-installed', '/');
setTimeout(() => {
	if (find('#link').textContent === looking) {
		chip(t('No extension'), 'bad');
		say(noExtension, true);
	}
}, PATIENCE_MS);
