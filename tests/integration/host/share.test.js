/** A share's life through portlight-host, with a portal and a helper that do as they should. */
import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {World} from '../../fake/world.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = await World.begin();
});

afterEach(() => world.close({clean: true}));

test('hello, share, open, frames, stop', async () => {
	await world.startPortal();
	const browser = world.browse({FAKE_CAPTURE_PARTS: '2', FAKE_CAPTURE_SIZE: '65536'});
	const hello = await browser.hello();
	assert.deepEqual(hello, {
		type: 'result',
		id: 1,
		protocol: 1,
		version: hello.version,
		supports: [
			...['vp8', 'vp9', 'codec-auto', 'configure', 'scale', 'fidelity-text', 'stats', 'region', 'multiple', 'grants', 'window', 'monitor'],
			...['cursor-hidden', 'cursor-embedded', 'cursor-metadata', 'cursor-send'],
		],
		portal: 4,
		pipewire: hello.pipewire,
		wayland: hello.wayland,
	});
	const granted = await browser.share();
	const size = {width: 1920, height: 1080};
	assert.deepEqual(granted, {type: 'result', id: 2, share: 1, surface: 'monitor', ...size, restored: false, remembered: false});
	const opened = await browser.open(1, {codec: 'vp9', credit: 1});
	assert.deepEqual(opened, {type: 'result', id: 3, codec: 'vp9', width: 1280, height: 720, fullWidth: 2400, fullHeight: 1350, chroma: '420'});

	const first = await browser.frame(1);
	assert.deepEqual(
		{...first, data: first.data.length},
		{
			type: 'frame',
			share: 1,
			seq: 0,
			part: 0,
			parts: 2,
			key: true,
			width: 1280,
			height: 720,
			pts: 0,
			codec: 'vp9',
			data: Math.ceil(65536 / 3) * 4,
		}
	);
	const bytes = Buffer.from(first.data, 'base64');
	assert.ok(bytes.every((byte, i) => byte === (i & 255)), 'the payload arrived as it was sent');
	const second = await browser.frame(1);
	assert.deepEqual({...second, data: ''}, {type: 'frame', share: 1, seq: 0, part: 1, parts: 2, data: ''});

	browser.send({type: 'keyframe', share: 1});
	browser.send({type: 'credit', share: 1, frames: 2});
	const key = await browser.next((message) => message.seq === 1 && message.part === 0);
	assert.equal(key.key, true);
	const last = await browser.next((message) => message.seq === 2 && message.part === 0);
	assert.equal(last.key, false);

	const stop = browser.post('stop', {share: 1});
	const ended = await browser.ended(1);
	assert.equal(ended.code, 'stopped');
	assert.deepEqual(await browser.answer(stop), {type: 'result', id: stop});
	assert.equal(world.processes().length, 1, 'the helper is gone, the host is there');
	await world.called('session.Close');
});

/** A share whose helper says back what it is told. @param {string} cursor @param {object} [portal] */
async function echoing(cursor, portal = {}) {
	await world.startPortal(portal);
	const browser = await world.greeted({FAKE_CAPTURE: 'echo'});
	assert.equal((await browser.request('share', {sources: ['monitor'], cursor})).type, 'result');
	return browser;
}

/** The packet that the helper says it got. @param {import('../../fake/browser.js').Browser} browser */
async function echoed(browser) {
	const bytes = Buffer.from((await browser.frame(1)).data, 'base64');
	const [type] = bytes;
	const region = [16, 12, 8, 4].map((back) => bytes.readUInt32LE(bytes.length - back));
	if (type === 4) {
		assert.equal(bytes.length, 32);
		return {
			type,
			fps: bytes.readUInt16LE(2),
			kbps: bytes.readUInt32LE(4),
			width: bytes.readUInt32LE(8),
			height: bytes.readUInt32LE(12),
			region,
		};
	}
	assert.equal(bytes.length, 43);
	return {
		type,
		fps: bytes.readUInt16LE(9),
		kbps: bytes.readUInt32LE(11),
		width: bytes.readUInt32LE(17),
		height: bytes.readUInt32LE(21),
		fidelity: bytes[25],
		cursor: bytes[26],
		region,
	};
}

test('what open asks for reaches the helper; without it all is as it is', async () => {
	const plain = await echoing('embedded');
	await plain.open(1);
	const usual = {type: 1, fps: 30, kbps: 4000, width: 0, height: 0, fidelity: 0, cursor: 0, region: [0, 0, 0, 0]};
	assert.deepEqual(await echoed(plain), usual);

	const browser = await echoing('embedded');
	const region = {x: 1, y: 2, width: 300, height: 400};
	const opened = await browser.open(1, {codec: 'vp9', maxWidth: 1280, maxHeight: 700, fidelity: 'text', cursor: 'send', region});
	assert.equal(opened.chroma, '444');
	assert.deepEqual(await echoed(browser), {...usual, width: 1280, height: 700, fidelity: 1, cursor: 0, region: [1, 2, 300, 400]});
});

