/** The canvas that lies on a video's picture: it draws a board, and makes changes of what a pointer or keys do. */
import { make } from './ui.js';

/** Changes are sent at most this often, in milliseconds. */
const PACE_MS = 30;
const STEP = 0.01;

/** @typedef {import('./annotate.js').Point} Point */

export class Surface {
	tool = 'pointer';
	colour = '#ff3b30';
	/** Instead of drawing, a part is chosen. @type {((rect: import('./annotate.js').Rect) => void) | null} */
	choosing = null;
	/** @type {{id: string, sent: number, points: Point[], waiting: Point[], from: Point} | null} */
	stroke = null;
	/** @type {Point} in the picture */
	keyboard = [0.5, 0.5];
	/** @type {any} */
	timer = 0;

	/**
	 * @param {HTMLElement} stage with the video in it
	 * @param {import('./annotate.js').Board} board
	 * @param {{me: () => {by: string, name: string}, change: (change: any) => void, askText: () => Promise<string>}} person
	 */
	constructor(stage, board, person) {
		this.stage = stage;
		this.board = board;
		this.person = person;
		this.video = /** @type {HTMLVideoElement} */ (stage.querySelector('video'));
		this.canvas = make('canvas', { className: 'marks', tabIndex: 0 });
		this.canvas.setAttribute('role', 'application');
		this.canvas.setAttribute('aria-label', 'The shared picture. Arrow keys move your pointer; Enter marks the place with a circle.');
		this.cropbox = make('div', { className: 'cropbox', hidden: true });
		stage.append(this.canvas, this.cropbox);
		this.draw = this.draw.bind(this);
		board.addEventListener('change', () => this.#soon());
		['loadedmetadata', 'resize'].forEach((type) => this.video.addEventListener(type, () => this.place()));
		new ResizeObserver(() => this.place()).observe(stage);
		this.canvas.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.#down(event));
		this.canvas.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.#move(event));
		this.canvas.addEventListener('pointerup', () => this.#up());
		this.canvas.addEventListener('pointercancel', () => this.#up());
		this.canvas.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
	}

	/** Puts the canvas onto the picture itself, without the bars beside it. */
	place() {
		const { videoWidth, videoHeight, clientWidth, clientHeight } = this.video;
		this.canvas.hidden = !videoWidth;
		if (!videoWidth) {
			return;
		}
		const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
		const [width, height] = [videoWidth * scale, videoHeight * scale];
		Object.assign(this.canvas.style, {
			left: `${(clientWidth - width) / 2}px`,
			top: `${(clientHeight - height) / 2}px`,
			width: `${width}px`,
			height: `${height}px`,
		});
		this.canvas.width = Math.round(width * devicePixelRatio);
		this.canvas.height = Math.round(height * devicePixelRatio);
		this.draw();
	}

	draw() {
		this.drawing = false;
		const context = this.canvas.getContext('2d');
		context.clearRect(0, 0, this.canvas.width, this.canvas.height);
		this.board.draw(context, this.canvas.width, this.canvas.height);
		if (this.board.pointers.size) {
			this.#soon();
		}
	}

	#soon() {
		if (!this.drawing) {
			this.drawing = true;
			requestAnimationFrame(this.draw);
		}
	}

	/** @param {{clientX: number, clientY: number}} event @returns {Point} in the picture */
	#at({ clientX, clientY }) {
		const { left, top, width, height } = this.canvas.getBoundingClientRect();
		/** @param {number} value */
		const inside = (value) => Math.min(1, Math.max(0, value));
		return [inside((clientX - left) / width), inside((clientY - top) / height)];
	}

	/** @param {Point} point in the picture @returns {Point} in the source */
	#inSource([x, y]) {
		const { crop } = this.board;
		return [round(crop.x + x * crop.width), round(crop.y + y * crop.height)];
	}

