/** A conference in a room: cameras and screens of everybody, chat, who is here, and what a moderator may do. */
import { addLine } from './files-list.js';
import { t } from './language.js';
import { camera, drawDevices, onEnd, refusal, screen, toggleDevice } from './media.js';
import { Mesh } from './mesh.js';
import { NO_PATH } from './peer.js';
import { Server } from './server.js';
import { Stage } from './stage.js';
import { drawRows, find, make, onClick, onSubmit, say, sayError, serverChip, unsay } from './ui.js';

const parameters = new URLSearchParams(location.search);
export const server = new Server({ carrier: /** @type {any} */ (parameters.get('carrier') ?? 'auto') });
export const mesh = new Mesh(server);
const stage = new Stage(find('.stage'), find('#tiles'));
let mine = new MediaStream();
/** @type {import('./media.js').Screen | null} */
let sharing = null;
/** What a person who comes in should know. */
let told = '';

find('#room').value = parameters.get('room') ?? '';

/** @param {boolean} inside */
function show(inside) {
	find('#entrance').hidden = inside;
	find('#session').hidden = !inside;
	(inside ? find('#sessionNotice') : find('#entrance')).prepend(find('#notice'));
	find('#title').textContent = inside ? t('Room {0}', mesh.room) : t('Conference');
	find(inside ? '#microphone' : find('#room').value ? '#nickname' : '#room').focus();
}

onSubmit('#join', async (form) => {
	const button = find('button', form);
	button.disabled = true;
	try {
		told = '';
		say(t('Joining.'));
		mine = await camera({ video: find('#withCamera').checked, audio: find('#withMicrophone').checked }, (text) => (told = text));
		await mesh.join(find('#room').value.trim(), find('#nickname').value.trim(), mine);
		show(true);
		showMine();
		drawPeople();
		say(told, Boolean(told));
	} catch (error) {
		mine.getTracks().forEach((track) => track.stop());
		throw error;
	} finally {
		button.disabled = false;
	}
});

onClick('#leave', () => {
	const left = mesh.leave();
	out(t('You left the room.'));
	return left;
});

/** @param {string} text @param {boolean} [bad] */
function out(text, bad) {
	mine.getTracks().forEach((track) => track.stop());
	mine = new MediaStream();
	sharing?.track.stop();
	sharing = null;
	stage.clear();
	find('#log').replaceChildren();
	show(false);
	say(text, bad);
}

/** @param {string} type @param {(detail: any) => unknown} act */
const on = (type, act) => mesh.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));

on('ended', (reason) => {
	const texts = { kicked: t('A moderator removed you from the room.'), 'owner-left': t('The room ended with its owner.') };
	out(/** @type {Record<string, string>} */ (texts)[reason] ?? t('The room was closed.'), true);
});
on('error', sayError);
on('full', (error) => (told = t('{0} You are in without your camera.', error.message)));
on('people', drawPeople);
on('role', drawPeople);
on('message', ({ person, body }) => typeof body.chat === 'string' && addLine('#log', person.nickname, body.chat));
on('muted', async () => {
	mine.getAudioTracks().forEach((track) => (track.enabled = false));
	await mesh.change();
	showMine();
	say(t('A moderator muted you. Turn your microphone on when you want to speak.'));
});
on('stopped', (kind) => {
	if (kind === 'screen') {
		dropScreen(t('A moderator stopped your screen.'));
	}
});
on('streams', ({ person, streams }) => {
	const keys = new Map(streams.map((/** @type {any} */ { stream, kind }) => [`${person.id} ${kind}`, { stream, kind }]));
	stage.clear((key) => key.startsWith(`${person.id} `) && !keys.has(key) && (key.endsWith('screen') || !mesh.people.has(person.id)));
	for (const [key, { stream, kind }] of keys) {
		stage.set(String(key), { stream, kind, name: person.nickname });
	}
	drawPeople();
});

/** @param {import('./mesh.js').Person} person */
function noteOf({ away, on: { audio, video }, peer }) {
	if (!peer || peer.state === 'connecting') {
		return t('connecting');
	}
	return [away && t('away'), peer.state === 'interrupted' && t('interrupted'), !audio && t('muted'), !video && t('no camera')].filter(Boolean).join(', ');
}

