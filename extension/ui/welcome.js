/** The page of the first run: is the host there, how is it installed, and a share to try it with. */
import { ext } from '../background/ext.js';
import { decodable } from '../page/decoder.js';
import { errors } from '../shared/errors.js';
import { Failure } from '../shared/failure.js';
import { showHints } from './hints.js';
import { play } from './player.js';
import { announce, ask, element, failureText, lacking, make, say, setState, symbol, text, translate } from './text.js';

/** Each look starts the host's program: ever more seldom, and only for who sees the page. */
const AGAIN_MS = 3_000;
const AGAIN_MAX_MS = 60_000;

let again = AGAIN_MS;
let looking = false;
let ready = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** How the companion program is installed: from packages, or from its source code. @type {Record<string, [string, string][]>} */
const COMMANDS = {
	packages: [
		['installDebian', 'sudo apt install ./portlight_*.deb'],
		['installFedora', 'sudo dnf install ./portlight-[0-9]*.rpm ./webext-portlight-*.rpm'],
	],
	source: [
		['installAll', 'make && sudo make install'],
		['installMine', 'make && build/bin/portlight install'],
	],
};

/** @param {'host' | 'portal' | 'test'} name @param {'good' | 'bad' | ''} kind */
function markStep(name, kind) {
	const step = element(`step-${name}`);
	if (step.dataset.kind !== kind) {
		step.dataset.kind = kind;
		step.className = kind;
		const number = String(['host', 'portal', 'test'].indexOf(name) + 1);
		/** @type {HTMLElement} */ (step.querySelector('.mark')).replaceChildren(kind ? symbol(kind) : number);
	}
}

function showCommands() {
	for (const [list, commands] of Object.entries(COMMANDS)) {
		for (const [label, command] of commands) {
			const copy = make('button', 'plain', symbol('copy'));
			copy.setAttribute('aria-label', `${text('copyCommand')}: ${command}`);
			copy.title = text('copyCommand');
			copy.addEventListener('click', async () => {
				try {
					await navigator.clipboard.writeText(command);
					announce(text('copied'));
				} catch {
					announce(text('copyFailed'));
				}
			});
			element(list).append(make('p', '', text(label)), make('div', 'command', make('code', '', command), copy));
		}
	}
}

/** Looks whether all is there, again and again until it is. */
async function check() {
	clearTimeout(timer);
	looking = true;
	showStatus(await ask('host-status'));
	looking = false;
	if (!ready && !document.hidden) {
		timer = setTimeout(() => void check(), again);
		again = Math.min(again * 2, AGAIN_MAX_MS);
	}
}

/** The user is back, perhaps from installing it. */
function checkAtOnce() {
	if (document.hidden) {
		clearTimeout(timer);
	} else if (!ready && !looking) {
		again = AGAIN_MS;
		void check();
	}
}

/** @param {any} status undefined where the background did not answer */
function showStatus(status) {
	const found = status?.ok === true;
	const lack = lacking(status);
	ready = !lack;
	markStep('host', found ? 'good' : 'bad');
	say(element('host'), found ? text('hostReady', status.version) : (lack?.message ?? ''));
	element('install').hidden = !['host-missing', 'host-unusable'].includes(status?.code);
	setRemedy('host', found || status?.code === 'host-missing' ? '' : lack?.remedy);
	markStep('portal', ready ? 'good' : found ? 'bad' : '');
	say(element('portal'), !found ? text('stepLater') : (lack?.message ?? text('portalReady', String(status.portal))));
	setRemedy('portal', found ? lack?.remedy : '');
	/** @type {HTMLButtonElement} */ (element('test')).disabled = !ready;
}

/** @param {'host' | 'portal'} step @param {string} [remedy] */
function setRemedy(step, remedy = '') {
	say(element(`${step}-remedy`), remedy);
	element(`${step}-remedy`).hidden = !remedy;
}

/** @param {string} code */
function known(code) {
	return failureText({ code, ...errors[code] });
}

/** @typedef {'good' | 'bad' | 'asking' | 'quiet'} TestState */
/** @typedef {(kind: TestState, words: string) => void} Tell */

/** @param {TestState} kind @param {string} words */
function testState(kind, words) {
	element('test-state').hidden = false;
	setState(element('test-state'), kind, words);
}

/** @param {boolean} running */
function testRunning(running) {
	element('test').hidden = running;
	element('test-stop').hidden = !running;
	element(running ? 'test-stop' : 'test').focus();
}

function test() {
	const asking = ext.runtime.connect({ name: 'test' });
	/** @type {chrome.runtime.Port | null} */
	let share = null;
	let over = false;
	/** @param {TestState} kind @param {string} words */
	const tell = (kind, words) => {
		testState(kind, words);
		if (kind === 'good' || kind === 'bad') {
			markStep('test', kind);
		}
	};
	/** @param {TestState} kind @param {string} words */
	const end = (kind, words) => {
		if (!over) {
			over = true;
			tell(kind, words);
			share?.disconnect();
			asking.disconnect();
			element('test-picture').hidden = true;
			testRunning(false);
		}
	};
	/** @param {{message: string, remedy: string}} failure */
	const fail = ({ message, remedy }) => end('bad', `${message} ${remedy}`);
	const works = () => {
		const picture = element('test-picture');
		if (!over && picture.hidden) {
			picture.hidden = false;
			tell('good', text('testWorks'));
		}
	};
	testRunning(true);
	tell('asking', text('testAsking'));
	element('test-stop').onclick = () => end('quiet', text('testDone'));
	asking.onDisconnect.addListener(() => fail(known('host-crashed')));
	asking.onMessage.addListener(async (message) => {
		const codecs = typeof VideoDecoder === 'function' ? await decodable() : null;
		if (message.type === 'refused' && message.code === 'denied') {
			end('quiet', failureText(message).message);
		} else if (message.type === 'refused') {
			fail(failureText(message));
		} else if (!codecs?.length) {
			fail(known(codecs ? 'decoder-failed' : 'no-decoder'));
		} else if (!over) {
			share = ext.runtime.connect({ name: 'share' });
			watch(share, { works, end, fail });
			share.postMessage({ type: 'redeem', sourceId: message.sourceId, codecs, maxFps: 30 });
		}
	});
	asking.postMessage({ type: 'request' });
}

/**
 * Shows the test's share: it works from its first picture on.
 *
 * @param {chrome.runtime.Port} share
 * @param {{works: () => void, end: Tell, fail: (failure: {message: string, remedy: string}) => void}} test
 */
function watch(share, { works, end, fail }) {
	play(share, /** @type {HTMLCanvasElement} */ (element('test-picture')), { onPicture: works, onFailed: () => fail(known('decoder-failed')) });
	share.onMessage.addListener((message) => {
		if (message.type === 'ended' && new Failure(message.code).intended) {
			end('quiet', text('testDone'));
		} else if (message.type === 'ended') {
			fail(failureText(message));
		}
	});
	share.onDisconnect.addListener(() => end('quiet', text('testDone')));
}

async function showShortcut() {
	const commands = await ext.commands.getAll();
	const keys = commands.find(({ name }) => name === 'stop-all')?.shortcut;
	element('point-shortcut').textContent = keys ? text('pointShortcut', keys) : text('pointNoShortcut');
}

translate();
showCommands();
element('test').addEventListener('click', test);
element('settings').addEventListener('click', () => void ext.runtime.openOptionsPage());
document.addEventListener('visibilitychange', checkAtOnce);
window.addEventListener('focus', checkAtOnce);
window.addEventListener('focus', () => void showHints());
await Promise.all([check(), showShortcut(), showHints()]);
