/** `portlight-rooms` on a port of its own, and clients of it: a WebSocket's, and one of events and POST. */
import {spawn, spawnSync} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {request as httpRequest} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {createConnection} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {connect as connectTls} from 'node:tls';
import {fileURLToPath} from 'node:url';
import WebSocket from 'ws';

export const rooms = process.env.PORTLIGHT_ROOMS ?? fileURLToPath(new URL('../../build/bin/portlight-rooms', import.meta.url));
export const subprotocol = 'portlight-rooms.1';

/** Runs it to its end. @param {...string} args */
export const run = (...args) => spawnSync(rooms, args, {encoding: 'utf8'});

/** Runs it until the test ends. */
export class Server {
	/**
	 * @param {import('node:test').TestContext} t
	 * @param {...string} args  beside --listen
	 */
	static async start(t, ...args) {
		const server = new Server();
		/** @type {SocketClient[]} */
		server.clients = [];
		const certificate = args.find((arg) => arg.startsWith('--certificate='));
		server.ca = certificate && readFileSync(certificate.slice('--certificate='.length));
		const listen = args.some((arg) => /^--(listen|config)\b/.test(arg)) ? [] : ['--listen=127.0.0.1:0'];
		server.child = spawn(rooms, [...listen, ...args], {stdio: ['ignore', 'inherit', 'pipe']});
		server.ended = once(server.child, 'close');
		/** @type {any[]} its log's lines */
		server.log = [];
		server.text = '';
		const heard = new EventEmitter();
		let rest = '';
		server.child.stderr.setEncoding('utf8').on('data', (piece) => {
			server.text += piece;
			const lines = (rest + piece).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines.filter((text) => text.startsWith('{'))) {
				server.log.push(JSON.parse(line));
				heard.emit('line');
			}
		});
		server.heard = heard;
		t.after(() => server.kill());
		await server.logged('listening');
		server.url = server.log.find(({event}) => event === 'listening').at;
		return server;
	}

	/** Waits for a line of the log. @param {string} event */
	async logged(event) {
		while (!this.log.some((line) => line.event === event)) {
			const ended = await Promise.race([once(this.heard, 'line').then(() => false), this.ended.then(() => true)]);
			if (ended) {
				throw new Error(`portlight-rooms ended: ${this.text}`);
			}
		}
	}

	/** @param {NodeJS.Signals} signal */
	signal(signal) {
		this.child.kill(signal);
	}

	/** Ends it as an administrator does. */
	async stop() {
		this.signal('SIGTERM');
		const [status, signal] = await this.ended;
		return {status, signal};
	}

	async kill() {
		this.clients.forEach(({socket}) => socket?.terminate());
		if (this.child.exitCode === null && this.child.signalCode === null) {
			this.child.kill('SIGKILL');
			await this.ended;
		}
	}

	get port() {
		return Number(new URL(this.url).port);
	}

	/** @param {string} path @param {object} [options] as for ask() */
	ask(path, options) {
		return ask(new URL(path, this.url), {ca: this.ca, ...options});
	}

	/** A counter or gauge of /metrics. @param {string} name */
	async metric(name) {
		const {body} = await this.ask('/metrics');
		const line = body.split('\n').find((text) => text.startsWith(`portlight_rooms_${name} `));
		return line === undefined ? 0 : Number(line.split(' ').at(-1));
	}

	/** What net ended by itself, by its reasons; those of 0 are left out. @returns {Promise<Record<string, number>>} */
	async drops() {
		const {body} = await this.ask('/metrics');
		const counts = [...body.matchAll(/^portlight_rooms_drops_total\{reason="(.+)"\} (\d+)$/gm)];
		return Object.fromEntries(counts.map(([, reason, count]) => [reason, Number(count)]).filter(([, count]) => count > 0));
	}

	/** Sends bytes, and gives what came until the server closed. @param {string | Buffer} bytes */
	raw(bytes) {
		return new Promise((resolve) => {
			let text = '';
			const to = {port: this.port, host: '127.0.0.1'};
			const socket = this.ca ? connectTls({...to, ca: this.ca}) : createConnection(to);
			socket.write(bytes);
			socket.setEncoding('latin1');
			socket.on('data', (piece) => (text += piece));
			socket.on('error', () => {});
			socket.on('close', () => resolve(text));
		});
	}
}

