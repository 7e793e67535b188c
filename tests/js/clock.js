/** Time in these tests: a clock that goes when the test says so, and waits for what needs no clock. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach } from 'node:test';

const WAIT_MAX_MS = 20_000;
/** Not zero, which may stand for never. */
const START = 1_000_000;

/** More than any request takes from its first promise to its answer. */
const TURNS = 16;

/** Lets every promise, every next turn and every message between the fakes arrive. */
export async function settle() {
	for (let turn = 0; turn < TURNS; turn++) {
		await new Promise(setImmediate);
	}
}

/**
 * Waits for what comes by a real MessageChannel, which takes some turns of the event loop.
 *
 * @param {() => unknown} condition
 */
export async function until(condition) {
	const end = performance.now() + WAIT_MAX_MS;
	while (!condition()) {
		assert.ok(performance.now() < end, `waited in vain for ${condition}`);
		await settle();
	}
}

/** A clock with its timers. A window gets it by makeWindow(), the global object by useTime(). */
export class FakeTime {
	now = START;
	timers = new Map();
	#last = 0;
	#real = { setTimeout, clearTimeout };
	#realNow = Date.now;

	/** What they have of it. */
	globals = {
		setTimeout: (callback, delay, ...args) => {
			if (delay === undefined) {
				return setImmediate(callback); // It waits for the next turn, not for time.
			}
			this.timers.set(++this.#last, { at: this.now + delay, callback: () => callback(...args) });
			return this.#last;
		},
		clearTimeout: (id) => this.timers.delete(id),
		performance: { now: () => this.now },
	};

	install() {
		this.now = START;
		this.timers.clear();
		const { setTimeout, clearTimeout } = this.globals;
		Object.assign(globalThis, { setTimeout, clearTimeout });
		Date.now = () => this.now;
	}

	uninstall() {
		Object.assign(globalThis, this.#real);
		Date.now = this.#realNow;
	}

	/** Timers go off in their order, each after all that came of the one before. */
	async pass(ms) {
		await settle();
		const end = this.now + ms;
		for (;;) {
			const [next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at);
			if (!next || next[1].at > end) {
				break;
			}
			const [id, { at, callback }] = next;
			this.timers.delete(id);
			this.now = Math.max(this.now, at);
			callback();
			await settle();
		}
		this.now = end;
	}
}

/** The clock of a file's tests, in place of the real one; each test begins at the same time. */
export function useTime() {
	const time = new FakeTime();
	beforeEach(() => time.install());
	afterEach(() => time.uninstall());
	return time;
}
