/** An assistance share: one shows a part of a screen, others watch by a private link, all point and draw. */
import { askToOpen, pageAddress } from './assist/address.js';
import { Cropped } from './assist/crop.js';
import { Freezer } from './assist/freezer.js';
import { Masks } from './assist/masks.js';
import { Sharer } from './assist/sharer.js';
import { paint, snapshot, Still } from './assist/still.js';
import { Surface } from './assist/surface.js';
import { Viewer } from './assist/viewer.js';
import { FileList } from './files-list.js';
import { t } from './language.js';
import { onEnd, refusal, screen } from './media.js';
import { NO_PATH } from './peer.js';
import { RecordingPanel } from './recording/panel.js';
import { Server } from './server.js';
import { colours, drawRows, find, make, onClick, onSubmit, say, sayError, serverChip, shortcuts, unsay } from './ui.js';

const parameters = new URLSearchParams(location.search);
const room = location.hash.slice(1);
export const server = new Server({ carrier: /** @type {any} */ (parameters.get('carrier') ?? 'auto') });
/** @type {Sharer | Viewer | null} */
let side = null;
/** @type {Cropped | null} */
let cropped = null;
/** @type {Surface | null} */
let surface = null;
/** @type {Freezer | null} */
let freezer = null;
/** @type {Masks | null} */
let masks = null;
/** How often marks, or a picture that stands still, changed. */
let changes = 0;
/** How often pictures came. */
let pictures = 0;
const still = new Still(find('canvas.still'), () => {
	changes++;
	surface?.place();
});
const files = new FileList(find('#transfers'), (text) => (find('#fileNews').textContent = text));

/** Chromium's own count goes on in a hidden tab; Firefox has none of a stream. */
const count = () => (pictures++, find('.stage video').requestVideoFrameCallback(count));
find('.stage video').requestVideoFrameCallback?.(count);

