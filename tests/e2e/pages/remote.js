/** Does what the site says, for browsers without a driver: tests/packages/lib/site.js. */
import {version} from '/examples/portlight.js';

const {probe} = /** @type {any} */ (window);
const video = /** @type {HTMLVideoElement} */ (document.getElementById('screen'));
const own = crypto.randomUUID();
/** No page or desktop is of this colour by chance. */
const PAINT = [198, 36, 150];

/** What a test needs beside the probe's verbs. */
const verbs = {
	/** What answers pages, if anything. */
	version: () => version(3000),

	/** How much of the picture that plays, from 0 to 1, is what this page is painted with. */
	paintSeen() {
		document.body.style.background = `rgb(${PAINT})`;
		const canvas = new OffscreenCanvas(160, 90);
		const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
		context.drawImage(video, 0, 0, 160, 90);
		const {data} = context.getImageData(0, 0, 160, 90);
		let seen = 0;
		for (let at = 0; at < data.length; at += 4) {
			seen += Number(PAINT.every((value, i) => Math.abs(value - data[at + i]) < 24));
		}
		return seen / (160 * 90);
	},

	/** Plays the share, and hears of its end. @param {string} share its source id */
	follow(share) {
		video.srcObject = probe.stream;
		window.postMessage({portlight: 1, id: 1, ask: 'source', share}, '/');
	},

	/** Why the share ended. @returns {string | undefined} */
	ended: () => probe.messages.find((/** @type {any} */ message) => message?.event === 'ended')?.code,

	inFront: () => document.visibilityState === 'visible',
	neighbour: () => document.documentElement.dataset.neighbour ?? '',
};

/** @param {object} [told] */
const speak = async (told) => (await fetch(`/remote/${own}`, {method: 'POST', body: told && JSON.stringify(told)})).json();

/** @param {{id: number, verb: string, args: unknown[]}} order */
async function obey({id, verb, args}) {
	try {
		const does = /** @type {any} */ (verbs)[verb] ?? probe[verb].bind(probe);
		await speak({id, value: await does(...args)});
	} catch (error) {
		await speak({id, error: String(error)});
	}
}

for (;;) {
	void obey(await speak());
}
