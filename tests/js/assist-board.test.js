/** Marks on a shared picture (docs/examples/rooms/assist/annotate.js): what they mean, and what a peer may not do with them. */
import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {Board, WHOLE} from '../../docs/examples/rooms/assist/annotate.js';

const RED = '#ff3b30';
const pen = (id, points = [[0.1, 0.1]], more = {}) => ({add: {id, by: 'a', tool: 'pen', colour: RED, points, ...more}});
const box = (id, from, to, by = 'a') => ({add: {id, by, tool: 'box', colour: RED, points: [from, to]}});
const ids = (board) => [...board.marks.keys()];
const many = (count) => Array.from({length: count}, (_, at) => [at / count, 0.5]);

/** Calls of a canvas's context, with rounded numbers. */
function recorder() {
	const calls = [];
	const round = (value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);
	const context = new Proxy({}, {
		get: (kept, name) => kept[name] ?? ((...values) => void calls.push([name, ...values.map(round)])),
		set: (kept, name, value) => ((kept[name] = value), true),
	});
	return {calls, context};
}

test('a stroke grows; a shape has its first and its last point', () => {
	const board = new Board();
	board.apply(pen('p'));
	board.apply(box('b', [0.1, 0.1], [0.2, 0.2]));
	for (const id of ['p', 'b']) {
		assert.equal(board.apply({more: {id, by: 'a', points: [[0.3, 0.3], [0.4, 0.5]]}}), true);
	}
	assert.deepEqual(board.marks.get('p').points, [[0.1, 0.1], [0.3, 0.3], [0.4, 0.5]]);
	assert.deepEqual(board.marks.get('b').points, [[0.1, 0.1], [0.4, 0.5]]);
});

test('marks stand in the order that the sharer gave them; one’s own, not numbered yet, on top', () => {
	const board = new Board();
	board.apply(pen('mine'));
	board.apply(pen('second', undefined, {n: 2, by: 'b'}));
	board.apply(pen('first', undefined, {n: 1, by: 'b'}));
	assert.deepEqual(ids(board), ['first', 'second', 'mine']);
	board.apply(pen('mine', undefined, {n: 3}));
	assert.deepEqual([...board.marks.values()].map(({n}) => n), [1, 2, 3]);
	assert.equal(board.count, 3);
});

test('a mark that comes back from the sharer keeps the points that were drawn meanwhile', () => {
	const board = new Board();
	board.apply(pen('p', [[0, 0]]));
	board.apply({more: {id: 'p', by: 'a', points: [[1, 1]]}});
	board.apply(pen('p', [[0, 0]], {n: 1}));
	assert.deepEqual(board.marks.get('p').points, [[0, 0], [1, 1]]);
});

test('one’s last, one’s own and all are found, and go', () => {
	const board = new Board();
	['1', '2', '3'].forEach((id, at) => board.apply(pen(id, undefined, {n: at + 1, by: id === '2' ? 'b' : 'a'})));
	assert.equal(board.lastOf('a'), '3');
	assert.deepEqual(board.idsOf('a'), ['1', '3']);
	assert.deepEqual(board.idsOf(), ['1', '2', '3']);
	assert.equal(board.apply({remove: ['1', 'none']}), true);
	assert.equal(board.apply({remove: ['none']}), false);
	assert.deepEqual(ids(board), ['2', '3']);
});

test('what lies outside of a new crop is gone, for good; what touches it stays', () => {
	const board = new Board();
	board.apply(box('inside', [0.1, 0.1], [0.2, 0.2]));
	board.apply(box('across', [0.4, 0.1], [0.9, 0.9]));
	board.apply(box('outside', [0.6, 0.1], [0.9, 0.9]));
	board.apply({crop: {x: 0, y: 0, width: 0.5, height: 1}});
	assert.deepEqual(ids(board), ['inside', 'across']);
	board.apply({crop: WHOLE});
	assert.deepEqual(ids(board), ['inside', 'across']);
});

test('a mark is drawn where its pixels are, whatever the size and the crop', () => {
	const board = new Board();
	board.apply(box('b', [0.25, 0.5], [0.5, 0.75]));
	/** @param {number} width @param {number} height */
	const drawn = (width, height) => {
		const {calls, context} = recorder();
		board.draw(context, width, height);
		return calls.filter(([name]) => name === 'rect')[0];
	};
	assert.deepEqual(drawn(1000, 400), ['rect', 250, 200, 250, 100]);
	assert.deepEqual(drawn(200, 200), ['rect', 50, 100, 50, 50]);
	board.apply({crop: {x: 0.25, y: 0.5, width: 0.5, height: 0.5}});
	assert.deepEqual(drawn(1000, 400), ['rect', 0, 0, 500, 200]);
});

test('each tool draws something of its own, below it a dark line', () => {
	const shapes = {pen: 'lineTo', arrow: 'lineTo', circle: 'ellipse', box: 'rect', text: 'fillText'};
	for (const [tool, call] of Object.entries(shapes)) {
		const board = new Board();
		assert.equal(board.apply({add: {id: '1', by: 'a', tool, colour: RED, points: [[0.1, 0.2], [0.5, 0.6]], text: 'Here'}}), true);
		const {calls, context} = recorder();
		board.draw(context, 100, 100);
		assert(calls.filter(([name]) => name === call).length >= 2, `${tool}: ${JSON.stringify(calls)}`);
	}
});