const recording = new RecordingPanel({
	picture: (marks) => ({
		size: () => surface?.size ?? { width: 0, height: 0 },
		version: () => [pictures, find('.stage video').getVideoPlaybackQuality().totalVideoFrames, surface?.still.hidden, changes],
		paint: (context, width, height) => surface && paint(surface, context, width, height, { marks }),
	}),
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
	find('#stop').textContent = shares ? t('Stop sharing') : t('Leave');
	find('#peopleTitle').textContent = shares ? t('Who watches') : t('Who shares');
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
	freezer = null;
	masks?.labels.remove();
	masks = null;
	find('.stage video').srcObject = null;
	surface?.remove();
	surface = null;
	void still.show(null, null);
	find('#stands').textContent = '';
	find('#knocking').replaceChildren();
	find('#people').replaceChildren();
	find('#waiting').hidden = true;
	show(false);
	find(room ? '#knock' : '#share').hidden = false;
	find('#title').textContent = t('Assist');
	find(room ? '#viewerName' : '#sharerName').focus();
	say(text, bad);
}

/** @param {MediaStream | null} stream */
function play(stream) {
	find('.stage video').srcObject = stream;
	find('.empty').hidden = Boolean(stream);
}

/* The one who shares. */

onSubmit('#share', async () => {
	say(t('Choose a screen or a window in the dialog that opens.'));
	let live;
	try {
		live = await screen({ frameRate: 30 });
	} catch (error) {
		say(refusal(error), true);
		return;
	}
	/** @param {MediaStreamTrack} track */
	const replaced = (track) => {
		play(new MediaStream([track]));
		return side instanceof Sharer && side.replace(track);
	};
	const crop = new Cropped(live, replaced, showCrop);
	cropped = crop;
	try {
		await crop.open();
		const sharer = new Sharer(server, crop.stream);
		side = sharer;
		hear(sharer);
		await sharer.open(find('#sharerName').value.trim());
		onEnd(live, (text) => cropped === crop && over(text));
		const pictures = new Freezer(sharer, crop);
		freezer = pictures;
		masks = new Masks(crop, enter(), sayError, () => {
			sayPath();
			return pictures.again();
		});
		play(crop.stream);
		find('#url').value = `${location.origin}${location.pathname}#${sharer.room}`;
		sayPath();
		drawPeople();
		say(t('Send the private link to whoever should see this.'));
	} catch (error) {
		over('');
		sayError(error);
	}
});

onClick('#copy', async () => {
	find('#url').select();
	await navigator.clipboard.writeText(find('#url').value);
	say(t('The link is copied.'));
});

/** Who crops, now. */
function sayPath() {
	const { byPage = false, native = false } = cropped ?? {};
	find('#path').textContent = !byPage
		? t('Portlight’s helper crops: pixels outside of the part never leave it.')
		: native
			? t('This page crops while there are black boxes: it has the whole picture, and sends only the part.')
			: t('This page crops: it has the whole picture, and sends only the part.');
}

/** @param {{knock: number, nickname: string, sentAway?: string}} told */
function knocked({ knock, nickname, sentAway }) {
	const before = sentAway && (sentAway === nickname ? t('You sent this person away before.') : t('You sent this person away before, as {0}.', sentAway));
	const item = make('li', { className: before ? 'warned' : '', 'data-knock': String(knock) }, make('span', { className: 'who' }, nickname));
	if (before) {
		item.append(make('span', { className: 'small bad' }, before));
	}
	const answers = /** @type {const} */ ([
		[t('Let in'), t('Let in: {0}', nickname), true, 'main narrow'],
		[t('Refuse'), t('Refuse: {0}', nickname), false, 'narrow'],
	]);
	for (const [text, label, allowed, className] of answers) {
		const onclick = async () => {
			try {
				await /** @type {Sharer} */ (side).admit(knock, allowed);
				knockGone(knock);
				say('');
			} catch (error) {
				sayError(error);
			}
		};
		item.append(make('button', { type: 'button', className, 'aria-label': label, onclick }, text));
	}
	find('#knocking').append(item);
	find('#knocks').hidden = false;
	say([t('{0} wants to come in.', nickname), before].filter(Boolean).join(' '));
}

/** @param {number} knock */
function knockGone(knock) {
	document.querySelector(`[data-knock="${knock}"]`)?.remove();
	find('#knocks').hidden = !find('#knocking').childElementCount;
}

/** The shown part in numbers. */
function showCrop() {
	const { x, y, width, height } = cropped?.region ?? { x: 0, y: 0, width: -1, height: -1 };
	for (const [id, value] of Object.entries({ x, y, width, height })) {
		find(`#${id}`).value = value;
	}
	return { width, height };
}

/** @param {import('./assist/crop.js').Region | null} region */
async function setCrop(region) {
	const sharer = side;
	if (cropped && sharer instanceof Sharer) {
		const crop = await cropped.set(region);
		sharer.show(crop);
		const { width, height } = showCrop();
		say(cropped.region ? t('Others see {0} × {1} pixels of your screen.', width, height) : t('Others see all of it.'));
	}
}

onSubmit('#crop', () => {
	const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((id) => Number(find(`#${id}`).value));
	return setCrop(x === 0 && y === 0 && width === -1 && height === -1 ? null : { x, y, width, height });
});
onClick('#whole', () => setCrop(null));
/** A button for choosing on the picture. @param {string} button @param {string} hint @param {(rect: import('./assist/annotate.js').Rect) => unknown} act */
function onChoice(button, hint, act) {
	onClick(button, () => {
		const pressed = find(button).getAttribute('aria-pressed') === 'true';
		endChoice();
		if (surface && cropped && !pressed) {
			find(button).setAttribute('aria-pressed', 'true');
			find('.stage').classList.add('drawing');
			say(hint);
			surface.choosing = async (rect) => {
				endChoice();
				say('');
				try {
					await act(rect);
				} catch (error) {
					sayError(error);
				}
			};
			surface.canvas.focus();
		}
	});
}

/** Nothing is being chosen; a stroke that is under way is taken back. */
function endChoice() {
	surface?.cancel();
	['#drag', '#mask'].forEach((button) => find(button).setAttribute('aria-pressed', 'false'));
	find('.stage').classList.toggle('drawing', surface !== null && surface.tool !== 'pointer');
}

onChoice('#drag', t('Drag over the part that others may see. To choose from all of it again, press “Show all” first.'), ({ x, y, width, height }) => {
	const { size, region } = /** @type {Cropped} */ (cropped);
	const from = region ?? { x: 0, y: 0, ...size };
	return setCrop({
		x: Math.round(from.x + x * from.width),
		y: Math.round(from.y + y * from.height),
		width: Math.round(width * from.width),
		height: Math.round(height * from.height),
	});
});
onChoice('#mask', t('Drag over what others must not see.'), (rect) => masks?.add(rect));
onClick('#clearMasks', () => masks?.clear());

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
	find('#giveUp').focus();
});
onClick('#giveUp', () => over(''));

