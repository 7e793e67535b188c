/** portlight-host and portlight-capture against the real GNOME portal and PipeWire, driven without a browser. */
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {after, afterEach, test} from 'node:test';
import {insideDesktop} from '../e2e/lib/inside.js';
import {Desktop} from '../e2e/lib/desktop.js';
import {Browser} from '../fake/browser.js';
import {children, cpuMs, hostProgram, residentMiB, until} from '../fake/world.js';
import {took} from '../tools/times.js';
import {drawn} from './recording.js';

await insideDesktop(import.meta.url, ['--size', '1920x1080', '--rate', '30']);

const desktop = new Desktop();
/** @type {Browser[]} */
const browsers = [];
const sanitized = hostProgram.includes('asan');

afterEach(async () => {
	for (const browser of browsers.splice(0)) {
		browser.hangUp();
		assert.deepEqual(await browser.exited, {code: 0, signal: null}, browser.log);
	}
	await desktop.mendPortal();
	await desktop.willAnswer('screen');
});

const folder = mkdtempSync(join(process.env.PORTLIGHT_TMP ?? '', 'host-'));
after(() => {
	browsers.forEach((browser) => browser.finish());
	rmSync(folder, {recursive: true});
});

async function greeted() {
	const browser = new Browser(hostProgram);
	browsers.push(browser);
	const hello = await browser.hello();
	assert.ok(hello.portal >= 4, JSON.stringify(hello));
	return browser;
}

async function granted(browser = undefined) {
	const asker = browser ?? (await greeted());
	const answer = await asker.request('share', {sources: ['monitor'], cursor: 'embedded'});
	assert.equal(answer.type, 'result', JSON.stringify(answer));
	return {browser: asker, ...answer};
}

for (const codec of ['vp8', 'vp9']) {
	test(`${codec}: a moving 1920x1080 desktop flows, in bounded memory`, async () => {
		const {browser, share, surface, width, height} = await granted();
		assert.deepEqual({surface, width, height}, {surface: 'monitor', width: 1920, height: 1080});
		const opened = await browser.open(share, {codec, maxFps: 60, maxKbps: 8000, credit: 4});
		assert.deepEqual([opened.codec, opened.width, opened.height], [codec, 1920, 1080]);
		const host = browser.process.pid ?? 0;
		const [helper] = children(host);
		const used = () => cpuMs(host) + cpuMs(helper);
		const [began, before] = [performance.now(), used()];
		let frames = 0;
		let resident = 0;
		while (frames < 100) {
			const frame = await browser.frame(share);
			assert.equal(frame.seq, frames);
			if (frame.part === 0) {
				assert.deepEqual([frame.width, frame.height], [1920, 1080]);
				assert.equal(frame.key, frames === 0);
			}
			if (frame.part === frame.parts - 1) {
				frames++;
				browser.send({type: 'credit', share, frames: 1});
				resident = Math.max(resident, residentMiB(host));
			}
		}
		took(`${codec}: 100 frames of 1920x1080`, performance.now() - began);
		took(`${codec}: 100 frames of 1920x1080, processor`, used() - before);
		if (!sanitized) {
			assert.ok(resident < 20, `the host has ${resident} MiB resident`);
			const helperResident = residentMiB(helper);
			assert.ok(helperResident < 256, `the helper has ${helperResident} MiB resident`);
		}
		const stop = performance.now();
		assert.equal((await browser.request('stop', {share})).type, 'result');
		took(`${codec}: stop`, performance.now() - stop);
		assert.deepEqual(children(host), []);
	});
}

test('without credit nothing comes; a keyframe comes when it is asked for', async () => {
	const {browser, share} = await granted();
	await browser.open(share, {credit: 1});
	let frame = await browser.frame(share);
	while (frame.part < frame.parts - 1) {
		frame = await browser.frame(share);
	}
	const picture = await drawn(desktop, folder);
	await until('the desktop draws on', async () => (await drawn(desktop, folder)) > picture + 3);
	assert.deepEqual(browser.messages, []);
	browser.send({type: 'credit', share, frames: 1});
	assert.equal((await browser.next((message) => message.seq === 1 && message.part === 0)).key, false);
	browser.send({type: 'keyframe', share});
	browser.send({type: 'credit', share, frames: 1});
	assert.equal((await browser.next((message) => message.seq === 2 && message.part === 0)).key, true);
});

