/** The marker's reader, on pixels that are drawn here as tests/desktop/marker draws them. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {crc16, locateMarker, readMarker} from '../desktop/marker.js';

const columns = 22;
const rows = 12;
const when = 1795204222395;

/** @param {number} clockMs @param {number} counter */
function payload(clockMs, counter) {
	const bytes = new Uint8Array(12);
	const view = new DataView(bytes.buffer);
	bytes[0] = 0xa5;
	view.setUint16(1, Math.floor(clockMs / 2 ** 32));
	view.setUint32(3, clockMs % 2 ** 32);
	view.setUint32(6, counter | (bytes[6] << 24));
	view.setUint16(10, crc16(bytes.subarray(0, 10)));
	return bytes;
}

/** Whether the cell is black. @param {Uint8Array} bytes @param {number} column @param {number} row */
function isBlack(bytes, column, row) {
	const frame = column >= 1 && column <= columns - 2 && row >= 1 && row <= rows - 2;
	const ring = column >= 2 && column <= columns - 3 && row >= 2 && row <= rows - 3;
	const inside = column >= 3 && column <= columns - 4 && row >= 3 && row <= rows - 4;
	if (!inside) {
		return frame && !ring;
	}
	const bit = (row - 3) * 16 + column - 3;
	return (bytes[bit >> 3] & (0x80 >> (bit & 7))) !== 0;
}

/** A frame, all of one grey. @param {number} width @param {number} height @param {number} grey */
function frame(width, height, grey = 90) {
	const data = new Uint8ClampedArray(width * height * 4);
	new Uint32Array(data.buffer).fill(0xff000000 + 0x10101 * grey);
	return {data, width, height};
}

/**
 * Draws a marker; edges that fall within a pixel are smoothed, as scaling does.
 * @param {ReturnType<typeof frame>} image
 * @param {Uint8Array} bytes
 * @param {{x: number, y: number, cellX: number, cellY?: number, black?: number, white?: number}} at
 */
function draw(image, bytes, {x: left, y: top, cellX, cellY = cellX, black = 0, white = 255}) {
	const fine = [left, top, cellX, cellY].every(Number.isInteger) ? 1 : 4;
	for (let y = Math.floor(top); y < top + rows * cellY && y < image.height; y++) {
		for (let x = Math.floor(left); x < left + columns * cellX && x < image.width; x++) {
			if (x < 0 || y < 0) {
				continue;
			}
			let sum = 0;
			for (let part = 0; part < fine * fine; part++) {
				const column = Math.floor((x + ((part % fine) + 0.5) / fine - left) / cellX);
				const row = Math.floor((y + (Math.floor(part / fine) + 0.5) / fine - top) / cellY);
				const within = column >= 0 && row >= 0 && column < columns && row < rows;
				sum += within && isBlack(bytes, column, row) ? black : white;
			}
			image.data.fill(sum / (fine * fine), (y * image.width + x) * 4, (y * image.width + x) * 4 + 3);
		}
	}
	return image;
}

/** The same disturbance at every run. @param {ReturnType<typeof frame>} image @param {number} strength */
function disturb(image, strength) {
	let state = 1;
	for (let i = 0; i < image.data.length; i++) {
		state = (state * 1103515245 + 12345) & 0x7fffffff;
		image.data[i] += ((state >> 8) % (2 * strength + 1)) - strength;
	}
	return image;
}

/** @param {ReturnType<typeof frame>} image */
function found(image) {
	const place = locateMarker(image);
	return place && {place, ...readMarker(image, place)};
}

test('the checksum is CRC-16/CCITT-FALSE', () => {
	assert.equal(crc16(Buffer.from('123456789')), 0x29b1);
});

test('time, counter and place are read', () => {
	const image = draw(frame(1920, 1080), payload(when, 0xabcdef), {x: 12, y: 12, cellX: 36});
	assert.deepEqual(found(image), {place: {x: 12, y: 12, width: 792, height: 432}, clockMs: when, counter: 0xabcdef});
});

