/** page/user-media.js in a real page, by page/legacy.js: around the browser's own getUserMedia, in all its forms. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { Pages } from './lib/pages.js';

/** @type {Pages} */
let pages;
before(async () => (pages = await Pages.start({ fakeCamera: true })));
after(() => pages.close());
afterEach(() => pages.tidy());

/** What the tests use in the page, before its scripts: what the browser's own functions were called with is noted. */
function prepare() {
	window.natives = {
		promise: MediaDevices.prototype.getUserMedia,
		callback: Navigator.prototype.getUserMedia,
		webkit: Navigator.prototype.webkitGetUserMedia,
	};
	window.redeemed = [];
	window.documented = { audio: false, video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: 'portlight:abc' } } };
	window.note = () => {
		window.calls = [];
		for (const [prototype, name] of [[MediaDevices.prototype, 'getUserMedia'], [Navigator.prototype, 'webkitGetUserMedia']]) {
			prototype[name] = { [name](...args) {
				window.calls.push({ name, self: this, args });
				return `native ${name}`;
			} }[name];
		}
	};
	/** As page/track.js does, once it is in the page. */
	window.redeems = () => window.addEventListener('portlight:redeem', (event) => {
		event.preventDefault();
		window.redeemed.push(event.detail.constraints);
		event.detail.resolve('our stream');
	});
	window.refusal = (promise) => promise.then(() => 'none', ({ name, message }) => `${name}: ${message}`);
	window.callback = (form, constraints) => new Promise((resolve, reject) => navigator[form](constraints, resolve, reject));
}

/** @param {() => void} [more] runs before the script */
const open = (more = () => {}) => pages.open('/blank.html?js=page/legacy.js', {
	async before(page) {
		await page.evaluateOnNewDocument(prepare);
		await page.evaluateOnNewDocument(more);
	},
});

test('an id of ours is redeemed in every form and spelling, and the browser is not asked', async () => {
	const page = await open(() => window.note());
	const said = await page.evaluate(async () => {
		window.redeems();
		const { callback, documented } = window;
		const streams = [];
		for (const constraints of [documented, { video: { chromeMediaSource: 'desktop', chromeMediaSourceId: 'portlight:abc' } }]) {
			streams.push(await navigator.mediaDevices.getUserMedia(constraints), await callback('getUserMedia', constraints), await callback('webkitGetUserMedia', constraints));
		}
		return { streams, same: window.redeemed[0] === documented, calls: window.calls };
	});
	assert.deepEqual(said, { streams: Array(6).fill('our stream'), same: true, calls: [] });
});

test('every other call reaches the browser as it was made', async () => {
	const page = await open(() => window.note());
	const wrong = await page.evaluate(() => {
		window.redeems();
		const throwing = {
			get video() {
				throw new Error('the page');
			},
		};
		const id = 'portlight:abc';
		const source = (chromeMediaSource, chromeMediaSourceId) => ({ mandatory: { chromeMediaSource, chromeMediaSourceId } });
		const others = [
			...[[], [undefined], [null], ['text'], [{}], [throwing], [{ video: true }], [{ video: null }], [{ audio: source('desktop', id) }]],
			...['mXyz==', '', 7, ['portlight:abc'], `x${id}`].map((other) => [{ video: source('desktop', other) }]),
			...['tab', undefined].map((kind) => [{ video: source(kind, id) }]),
		];
		const same = (a, b) => a.length === b.length && a.every((one, index) => one === b[index]);
		const wrong = [];
		for (const [index, args] of others.entries()) {
			const [succeed, fail] = [() => {}, () => {}];
			const given = navigator.mediaDevices.getUserMedia(...args, 'more');
			const promise = window.calls.pop();
			navigator.webkitGetUserMedia(args[0], succeed, fail);
			const callback = window.calls.pop();
			const right = [
				...[given === 'native getUserMedia', promise.self === navigator.mediaDevices, same(promise.args, [...args, 'more'])],
				...[callback.self === navigator, same(callback.args, [args[0], succeed, fail])],
			];
			right.every(Boolean) || wrong.push([index, right]);
		}
		return [...wrong, ...window.redeemed];
	});
	assert.deepEqual(wrong, []);
});

