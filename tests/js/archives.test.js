/** What the stores get: the same bits from the same sources, nothing in it that stores refuse. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'archives-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = join(folder, 'key.pem');
writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));

/** @param {string} name of a folder that the archives are built in */
function build(name, env = {}) {
	const made = join(folder, name);
	// What this run of make was told is not meant for that one.
	const { MAKEFLAGS: _flags, MAKELEVEL: _level, SOURCE_DATE_EPOCH: _epoch, ...clean } = process.env;
	execFileSync('make', ['--no-print-directory', 'extension', `B=${made}`, `CRX_KEY=${key}`], {
		cwd: root,
		env: { ...clean, ...env },
		stdio: 'pipe',
	});
	const files = readdirSync(made).filter((file) => /\.(zip|xpi|crx)$/.test(file));
	return Object.fromEntries(files.map((file) => [file.replace(/^.*\./, ''), readFileSync(join(made, file))]));
}

const first = build('first');

test('two builds are the same, bit for bit, in any time zone, and follow SOURCE_DATE_EPOCH', () => {
	const second = build('second', { TZ: 'Asia/Tokyo' });
	assert.deepEqual(Object.keys(second).sort(), ['crx', 'xpi', 'zip']);
	for (const [kind, bytes] of Object.entries(first)) {
		assert.ok(bytes.equals(second[kind]), kind);
	}
	const later = build('later', { SOURCE_DATE_EPOCH: '1700000000' });
	assert.ok(!later.zip.equals(first.zip));
});

/** @param {Buffer} zip @returns {string[]} */
function names(zip) {
	const file = join(folder, 'list.zip');
	writeFileSync(file, zip);
	return execFileSync('unzip', ['-Z1', file], { encoding: 'utf8' }).trim().split('\n');
}

/** @param {Buffer} zip @param {string} name */
function content(zip, name) {
	const file = join(folder, 'read.zip');
	writeFileSync(file, zip);
	return execFileSync('unzip', ['-p', file, name], { encoding: 'utf8' });
}

test('an archive has the extension and nothing else', () => {
	for (const kind of ['zip', 'xpi']) {
		const list = names(first[kind]);
		assert.ok(list.includes('manifest.json') && list.includes('background/main.js'));
		for (const name of list) {
			assert.match(name, /^(manifest|managed)\.json$|^(_locales|background|icons|page|scripts|shared|ui)\/[\w/-]+\.(js|html|css|json|svg|png)$/);
		}
		const manifest = JSON.parse(content(first[kind], 'manifest.json'));
		assert.equal(manifest.key, undefined, "the store's own key gives the id");
		assert.match(manifest.version, /^\d+(\.\d+){1,3}$/);
	}
});

/** One field of a protocol buffer after another. @param {Buffer} data */
function* fields(data) {
	for (let at = 0; at < data.length;) {
		const [tag, length] = [0, 0].map(() => {
			let [value, shift] = [0, 0];
			for (;; shift += 7) {
				const byte = data[at++];
				value += (byte & 0x7f) * 2 ** shift;
				if (byte < 0x80) {
					return value;
				}
			}
		});
		assert.equal(tag % 8, 2);
		yield [Math.floor(tag / 8), data.subarray(at, at + length)];
		at += length;
	}
}

test('the .crx is signed as Chromium verifies it', () => {
	const { crx, zip } = first;
	assert.equal(crx.subarray(0, 4).toString(), 'Cr24');
	assert.equal(crx.readUInt32LE(4), 3);
	const length = crx.readUInt32LE(8);
	const header = new Map(fields(crx.subarray(12, 12 + length)));
	const proof = new Map(fields(header.get(2)));
	const signed = header.get(10000);
	assert.ok(crx.subarray(12 + length).equals(zip));
	const der = publicKey.export({ type: 'spki', format: 'der' });
	assert.ok(proof.get(1).equals(der));
	assert.ok(new Map(fields(signed)).get(1).equals(createHash('sha256').update(der).digest().subarray(0, 16)));
	const size = Buffer.alloc(4);
	size.writeUInt32LE(signed.length);
	const said = (archive) => Buffer.concat([Buffer.from('CRX3 SignedData\0'), size, signed, archive]);
	const check = createPublicKey({ key: proof.get(1), format: 'der', type: 'spki' });
	assert.ok(verify('sha256', said(zip), check, proof.get(2)));
	assert.ok(!verify('sha256', said(Buffer.concat([zip, Buffer.from('x')])), check, proof.get(2)));
});

test('no remote code, and nothing that talks to the net', () => {
	const list = names(first.zip).filter((name) => /\.(js|html)$/.test(name));
	assert.ok(list.length > 20);
	for (const name of list) {
		const source = content(first.zip, name).replace(/\/\*[\s\S]*?\*\//g, '');
		for (const forbidden of [
			/\beval\s*\(/,
			/new Function\b/,
			/\bimport\s*\(/,
			/importScripts/,
			/\bfetch\s*\(/,
			/XMLHttpRequest|WebSocket|EventSource|sendBeacon|WebTransport/,
			/(src|href)\s*=\s*["'](https?:)?\/\//,
			/from\s+['"](https?:)?\/\//,
			/set(Timeout|Interval)\s*\(\s*['"`]/,
			/\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write/,
		]) {
			assert.doesNotMatch(source, forbidden, name);
		}
	}
});

test("the stores' limits on texts are kept in every language", () => {
	const texts = names(first.zip).filter((file) => file.endsWith('messages.json'));
	assert.ok(texts.length > 1);
	for (const name of texts) {
		const messages = JSON.parse(content(first.zip, name));
		assert.ok(messages.name.message.length <= 45, name);
		assert.ok(messages.description.message.length <= 132, name);
	}
});
