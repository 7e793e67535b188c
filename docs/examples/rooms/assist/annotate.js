/**
 * Marks on a shared picture. Positions are fractions of the whole source, so a mark stays on what it marks when
 * windows, zoom, size or crop change; `crop` says which part of the source is shown. What a new crop leaves out is gone.
 */

/** Of one mark, and of a whole picture: what one who joins late is sent must fit into a channel. */
const MOST_POINTS = 4000;
const MOST_POINTS_ALL = 200_000;
const MOST_MARKS = 2000;
const MOST_POINTERS = 32;
const MOST_TEXT = 200;
/** Of an id or a name. */
const MOST_NAME = 64;
const POINTER_MS = 2000;
const TOOLS = ['pen', 'arrow', 'circle', 'box', 'text'];

/** @typedef {[number, number]} Point in fractions of the source, from 0 to 1 */
/** @typedef {{x: number, y: number, width: number, height: number}} Rect */
/** @typedef {{id: string, by: string, tool: string, colour: string, points: Point[], text?: string, n?: number}} Mark */
/** @typedef {{id: string, name: string}} Frozen the picture that stands still, and who wanted that */
/**
 * @typedef {{add: Mark} | {more: {id: string, by: string, points: Point[]}} | {remove: string[]} | {crop: Rect}
 *   | {pointer: {by: string, name: string, colour: string, at: Point}} | {reset: true} | {freeze: Frozen | null}} Change
 */

export const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

export class Board extends EventTarget {
	/** In the order in which the sharer took them. @type {Map<string, Mark>} */
	marks = new Map();
	/** @type {Map<string, {name: string, colour: string, at: Point, until: number}>} */
	pointers = new Map();
	crop = WHOLE;
	/** @type {Frozen | null} */
	frozen = null;
	count = 0;
	/** Of all marks. */
	points = 0;

	/** @param {any} change @returns {boolean} whether it was one; others are dropped */
	apply(change) {
		const done = change !== null && typeof change === 'object' && this.#apply(change);
		if (done) {
			this.dispatchEvent(new Event('change'));
		}
		return done;
	}

	/** @param {any} change */
	#apply({ add, more, remove, crop, pointer, reset, freeze }) {
		if (reset) {
			this.marks.clear();
			this.points = 0;
			this.frozen = null;
			return true;
		}
		if (add) {
			return this.#add(add);
		}
		if (more) {
			return this.#more(more);
		}
		if (Array.isArray(remove)) {
			return remove.slice(0, MOST_MARKS).map((id) => this.#delete(id)).some(Boolean);
		}
		if (crop) {
			return isRect(crop) && this.#cut(crop);
		}
		if (freeze !== undefined) {
			const valid = freeze === null || (isName(freeze.id) && isName(freeze.name));
			this.frozen = valid ? freeze && { id: freeze.id, name: freeze.name } : this.frozen;
			return valid;
		}
		return Boolean(pointer) && this.#point(pointer);
	}

	/** @param {Mark} mark */
	#add({ id, by, tool, colour, points, text = '', n }) {
		const valid = isName(id) && isName(by) && TOOLS.includes(tool) && isColour(colour) && isPoints(points) && typeof text === 'string';
		if (!valid || !(n === undefined || (Number.isSafeInteger(n) && n > 0))) {
			return false;
		}
		const known = this.marks.get(id);
		const fits = known ? known.by === by : this.marks.size < MOST_MARKS;
		// One's own comes back from the sharer: its place in the order is now known.
		const kept = known && known.points.length > points.length ? known.points : points;
		if (!fits || this.points - (known?.points.length ?? 0) + kept.length > MOST_POINTS_ALL) {
			return false;
		}
		this.#delete(id);
		this.points += kept.length;
		this.count = Math.max(this.count, n ?? 0);
		this.marks.set(id, { id, by, tool, colour, points: kept, text: text.slice(0, MOST_TEXT), n: n ?? known?.n });
		this.marks = new Map([...this.marks].sort(([, a], [, b]) => (a.n ?? Infinity) - (b.n ?? Infinity)));
		return true;
	}

	/** @param {{id: string, by: string, points: Point[]}} more */
	#more({ id, by, points }) {
		const mark = this.marks.get(id);
		if (!mark || mark.by !== by || !isPoints(points)) {
			return false;
		}
		if (mark.points.length + points.length > MOST_POINTS || this.points + points.length > MOST_POINTS_ALL) {
			return false;
		}
		const before = mark.points.length;
		mark.points = mark.tool === 'pen' ? [...mark.points, ...points] : [mark.points[0], /** @type {Point} */ (points.at(-1))];
		this.points += mark.points.length - before;
		return true;
	}

	/** @param {any} pointer */
	#point({ by, name, colour, at }) {
		const valid = isName(by) && isName(name) && isColour(colour) && isPoints([at]);
		if (!valid || (!this.pointers.has(by) && this.pointers.size >= MOST_POINTERS)) {
			return false;
		}
		this.pointers.set(by, { name, colour, at, until: performance.now() + POINTER_MS });
		setTimeout(() => this.#fade(), POINTER_MS + 20);
		return true;
	}

	#fade() {
		const now = performance.now();
		const over = [...this.pointers].filter(([, { until }]) => until <= now);
		over.forEach(([by]) => this.pointers.delete(by));
		if (over.length) {
			this.dispatchEvent(new Event('change'));
		}
	}

	/** @param {string} id */
	#delete(id) {
		this.points -= this.marks.get(id)?.points.length ?? 0;
		return this.marks.delete(id);
	}

	/** @param {Rect} crop */
	#cut({ x, y, width, height }) {
		this.crop = { x, y, width, height };
		for (const [id, { points }] of this.marks) {
			const xs = points.map(([at]) => at);
			const ys = points.map(([, at]) => at);
			const outside = Math.max(...xs) < x || Math.min(...xs) > x + width || Math.max(...ys) < y || Math.min(...ys) > y + height;
			if (outside) {
				this.#delete(id);
			}
		}
		return true;
	}

	/** All that somebody who joins later needs. @returns {Change[]} */
	everything() {
		const frozen = this.frozen ? [{ freeze: this.frozen }] : [];
		return [{ reset: true }, { crop: this.crop }, ...frozen, ...[...this.marks.values()].map((add) => ({ add }))];
	}

	/** The newest of somebody's marks. @param {string} by */
	lastOf(by) {
		return [...this.marks.values()].filter((mark) => mark.by === by).at(-1)?.id;
	}

	/** @param {string} [by] */
	idsOf(by) {
		return [...this.marks.values()].filter((mark) => !by || mark.by === by).map(({ id }) => id);
	}

	/**
	 * Draws what is marked onto a picture of the crop.
	 * @param {CanvasRenderingContext2D} context @param {number} width of that picture, in its pixels @param {number} height
	 * @param {{pointers?: boolean}} [options]
	 */
	draw(context, width, height, { pointers = true } = {}) {
		const { crop } = this;
		/** @type {(point: Point) => Point} */
		const place = ([x, y]) => [((x - crop.x) / crop.width) * width, ((y - crop.y) / crop.height) * height];
		const line = Math.max(2, Math.min(width, height) / 160);
		context.lineCap = 'round';
		context.lineJoin = 'round';
		for (const mark of this.marks.values()) {
			const points = mark.points.map(place);
			outlined(context, mark.colour, line, () => shape(context, mark, points, line));
		}
		for (const { name, colour, at, until } of pointers ? this.pointers.values() : []) {
			context.globalAlpha = Math.max(0, Math.min(1, (until - performance.now()) / 500));
			drawPointer(context, place(at), name, colour, line);
			context.globalAlpha = 1;
		}
	}
}

