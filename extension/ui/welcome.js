/** The page of the first run: is the host there, how is it installed, and a share to try it with. */
import { ext } from '../background/ext.js';
import { errors } from '../shared/errors.js';
import { decodable, play } from './player.js';
import { element, failureText, make, setState, symbol, text, translate } from './text.js';

const AGAIN_MS = 3_000;

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
			await navigator.clipboard.writeText(command);
			announce(text('copied'));
		});
		element('commands').append(make('p', '', text(label)), make('div', 'command', make('code', '', command), copy));
	}
}

/** Looks whether all is there, again and again until it is. */
async function check() {
	const status = await ext.runtime.sendMessage({ type: 'host-status' });
	const found = status?.ok === true;
	markStep('host', found ? 'good' : 'bad');
	setWords('host', found ? text('hostReady', status.version) : failureText(status ?? missing).message);
	element('install').hidden = found || (status?.code ?? 'host-missing') !== 'host-missing';
	const portal = found && status.portal > 0;
	markStep('portal', portal ? 'good' : found ? 'bad' : '');
	const { message, remedy } = failureText({ code: 'portal-missing', ...errors['portal-missing'] });
	setWords('portal', portal ? text('portalReady', String(status.portal)) : found ? message : text('stepLater'));
	element('portal-remedy').textContent = remedy;
	element('portal-remedy').hidden = !found || portal;
	/** @type {HTMLButtonElement} */ (element('test')).disabled = !portal;
	if (!portal) {
		setTimeout(() => void check(), AGAIN_MS);
	}
}

const missing = { code: 'host-missing', ...errors['host-missing'] };

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
		}
	};
	testRunning(true);
	testState('asking', text('testAsking'));
	element('test-stop').onclick = () => end('good', text('testDone'));
	asking.onDisconnect.addListener(() => end('bad', failureText({ code: 'host-crashed', ...errors['host-crashed'] }).message));
	asking.onMessage.addListener(async (message) => {
		if (message.type === 'refused') {
			const { message: what, remedy } = failureText(message);
			end(message.code === 'denied' ? 'quiet' : 'bad', message.code === 'denied' ? what : `${what} ${remedy}`);
			return;
		}
		share = ext.runtime.connect({ name: 'share' });
		const canvas = /** @type {HTMLCanvasElement} */ (element('test-picture'));
		play(share, canvas);
		share.onMessage.addListener(({ type }) => {
			if (type === 'opened') {
				canvas.hidden = false;
				markStep('test', 'good');
				testState('good', text('testWorks'));
			} else if (type === 'ended') {
				end('quiet', text('testDone'));
			}
		});
		share.onDisconnect.addListener(() => end('quiet', text('testDone')));
		share.postMessage({ type: 'redeem', sourceId: message.sourceId, codecs: await decodable(), maxFps: 30 });
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
await Promise.all([check(), showShortcut()]);