test("the browser's own answers are what they were", async () => {
	const page = await open();
	const pairs = await page.evaluate(async () => {
		const { natives, refusal } = window;
		const devices = navigator.mediaDevices;
		const pairs = [];
		for (const args of [[], [null], ['text'], [{}], [{ video: { mandatory: { chromeMediaSource: 'desktop', chromeMediaSourceId: 'x' } } }]]) {
			pairs.push([await refusal(devices.getUserMedia(...args)), await refusal(Reflect.apply(natives.promise, devices, args))]);
		}
		const stream = await devices.getUserMedia({ video: true });
		return [...pairs, [stream.getVideoTracks()[0].readyState, 'live']];
	});
	pairs.forEach(([ours, own]) => assert.equal(ours, own));
	assert.ok(pairs.slice(0, -1).every(([ours]) => ours !== 'none'));
});

test('a call that the browser must refuse is left to it, our id or not', async () => {
	const page = await open();
	const said = await page.evaluate(async () => {
		const { documented, refusal } = window;
		window.redeems();
		const thrown = (call) => {
			try {
				return call();
			} catch ({ name }) {
				return name;
			}
		};
		return [
			await refusal(MediaDevices.prototype.getUserMedia.call({}, documented)),
			thrown(() => navigator.getUserMedia(documented)),
			thrown(() => Navigator.prototype.getUserMedia.call(undefined, documented, () => {}, () => {}) ?? 'nothing'),
			window.redeemed.length,
		];
	});
	assert.match(said[0], /^TypeError: .*Illegal invocation/);
	assert.deepEqual(said.slice(1), ['TypeError', 'TypeError', 0]);
});

test('a page that was granted nothing is refused with a DOMException', async () => {
	const page = await open();
	const names = await page.evaluate(async () => {
		const { callback, documented } = window;
		const refused = (promise) => promise.then(() => 'none', (error) => (error instanceof DOMException ? error.name : 'other'));
		return [await refused(navigator.mediaDevices.getUserMedia(documented)), await refused(callback('getUserMedia', documented))];
	});
	assert.deepEqual(names, ['NotAllowedError', 'NotAllowedError']);
});

test('the functions look as they did', async () => {
	const page = await open();
	const looks = await page.evaluate(() => {
		const { natives } = window;
		return [
			[MediaDevices.prototype, 'getUserMedia', natives.promise],
			[Navigator.prototype, 'getUserMedia', natives.callback],
			[Navigator.prototype, 'webkitGetUserMedia', natives.webkit],
		].map(([prototype, name, native]) => {
			const property = Object.getOwnPropertyDescriptor(prototype, name);
			const { value } = property;
			let constructed = 'made';
			try {
				Reflect.construct(value, []);
			} catch (error) {
				constructed = error.name;
			}
			return {
				wrapped: value !== native,
				property: [property.writable, property.enumerable, property.configurable],
				same: value.name === native.name && value.length === native.length && `${Reflect.ownKeys(value)}` === `${Reflect.ownKeys(native)}`,
				native: /\[native code\]/.test(Function.prototype.toString.call(value)),
				constructed,
			};
		});
	});
	const as = { wrapped: true, property: [true, true, true], same: true, native: true, constructed: 'TypeError' };
	assert.deepEqual(looks, [as, as, as]);
	assert.equal(await page.evaluate(() => 'mozGetUserMedia' in Navigator.prototype), false);
});

test('an insecure page, or one without media, is left as it is', async () => {
	const script = readFileSync(new URL('../../build/extension-firefox/scripts/legacy.js', import.meta.url), 'utf8');
	const names = (page, source) => page.evaluate((text) => {
		const before = [...Reflect.ownKeys(window), ...Reflect.ownKeys(Navigator.prototype)].map(String);
		const { webkitGetUserMedia } = Navigator.prototype;
		(0, eval)(text);
		const after = [...Reflect.ownKeys(window), ...Reflect.ownKeys(Navigator.prototype)].map(String);
		return { secure: window.isSecureContext, same: before.join() === after.join() && webkitGetUserMedia === Navigator.prototype.webkitGetUserMedia };
	}, source);
	assert.deepEqual(await names(await pages.open('data:text/html,<p>insecure'), script), { secure: false, same: true });
	const without = await pages.open('/blank.html', {
		before: (page) => page.evaluateOnNewDocument(() => {
			delete window.MediaDevices;
			['getUserMedia', 'webkitGetUserMedia'].forEach((name) => delete Navigator.prototype[name]);
		}),
	});
	assert.deepEqual(await names(without, script), { secure: true, same: true });
});

test('it leaves no global behind', async () => {
	const globals = (page) => page.evaluate(() => Object.getOwnPropertyNames(window).sort());
	const bare = await pages.open('/blank.html', { before: (page) => page.evaluateOnNewDocument(prepare) });
	assert.deepEqual(await globals(await open()), await globals(bare));
});
