/** An assistance share: one shows a part of a screen, others watch by a private link, all point and draw. */
import { Cropped } from './crop.js';
import { onEnd, refusal, screen } from './media.js';
import { RecordingPanel } from './recording/panel.js';
import { Server } from './server.js';
import { Sharer, Viewer } from './star.js';
import { Surface } from './surface.js';
import { chip, colours, drawRows, find, make, onClick, onSubmit, say, sayError } from './ui.js';

const parameters = new URLSearchParams(location.search);
const room = location.hash.slice(1);
export const server = new Server({ carrier: /** @type {any} */ (parameters.get('carrier') ?? 'auto') });
/** @type {Sharer | Viewer | null} */
let side = null;
/** @type {Cropped | null} */
let cropped = null;
/** @type {Surface | null} */
let surface = null;

/** How often the marks changed, and pictures came. */
let changes = 0;
let pictures = 0;
/** Chromium's own count goes on in a hidden tab; Firefox has none of a stream. */
const count = () => (pictures++, find('.stage video').requestVideoFrameCallback(count));
find('.stage video').requestVideoFrameCallback?.(count);

const recording = new RecordingPanel({
	picture: (marks) => {
		const video = find('.stage video');
		return {
			size: () => ({ width: video.videoWidth, height: video.videoHeight }),
			version: () => [pictures, video.getVideoPlaybackQuality().totalVideoFrames, marks && changes],
			paint: (context, width, height) => paint(context, width, height, { marks }),
		};
	},
	sound: () => find('.stage video').srcObject?.getAudioTracks() ?? [],
	announce: (on) => side?.record(on),
});

/** For tests, and for whoever wants to look. */
export const now = () => ({ side, cropped, surface, board: side?.board, recording });

find(room ? '#knock' : '#share').hidden = false;
find(room ? '#viewerName' : '#sharerName').focus();

/** @param {boolean} inside */
function show(inside) {
	find('#entrance').hidden = inside;
	find('#room').hidden = !inside;
	(inside ? find('#roomNotice') : find('#entrance')).prepend(find('#notice'));
	const shares = side instanceof Sharer;
	document.querySelectorAll('.sharer').forEach((section) => section.toggleAttribute('hidden', !shares));
	find('#knocks').hidden = true;
	find('#stop').textContent = shares ? 'Stop sharing' : 'Leave';
	find('#peopleTitle').textContent = shares ? 'Who watches' : 'Who shares';
	recording.place(inside);
}

/** @param {string} text @param {boolean} [bad] */
function over(text, bad) {
	recording.stop().catch(sayError);
	recording.heard([]);
	side?.close().catch(() => {});
	side = null;
	cropped?.stop();
	cropped = null;
	find('.stage video').srcObject = null;
	surface?.canvas.remove();
	surface?.cropbox.remove();
	surface = null;
	find('#knocking').replaceChildren();
	find('#people').replaceChildren();
	find('#waiting').hidden = true;
	show(false);
	find(room ? '#knock' : '#share').hidden = false;
	say(text, bad);
}

/** @param {MediaStream | null} stream */
function play(stream) {
	find('.stage video').srcObject = stream;
	find('.empty').hidden = Boolean(stream);
}

/* The one who shares. */

onSubmit('#share', async () => {
	say('Choose a screen or a window in the dialog that opens.');
	let live;
	try {
		live = await screen({ frameRate: 30 });
	} catch (error) {
		say(refusal(error), true);
		return;
	}
	const crop = new Cropped(live);
	cropped = crop;
	try {
		await crop.open();
		const sharer = new Sharer(server, crop.stream);
		side = sharer;
		hear(sharer);
		await sharer.open(find('#sharerName').value.trim());
		onEnd(live, (text) => cropped === crop && over(text));
		crop.addEventListener('track', (event) => {
			sharer.replace(/** @type {CustomEvent} */ (event).detail);
			play(new MediaStream(crop.stream.getVideoTracks()));
		});
		enter();
		play(crop.stream);
		find('#url').value = `${location.origin}${location.pathname}#${sharer.room}`;
		find('#path').textContent = crop.native
			? 'Portlight’s helper crops: pixels outside of the part never leave it.'
			: 'This page crops: it has the whole picture, and sends only the part.';
		drawPeople();
		say('Send the private link to whoever should see this.');
	} catch (error) {
		over('');
		sayError(error);
	}
});

onClick('#copy', async () => {
	find('#url').select();
	await navigator.clipboard.writeText(find('#url').value);
	say('The link is copied.');
});

