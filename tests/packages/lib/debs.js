/** The Debian packages under test, and others made of them. */
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {run} from './machine.js';

const built = fileURLToPath(new URL('../../../build/deb', import.meta.url));

/** @param {'portlight' | 'webext-portlight'} name @returns {string} its file, of `make deb` */
export function deb(name) {
	const found = existsSync(built) && readdirSync(built).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
	if (!found) {
		throw new Error(`There is no ${name} in ${built}. Run \`make deb\` first.`);
	}
	return join(built, found);
}

/** The version after this one. */
export const next = '99.0.0';

/**
 * The same package as its next version: of the extension that is another version in its manifests, of the host its name for it.
 * @param {'portlight' | 'webext-portlight'} name
 */
export function nextDeb(name) {
	const folder = mkdtempSync(join(tmpdir(), 'next-'));
	try {
		run('dpkg-deb', '--raw-extract', deb(name), folder);
		change(join(folder, 'DEBIAN/control'), /^Version: .*$/m, `Version: ${next}`);
		const files = /** @type {string[]} */ (readdirSync(folder, {recursive: true}));
		for (const manifest of files.filter((file) => file.endsWith('/manifest.json'))) {
			change(join(folder, manifest), /"version": ".*?"/, `"version": "${next}"`);
		}
		const file = join(tmpdir(), `${name}_${next}.deb`);
		run('dpkg-deb', '--root-owner-group', '-Znone', '--build', folder, file);
		return file;
	} finally {
		rmSync(folder, {recursive: true});
	}
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
	run('dpkg', '--purge', 'webext-portlight', 'portlight');
	if (files.length > 0) {
		run('dpkg', '--install', ...files);
	}
}
