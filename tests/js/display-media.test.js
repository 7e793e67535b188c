/** getDisplayMedia as the Screen Capture text says, by the names of the tables in docs/SCREEN-CAPTURE.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { runInContext } from 'node:vm';
import { contextOf, makeWindow, run } from './classic.js';
import { FakeTime } from './clock.js';

const failure = (code, name) => ({ error: { code, name, message: code, remedy: '' } });

/**
 * A page of a site that is switched on.
 *
 * @param {{own?: boolean, controllers?: boolean, isActive?: boolean, focus?: boolean, view?: object | null,
 *   reply?: object, globals?: object, hear?: (event: any) => void}} [options]
 */
function setUp({ own = true, controllers = true, isActive = true, focus = true, view = {}, reply, globals, hear } = {}) {
	const calls = [];
	const real = new WeakSet();
	class MediaDevices {
		constructor() {
			real.add(this);
		}
		get ondevicechange() {
			if (!real.has(this)) {
				throw new TypeError('Illegal invocation');
			}
			return null;
		}
		async getUserMedia(...args) {
			calls.push({ form: 'getUserMedia', self: this, args });
			return 'native stream';
		}
	}
	if (own) {
		const form = {
			async getDisplayMedia(...args) {
				calls.push({ form: 'getDisplayMedia', self: this, args });
				return 'native stream';
			},
		};
		Object.defineProperty(form.getDisplayMedia, 'length', { value: 0 });
		Object.defineProperty(MediaDevices.prototype, 'getDisplayMedia', {
			value: form.getDisplayMedia,
			writable: true,
			enumerable: true,
			configurable: true,
		});
	}
	class CaptureController {}
	const native = MediaDevices.prototype.getDisplayMedia;
	const userActivation = { isActive };
	const document = { defaultView: view, hasFocus: () => focus };
	const time = new FakeTime();
	const window = makeWindow({
		MediaDevices,
		...(controllers && { CaptureController }),
		navigator: { userActivation },
		document,
		...globals,
	}, time);
	run(window, 'page/display-media.js');
	const asked = [];
	const redeemed = [];
	const stream = {};
	window.addEventListener('portlight:heard', (event) => {
		const { data, ports } = event;
		if (hear) {
			hear(event);
			return;
		}
		event.preventDefault();
		asked.push(JSON.parse(JSON.stringify(data)));
		ports[0].postMessage(reply ?? { ok: { sourceId: 'portlight:x' } });
	});
	window.addEventListener('portlight:redeem', (event) => {
		event.preventDefault();
		redeemed.push(JSON.parse(JSON.stringify(event.detail.constraints)));
		event.detail.resolve(stream);
	});
	return { asked, calls, CaptureController, devices: new MediaDevices(), document, native, redeemed, stream, time, userActivation, window };
}

test('video: asked of the desktop, redeemed in the page', async () => {
	const { asked, calls, devices, redeemed, stream } = setUp();
	assert.equal(await devices.getDisplayMedia({ video: { width: 800, frameRate: { max: 10, ideal: 5 }, echoCancellation: { exact: true }, mandatory: { maxWidth: 9 } } }), stream);
	const [{ id: _id, ...ask }] = asked;
	assert.deepEqual(ask, { portlight: 1, ask: 'request', display: true, remember: false, sources: ['screen', 'window'], exact: false });
	assert.deepEqual(redeemed, [
		{ video: { width: 800, frameRate: { max: 10, ideal: 5 }, chromeMediaSource: 'desktop', chromeMediaSourceId: 'portlight:x' } },
	]);
	for (const options of [undefined, null, {}, { video: true }, { video: 7 }, { video: null }, { video: {} }, { audio: true }]) {
		assert.equal(await devices.getDisplayMedia(options), stream);
	}
	assert.equal(await devices.getDisplayMedia(), stream);
	assert.deepEqual(calls, []);
});

test('video: false is refused', async () => {
	for (const options of [{ video: false }, { video: 0 }, { video: '' }, { video: false, audio: true }]) {
		const { asked, devices } = setUp();
		await assert.rejects(devices.getDisplayMedia(options), { name: 'TypeError' });
		assert.deepEqual(asked, []);
	}
});

