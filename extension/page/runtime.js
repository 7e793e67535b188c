/**
 * In the page's own world, in Chromium, in pages that ask another extension: runtime.sendMessage, which browsers give only
 * to pages that an extension hears. One that is there answers for itself; what has no receiver goes to content/answers.js.
 */
const MISSING = 'Could not establish connection. Receiving end does not exist.';
const UNANSWERED = 'The message port closed before a response was received.';
const { chrome: page } = /** @type {any} */ (window);
const runtime = page ? (page.runtime ??= {}) : {};

/** @typedef {{reply?: unknown, error?: string}} Answer */

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

/** @param {unknown} extension @param {unknown} said @returns {Promise<{reply?: unknown, unknown?: boolean}>} */
function askOurs(extension, said) {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = ({ data }) => {
			port1.close();
			resolve(data);
		};
		const data = { type: 'portlight:say', extension, said: JSON.stringify(said) };
		window.dispatchEvent(new MessageEvent('portlight:heard', { data, ports: [port2], cancelable: true }));
	});
}

/** @param {Function} callback @param {string} message */
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

/** @param {Function | undefined} own @param {any[]} args @returns {Promise<unknown>} */
async function sendMessage(own, args) {
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
	} else if (error && error !== UNANSWERED) {
		throw new Error(error); // Without a callback, no answer is no error.
	} else {
		return reply;
	}
}

const own = runtime.sendMessage;
runtime.sendMessage = (/** @type {any[]} */ ...args) => sendMessage(own, args);
