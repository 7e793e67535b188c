/** What runs in the pages of the tests, before their own scripts. Each function stands for itself: its text is sent there. */

/** Timers go off, and the clock goes on, when the test says so: `passTime(ms)`. */
export function holdTime() {
	const timers = new Map();
	let now = 1000;
	let last = 0;
	const add = (every) => (callback, delay = 0) => {
		timers.set(++last, { at: now + delay, callback, every: every && delay });
		return last;
	};
	const remove = (id) => void timers.delete(id);
	Object.assign(window, { setTimeout: add(false), setInterval: add(true), clearTimeout: remove, clearInterval: remove });
	performance.now = () => now;
	window.passTime = (ms) => {
		const end = now + ms;
		for (;;) {
			const [next] = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
			if (!next) {
				break;
			}
			const [id, { at, callback, every }] = next;
			now = at;
			every ? timers.set(id, { at: at + every, callback, every }) : timers.delete(id);
			callback();
		}
		now = end;
	};
}

/** What i18n.getMessage says, by a messages.json. */
export function getMessage(messages, name, values = []) {
	if (name === '@@ui_locale') {
		return 'en';
	}
	const { message, placeholders } = messages[name] ?? { message: '' };
	const fill = (content) => content.replace(/\$(\d)/g, (_, number) => values[number - 1] ?? '');
	return message.replace(/\$(\w+)\$/g, (_, hole) => fill(placeholders[hole.toLowerCase()].content));
}

/**
 * `chrome` as an extension's page or content script has it. It decides nothing: what is asynchronous goes to the real
 * background (background.js), what the browser itself would answer at once is answered from the config.
 */
export function extensionApi({ base, calls, events, id, manifest, marked, messages, more }, getMessage) {
	const say = (message) => globalThis.toBackground(JSON.stringify(message));
	const waiting = new Map();
	const ports = new Map();
	const api = {};
	let last = 0;
	const place = (path, value) => {
		const names = path.split('.');
		const name = names.pop();
		names.reduce((at, each) => (at[each] ??= {}), api)[name] = value;
		return value;
	};
	const event = () => {
		const listeners = new Set();
		return {
			addListener: (listener) => listeners.add(listener),
			removeListener: (listener) => listeners.delete(listener),
			emit: (...args) => [...listeners].forEach((listener) => listener(...args)),
		};
	};
	for (const name of calls) {
		place(name, (...args) => new Promise((resolve, reject) => {
			waiting.set(++last, { resolve, reject });
			say({ op: 'call', id: last, name, args });
		}));
	}
	const emitters = Object.fromEntries(events.map((name) => [name, place(name, event())]));
	place('runtime.id', id);
	place('runtime.getURL', (path) => `${base}${path}`);
	place('runtime.getManifest', () => manifest);
	place('runtime.connect', ({ name }) => {
		const number = ++last;
		const port = {
			name,
			onMessage: event(),
			onDisconnect: event(),
			postMessage(message) {
				if (!ports.has(number)) {
					throw new Error('Attempting to use a disconnected port object');
				}
				say({ op: 'post', id: number, message });
			},
			disconnect: () => ports.delete(number) && say({ op: 'disconnect', id: number }),
		};
		ports.set(number, port);
		say({ op: 'connect', id: number, name });
		return port;
	});
	place('i18n.getUILanguage', () => 'en');
	place('i18n.getMessage', (name, values) => {
		const text = getMessage(messages, name, values);
		if (!text && !/^(error|remedy)_/.test(name)) {
			console.error(`There is no text ${name}.`); // English takes those of errors from the catalogue.
		}
		return text && !name.startsWith('@@') ? marked + text : text;
	});
	more.forEach((name) => place(name, () => {}));
	globalThis.fromBackground = ({ op, id: number, value, error, message, name, args }) => {
		if (op === 'answer') {
			const { resolve, reject } = waiting.get(number);
			waiting.delete(number);
			error === undefined ? resolve(value) : reject(new Error(error));
		} else if (op === 'event') {
			emitters[name]?.emit(...args);
		} else if (op === 'post') {
			ports.get(number)?.onMessage.emit(message);
		} else if (ports.has(number)) {
			const port = ports.get(number);
			ports.delete(number);
			port.onDisconnect.emit(port);
		}
	};
	globalThis.chrome = api;
}

/**
 * Pictures of one colour each, encoded in this browser: the fields of the host's `frame` messages but `share`.
 *
 * @param {{colors: string[], width: number, height: number, codec?: string, seq?: number}} clip
 * @returns {Promise<object[]>} the first is a keyframe
 */
