/** Gives the browser's functions something to do before their own. */
import { apply, assign, create, defineProperty, getOwnPropertyDescriptor } from './pristine.js';

/**
 * A Proxy keeps a function's name, length and text. Its handler has no prototype: the page's may have members that would
 * be traps.
 *
 * @param {Function} target
 * @param {(target: any, self: any, args: any[]) => unknown} call
 */
export const proxied = (target, call) => new Proxy(target, assign(create(null), { apply: call }));

/**
 * A method or getter, with another answer.
 *
 * @param {any} holder that has it as its own
 * @param {string} name
 * @param {(args: any[], native: () => any, self: any) => unknown} answer
 * @returns {PropertyDescriptor | null} null where it has none
 */
export function wrapped(holder, name, answer) {
	const property = holder && getOwnPropertyDescriptor(holder, name);
	const kind = property?.get ? 'get' : 'value';
	if (typeof property?.[kind] !== 'function') {
		return null;
	}
	property[kind] = proxied(property[kind], (target, self, args) => answer(args, () => apply(target, self, args), self));
	return property;
}

/**
 * Puts that in its place.
 *
 * @param {any} holder
 * @param {string} name
 * @param {Parameters<typeof wrapped>[2]} answer
 * @param {any} [instance] gets it where the holder is frozen
 */
export function wrap(holder, name, answer, instance) {
	const property = wrapped(holder, name, answer);
	if (property && !defineProperty(holder, name, property) && instance) {
		defineProperty(instance, name, property);
	}
}