/**
 * @param {URL | string} url
 * @param {{method?: string, headers?: object, body?: string, socketPath?: string, ca?: Buffer}} [options]
 * @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, body: string, json: any, certificate: any}>}
 */
export function ask(url, {body, ...options} = {}) {
	const request = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
	return new Promise((resolve, reject) => {
		const asked = request(url, {agent: false, ...options}, (answer) => {
			let text = '';
			const certificate = answer.socket.getPeerCertificate?.();
			answer.setEncoding('utf8').on('data', (piece) => (text += piece));
			answer.on('end', () => {
				const isJson = answer.headers['content-type'] === 'application/json';
				resolve({status: answer.statusCode, headers: answer.headers, body: text, json: isJson ? JSON.parse(text) : undefined, certificate});
			});
		});
		asked.on('error', reject);
		asked.end(body);
	});
}

/** A session as docs/ROOMS.md describes it, over what a subclass carries. */
class Session {
	#id = 0;
	#seq = 0;
	/** @type {any[]} sent, and not acknowledged */
	kept = [];
	/** @type {any[]} came, and nobody took it */
	events = [];
	/** @type {Map<number, (answer: any) => void>} */
	#answers = new Map();
	#heard = new EventEmitter();
	received = 0;
	/** @type {number[]} when each said that the next one is due */
	pings = [];
	/** @type {any} */
	welcome;
	/** @type {any} */
	bye;

	/** @param {any} message */
	take(message) {
		if (message.type === 'welcome') {
			this.welcome = message;
			this.kept = this.kept.filter(({seq}) => seq > message.received);
			this.kept.forEach((kept) => this.write(kept));
		} else if (message.type === 'bye') {
			this.bye = message;
		} else if (message.type === 'ping') {
			this.pings.push(message.pingMs);
			this.#heard.emit('ping');
			this.write({type: 'ack', ack: this.received});
			return;
		} else {
			if (message.seq !== this.received + 1) {
				throw new Error(`${message.seq} came after ${this.received}`);
			}
			this.received = message.seq;
			this.kept = this.kept.filter(({seq}) => seq > message.ack);
			const answer = ['ok', 'error'].includes(message.type) ? this.#answers.get(message.id) : undefined;
			if (answer) {
				this.#answers.delete(message.id);
				answer(message);
				return;
			}
		}
		this.events.push(message);
		this.#heard.emit('event');
	}

