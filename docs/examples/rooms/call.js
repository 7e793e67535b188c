/** A call by name: login, call, accept, talk, share, send files, end. */
import { Devices } from './devices.js';
import { addLine, FileList } from './files-list.js';
import { t } from './language.js';
import { camera, drawDevices, onEnd, refusal, screen, stopScreen, toggleDevice } from './media.js';
import { NO_PATH, Peer, quality } from './peer.js';
import { Server } from './server.js';
import { Signalling, signalOf } from './signalling.js';
import { Stage } from './stage.js';
import { chip, find, make, onClick, onSubmit, say, sayError, serverChip, serverWord, words } from './ui.js';

/** How long it rings, in milliseconds. */
const RING_MS = 45_000;
/** How long an interrupted call is waited for, once the server has lost the other side too. */
const GONE_MS = 10_000;
/** How long the other side's reason for an end may take, in milliseconds. */
const CLOSE_MS = 1500;

const parameters = new URLSearchParams(location.search);
export const server = new Server({ carrier: /** @type {any} */ (parameters.get('carrier') ?? 'auto') });
const stage = new Stage(find('.stage'), find('#tiles'));
const list = new FileList(find('#transfers'), (text) => (find('#fileNews').textContent = text));
const devices = new Devices({
	mine: () => mine,
	changed: async (track) => {
		await call?.peer?.replace(mine, track);
		showMine();
	},
	speak: (id) => stage.speak(id),
	say,
});
let me = '';
let mine = new MediaStream();
/** @type {import('./media.js').Screen | null} */
let sharing = null;

/**
 * @typedef {object} Call
 * @property {string} id
 * @property {string} other
 * @property {boolean} outgoing
 * @property {Peer | null} peer null until it is accepted
 * @property {Signalling | null} signalling
 * @property {import('./peer.js').Signal[]} early what came before it was accepted
 * @property {any} timer
 */
/** @type {Call | null} */
let call = null;

/** For tests, and for whoever wants to look. */
export const now = () => ({ me, call, sharing, peer: call?.peer ?? null });

/** @param {'login' | 'dial' | 'ringing' | 'call'} place */
function show(place) {
	find('#entrance').hidden = place === 'call';
	find('#call').hidden = place !== 'call';
	for (const id of ['login', 'dial', 'ringing']) {
		find(`#${id}`).hidden = id !== place;
	}
	find('#logout').hidden = place !== 'dial';
	(place === 'call' ? find('#callNotice') : find('#entrance')).prepend(find('#notice'));
	find('#title').textContent = place === 'call' ? t('Call with {0}', call?.other ?? '') : me ? t('Logged in as {0}', me) : t('Call');
	const first = { login: '#name', dial: '#callee', ringing: '#giveUp', call: '#microphone' };
	find(first[place]).focus();
}

onSubmit('#login', async () => {
	const name = find('#name').value.trim();
	say('');
	await server.request('login', { name });
	me = name;
	show('dial');
});

onClick('#logout', async () => {
	await server.request('logout');
	me = '';
	show('login');
});

onSubmit('#dial', () => start(find('#callee').value.trim()));
onClick('#giveUp', () => end(t('You cancelled the call.'), 'cancelled'));
onClick('#hangUp', () => end(t('You ended the call.'), 'closed'));

/** @param {string} other */
async function start(other) {
	say('');
	const wanted = { video: find('#withCamera').checked, audio: find('#withMicrophone').checked };
	/** @type {Call} */
	const starting = { id: crypto.randomUUID(), other, outgoing: true, peer: null, signalling: null, early: [], timer: 0 };
	call = starting;
	find('#ringingWhom').textContent = t('Calling {0}', other);
	show('ringing');
	if (!(await bring(wanted, starting))) {
		return;
	}
	if (starting.outgoing) {
		connect(starting);
	} else {
		accepted(starting);
	}
}

/** Stops this side's devices and empties the stage. */
function drop() {
	mine.getTracks().forEach((track) => track.stop());
	mine = new MediaStream();
	stage.clear();
}

