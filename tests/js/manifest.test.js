import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name) => JSON.parse(readFileSync(`${root}manifest/${name}.json`, 'utf8'));
const [shared, chromium, firefox] = ['extension', 'extension.chromium', 'extension.firefox'].map(read);
const builtIn = readFileSync(`${root}manifest/extensions`, 'utf8');

test("Chromium's id in the host's list is that of the key", () => {
	const hash = createHash('sha256').update(Buffer.from(chromium.key, 'base64')).digest('hex').slice(0, 32);
	const id = [...hash].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join('');
	assert.match(builtIn, new RegExp(`^chromium ${id}$`, 'm'));
});

test("Firefox's id is in the host's list, and the one thing that goes to the native host is for the user to permit", () => {
	const { id, data_collection_permissions: data } = firefox.browser_specific_settings.gecko;
	assert.match(builtIn, new RegExp(`^firefox ${id}$`, 'm'));
	assert.deepEqual(data, { required: ['none'], optional: ['browsingActivity'] });
	assert.match(readFileSync(`${root}docs/PRIVACY.md`, 'utf8'), /`data_collection_permissions` names `browsingActivity`/);
});

test('the permissions are these and no more', () => {
	assert.deepEqual(shared.permissions, ['contextMenus', 'nativeMessaging', 'notifications', 'scripting', 'storage']);
	assert.deepEqual([...chromium.permissions].sort(), ['desktopCapture', ...shared.permissions].sort());
	assert.equal(firefox.permissions, undefined);
	for (const { matches } of [...chromium.content_scripts, ...firefox.content_scripts]) {
		assert.deepEqual(matches, shared.host_permissions);
	}
	for (const pattern of shared.host_permissions) {
		assert.match(pattern, /^(https:|http:\/\/(localhost|\*\.localhost|127\.0\.0\.1|\[::1\])\/)/);
	}
});

test('every file that a manifest names is there', () => {
	for (const [browser, manifest] of Object.entries({ chromium, firefox })) {
		const { background, content_scripts: scripts, icons } = manifest;
		const files = [
			...scripts.flatMap(({ js }) => js),
			shared.options_ui.page,
			shared.action.default_popup,
			...(background.scripts ?? [background.service_worker]),
			...Object.values(icons),
		];
		for (const file of files) {
			assert.ok(existsSync(`${root}build/extension-${browser}/${file}`), `${browser}: ${file}`);
		}
	}
});

test("a page that never shares gets at most 4 KB of script, and none in its own world but Chromium's reader of messages", () => {
	for (const [browser, manifest] of Object.entries({ chromium, firefox })) {
		const everywhere = manifest.content_scripts.filter(({ include_globs: some }) => !some);
		const files = everywhere.flatMap(({ js }) => js);
		const bytes = files.reduce((sum, file) => sum + statSync(`${root}build/extension-${browser}/${file}`).size, 0);
		assert.ok(bytes <= 4096, `${browser}: ${bytes} bytes`);
		const inPage = everywhere.filter(({ world }) => world === 'MAIN').flatMap(({ js }) => js);
		assert.deepEqual(inPage, browser === 'chromium' ? ['scripts/messages.js'] : []);
	}
});

test('docs/PRIVACY.md justifies every permission, and no other', () => {
	const text = readFileSync(`${root}docs/PRIVACY.md`, 'utf8');
	const justified = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
	assert.deepEqual(justified.sort(), [...chromium.permissions].sort());
	for (const pattern of shared.host_permissions) {
		assert.ok(text.includes(`\`${pattern}\``), pattern);
	}
});

test("icons are PNGs of their size for Chromium, and every state of the toolbar's has them", () => {
	const side = (file) => readFileSync(`${root}extension/icons/${file}`).readUInt32BE(16);
	for (const [size, file] of Object.entries(chromium.icons)) {
		assert.equal(side(file.replace('icons/', '')), Number(size));
	}
	const states = [...readFileSync(`${root}extension/icons/icon.svg`, 'utf8').matchAll(/<g id="(\w+)"/g)].map(([, id]) => id);
	assert.deepEqual(states, ['idle', 'asking', 'sharing', 'paused', 'problem']);
	for (const state of states.slice(1)) {
		assert.deepEqual([side(`${state}-16.png`), side(`${state}-32.png`)], [16, 32]);
	}
});

test('no page of the web can load a file of the extension, and its pages run only what is in it', () => {
	for (const manifest of [shared, chromium, firefox]) {
		assert.equal(manifest.web_accessible_resources, undefined);
		assert.equal(manifest.externally_connectable, undefined);
		assert.equal(manifest.content_security_policy, undefined, "the browsers' own is the strictest");
	}
});