	/** @param {PointerEvent} event */
	#down(event) {
		if (event.button !== 0) {
			return;
		}
		const at = this.#at(event);
		if (!this.choosing && this.tool === 'pointer') {
			this.#point(at);
			return;
		}
		event.preventDefault();
		if (!this.choosing && this.tool === 'text') {
			const place = this.#inSource(at);
			void this.person.askText().then((text) => text && this.#add(crypto.randomUUID(), [place], text));
			return;
		}
		this.canvas.setPointerCapture(event.pointerId);
		this.stroke = { id: crypto.randomUUID(), sent: 0, points: [at], waiting: [], from: at };
		if (!this.choosing) {
			this.#add(this.stroke.id, [this.#inSource(at)]);
		}
	}

	/** @param {PointerEvent} event */
	#move(event) {
		const at = this.#at(event);
		if (!this.stroke) {
			if (this.tool === 'pointer' && !this.choosing) {
				this.#point(at);
			}
			return;
		}
		this.stroke.points.push(at);
		if (this.choosing) {
			this.#showChoice(rectOf(this.stroke.from, at));
			return;
		}
		const all = event.getCoalescedEvents?.() ?? [];
		this.stroke.waiting.push(...(all.length ? all.map((one) => this.#inSource(this.#at(one))) : [this.#inSource(at)]));
		if (performance.now() - this.stroke.sent > PACE_MS) {
			this.#flush();
		} else {
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.#flush(), PACE_MS);
		}
	}

	#up() {
		const { stroke, choosing } = this;
		this.#flush();
		this.stroke = null;
		if (stroke && choosing) {
			this.cropbox.hidden = true;
			const rect = rectOf(stroke.from, /** @type {Point} */ (stroke.points.at(-1)));
			if (rect.width > 0.02 && rect.height > 0.02) {
				this.choosing = null;
				choosing(rect);
			}
		}
	}

	#flush() {
		clearTimeout(this.timer);
		if (this.stroke?.waiting.length) {
			this.stroke.sent = performance.now();
			this.person.change({ more: { id: this.stroke.id, by: this.person.me().by, points: this.stroke.waiting.splice(0) } });
		}
	}

	/** @param {string} id @param {Point[]} points @param {string} [text] */
	#add(id, points, text) {
		const { tool, colour } = this;
		this.person.change({ add: { id, by: this.person.me().by, tool, colour, points, ...(text && { text }) } });
	}

	/** @param {Point} at */
	#point(at) {
		this.keyboard = at;
		if (performance.now() - (this.pointed ?? 0) > PACE_MS) {
			this.pointed = performance.now();
			this.person.change({ pointer: { ...this.person.me(), colour: this.colour, at: this.#inSource(at) } });
		}
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
		if (x || y) {
			event.preventDefault();
			const step = event.shiftKey ? 5 * STEP : STEP;
			this.pointed = 0;
			this.#point([clamp(this.keyboard[0] + x * step), clamp(this.keyboard[1] + y * step)]);
		} else if (event.key === 'Enter') {
			const [cx, cy] = this.keyboard;
			const { colour } = this;
			const points = [this.#inSource([clamp(cx - 0.03), clamp(cy - 0.03)]), this.#inSource([clamp(cx + 0.03), clamp(cy + 0.03)])];
			this.person.change({ add: { id: crypto.randomUUID(), by: this.person.me().by, tool: 'circle', colour, points } });
		}
	}

	/** @param {import('./annotate.js').Rect} rect in the picture */
	#showChoice({ x, y, width, height }) {
		const { offsetLeft, offsetTop, clientWidth, clientHeight } = this.canvas;
		this.cropbox.hidden = false;
		Object.assign(this.cropbox.style, {
			left: `${offsetLeft + x * clientWidth}px`,
			top: `${offsetTop + y * clientHeight}px`,
			width: `${width * clientWidth}px`,
			height: `${height * clientHeight}px`,
		});
	}
}

/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(0, value));
/** @param {number} value */
const round = (value) => Math.round(value * 1e5) / 1e5;
/** @param {Point} a @param {Point} b */
const rectOf = (a, b) => ({ x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(a[0] - b[0]), height: Math.abs(a[1] - b[1]) });
