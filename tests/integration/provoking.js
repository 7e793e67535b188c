/** What hostile clients of the rooms' server are made of: frames, handshakes, and two friends whom they must not disturb. */
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {SocketClient, subprotocol} from './rooming.js';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;

/** A WebSocket frame, right unless told otherwise. @param {number} opcode @param {string | Buffer} payload */
export function frame(opcode, payload, {fin = true, reserved = 0, masked = true, length = undefined} = {}) {
	const body = Buffer.from(payload);
	const size = length ?? BigInt(body.length);
	const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
	const bit = masked ? 0x80 : 0;
	if (size < 126n) {
		head.push(bit | Number(size));
	} else if (size < 65536n) {
		head.push(bit | 126, Number(size >> 8n), Number(size & 0xffn));
	} else {
		head.push(bit | 127, ...Array.from({length: 8}, (_, i) => Number((size >> BigInt(8 * (7 - i))) & 0xffn)));
	}
	const mask = masked ? randomBytes(4) : Buffer.alloc(0);
	return Buffer.concat([Buffer.from(head), mask, masked ? body.map((byte, i) => byte ^ mask[i % 4]) : body]);
}

/** A handshake, with headers in place of or beside the right ones. @param {Record<string, string | undefined>} [other] */
export function handshake(other = {}) {
	const headers = {
		Host: 'localhost',
		Upgrade: 'websocket',
		Connection: 'Upgrade',
		'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
		'Sec-WebSocket-Version': '13',
		'Sec-WebSocket-Protocol': subprotocol,
		...other,
	};
	const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
	return `GET /v1/socket HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Two who call each other and talk while `provoked` runs; afterwards all that was said has arrived. */
export async function undisturbed(server, provoked) {
	const ada = await SocketClient.open(server);
	const bob = await SocketClient.open(server);
	await ada.request('login', {name: 'Ada'});
	await bob.request('login', {name: 'Bob'});
	await ada.request('offer', {to: 'Bob', call: 'friends', sdp: 'v=0'});
	let over = false;
	let said = 0;
	const talking = (async () => {
		while (!over || said < 20) {
			const answer = await ada.request('candidate', {to: 'Bob', call: 'friends', candidate: {candidate: `${said}`}});
			assert.equal(answer.type, 'ok', JSON.stringify(answer));
			said++;
			await sleep(30);
		}
	})();
	try {
		await provoked();
	} finally {
		over = true;
		await talking;
	}
	for (let i = 0; i < said; i++) {
		let heard = await bob.next('candidate');
		while (heard.call !== 'friends') {
			heard = await bob.next('candidate');
		}
		assert.equal(heard.candidate.candidate, `${i}`);
	}
	assert.equal(bob.bye, undefined);
	assert.equal(ada.bye, undefined);
	ada.socket.close();
	bob.socket.close();
}
