/** What the host remembers follows what is allowed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle, useTime } from './clock.js';
import { chrome, useHost, useStorage } from './fake.js';

const { Host } = await import('../../extension/background/host.js');
const { begin, setSite } = await import('../../extension/background/sites.js');
const [A, B, C] = ['https://a.example', 'https://b.example', 'https://c.example'];

useTime();

/** @param {object} policy @param {object} [answers] */
function setUp(policy, answers = {}) {
	useStorage({ sites: { [A]: { consent: 'allow' }, [B]: { consent: 'allow' } } }, policy);
	const revoked = [];
	useHost({
		hello: () => ({ protocol: 1, version: '1', supports: ['grants'], portal: 4 }),
		grants: () => ({ grants: [A, B, C].map((origin) => ({ origin, surface: 'monitor', since: 0, lastUsed: 0 })) }),
		revoke: ({ origin }) => {
			revoked.push(origin);
			return { revoked: true };
		},
		...answers,
	});
	const failures = [];
	begin(new Host(), ({ code }) => failures.push(code));
	return { failures, revoked };
}

test('a policy that comes revokes what it forbids, and nothing else', async () => {
	for (const [policy, expected] of [[{ blockedSites: [B] }, [B]], [{ remember: false }, [A, B, C]], [{ dialects: { janus: false } }, []]]) {
		const { failures, revoked } = setUp(policy);
		chrome.storage.onChanged.emit({}, 'managed');
		await settle();
		assert.deepEqual(revoked, expected);
		assert.deepEqual(failures, []);
	}
});

test('a grant that could not be revoked is told of; where none is kept there is nothing to tell', async () => {
	for (const [code, expected] of [['state-unusable', ['state-unusable']], ['unknown-type', []]]) {
		const { failures } = setUp({}, {
			revoke: ({ id }, port) => port.postMessage({ type: 'error', id, code, message: 'No.', remedy: '' }),
		});
		await setSite(A, { consent: 'ask' });
		await settle();
		assert.deepEqual(failures, expected);
	}
});