	/** Takes the next event of this type, when it has come. @param {string} type @returns {Promise<any>} */
	async next(type) {
		for (;;) {
			const at = this.events.findIndex((event) => event.type === type);
			if (at >= 0) {
				return this.events.splice(at, 1)[0];
			}
			await once(this.#heard, 'event');
		}
	}

	/** Waits for a ping that has not been waited for. */
	async nextPing() {
		while (this.pings.length === 0) {
			await once(this.#heard, 'ping');
		}
		return this.pings.shift();
	}

	/** @param {string} type @param {object} [fields] @returns {Promise<any>} `ok` or `error` */
	request(type, fields = {}) {
		const message = {seq: ++this.#seq, ack: this.received, id: ++this.#id, type, ...fields};
		this.kept.push(message);
		const answered = new Promise((resolve) => this.#answers.set(message.id, resolve));
		this.write(message);
		return answered;
	}

	/** As `resume` of hello. */
	get resume() {
		return {session: this.welcome.session, secret: this.welcome.secret, received: this.received};
	}

	/** @param {any} _message */
	write(_message) {}
}

export class SocketClient extends Session {
	/** @param {Server} server @param {object} [options] of ws */
	constructor(server, options = {}) {
		super();
		this.address = `${server.url.replace(/^http/, 'ws')}v1/socket`;
		this.options = {ca: server.ca, ...options};
		server.clients.push(this);
	}

	/** @param {Server} server @param {object} [options] */
	static async open(server, options) {
		const client = new SocketClient(server, options);
		await client.connect();
		return client;
	}

	/** Says hello; with `resume` to go on. @param {object} [resume] */
	async connect(resume) {
		await this.open();
		await this.greet(resume);
	}

	async open() {
		this.events = this.events.filter(({type}) => type !== 'welcome');
		this.socket = new WebSocket(this.address, subprotocol, this.options);
		const socket = this.socket;
		this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({code, reason: `${reason}`})));
		socket.on('error', () => {});
		socket.on('message', (data) => socket === this.socket && this.take(JSON.parse(`${data}`)));
		await once(socket, 'open');
	}

	/** @param {object} [resume] */
	async greet(resume) {
		this.socket.send(JSON.stringify({type: 'hello', version: 1, ...(resume ? {resume} : {})}));
		await Promise.race([this.next('welcome'), this.closed]);
	}

	/** The network breaks. */
	async drop() {
		this.socket.terminate();
		await this.closed;
	}

	/** @param {any} message */
	write(message) {
		if (this.socket.readyState === WebSocket.OPEN) {
			this.socket.send(JSON.stringify(message));
		}
	}
}

export class EventsClient extends Session {
	/** @param {Server} server */
	constructor(server) {
		super();
		this.server = server;
	}

	/** @param {Server} server @param {object} [resume] */
	static async open(server, resume) {
		const client = new this(server);
		await client.connect(resume);
		return client;
	}

	/** @param {object} [resume] */
	async connect(resume) {
		const hello = JSON.stringify({type: 'hello', version: 1, ...(resume ? {resume} : {})});
		const {json, status} = await this.server.ask('/v1/tickets', {method: 'POST', body: hello});
		if (status !== 200) {
			throw new Error(JSON.stringify(json));
		}
		this.ticket = json.ticket;
		const stream = httpRequest(new URL(`/v1/events?ticket=${json.ticket}`, this.server.url), {agent: false});
		this.stream = stream;
		stream.on('error', () => {});
		stream.end();
		const [answer] = await once(stream, 'response');
		this.headers = answer.headers;
		this.closed = new Promise((resolve) => answer.on('close', resolve));
		let text = '';
		answer.on('error', () => {});
		answer.setEncoding('utf8').on('data', (piece) => {
			text += piece;
			const whole = text.split('\n\n');
			text = whole.pop() ?? '';
			whole.filter((event) => event.startsWith('data: ')).forEach((event) => this.take(JSON.parse(event.slice(6))));
		});
		await this.next('welcome');
	}

	async drop() {
		this.stream.destroy();
		await this.closed;
	}

	/** @param {any} message */
	write(message) {
		this.posted = this.post(message);
	}

	/** @param {any} message one, or an array */
	post(message) {
		const {session, secret} = this.welcome;
		return this.server.ask('/v1/messages', {
			method: 'POST',
			headers: {authorization: `Bearer ${session}.${secret}`, 'content-type': 'application/json'},
			body: JSON.stringify(message),
		});
	}
}

/** A folder that goes with the test. @param {import('node:test').TestContext} t */
export function folderOf(t) {
	const folder = mkdtempSync(join(tmpdir(), 'portlight-rooms-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
}

/** A certificate for localhost. @param {string} folder @param {string} name @param {string} [address] */
export function certify(folder, name, address = '127.0.0.1') {
	const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
	const made = spawnSync('openssl', [
		...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
		...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:localhost,IP:${address}`, '-keyout', key, '-out', certificate],
	]);
	if (made.status !== 0) {
		throw new Error(`${made.stderr}`);
	}
	return {certificate, key};
}