test('a marker anywhere is found, before dark and before light', () => {
	for (const grey of [0, 60, 255]) {
		for (const [x, y] of [[0, 0], [301, 97], [600 - 22 * 8, 400 - 12 * 8]]) {
			const image = draw(frame(600, 400, grey), payload(when, 7), {x, y, cellX: 8});
			assert.equal(found(image)?.counter, 7, `at ${x},${y} before ${grey}`);
		}
	}
});

test('scaled frames are read, also unevenly scaled ones', () => {
	for (const [cellX, cellY] of [[6.2, 6.2], [9, 9], [12.5, 12.5], [17.3, 16.9], [24, 20], [18, 27], [41.7, 41.7]]) {
		const image = draw(frame(1280, 720), payload(when, 99), {x: 20.4, y: 30.7, cellX, cellY});
		assert.equal(found(image)?.clockMs, when, `cells of ${cellX} x ${cellY}`);
	}
});

test('noise and weak contrast are withstood', () => {
	const noisy = disturb(draw(frame(1280, 720), payload(when, 5), {x: 33, y: 44, cellX: 20}), 45);
	assert.equal(found(noisy)?.counter, 5);
	const grey = draw(frame(1280, 720), payload(when, 6), {x: 33, y: 44, cellX: 20, black: 60, white: 150});
	assert.equal(found(grey)?.counter, 6);
});

test('a dark window around it and long dark bars before it do not mislead', () => {
	const image = frame(1280, 720, 240);
	for (let y = 5; y < 60; y++) {
		image.data.fill(10, (y * 1280 + 100) * 4, (y * 1280 + 900) * 4);
	}
	draw(image, payload(when, 8), {x: 150, y: 80, cellX: 20});
	assert.equal(found(image)?.counter, 8);
});

test('there is no marker in a frame without one', () => {
	for (const grey of [0, 128, 255]) {
		assert.equal(locateMarker(frame(640, 480, grey)), null);
	}
	assert.equal(locateMarker(disturb(frame(640, 480, 128), 128)), null);
});

test('each single wrong cell is noticed', () => {
	const place = {x: 4, y: 4, width: 22 * 8, height: 12 * 8};
	for (let bit = 0; bit < 96; bit++) {
		const bytes = payload(when, 123);
		bytes[bit >> 3] ^= 0x80 >> (bit & 7);
		const image = draw(frame(200, 120), bytes, {x: 4, y: 4, cellX: 8});
		assert.equal(readMarker(image, place), null, `bit ${bit}`);
		assert.equal(locateMarker(image), null, `bit ${bit}`);
	}
});

test('a frame that is half of one drawing and half of the next is refused', () => {
	const image = draw(frame(400, 240), payload(when, 41), {x: 10, y: 10, cellX: 16});
	const next = draw(frame(400, 240), payload(when + 34, 42), {x: 10, y: 10, cellX: 16});
	// The two differ in the last three rows of the payload: time and counter, counter, checksum.
	for (const row of [7, 8]) {
		const torn = {...image, data: image.data.slice()};
		const from = (10 + row * 16) * 400 * 4;
		torn.data.set(next.data.subarray(from), from);
		assert.equal(readMarker(torn, {x: 10, y: 10, width: 352, height: 192}), null, `torn at row ${row}`);
	}
});

test('a place from before is enough while the marker stays, and refused when it has gone', () => {
	const place = locateMarker(draw(frame(800, 400), payload(when, 1), {x: 31, y: 17, cellX: 14}));
	assert.notEqual(place, null);
	if (place) {
		const later = draw(frame(800, 400), payload(when + 33, 2), {x: 31, y: 17, cellX: 14});
		assert.deepEqual(readMarker(later, place), {clockMs: when + 33, counter: 2});
		const moved = draw(frame(800, 400), payload(when + 66, 3), {x: 131, y: 77, cellX: 14});
		assert.equal(readMarker(moved, place), null);
		assert.equal(readMarker(frame(100, 100), place), null);
	}
});

test('a marker whose quiet zone is cut off is still read, one whose finder is cut is not', () => {
	const cut = draw(frame(22 * 10, 12 * 10), payload(when, 4), {x: -8, y: -8, cellX: 10});
	assert.equal(found(cut)?.counter, 4);
	assert.equal(found(draw(frame(22 * 10, 12 * 10), payload(when, 4), {x: -25, y: 0, cellX: 10})), null);
});
