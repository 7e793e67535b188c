/** What `make run` and `make rooms` have in common: progress lines, choices by the environment, the desktop around, an orderly end. */
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Failure} from './failure.js';

const withDesktop = fileURLToPath(new URL('../../desktop/with-desktop', import.meta.url));
const began = performance.now() - Math.max(0, Date.now() - Number(process.env.PORTLIGHT_RUN_BEGAN ?? Date.now()));
/** What fails from then on fails because everything is being closed. */
let interrupted = false;

/** @param {string} text */
export function say(text) {
	console.log(`[${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s] ${text}`);
}

/** A variable of the environment; the first of what is allowed where it is not set. @param {string} name @param {string[]} allowed */
export function choice(name, allowed) {
	const value = process.env[name] || allowed[0];
	if (!allowed.includes(value)) {
		throw new Failure(`${name}=${value} is not known`, `Use ${name}=${allowed.join(' or ')}.`);
	}
	return value;
}

/**
 * Starts a program again in an embedded desktop.
 * @param {string} url of the program
 * @param {string[]} options of with-desktop
 * @returns {Promise<number>} its status
 */
export function runEmbedded(url, options) {
	const child = spawn(withDesktop, [...options, '--', process.execPath, fileURLToPath(url)], {
		stdio: 'inherit',
		// In a group of its own: a terminal's Ctrl-C reaches it through us, once, and it closes in order.
		detached: true,
		env: {...process.env, PORTLIGHT_RUN_BEGAN: String(Date.now() - (performance.now() - began))},
	});
	for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
		process.on(signal, () => child.kill(signal));
	}
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('exit', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? 130 : 1)));
	});
}

/**
 * Does something and then, or when a signal ends it, closes what it opened, the last first.
 * @template T
 * @param {(open: (() => unknown)[]) => Promise<T>} act  puts what closes a thing into `open`
 */
export async function closingAll(act) {
	/** @type {(() => unknown)[]} */
	const open = [];
	const closeAll = async () => {
		for (const close of open.splice(0).reverse()) {
			await close();
		}
	};
	for (const [signal, status] of /** @type {const} */ ([['SIGHUP', 129], ['SIGINT', 130], ['SIGTERM', 143]])) {
		process.once(signal, () => {
			interrupted = true;
			say('interrupted; closing everything');
			void closeAll().finally(() => process.exit(status));
		});
	}
	const result = await act(open).finally(closeAll);
	if (interrupted) {
		// Its browsers were closed while it ran, so what it returned counts for nothing. runMain() ignores the error.
		throw new Error('interrupted');
	}
	return result;
}

/** Runs a program's main function; its failure is told, with what to do about it. @param {() => Promise<number>} main */
export function runMain(main) {
	main().then(
		(status) => process.exit(status),
		(error) => {
			if (interrupted) {
				return;
			}
			say(`failed: ${error.message}`);
			console.error(error instanceof Failure ? `Remedy: ${error.remedy}` : error.stack);
			process.exit(1);
		},
	);
}

/** @param {string} name */
export const inRepository = (name) => join(fileURLToPath(new URL('../../..', import.meta.url)), name);
