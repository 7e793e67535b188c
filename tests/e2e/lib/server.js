/** The web site that the tests' pages come from: folders of this repository on 127.0.0.1, on a port of its own. */
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What is served where. @type {Record<string, string>} */
const folders = {
	'/examples/': join(root, 'docs/examples'),
	'/pages/': join(root, 'tests/e2e/pages'),
	'/desktop/': join(root, 'tests/desktop'),
};

/** @type {Record<string, string>} */
const types = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
};

/**
 * @param {string} path of the request
 * @returns {string | null} the file it names
 */
function fileFor(path) {
	const prefix = Object.keys(folders).find((p) => path.startsWith(p));
	if (!prefix) {
		return null;
	}
	const inside = normalize(`/${decodeURIComponent(path.slice(prefix.length))}`);
	return join(folders[prefix], inside);
}

/**
 * Starts a site; each has an origin of its own.
 * @param {string} [host] of this machine
 * @param {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse, path: string) =>
 *   Promise<boolean>} [more] answers what is no file, or returns false
 * @returns {Promise<{origin: string, url: (path: string) => string, close: () => Promise<void>}>}
 */
export async function startServer(host = '127.0.0.1', more = async () => false) {
	const server = createServer(async (request, response) => {
		const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
		const file = fileFor(path);
		const found = file && types[extname(file)] && (await stat(file).catch(() => null))?.isFile();
		if (!file || !found) {
			if (!(await more(request, response, path))) {
				response.writeHead(404).end();
			}
			return;
		}
		response.writeHead(200, {'content-type': types[extname(file)], 'cache-control': 'no-cache'});
		createReadStream(file).pipe(response);
	});
	await new Promise((resolve) => server.listen(0, host, () => resolve(undefined)));
	const address = /** @type {import('node:net').AddressInfo} */ (server.address());
	const origin = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
	return {
		origin,
		url: (path) => origin + path,
		close: () => {
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
}