/** Switches devices on, unless the call ends before that is allowed. @param {{video: boolean, audio: boolean}} wanted @param {Call} current @returns {Promise<boolean>} whether the call goes on */
async function bring(wanted, current) {
	mine.getTracks().forEach((track) => track.stop());
	const stream = await camera(wanted, (text, bad) => call === current && say(text, bad), devices.chosen);
	if (call !== current) {
		stream.getTracks().forEach((track) => track.stop());
		return false;
	}
	mine = stream;
	showMine();
	return true;
}

/** Makes the connection: who called offers first. @param {Call} current */
function connect(current) {
	const { other, outgoing } = current;
	const signalling = new Signalling(server, {
		to: other,
		call: current.id,
		stands: () => current.peer?.state === 'connected' || current.peer?.state === 'interrupted',
		failed: (error) => call === current && end(words(error), '', true),
	});
	const peer = new Peer({ polite: !outgoing, ice: () => server.ice, send: (signal) => signalling.send(signal) });
	const timer = setTimeout(() => (peer.pc.remoteDescription ? end(NO_PATH, 'no-path', true) : end(t('{0} did not answer. Try again later.', other), 'no-answer')), RING_MS);
	Object.assign(current, { peer, signalling, timer });
	peer.addEventListener('streams', showTheirs);
	peer.addEventListener('state', (event) => onPeer(current, /** @type {CustomEvent} */ (event).detail));
	peer.addEventListener('talk', (event) => onTalk(/** @type {CustomEvent} */ (event).detail));
	peer.addEventListener('file', (event) => list.receive(/** @type {CustomEvent} */ (event).detail, other));
	peer.addEventListener('error', (event) => sayError(/** @type {CustomEvent} */ (event).detail));
	if (mine.getTracks().length) {
		peer.add(mine, 'camera');
	}
	current.early.splice(0).forEach((signal) => peer.receive(signal));
	return peer;
}

/** @param {Call} current @param {string} state */
function onPeer(current, state) {
	if (call !== current) {
		return;
	}
	if (state === 'connected') {
		clearTimeout(current.timer);
		say('');
		chip(t('Connected'), 'good');
	} else if (state === 'interrupted') {
		say(t('The connection is interrupted. Looking for another path; you need not do anything.'), true);
		chip(t('Interrupted'), 'busy');
	} else if (state === 'closed') {
		// Why, the server says, perhaps a little later.
		setTimeout(() => call === current && end(t('{0} left the call.', current.other), ''), CLOSE_MS);
	}
}

/** @param {any} said */
function onTalk(said) {
	if (typeof said.chat === 'string') {
		addLine('#log', call?.other ?? '', said.chat);
	} else if (said.off) {
		Object.assign(theirs, said.off);
		showTheirs();
	}
}

/** Ends the call on this side; the other side is told why, unless it knows. @param {string} text @param {string} reason @param {boolean} [bad] */
function end(text, reason, bad = false) {
	const ended = call;
	if (!ended) {
		return;
	}
	call = null;
	clearTimeout(ended.timer);
	if (ended.signalling) {
		ended.signalling.over = true;
	}
	if (reason) {
		server.request('close', { to: ended.other, call: ended.id, reason }).catch(() => {});
	}
	ended.peer?.close();
	stopScreen(sharing);
	sharing = null;
	drop();
	theirs = { audio: false, video: false };
	find('#log').replaceChildren();
	find('#incoming').close();
	showDevices(false);
	showQuality(false);
	drawButtons();
	linkState();
	show(me ? 'dial' : 'login');
	say(text, bad);
}

/* Being called. */

server.addEventListener('offer', (event) => {
	const message = /** @type {CustomEvent} */ (event).detail;
	if (call?.id === message.call) {
		take(message);
		return;
	}
	const crossed = call?.outgoing && !call.peer?.pc.remoteDescription && call.other === message.from;
	if (call && !crossed) {
		server.request('close', { to: message.from, call: message.call, reason: 'busy' }).catch(() => {});
		return;
	}
	if (call && crossed) {
		// Both call each other: both take the call whose name comes first.
		if (call.id < message.call) {
			return;
		}
		if (!call.peer) {
			// The devices are still being asked for: start() goes on with this one.
			Object.assign(call, incoming(message));
			return;
		}
		clearTimeout(call.timer);
		call.peer.close();
		call = incoming(message);
		accepted(call);
		return;
	}
	call = incoming(message);
	find('#caller').textContent = t('{0} calls you', message.from);
	find('#incoming').showModal();
	// Not a button: Enter may be meant for what was being written.
	find('#caller').focus();
});