test('constraints: advanced, min and exact are refused, of sound too; a max below the floor is overconstrained', async () => {
	for (const constraints of [
		{ advanced: [] },
		{ advanced: undefined, width: { min: 1 } },
		{ height: { exact: 9 } },
		{ frameRate: { ideal: 3, min: 1 } },
		{ displaySurface: { exact: 'monitor' } },
		{ cursor: { exact: 'never' } },
		{ resizeMode: { exact: 'none' } },
		{ deviceId: { exact: 'x' } },
		{ frameRate: 'fast' },
		{ aspectRatio: { ideal: {} } },
	]) {
		const { asked, devices } = setUp();
		await assert.rejects(devices.getDisplayMedia({ video: constraints }), { name: 'TypeError' });
		assert.deepEqual(asked, []);
	}
	const { asked, devices, stream } = setUp();
	await assert.rejects(devices.getDisplayMedia({ audio: { restrictOwnAudio: { exact: true } } }), { name: 'TypeError' });
	await assert.rejects(devices.getDisplayMedia({ audio: { advanced: [{}] } }), { name: 'TypeError' });
	for (const [name, max] of [['width', 0], ['height', -1], ['frameRate', 0.5], ['aspectRatio', 0]]) {
		await assert.rejects(devices.getDisplayMedia({ video: { [name]: { max } } }), { name: 'OverconstrainedError', constraint: name });
	}
	assert.deepEqual(asked, []);
	assert.equal(await devices.getDisplayMedia({ video: { width: { max: 1 }, echoCancellation: { exact: true } } }), stream);
});

test('options: an object, with preferences of the known values, each member read once and in order', async () => {
	const { asked, devices, stream } = setUp();
	for (const options of [7, 'x', true, Symbol('x')]) {
		await assert.rejects(devices.getDisplayMedia(options), { name: 'TypeError' });
	}
	for (const name of ['monitorTypeSurfaces', 'selfBrowserSurface', 'surfaceSwitching', 'systemAudio', 'windowAudio']) {
		for (const value of ['never', name === 'windowAudio' ? 'include' : 'system', '', null, 7]) {
			await assert.rejects(devices.getDisplayMedia({ [name]: value }), { name: 'TypeError' });
		}
		assert.equal(await devices.getDisplayMedia({ [name]: 'exclude' }), stream);
		assert.equal(await devices.getDisplayMedia({ [name]: undefined }), stream);
	}
	const read = [];
	const watched = new Proxy({}, { get: (_target, name) => void read.push(name) });
	await devices.getDisplayMedia(watched);
	assert.deepEqual(read, ['audio', 'controller', 'monitorTypeSurfaces', 'selfBrowserSurface', 'surfaceSwitching', 'systemAudio', 'video', 'windowAudio']);
	const throwing = { get video() { throw new RangeError('mine'); } };
	await assert.rejects(devices.getDisplayMedia(throwing), { name: 'RangeError', message: 'mine' });
	asked.splice(0);
	await devices.getDisplayMedia({ monitorTypeSurfaces: 'exclude' });
	assert.deepEqual([asked[0].sources, asked[0].exact], [['window'], true]);
});

test('no constraint limits the choice; the cursor is asked for before it', async () => {
	const { asked, devices } = setUp();
	for (const [cursor, expected] of [['never', 'never'], [{ ideal: 'never' }, 'never'], ['motion', 'always'], ['always', 'always'], [7, 'always']]) {
		await devices.getDisplayMedia({ video: { cursor, displaySurface: 'browser', width: 10 } });
		const { sources, cursor: wanted } = asked.pop();
		assert.deepEqual([sources, wanted], [['screen', 'window'], expected]);
	}
});

test('without a click, focus, or an active document: InvalidStateError, and nobody is asked', async () => {
	for (const options of [{ isActive: false }, { focus: false }, { view: null }]) {
		const { asked, devices } = setUp(options);
		await assert.rejects(devices.getDisplayMedia({ video: true }), { name: 'InvalidStateError' });
		assert.deepEqual(asked, []);
	}
	const { devices } = setUp({ isActive: false });
	await assert.rejects(devices.getDisplayMedia({ video: false }), { name: 'InvalidStateError' }, 'the click comes before the constraints');
	await assert.rejects(devices.getDisplayMedia(7), { name: 'TypeError' }, 'the dictionary before the click');
});

test('errors have the names of the text', async () => {
	for (const [code, name, expected] of [
		['denied', 'NotAllowedError', 'NotAllowedError'],
		['frame-forbidden', 'NotAllowedError', 'NotAllowedError'],
		['site-blocked', 'NotAllowedError', 'NotAllowedError'],
		['portal-missing', 'NotSupportedError', 'NotFoundError'],
		['portal-no-streams', 'NotFoundError', 'NotFoundError'],
		['helper-crashed', 'NotReadableError', 'NotReadableError'],
		['busy', 'InvalidStateError', 'InvalidStateError'],
		['cancelled', 'AbortError', 'AbortError'],
		['encoder-failed', 'EncodingError', 'AbortError'],
		['bad-message', 'OperationError', 'AbortError'],
		['stopped', '', 'AbortError'],
	]) {
		const { calls, devices } = setUp({ reply: failure(code, name) });
		await assert.rejects(devices.getDisplayMedia(), { name: expected });
		assert.deepEqual(calls, []);
	}
});

