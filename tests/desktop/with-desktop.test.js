/** The embedded desktop itself: who one is in it, what it answers, and that nothing of it stays. */
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {locateMarker, readMarker} from './marker.js';
import {until} from '../fake/world.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
const program = join(folder, 'with-desktop');
const client = join(folder, 'portal-client');
const control = join(folder, 'desktop-ctl');
const scratch = mkdtempSync(join(tmpdir(), 'with-desktop-test-'));
after(() => rmSync(scratch, {recursive: true}));

/** Says what there is in the desktop, and leaves a process behind that has cut all ties to its parents. */
const tell = `
	${control} parts
	sh -c 'setsid sleep 600 & echo $!'
	echo "$XDG_RUNTIME_DIR"
`;

/** One run of with-desktop. */
class Run {
	/** @param {string[]} args @param {import('node:child_process').SpawnOptions & {program?: string}} [options] */
	constructor(args, options = {}) {
		this.child = spawn(options.program ?? program, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
		this.stdout = '';
		this.stderr = '';
		this.child.stdout?.on('data', (data) => (this.stdout += data));
		this.child.stderr?.on('data', (data) => (this.stderr += data));
		this.closed = once(this.child, 'close');
	}

	/** @returns {Promise<{status: number | null, signal: string | null}>} */
	async end() {
		const timer = setTimeout(() => this.child.kill(), 60000);
		const [status, signal] = await this.closed;
		clearTimeout(timer);
		return {status, signal};
	}

	/** Ends well, and returns what it said. */
	async output() {
		const {status} = await this.end();
		assert.equal(status, 0, this.stderr);
		return this.stdout;
	}

	/** The lines that it has said, once there are COUNT of them. @param {number} count */
	async lines(count) {
		await until(`${count} lines`, () => {
			assert.equal(this.child.exitCode, null, `${this.stdout}\n${this.stderr}`);
			return this.stdout.split('\n').length > count;
		});
		return this.stdout.trim().split('\n');
	}
}

/** @param {number} pid */
function lives(pid) {
	try {
		return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

/** What `tell` said. @param {string[]} lines */
function told(lines) {
	const [parts, stray, runtime] = lines;
	const pids = [.../** @type {number[]} */ (Object.values(JSON.parse(parts))), Number(stray)];
	return {pids, home: join(runtime, '..')};
}

/** @param {ReturnType<typeof told>} desktop */
async function assertNothingLeft({pids, home}) {
	// The supervisor is the last to go, but where it was killed the session clears up on its own.
	await until(`${pids} and ${home} are gone`, () => !pids.some(lives) && !existsSync(home));
	assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(home), false, 'mounts');
}

/** The answers of portal-client, by step. @param {string} output @returns {Record<string, any>} */
function steps(output) {
	const lines = output.trim().split('\n').filter((line) => line.startsWith('{"step"'));
	return Object.fromEntries(lines.map((line) => JSON.parse(line)).map((answer) => [answer.step, answer]));
}

test('one is an unprivileged user with a home of its own', async () => {
	const lines = (await new Run(['--apps', 'none', 'sh', '-c', 'id -u; pwd; echo "$HOME"; touch "$HOME/x" "$PORTLIGHT_TMP/x"']).output()).split('\n');
	assert.notEqual(lines[0], '0');
	assert.equal(lines[1], process.cwd());
	assert.notEqual(lines[2], homedir());
});

test('the exit status is the command\'s', async () => {
	for (const [script, expected] of /** @type {[string, number][]} */ ([['exit 0', 0], ['exit 7', 7], ['kill -KILL $$', 137]])) {
		assert.equal((await new Run(['--apps', 'none', 'sh', '-c', script]).end()).status, expected, script);
	}
	const none = new Run(['--apps', 'none', '/no/such/command']);
	assert.equal((await none.end()).status, 127);
	assert.match(none.stderr, /there is no command '\/no\/such\/command'/);
});

test('a wrong command line is explained', async () => {
	for (const [args, reason] of /** @type {[string[], RegExp][]} */ ([
		[[], /no command given/],
		[['--size', '12', 'true'], /'12' is no size; write it as 1920x1080/],
		[['--rate', '0', 'true'], /from 1 to 99 drawings a second/],
		[['--consent', 'window', 'true'], /needs --shell gnome/],
		[['--apps', 'doom', 'true'], /no application 'doom'/],
	])) {
		const run = new Run(args);
		assert.equal((await run.end()).status, 2);
		assert.match(run.stderr, reason);
	}
});

test('nothing is left after the end', async () => {
	const run = new Run(['sh', '-c', tell]);
	const output = await run.output();
	await assertNothingLeft(told(output.trim().split('\n')));
});

for (const [name, expected] of /** @type {[NodeJS.Signals, number][]} */ ([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]])) {
	test(`nothing is left after ${name}`, async () => {
		const run = new Run(['sh', '-c', `${tell} exec sleep 100`]);
		const desktop = told(await run.lines(3));
		run.child.kill(name);
		assert.equal((await run.end()).status, expected);
		assert.deepEqual(desktop.pids.filter(lives), []);
		await assertNothingLeft(desktop);
	});
}

test('nothing is left when the command is killed', async () => {
	const run = new Run(['sh', '-c', `${tell} echo $$; sleep 100`]);
	const lines = await run.lines(4);
	process.kill(Number(lines[3]), 'SIGKILL');
	assert.equal((await run.end()).status, 137);
	await assertNothingLeft(told(lines));
});

test('nothing is left when with-desktop itself is killed', async () => {
	const run = new Run(['sh', '-c', `${tell} exec sleep 100`]);
	const desktop = told(await run.lines(3));
	run.child.kill('SIGKILL');
	assert.equal((await run.end()).signal, 'SIGKILL');
	await assertNothingLeft(desktop);
});

test('nothing is left when its session is killed', async () => {
	const run = new Run(['sh', '-c', `${tell} echo $PPID; sleep 100`]);
	const lines = await run.lines(4);
	process.kill(Number(lines[3]), 'SIGKILL');
	assert.equal((await run.end()).status, 137);
	await assertNothingLeft(told(lines));
});

test('a share is granted and real frames flow; the user can change their mind', async () => {
	const run = new Run(['sh', '-c', `
		${client} --frames 10
		${control} consented-at
		${control} consent deny
		${client}
		${control} dialogs
	`]);
	const began = Date.now();
	const lines = (await run.output()).trim().split('\n');
	const granted = steps(lines.slice(0, 5).join('\n'));
	assert.equal(granted.version.version >= 4, true);
	assert.equal(granted.Start.response, 0);
	assert.deepEqual(granted.Start.streams[0][1].size, [1920, 1080]);
	assert.equal(granted.frames.frames, 10);
	const consented = Number(lines[5]);
	assert.equal(consented >= began && consented <= granted.Start.at, true, lines[5]);
	const denied = steps(lines.slice(6).join('\n'));
	assert.equal(denied.Start.response, 1);
	assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {open: 0, answered: 2});
});

