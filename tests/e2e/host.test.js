/** A native host that is missing, can't be started, falls over, hangs or is of another version, in both browsers. */
import assert from 'node:assert/strict';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe} from 'node:test';
import {fileURLToPath} from 'node:url';
import {took} from '../tools/times.js';
import {insideDesktop} from './lib/inside.js';
import {turns} from './lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil, say, shows, until} = await import('./lib/own.js');
const {probe, useFixture} = await import('./lib/fixture.js');

const build = process.env.PORTLIGHT_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));
const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'hosts-'));
const host = join(folder, 'portlight-host');
after(() => rmSync(folder, {recursive: true}));

/** What the browser starts from now on. @param {string} script of the shell */
function become(script) {
	writeFileSync(host, `#!/bin/sh\n${script}\n`);
	chmodSync(host, 0o755);
}

const real = `exec ${join(build, 'bin/portlight-host')} "$@"`;
/** Answers the first message with this one. @param {object} message */
function answers(message) {
	const program = `process.stdin.once('data', (bytes) => {
		const {id} = JSON.parse(bytes.subarray(4));
		const text = JSON.stringify({id, ...${JSON.stringify(message)}});
		const head = Buffer.alloc(4);
		head.writeUInt32LE(text.length);
		process.stdout.write(Buffer.concat([head, Buffer.from(text)]));
	})`;
	writeFileSync(join(folder, 'answers.cjs'), program);
	return `exec '${process.execPath}' '${join(folder, 'answers.cjs')}'`;
}

/** @type {Record<string, {script: () => string, code: string | RegExp}>} */
const broken = {
	'falls over as it starts': {script: () => 'exit 1', code: 'host-crashed'},
	'hangs': {script: () => 'exec sleep 20', code: 'host-slow'},
	'writes rubbish': {script: () => 'echo this is no message at all; exec sleep 20', code: /^host-(crashed|slow)$/},
	'is of another protocol': {script: () => answers({type: 'result', protocol: 9, version: '9.9.9', supports: [], portal: 4}), code: 'version-mismatch'},
	'refuses the extension': {script: () => answers({type: 'error', code: 'wrong-caller', message: 'No.', remedy: ''}), code: 'wrong-caller'},
};

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	const turn = turns(kind);
	describe(`${kind}: a host that`, () => {
		before(() => become(real));
		const fixture = useFixture({kind, host});
		/** One of the extension's own pages. @type {import('puppeteer-core').Page} */
		let own;
		before(async () => {
			own = await fixture.browser.openOwn('ui/popup.html');
			// Its own look is over: no test is answered by what that found.
			await until(own, shows, '#host-state.good');
		});

		/** What the extension says of the host. */
		const look = () => say(own, {type: 'host-status'});

		/** @param {string | RegExp} code */
		async function assertBroken(code) {
			const began = performance.now();
			let status = await look();
			took('what is wrong with the host told', performance.now() - began);
			if (!'host-slow'.match(code)) {
				// A busy machine may need longer to start what answers; whoever looks then looks again.
				status = await askUntil(look, (again) => again.code !== 'host-slow');
			}
			assert.equal(status.ok, false);
			assert.match(status.code, typeof code === 'string' ? new RegExp(`^${code}$`) : code, status.detail);
			assert.notEqual(status.remedy, '');
		}

		/** The page is told, and the next try works once all is well. @param {boolean} [helps] the page of the first run opens */
		async function assertMends(helps) {
			const page = await fixture.page();
			const began = performance.now();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			took('page told that the host is broken', performance.now() - began);
			if (helps) {
				await (await fixture.browser.welcome()).close();
				await page.bringToFront();
			}
			become(real);
			await askUntil(look, ({ok}) => ok);
			await page.mouse.click(600, 400);
			await fixture.share(page);
			await probe(page, 'stop');
		}

		for (const [how, {script, code}] of Object.entries(broken)) {
			turn(how, async () => {
				become(script());
				await assertBroken(code);
				await assertMends();
			});
		}

		turn('hangs in mid-share: once it is asked something the page is told, and the next share works', async () => {
			become(real);
			const page = await fixture.page();
			const {host: {pid}} = await fixture.share(page);
			process.kill(pid, 'SIGSTOP');
			const began = performance.now();
			try {
				await say(own, {type: 'host-status'}); // As the popup does.
				await fixture.assertEnded(page);
			} finally {
				try {
					process.kill(pid, 'SIGCONT');
				} catch {
					// The browser ended it.
				}
			}
			took('page told that the host hangs', performance.now() - began);
			const {failure} = await own.evaluate(() => {
				const {browser, chrome} = /** @type {any} */ (globalThis);
				return (browser ?? chrome).storage.session.get('failure');
			});
			assert.equal(failure.code, 'host-timeout');
			await fixture.share(await fixture.page());
		});

		turn('can not be run', async () => {
			become(real);
			chmodSync(host, 0o644);
			await assertBroken(kind === 'chromium' ? 'host-crashed' : 'host-unusable');
			await assertMends(kind === 'firefox');
		});

		turn('is not installed', async () => {
			const manifests = kind === 'chromium' ? 'profile/NativeMessagingHosts' : '.mozilla/native-messaging-hosts';
			rmSync(join(String(fixture.browser.home), manifests), {recursive: true});
			await assertBroken('host-missing');
			const page = await fixture.page();
			assert.equal(await probe(page, 'ask'), 'PermissionDeniedError');
			if (kind === 'chromium') {
				fixture.pages.push(await fixture.browser.welcome()); // In Firefox that was before: it opens once.
			}
		});
	});
}
