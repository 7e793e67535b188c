/** Where the time and the processors go between glass and track: noted from outside, in nothing of ours. */
import {readFileSync} from 'node:fs';
import {descendants, usage} from '../../e2e/lib/processes.js';
import {median} from './report.js';

/** @typedef {{at: number, timestamp: number}} Note  at: milliseconds since 1970; timestamp: the picture's, in microseconds */

/** What a process is: by its name, in Chromium by its command line. @type {[RegExp, string][]} */
const kinds = [
	[/^portlight-captu/, 'helper'],
	[/^portlight-host/, 'host'],
	[/^mutter/, 'compositor'],
	[/^pipewire|^wireplumber/, 'PipeWire'],
	[/chromium.*--extension-process/, "extension's process"],
	[/chromium.*--type=renderer/, "page's process"],
	[/chromium.*--type=/, 'other of Chromium'],
	[/chromium/, 'browser'],
	[/desktop\/marker/, 'marker'],
];

/** CPU time so far of everything below a process, in milliseconds, by what it is. @param {number} root */
export function cpuByKind(root) {
	/** @type {Map<string, number>} */
	const cpu = new Map();
	for (const {pid, name} of descendants(root).concat({pid: root, ppid: 0, name: '', start: ''})) {
		let command = '';
		try {
			command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
		} catch {
			continue;
		}
		const kind = pid === process.pid ? null : (kinds.find(([words]) => words.test(name) || words.test(command))?.[1] ?? 'desktop');
		if (kind) {
			cpu.set(kind, (cpu.get(kind) ?? 0) + usage(pid).cpuNs / 1e6);
		}
	}
	return cpu;
}

/** In the extension's worker: when the first part of each frame came from the host. */
export function noteWorker() {
	const {runtime} = chrome;
	const own = runtime.connectNative;
	/** @type {Note[]} */
	const notes = [];
	Object.assign(globalThis, {notes});
	runtime.connectNative = (name) => {
		const port = own.call(runtime, name);
		port.onMessage.addListener((message) => {
			if (message.type === 'frame' && message.part === 0) {
				notes.push({at: performance.timeOrigin + performance.now(), timestamp: message.pts});
			}
		});
		return port;
	};
}

/** In the page: when each frame's last part came, its picture left the decoder, and was read from the track. */
export function notePage() {
	const {MediaStreamTrackProcessor: Processor, MessageChannel: Channel, VideoDecoder: Decoder} = /** @type {any} */ (window);
	/** @type {Record<string, Note[]>} */
	const notes = {page: [], picture: [], track: []};
	/** @param {string} hop @param {number} timestamp */
	const note = (hop, timestamp) => notes[hop].push({at: performance.timeOrigin + performance.now(), timestamp});
	class NotingProcessor {
		/** @param {object} options */
		constructor(options) {
			const reader = new Processor(options).readable.getReader();
			/** @type {{getReader: () => object}} */
			this.readable = {
				getReader: () => ({
					read: async () => {
						const result = await reader.read();
						if (result.value) {
							note('track', result.value.timestamp);
						}
						return result;
					},
					cancel: () => reader.cancel(),
				}),
			};
		}
	}
	class NotingDecoder extends Decoder {
		/** @param {VideoDecoderInit} init */
		constructor(init) {
			/** @param {VideoFrame} picture */
			const output = (picture) => {
				note('picture', picture.timestamp);
				init.output(picture);
			};
			super({...init, output});
		}
	}
	let pts = 0;
	function NotingChannel() {
		const channel = new Channel();
		channel.port1.addEventListener('message', (/** @type {MessageEvent} */ {data}) => {
			pts = data.pts ?? pts;
			if (data.type === 'frame' && data.part === data.parts - 1) {
				note('page', pts);
			}
		});
		return channel;
	}
	const patched = {MediaStreamTrackProcessor: NotingProcessor, VideoDecoder: NotingDecoder, MessageChannel: NotingChannel};
	Object.assign(window, {...patched, notes});
}

/**
 * How long each hop took, the median in milliseconds; the first one from the compositor's own time stamp.
 * @param {Record<string, Note[]>} notes  by hop, in their order; the last ones are those that count
 */
export function hopsOf(notes) {
	const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
	// Tracks round time stamps.
	const key = (/** @type {Note} */ {timestamp}) => Math.round(timestamp / 1000);
	const names = Object.keys(notes);
	const seen = names.map((name) => new Map(notes[name].map((note) => [key(note), note.at])));
	/** @type {Record<string, number>} */
	const hops = {};
	for (const [index, name] of names.entries()) {
		const took = notes[/** @type {string} */ (names.at(-1))]
			.map((note) => (seen[index].get(key(note)) ?? NaN) - (index ? (seen[index - 1].get(key(note)) ?? NaN) : note.timestamp / 1000 + offset))
			.filter(Number.isFinite);
		hops[name] = median(took);
	}
	return hops;
}