test('a dialog is left alone when told so, until told otherwise', async () => {
	const run = new Run(['--consent', 'ignore', '--size', '1280x720', '--monitors', '2', 'sh', '-c', `
		${client} &
		until ${control} dialogs | grep -q '"open": 1'; do sleep 0.05; done
		sleep 1
		${control} dialogs
		${control} consent screen
		wait
	`]);
	const output = await run.output();
	assert.match(output, /\{"open": 1, "answered": 0\}/);
	assert.equal(steps(output).Start.response, 0);
	assert.deepEqual(steps(output).Start.streams[0][1].size, [1280, 720]);
});

test('in GNOME Shell a window is shared, and the top bar stops it', async () => {
	const run = new Run(['--shell', 'gnome', '--consent', 'window', '--apps', 'marker,terminal', 'sh', '-c', `
		${client} --types any --hold 20 &
		until ${control} consented-at 2>/dev/null; do sleep 0.1; done
		${control} window move 'Portlight marker' 100 120
		${control} window resize 'Portlight marker' 900 600
		${control} stop-share
		wait
	`]);
	const output = await run.output();
	const answers = steps(output);
	assert.equal(answers.Start.response, 0);
	assert.equal(answers.Start.streams[0][1].source_type, 2);
	assert.notEqual(answers.Closed, undefined, 'the portal closed the session');
	assert.match(output, /"x": 100, "y": 120/);
	assert.match(output, /"width": 900, "height": 600/);
});