/** @param {any} message @returns {Call} */
const incoming = (message) => ({ id: message.call, other: message.from, outgoing: false, peer: null, signalling: null, early: [signalOf(message)], timer: 0 });

for (const type of ['answer', 'candidate']) {
	server.addEventListener(type, (event) => take(/** @type {CustomEvent} */ (event).detail));
}

/** @param {any} message */
function take(message) {
	if (!call || call.id !== message.call) {
		return;
	}
	if (message.type === 'answer' && find('#call').hidden) {
		show('call');
	}
	if (call.peer) {
		void call.peer.receive(signalOf(message));
	} else {
		call.early.push(signalOf(message));
	}
}

onClick('#accept', () => accept(true));
onClick('#acceptBare', () => accept(false));
onClick('#decline', () => end(t('You declined the call.'), 'declined'));
find('#incoming').addEventListener('cancel', () => end(t('You declined the call.'), 'declined'));

/** @param {boolean} video */
async function accept(video) {
	const current = call;
	find('#incoming').close();
	say('');
	if (current && (await bring({ video, audio: true }, current))) {
		accepted(current);
	}
}

/** @param {Call} current */
function accepted(current) {
	connect(current);
	show('call');
}

server.addEventListener('close', (event) => {
	const { from, call: id, reason } = /** @type {CustomEvent} */ (event).detail;
	if (!call || call.id !== id) {
		return;
	}
	// Pictures need no server: the call ends when they do.
	if (reason === 'gone' && call.peer?.state === 'connected') {
		const { peer } = call;
		call.timer = setTimeout(() => call?.id === id && peer.state !== 'connected' && end(t('{0} is gone.', from), ''), GONE_MS);
		return;
	}
	const texts = {
		declined: t('{0} declined the call.', from),
		busy: t('{0} is in another call. Try again later.', from),
		'no-path': NO_PATH,
		'no-answer': t('{0} called. Call back, if you like.', from),
		cancelled: t('{0} called, but gave up.', from),
		logout: t('{0} logged out.', from),
		gone: t('{0} is gone: the page was closed, or lost its connection.', from),
	};
	end(/** @type {Record<string, string>} */ (texts)[reason] ?? t('{0} ended the call.', from), '');
});
server.addEventListener('away', (event) => say(t('{0} lost the server for now. The call goes on.', /** @type {CustomEvent} */ (event).detail.from)));
server.addEventListener('back', () => say(''));

/* What is seen and heard. */

let theirs = { audio: false, video: false };

function showMine() {
	if (mine.getTracks().length) {
		stage.set('my camera', { stream: mine, name: me, kind: 'camera', mine: true });
	} else {
		stage.remove('my camera');
	}
	drawButtons();
}

function showTheirs() {
	const streams = call?.peer?.streams() ?? [];
	stage.clear((key) => key.startsWith('their ') && !streams.some(({ stream }) => key === `their ${stream.id}`));
	for (const { stream, kind } of streams) {
		const note = kind === 'camera' ? [theirs.audio && t('muted'), theirs.video && t('camera off')].filter(Boolean).join(', ') : '';
		stage.set(`their ${stream.id}`, { stream, name: call?.other ?? '', kind, note });
	}
}

const drawButtons = () => drawDevices(mine, Boolean(sharing));

/** @param {'audio' | 'video'} kind */
async function toggle(kind) {
	if (await toggleDevice(() => mine, kind, say, devices.chosen)) {
		call?.peer?.add(mine, 'camera');
	}
	/** @param {string} which */
	const off = (which) => !mine.getTracks().some((one) => one.kind === which && one.enabled);
	call?.peer?.talk({ off: { audio: off('audio'), video: off('video') } });
	showMine();
}
onClick('#microphone', () => toggle('audio'));
onClick('#camera', () => toggle('video'));

