/** Completions in the shells themselves: bash and zsh at a terminal, asked by their keys, and fish by its `complete -C`. */
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {until} from '../fake/world.js';
import {program} from './recording.js';
import {rooms} from './rooming.js';

const completions = fileURLToPath(new URL('../../packaging/completions', import.meta.url));
/** @type {string} */
let folder;
/** @type {NodeJS.ProcessEnv} */
let env;

// Escape and * insert all that bash offers into the line, ^Xa does in zsh; ^G keeps the line in a file.
const bashrc = `
tell() { printf '%s\\n' "$READLINE_LINE" > "$LINE"; }
bind -x '"\\C-g": tell'
source ${completions}/portlight.bash
source ${completions}/portlight-rooms.bash
PS1='ready> '
`;
const zshrc = `
fpath=(${completions} $fpath)
autoload -Uz compinit
compinit -u -D
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
bindkey '^Xa' all-matches
tell() { print -r -- $BUFFER > $LINE }
zle -N tell
bindkey '^G' tell
PS1='ready> '
`;

before(() => {
	folder = mkdtempSync(join(tmpdir(), 'portlight-shells-'));
	env = {
		...process.env,
		HOME: folder,
		ZDOTDIR: folder,
		LINE: join(folder, 'line'),
		XDG_STATE_HOME: folder,
		XDG_CONFIG_HOME: folder,
		PATH: `${dirname(program)}:${process.env.PATH}`,
		TERM: 'xterm',
		LC_ALL: 'C.UTF-8',
	};
	writeFileSync(join(folder, 'bashrc'), bashrc);
	writeFileSync(join(folder, '.zshrc'), zshrc);
	mkdirSync(join(folder, 'portlight'), {mode: 0o700});
	const grants = 'portlight-grants 1 7\nhttps://a.example\tmonitor\t1\t2\told\nhttps://b.example:8443\twindow\t1\t2\told\n';
	writeFileSync(join(folder, 'portlight/grants'), grants, {mode: 0o600});
	writeFileSync(join(folder, 'x.webm'), '');
});

after(() => rmSync(folder, {recursive: true}));

/**
 * The line that a shell at a terminal makes of some keys.
 * @param {string} command
 * @param {string} keys
 */
async function typed(command, keys) {
	const line = join(folder, 'line');
	rmSync(line, {force: true});
	const child = spawn('script', ['-qec', command, '/dev/null'], {env, cwd: folder, stdio: 'pipe'});
	let shown = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (shown += text));
	try {
		await until(`${command} is ready: ${shown}`, () => shown.includes('ready> '));
		child.stdin.write(`${keys}\x07`);
		await until('the line is told', () => existsSync(line) && readFileSync(line, 'utf8').endsWith('\n'));
		child.stdin.write('\x15exit\n');
		await once(child, 'close');
	} finally {
		child.kill('SIGKILL');
	}
	return readFileSync(line, 'utf8').trimEnd();
}

/** @type {Record<string, (line: string) => Promise<string[]>>}  what each shell makes of a line's last word, or adds to it */
const shells = {
	bash: async (line) => split(line, await typed(`bash --rcfile ${folder}/bashrc -i`, `${line}\x1b*`)),
	zsh: async (line) => split(line, await typed('zsh -d -i', `${line}\x18a`)),
	fish: async (line) => {
		const run = spawnSync('fish', ['--no-config', '-c', `source ${completions}/portlight.fish; source ${completions}/portlight-rooms.fish; complete -C "$argv[1]"`, line], {
			env,
			cwd: folder,
			encoding: 'utf8',
		});
		assert.equal(run.stderr, '');
		return run.stdout.split('\n').filter((word) => word !== '').map((word) => word.split('\t')[0]);
	},
};

/** @param {string} line @param {string} completed */
function split(line, completed) {
	const fixed = line.slice(0, line.lastIndexOf(' ') + 1);
	assert.ok(completed.startsWith(fixed.trimEnd()), completed);
	return completed.slice(fixed.length).split(' ').filter((word) => word !== '' && !line.endsWith(` ${word}`));
}

/** Words as they are after the = that a shell may repeat, or offer with the option. @param {string[]} words */
const bare = (words) => words.map((word) => word.replace(/=$/, '').replace(/^--[a-z-]+=/, '')).sort();

