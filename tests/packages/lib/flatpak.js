/**
 * Debian's browsers as Flatpaks: a runtime that is Debian's /usr with both browsers and without what `portlight install` brings
 * along, and two applications by the names of the real ones. Needs root to make them, and a user to run them.
 */
import {existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {output} from './deb.js';
import {bare, layer} from './system.js';

const runtime = 'org.portlight.test.Platform';
/** As on Flathub, in what matters here; `command` is what the runtime has in its place. */
export const applications = {
	firefox: {id: 'org.mozilla.firefox', command: '/usr/lib/firefox-esr/firefox-esr', context: 'persistent=.mozilla;\n'},
	chromium: {id: 'org.chromium.Chromium', command: '/usr/lib/chromium/chromium', context: ''},
};

// bare-user-only: files are linked into the installation, not packed and unpacked.
const make = `
lower=$1 made=$2
cd "$made"
mkdir -p "$made/runtime/usr" "$made/runtime/files" "$made/runtime/var"
mount -t overlay overlay -o "lowerdir=$lower" /mnt
mount --bind /mnt/usr runtime/usr
ostree init --mode=bare-user-only --repo=repo
flatpak build-export --runtime --disable-fsync repo runtime 1
for application in applications/*; do
	flatpak build-export --disable-fsync repo "$application" 1
done
export FLATPAK_USER_DIR="$made/installation"
flatpak --user remote-add --no-gpg-verify test "file://$made/repo"
flatpak --user install --noninteractive test ${runtime} ${Object.values(applications).map(({id}) => id).join(' ')}
umount runtime/usr
`;

/** @param {string} folder @param {string} group @param {string} name @param {string} [more] */
function describe(folder, group, name, more = '') {
	mkdirSync(folder, {recursive: true});
	writeFileSync(join(folder, 'metadata'), `[${group}]\nname=${name}\nruntime=${runtime}/x86_64/1\nsdk=${runtime}/x86_64/1\n${more}`);
}

/**
 * Makes them, or finds those of an earlier run.
 * @param {string} owner who will run them
 * @returns {string} FLATPAK_USER_DIR
 */
export function installation(owner) {
	const packages = 'firefox-esr chromium pipewire libpipewire-0.3-modules libspa-0.2-modules fonts-dejavu-core';
	const slim = 'rm -rf /usr/share/doc /usr/share/man /usr/share/locale /usr/include /usr/lib/x86_64-linux-gnu/libjson-c.so.5*';
	const lower = layer('flatpak', bare(), `apt-get -qq install -y --no-install-recommends ${packages}; ${slim}`);
	const made = `${lower[0]}.made`;
	if (!existsSync(made)) {
		const folder = mkdtempSync(join(dirname(made), `${basename(made)}.new`));
		describe(join(folder, 'runtime'), 'Runtime', runtime);
		for (const {id, command, context} of Object.values(applications)) {
			const files = join(folder, 'applications', id);
			const sockets = '[Context]\nshared=network;ipc;\nsockets=wayland;x11;pulseaudio;\ndevices=all;\n';
			describe(files, 'Application', id, `command=browser\n\n${sockets}${context}`);
			mkdirSync(join(files, 'files/bin'), {recursive: true});
			mkdirSync(join(files, 'export'));
			writeFileSync(join(files, 'files/bin/browser'), `#!/bin/sh\nexec ${command} "$@"\n`, {mode: 0o755});
		}
		output('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', make, 'sh', lower.join(':'), folder]);
		output('chown', ['-R', owner, folder]);
		output('chmod', ['755', folder]);
		rmSync(join(folder, 'repo'), {recursive: true});
		renameSync(folder, made);
	}
	return join(made, 'installation');
}