onClick('#screen', async () => {
	if (sharing) {
		stopSharing('');
		return;
	}
	try {
		const live = await screen({ frameRate: 30, audio: true });
		if (!call?.peer) {
			stopScreen(live);
			return;
		}
		sharing = live;
		onEnd(live, (text) => sharing === live && stopSharing(text));
		call.peer.add(live.stream, 'screen');
		stage.set('my screen', { stream: live.stream, name: me, kind: 'screen', mine: true });
		const sound = live.stream.getAudioTracks().length > 0;
		say(live.path === 'native' ? t('You share your screen, by Portlight.') : sound ? t('You share your screen, by the browser, with its sound.') : t('You share your screen, by the browser.'));
	} catch (error) {
		say(refusal(error), true);
	}
	drawButtons();
});

/** @param {string} text */
function stopSharing(text) {
	if (sharing) {
		call?.peer?.remove(sharing.stream);
		stopScreen(sharing);
		sharing = null;
		stage.remove('my screen');
		drawButtons();
		say(text);
	}
}

/* Chat, files, devices, quality. */

onSubmit('#chat', () => {
	const text = find('#line').value.trim();
	if (text && call?.peer) {
		call.peer.talk({ chat: text });
		addLine('#log', t('You'), text, true);
		find('#line').value = '';
	}
});

onClick('#pick', () => find('#files').click());
find('#files').addEventListener('change', () => {
	if (call?.peer) {
		list.send(call.peer, find('#files').files, call.other);
	}
	find('#files').value = '';
});
find('#call').addEventListener('dragover', (/** @type {DragEvent} */ event) => event.preventDefault());
find('#call').addEventListener('drop', (/** @type {DragEvent} */ event) => {
	event.preventDefault();
	if (call?.peer && event.dataTransfer) {
		list.send(call.peer, event.dataTransfer.files, call.other);
	}
});

/** @type {any} */
let qualityTimer = 0;
/** @param {string} section @param {string} button @param {boolean} wanted */
function unfold(section, button, wanted) {
	find(section).hidden = !wanted;
	find(button).setAttribute('aria-pressed', String(wanted));
	find(button).setAttribute('aria-expanded', String(wanted));
}
/** @param {boolean} wanted */
function showDevices(wanted) {
	unfold('#devices', '#showDevices', wanted);
	return wanted && devices.draw();
}
/** @param {boolean} wanted */
function showQuality(wanted) {
	clearInterval(qualityTimer);
	unfold('#quality', '#showQuality', wanted);
	if (wanted) {
		void drawQuality();
		qualityTimer = setInterval(drawQuality, 1000);
	}
}
async function drawQuality() {
	if (call?.peer && call.peer.state !== 'closed') {
		const lines = await quality(call.peer.pc);
		lines.push([t('Server'), [server.carrierName, serverWord(server.state)].filter(Boolean).join(', ')]);
		find('#quality dl').replaceChildren(...lines.flatMap(([what, value]) => [make('dt', {}, what), make('dd', {}, value)]));
	}
}
onClick('#showDevices', () => showDevices(find('#devices').hidden));
onClick('#showQuality', () => showQuality(find('#quality').hidden));

/* The server. */

function linkState() {
	if (call?.peer?.state !== 'connected') {
		serverChip(server.state);
	}
}
server.addEventListener('state', linkState);
server.addEventListener('refused', (event) => sayError(/** @type {CustomEvent} */ (event).detail));
server.addEventListener('restarted', async () => {
	if (!me) {
		return;
	}
	try {
		// The server forgot the call before it was one.
		if (call && !call.outgoing && !call.peer) {
			end(t('{0} is gone: the page was closed, or lost its connection.', call.other), '');
		}
		await server.request('login', { name: me });
		// The server forgot the call, not the two of us: with an offer it knows it again.
		if (call?.peer?.mends) {
			call.peer.restart();
		}
	} catch (error) {
		me = '';
		if (!call) {
			show('login');
		}
		sayError(error);
	}
});
addEventListener('pagehide', () => call?.peer?.close());
