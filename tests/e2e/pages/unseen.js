/**
 * The first script of a page that looks for whatever is in it and isn't its own: every object that it can reach, every
 * function that scripts use, every message, event and change of the document.
 */
(() => {
	/** How often each function was called. @type {Record<string, number>} */
	const calls = {};
	/** What of the page's own messages was read that a message doesn't have. */
	const read = Object.create(null);
	/** @type {string[]} */
	const heard = [];
	/** @type {string[]} */
	const records = [];
	const {defineProperty, getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf} = Object;
	const {apply, construct} = Reflect;

	// Before anything is replaced.
	const shapes = shapesOf(window);
	const looks = looksOf();

	/** Every property of a thing, with its flags and the text of its functions. @param {any} thing @param {string} path */
	function propertiesOf(thing, path) {
		return getOwnPropertyNames(thing).sort().map((name) => {
			const {value, get, set, writable, enumerable, configurable} = /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(thing, name));
			const text = [value, get, set].map((one) => (typeof one === 'function' ? Function.prototype.toString.call(one).slice(0, 80) : typeof one));
			return `${path}.${name} ${text} ${[writable, enumerable, configurable]}`;
		});
	}

	/** @param {any} global */
	function shapesOf(global) {
		const found = propertiesOf(global, 'window');
		for (const name of getOwnPropertyNames(global)) {
			const value = getOwnPropertyDescriptor(global, name)?.value;
			if (typeof value === 'function') {
				found.push(...propertiesOf(value, name), ...(value.prototype ? propertiesOf(value.prototype, `${name}.prototype`) : []));
			}
		}
		const {chrome} = /** @type {any} */ (global);
		return [...found, ...(chrome ? propertiesOf(chrome, 'chrome') : [])].sort();
	}

	/** How functions that an extension might replace fail: a Proxy shows in the message or in the stack. */
	function looksOf() {
		const devices = MediaDevices.prototype;
		return [
			...['getUserMedia', 'getDisplayMedia', 'enumerateDevices'].map((name) => [devices, name]),
			...['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'].map((name) => [Navigator.prototype, name]),
			...['clone', 'stop', 'getSettings'].map((name) => [MediaStreamTrack.prototype, name]),
			[EventTarget.prototype, 'addEventListener'],
			[window, 'postMessage'],
		].map((/** @type {any[]} */ [holder, name]) => {
			const fn = getOwnPropertyDescriptor(holder, name)?.value;
			return fn && [name, failure(() => Object.setPrototypeOf(fn, fn)), failure(() => new fn()), failure(() => apply(fn, Symbol.iterator, []))];
		});
	}

	/** @param {() => unknown} act */
	function failure(act) {
		try {
			const result = act();
			result instanceof Promise && result.catch(() => {});
			return 'none';
		} catch (thrown) {
			const error = /** @type {Error} */ (thrown);
			return `${error.name} ${error.message} ${error.stack?.split('\n').length} ${/extension:/.test(error.stack ?? '')}`;
		}
	}

	/** @param {any} holder @param {string} name */
	function count(holder, name) {
		const property = holder && getOwnPropertyDescriptor(holder, name);
		const kind = property?.get ? 'get' : 'value';
		if (typeof property?.[kind] !== 'function' || !property.configurable) {
			return;
		}
		const called = `${holder.constructor?.name} ${name}`;
		calls[called] = 0;
		defineProperty(holder, name, {...property, [kind]: new Proxy(property[kind], {
			apply(target, self, args) {
				calls[called]++;
				return apply(target, self, args);
			},
			construct(target, args, made) {
				calls[called]++;
				return construct(target, args, made);
			},
		})});
	}

	// Without any function that is counted: how often it is called is the parser's affair.
	new MutationObserver((changes) => {
		for (const {type, target, addedNodes, removedNodes} of changes) {
			let record = `${type} ${target.nodeName}`;
			for (const {nodeName} of [...addedNodes, ...removedNodes]) {
				record += ` ${nodeName}`;
			}
			records[records.length] = record;
		}
	}).observe(document, {subtree: true, childList: true, attributes: true});
	for (const holder of [Object, Reflect, JSON, RegExp.prototype, Array.prototype, String.prototype, Promise.prototype, Function.prototype,
		Event.prototype, MessageEvent.prototype, EventTarget.prototype, Document.prototype, MessagePort.prototype, /** @type {any} */ (window).scheduler && getPrototypeOf(/** @type {any} */ (window).scheduler)]) {
		getOwnPropertyNames(holder ?? {}).filter((name) => name !== 'constructor').forEach((name) => count(holder, name));
	}
	['postMessage', 'dispatchEvent', 'addEventListener', 'setTimeout', 'queueMicrotask', 'MutationObserver', 'MessageEvent', 'CustomEvent', 'Event', 'Proxy', 'MessageChannel'].forEach((name) => count(window, name));
	for (const name of ['type', 'ask', 'portlight', 'from', 'data', 'get', 'value', 'requestId', 'get-custom-sourceId']) {
		defineProperty(Object.prototype, name, /** @type {any} */ ({__proto__: null, configurable: true, get() {
			read[name] = (read[name] ?? 0) + 1;
			return undefined;
		}}));
	}

	/** @returns {Promise<object>} what there is to be seen, once the page has talked to itself */
	async function look() {
		/** @type {[any, Transferable[]][]} */
		const messages = [[null, []], [7, []], ['hello', []], ['get-sourceid', []], [{}, []], [{text: 'x'.repeat(1e6)}, []], [[1, {a: 2}], []],
			[new Map([[1, 2]]), []], [{stream: new ReadableStream()}, []], [{port: 1}, [new MessageChannel().port2]]];
		messages[8][1].push(messages[8][0].stream);
		for (const name of ['message', 'portlight:heard', 'portlight:redeem']) {
			window.addEventListener(name, (/** @type {any} */ {type, isTrusted, data, ports}) => heard.push(`${type} ${isTrusted} ${Object.prototype.toString.call(data)} ${ports.length}`));
		}
		/(own)/.exec('own');
		const before = {...calls};
		for (const [message, transfer] of messages) {
			await new Promise((resolve) => {
				window.addEventListener('message', resolve, {once: true});
				window.postMessage(message, '*', transfer);
			});
			await new Promise((resolve) => setTimeout(resolve));
		}
		const during = Object.fromEntries(Object.keys(calls).map((name) => [name, calls[name] - before[name]]));
		const entries = performance.getEntries().map(({name, entryType}) => `${entryType} ${name}`).filter((entry) => /^(navigation|resource|mark|measure) /.test(entry)).sort();
		return {shapes, looks, before, during, read, heard, records, last: RegExp.lastMatch, entries, html: document.documentElement.outerHTML};
	}
	defineProperty(window, 'look', /** @type {any} */ ({__proto__: null, value: look}));
})();
