/** Debian packages: built by `make deb` from copies of this tree, and read. */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const version = /** @type {RegExpExecArray} */ (
	/^VERSION := (.*)$/m.exec(readFileSync(join(root, 'Makefile'), 'utf8'))
)[1];

/**
 * A command's output; one that fails is an error with all that it said.
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string}
 */
export function output(command, args, options) {
	const done = spawnSync(command, args, {maxBuffer: 1 << 28, ...options, encoding: 'utf8'});
	assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.error ?? ''}${done.stdout}${done.stderr}`);
	return done.stdout;
}

/** The environment without what a make or a test run around us put there. @returns {NodeJS.ProcessEnv} */
export function plainEnv() {
	return {...process.env, MAKEFLAGS: undefined, MAKELEVEL: undefined, MFLAGS: undefined, NODE_TEST_CONTEXT: undefined, CI: undefined};
}

/**
 * The sources as they are in the tree, committed or not, in an empty folder.
 * @param {string} folder made if it is not there
 */
export function copySources(folder) {
	mkdirSync(folder, {recursive: true});
	const list = output('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']);
	const files = list.split('\0').filter((name) => name && existsSync(join(root, name)));
	const tar = spawnSync('tar', ['-C', root, '--null', '--files-from=-', '-cf', '-'], {
		input: files.join('\0'),
		maxBuffer: 1 << 28,
	});
	assert.equal(tar.status, 0, String(tar.stderr));
	output('tar', ['-C', folder, '-xf', '-'], {input: tar.stdout});
}

/** Each file of the folder of packages, and its sum. @param {string} folder */
export function sums(folder) {
	const names = readdirSync(folder).filter((name) => /\.(deb|dsc|tar\.xz)$/.test(name));
	return Object.fromEntries(
		names.sort().map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]),
	);
}

/**
 * A package's fields by name, and its files.
 * @param {string} file
 * @returns {{fields: Record<string, string>, files: {mode: string, path: string, target?: string}[], conffiles: string[]}}
 */
export function read(file) {
	const fields = Object.fromEntries(
		output('dpkg-deb', ['-f', file])
			.split(/\n(?! )/)
			.filter(Boolean)
			.map((line) => line.split(/: *([^]*)/, 2)),
	);
	const list = output('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" | tar -tvf - --numeric-owner', 'sh', file]);
	const files = list
		.trimEnd()
		.split('\n')
		.map((line) => {
			const [, mode, owner, name] = /** @type {RegExpExecArray} */ (/^(\S+) (\S+) +\d+ \S+ \S+ \.\/(.*)$/.exec(line));
			assert.equal(owner, '0/0', line);
			const [path, target] = name.split(' -> ');
			return {mode, path, target};
		});
	const control = spawnSync('dpkg-deb', ['-I', file, 'conffiles'], {encoding: 'utf8'});
	return {fields, files, conffiles: control.stdout.split('\n').filter(Boolean)};
}
