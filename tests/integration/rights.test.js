/** What the portal's PipeWire remote allows beyond its node, with the real session manager, and that the helper gives it up. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {after, before, test} from 'node:test';
import {Desktop} from '../e2e/lib/desktop.js';
import {insideDesktop} from '../e2e/lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter', '--consent', 'screen']);

const root = new URL('../..', import.meta.url);
const desktop = new Desktop();

/** A sink to capture. @type {import('node:child_process').ChildProcess} */
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

test('a client that keeps its rights can capture sound without asking', {skip}, async () => {
	const {sound, refused} = await taken('kept');
	assert.equal(sound > 0, true, 'the session manager links it');
	assert.equal(refused, 0);
});

test('a client that gave up its rights gets no sound, cannot get them back, and still receives pictures', async () => {
	const {sound, refused, pictures} = await taken('given-up');
	assert.deepEqual([sound, refused], [0, 2]);
	assert.equal(pictures > 0, true, 'a restarted stream continues');
});
