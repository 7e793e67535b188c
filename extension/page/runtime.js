/**
 * In the page's own world, in pages that ask another extension: takes the calls of runtime.sendMessage that page/shim.js
 * kept. An extension that is there answers for itself; what has no receiver goes to content/dialects.js.
 */
(() => {
	'use strict';
	const MISSING = 'Could not establish connection. Receiving end does not exist.';
	const page = /** @type {any} */ (window);
	const runtime = page.chrome?.runtime;
	if (!runtime) {
		return;
	}
	/** @type {Map<number, (reply: {reply?: unknown, unknown?: boolean}) => void>} */
	const waiting = new Map();
	let last = 0;

	window.addEventListener('portlight:reply', (/** @type {any} */ { detail }) => {
		const { call, ...rest } = JSON.parse(detail);
		waiting.get(call)?.(rest);
		waiting.delete(call);
	});

	/**
	 * The browser's own, where it has one, before ours.
	 *
	 * @param {Function | undefined} own
	 * @param {any[]} args
	 * @returns {Promise<{there: boolean, reply?: unknown}>}
	 */
	function askOwn(own, args) {
		return new Promise((resolve) => {
			if (!own) {
				resolve({ there: false });
				return;
			}
			try {
				const plain = args.filter((arg) => arg !== null && typeof arg !== 'function');
				Reflect.apply(own, runtime, [...plain, (/** @type {unknown} */ reply) => resolve({ there: !runtime.lastError, reply })]);
			} catch {
				resolve({ there: false });
			}
		});
	}

	/**
	 * @param {unknown} extension
	 * @param {unknown} said
	 * @returns {Promise<{reply?: unknown, unknown?: boolean}>}
	 */
	function askOurs(extension, said) {
		return new Promise((resolve) => {
			const call = ++last;
			waiting.set(call, resolve);
			const detail = JSON.stringify({ call, extension, said });
			window.dispatchEvent(new CustomEvent('portlight:say', { detail }));
		});
	}

	/** @param {Function} callback */
	function fail(callback) {
		Object.defineProperty(runtime, 'lastError', { configurable: true, value: { message: MISSING } });
		try {
			callback();
		} finally {
			delete runtime.lastError;
		}
	}

	/** @param {{args: any[], done: (reply: unknown) => void, own?: Function}} call */
	async function take({ args, done, own }) {
		const callback = args.find((arg) => typeof arg === 'function');
		let answer = await askOwn(own, args);
		if (!answer.there) {
			const ours = await askOurs(String(args[0]), args[1]);
			answer = { there: !ours.unknown, reply: ours.reply };
		}
		if (!callback) {
			done(answer.there ? answer.reply : Promise.reject(new Error(MISSING)));
		} else if (answer.there) {
			callback(answer.reply);
		} else {
			fail(callback);
		}
	}

	window.dispatchEvent(new CustomEvent('portlight:runtime', { detail: take }));
})();
