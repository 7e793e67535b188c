/** The shown part on the browser's path, whose source changes its size. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Cropped} from '../../docs/examples/rooms/assist/crop.js';

test('of a source of another size the same share is shown, and told in its pixels', async (t) => {
	const video = Object.assign(new EventTarget(), {videoWidth: 1000, videoHeight: 800, play: async () => {}});
	const made = {stream: class {
		addTrack() {}
	}};
	Object.assign(globalThis, {document: {createElement: () => video}, MediaStream: made.stream});
	t.after(() => ['document', 'MediaStream'].forEach((name) => delete globalThis[name]));
	let resized = 0;
	const crop = new Cropped({path: 'browser', share: null, stream: new made.stream(), track: {}}, () => {}, () => resized++);
	await crop.open();
	assert.equal(resized, 1);
	// What is made of it is not tried here.
	crop.queue = new Promise(() => {});
	void crop.set({x: 500, y: 0, width: 500, height: 400});
	assert.deepEqual(crop.crop, {x: 0.5, y: 0, width: 0.5, height: 0.5});
	Object.assign(video, {videoWidth: 2000, videoHeight: 1600});
	video.dispatchEvent(new Event('resize'));
	assert.equal(resized, 2);
	assert.deepEqual(crop.region, {x: 1000, y: 0, width: 1000, height: 800});
	assert.deepEqual(crop.crop, {x: 0.5, y: 0, width: 0.5, height: 0.5});
});
