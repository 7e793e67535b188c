/** What Portlight needs, looked at one by one: each broken part with its remedy, and a report to hand on. */
import { ext } from '../background/ext.js';
import { capturePath, managed, otherExtensions } from '../background/settings.js';
import { errors } from '../shared/errors.js';
import { portalFailure } from '../shared/failure.js';
import { decodable } from '../page/decoder.js';
import { failureText, text } from './text.js';

/**
 * @typedef {{kind: 'good' | 'bad' | 'quiet', words: string, remedy?: string, origins?: string[]}} Finding `origins`: of
 *   pages that the person may let the extension into again
 * @typedef {{findings: Finding[], report: string}} Diagnosis the report is plain text, without any site's address
 */

/** @param {string} code @returns {Finding} */
function broken(code) {
	const { message, remedy } = failureText({ code, ...errors[code] });
	return { kind: 'bad', words: message, remedy };
}

/** @param {any} status */
function hostFindings(status) {
	/** @type {Finding[]} */
	const findings = [];
	if (!status) {
		findings.push({ kind: 'bad', words: text('backgroundSilent'), remedy: text('backgroundSilentRemedy') });
		return findings;
	}
	if (!status.ok) {
		const { message, remedy } = failureText(status);
		findings.push({ kind: 'bad', words: message, remedy });
		return findings;
	}
	findings.push({ kind: 'good', words: text('hostReady', status.version) });
	const ours = ext.runtime.getManifest().version;
	if (status.version !== ours) {
		findings.push({ kind: 'bad', words: text('versionSkew', ours, status.version), remedy: text('versionSkewRemedy') });
	}
	const portal = portalFailure(status);
	findings.push(portal ? broken(portal.code) : { kind: 'good', words: text('portalReady', String(status.portal)) });
	if (status.portal > 0 && status.portal < 4) {
		findings.push({ kind: 'quiet', words: text('portalOld', String(status.portal)) });
	}
	if (status.pipewire === false) {
		findings.push({ kind: 'bad', words: text('pipewireMissing'), remedy: text('pipewireRemedy') });
	} else if (status.pipewire) {
		findings.push({ kind: 'good', words: text('pipewireReady') });
	}
	return findings;
}

/** What the browser was told to keep the extension out of, where it needs to be. @returns {Promise<string[]>} */
async function forbiddenOrigins() {
	/** @type {string[]} */
	const wanted = ext.runtime.getManifest().host_permissions ?? [];
	const granted = await Promise.all(wanted.map((origin) => ext.permissions.contains({ origins: [origin] })));
	return wanted.filter((_, i) => !granted[i]);
}

/** @param {string} type @returns {Promise<any>} undefined where the background does not answer */
function ask(type) {
	return ext.runtime.sendMessage({ type }).catch(() => undefined);
}

/** @returns {Promise<Diagnosis>} */
export async function diagnose() {
	const [status, codecs, policy, path, others, { failure }, shares, forbidden] = await Promise.all([
		ask('host-status'),
		'VideoDecoder' in window ? decodable() : [],
		managed(),
		capturePath(),
		otherExtensions(),
		ext.storage.session.get('failure'),
		ask('shares'),
		forbiddenOrigins(),
	]);
	const findings = hostFindings(status);
	findings.push(codecs.length > 0 ? { kind: 'good', words: text('codecs', codecs.map((name) => name.toUpperCase().replace('-444', ' 4:4:4')).join(', ')) } : broken('decoder-failed'));
	if (forbidden.length > 0) {
		findings.push({ kind: 'bad', words: text('accessMissing'), remedy: text('accessRemedy'), origins: forbidden });
	}
	const decided = Object.keys(policy);
	if (decided.length > 0) {
		findings.push({ kind: 'quiet', words: text('policy', decided.join(', ')) });
	}
	const last = /** @type {any} */ (failure);
	if (last) {
		const { message, remedy } = failureText(last);
		findings.push({ kind: 'bad', words: `${text('lastFailure')}: ${message}`, remedy });
	}
	const lines = {
		extension: `${ext.runtime.getManifest().version} (protocol 1)`,
		browser: navigator.userAgent,
		language: ext.i18n.getUILanguage(),
		host: status?.ok ? `${status.version} (protocol ${status.protocol})` : status ? `${status.code}: ${status.detail}` : 'no answer from the background',
		supports: status?.ok ? status.supports.join(' ') : '-',
		portal: status?.ok ? `ScreenCast ${status.portal} ${status.portalCode ?? ''}`.trim() : '-',
		pipewire: status?.pipewire ?? '-',
		codecs: codecs.join(' ') || 'none',
		capture: path,
		'own capture API': ext.desktopCapture ? 'yes' : 'no',
		'site access': forbidden.length > 0 ? `not to ${forbidden.length} of the kinds of sites` : 'all',
		'pages for other extensions': others ? 'answered' : 'not answered',
		policy: decided.join(' ') || 'none',
		'live shares': shares?.length ?? '-',
		'last failure': last ? `${last.code}: ${last.detail}` : 'none',
	};
	const report = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
	return { findings, report: ['Portlight', ...report, ''].join('\n').replace(/\b[\w-]+:\/\/\S+/g, '(address)') };
}
