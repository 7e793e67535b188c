/**
 * Reads the marker that tests/desktop/marker draws, from the pixels of a frame. The layout, in cells:
 *
 *   22 x 12 white, of which the outermost ring stays white (quiet zone),
 *   20 x 10 within it: a black frame one cell thick (the finder),
 *   18 x  8 within that: a white ring one cell thick,
 *   16 x  6 within that: the payload, row by row, most significant bit first, black is 1:
 *       8 bits   0xA5
 *      48 bits   CLOCK_REALTIME in milliseconds when this was drawn
 *      24 bits   counter, one more at each drawing
 *      16 bits   CRC-16/CCITT-FALSE of the ten bytes before
 *
 * Cells of 6 pixels and more are read; they need not be square nor a whole number of pixels.
 *
 * @typedef {{data: Uint8ClampedArray | Uint8Array, width: number, height: number}} Pixels  RGBA, as ImageData
 * @typedef {{x: number, y: number, width: number, height: number}} Place  the marker with its quiet zone, in pixels
 */

const columns = 22;
const rows = 12;
const smallestCell = 6;
const magic = 0xa5;
const bytes = 12;
/** What is darker than this can be a part of the finder. */
const dark = 110;
const leastContrast = 40;
/** Where a cell is looked at, as parts of it off its middle. */
const spots = [-0.2, 0, 0.2];

/** @param {Uint8Array} data @returns {number} CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff */
export function crc16(data) {
	let crc = 0xffff;
	for (const byte of data) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit++) {
			crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
		}
	}
	return crc;
}

/** The mean brightness of a cell: green stands for all, since the marker is black and white. */
class Cells {
	/**
	 * @param {Pixels} image
	 * @param {Place} place
	 */
	constructor(image, place) {
		this.image = image;
		this.place = place;
	}

	/** @param {number} column @param {number} row */
	brightness(column, row) {
		const {image, place} = this;
		let sum = 0;
		for (const down of spots) {
			const y = Math.floor(place.y + ((row + 0.5 + down) * place.height) / rows);
			for (const across of spots) {
				const x = Math.floor(place.x + ((column + 0.5 + across) * place.width) / columns);
				sum += image.data[(y * image.width + x) * 4 + 1];
			}
		}
		return sum / (spots.length * spots.length);
	}

	/**
	 * The brightness between black and white, or null if finder and ring are not there.
	 * @returns {number | null}
	 */
	threshold() {
		let black = 0;
		let white = 255;
		/** @param {number} column @param {number} row @param {number} inwards column @param {number} down row */
		const compare = (column, row, inwards, down) => {
			black = Math.max(black, this.brightness(column, row));
			white = Math.min(white, this.brightness(column + inwards, row + down));
		};
		for (let column = 2; column < columns - 2; column++) {
			compare(column, 1, 0, 1);
			compare(column, rows - 2, 0, -1);
		}
		for (let row = 2; row < rows - 2; row++) {
			compare(1, row, 1, 0);
			compare(columns - 2, row, -1, 0);
		}
		return white - black < leastContrast ? null : (white + black) / 2;
	}
}

/**
 * What the marker at PLACE says; null if there is none, or if it is damaged.
 * @param {Pixels} image
 * @param {Place} place  as locateMarker() found it, in this frame or in an earlier one
 * @returns {{clockMs: number, counter: number} | null} clockMs: when it was drawn, in milliseconds since 1970
 */
export function readMarker(image, place) {
	const cellWidth = place.width / columns;
	const cellHeight = place.height / rows;
	// The quiet zone may be cut off; the finder may not.
	const inside =
		place.x + cellWidth >= 0 &&
		place.y + cellHeight >= 0 &&
		place.x + place.width - cellWidth <= image.width &&
		place.y + place.height - cellHeight <= image.height;
	const cells = new Cells(image, place);
	const threshold = inside ? cells.threshold() : null;
	if (threshold === null) {
		return null;
	}
	const payload = new Uint8Array(bytes);
	for (let bit = 0; bit < 8 * bytes; bit++) {
		if (cells.brightness(3 + (bit % 16), 3 + Math.floor(bit / 16)) < threshold) {
			payload[bit >> 3] |= 0x80 >> (bit & 7);
		}
	}
	const view = new DataView(payload.buffer);
	if (payload[0] !== magic || crc16(payload.subarray(0, bytes - 2)) !== view.getUint16(bytes - 2)) {
		return null;
	}
	const clockMs = view.getUint16(1) * 2 ** 32 + view.getUint32(3);
	return {clockMs, counter: view.getUint32(6) & 0xffffff};
}

/**
 * Walks over dark pixels.
 * @param {Pixels} image
 * @param {number} x
 * @param {number} y
 * @param {number} dx
 * @param {number} dy
 * @returns {number} how many there are from (x, y) on, itself included
 */
function darkRun(image, x, y, dx, dy) {
	let count = 0;
	while (x >= 0 && y >= 0 && x < image.width && y < image.height && image.data[(y * image.width + x) * 4 + 1] < dark) {
		count += 1;
		x += dx;
		y += dy;
	}
	return count;
}

/**
 * The place of the marker whose upper bar may be the dark run of LENGTH pixels from (x, y) on.
 * @param {Pixels} image
 * @param {number} x
 * @param {number} y
 * @param {number} length
 * @returns {Place | null}
 */
function placeOfBar(image, x, y, length) {
	const cellWidth = length / (columns - 2);
	const middle = x + (length >> 1);
	const above = darkRun(image, middle, y, 0, -1) - 1;
	const below = darkRun(image, middle, y, 0, 1);
	const top = y - above;
	const side = x + Math.floor(cellWidth / 2);
	const height = darkRun(image, side, top, 0, 1);
	const cellHeight = height / (rows - 2);
	const thickness = above + below;
	if (Math.abs(thickness - cellHeight) > 0.3 * cellHeight + 1 || cellHeight < cellWidth / 2 || cellHeight > cellWidth * 2) {
		return null;
	}
	return {x: x - cellWidth, y: top - cellHeight, width: columns * cellWidth, height: rows * cellHeight};
}

/**
 * Looks for a marker that can be read, through the whole of IMAGE.
 * @param {Pixels} image
 * @returns {Place | null}
 */
export function locateMarker(image) {
	const shortest = (columns - 2) * smallestCell;
	for (let y = 0; y < image.height; y += smallestCell - 2) {
		for (let x = 0; x + shortest <= image.width; x++) {
			const length = darkRun(image, x, y, 1, 0);
			const place = length >= shortest ? placeOfBar(image, x, y, length) : null;
			if (place && readMarker(image, place)) {
				return place;
			}
			x += length;
		}
	}
	return null;
}
