/** A web site whose page a test tells what to do, over the network alone: the browsers here have no driver. */
import {startServer} from '../../e2e/lib/server.js';

/** How long something may take that is to happen. */
const CAP_MS = 30_000;

/** @typedef {{id: number, verb: string, args: unknown[]}} Order */

/** One load of the page. */
class Visit {
	/** @type {Order[]} */
	orders = [];
	/** @type {((order: Order) => void) | null} who waits for the next order */
	waiting = null;
	/** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
	open = new Map();

	/**
	 * Has the page do that: a method of tests/e2e/pages/probe.js, or a property of it.
	 * @param {string} verb @param {...unknown} args
	 * @returns {Promise<any>}
	 */
	probe(verb, ...args) {
		const order = {id: ++ids, verb, args};
		if (this.waiting) {
			this.waiting(order);
			this.waiting = null;
		} else {
			this.orders.push(order);
		}
		return within(`the page to ${verb}`, new Promise((resolve, reject) => this.open.set(order.id, {resolve, reject})));
	}

	/** @param {{id: number, value?: unknown, error?: string}} told */
	told({id, value, error}) {
		const asked = this.open.get(id);
		this.open.delete(id);
		if (error === undefined) {
			asked?.resolve(value);
		} else {
			asked?.reject(new Error(error));
		}
	}
}

let ids = 0;

/** @template T @param {string} what @param {Promise<T>} promise @returns {Promise<T>} */
function within(what, promise) {
	/** @type {NodeJS.Timeout} */
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`Waited ${CAP_MS / 1000} s for ${what}.`)), CAP_MS);
	});
	return Promise.race([promise, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}

/** Starts the site. */
export async function startSite() {
	/** @type {Map<string, Visit>} */
	const visits = new Map();
	/** @type {((visit: Visit) => void)[]} */
	const expected = [];
	const server = await startServer('127.0.0.1', async (request, response, path) => {
		const [, name, id] = path.split('/');
		if (request.method !== 'POST' || name !== 'remote') {
			return false;
		}
		let body = '';
		for await (const part of request) {
			body += part;
		}
		let visit = visits.get(id);
		if (!visit) {
			visit = new Visit();
			visits.set(id, visit);
			expected.shift()?.(visit);
		}
		if (body) {
			visit.told(JSON.parse(body));
			response.end('{}');
			return true;
		}
		const order = visit.orders.shift() ?? (await new Promise((resolve) => (visit.waiting = resolve)));
		response.end(JSON.stringify(order));
		return true;
	});
	return {
		...server,
		/** Resolves when the page is loaded next. @returns {Promise<Visit>} */
		visit: () => within('the page to load', new Promise((resolve) => void expected.push(resolve))),
	};
}
