/** What the gate (GATE=1) leaves to `make check-all`. */
import {describe, test} from 'node:test';

/** @typedef {(name: string, run: (context: import('node:test').TestContext) => void | Promise<void>) => void} Declare  as `test` of node:test */

/**
 * For what is the same in both browsers: in the gate they take turns. Firefox has the first test of a file, Chromium the second.
 * @param {import('./browser.js').Kind} kind
 * @returns {Declare}
 */
export function turns(kind) {
	let place = kind === 'firefox' ? 0 : 1;
	return (name, run) => {
		place++;
		if (!process.env.GATE || place % 2 === 1) {
			void test(name, run);
		}
	};
}

/** For what takes long: not in the gate. @type {Declare} */
export const rest = process.env.GATE ? () => {} : test;

/** For a suite that starts a browser to test little that other suites don't: not in the gate. @type {(name: string, declare: () => void) => void} */
export const restSuite = process.env.GATE ? () => {} : describe;