function drawPeople() {
	if ([...mesh.people.values()].every(({ peer }) => peer?.state === 'connected')) {
		unsay(NO_PATH);
	}
	const moderator = mesh.role === 'moderator';
	const rows = [...mesh.people.values()].map((person) => {
		const key = `${person.id} camera`;
		stage.set(key, { stream: stage.pictures.get(key)?.stream ?? null, name: person.nickname, kind: 'camera', note: noteOf(person) });
		const { nickname, owner, screenStream, on: { audio } } = person;
		return { key, state: [nickname, owner, screenStream, audio, moderator], make: () => rowOf(person, moderator) };
	});
	const me = () => make('li', {}, make('span', { className: 'who' }, t('{0} (you)', mesh.nickname)), moderator ? make('span', { className: 'quiet small' }, t('moderator')) : '');
	drawRows(find('#people'), [{ key: 'me', state: [mesh.nickname, moderator], make: me }, ...rows]);
	find('#lock').hidden = !moderator;
	find('#lock').setAttribute('aria-pressed', String(mesh.locked));
	find('#lock').textContent = mesh.locked ? t('Locked') : t('Lock room');
	// It appears once the connection for the screen stands.
	find('#screen').hidden = !mesh.screen;
}

/** @param {import('./mesh.js').Person} person @param {boolean} moderator */
function rowOf(person, moderator) {
	const note = [person.owner && t('owner'), person.screenStream && t('shares a screen')].filter(Boolean).join(', ');
	const row = make('li', {}, make('span', { className: 'who' }, person.nickname, note ? make('span', { className: 'quiet small' }, ` · ${note}`) : ''));
	if (moderator && person.on.audio) {
		row.append(action(t('Mute'), t('Mute: {0}', person.nickname), () => mesh.mute(person)));
	}
	if (moderator && person.screenStream) {
		row.append(action(t('Stop screen'), t('Stop screen: {0}', person.nickname), () => mesh.stop(person)));
	}
	if (moderator && !person.owner) {
		row.append(action(t('Remove'), t('Remove: {0}', person.nickname), () => mesh.kick(person)));
	}
	return row;
}

/** @param {string} text @param {string} label @param {() => Promise<unknown>} act */
function action(text, label, act) {
	return make('button', { type: 'button', className: 'narrow', 'aria-label': label, onclick: () => act().catch(sayError) }, text);
}

onClick('#lock', () => mesh.lock(!mesh.locked));

function showMine() {
	stage.set('mine', { stream: mine, name: mesh.nickname, kind: 'camera', mine: true });
	drawDevices(mine, Boolean(sharing));
}

/** @param {'audio' | 'video'} kind */
async function toggle(kind) {
	if (kind === 'video' && !mesh.published.get('camera')?.video) {
		mesh.checkPictures();
	}
	await toggleDevice(() => mine, kind, say);
	if (mesh.room) {
		showMine();
		await mesh.change();
	}
}
onClick('#microphone', () => toggle('audio'));
onClick('#camera', () => toggle('video'));

onClick('#screen', async () => {
	if (sharing) {
		dropScreen('');
		await mesh.unpublish('screen');
		return;
	}
	mesh.checkPictures();
	try {
		const live = await screen({ frameRate: 30 });
		if (!mesh.screen) {
			live.track.stop();
			return;
		}
		sharing = live;
		onEnd(live, (text) => {
			if (sharing === live) {
				dropScreen(text);
				mesh.unpublish('screen').catch(sayError);
			}
		});
		await mesh.publish('screen', live.stream);
		stage.set('my screen', { stream: live.stream, name: mesh.nickname, kind: 'screen', mine: true });
		showMine();
		say(live.path === 'native' ? t('Everybody sees your screen, by Portlight.') : t('Everybody sees your screen, by the browser.'));
	} catch (error) {
		dropScreen('');
		say(refusal(error), true);
	}
});

/** @param {string} text */
function dropScreen(text) {
	sharing?.track.stop();
	sharing = null;
	stage.remove('my screen');
	showMine();
	say(text);
}

onSubmit('#chat', async () => {
	const chat = find('#line').value.trim();
	if (chat) {
		find('#line').value = '';
		addLine('#log', t('You'), chat, true);
		mesh.send({ chat }).catch(sayError);
	}
});

server.addEventListener('state', () => serverChip(server.state));
server.addEventListener('refused', (event) => sayError(/** @type {CustomEvent} */ (event).detail));
addEventListener('pagehide', () => mesh.people.forEach(({ peer }) => peer?.close()));
