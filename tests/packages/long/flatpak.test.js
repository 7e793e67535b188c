/**
 * `portlight install` puts the native host into a browser's Flatpak, and it works there: real sandboxes of Flatpak, real browsers
 * in them, a real desktop outside.
 */
import assert from 'node:assert/strict';
import {existsSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {insideDesktop} from '../../e2e/lib/inside.js';
import {applications, installation} from '../lib/flatpak.js';
import {missing} from '../lib/system.js';

const inside = Boolean(process.env.PORTLIGHT_DESKTOP);
if (!inside && !missing) {
	// Commands on the desktop run as this user where root starts it.
	process.env.FLATPAK_USER_DIR = installation('nobody');
}
if (!missing || inside) {
	await insideDesktop(import.meta.url, ['--shell', 'mutter']);
}
const {say} = await import('../../e2e/lib/own.js');
const {useFixture} = await import('../../e2e/lib/fixture.js');
const portlight = fileURLToPath(new URL('../../../build/bin/portlight', import.meta.url));

/**
 * What puppeteer starts in a browser's place. The tests' own manifest names a host that is in no sandbox, so an answer comes from
 * what `portlight install` did; Chromium would not even look there, without its own folder for settings.
 * @param {'firefox' | 'chromium'} kind
 */
function startScript(kind) {
	const {id} = applications[kind];
	const path = join(process.env.PORTLIGHT_TMP ?? tmpdir(), `${kind}-as-a-flatpak`);
	const settings = kind === 'firefox' ? '.mozilla' : 'config/chromium';
	const script = `#!/bin/sh
		set -e
		mkdir -p "$HOME/.var/app/${id}/${settings}"
		'${portlight}' install --quiet ${kind}
		for argument in "$@"; do
			shift
			case $argument in
			--user-data-dir=*) argument=--user-data-dir=$HOME/.var/app/${id}/${settings} ;;
			esac
			set -- "$@" "$argument"
		done
		mkdir -p "$HOME/profile"
		exec flatpak --user run --filesystem="$HOME/profile" --filesystem='${fileURLToPath(new URL('../../../build', import.meta.url))}:ro' ${id} "$@"`;
	writeFileSync(path, script, {mode: 0o755});
	return path;
}

for (const kind of /** @type {const} */ (['firefox', 'chromium'])) {
	describe(`${kind} as a Flatpak`, {skip: !inside && missing}, () => {
		if (inside) {
			process.env[kind.toUpperCase()] = startScript(kind);
		}
		const fixture = useFixture({kind, host: '/nowhere/portlight-host', args: kind === 'chromium' ? ['--no-sandbox'] : []});

		test('a page plays the desktop; host and helper run in the sandbox, with the libraries that it lacks', async () => {
			const status = await say(await fixture.own('ui/popup.html'), {type: 'host-status'});
			assert.deepEqual([status.ok, status.pipewire], [true, true], JSON.stringify(status));
			const page = await fixture.sharing();
			const {hosts, captures} = fixture.ours.now();
			for (const {pid} of [...hosts, ...captures]) {
				assert.match(readFileSync(`/proc/${pid}/root/.flatpak-info`, 'utf8'), new RegExp(`^name=${applications[kind].id}$`, 'm'));
				assert.match(readlinkSync(`/proc/${pid}/exe`), /data\/portlight\/lib\/portlight-(host|capture)$/);
				assert.match(readFileSync(`/proc/${pid}/maps`, 'utf8'), /data\/portlight\/lib\/lib(json-c|yuv)\.so/);
			}
			assert.equal(existsSync(`/proc/${captures[0].pid}/root/usr/lib/x86_64-linux-gnu/libyuv.so.0`), false);
			await page.close();
			await fixture.assertNothingLeft();
		});
	});
}
