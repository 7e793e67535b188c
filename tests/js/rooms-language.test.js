/** The texts of the rooms' pages: every language has all of them, with the same placeholders, and none that nobody asks for. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { choose, OFFERED } from '../../docs/examples/rooms/language.js';
import { errors } from '../../extension/shared/errors.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}docs/examples/rooms/`;
/** @param {RegExp} ending */
const filesOf = (ending) =>
	readdirSync(folder, { recursive: true })
		.map(String)
		.filter((name) => ending.test(name))
		.sort()
		.map((name) => ({ name, source: readFileSync(folder + name, 'utf8') }));
/** Without comments: these speak to us alone. */
const modules = filesOf(/\.js$/).map(({ name, source }) => ({ name, source: source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '') }));
const pages = filesOf(/\.html$/);

/** What has words: neither a sign, a single letter nor an address. @param {string} text */
const hasWords = (text) => /\p{L}{2}/u.test(text) && !text.startsWith('https://');
/** @param {string} source @param {RegExp} pattern */
const all = (source, pattern) => [...source.matchAll(pattern)].map(([, text]) => text);
/** @param {string} html */
const decoded = (html) => html.replace(/&(amp|lt|gt|quot);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name]);

const QUOTED = String.raw`'((?:[^'\\]|\\.)*)'`;
const asked = {
	modules: modules.flatMap(({ source }) => all(source, new RegExp(String.raw`\bt\(${QUOTED}`, 'g'))),
	errors: modules.flatMap(({ source }) => all(source, new RegExp(String.raw`\b(?:message|remedy): ${QUOTED}`, 'g'))),
	pages: pages.flatMap(({ source }) => [
		...all(source, />([^<>]+)</g),
		...all(source, /\s(?:title|placeholder|aria-label|alt|data-empty)="([^"]*)"/g),
	]).map((text) => decoded(text).trim().replace(/\s+/g, ' ')),
	server: [...readFileSync(`${root}host/rooms/wire/errors.def`, 'utf8').matchAll(/^ERROR\(\w+, "[^"]*", "([^"]*)",\s*"([^"]*)"\)/gm)].flatMap(([, message, remedy]) => [message, remedy]),
};
/** What the extension tells pages, as far as it says it in other languages itself. @param {string} language */
const ofExtension = (language) => {
	const texts = JSON.parse(readFileSync(`${root}extension/_locales/${language.replace('-', '_')}/messages.json`, 'utf8'));
	return Object.entries(errors).flatMap(([code, { message, remedy }]) => {
		const key = code.replaceAll('-', '_');
		return texts[`error_${key}`] ? [[message, texts[`error_${key}`].message], [remedy, texts[`remedy_${key}`].message]] : [];
	});
};
asked.extension = ofExtension('de').map(([english]) => english);
const keys = [...new Set(Object.values(asked).flat())].filter(hasWords).sort();

/** @param {string} text */
const placeholdersIn = (text) => [...new Set(text.match(/\{\d\}/g))].sort();

test('texts are found where they are', () => {
	assert.ok(asked.modules.length > 100, String(asked.modules.length));
	assert.ok(asked.pages.filter(hasWords).length > 100, String(asked.pages.length));
	assert.ok(asked.errors.includes('The server lost this session.'));
	assert.equal(asked.server.length, 2 * readFileSync(`${root}host/rooms/wire/errors.def`, 'utf8').match(/^ERROR\(/gm).length);
});

for (const language of OFFERED) {
	test(`${language} has every text, sorted, with the same placeholders, and no other`, () => {
		const messages = JSON.parse(readFileSync(`${folder}messages/${language}.json`, 'utf8'));
		const [missing, unused] = [keys.filter((key) => !Object.hasOwn(messages, key)), Object.keys(messages).filter((key) => !keys.includes(key))];
		assert.deepEqual({ missing, unused }, { missing: [], unused: [] });
		assert.deepEqual(Object.keys(messages), keys, 'they are sorted');
		for (const [text, message] of Object.entries(messages)) {
			assert.ok(message.trim(), text);
			assert.deepEqual(placeholdersIn(message), placeholdersIn(text), text);
		}
	});
}

for (const language of OFFERED) {
	test(`${language} says the extension's errors as the extension does`, () => {
		const messages = JSON.parse(readFileSync(`${folder}messages/${language}.json`, 'utf8'));
		for (const [english, text] of ofExtension(language)) {
			assert.equal(messages[english], text);
		}
	});
}

test('every language that has texts is offered', () => {
	assert.deepEqual(filesOf(/^messages\//).map(({ name }) => name), OFFERED.map((language) => `messages/${language}.json`));
});

/** What shows a text, with one that stands there as it is. */
const SHOWN = /(?:\b(?:say|chip|out|over|new Error)\(|\b(?:textContent|title|placeholder|alt) ?[=:] |setAttribute\('aria-label', |'aria-label': )['`](?:\$\{[^}`]*\}|[^'`$\p{L}])*\p{L}{2}/gu;
/** A whole sentence, wherever it is. */
const SENTENCE = /(?<!\bt\(|\b(?:message|remedy): )(?:'[\p{Lu}“][^'\n]*\p{L} [^'\n]*'|`[\p{Lu}“][^`\n]*\p{L}{2} \p{Ll}[^`\n]*`|`[^`\n]*\p{L}{2}[.?…]`)/gu;

/** A single word that begins as a sentence does, and is not a key's name. */
const WORD = /(?<!\bt\()'(?!(?:Enter|Escape)')\p{Lu}\p{Ll}+'/gu;

for (const { name, source } of modules) {
	test(`${name} says nothing that is not translated`, () => {
		// Two that no person sees: a page without its parts is a mistake of ours, and a carrier's failure means the next try.
		const rest = source.replace(/new Error\(`(?:This page has no|\$\{path\} answered) [^`]*`\)/, '');
		assert.deepEqual(rest.match(SHOWN) ?? [], []);
		assert.deepEqual(rest.match(SENTENCE) ?? [], []);
		assert.deepEqual(rest.match(WORD) ?? [], []);
		if (!['ui.js', 'language.js'].includes(name)) {
			assert.deepEqual(source.match(/(?<!function )\bt\((?!')/g) ?? [], [], 'only texts that stand here can be found here');
		}
	});
}

test('the language is the first of those wanted that is offered', () => {
	assert.equal(choose(['de']), 'de');
	assert.equal(choose(['de-CH', 'fr']), 'de');
	assert.equal(choose(['nl', 'xx-YY', 'fr-CA', 'de']), 'fr');
	assert.equal(choose(['pt']), 'pt-BR');
	assert.equal(choose(['pt-PT', 'en']), 'pt-BR');
	assert.equal(choose(['ES-419']), 'es');
	assert.equal(choose(['en-GB', 'de']), 'en');
	assert.equal(choose(['nl', 'ja']), 'en');
	assert.equal(choose([]), 'en');
	assert.equal(choose(['', '-', 'delta', 'e']), 'en');
});
