/** A worker that opens sockets and never finishes a request on them: it says `open` when all stand, and `closed` when all are closed. */
import {once} from 'node:events';
import {createConnection} from 'node:net';
import {parentPort, workerData} from 'node:worker_threads';

/** So that no queue of the kernel's is too short. */
const AT_ONCE = 200;
/** @type {Promise<unknown>[]} */
const closed = [];

/** Nothing; a piece of a request; one byte after the other. @param {number} number */
async function open(number) {
	const socket = createConnection(workerData.port, '127.0.0.1');
	socket.resume();
	socket.on('error', () => {});
	closed.push(new Promise((resolve) => socket.on('close', resolve)));
	await once(socket, 'connect');
	if (number % 3 > 0) {
		socket.write('GET / HTTP/1.1\r\nHost: loc');
	}
	if (number % 3 === 2) {
		const timer = setInterval(() => socket.write('a'), 1000);
		socket.on('close', () => clearInterval(timer));
	}
}

for (let number = 0; number < workerData.count; number += AT_ONCE) {
	await Promise.all(Array.from({length: AT_ONCE}, (_, i) => open(number + i)));
}
parentPort?.postMessage('open');
await Promise.all(closed);
parentPort?.postMessage('closed');
