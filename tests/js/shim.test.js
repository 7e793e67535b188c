import assert from 'node:assert/strict';
import test from 'node:test';
import { makeWindow, run } from './classic.js';

const id = 'portlight:abc';
const documented = { audio: false, video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: id } } };

/** A window with getUserMedia in every form, each noting how it was called. */
function setUp(redeems = true) {
	const calls = [];
	const note = (form) =>
		({
			// eslint-disable-next-line no-unused-vars
			getUserMedia(constraints) {
				calls.push({ form, self: this, args: [...arguments] });
				return `native ${form}`;
			},
		}).getUserMedia;
	class MediaDevices {}
	class Navigator {}
	const define = (prototype, name) =>
		Object.defineProperty(prototype, name, { value: note(name), writable: true, enumerable: true, configurable: true });
	define(MediaDevices.prototype, 'getUserMedia');
	define(Navigator.prototype, 'getUserMedia');
	define(Navigator.prototype, 'webkitGetUserMedia');
	const natives = {
		promise: MediaDevices.prototype.getUserMedia,
		callback: Navigator.prototype.getUserMedia,
	};
	const window = makeWindow({ MediaDevices, Navigator });
	run(window, 'page/shim.js');
	const redeemed = [];
	if (redeems) {
		window.addEventListener('portlight:redeem', (event) => {
			event.preventDefault();
			redeemed.push(event.detail.constraints);
			event.detail.resolve('our stream');
		});
	}
	return { calls, natives, redeemed, window, devices: new MediaDevices(), navigator: new Navigator() };
}

const callback = (navigator, form, constraints) =>
	new Promise((resolve, reject) => assert.equal(navigator[form](constraints, resolve, reject), undefined));

test('our ids are redeemed in every form and both spellings', async () => {
	const { calls, devices, navigator, redeemed } = setUp();
	const plain = { video: { chromeMediaSource: 'desktop', chromeMediaSourceId: id } };
	for (const constraints of [documented, plain]) {
		assert.equal(await devices.getUserMedia(constraints), 'our stream');
		assert.equal(await callback(navigator, 'getUserMedia', constraints), 'our stream');
		assert.equal(await callback(navigator, 'webkitGetUserMedia', constraints), 'our stream');
	}
	assert.equal(redeemed.length, 6);
	assert.equal(redeemed[0], documented);
	assert.deepEqual(calls, []);
});

test('every other call reaches the browser as it was made', () => {
	const { calls, devices, navigator, redeemed } = setUp();
	const throwing = {
		get video() {
			throw new Error('the page');
		},
	};
	const source = (chromeMediaSource, chromeMediaSourceId) => ({ mandatory: { chromeMediaSource, chromeMediaSourceId } });
	const others = [
		[],
		[undefined],
		[null],
		['text'],
		[{}],
		[throwing],
		[{ video: true }],
		[{ video: null }],
		[{ audio: source('desktop', id) }],
		[{ video: source('desktop', 'mXyz==') }],
		[{ video: source('desktop', '') }],
		[{ video: source('desktop', 7) }],
		[{ video: source('desktop', ['portlight:abc']) }],
		[{ video: source('tab', id) }],
		[{ video: source(undefined, id) }],
		[{ video: source('desktop', `x${id}`) }],
	];
	for (const args of others) {
		assert.equal(devices.getUserMedia(...args, 'more'), 'native getUserMedia');
		assert.deepEqual(calls.pop(), { form: 'getUserMedia', self: devices, args: [...args, 'more'] });
		const [succeed, fail] = [() => {}, () => {}];
		navigator.webkitGetUserMedia(args[0], succeed, fail);
		assert.deepEqual(calls.pop(), { form: 'webkitGetUserMedia', self: navigator, args: [args[0], succeed, fail] });
	}
	assert.deepEqual(redeemed, []);
});

test('a call that the browser must refuse is left to it, our id or not', () => {
	const { calls, natives, navigator, window } = setUp();
	const stranger = {};
	window.MediaDevices.prototype.getUserMedia.call(stranger, documented);
	navigator.getUserMedia(documented);
	window.Navigator.prototype.getUserMedia.call(undefined, documented, () => {}, () => {});
	assert.deepEqual(calls.map(({ self, args }) => [self, args.length]), [[stranger, 1], [navigator, 1], [undefined, 3]]);
	assert.notEqual(window.MediaDevices.prototype.getUserMedia, natives.promise);
});

test('a page that was granted nothing is refused with a DOMException', async () => {
	const { devices, navigator } = setUp(false);
	await assert.rejects(devices.getUserMedia(documented), { name: 'NotAllowedError' });
	await assert.rejects(callback(navigator, 'getUserMedia', documented), { name: 'NotAllowedError' });
});

test('the functions look as they did', () => {
	const { natives, window } = setUp();
	for (const [prototype, native] of [
		[window.MediaDevices.prototype, natives.promise],
		[window.Navigator.prototype, natives.callback],
	]) {
		const property = Object.getOwnPropertyDescriptor(prototype, 'getUserMedia');
		const { value } = property;
		assert.deepEqual([property.writable, property.enumerable, property.configurable], [true, true, true]);
		assert.equal(value.name, native.name);
		assert.equal(value.length, native.length);
		assert.deepEqual(Reflect.ownKeys(value), Reflect.ownKeys(native));
		assert.match(Function.prototype.toString.call(value), /\[native code\]/);
		assert.throws(() => Reflect.construct(value, []), TypeError);
	}
	assert.equal('mozGetUserMedia' in window.Navigator.prototype, false);
});

test('an insecure page, or one without media, is left as it is', () => {
	for (const globals of [{ isSecureContext: false }, { MediaDevices: undefined }]) {
		class Navigator {}
		const window = makeWindow({ Navigator, ...globals });
		const before = Object.keys(window).sort();
		run(window, 'page/shim.js');
		assert.deepEqual(Object.keys(window).sort(), before);
		assert.deepEqual(Reflect.ownKeys(Navigator.prototype), ['constructor']);
	}
});

test('it leaves no global behind', () => {
	const { window } = setUp();
	const fresh = Object.keys(makeWindow({ MediaDevices: 0, Navigator: 0 })).sort();
	assert.deepEqual(Object.keys(window).sort(), fresh);
});
