/** The competitor under most signalling servers: ws, as a bare relay. "#name" logs in, "@name text" is relayed. */
import {WebSocketServer} from 'ws';

/** @type {Map<string, import('ws').WebSocket>} */
const names = new Map();
const server = new WebSocketServer({port: 0, host: '127.0.0.1', backlog: 4096, perMessageDeflate: false, maxPayload: 65536});
server.on('listening', () => console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port));
server.on('connection', (socket) => {
	socket.on('error', () => {});
	socket.on('message', (data) => {
		const text = data.toString();
		if (text[0] === '#') {
			names.set(text.slice(1), socket);
			socket.send('ok');
			return;
		}
		const space = text.indexOf(' ');
		names.get(text.slice(1, space))?.send(text.slice(space + 1));
	});
});