test('configure changes what it names, and keeps the rest', async () => {
	const browser = await echoing('hidden');
	const opening = browser.postOpen(1, {maxWidth: 800});
	browser.send({type: 'configure', share: 1, maxFps: 5});
	assert.equal((await browser.answer(null)).code, 'bad-state');
	assert.equal((await browser.answer(opening)).type, 'result');
	assert.equal((await echoed(browser)).fps, 30);
	browser.send({type: 'configure', share: 1, maxFps: 10});
	const whole = [0, 0, 0, 0];
	assert.deepEqual(await echoed(browser), {type: 4, fps: 10, kbps: 4000, width: 800, height: 0, region: whole});
	browser.send({type: 'configure', share: 1, maxKbps: 900, maxWidth: 0, maxHeight: 300});
	const changed = {type: 4, fps: 10, kbps: 900, width: 0, height: 300};
	assert.deepEqual(await echoed(browser), {...changed, region: whole});
	browser.send({type: 'configure', share: 1, region: {x: 5, y: 6, width: 70, height: 80}});
	assert.deepEqual(await echoed(browser), {...changed, region: [5, 6, 70, 80]});
	browser.send({type: 'configure', share: 1, maxFps: 11});
	assert.deepEqual(await echoed(browser), {...changed, fps: 11, region: [5, 6, 70, 80]});
	browser.send({type: 'configure', share: 1, region: null});
	assert.deepEqual(await echoed(browser), {...changed, fps: 11, region: whole});
	browser.send({type: 'configure', share: 1});
	assert.equal((await browser.answer(null)).code, 'bad-field');
	browser.send({type: 'configure', share: 2, maxFps: 1});
	assert.equal((await browser.answer(null)).code, 'unknown-share');
	assert.deepEqual(browser.messages, []);
});

test('a helper that is busy hears the newest settings of a burst, all credit, and the share goes on', async () => {
	const browser = await echoing('embedded');
	await browser.open(1);
	await echoed(browser);
	const [helper] = world.helpers();
	process.kill(helper, 'SIGSTOP');
	for (let i = 0; i < 1000; i++) {
		browser.send({type: 'configure', share: 1, maxFps: 1 + (i % 200)});
	}
	browser.send({type: 'credit', share: 1, frames: 16});
	browser.send({type: 'credit', share: 1, frames: 3});
	browser.send({type: 'configure', share: 1, maxFps: 222});
	assert.equal((await browser.request('stats', {share: 1})).type, 'result', 'the host took them all');
	process.kill(helper, 'SIGCONT');
	let heard = 0;
	for (let fps = 0; fps !== 222; heard++) {
		({fps} = await echoed(browser));
	}
	assert.equal(heard < 1000, true, `${heard} were heard`);
	await browser.next((message) => message.type === 'frame' && message.seq === heard + 19);
	assert.deepEqual(browser.messages.filter(({type}) => type === 'ended'), []);
});

for (const [wish, number] of [[undefined, 1], ['blend', 1], ['send', 2]]) {
	test(`a cursor as metadata, open says ${wish}`, async () => {
		const browser = await echoing('metadata');
		assert.equal((await world.called('SelectSources')).options.cursor_mode, 4);
		await browser.open(1, {cursor: wish});
		assert.equal((await echoed(browser)).cursor, number);
	});
}

test('a portal that gives the cursor beside the picture alone: it is drawn in', async () => {
	const browser = await echoing('embedded', {cursor_modes: 4});
	assert.equal((await world.called('SelectSources')).options.cursor_mode, 4);
	assert.equal((await browser.hello()).supports.includes('cursor-embedded'), true);
	await browser.open(1);
	assert.equal((await echoed(browser)).cursor, 1);
});

for (const [modes, mode] of [[3, 2], [1, 1]]) {
	test(`a portal with the cursor modes ${modes} is asked for ${mode} in place of metadata`, async () => {
		const browser = await echoing('metadata', {cursor_modes: modes});
		assert.equal((await world.called('SelectSources')).options.cursor_mode, mode);
		await browser.open(1, {cursor: 'send'});
		assert.equal((await echoed(browser)).cursor, 0);
	});
}

test("the cursor's events", async () => {
	await world.startPortal();
	const browser = await world.greeted({FAKE_CAPTURE: 'cursor'});
	await browser.request('share', {sources: ['monitor'], cursor: 'metadata'});
	await browser.open(1, {cursor: 'send'});
	const event = () => browser.next((message) => message.type === 'cursor');
	const bitmap = {width: 2, height: 1, hotX: 1, hotY: 0, data: Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]).toString('base64')};
	assert.deepEqual(await event(), {type: 'cursor', share: 1, visible: true, x: -3, y: 700, ...bitmap});
	assert.deepEqual(await event(), {type: 'cursor', share: 1, visible: true, x: 640, y: 360});
	assert.deepEqual(await event(), {type: 'cursor', share: 1, visible: false, x: 0, y: 0});
});