/* Both. */

/** @param {Sharer | Viewer} who */
function hear(who) {
	/** @type {Record<string, (detail: any) => void>} */
	const heard = {
		members: drawPeople,
		error: sayError,
		knock: knocked,
		'knock-gone': knockGone,
		restarted: () => {
			find('#knocking').replaceChildren();
			find('#knocks').hidden = true;
		},
		freeze: (name) => freezer?.freeze(name).catch(sayError),
		thaw: () => freezer?.thaw().catch(sayError),
		still: showStill,
		file: ({ channel, nickname }) => files.receive(channel, nickname),
		admitted: () => {
			find('#waiting').hidden = true;
			enter();
			play(null);
			drawPeople();
			say('');
		},
		refused: () => over(t('The person who shares did not let you in. Ask them, then try again.'), true),
		streams: ([first]) => play(first?.stream ?? null),
		open: askToOpen,
		recorders: (others) => recording.heard(others),
		met: () => recording.announce(),
		ended: (reason) => {
			const texts = { kicked: t('The person who shares sent you away.'), left: t('The share is over.'), 'owner-left': t('The share is over.'), lost: t('The connection was lost. Ask to come in again.') };
			over(/** @type {Record<string, string>} */ (texts)[reason] ?? t('The room is gone. Ask for a new link.'), reason === 'kicked');
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
		me: () => ({ by: who.by, name: who.nickname, colour: colourOf(who.by) }),
		change: (change) => who.change(change),
		askText,
	});
	who.board.addEventListener('change', showStill);
	choose('pointer');
	(who instanceof Sharer ? find('#copy') : surface.canvas).focus();
	recording.announce();
	return surface;
}

/** @param {string} by what marks are signed with */
const colourOf = (by) => colours[(parseInt(by, 10) || 0) % colours.length];

/** The picture moves, or stands still; who wanted that is told. */
function showStill() {
	if (side) {
		const { board, still: here } = side;
		const { frozen } = board;
		still.show(frozen, here).catch(sayError);
		const arrived = !frozen || here?.name === frozen.id;
		const text = !frozen ? '' : arrived ? t('Frozen by {0}', frozen.name) : t('Frozen by {0}. The picture is on its way.', frozen.name);
		if (find('#stands').textContent !== text) {
			find('#stands').textContent = text;
			find('#freeze').setAttribute('aria-pressed', String(Boolean(frozen)));
			find('#freeze span').textContent = frozen ? t('Unfreeze') : t('Freeze');
		}
	}
}
onClick('#freeze', () => {
	const wish = side?.board.frozen ? 'thaw' : 'freeze';
	if (side instanceof Viewer) {
		side.ask(wish);
	} else if (freezer && side) {
		return wish === 'thaw' ? freezer.thaw() : freezer.freeze(side.nickname);
	}
});

function drawPeople() {
	if (!side) {
		return;
	}
	const shares = side instanceof Sharer;
	const states = /** @type {Record<string, string>} */ ({ connecting: t('connecting'), connected: '', interrupted: t('interrupted'), closed: t('gone') });
	const rows = [...side.members.values()].map((member) => {
		const state = states[member.peer?.state ?? 'connecting'];
		return { key: String(member.connection), state, make: () => rowOf(member, state, shares) };
	});
	const nobody = { key: 'nobody', state: '', make: () => make('li', { className: 'quiet' }, t('Nobody yet.')) };
	drawRows(find('#people'), rows.length ? rows : [nobody]);
	if ([...side.members.values()].every(({ peer }) => peer?.state === 'connected')) {
		unsay(NO_PATH);
	}
	const [first] = side.members.values();
	find('#title').textContent = shares ? t('You share') : first ? t('{0} shares', first.nickname) : t('Somebody shares');
}