for (const shell of ['mutter', 'xvfb']) {
	test(`the marker on ${shell} is read from a screenshot; --out is handed back`, async () => {
		const out = join(scratch, shell);
		const before = Date.now();
		await new Run(['--shell', shell, '--size', '1280x800', '--out', out, 'sh', '-c', `${control} screenshot "$PORTLIGHT_OUT/desktop.png"`]).output();
		const png = join(out, 'desktop.png');
		assert.equal(statSync(png).uid, process.getuid?.());
		assert.equal(statSync(out).uid, process.getuid?.());
		const data = execFileSync('ffmpeg', ['-v', 'error', '-i', png, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'], {maxBuffer: 2 ** 28});
		const image = {data, width: 1280, height: 800};
		const place = locateMarker(image);
		assert.notEqual(place, null, 'there is a marker');
		const mark = place && readMarker(image, place);
		assert.equal(mark !== null && mark.clockMs >= before && mark.clockMs <= Date.now(), true, JSON.stringify(mark));
	});
}

test('two desktops at a time do not disturb each other', async () => {
	const consents = ['screen', 'deny'];
	const outputs = await Promise.all(consents.map((consent) => new Run(['--consent', consent, client]).output()));
	assert.deepEqual(outputs.map((output) => steps(output).Start.response), [0, 1]);
});

test('it runs in a folder that only its owner may enter, also where no mount namespace is allowed', async () => {
	const closed = join(scratch, 'closed');
	const clone = join(closed, 'clone');
	mkdirSync(closed, {mode: 0o700});
	cpSync(folder, join(clone, 'tests/desktop'), {recursive: true});
	const script = 'pwd; tests/desktop/portal-client; echo done >"$PORTLIGHT_OUT/result"';
	const words = [join(clone, 'tests/desktop/with-desktop'), '--out', 'out', 'sh', '-c', script];
	// An ordinary user needs neither, and cannot give up capabilities either.
	const without = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-sys_admin'] : [];
	for (const [first, ...rest] of [words, [...without, ...words]]) {
		const output = await new Run(rest, {program: first, cwd: clone}).output();
		const copied = first === 'setpriv';
		assert.equal(output.split('\n')[0] === clone, !copied);
		assert.equal(steps(output).Start.response, 0);
		assert.equal(readFileSync(join(clone, 'out/result'), 'utf8'), 'done\n');
		assert.equal(statSync(join(clone, 'out/result')).uid, process.getuid?.());
		assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(closed), false, 'mounts');
		rmSync(join(clone, 'out'), {recursive: true});
	}
});

test('a crashed portal is started again, and its dialogs are still answered', async () => {
	const run = new Run(['sh', '-c', `${client}; ${control} kill portal-backend; ${control} start portal; ${client}`]);
	const answers = (await run.output()).split('\n').filter((line) => line.includes('"Start"'));
	assert.deepEqual(answers.map((line) => JSON.parse(line).response), [0, 0]);
});

test('a part that cannot start is named, with its log', async () => {
	const run = new Run(['--size', '1920x99999', 'true']);
	assert.equal((await run.end()).status, 125);
	assert.match(run.stderr, /the desktop could not be started: compositor/);
});
