/** What is measured: the engines, their settings, the workloads and how long each is looked at. */

/** @typedef {{width: number, height: number, fps: number}} Screen */
/** @typedef {{engine: string, codec: 'vp8' | 'vp9' | 'auto', workloads?: string[], pipeline?: (screen: Screen, workload: string) => string}} Engine */

export const workloads = ['still', 'typing', 'scroll', 'drag', 'slides', 'video-window', 'video-full'];

/** Looked at only where BENCH_WORKLOADS names them. */
export const moreWorkloads = ['scroll-turns', 'scroll-jumps'];

/** Those whose cost is that of everything that moves. */
export const moving = ['scroll', 'scroll-turns', 'drag', 'video-window', 'video-full'];

/** An engine that is busy for more than this share of the time between two steps has no room for its slower frames. */
export const busyShare = 0.8;

/** 4K at a rate that every engine here keeps up with, or cost per frame would say how many were left out. */
export const screens = [
	{width: 1920, height: 1080, fps: 30},
	{width: 3840, height: 2160, fps: 10},
];

/** The bitrate that the extension asks for at this size. @param {Screen} screen */
export function kbpsOf({width, height}) {
	return Math.round(Math.min(60000, Math.max(4000, (width * height) / 200)));
}

/**
 * A pipeline that takes what PipeWire sends. Where nothing moves, pipewiresrc repeats the picture at the frame rate: that
 * is its own way to let the encoder improve it, and Portlight and the bare loop improve it as well.
 * @param {Screen} screen
 * @param {string} workload
 * @param {string} settings
 */
function pipeline(screen, workload, settings) {
	const repeats = ['still', 'slides'].includes(workload) ? `keepalive-time=${Math.round(1000 / screen.fps)}` : '';
	const encoder = `vp8enc target-bitrate=${kbpsOf(screen) * 1000} ${settings}`;
	// The matrix that the other engines use, or the pictures could not be compared.
	return `${repeats} ! videoconvert ! video/x-raw,format=I420,colorimetry=bt601 ! ${encoder} ! appsink name=out sync=false`;
}

const tuned = 'deadline=1 cpu-used=-6 static-threshold=100 end-usage=cbr keyframe-max-dist=100000';

/** @type {Engine} */
export const bareLoop = {engine: 'libvpx', codec: 'vp8'};

/** @type {Engine[]} */
export const engines = [
	{engine: 'portlight', codec: 'auto'},
	// Elsewhere `auto` is nothing else.
	{engine: 'portlight', codec: 'vp9', workloads: ['scroll', 'scroll-turns', 'video-full']},
	{engine: 'libvpx', codec: 'vp9'},
	{engine: 'portlight', codec: 'vp8'},
	bareLoop,
	{engine: 'gst-tuned', codec: 'vp8', pipeline: (screen, workload) => pipeline(screen, workload, tuned)},
	{engine: 'gst-default', codec: 'vp8', pipeline: (screen, workload) => pipeline(screen, workload, '')},
];

/** What the extension asks for where the browser decodes both codecs. */
export const defaultCodec = 'auto';

/** Portlight's cost against pixels and against damage. @type {{screen: Screen, percent: number}[]} */
export const growth = [
	...[[1280, 720], [1920, 1080], [2560, 1440], [3840, 2160]].map(([width, height]) => ({screen: {width, height, fps: 10}, percent: 10})),
	...[1, 2, 5, 25, 50, 100].map((percent) => ({screen: {width: 1920, height: 1080, fps: 10}, percent})),
];

/**
 * Steps before those that count in a whole run, where the usual ones are too few: VP8 takes 60 encodes to refine a picture or to follow a
 * scroll well, and `auto` looks at motion for a second before it changes the codec.
 * @type {Record<string, number>}
 */
export const warmUpSteps = {still: 75, scroll: 90, 'scroll-turns': 90, 'scroll-jumps': 90, 'video-full': 75};

/** `motionShare`: of the steps of `warmUpSteps` where something moves all over. */
export const modes = {
	full: {runs: 5, warmUpS: 1.5, motionShare: 1, windowS: 4, qualityEvery: 1, growthRuns: 3, glassRounds: 5, glassS: 8},
	quick: {runs: 1, warmUpS: 0.7, motionShare: 0.6, windowS: 1.2, qualityEvery: 4, growthRuns: 1, glassRounds: 1, glassS: 5},
};