/** @param {import('./assist/side.js').Member} member @param {string} state @param {boolean} shares */
function rowOf(member, state, shares) {
	const swatch = make('span', { className: 'swatch' });
	swatch.style.setProperty('--swatch', colourOf(member.by));
	const row = make('li', {}, swatch, make('span', { className: 'who' }, member.nickname, state ? make('span', { className: 'quiet small' }, ` · ${state}`) : ''));
	if (shares) {
		const onclick = () => /** @type {Sharer} */ (side).kick(member).catch(sayError);
		row.append(make('button', { type: 'button', className: 'narrow', 'aria-label': t('Send away: {0}', member.nickname), onclick }, t('Send away')));
	}
	return row;
}

/** @param {string} tool */
function choose(tool) {
	if (surface) {
		surface.tool = tool;
	}
	endChoice();
	document.querySelectorAll('[data-tool]').forEach((button) => button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.tool === tool)));
}
document.querySelectorAll('[data-tool]').forEach((button) => button.addEventListener('click', () => choose(/** @type {HTMLElement} */ (button).dataset.tool ?? '')));

/** @param {string[]} remove */
function takeAway(remove) {
	if (remove.length) {
		side?.change({ remove });
	}
}
onClick('#undo', () => takeAway([side?.board.lastOf(side.by) ?? ''].filter(Boolean)));
onClick('#clearMine', () => takeAway(side?.board.idsOf(side.by) ?? []));
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

/** The picture with its marks, at its full size, as a file. */
onClick('#snapshot', async () => {
	if (!surface) {
		return;
	}
	const { blob, width, height } = await snapshot(surface);
	const href = URL.createObjectURL(blob);
	make('a', { href, download: `snapshot-${new Date().toISOString().slice(0, 19).replace(/:/g, '-')}.png` }).click();
	setTimeout(() => URL.revokeObjectURL(href), 60_000);
	say(t('A snapshot of {0} × {1} was saved.', width, height));
});

onClick('#stop', () => over(side instanceof Sharer ? t('You stopped the share. The link is dead.') : t('You left.')));

onSubmit('#open', () => {
	side?.openPage(pageAddress(find('#page').value).href);
	find('#page').value = '';
	say(t('They were asked whether to open it.'));
});
for (const id of ['#refuse', '#follow']) {
	find(id).addEventListener('click', () => find('#ask').close());
}

/** To whoever watches, or to the one who shares. @param {Iterable<File>} chosen */
function sendFiles(chosen) {
	const all = [...chosen];
	const members = [...(side?.members.values() ?? [])].filter(({ peer }) => peer?.state === 'connected');
	if (all.length && !members.length) {
		throw new Error(t('Nobody is connected. Wait until somebody watches, then send the file again.'));
	}
	members.forEach(({ peer, nickname }) => files.send(/** @type {import('./peer.js').Peer} */ (peer), all, nickname));
}
onClick('#pick', () => find('#files').click());
find('#files').addEventListener('change', () => {
	const chosen = [...find('#files').files];
	find('#files').value = '';
	try {
		sendFiles(chosen);
	} catch (error) {
		sayError(error);
	}
});

shortcuts();
addEventListener('keydown', (event) => event.key === 'Escape' && endChoice());

server.addEventListener('state', () => serverChip(server.state));
server.addEventListener('refused', (event) => sayError(/** @type {CustomEvent} */ (event).detail));
addEventListener('beforeunload', (event) => recording.recorder && event.preventDefault());
addEventListener('pagehide', () => side?.members.forEach(({ peer }) => peer?.close()));
addEventListener('hashchange', () => location.reload());
