/**
 * A camera that shows the desktop's marker (tests/desktop/marker.js has its layout), whose counter says which browser's it is:
 * with `?camera=N` it counts up from N times 2^20. In place of the browser's own of the tests, whose pictures can't be told apart.
 */
import {crc16} from '/desktop/marker.js';

const cell = 24;
const start = Number(new URLSearchParams(location.search).get('camera')) << 20;

/** @param {CanvasRenderingContext2D} context @param {number} counter */
function draw(context, counter) {
	const bytes = new Uint8Array(12);
	const view = new DataView(bytes.buffer);
	const now = Date.now();
	view.setUint8(0, 0xa5);
	view.setUint16(1, Math.floor(now / 2 ** 32));
	view.setUint32(3, now % 2 ** 32);
	view.setUint16(7, counter >> 8);
	view.setUint8(9, counter & 0xff);
	view.setUint16(10, crc16(bytes.subarray(0, 10)));
	context.fillStyle = 'white';
	context.fillRect(0, 0, 22 * cell, 12 * cell);
	context.fillStyle = 'black';
	context.fillRect(cell, cell, 20 * cell, 10 * cell);
	context.fillStyle = 'white';
	context.fillRect(2 * cell, 2 * cell, 18 * cell, 8 * cell);
	context.fillStyle = 'black';
	for (let bit = 0; bit < 96; bit++) {
		if (bytes[bit >> 3] & (0x80 >> (bit & 7))) {
			context.fillRect((3 + (bit % 16)) * cell, (3 + (bit >> 4)) * cell, cell, cell);
		}
	}
}

const canvas = document.createElement('canvas');
canvas.width = 22 * cell;
canvas.height = 12 * cell;
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
let drawn = start;
draw(context, drawn);
setInterval(() => draw(context, ++drawn), 100);
// Without a microphone: in the tests' desktop, which has no sound device, no picture comes to a page that gets sound beside it.
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(10);
// The older names, where the browser has them.
for (const name of ['getUserMedia', 'webkitGetUserMedia'].filter((old) => old in Navigator.prototype)) {
	Object.defineProperty(navigator, name, {
		configurable: true,
		writable: true,
		value: (/** @type {object} */ wishes, /** @type {any} */ done, /** @type {any} */ failed) => void navigator.mediaDevices.getUserMedia(wishes).then(done, failed ?? undefined),
	});
}
