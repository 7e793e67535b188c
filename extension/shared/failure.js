import { errors } from './errors.js';

const INTENDED = new Set(['denied', 'cancelled', 'busy', 'not-supported', 'site-blocked', 'cool-down', 'insecure-page', 'frame-forbidden', 'not-in-front']);

/**
 * What becomes of a request or a share that did not end well: a code from the one catalogue, with its text, its remedy
 * and the name of the DOMException that a page gets for it.
 */
export class Failure extends Error {
	/**
	 * @param {string} code from the catalogue
	 * @param {string} [detail] for the log and the diagnostics, never for pages
	 */
	constructor(code, detail = '') {
		const entry = errors[code] ?? errors['host-crashed'];
		super(entry.message);
		this.name = 'Failure';
		this.code = code;
		this.remedy = entry.remedy;
		this.detail = detail;
		/** The name of the DOMException; reasons of an orderly end have none of their own. */
		this.domName = entry.name || 'NotReadableError';
	}

	/**
	 * From the host's `error` or `ended`.
	 *
	 * @param {{code?: unknown, message?: unknown, remedy?: unknown, detail?: unknown}} message
	 */
	static fromHost(message) {
		const failure = new Failure(String(message.code), String(message.detail ?? ''));
		if (typeof message.message === 'string' && message.message) {
			failure.message = message.message;
		}
		if (typeof message.remedy === 'string' && message.remedy) {
			failure.remedy = message.remedy;
		}
		return failure;
	}

	/** Whatever was thrown, as a Failure. @param {unknown} reason @param {string} [code] for what is no Failure yet */
	static from(reason, code = 'host-crashed') {
		return reason instanceof Failure ? reason : new Failure(code, String(reason));
	}

	/** Whether the user or a rule of theirs decided it, or the page went away or asked for too much, or it is an orderly end, for
	 * which the catalogue has no exception's name: nothing to report as broken. */
	get intended() {
		return INTENDED.has(this.code) || errors[this.code]?.name === '';
	}

	/** What a page may know. */
	forPage() {
		return { code: this.code, name: this.domName, message: this.message, remedy: this.remedy };
	}
}

/**
 * What is wrong with the portal, as the host tells it; null: nothing.
 *
 * @param {{portal: number, portalCode?: string}} hello
 */
export function portalFailure({ portal, portalCode = 'portal-missing' }) {
	return portal > 0 ? null : new Failure(portalCode);
}
