/** page/messages.js: what is not for the relay is not read before the page reads it, and the page cannot tell. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { runInContext } from 'node:vm';
import { contextOf, makeWindow, posted, run } from './classic.js';
import { settle } from './clock.js';

/** A page, and what the relay hears. Tasks are done when the test says so, as after the page's own listeners. */
function setUp(globals = {}) {
	const tasks = [];
	const scheduler = { postTask: (task) => tasks.push(task) };
	const window = makeWindow({ scheduler, ...globals });
	const heard = [];
	run(window, 'page/messages.js');
	window.addEventListener('portlight:heard', (event) => {
		heard.push(event.data);
		event.ports.length > 0 && event.preventDefault();
	});
	const work = () => tasks.splice(0).forEach((task) => task());
	return { heard, tasks, window, work };
}

/** A message that counts how often it is read. */
function counted(data, source, how) {
	const event = posted(data, source, how);
	const reads = { count: 0 };
	event.constructor.read = (which) => which === event && reads.count++;
	return { event, reads };
}

test('a message of another window, or one that a script made, is not read at all', () => {
	const { heard, tasks, window, work } = setUp();
	for (const [source, isTrusted] of [[{}, true], [null, true], [window, false]]) {
		const { event, reads } = counted('requestScreenSourceId', source, { isTrusted });
		window.dispatchEvent(event);
		work();
		assert.equal(reads.count, 0);
	}
	assert.deepEqual([heard, tasks], [[], []]);
});

test("the page's own listeners are the first to read a message to its own window", () => {
	const { heard, window, work } = setUp();
	const { event, reads } = counted('requestScreenSourceId', window);
	const before = [];
	window.addEventListener('message', () => before.push(reads.count));
	window.dispatchEvent(event);
	assert.deepEqual(before, [0]);
	work();
	assert.deepEqual(heard, ['requestScreenSourceId']);
});

test('what comes with a private port for the relay is kept from the page, and nothing else is', () => {
	const { heard, window, work } = setUp();
	const seen = [];
	window.addEventListener('message', ({ data }) => seen.push(data));
	const ask = { portlight: 1, ask: 'version' };
	const other = { type: 'other' };
	for (const data of [ask, other]) {
		window.dispatchEvent(posted(data, window, { ports: [{}] }));
	}
	work();
	assert.deepEqual([heard, seen], [[ask], [other]]);
});

test('nothing of the page runs, whatever it replaced', () => {
	const { heard, window, work } = setUp();
	const ran = [];
	window.ran = (name) => ran.push(name);
	runInContext(`
		window.planted = Object.defineProperty({}, 'type', { get() { ran('planted'); } });
		for (const name of ['type', 'portlight', 'ask', 'from', 'requestId', 'data', 'get-custom-sourceId', 'value', 'get']) {
			Object.defineProperty(Object.prototype, name, { __proto__: null, get() { ran(name); } });
		}
		for (const name of ['exec', 'test']) {
			RegExp.prototype[name] = () => ran(name);
		}
		String.prototype.startsWith = () => ran('startsWith');
		Reflect.apply = () => ran('apply');
		Function.prototype.call = Function.prototype.apply = () => ran('call');
	`, contextOf(window));
	for (const data of ['a word', {}, [], null, 7, window.planted, { data: [] }]) {
		window.dispatchEvent(posted(data, window));
		work();
	}
	assert.deepEqual([ran, heard], [[], []]);
});

test('document.open() does not make it deaf', async () => {
	const { window, tasks } = setUp();
	window.openDocument();
	await settle();
	window.openDocument();
	await settle();
	window.dispatchEvent(posted('requestScreenSourceId', window));
	assert.equal(tasks.length, 1, 'and it listens once');
});

test('an insecure page is left alone', () => {
	const { tasks, window } = setUp({ isSecureContext: false });
	window.dispatchEvent(posted('requestScreenSourceId', window));
	assert.deepEqual(tasks, []);
});
