import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from './clock.js';
import { FakePort, sender } from './fake.js';

const { Requests } = await import('../../extension/background/requests.js');
const { Failure } = await import('../../extension/shared/failure.js');

/** Requests whose dialogs the test answers. */
function setUp() {
	const dialogs = [];
	const failures = [];
	const choose = (port, place, signal) =>
		new Promise((resolve, reject) => dialogs.push({ port, place, signal, resolve, reject }));
	const requests = new Requests(choose, (failure) => failures.push(failure.code));
	const page = (...from) => {
		const [near, far] = FakePort.pair('page', sender(...from));
		requests.connect(far);
		return near;
	};
	return { dialogs, failures, page: Object.assign(page, { requests }) };
}

test('a request opens one dialog and gets its id', async () => {
	const { dialogs, page } = setUp();
	const port = page();
	port.postMessage({ type: 'request' });
	await settle();
	assert.deepEqual(dialogs[0].place, { tabId: 1, frameId: 0, origin: 'https://a.example' });
	dialogs[0].resolve('portlight:x');
	await settle();
	assert.deepEqual(port.received, [{ type: 'granted', sourceId: 'portlight:x' }]);
});

test('asking again while the dialog is open opens no second one, and one answer serves both', async () => {
	const { dialogs, page } = setUp();
	const port = page();
	for (let i = 0; i < 100; i++) {
		port.postMessage({ type: 'request' });
	}
	await settle();
	assert.equal(dialogs.length, 1);
	dialogs[0].resolve('portlight:x');
	await settle();
	assert.equal(port.received.length, 1);
	port.postMessage({ type: 'request' });
	await settle();
	assert.equal(dialogs.length, 2);
});

test('another frame of the same tab is refused meanwhile, and the first is left alone', async () => {
	const { dialogs, failures, page } = setUp();
	const [top, frame, elsewhere] = [page(1, 0), page(1, 5), page(2, 0)];
	top.postMessage({ type: 'request' });
	await settle();
	frame.postMessage({ type: 'request' });
	elsewhere.postMessage({ type: 'request' });
	await settle();
	assert.deepEqual(frame.received.map(({ type, code }) => [type, code]), [['refused', 'busy']]);
	assert.equal(dialogs.length, 2);
	dialogs[0].resolve('a');
	dialogs[1].resolve('b');
	await settle();
	assert.equal(top.received[0].sourceId, 'a');
	assert.equal(elsewhere.received[0].sourceId, 'b');
	assert.deepEqual(failures, []);
});

test('frames that may not ask keep no other from asking', async () => {
	const asked = [];
	const consent = {
		expectOffered: async () => {},
		admit: (place) => (place.frameId === 0 ? Promise.resolve() : new Promise(() => {})), // Its answer takes as long as it likes.
		settle: async () => {},
	};
	const requests = new Requests(async () => asked.push('top') && 'x', () => {}, undefined, consent);
	const connect = (frameId) => {
		const [near, far] = FakePort.pair('page', sender(1, frameId));
		requests.connect(far);
		near.postMessage({ type: 'request' });
		return near;
	};
	connect(5);
	connect(6);
	await settle();
	const top = connect(0);
	await settle();
	assert.deepEqual([asked, top.received], [['top'], [{ type: 'granted', sourceId: 'x' }]]);
});

test('the user declines one dialog, from the popup: its page alone is refused', async () => {
	const { dialogs, failures, page } = setUp();
	const ports = [page(1), page(2)];
	ports.forEach((port) => port.postMessage({ type: 'request' }));
	await settle();
	dialogs.forEach(({ signal, reject }) => signal.addEventListener('abort', () => reject(new Failure('cancelled'))));
	page.requests.decline(2);
	page.requests.decline(7);
	await settle();
	assert.deepEqual(ports.map(({ received }) => received.map(({ code }) => code)), [[], ['denied']]);
	assert.deepEqual([dialogs[0].signal.aborted, failures], [false, []]);
});

