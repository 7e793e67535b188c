/** What the portal's PipeWire connection is good for beside its node, with the real session manager; and that a helper gives it up. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {after, before, test} from 'node:test';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--consent', 'screen']);

const root = new URL('../..', import.meta.url);
const desktop = new Desktop();

/** Something that sound could be taken from. @type {import('node:child_process').ChildProcess} */
let speakers;

before(async () => {
	speakers = spawn('pw-cli', {stdio: ['pipe', 'pipe', 'inherit']});
	speakers.stdin?.write('create-node adapter {factory.name=support.null-audio-sink node.name=speakers media.class=Audio/Sink audio.position=[FL,FR]}\n');
	await once(/** @type {import('node:stream').Readable} */ (speakers.stdout), 'data');
});
after(() => speakers.kill());

/** @param {'kept' | 'given-up'} rights */
async function taken(rights) {
	await desktop.willAnswer('screen');
	const out = execFileSync('tests/desktop/portal-client', ['--run', 'build/release/tests/integration/taker', rights], {cwd: root, encoding: 'utf8'});
	const [, sound, refused, pictures] = /sound (\d+), refused (\d+), pictures (\d+)/.exec(out)?.map(Number) ?? [];
	return {sound, refused, pictures};
}

// 0.5, on Debian 13, gave none so far; why is not known.
const old = / 0\.4\./.test(execFileSync('wireplumber', ['--version'], {encoding: 'utf8'}));
const skip = old ? false : 'only WirePlumber 0.4 is known to hand out sound here';

test('who keeps all rights of the connection is given sound unasked', {skip}, async () => {
	const {sound, refused} = await taken('kept');
	assert.equal(sound > 0, true, 'the session manager links it');
	assert.equal(refused, 0);
});

test('who gave them up gets no sound, no rights back, and its pictures as before', async () => {
	const {sound, refused, pictures} = await taken('given-up');
	assert.deepEqual([sound, refused], [0, 2]);
	assert.equal(pictures > 0, true, 'a restarted stream goes on');
});
