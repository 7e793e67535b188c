/** Portlight's page API in use: docs/PAGES.md. */
import { capabilities, request, version } from './portlight.js';

/** @type {<Kind extends HTMLElement>(selector: string) => Kind} */
const find = (selector) => /** @type {any} */ (document.querySelector(selector));
const form = /** @type {HTMLFormElement} */ (find('#wish'));
const controls = find('#controls');
const video = /** @type {HTMLVideoElement} */ (find('video'));
const cursor = /** @type {HTMLCanvasElement} */ (find('#cursor'));

/** @type {import('./portlight.js').Share | null} */
let share = null;
let paused = false;
/** The cursor, as it was told last. */
let pointer = { visible: false, x: 0, y: 0, hotX: 0, hotY: 0 };

/** @param {string} text @param {boolean} [bad] */
function say(text, bad = false) {
	find('#state').textContent = text;
	find('#state').classList.toggle('bad', bad);
}

/** @param {unknown} error */
function sayError(error) {
	const { message, remedy = '' } = /** @type {import('./portlight.js').PortlightError} */ (error);
	say(`${message} ${remedy}`, true);
}

function showSize() {
	find('#facts').textContent = share && video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '';
	placeCursor();
}

function placeCursor() {
	cursor.hidden = !share || !pointer.visible;
	const scale = Math.min(video.clientWidth / video.videoWidth, video.clientHeight / video.videoHeight);
	const left = (video.clientWidth - scale * video.videoWidth) / 2 + scale * (pointer.x - pointer.hotX);
	const top = (video.clientHeight - scale * video.videoHeight) / 2 + scale * (pointer.y - pointer.hotY);
	cursor.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
}

/** @param {import('./portlight.js').Cursor} moved */
function moveCursor({ pixels, width = 0, height = 0, ...moved }) {
	pointer = { ...pointer, ...moved };
	if (pixels) {
		Object.assign(cursor, { width, height });
		cursor.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
	}
	placeCursor();
}

/** @param {boolean} now */
function showPaused(now) {
	paused = now;
	find('#paused').hidden = !now;
	find('#pause').firstChild?.replaceWith(now ? 'Go on' : 'Pause');
}

/** @param {boolean} live */
function showLive(live) {
	document.body.classList.toggle('live', live);
	controls.hidden = !live;
	form.hidden = live;
	(live ? find('#stop') : form.querySelector('button'))?.focus();
}

/** @param {string} text @param {boolean} [bad] */
function over(text, bad) {
	share = null;
	video.srcObject = null;
	pointer.visible = false;
	showPaused(false);
	showLive(false);
	showSize();
	say(text, bad);
}

form.addEventListener('submit', async (event) => {
	event.preventDefault();
	const wish = new FormData(form);
	say('Choose a screen or a window in the dialog of your desktop.');
	try {
		share = await request({
			cursor: /** @type {import('./portlight.js').CursorMode} */ (wish.get('cursor')),
			frameRate: Number(wish.get('frameRate')),
			fidelity: wish.has('text') ? 'text' : 'motion',
		});
	} catch (error) {
		sayError(error);
		return;
	}
	share.addEventListener('ended', ({ detail }) => over(`${detail.message} ${detail.remedy}`));
	share.addEventListener('paused', () => showPaused(true));
	share.addEventListener('resumed', () => showPaused(false));
	share.addEventListener('cursor', ({ detail }) => moveCursor(detail));
	video.srcObject = share.stream;
	showLive(true);
	say('Sharing');
});

/** What each button does to the share that is live. @type {Record<string, (live: import('./portlight.js').Share) => unknown>} */
const actions = {
	async pause(live) {
		const { pausedBy } = await (paused ? live.resume() : live.pause());
		say(pausedBy.includes('person') ? 'Paused in Portlight’s own window: it goes on from there.' : 'Sharing');
	},
	async snapshot(live) {
		const picture = new Image();
		picture.src = URL.createObjectURL(await live.snapshot('image/png'));
		picture.alt = `Snapshot of ${new Date().toLocaleTimeString()}`;
		const link = Object.assign(document.createElement('a'), { href: picture.src, download: 'snapshot.png' });
		link.append(picture);
		find('#snapshots').prepend(link);
	},
	async change(live) {
		say('Choose another screen or window; until then this one is shared.');
		const wish = new FormData(form);
		await live.change({ cursor: /** @type {import('./portlight.js').CursorMode} */ (wish.get('cursor')) });
		say('Sharing');
	},
	stop(live) {
		live.stop();
		over('Not sharing');
	},
};

/** @param {string} name */
async function act(name) {
	try {
		await (share && actions[name](share));
	} catch (error) {
		sayError(error);
	}
}

for (const name of Object.keys(actions)) {
	find(`#${name}`).addEventListener('click', () => act(name));
}
document.addEventListener('keydown', ({ key, ctrlKey, altKey, metaKey }) => {
	const name = { p: 'pause', s: 'snapshot', c: 'change', Escape: 'stop' }[key];
	if (name && share && !(ctrlKey || altKey || metaKey)) {
		void act(name);
	}
});
for (const type of ['loadedmetadata', 'resize']) {
	video.addEventListener(type, showSize);
}
addEventListener('resize', placeCursor);

if (await version()) {
	const can = await capabilities();
	for (const option of /** @type {NodeListOf<HTMLOptionElement>} */ (document.querySelectorAll('[name=cursor] option'))) {
		option.disabled = !can.cursor.includes(/** @type {import('./portlight.js').CursorMode} */ (option.value));
	}
	if (!can.available) {
		sayError(can.error);
	}
} else {
	say('Portlight is not installed in this browser.', true);
	form.querySelector('button')?.setAttribute('disabled', '');
}
