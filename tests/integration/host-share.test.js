/** A share's life through portlight-host, with a portal and a helper that do as they should. */
import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {World} from '../fake/world.js';

/** @type {World} */
let world;

beforeEach(async () => {
	world = new World();
	world.addCapture();
	await world.startBus();
});

afterEach(() => world.finish());

test('hello, share, open, frames, stop', async () => {
	await world.startPortal();
	const browser = world.browse({FAKE_CAPTURE_PARTS: '2', FAKE_CAPTURE_SIZE: '65536'});
	const hello = await browser.hello();
	assert.deepEqual(hello, {
		type: 'result',
		id: 1,
		protocol: 1,
		version: hello.version,
		supports: ['vp8', 'vp9', 'window', 'monitor', 'cursor-hidden', 'cursor-embedded', 'cursor-metadata'],
		portal: 4,
	});
	const granted = await browser.share();
	assert.deepEqual(granted, {type: 'result', id: 2, share: 1, surface: 'monitor', width: 1920, height: 1080});
	const opened = await browser.open(1, {codec: 'vp9', credit: 1});
	assert.deepEqual(opened, {type: 'result', id: 3, codec: 'vp9', width: 1280, height: 720});

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
	browser.hangUp();
	assert.deepEqual(await browser.exited, {code: 0, signal: null});
});