/** @param {{knock: number, nickname: string}} told */
function knocked({ knock, nickname }) {
	const item = make('li', { 'data-knock': String(knock) }, make('span', { className: 'who' }, nickname));
	for (const [text, allowed, className] of /** @type {const} */ ([['Let in', true, 'main narrow'], ['Refuse', false, 'narrow']])) {
		const onclick = async () => {
			try {
				await /** @type {Sharer} */ (side).admit(knock, allowed);
				knockGone(knock);
				say('');
			} catch (error) {
				sayError(error);
			}
		};
		item.append(make('button', { type: 'button', className, 'aria-label': `${text}: ${nickname}`, onclick }, text));
	}
	find('#knocking').append(item);
	find('#knocks').hidden = false;
	say(`${nickname} wants to come in.`);
}

/** @param {number} knock */
function knockGone(knock) {
	document.querySelector(`[data-knock="${knock}"]`)?.remove();
	find('#knocks').hidden = !find('#knocking').childElementCount;
}

/** @param {import('./crop.js').Region | null} region */
async function setCrop(region) {
	const sharer = side;
	if (cropped && sharer instanceof Sharer) {
		const crop = await cropped.set(region);
		sharer.change({ crop });
		const { x, y, width, height } = cropped.region ?? { x: 0, y: 0, width: -1, height: -1 };
		for (const [id, value] of Object.entries({ x, y, width, height })) {
			find(`#${id}`).value = value;
		}
		say(cropped.region ? `Others see ${width} × ${height} pixels of your screen.` : 'Others see all of it.');
	}
}

onSubmit('#crop', () => {
	const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((id) => Number(find(`#${id}`).value));
	return setCrop(x === 0 && y === 0 && width === -1 && height === -1 ? null : { x, y, width, height });
});
onClick('#whole', () => setCrop(null));
onClick('#drag', () => {
	if (!surface || !cropped) {
		return;
	}
	const wanted = !surface.choosing;
	find('#drag').setAttribute('aria-pressed', String(wanted));
	surface.choosing = null;
	find('.stage').classList.toggle('drawing', wanted || surface.tool !== 'pointer');
	if (wanted) {
		say('Drag over the part that others may see. To choose from all of it again, press “Show all” first.');
		surface.choosing = ({ x, y, width, height }) => {
			find('#drag').setAttribute('aria-pressed', 'false');
			const { size, region } = /** @type {Cropped} */ (cropped);
			const from = region ?? { x: 0, y: 0, ...size };
			setCrop({
				x: Math.round(from.x + x * from.width),
				y: Math.round(from.y + y * from.height),
				width: Math.round(width * from.width),
				height: Math.round(height * from.height),
			}).catch(sayError);
		};
	}
});

/* The one who watches. */

onSubmit('#knock', async () => {
	say('');
	const viewer = new Viewer(server, room);
	side = viewer;
	hear(viewer);
	try {
		await viewer.knock(find('#viewerName').value.trim());
	} catch (error) {
		viewer.end();
		side = null;
		throw error;
	}
	find('#knock').hidden = true;
	find('#waiting').hidden = false;
});

/* Both. */

/** @param {Sharer | Viewer} who */
function hear(who) {
	/** @type {Record<string, (detail: any) => void>} */
	const heard = {
		members: drawPeople,
		error: sayError,
		knock: knocked,
		'knock-gone': knockGone,
		admitted: () => {
			find('#waiting').hidden = true;
			enter();
			play(null);
			drawPeople();
			say('');
		},
		refused: () => over('The person who shares did not let you in. Ask them, then try again.', true),
		streams: ([first]) => play(first?.stream ?? null),
		open: askToOpen,
		recorders: (others) => recording.heard(others),
		ended: (reason) => {
			const texts = { kicked: 'The person who shares sent you away.', left: 'The share is over.', 'owner-left': 'The share is over.' };
			over(/** @type {Record<string, string>} */ (texts)[reason] ?? 'The room is gone. Ask for a new link.', reason === 'kicked');
		},
	};
	who.board.addEventListener('change', () => changes++);
	for (const [type, act] of Object.entries(heard)) {
		who.addEventListener(type, (event) => side === who && act(/** @type {CustomEvent} */ (event).detail));
	}
}

function enter() {
	const who = /** @type {Sharer | Viewer} */ (side);
	show(true);
	surface = new Surface(find('.stage'), who.board, {
		me: () => ({ by: String(who.connection), name: who.nickname }),
		change: (change) => who.change(change),
		askText,
	});
	surface.colour = colours[who.connection % colours.length];
	choose('pointer');
	recording.announce();
}

function drawPeople() {
	if (!side) {
		return;
	}
	const shares = side instanceof Sharer;
	const states = /** @type {Record<string, string>} */ ({ connecting: 'connecting', connected: '', interrupted: 'interrupted', closed: 'gone' });
	const rows = [...side.members.values()].map((member) => {
		const state = states[member.peer?.state ?? 'connecting'];
		return { key: String(member.connection), state, make: () => rowOf(member, state, shares) };
	});
	const nobody = { key: 'nobody', state: '', make: () => make('li', { className: 'quiet' }, 'Nobody yet.') };
	drawRows(find('#people'), rows.length ? rows : [nobody]);
	find('#title').textContent = shares ? 'You share' : `${[...side.members.values()][0]?.nickname ?? 'Somebody'} shares`;
}

