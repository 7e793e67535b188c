/** The embedded desktop around us: what its person does, and what is on it. */
import assert from 'node:assert/strict';
import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';

/** @typedef {'screen' | 'window' | 'deny' | 'ignore'} Consent */

export class Desktop {
	/**
	 * Says what tests/desktop/desktop-ctl would, without starting a program for it.
	 * @param {string} command
	 * @param {...(string | number)} words
	 * @returns {Promise<any>} its answer
	 */
	async tell(command, ...words) {
		const socket = connect(process.env.PORTLIGHT_DESKTOP ?? '');
		socket.write(`${JSON.stringify({command, arguments: words.map(String)})}\n`);
		const {value, error} = JSON.parse(await text(socket));
		if (error !== undefined) {
			throw new Error(`${command}: ${error}`);
		}
		return value;
	}

	/**
	 * Whether this kind of desktop can do that; tests/desktop/harness/shells/__init__.py lists what there is.
	 * @param {string} what
	 * @returns {Promise<boolean>}
	 */
	async can(what) {
		return (await this.tell('can')).includes(what);
	}

	/**
	 * How dialogs are answered from now on, an open one too.
	 * @param {Consent} consent
	 */
	willAnswer(consent) {
		return this.tell('consent', consent);
	}

	/**
	 * When Share was last clicked: milliseconds since 1970. The desktop's person knows that a click took effect a little
	 * after the page does.
	 * @returns {Promise<number>}
	 */
	async consentedAt() {
		const end = performance.now() + 3000;
		for (;;) {
			try {
				return await this.tell('consented-at');
			} catch (error) {
				if (performance.now() > end) {
					throw error;
				}
				await sleep(100);
			}
		}
	}

	/** Nothing but the marker, whose window tests close, ended by itself since this was asked last. */
	async assertAlive() {
		const deaths = await this.tell('deaths');
		assert.deepEqual(deaths.filter((/** @type {string} */ name) => !name.startsWith('marker')), [], 'nothing of the desktop died');
	}

	/** @returns {Promise<number>} how many dialogs are open */
	async dialogs() {
		return (await this.tell('dialogs')).open;
	}

	/**
	 * Waits until that many dialogs are open.
	 * @param {number} count
	 */
	async untilDialogs(count) {
		const end = performance.now() + 15_000;
		for (;;) {
			const open = await this.dialogs();
			if (open === count) {
				return;
			}
			if (performance.now() > end) {
				throw new Error(`${open} share dialogs are open, not ${count}.`);
			}
			await sleep(50);
		}
	}

	/**
	 * Waits until the portal's backend runs again, if it is about to crash: GNOME 43's falls over whenever a request is
	 * withdrawn while its dialog is open, and is started again, as the session bus of an installed desktop does on demand.
	 */
	mendPortal() {
		return this.tell('mend-portal');
	}
}
