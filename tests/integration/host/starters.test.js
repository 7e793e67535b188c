/**
 * What starts the host for browsers in a sandbox: Ubuntu's portal, without arguments, and xdg-native-messaging-proxy,
 * with a browser's arguments and SIGKILL in the end. Stand-ins for both are on a private bus.
 */
import assert from 'node:assert/strict';
import {copyFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {Browser, chromiumArguments, firefoxId} from '../../fake/browser.js';
import {hostProgram, until, World} from '../../fake/world.js';

const name = 'org.portlight.host';
const client = fileURLToPath(new URL('../../fake/portal/sandboxed-browser', import.meta.url));
const extensions = {mozilla: firefoxId, chromium: chromiumArguments[0]};

/** @type {World} */
let world;

beforeEach(async () => {
	world = new World();
	const path = world.host;
	const lists = {allowed_extensions: [extensions.mozilla], allowed_origins: [extensions.chromium]};
	writeFileSync(join(world.folder, `${name}.json`), JSON.stringify({name, path, type: 'stdio', ...lists}));
	world.env.XDG_DESKTOP_PORTAL_WEB_EXTENSIONS_PATH = world.folder;
	world.env.XNMP_HOST_LOCATIONS = world.folder;
	await world.startBus();
	await world.startPortal({web_extensions: true, proxy: true});
});

afterEach(() => world.finish());

/**
 * @param {string} starter
 * @param {'mozilla' | 'chromium'} mode
 * @param {string} [extension]
 */
function browse(starter, mode, extension = extensions[mode]) {
	const browser = new Browser(client, {env: world.env, args: [starter, mode, extension]});
	world.browsers.push(browser);
	return browser;
}

/** How the host was started: its arguments. */
async function started() {
	await until('the host runs', () => world.processes().length === 1);
	return world.argumentsOf(world.processes()[0]);
}

/** A live share, whose frames come. @param {Browser} browser */
async function share(browser) {
	assert.equal((await browser.hello()).protocol, 1);
	assert.equal((await browser.share()).share, 1);
	assert.equal((await browser.open(1)).width, 1280);
	assert.equal((await browser.frame(1)).share, 1);
	assert.equal(world.processes().length, 2);
}

for (const mode of /** @type {const} */ (['mozilla', 'chromium'])) {
	for (const starter of ['portal', 'proxy']) {
		test(`${starter}, ${mode}: a share, its end, and nothing is left when the browser closes`, async () => {
			world.addCapture();
			const browser = browse(starter, mode);
			const manifest = join(world.folder, `${name}.json`);
			const given = [...(mode === 'mozilla' ? [manifest] : []), extensions[mode]];
			await share(browser);
			assert.equal((await browser.request('stop', {share: 1})).type, 'result');
			assert.deepEqual(await started(), starter === 'portal' ? [] : given);
			browser.hangUp();
			assert.deepEqual(await browser.exited, {code: 0, signal: null});
			assert.doesNotMatch(browser.log, /Sanitizer|runtime error|CRITICAL/);
			await world.empty();
		});
	}
}

for (const starter of ['portal', 'proxy']) {
	test(`${starter}: nothing is left of a share when the browser closes, or dies`, async () => {
		world.addCapture();
		const closing = browse(starter, 'mozilla');
		await share(closing);
		closing.hangUp();
		await closing.exited;
		await world.empty();

		const dying = browse(starter, 'mozilla');
		await share(dying);
		dying.process.kill('SIGKILL');
		await dying.exited;
		await world.empty();
	});
}

test('the real helper goes with a host that is killed', async () => {
	copyFileSync(join(dirname(hostProgram), 'portlight-capture'), join(world.folder, 'portlight-capture'));
	const browser = browse('proxy', 'mozilla');
	await browser.hello();
	await browser.share();
	browser.postOpen(1);
	await until('the helper runs', () => world.helpers().length === 1);
	browser.hangUp();
	await browser.exited;
	await world.empty();
});

test('the proxy starts the host for any extension; the host refuses those that it does not know', async () => {
	const browser = browse('proxy', 'mozilla', 'other@example.org');
	assert.equal((await browser.answer(null)).code, 'wrong-caller');
	assert.deepEqual(await browser.exited, {code: 0, signal: null});
	await world.empty();
});