export async function encodeClip({ colors, width, height, codec = 'vp8', seq = 0 }) {
	const canvas = new OffscreenCanvas(width, height);
	const context = canvas.getContext('2d');
	const frames = [];
	const encoder = new VideoEncoder({
		output(chunk) {
			const bytes = new Uint8Array(chunk.byteLength);
			chunk.copyTo(bytes);
			const data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
			const [key, pts] = [chunk.type === 'key', chunk.timestamp];
			frames.push({ type: 'frame', seq: seq + frames.length, part: 0, parts: 1, key, pts, width, height, data });
		},
		error: (error) => console.error(error),
	});
	encoder.configure({ codec, width, height, latencyMode: 'realtime' });
	for (const [index, color] of colors.entries()) {
		context.fillStyle = color;
		context.fillRect(0, 0, width, height);
		const picture = new VideoFrame(canvas, { timestamp: (seq + index) * 33_333 });
		encoder.encode(picture, { keyFrame: index === 0 });
		picture.close();
	}
	await encoder.flush();
	encoder.close();
	return frames;
}

/**
 * What the tests of page/track.js say in a page that has it: there they speak for the relay (content/share.js), by the port
 * that the track sends it.
 */
export function standForRelay() {
	const id = 'portlight:abc';
	const wishes = [];
	const wanted = [];
	window.addEventListener('portlight:heard', (event) => {
		const { data, ports: [port] } = event;
		if (data.type === 'portlight:redeem') {
			event.preventDefault();
			const said = [];
			const waiting = [];
			const share = { port, wish: data, said, silent: false };
			/** The next message of this type that nobody took yet. */
			share.next = (type) => new Promise((resolve) => {
				waiting.push({ type, resolve });
				share.deliver();
			});
			share.deliver = () => {
				for (const one of [...waiting]) {
					const found = said.findIndex((message) => message.type === one.type);
					if (found >= 0) {
						waiting.splice(waiting.indexOf(one), 1);
						one.resolve(...said.splice(found, 1));
					}
				}
			};
			port.onmessage = (event) => {
				if (event.data.type === 'ping' && !share.silent) {
					port.postMessage({ type: 'pong' });
				} else {
					said.push(event.data);
					share.deliver();
				}
			};
			const taker = wanted.shift();
			taker ? taker(share) : wishes.push(share);
		}
	});
	const opened = { type: 'opened', codec: 'vp8', width: 1920, height: 1080, maxFps: 30, surface: 'monitor', cursor: 'always' };
	Object.assign(window, {
		video: (mandatory = {}) => ({ video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: id, ...mandatory } } }),
		/** Asks as a page does; resolves when the track's wish is there. */
		async redeem(constraints = window.video()) {
			const stream = navigator.mediaDevices.getUserMedia(constraints);
			stream.catch(() => {});
			const share = wishes.shift() ?? (await new Promise((resolve) => wanted.push(resolve)));
			return Object.assign(share, { stream });
		},
		/** The same up to the track; the host opened it so. */
		async live(constraints, how = {}) {
			const share = await window.redeem(constraints);
			const { maxFps = opened.maxFps, maxHeight = 0 } = share.wish;
			share.port.postMessage({ ...opened, maxFps: Math.round(maxFps), maxHeight, ...how });
			share.stream = await share.stream;
			[share.track] = share.stream.getVideoTracks();
			let seq = 0;
			/** Sends a picture of this size, and resolves when it was decoded. */
			share.show = async (width, height, color = '#ff0000') => {
				const [frame] = await window.encodeClip({ colors: [color], width, height, seq: seq++ });
				share.port.postMessage(frame);
				await share.next('credit');
				return frame.pts;
			};
			share.size = () => {
				const { width, height } = share.track.getSettings();
				return [width, height];
			};
			return share;
		},
		/** Reads the pictures of a track, as they come. */
		pictures(track) {
			const reader = new window.MediaStreamTrackProcessor({ track, maxBufferSize: 10 }).readable.getReader();
			return async () => {
				const { done, value } = await reader.read();
				const told = done ? null : { size: [value.displayWidth, value.displayHeight], timestamp: value.timestamp };
				value?.close();
				return told;
			};
		},
		/** The refusal of a promise, as far as it can be handed on. */
		refusal: (promise) => promise.then(() => null, ({ name, message, constraint }) => ({ name, message, constraint })),
		ended: (track) => new Promise((resolve) => track.addEventListener('ended', resolve)),
	});
}