/** Twice: dark below, so that it is seen on any picture. @param {CanvasRenderingContext2D} context @param {string} colour @param {number} line @param {() => void} draw */
function outlined(context, colour, line, draw) {
	for (const [style, width] of /** @type {const} */ ([['#0009', line * 1.9], [colour, line]])) {
		context.strokeStyle = style;
		context.fillStyle = style;
		context.lineWidth = width;
		draw();
	}
}

/** @param {CanvasRenderingContext2D} context @param {Mark} mark @param {Point[]} points @param {number} line */
function shape(context, { tool, text = '' }, points, line) {
	const [x, y] = points[0];
	const [toX, toY] = /** @type {Point} */ (points.at(-1));
	context.beginPath();
	if (tool === 'pen') {
		points.forEach((point) => context.lineTo(...point));
		context.lineTo(toX, toY);
	} else if (tool === 'box') {
		context.rect(Math.min(x, toX), Math.min(y, toY), Math.abs(toX - x), Math.abs(toY - y));
	} else if (tool === 'circle') {
		context.ellipse((x + toX) / 2, (y + toY) / 2, Math.abs(toX - x) / 2, Math.abs(toY - y) / 2, 0, 0, 2 * Math.PI);
	} else if (tool === 'arrow') {
		const angle = Math.atan2(toY - y, toX - x);
		const head = Math.min(line * 5, Math.hypot(toX - x, toY - y));
		context.moveTo(x, y);
		context.lineTo(toX, toY);
		for (const side of [-0.45, 0.45]) {
			context.moveTo(toX, toY);
			context.lineTo(toX - head * Math.cos(angle + side), toY - head * Math.sin(angle + side));
		}
	} else {
		context.font = `600 ${line * 7}px system-ui, Cantarell, "DejaVu Sans", sans-serif`;
		context.textBaseline = 'top';
		if (context.lineWidth > line) {
			context.lineWidth = line;
			context.strokeText(text, x, y);
		}
		context.fillText(text, x, y);
		return;
	}
	context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Point} at @param {string} name @param {string} colour @param {number} line */
function drawPointer(context, [x, y], name, colour, line) {
	outlined(context, colour, line, () => {
		context.beginPath();
		context.arc(x, y, line * 2, 0, 2 * Math.PI);
		context.fill();
	});
	context.font = `600 ${Math.max(12, line * 4)}px system-ui, Cantarell, "DejaVu Sans", sans-serif`;
	context.textBaseline = 'middle';
	context.lineWidth = 4;
	context.strokeStyle = '#000b';
	context.strokeText(name, x + line * 4, y);
	context.fillStyle = '#fff';
	context.fillText(name, x + line * 4, y);
}

/** @param {any} value */
const isFraction = (value) => Number.isFinite(value) && value >= 0 && value <= 1;
/** @param {any} points @returns {points is Point[]} */
const isPoints = (points) =>
	Array.isArray(points) && points.length > 0 && points.length <= MOST_POINTS && points.every((point) => Array.isArray(point) && point.length === 2 && point.every(isFraction));
/** With a little room for what fractions lose. @param {any} rect */
const isRect = ({ x, y, width, height }) => [x, y].every(isFraction) && [width, height].every((side) => Number.isFinite(side) && side > 0) && x + width <= 1 + 1e-6 && y + height <= 1 + 1e-6;
/** @param {any} text */
const isName = (text) => typeof text === 'string' && text.length > 0 && text.length <= MOST_NAME;
/** @param {any} colour */
const isColour = (colour) => typeof colour === 'string' && /^#[0-9a-f]{6}$/.test(colour);
