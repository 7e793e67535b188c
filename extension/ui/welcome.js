/** The page of the first run: is the host there, how is it installed, and a share to try it with. */
import { ext } from '../background/ext.js';
import { errors } from '../shared/errors.js';
import { decodable, play } from './player.js';
import { element, failureText, make, setState, symbol, text, translate } from './text.js';

/** Each look starts the host's program: ever more seldom, and only for who sees the page. */
const AGAIN_MS = 3_000;
const AGAIN_MAX_MS = 60_000;

let again = AGAIN_MS;
let looking = false;
let ready = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** How the host comes onto this machine, for everybody and for one person. @type {[string, string][]} */
const COMMANDS = [
	['installAll', 'make && sudo make install'],
	['installMine', 'make && build/bin/portlight install'],
];

/**
 * @param {'host' | 'portal' | 'test'} name
 * @param {'good' | 'bad' | ''} kind
 */
function markStep(name, kind) {
	const step = element(`step-${name}`);
	if (step.dataset.kind !== kind) {
		step.dataset.kind = kind;
		step.className = kind;
		const number = String(['host', 'portal', 'test'].indexOf(name) + 1);
		/** @type {HTMLElement} */ (step.querySelector('.mark')).replaceChildren(kind ? symbol(kind) : number);
	}
}

/** @param {string} words */
function announce(words) {
	element('announce').textContent = words;
	setTimeout(() => (element('announce').textContent = ''), 2500);
}

function showCommands() {
	for (const [label, command] of COMMANDS) {
		const copy = make('button', 'plain', symbol('copy'));
		copy.setAttribute('aria-label', text('copyCommand'));
		copy.title = text('copyCommand');
		copy.addEventListener('click', async () => {
			try {
				await navigator.clipboard.writeText(command);
				announce(text('copied'));
			} catch {
				announce(text('copyFailed'));
			}
		});
		element('commands').append(make('p', '', text(label)), make('div', 'command', make('code', '', command), copy));
	}
}

/** Looks whether all is there, again and again until it is. */
async function check() {
	clearTimeout(timer);
	looking = true;
	showStatus(await ext.runtime.sendMessage({ type: 'host-status' }).catch(() => undefined));
	looking = false;
	if (!ready && !document.hidden) {
		timer = setTimeout(() => void check(), again);
		again = Math.min(again * 2, AGAIN_MAX_MS);
	}
}

/** The person is back, perhaps from installing it. */
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
	const silent = { message: text('backgroundSilent'), remedy: text('backgroundSilentRemedy') };
	const host = found ? null : status ? failureText(status) : silent;
	markStep('host', found ? 'good' : 'bad');
	setWords('host', host?.message ?? text('hostReady', status.version));
	element('install').hidden = status?.code !== 'host-missing';
	setRemedy('host', status?.code === 'host-missing' ? '' : host?.remedy);
	const desktop = found ? lacking(status) : null;
	ready = found && !desktop;
	markStep('portal', ready ? 'good' : found ? 'bad' : '');
	setWords('portal', desktop?.message ?? (found ? text('portalReady', String(status.portal)) : text('stepLater')));
	setRemedy('portal', desktop?.remedy);
	/** @type {HTMLButtonElement} */ (element('test')).disabled = !ready;
}

/** @param {'host' | 'portal'} step @param {string} [remedy] */
function setRemedy(step, remedy = '') {
	setWords(`${step}-remedy`, remedy);
	element(`${step}-remedy`).hidden = !remedy;
}

/** What the desktop lacks for a share. @param {{portal: number, pipewire?: boolean}} status */
function lacking({ portal, pipewire }) {
	if (!(portal > 0)) {
		return known('portal-missing');
	}
	return pipewire === false ? { message: text('pipewireMissing'), remedy: text('pipewireRemedy') } : null;
}

/** @param {string} code */
function known(code) {
	return failureText({ code, ...errors[code] });
}

/** @param {string} id @param {string} words only what changed is read out */
function setWords(id, words) {
	if (element(id).textContent !== words) {
		element(id).textContent = words;
	}
}

/** @param {'good' | 'bad' | 'asking' | 'quiet'} kind @param {string} words */
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
	/** @param {'good' | 'bad' | 'quiet'} kind @param {string} words */
	const end = (kind, words) => {
		if (!over) {
			over = true;
			share?.disconnect();
			asking.disconnect();
			element('test-picture').hidden = true;
			testRunning(false);
			testState(kind, words);
			if (kind === 'bad') {
				markStep('test', 'bad');
			}
		}
	};
	testRunning(true);
	testState('asking', text('testAsking'));
	/** @param {{message: string, remedy: string}} failure */
	const fail = ({ message, remedy }) => end('bad', `${message} ${remedy}`);
	element('test-stop').onclick = () => end('good', text('testDone'));
	asking.onDisconnect.addListener(() => fail(known('host-crashed')));
	asking.onMessage.addListener(async (message) => {
		if (message.type === 'refused') {
			if (message.code === 'denied') {
				end('quiet', failureText(message).message);
			} else {
				fail(failureText(message));
			}
			return;
		}
		const codecs = 'VideoDecoder' in window ? await decodable() : [];
		if (over) {
			return;
		}
		if (codecs.length === 0) {
			fail(known('decoder-failed'));
			return;
		}
		share = ext.runtime.connect({ name: 'share' });
		const canvas = /** @type {HTMLCanvasElement} */ (element('test-picture'));
		play(share, canvas, {
			onPicture: () => {
				if (!over && canvas.hidden) {
					canvas.hidden = false;
					markStep('test', 'good');
					testState('good', text('testWorks'));
				}
			},
			onFailed: () => fail(known('decoder-failed')),
		});
		share.onMessage.addListener((ended) => {
			if (ended.type !== 'ended') {
				return;
			}
			// Ends that are nobody's fault have no exception's name in the catalogue.
			if (errors[ended.code]?.name === '') {
				end('quiet', text('testDone'));
			} else {
				fail(failureText(ended));
			}
		});
		share.onDisconnect.addListener(() => end('quiet', text('testDone')));
		share.postMessage({ type: 'redeem', sourceId: message.sourceId, codecs, maxFps: 30 });
	});
	asking.postMessage({ type: 'request' });
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
await Promise.all([check(), showShortcut()]);