/** @param {string[]} args */
function help(...args) {
	const {status, stdout} = spawnSync(program, [...args, '--help'], {encoding: 'utf8'});
	assert.equal(status, 0);
	return stdout;
}

/** The long options that a command's help lists. @param {string} text */
const options = (text) => [...text.matchAll(/^ +(?:-., )?(--[a-z-]+)/gm)].map((match) => match[1]).sort();
/** The words that an option's help lists. @param {string} text */
const choices = (text) => [...text.matchAll(/^ +(?:-., )?(--[a-z-]+)=(\S+\|\S+)/gm)].map((match) => [match[1], match[2].split('|')]);
const commands = [...help().matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1]).sort();
const browsers = (/^Browsers: (.*)$/m.exec(help('install'))?.[1] ?? '').split(' ').sort();

for (const [shell, offered] of Object.entries(shells)) {
	test(`${shell}: commands, and every option that the help of each lists`, async () => {
		assert.ok(commands.length > 4);
		assert.deepEqual(bare(await offered('portlight ')).filter((word) => !word.startsWith('-')), commands);
		assert.deepEqual(bare(await offered('portlight help ')), commands);
		assert.deepEqual(bare(await offered('portlight --')), options(help()));
		for (const command of commands.filter((name) => name !== 'help')) {
			const listed = options(help(command));
			assert.ok(listed.includes('--help') && listed.includes('--version'), command);
			assert.deepEqual(bare(await offered(`portlight ${command} --`)), listed, command);
		}
	});

	test(`${shell}: the words of an option, behind a space and behind =`, async () => {
		const record = /** @type {[string, string[]][]} */ (choices(help('record')));
		assert.equal(record.length, 3);
		for (const [option, words] of record) {
			assert.deepEqual(bare(await offered(`portlight record ${option} `)), [...words].sort(), option);
			assert.deepEqual(bare(await offered(`portlight record ${option}=`)), [...words].sort(), option);
		}
		assert.deepEqual(bare(await offered('portlight record --source=w')), ['window']);
		assert.deepEqual(bare(await offered('portlight record -s ')), ['screen', 'window']);
	});

	test(`${shell}: browsers, grants and files`, async () => {
		assert.ok(browsers.includes('firefox'));
		assert.deepEqual(bare(await offered('portlight uninstall ')), browsers);
		assert.deepEqual(bare(await offered('portlight install firef')), ['firefox']);
		assert.deepEqual(bare(await offered('portlight install --browser=')), browsers);
		assert.deepEqual(bare(await offered('portlight grants ')), ['list', 'revoke']);
		const origins = ['https://a.example', 'https://b.example:8443'];
		assert.deepEqual((await offered('portlight grants revoke ')).map((word) => word.replaceAll('\\', '')).sort(), origins);
		assert.deepEqual((await offered('portlight grants revoke https://b')).map((word) => word.replaceAll('\\', '')), [origins[1]]);
		assert.ok((await offered('portlight record x')).includes('x.webm'));
	});

	test(`${shell}: what is typed is not run`, async () => {
		await offered('portlight $(:>ran) --');
		await offered('portlight record --source=$(:>ran)');
		await offered('portlight grants revoke `:>ran`');
		assert.equal(existsSync(join(folder, 'ran')), false);
	});
}

for (const [shell, offered] of Object.entries(shells)) {
	test(`${shell}: portlight-rooms, its options, their words, files and folders`, async () => {
		const listed = options(spawnSync(rooms, ['--help'], {encoding: 'utf8'}).stdout);
		assert.ok(listed.includes('--check-config') && listed.includes('--help'));
		assert.deepEqual(bare(await offered('portlight-rooms --')), listed);
		assert.deepEqual(bare(await offered('portlight-rooms --open=')), ['no', 'public', 'yes']);
		assert.deepEqual(bare(await offered('portlight-rooms --dialect ')), ['lesson', 'sse']);
		assert.deepEqual(bare(await offered('portlight-rooms --config x.w')), ['x.webm']);
		assert.deepEqual(bare(await offered('portlight-rooms --pages portl')).map((name) => name.replace(/\/$/, '')), ['portlight']);
	});
}
