/**
 * Marks on a shared picture. Positions are fractions of the whole source, so a mark stays on what it marks when
 * windows, zoom, size or crop change; `crop` says which part of the source is shown. What a new crop leaves out is gone.
 */

/** The most points of one mark, and marks of one picture. */
const MOST_POINTS = 4000;
const MOST_MARKS = 2000;
const MOST_TEXT = 200;
const POINTER_MS = 2000;
const TOOLS = ['pen', 'arrow', 'circle', 'box', 'text'];

/** @typedef {[number, number]} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Rect */
/** @typedef {{id: string, by: string, tool: string, colour: string, points: Point[], text?: string, n?: number}} Mark */
/**
 * @typedef {{add: Mark} | {more: {id: string, by: string, points: Point[]}} | {remove: string[]} | {crop: Rect}
 *   | {pointer: {by: string, name: string, colour: string, at: Point}} | {reset: true}} Change
 */

export const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

export class Board extends EventTarget {
	/** In the order in which the sharer took them. @type {Map<string, Mark>} */
	marks = new Map();
	/** @type {Map<string, {name: string, colour: string, at: Point, until: number}>} */
	pointers = new Map();
	crop = WHOLE;
	count = 0;

	/** @param {any} change @returns {boolean} whether it was one; others are dropped */
	apply(change) {
		const done = this.#apply(change);
		if (done) {
			this.dispatchEvent(new Event('change'));
		}
		return done;
	}

	/** @param {any} change */
	#apply({ add, more, remove, crop, pointer, reset }) {
		if (reset) {
			this.marks.clear();
			return true;
		}
		if (add) {
			return this.#add(add);
		}
		const mark = more && this.marks.get(more.id);
		if (more) {
			if (!mark || mark.by !== more.by || !isPoints(more.points) || mark.points.length + more.points.length > MOST_POINTS) {
				return false;
			}
			mark.points = mark.tool === 'pen' ? [...mark.points, ...more.points] : [mark.points[0], more.points.at(-1)];
			return true;
		}
		if (Array.isArray(remove)) {
			return remove.map((id) => this.marks.delete(id)).some(Boolean);
		}
		if (crop && isPoints([[crop.x, crop.y], [crop.width, crop.height]])) {
			this.#cut(crop);
			return true;
		}
		if (pointer && isPoints([pointer.at])) {
			this.pointers.set(pointer.by, { ...pointer, until: performance.now() + POINTER_MS });
			setTimeout(() => this.dispatchEvent(new Event('change')), POINTER_MS + 20);
			return true;
		}
		return false;
	}

	/** @param {Mark} mark */
	#add({ id, by, tool, colour, points, text = '', n }) {
		const valid = typeof id === 'string' && TOOLS.includes(tool) && /^#[0-9a-f]{6}$/.test(colour) && isPoints(points);
		const known = this.marks.get(id);
		if (!valid || (known && known.by !== by) || (!known && this.marks.size >= MOST_MARKS)) {
			return false;
		}
		// One's own comes back from the sharer: its place in the order is now known.
		this.marks.delete(id);
		const kept = known && known.points.length > points.length ? known.points : points.slice(0, MOST_POINTS);
		this.count = Math.max(this.count, n ?? 0);
		this.marks.set(id, { id, by, tool, colour, points: kept, text: String(text).slice(0, MOST_TEXT), n: n ?? known?.n });
		this.marks = new Map([...this.marks].sort(([, a], [, b]) => (a.n ?? Infinity) - (b.n ?? Infinity)));
		return true;
	}

	/** @param {Rect} crop */
	#cut(crop) {
		this.crop = crop;
		for (const [id, { points }] of this.marks) {
			const xs = points.map(([x]) => x);
			const ys = points.map(([, y]) => y);
			const outside = Math.max(...xs) < crop.x || Math.min(...xs) > crop.x + crop.width || Math.max(...ys) < crop.y || Math.min(...ys) > crop.y + crop.height;
			if (outside) {
				this.marks.delete(id);
			}
		}
	}

	/** All that one who comes late needs. @returns {Change[]} */
	everything() {
		return [{ reset: true }, { crop: this.crop }, ...[...this.marks.values()].map((add) => ({ add }))];
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
		for (const [by, { name, colour, at, until }] of pointers ? this.pointers : []) {
			const left = until - performance.now();
			if (left <= 0) {
				this.pointers.delete(by);
				continue;
			}
			context.globalAlpha = Math.min(1, left / 500);
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

/** @param {any} points */
const isPoints = (points) => Array.isArray(points) && points.length > 0 && points.every((point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite));
