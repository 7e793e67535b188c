#!/usr/bin/env node
/**
 * Prints README's table of desktops, for the system that it runs on: on each kind the marker is shared and read back.
 *   node tests/systems/tested.js [KIND…]      mutter gnome sway kwin; those that are not installed get no row
 */
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {pictures, program} from '../integration/recording.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'build/systems');

/** @type {Record<string, {name: string, compositor: string, portal: string, source?: 'screen' | 'window'}>} */
const kinds = {
	mutter: {name: 'Mutter', compositor: 'mutter', portal: 'xdg-desktop-portal-gnome', source: 'screen'},
	gnome: {name: 'GNOME Shell', compositor: 'gnome-shell', portal: 'xdg-desktop-portal-gnome', source: 'window'},
	sway: {name: 'sway', compositor: 'sway', portal: 'xdg-desktop-portal-wlr', source: 'screen'},
	kwin: {name: 'KWin', compositor: 'kwin-wayland', portal: 'xdg-desktop-portal-kde'},
};

/** A package's version as its authors call it; none when it is not installed. @param {string} name */
function version(name) {
	const {stdout} = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], {encoding: 'utf8'});
	return stdout.replace(/^\d+:/, '').replace(/[-+~].*/, '');
}

/** Shares the marker by `portlight record`. @param {string} kind @param {'screen' | 'window'} source */
function recorded(kind, source) {
	const path = join(folder, `${kind}.webm`);
	const args = ['--shell', kind, '--size', '1280x720', '--rate', '10', '--consent', source, '--out', folder, '--'];
	const run = spawnSync('tests/desktop/with-desktop', [...args, program, 'record', '--force', '--duration', '2', '--source', source, path], {cwd: root, encoding: 'utf8'});
	if (run.status !== 0) {
		return run.stderr.trim().split('\n')[0];
	}
	const counters = pictures(path).map(({marker}) => marker?.counter ?? NaN);
	const inOrder = counters.every((counter, i) => i === 0 || counter >= counters[i - 1]);
	return inOrder ? `a ${source}, by \`record\`: ${new Set(counters).size} drawings of 2 s read, in order` : `read ${counters}`;
}

/** KDE's dialog lets no program choose: what a token restores is shared in Firefox. */
function restored() {
	const {status, stdout} = spawnSync(process.execPath, ['--test', 'tests/e2e/long/kwin.test.js'], {cwd: root, encoding: 'utf8'});
	return status === 0 ? 'a window, restored in Firefox: read, resized, closed; declined' : (/error: .*/.exec(stdout) ?? ['failed'])[0];
}

mkdirSync(folder, {recursive: true});
const system = /^PRETTY_NAME="(.*?) GNU\/Linux/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
const release = /^VERSION="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'sid';
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(kinds);
console.log('| system | desktop | portal | PipeWire | what was tried |\n|---|---|---|---|---|');
for (const kind of wanted) {
	const {name, compositor, portal, source} = kinds[kind];
	if (version(compositor) && version(portal)) {
		const result = source ? recorded(kind, source) : restored();
		const columns = [`${system} ${release}`, `${name} ${version(compositor)}`, `${portal} ${version(portal)}`, version('pipewire'), result];
		console.log(`| ${columns.join(' | ')} |`);
	}
}
