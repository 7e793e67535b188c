import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { errors } from '../../extension/shared/errors.js';
import { Failure } from '../../extension/shared/failure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('errors.js is what the catalogue says now', () => {
	const fresh = execFileSync(process.execPath, [`${root}packaging/errors-js`], { encoding: 'utf8' });
	assert.equal(readFileSync(`${root}extension/shared/errors.js`, 'utf8'), fresh, 'run `make errors`');
});

test('every code of the catalogue is there, with a text and a remedy', () => {
	const codes = [...readFileSync(`${root}host/wire/errors.def`, 'utf8').matchAll(/^ERROR\(\w+, "([^"]+)"/gm)];
	assert.deepEqual(Object.keys(errors), codes.map(([, code]) => code));
	for (const [code, { message, remedy }] of Object.entries(errors)) {
		assert.ok(code === 'ok' || (message && remedy), code);
	}
});

test('every failure has a name that a DOMException, or TypeError, can have', () => {
	for (const code of Object.keys(errors)) {
		const { domName } = new Failure(code);
		assert.ok(domName === 'TypeError' || new DOMException('', domName).name === domName);
		assert.notEqual(domName, '');
	}
});

test("the host's own words are kept, its detail stays from the page", () => {
	const failure = Failure.fromHost({ code: 'portal-error', message: 'Said so.', remedy: 'Do it.', detail: 'org.x.Y' });
	assert.equal(failure.message, 'Said so.');
	assert.equal(failure.remedy, 'Do it.');
	const { code, message, remedy } = failure;
	assert.deepEqual(failure.forPage(), { code, name: 'NotReadableError', message, remedy });
});

test('a code that this version does not know is still a failure with a text', () => {
	const failure = Failure.fromHost({ code: 'from-the-future' });
	assert.equal(failure.code, 'from-the-future');
	assert.ok(failure.message && failure.remedy && failure.domName);
});
