/** Cameras, microphones and screens, and what to say where there are none. */
import { capabilities, request, version } from '../portlight.js';
import { constraintsFor } from './devices.js';
import { t } from './language.js';
import { find, words } from './ui.js';

/** Asked once, early: a click's permission to ask must not wait for it. */
const extension = version().catch(() => null);

/**
 * What the person wants and the machine has; whatever is missing is told by `say`, and the rest is taken.
 * @param {{video: boolean, audio: boolean}} wanted
 * @param {(text: string, bad: boolean) => void} say
 * @param {Record<string, string>} [chosen] devices, by their kind
 * @returns {Promise<MediaStream>} perhaps without tracks
 */
export async function camera(wanted, say, chosen = {}) {
	const stream = new MediaStream();
	for (const kind of /** @type {const} */ (['audio', 'video'])) {
		if (wanted[kind]) {
			const constraints = constraintsFor(kind, chosen[`${kind}input`]);
			try {
				const got = await navigator.mediaDevices.getUserMedia(constraints);
				got.getTracks().forEach((track) => stream.addTrack(track));
			} catch (error) {
				const why = words(error);
				say(kind === 'audio' ? t('Microphone: {0} You go on without it.', why) : t('Camera: {0} You go on without it.', why), true);
			}
		}
	}
	return stream;
}

/**
 * @typedef {object} Screen
 * @property {MediaStream} stream
 * @property {MediaStreamTrack} track
 * @property {import('../portlight.js').Share | null} share Portlight's own, where its host captures
 * @property {'native' | 'browser'} path
 */

/**
 * A screen or window: by Portlight where it can, else by the browser. Call it in a click.
 * @param {import('../portlight.js').Wish & {audio?: boolean}} [wish] with `audio`: its sound too, where the browser captures it
 * @returns {Promise<Screen>}
 */
export async function screen({ audio = false, ...wish } = {}) {
	if (await extension) {
		const can = await capabilities();
		if (can.available) {
			const share = await request(wish);
			return { stream: share.stream, track: share.track, share: can.controls ? share : null, path: can.controls ? 'native' : 'browser' };
		}
	}
	const { width, height, frameRate } = wish;
	const stream = await navigator.mediaDevices.getDisplayMedia({ video: { width, height, frameRate }, audio });
	return { stream, track: stream.getVideoTracks()[0], share: null, path: 'browser' };
}

/** Picture and sound. @param {Screen | null} live */
export function stopScreen(live) {
	live?.stream.getTracks().forEach((track) => track.stop());
}

/** The buttons below the pictures say what is on. @param {MediaStream} mine @param {boolean} sharing */
export function drawDevices(mine, sharing) {
	const texts = [['microphone', 'audio', t('Microphone on'), t('Microphone off')], ['camera', 'video', t('Camera on'), t('Camera off')]];
	for (const [id, kind, whenOn, whenOff] of texts) {
		const on = mine.getTracks().some((track) => track.kind === kind && track.enabled);
		const button = find(`#${id}`);
		button.setAttribute('aria-pressed', String(on));
		button.classList.toggle('off', !on);
		find('span', button).textContent = on ? whenOn : whenOff;
	}
	find('#screen').setAttribute('aria-pressed', String(sharing));
	find('#screen span').textContent = sharing ? t('Stop sharing') : t('Share screen');
}

/**
 * Switches one's camera or microphone; asks for it where there was none. What is allowed once the call is over goes off again.
 * @param {() => MediaStream} current another one after the call @param {'audio' | 'video'} kind @param {(text: string, bad: boolean) => void} say
 * @param {Record<string, string>} [chosen] @returns {Promise<boolean>} whether there is a new track
 */
export async function toggleDevice(current, kind, say, chosen) {
	const mine = current();
	const track = mine.getTracks().find((one) => one.kind === kind);
	if (track) {
		track.enabled = !track.enabled;
		return false;
	}
	const more = (await camera({ audio: kind === 'audio', video: kind === 'video' }, say, chosen)).getTracks();
	const over = current() !== mine;
	more.forEach((one) => (over ? one.stop() : mine.addTrack(one)));
	return more.length > 0 && !over;
}

/** Why a share was not given. @param {unknown} error */
export function refusal(error) {
	const { name, code } = /** @type {any} */ (error);
	return name === 'NotAllowedError' && (!code || code === 'denied') ? t('The screen was not shared: you declined. Click again to choose one.') : words(error);
}

/** Tells once when a screen ends by itself: by the desktop's button, with its window, or from the browser. @param {Screen} live @param {(text: string) => void} ended */
export function onEnd(live, ended) {
	let told = false;
	/** @param {string} text */
	const tell = (text) => {
		if (!told) {
			told = true;
			ended(text);
		}
	};
	live.share?.addEventListener('ended', ({ detail }) => tell(words(detail)));
	// The share's own event says why, and comes about the same time.
	live.track.addEventListener('ended', () => setTimeout(tell, 200, t('The share was ended.')));
}
