/** The texts of all languages: complete, alike in their placeholders, and none that nobody asks for. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { errors } from '../../extension/shared/errors.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const locales = readdirSync(`${root}extension/_locales`);
const read = (locale) => JSON.parse(readFileSync(`${root}extension/_locales/${locale}/messages.json`, 'utf8'));
const english = read('en');

/** Codes of the protocol, of pages' own mistakes and of orderly ends: English will do. Any other code is translated. */
const ENGLISH_ONLY = `ok bad-frame message-too-large bad-utf8 bad-json bad-message unknown-type bad-field duplicate-id
	unknown-share bad-state hello-required cancelled stopped session-closed bad-packet source-gone bad-source-id
	region-outside insecure-page frame-forbidden not-supported bad-ask not-activated not-in-front`.split(/\s+/);
const errorKeys = Object.keys(errors)
	.filter((code) => !ENGLISH_ONLY.includes(code))
	.map((code) => code.replaceAll('-', '_'))
	.flatMap((code) => [`error_${code}`, `remedy_${code}`]);

const files = ['extension/ui', 'extension/background'].flatMap((folder) =>
	readdirSync(`${root}${folder}`)
		.filter((name) => /\.(js|html)$/.test(name))
		.map((name) => `${folder}/${name}`),
);
const sources = [...files, 'manifest/extension.json'].map((name) => readFileSync(root + name, 'utf8')).join('\n');

test('English and at least four more languages', () => {
	assert.ok(locales.includes('en'));
	assert.ok(locales.length >= 5, locales.join(' '));
});

test('the codes that stay English are of the catalogue', () => {
	for (const code of ENGLISH_ONLY) {
		assert.ok(errors[code], code);
	}
});

test('every text that is asked for exists', () => {
	const patterns = [/data-(?:text|label)="(\w+)"/g, /\b(?:text|button|getMessage)\('(\w+)'/g, /__MSG_(\w+)__/g];
	const names = patterns.flatMap((pattern) => [...sources.matchAll(pattern)].map(([, name]) => name));
	assert.ok(names.length > 60);
	for (const name of names) {
		assert.ok(english[name], name);
	}
});

test('every text is asked for', () => {
	for (const name of Object.keys(english)) {
		const asked = new RegExp(`['"]${name}['"]|__MSG_${name}__`).test(sources);
		assert.ok(asked, name);
	}
});

/** @param {string} message */
const placeholdersIn = (message) => [...message.matchAll(/\$(\w+)\$/g)].map(([, name]) => name.toLowerCase()).sort();

for (const locale of locales) {
	test(`${locale} is complete, with the same placeholders, and nothing is empty`, () => {
		const messages = read(locale);
		const expected = [...Object.keys(english), ...(locale === 'en' ? [] : errorKeys)];
		assert.deepEqual(Object.keys(messages).sort(), expected.sort());
		for (const [name, { message, placeholders = {} }] of Object.entries(messages)) {
			assert.ok(message.trim(), name);
			assert.deepEqual(placeholdersIn(message), Object.keys(placeholders).sort(), name);
			if (english[name]) {
				const contents = (of) => Object.entries(of ?? {}).map(([key, { content }]) => `${key} ${content}`).sort();
				assert.deepEqual(contents(placeholders), contents(english[name].placeholders), name);
			}
		}
	});
}
