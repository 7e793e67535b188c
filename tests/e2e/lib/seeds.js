/**
 * The clients that are printed in the seeds' documents. They belong to others, so they are taken from the documents at each run:
 * from the folder PORTLIGHT_SEEDS, or `shared/seeds` beside this repository.
 */
import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const folder = process.env.PORTLIGHT_SEEDS ?? fileURLToPath(new URL('../../../../shared/seeds', import.meta.url));
/** Nothing of a test leaves the machine. @param {string} text */
const closed = (text) => text.replaceAll('stun:stun.l.google.com:19302', 'stun:127.0.0.1:3478');

/** A document. @param {string} name @returns {{path: string, lines: string[] | null}} null: it is not there */
export function seed(name) {
	const path = join(folder, `${name}.txt`);
	return {path, lines: existsSync(path) ? readFileSync(path, 'utf8').split(/\r?\n/) : null};
}

/** The lines of what begins with this line, to the one that ends it. @param {string[]} lines @param {string} first @param {number} [nth] @param {string} [end] */
function block(lines, first, nth = 0, end = '}') {
	const starts = lines.flatMap((line, at) => (line === first ? [at] : []));
	assert(starts.length > nth, `the document has no "${first}"`);
	const from = starts[nth];
	const length = lines.slice(from).findIndex((line, at) => at > 0 && line.startsWith(end));
	return lines.slice(from, from + length + 1);
}

/** The cases of a switch within a block. @param {string[]} lines */
const cases = (lines) => lines.slice(lines.findIndex((line) => line.includes('switch (')) + 1, -2).filter((line) => !line.includes('//...'));

/**
 * The lesson's, its parts in their last form and in their order.
 * @param {string[]} lines @returns {{html: string, script: string}}
 */
export function lessonClient(lines) {
	const count = lines.filter((line) => line === 'ws.onmessage = (msg) => {').length;
	const hears = Array.from({length: count}, (_, nth) => block(lines, 'ws.onmessage = (msg) => {', nth));
	const starts = block(lines, 'const startRealTimeCommunication = () => {', 1);
	// The text says where this belongs: to the connection, which is made there.
	const candidates = block(lines, 'connection.onicecandidate = (event) => {');
	starts.splice(starts.indexOf('    },'), 0, ...candidates);
	const script = [
		...block(lines, 'const ws = new WebSocket(\'ws://localhost:8080\')', 0, ''),
		...block(lines, 'ws.onopen = () => {'),
		...block(lines, 'ws.onerror = (err) => {'),
		...block(lines, 'document.querySelector(\'button#login\').addEventListener(\'click\', (event) => {'),
		...block(lines, 'const sendMessage = (message) => {'),
		...hears[0].slice(0, -2),
		...hears.slice(1).flatMap(cases),
		...hears[0].slice(-2),
		...block(lines, 'const handleLogin = (success) => {'),
		...block(lines, 'const configuration = {'),
		...starts,
		'let otherUsername',
		...block(lines, 'document.querySelector(\'button#call\').addEventListener(\'click\', () => {'),
		...block(lines, 'const handleOffer = (offer, username) => {'),
		...block(lines, 'const handleAnswer = (answer) => {'),
		...block(lines, 'const handleCandidate = (candidate) => {'),
		...block(lines, 'document.querySelector(\'button#close-call\').addEventListener(\'click\', () => {'),
		...block(lines, 'const handleClose = () => {'),
	];
	const html = [...block(lines, '<div id="login">', 0, '</div>'), '<div id="call">', ...block(lines, '<div>', 0, '</div>'), '</div>'];
	return {html: html.join('\n'), script: closed(script.join('\n'))};
}

const described = 'connection.setLocalDescription(sessionDescription); server.send(sessionDescription);';
/** Lines that the document lost, after the ones that it has; in its order. */
const lost = [
	['connection.createAnswer(', `${described} }); break;`],
	['setRemoteDescription(', 'break;'],
	['candidate: message.candidate', '})); break; } };'],
	['iceServers:', '});'],
	['if(event.candidate) {', 'server.send({'],
	['candidate: event.candidate.candidate', '}); } };'],
	['video.src =', '};'],
	['connection.createOffer(', `${described} }); }`],
	['function onUserMediaSuccess(', 'connection.addStream(stream); openConnection(); }'],
	['// Ask for access', 'navigator.webkitGetUserMedia({'],
];

/** The demo's, with the lines that its document lost. @param {string[]} lines */
export function sseClient(lines) {
	const from = lines.indexOf('connection = nil');
	const to = lines.indexOf('}, onUserMediaSuccess, null)');
	assert(from >= 0 && to > from, 'the document has no client');
	const left = [...lost];
	// The first description is taken before an answer is made, and has lost nothing.
	let skipped = false;
	const script = lines.slice(from, to + 1).flatMap((line) => {
		if (!skipped && line.includes('setRemoteDescription(')) {
			skipped = true;
			return [line];
		}
		if (left.length > 0 && line.includes(left[0][0])) {
			return [line, /** @type {string[]} */ (left.shift())[1]];
		}
		return [line];
	});
	assert.deepEqual(left, [], 'the document is another one');
	return closed(script.join('\n'));
}
