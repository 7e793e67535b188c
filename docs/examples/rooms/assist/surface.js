/** The canvas that lies on a video's picture: it draws a board, and makes changes of what a pointer or keys do. */
import { t } from '../language.js';
import { make } from '../ui.js';

/** Changes are sent at most this often, in milliseconds. */
const PACE_MS = 30;
const STEP = 0.01;

/** @typedef {import('./annotate.js').Point} Point */

/** Events: `place`, whenever the picture's place or size may have changed. */
export class Surface extends EventTarget {
	tool = 'pointer';
	/** Instead of drawing, a part of the picture is chosen. @type {((rect: import('./annotate.js').Rect) => void) | null} */
	choosing = null;
	/** @type {{id: string, sent: number, points: Point[], waiting: Point[], from: Point} | null} */
	stroke = null;
	/** @type {Point} in the picture */
	keyboard = [0.5, 0.5];
	/** @type {any} */
	timer = 0;

	/**
	 * @param {HTMLElement} stage with the video in it, and a canvas for a picture that stands still
	 * @param {import('./annotate.js').Board} board
	 * @param {{me: () => {by: string, name: string, colour: string}, change: (change: any) => void, askText: () => Promise<string>}} person
	 */
	constructor(stage, board, person) {
		super();
		this.stage = stage;
		this.board = board;
		this.person = person;
		this.video = /** @type {HTMLVideoElement} */ (stage.querySelector('video'));
		this.still = /** @type {HTMLCanvasElement} */ (stage.querySelector('canvas.still'));
		this.canvas = make('canvas', { className: 'marks', tabIndex: 0 });
		this.canvas.setAttribute('role', 'application');
		this.canvas.setAttribute('aria-label', t('The shared picture. Arrow keys move your pointer; Enter begins and ends a mark, Escape takes it back.'));
		this.cropbox = make('div', { className: 'cropbox', hidden: true });
		stage.append(this.canvas, this.cropbox);
		this.draw = this.draw.bind(this);
		this.place = this.place.bind(this);
		board.addEventListener('change', () => this.#soon());
		this.watch = new ResizeObserver(this.place);
		this.watch.observe(stage);
		['loadedmetadata', 'resize', 'emptied'].forEach((type) => this.video.addEventListener(type, this.place));
		this.canvas.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.#down(event));
		this.canvas.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.#move(event));
		this.canvas.addEventListener('pointerup', () => this.#up());
		this.canvas.addEventListener('pointercancel', () => this.#up());
		this.canvas.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
	}

	/** Of what is shown, in its own pixels; 0: nothing yet. */
	get size() {
		const { still, video } = this;
		return still.hidden ? { width: video.videoWidth, height: video.videoHeight } : { width: still.width, height: still.height };
	}

	/** Puts the canvas onto the picture itself, without the bars beside it. */
	place() {
		const picture = this.size;
		const { clientWidth, clientHeight } = this.stage;
		this.canvas.hidden = !picture.width;
		if (!picture.width) {
			this.dispatchEvent(new Event('place'));
			return;
		}
		const scale = Math.min(clientWidth / picture.width, clientHeight / picture.height);
		const [width, height] = [picture.width * scale, picture.height * scale];
		Object.assign(this.canvas.style, {
			left: `${(clientWidth - width) / 2}px`,
			top: `${(clientHeight - height) / 2}px`,
			width: `${width}px`,
			height: `${height}px`,
		});
		this.canvas.width = Math.round(width * devicePixelRatio);
		this.canvas.height = Math.round(height * devicePixelRatio);
		this.draw();
		this.dispatchEvent(new Event('place'));
	}

	/** It is not used any longer. */
	remove() {
		this.watch.disconnect();
		['loadedmetadata', 'resize', 'emptied'].forEach((type) => this.video.removeEventListener(type, this.place));
		this.canvas.remove();
		this.cropbox.remove();
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
		if (event.button === 0) {
			if (this.choosing || this.tool !== 'pointer') {
				event.preventDefault();
				this.canvas.focus({ preventScroll: true });
			}
			if (this.#begin(this.#at(event))) {
				this.canvas.setPointerCapture(event.pointerId);
			}
		}
	}

	/** @param {Point} at @returns {boolean} whether a stroke began */
	#begin(at) {
		if (!this.choosing && this.tool === 'pointer') {
			this.#point(at);
			return false;
		}
		if (!this.choosing && this.tool === 'text') {
			const place = this.#inSource(at);
			void this.person.askText().then((text) => text && this.#add(crypto.randomUUID(), [place], text));
			return false;
		}
		this.stroke = { id: crypto.randomUUID(), sent: 0, points: [at], waiting: [], from: at };
		if (!this.choosing) {
			this.#add(this.stroke.id, [this.#inSource(at)]);
		}
		return true;
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
		const all = event.getCoalescedEvents?.() ?? [];
		this.#draw(at, all.length ? all.map((one) => this.#inSource(this.#at(one))) : [this.#inSource(at)]);
	}

	/** The stroke goes on. @param {Point} at @param {Point[]} points up to there, in the source */
	#draw(at, points) {
		if (!this.stroke) {
			return;
		}
		this.stroke.points.push(at);
		if (this.choosing) {
			this.#showChoice(rectOf(this.stroke.from, at));
			return;
		}
		this.stroke.waiting.push(...points);
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
			if (rect.width > 0.01 && rect.height > 0.01) {
				this.choosing = null;
				choosing(rect);
			}
		}
	}

	/** The stroke, or the choice, did not happen. */
	cancel() {
		const { stroke, choosing } = this;
		clearTimeout(this.timer);
		this.stroke = null;
		this.choosing = null;
		this.cropbox.hidden = true;
		if (stroke && !choosing) {
			this.person.change({ remove: [stroke.id] });
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
		const { by, colour } = this.person.me();
		this.person.change({ add: { id, by, tool: this.tool, colour, points, ...(text && { text }) } });
	}

	/** @param {Point} at */
	#point(at) {
		this.keyboard = at;
		if (performance.now() - (this.pointed ?? 0) > PACE_MS) {
			this.pointed = performance.now();
			this.person.change({ pointer: { ...this.person.me(), at: this.#inSource(at) } });
		}
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
		if (x || y) {
			event.preventDefault();
			const step = event.shiftKey ? 5 * STEP : STEP;
			/** @type {Point} */
			const at = [clamp(this.keyboard[0] + x * step), clamp(this.keyboard[1] + y * step)];
			this.pointed = 0;
			this.#point(at);
			this.#draw(at, [this.#inSource(at)]);
		} else if (event.key === 'Enter' || event.key === ' ') {
			event.preventDefault();
			if (this.stroke) {
				this.#up();
			} else {
				this.#begin(this.keyboard);
			}
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