test('a controller serves one call', async () => {
	const { CaptureController, devices, stream } = setUp();
	const controller = new CaptureController();
	assert.equal(await devices.getDisplayMedia({ controller }), stream);
	await assert.rejects(devices.getDisplayMedia({ controller }), { name: 'InvalidStateError' });
	await assert.rejects(devices.getDisplayMedia({ controller: {} }), { name: 'TypeError' });
});

test('a controller counts as used by a call that failed; where there are none, it is no member', async () => {
	const { CaptureController, devices, userActivation } = setUp({ isActive: false });
	const controller = new CaptureController();
	await assert.rejects(devices.getDisplayMedia({ controller }), { name: 'InvalidStateError' });
	userActivation.isActive = true;
	await assert.rejects(devices.getDisplayMedia({ controller }), { name: 'InvalidStateError' });
	const without = setUp({ controllers: false });
	assert.equal(await without.devices.getDisplayMedia({ controller: 7 }), without.stream);
});

test('where this way is not there, the browser\'s own function is called as it was', async () => {
	for (const code of ['not-supported', 'host-missing', 'host-unusable', 'native-off', 'version-mismatch']) {
		const { calls, devices, redeemed } = setUp({ reply: failure(code, 'NotSupportedError') });
		const options = { video: { width: 5 } };
		assert.equal(await devices.getDisplayMedia(options, 'more'), 'native stream');
		assert.deepEqual(calls, [{ form: 'getDisplayMedia', self: devices, args: [options, 'more'] }]);
		assert.deepEqual(redeemed, []);
	}
	const gone = setUp({ reply: {} });
	assert.equal(await gone.devices.getDisplayMedia(), 'native stream', 'the extension was removed under the page');
	const { devices } = setUp({ own: false, reply: failure('host-missing', 'NotReadableError') });
	await assert.rejects(devices.getDisplayMedia(), { name: 'NotReadableError' });
});

test('the function looks like a browser\'s own, there before or not', async () => {
	for (const own of [true, false]) {
		const { devices, native, window } = setUp({ own });
		const property = Object.getOwnPropertyDescriptor(window.MediaDevices.prototype, 'getDisplayMedia');
		const { value } = property;
		assert.deepEqual([property.writable, property.enumerable, property.configurable], [true, true, true]);
		assert.deepEqual([value.name, value.length], ['getDisplayMedia', 0]);
		assert.equal('prototype' in value, false);
		assert.match(Function.prototype.toString.call(value), /\[native code\]/);
		assert.throws(() => Reflect.construct(value, []), TypeError);
		assert.equal(Object.hasOwn(devices, 'getDisplayMedia'), false);
		assert.notEqual(value, native);
		for (const self of [undefined, {}, Object.create(window.MediaDevices.prototype)]) {
			await assert.rejects(value.call(self), { name: 'TypeError' });
		}
	}
});

test('it is absent where the text has it absent: in insecure pages, and where there are no devices', () => {
	for (const globals of [{ isSecureContext: false }, { MediaDevices: undefined }]) {
		const { native, window } = setUp({ globals });
		const now = window.MediaDevices && Object.getOwnPropertyDescriptor(window.MediaDevices.prototype, 'getDisplayMedia').value;
		assert.equal(now === undefined || now === native, true);
	}
});

test('it leaves no global behind, as the browser gets it', () => {
	const globals = { MediaDevices: class {}, CaptureController: 0, navigator: {} };
	const window = makeWindow(globals);
	const before = Reflect.ownKeys(window);
	const script = new URL('../../build/extension-chromium/scripts/display-media.js', import.meta.url);
	runInContext(readFileSync(script, 'utf8'), contextOf(window));
	assert.deepEqual(Reflect.ownKeys(window), before);
});

test("an extension that is gone, before it is asked or while the person chooses, leaves the browser's own", async () => {
	for (const hears of [false, true]) {
		const { asked, calls, devices } = setUp({ hear: (event) => hears && (event.preventDefault(), event.ports[0].close()) });
		assert.equal(await devices.getDisplayMedia(), 'native stream');
		assert.deepEqual([asked, calls.length], [[], 1]);
	}
	const { devices } = setUp({ own: false, hear: () => {} });
	await assert.rejects(devices.getDisplayMedia(), { name: 'AbortError' });
});