test("where pages for other extensions are not answered, only Portlight's own words open a dialog", async () => {
	const asked = [];
	const choose = async (_port, _place, _signal, sources) => asked.push(sources) && { sourceId: 'x', canRequestAudioTrack: true };
	const requests = new Requests(choose, () => {}, async () => false);
	const [near, far] = FakePort.pair('page', sender());
	requests.connect(far);
	near.postMessage({ type: 'request', dialect: 'janus' });
	await settle();
	assert.deepEqual([asked, near.received], [[], []]);
	for (const dialect of [undefined, 'deepstream', 'portlight']) {
		near.postMessage({ type: 'request', dialect, sources: ['tab'] });
		await settle();
		assert.deepEqual(asked.splice(0), [['tab']]);
		assert.deepEqual(near.received.splice(0), [{ type: 'granted', sourceId: 'x', canRequestAudioTrack: true }]);
	}
});

test('a denial is told to the page and is no failure; what is broken is', async () => {
	const { dialogs, failures, page } = setUp();
	const received = [];
	for (const [i, reason] of [new Failure('denied'), new Failure('host-missing'), new TypeError('oops')].entries()) {
		const port = page(i);
		port.postMessage({ type: 'request' });
		await settle();
		dialogs.at(-1).reject(reason);
		await settle();
		received.push(...port.received);
	}
	assert.deepEqual(received.map(({ type, code }) => [type, code]), [
		['refused', 'denied'],
		['refused', 'host-missing'],
		['refused', 'host-crashed'],
	]);
	assert.deepEqual(failures, ['host-missing', 'host-crashed']);
});

test('a page that goes away aborts its dialog, and its tab can ask again', async () => {
	const { dialogs, page } = setUp();
	const port = page();
	port.postMessage({ type: 'request' });
	await settle();
	port.disconnect();
	await settle();
	assert.equal(dialogs[0].signal.aborted, true);
	dialogs[0].reject(new Failure('cancelled'));
	const next = page();
	await settle();
	next.postMessage({ type: 'request' });
	await settle();
	assert.equal(dialogs.length, 2);
});

test('what comes from no page in a tab, or says something else, is ignored', async () => {
	const { dialogs, page } = setUp();
	page().postMessage({ type: 'other' });
	page().postMessage(null);
	const [near, far] = FakePort.pair('page', { id: 'portlight', origin: 'https://a.example' });
	new Requests(() => assert.fail('asked'), () => {}).connect(far);
	near.postMessage({ type: 'request' });
	await settle();
	assert.equal(dialogs.length, 0);
	assert.equal(near.connected, false);
});

test('a dialog that the user wants for a page is its only one, and can be declined or withdrawn as any', async () => {
	const { dialogs, page } = setUp();
	const { requests } = page;
	const open = (tabId = 1) =>
		requests.openForUser(tabId, (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Failure('cancelled')))));
	const port = page();
	const wanted = open();
	port.postMessage({ type: 'request' });
	await settle();
	assert.deepEqual([dialogs.length, port.received.map(({ code }) => code)], [0, ['busy']]);
	await assert.rejects(open(), { code: 'busy' });
	requests.decline(1);
	await assert.rejects(wanted, { code: 'cancelled' });
	const [again, other] = [open(), open(2)];
	requests.withdraw();
	await assert.rejects(again, { code: 'cancelled' });
	await assert.rejects(other, { code: 'cancelled' });
	port.postMessage({ type: 'request' });
	await settle();
	assert.equal(dialogs.length, 1);
});

test('the user withdraws all dialogs: each page is told, the next request opens another', async () => {
	const { dialogs, failures, page } = setUp();
	const ports = [page(1), page(2)];
	ports.forEach((port) => port.postMessage({ type: 'request' }));
	await settle();
	dialogs.forEach(({ signal, reject }) => signal.addEventListener('abort', () => reject(new Failure('cancelled'))));
	page.requests.withdraw();
	await settle();
	assert.deepEqual(ports.map(({ received }) => received.map(({ type, code }) => [type, code])), [[['refused', 'cancelled']], [['refused', 'cancelled']]]);
	assert.deepEqual(failures, []);
	ports[0].postMessage({ type: 'request' });
	await settle();
	assert.equal(dialogs.length, 3);
	assert.equal(dialogs[2].signal.aborted, false);
});
