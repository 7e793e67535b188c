/**
 * In the page's own world, in pages that ask another extension: takes the calls of runtime.sendMessage that page/shim.js
 * kept. An extension that is there answers for itself; what has no receiver goes to content/dialects.js.
 */
(() => {
	'use strict';
	const MISSING = 'Could not establish connection. Receiving end does not exist.';
	const UNANSWERED = 'The message port closed before a response was received.';
	const page = /** @type {any} */ (window);
	const runtime = page.chrome?.runtime;
	if (!runtime) {
		return;
	}
	/** @typedef {{reply?: unknown, error?: string}} Answer */
	/** @type {Map<number, (reply: {reply?: unknown, unknown?: boolean}) => void>} */
	const waiting = new Map();
	let last = 0;

	/** @param {any} event */
	function hear({ detail }) {
		const { call, ...rest } = JSON.parse(detail);
		waiting.get(call)?.(rest);
		waiting.delete(call);
	}

	/** And again after document.open(), which removes a window's listeners. */
	const listen = () => window.addEventListener('portlight:reply', hear);
	listen();
	new MutationObserver(listen).observe(document, { childList: true });

	/**
	 * The browser's own, where it has one, before ours.
	 *
	 * @param {Function | undefined} own
	 * @param {any[]} args
	 * @returns {Promise<Answer | null>} null: the extension is not there
	 */
	function askOwn(own, args) {
		return new Promise((resolve) => {
			if (!own) {
				resolve(null);
				return;
			}
			try {
				const plain = args.filter((arg) => arg !== null && typeof arg !== 'function');
				const answered = (/** @type {unknown} */ reply) => {
					const error = runtime.lastError?.message;
					resolve(error === MISSING ? null : { reply, error });
				};
				Reflect.apply(own, runtime, [...plain, answered]);
			} catch {
				resolve(null);
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

	/**
	 * @param {Function} callback
	 * @param {string} message
	 */
	function fail(callback, message) {
		const before = Object.getOwnPropertyDescriptor(runtime, 'lastError');
		Object.defineProperty(runtime, 'lastError', { configurable: true, value: { message } });
		try {
			callback();
		} finally {
			delete runtime.lastError;
			Object.defineProperties(runtime, before ? { lastError: before } : {});
		}
	}

	/** @param {{args: any[], done: (reply: unknown) => void, own?: Function}} call */
	async function take({ args, done, own }) {
		const callback = args.find((arg) => typeof arg === 'function');
		let answer = await askOwn(own, args);
		if (!answer) {
			const { reply, unknown } = await askOurs(String(args[0]), args[1]);
			answer = { reply, error: unknown ? MISSING : undefined };
		}
		const { reply, error } = answer;
		if (callback && error) {
			fail(callback, error);
		} else if (callback) {
			callback(reply);
		} else {
			// Without a callback, no answer is no error.
			done(error && error !== UNANSWERED ? Promise.reject(new Error(error)) : reply);
		}
	}

	window.dispatchEvent(new CustomEvent('portlight:runtime', { detail: take }));
})();