test('another region of a still screen comes, though nothing changes there', async () => {
	const {browser, share} = await granted();
	const region = {x: 0, y: 0, width: 960, height: 540};
	const opened = await browser.open(share, {region, credit: 2});
	assert.deepEqual([opened.width, opened.height], [960, 540]);
	assert.equal((await browser.frame(share)).width, 960);
	// The marker, all that moves here, is held.
	await desktop.tell('kill', 'marker', 'STOP');
	try {
		const still = () => browser.next((message) => message.type === 'frame', 1000).catch(() => null);
		while ((await still()) !== null) {
			browser.send({type: 'credit', share, frames: 1});
		}
		browser.send({type: 'configure', share, region: {...region, x: 960}});
		const moved = await browser.frame(share);
		assert.deepEqual([moved.key, moved.width, moved.height], [false, 960, 540]);
		browser.send({type: 'credit', share, frames: 2});
		browser.send({type: 'configure', share, region: null});
		const whole = await browser.next((message) => message.key === true);
		assert.deepEqual([whole.width, whole.height], [1920, 1080]);
	} finally {
		await desktop.tell('kill', 'marker', 'CONT');
	}
});

test('the user declines', async () => {
	await desktop.willAnswer('deny');
	const browser = await greeted();
	assert.equal((await browser.answer(browser.postShare())).code, 'denied');
});

test('cancel closes the dialog', async () => {
	await desktop.willAnswer('ignore');
	const browser = await greeted();
	const id = browser.postShare();
	await desktop.untilDialogs(1);
	browser.send({type: 'cancel', request: id});
	assert.equal((await browser.answer(id)).code, 'cancelled');
	await desktop.untilDialogs(0);
});

test('a browser that leaves takes the dialog with it', async () => {
	await desktop.willAnswer('ignore');
	const browser = await greeted();
	browser.postShare();
	await desktop.untilDialogs(1);
	const start = performance.now();
	browser.hangUp();
	await browser.exited;
	took('the end while GNOME asks', performance.now() - start);
	await desktop.untilDialogs(0);
});

test('several streams may be chosen; the user chooses one', async () => {
	const browser = await greeted();
	const wish = {sources: ['monitor', 'window'], cursor: 'embedded', multiple: true};
	const answer = await browser.request('share', wish);
	assert.equal(answer.type, 'result', JSON.stringify(answer));
	const {share, surface, width, height} = answer;
	assert.deepEqual(answer.streams, [{share, surface, width, height}]);
	assert.equal((await browser.open(share)).type, 'result');
	assert.equal((await browser.frame(share)).seq, 0);
});

test('two shares at once', async () => {
	const {browser, share: first} = await granted();
	const {share: second} = await granted(browser);
	for (const share of [first, second]) {
		assert.equal((await browser.open(share, {credit: 2})).type, 'result');
		assert.equal((await browser.frame(share)).seq, 0);
	}
	assert.equal(children(browser.process.pid ?? 0).length, 2);
	assert.equal((await browser.request('stop', {share: first})).type, 'result');
	browser.send({type: 'credit', share: second, frames: 4});
	await browser.next((message) => message.type === 'frame' && message.share === second && message.seq === 4);
});

test('the portal dies under a live share; started again, it serves the same host', async () => {
	const {browser, share} = await granted();
	assert.equal((await browser.open(share)).type, 'result');
	await desktop.tell('kill', 'portal');
	assert.equal((await browser.ended(share)).code, 'bus-lost');
	await desktop.tell('start', 'portal');
	const again = await granted(browser);
	assert.equal((await browser.open(again.share)).type, 'result');
});

/* The last: there is no way back from it. */
test('PipeWire dies under a live share', async () => {
	const {browser, share} = await granted();
	assert.equal((await browser.open(share)).type, 'result');
	await desktop.tell('kill', 'pipewire');
	const {code} = await browser.ended(share);
	assert.ok(['pipewire-lost', 'session-closed', 'source-gone'].includes(code), code);
	await until('the helper leaves', () => children(browser.process.pid ?? 0).length === 0);
});