/** @param {import('./star.js').Member} member @param {string} state @param {boolean} shares */
function rowOf(member, state, shares) {
	const swatch = make('span', { className: 'swatch' });
	swatch.style.setProperty('--swatch', colours[Math.abs(member.connection) % colours.length]);
	const row = make('li', {}, swatch, make('span', { className: 'who' }, member.nickname, state ? make('span', { className: 'quiet small' }, ` · ${state}`) : ''));
	if (shares) {
		const onclick = () => /** @type {Sharer} */ (side).kick(member).catch(sayError);
		row.append(make('button', { type: 'button', className: 'narrow', 'aria-label': `Send away: ${member.nickname}`, onclick }, 'Send away'));
	}
	return row;
}

/** @param {string} tool */
function choose(tool) {
	if (surface) {
		surface.tool = tool;
	}
	find('.stage').classList.toggle('drawing', tool !== 'pointer');
	document.querySelectorAll('[data-tool]').forEach((button) => button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.tool === tool)));
}
document.querySelectorAll('[data-tool]').forEach((button) => button.addEventListener('click', () => choose(/** @type {HTMLElement} */ (button).dataset.tool ?? '')));

/** @param {string[]} remove */
function takeAway(remove) {
	if (remove.length) {
		side?.change({ remove });
	}
}
onClick('#undo', () => takeAway([side?.board.lastOf(String(side.connection)) ?? ''].filter(Boolean)));
onClick('#clearMine', () => takeAway(side?.board.idsOf(String(side.connection)) ?? []));
onClick('#clearAll', () => takeAway(side?.board.idsOf() ?? []));

/** @returns {Promise<string>} */
function askText() {
	const dialog = find('#write');
	find('#words').value = '';
	dialog.returnValue = '';
	dialog.showModal();
	find('#words').focus();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok' ? find('#words').value.trim() : ''), { once: true });
	});
}
// Enter writes: the first button of a form would cancel.
find('#words').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
	if (event.key === 'Enter') {
		event.preventDefault();
		find('#write').close('ok');
	}
});

/**
 * Draws what is shown, as large as wanted.
 * @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {{marks?: boolean, pointers?: boolean}} options
 */
function paint(context, width, height, { marks = true, pointers }) {
	context.drawImage(find('.stage video'), 0, 0, width, height);
	if (marks) {
		side?.board.draw(context, width, height, { pointers });
	}
}

/** The picture with its marks, at its full size, as a file. */
onClick('#snapshot', async () => {
	const video = find('.stage video');
	if (!video.videoWidth || !side) {
		throw new Error('There is no picture yet. Wait for it, then try again.');
	}
	const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
	paint(/** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), canvas.width, canvas.height, { pointers: false });
	const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
	const href = URL.createObjectURL(blob);
	make('a', { href, download: `snapshot-${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}.png` }).click();
	setTimeout(() => URL.revokeObjectURL(href), 60_000);
	say(`A snapshot of ${canvas.width} × ${canvas.height} was saved.`);
});

onClick('#stop', () => over(side instanceof Sharer ? 'You stopped the share. The link is dead.' : 'You left.'));

onSubmit('#open', () => {
	const url = new URL(find('#page').value);
	if (url.protocol !== 'https:') {
		throw new Error('Only addresses that begin with https:// can be suggested.');
	}
	side?.openPage(url.href);
	find('#page').value = '';
	say('They were asked whether to open it.');
});

/** @param {{url: string, nickname: string}} told */
function askToOpen({ url, nickname }) {
	if (!URL.canParse(url) || new URL(url).protocol !== 'https:' || find('#ask').open) {
		return;
	}
	const { href } = new URL(url);
	find('#asks').textContent = `${nickname} suggests a page`;
	find('#address').textContent = href;
	find('#follow').href = href;
	find('#ask').showModal();
	find('#refuse').focus();
}
for (const id of ['#refuse', '#follow']) {
	find(id).addEventListener('click', () => find('#ask').close());
}

server.addEventListener('state', () => {
	const states = { connecting: ['Connecting', 'busy'], connected: ['Online', 'good'], interrupted: ['Reconnecting', 'busy'], over: ['Offline', 'bad'] };
	const [text, kind] = /** @type {Record<string, any>} */ (states)[server.state];
	chip(text, kind);
});
server.addEventListener('refused', (event) => sayError(/** @type {CustomEvent} */ (event).detail));
addEventListener('beforeunload', (event) => recording.recorder && event.preventDefault());
addEventListener('pagehide', () => side?.members.forEach(({ peer }) => peer?.close()));
addEventListener('hashchange', () => location.reload());