test('a pointer is drawn with its name, and after its time is not', () => {
	mock.timers.enable({apis: ['setTimeout']});
	const clock = mock.method(performance, 'now', () => now);
	let now = 1000;
	try {
		const board = new Board();
		let changes = 0;
		board.addEventListener('change', () => changes++);
		board.apply({pointer: {by: 'a', name: 'Vera', colour: RED, at: [0.5, 0.5]}});
		const names = () => {
			const {calls, context} = recorder();
			board.draw(context, 100, 100);
			return calls.filter(([name]) => name === 'fillText').map(([, text]) => text);
		};
		assert.deepEqual(names(), ['Vera']);
		now += 1000;
		mock.timers.tick(1000);
		board.apply({pointer: {by: 'a', name: 'Vera', colour: RED, at: [0.6, 0.5]}});
		now += 1100;
		mock.timers.tick(1100);
		assert.deepEqual(names(), ['Vera'], 'it moved meanwhile');
		now += 1000;
		mock.timers.tick(1000);
		assert.deepEqual(names(), []);
		assert.equal(board.pointers.size, 0);
		assert.equal(changes, 3, 'two moves and the end');
	} finally {
		clock.mock.restore();
		mock.timers.reset();
	}
});

test('somebody who joins later gets all of it in order, also the frozen picture', () => {
	const board = new Board();
	board.apply({crop: {x: 0, y: 0, width: 0.5, height: 1}});
	board.apply(pen('2', undefined, {n: 2}));
	board.apply(pen('1', undefined, {n: 1}));
	board.apply({freeze: {id: 'still', name: 'Vera'}});
	const late = new Board();
	late.apply(pen('stale'));
	JSON.parse(JSON.stringify(board.everything())).forEach((change) => assert.equal(late.apply(change), true));
	assert.deepEqual([...late.marks.values()], [...board.marks.values()]);
	assert.deepEqual([late.crop, late.frozen], [board.crop, board.frozen]);
	assert.equal(late.apply({freeze: null}), true);
	assert.equal(late.frozen, null);
});

test('what no page would send is dropped, and changes nothing', () => {
	const board = new Board();
	board.apply(pen('p'));
	let changes = 0;
	board.addEventListener('change', () => changes++);
	const before = JSON.stringify(board.everything());
	const long = 'x'.repeat(65);
	const bad = [
		null, undefined, 7, 'add', [], {}, {add: 1}, {add: {}}, {more: {}}, {more: 'p'}, {remove: 'p'}, {crop: 5}, {pointer: true}, {freeze: 1},
		pen(''), pen(long), pen({}), pen('q', undefined, {by: 7}), pen('q', undefined, {tool: 'constructor'}), pen('q', undefined, {colour: 'red'}),
		pen('q', undefined, {colour: '#FF00000'}), pen('q', undefined, {text: {}}), pen('q', undefined, {n: NaN}), pen('q', undefined, {n: -1}), pen('q', undefined, {n: '1'}),
		pen('q', []), pen('q', {}), pen('q', [[0]]), pen('q', [[0, 0, 0]]), pen('q', [[NaN, 0]]), pen('q', [[Infinity, 0]]), pen('q', [['0', 0]]), pen('q', [[-0.1, 0]]), pen('q', [[0, 1.1]]),
		pen('q', many(4001)), pen('p', undefined, {by: 'b'}),
		{more: {id: 'p', by: 'b', points: [[0, 0]]}}, {more: {id: 'none', by: 'a', points: [[0, 0]]}}, {more: {id: 'p', by: 'a', points: [[NaN, 0]]}}, {more: {id: 'p', by: 'a', points: many(4000)}},
		...[[0, 0, 0, 1], [0, 0, 1, -1], [0, 0, 1.1, 1], [0.5, 0, 0.6, 1], [NaN, 0, 1, 1], [0, 0, NaN, 1], [0, 0, '1', 1], [-0.1, 0, 1, 1]].map(([x, y, width, height]) => ({crop: {x, y, width, height}})),
		...[{by: 1}, {name: long}, {name: ''}, {colour: 'url(x)'}, {at: [2, 0]}, {at: null}].map((wrong) => ({pointer: {by: 'a', name: 'A', colour: RED, at: [0, 0], ...wrong}})),
		{freeze: {id: 'x'}}, {freeze: {id: long, name: 'A'}}, {freeze: {id: 'x', name: 7}},
	];
	for (const change of bad) {
		assert.equal(board.apply(change), false, JSON.stringify(change)?.slice(0, 100));
	}
	assert.equal(JSON.stringify(board.everything()), before);
	assert.deepEqual([changes, board.pointers.size, {}.polluted], [0, 0, undefined]);
});

test('marks, points, pointers and text have their bounds', () => {
	const board = new Board();
	for (let at = 0; at < 2001; at++) {
		assert.equal(board.apply(pen(`m${at}`)), at < 2000);
	}
	board.apply({remove: ids(board)});
	assert.equal(board.points, 0);
	// Fifty strokes of 4,000 points are all that a picture may have.
	for (let at = 0; at < 51; at++) {
		assert.equal(board.apply(pen(`p${at}`, many(4000))), at < 50);
	}
	assert.equal(board.apply(pen('one more')), false);
	board.apply({remove: ['p0']});
	assert.equal(board.apply(pen('one more')), true);
	assert.equal(board.apply({more: {id: 'one more', by: 'a', points: many(4000)}}), false, 'of one mark');
	for (let at = 0; at < 40; at++) {
		board.apply({pointer: {by: `v${at}`, name: 'V', colour: RED, at: [0, 0]}});
	}
	assert.equal(board.pointers.size, 32);
	board.apply({reset: true});
	board.apply(pen('t', undefined, {tool: 'text', text: 'y'.repeat(500)}));
	assert.equal(board.marks.get('t').text.length, 200);
});
