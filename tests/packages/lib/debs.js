/** The Debian packages under test, and others made of them. */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {root, version} from './deb.js';
import {run} from './machine.js';

const built = join(root, 'build/deb');

/** @param {'portlight' | 'webext-portlight'} name @returns {string} its file, of `make deb` */
export function deb(name) {
	const found = existsSync(built) && readdirSync(built).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
	if (!found) {
		throw new Error(`There is no ${name} in ${built}. Run \`make deb\` first.`);
	}
	return join(built, found);
}

/** The version after this one. */
export const next = '9.9.9';

/**
 * A package made of another folder.
 * @param {string} name @param {(folder: string) => void} fill
 * @returns {string} its file
 */
function pack(name, fill) {
	const folder = mkdtempSync(join(tmpdir(), 'package-'));
	try {
		fill(folder);
		const file = join(tmpdir(), `${name}.deb`);
		run('dpkg-deb', '--root-owner-group', '-Znone', '--build', folder, file);
		return file;
	} finally {
		rmSync(folder, {recursive: true});
	}
}

/**
 * The same package as its next version: its name for itself, its programs' and that of the extension's manifests.
 * @param {'portlight' | 'webext-portlight'} name
 */
export function nextDeb(name) {
	return pack(`${name}-next`, (folder) => {
		run('dpkg-deb', '--raw-extract', deb(name), folder);
		change(join(folder, 'DEBIAN/control'), /^Version: .*$/m, `Version: ${next}`);
		for (const path of name === 'portlight' ? ['bin/portlight', 'libexec/portlight/portlight-host', 'libexec/portlight/portlight-capture'] : []) {
			const program = join(folder, 'usr', path);
			const bytes = readFileSync(program, 'latin1');
			// Of the same length, so that nothing else in the program moves.
			writeFileSync(program, bytes.replace(new RegExp(`${version.replaceAll('.', '\\.')}(?=[\\0\\n])`, 'g'), next), 'latin1');
			if (!run(program, '--version').includes(next)) {
				throw new Error(`${path} does not take another version.`);
			}
		}
		const files = /** @type {string[]} */ (readdirSync(folder, {recursive: true}));
		for (const manifest of files.filter((file) => file.endsWith('/manifest.json'))) {
			change(join(folder, manifest), /"version": ".*?"/, `"version": "${next}"`);
		}
	});
}

/** Another extension, of both browsers' system folders, which marks each page that it enters. Its short folder is a neighbour's. */
export function neighbourDeb() {
	return pack('neighbour', (folder) => {
		const matches = ['http://127.0.0.1/*'];
		const manifest = {
			manifest_version: 2,
			name: 'Neighbour',
			version: '1',
			content_scripts: [{matches, js: ['mark.js'], run_at: 'document_start'}],
		};
		const firefox = {browser_specific_settings: {gecko: {id: 'neighbour@example.org'}}};
		const script = "document.documentElement.dataset.neighbour = 'here';\n";
		/** @param {string} path @param {string} text */
		const put = (path, text) => {
			mkdirSync(dirname(join(folder, path)), {recursive: true});
			writeFileSync(join(folder, path), text);
		};
		put('DEBIAN/control', 'Package: neighbour\nVersion: 1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n');
		for (const [where, more] of /** @type {const} */ ([
			['usr/share/chromium/extensions/neighbour', {manifest_version: 3}],
			['usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}/neighbour@example.org', firefox],
		])) {
			put(`${where}/manifest.json`, JSON.stringify({...manifest, ...more}));
			put(`${where}/mark.js`, script);
		}
	});
}

/** @param {string} file @param {RegExp} what @param {string} to */
function change(file, what, to) {
	const text = readFileSync(file, 'utf8');
	if (!what.test(text)) {
		throw new Error(`${file} has no ${what}.`);
	}
	writeFileSync(file, text.replace(what, to));
}

/** Has exactly these packages installed. @param {...string} files */
export function install(...files) {
	// Its index of all the manuals would take longer than everything else.
	rmSync('/var/lib/man-db/auto-update', {force: true});
	run('dpkg', '--purge', 'neighbour', 'webext-portlight', 'portlight');
	if (files.length > 0) {
		run('dpkg', '--install', ...files);
	}
}
