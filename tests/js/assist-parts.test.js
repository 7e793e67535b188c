/** The assistance share's pure parts: the shown part and its black boxes in pixels, a picture's size, suggested addresses. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {pageAddress, looksForeign} from '../../docs/examples/rooms/assist/address.js';
import {blackIn, fit, pixels} from '../../docs/examples/rooms/assist/compose.js';
import {pngSize} from '../../docs/examples/rooms/assist/still.js';

const size = {width: 1280, height: 720};
const list = ({x, y, width, height}) => [x, y, width, height];

test('a wanted part is put within the source, whole and even', () => {
	const cases = [
		[[0, 0, 640, 360], [0, 0, 640, 360]],
		[[101, 51, 333, 201], [100, 50, 332, 200]],
		[[100, 100, -1, -1], [100, 100, 1180, 620]],
		[[-50, -50, 5000, 5000], [0, 0, 1280, 720]],
		[[5000, 5000, 10, 10], [1264, 704, 16, 16]],
		[[0, 0, 1, 1], [0, 0, 16, 16]],
		[[NaN, NaN, NaN, NaN], [0, 0, 1280, 720]],
		[[1e300, Infinity, Infinity, 1e300], [1264, 704, 16, 16]],
	];
	for (const [[x, y, width, height], expected] of cases) {
		assert.deepEqual(list(fit({x, y, width, height}, size)), expected, JSON.stringify([x, y, width, height]));
	}
	assert.deepEqual(list(fit({x: 0, y: 0, width: -1, height: -1}, {width: 641, height: 361})), [0, 0, 640, 360], 'of an odd source');
});

test('a part given by fractions is the same one in pixels, and goes with the size of the source', () => {
	const region = fit({x: 102, y: 34, width: 514, height: 302}, size);
	const crop = {x: region.x / 1280, y: region.y / 720, width: region.width / 1280, height: region.height / 720};
	assert.deepEqual(pixels(crop, size), region);
	assert.deepEqual(pixels(crop, {width: 640, height: 360}), {x: 50, y: 16, width: 256, height: 150});
});

test('black boxes are at their place of the source, in any part and at any size, and never too small', () => {
	const mask = {x: 0.25, y: 0.25, width: 0.25, height: 0.25};
	assert.deepEqual(blackIn([mask], size, {x: 0, y: 0, ...size}).map(list), [[320, 180, 320, 180]]);
	assert.deepEqual(blackIn([mask], {width: 640, height: 360}, {x: 0, y: 0, width: 640, height: 360}).map(list), [[160, 90, 160, 90]]);
	assert.deepEqual(blackIn([mask], size, {x: 400, y: 200, width: 100, height: 400}).map(list), [[0, 0, 100, 160]], 'a part of it');
	assert.deepEqual(blackIn([mask], size, {x: 700, y: 0, width: 580, height: 720}), [], 'elsewhere');
	for (const side of [641, 1279, 1366]) {
		const source = {width: side, height: side};
		for (const at of [0.1001, 0.3337, 0.77]) {
			const [{x, width}] = blackIn([{x: at, y: at, width: 0.1013, height: 0.1013}], source, {x: 0, y: 0, ...source});
			assert(x <= at * side && x + width >= (at + 0.1013) * side && x % 2 === 0, `${x} + ${width} of ${at} in ${side}`);
		}
	}
});

test('a picture says its size before it is decoded; what is none, or too large, is refused', () => {
	/** @param {number} width @param {number} height */
	const head = (width, height) => {
		const bytes = new Uint8Array(24);
		bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
		new DataView(bytes.buffer).setUint32(16, width);
		new DataView(bytes.buffer).setUint32(20, height);
		return bytes.buffer;
	};
	assert.deepEqual(pngSize(head(1280, 720)), {width: 1280, height: 720});
	assert.deepEqual(pngSize(head(7680, 4320)), {width: 7680, height: 4320});
	for (const bad of [head(0, 10), head(20_000, 10), head(16_000, 16_000), head(0xffffffff, 0xffffffff), new ArrayBuffer(24), new ArrayBuffer(0), head(5, 5).slice(0, 23)]) {
		assert.equal(pngSize(bad), null);
	}
});

test('only full https addresses without a name or password may be suggested', () => {
	const bad = [
		'javascript:alert(1)', 'JavaScript://x.example/%0aalert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'blob:https://a.example/1', 'http://a.example/', 'ftp://a.example/',
		'file:///etc/passwd', 'about:blank', 'view-source:https://a.example', '//a.example/', 'a.example', '', 'https://', 'https://user@a.example/', 'https://bank.example:443@evil.example/', 'https://a.example/' + 'x'.repeat(2048),
		null, undefined, 7, {}, ['https://a.example/'],
	];
	for (const text of bad) {
		assert.throws(() => pageAddress(text), Error, String(text));
	}
	assert.equal(pageAddress('https://a.example').href, 'https://a.example/');
	assert.equal(pageAddress('https:\\\\a.example\\x').href, 'https://a.example/x');
});

test('a name that looks like another one is shown as it is written, and told of', () => {
	const cyrillic = pageAddress('https://p\u0430ypal.example/login');
	assert.match(cyrillic.href, /^https:\/\/xn--[\w-]+\.example\/login$/);
	assert.equal(looksForeign(cyrillic), true);
	assert.equal(looksForeign(pageAddress('https://paypal.example/xn--no')), false);
	// A right-to-left override can't turn the path around.
	assert.doesNotMatch(pageAddress('https://a.example/\u202egnp.exe').href, /\u202e/);
	assert.doesNotMatch(pageAddress('https://a.example/#\u202egnp.exe').href, /\u202e/);
});
