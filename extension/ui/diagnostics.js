/** What Portlight needs, looked at one by one: each broken part with its remedy, and a report to hand on. */
import { ext } from '../background/ext.js';
import { capturePath, managed, otherExtensions } from '../background/settings.js';
import { dataPermission } from '../background/sites.js';
import { decodable } from '../page/decoder.js';
import { errors } from '../shared/errors.js';
import { portalFailure } from '../shared/failure.js';
import { ask, failureText, lacking, text } from './text.js';

/**
 * @typedef {{kind: 'good' | 'bad' | 'quiet', words: string, remedy?: string, missing?: chrome.permissions.Permissions}} Finding
 *   `missing`: what the user can allow here
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
	const lack = lacking(status);
	if (!status?.ok) {
		return lack ? [{ kind: /** @type {const} */ ('bad'), words: lack.message, remedy: lack.remedy }] : [];
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

/**
 * What the browser doesn't allow. Without the data permission, sites that the organization lets remember don't; for others
 * the user's choice asks for it.
 *
 * @param {any} access
 * @param {import('../background/settings.js').Managed} policy
 * @returns {Promise<Finding[]>}
 */
async function permissionFindings(access, policy) {
	/** @type {Finding[]} */
	const findings = [];
	if (access?.granted === false) {
		findings.push({ kind: 'bad', words: text('accessMissing'), missing: { origins: ext.runtime.getManifest().host_permissions } });
	}
	const data = dataPermission();
	if (data && policy.allowedSites?.length && !(await ext.permissions.contains(data))) {
		findings.push({ kind: 'bad', words: text('rememberRefused'), missing: data });
	}
	return findings;
}

/** @returns {Promise<Diagnosis>} */
export async function diagnose() {
	const [status, codecs, policy, path, others, { failure }, shares, access] = await Promise.all([
		ask('host-status'),
		typeof VideoDecoder === 'function' ? decodable() : null,
		managed(),
		capturePath(),
		otherExtensions(),
		ext.storage.session.get('failure'),
		ask('shares'),
		ask('access'),
	]);
	const findings = hostFindings(status);
	const names = codecs?.map((name) => name.toUpperCase().replace('-444', ' 4:4:4')).join(', ');
	findings.push(names ? { kind: 'good', words: text('codecs', names) } : broken(codecs ? 'decoder-failed' : 'no-decoder'));
	findings.push(...(await permissionFindings(access, policy)));
	const decided = Object.keys(policy);
	if (decided.length > 0) {
		findings.push({ kind: 'quiet', words: text('policy', decided.join(', ')) });
	}
	const last = /** @type {any} */ (failure);
	if (last && last.code !== status?.code) {
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
		codecs: codecs?.join(' ') || 'none',
		capture: path,
		'own capture API': ext.desktopCapture ? 'yes' : 'no',
		'site access': access?.granted === false ? 'not to all' : 'all',
		'pages for other extensions': others ? 'answered' : 'not answered',
		policy: decided.join(' ') || 'none',
		'live shares': shares?.length ?? '-',
		'last failure': last ? `${last.code}: ${last.detail}` : 'none',
	};
	const report = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
	return { findings, report: ['Portlight', ...report, ''].join('\n').replace(/\b[\w-]+:\/\/\S+/g, '(address)') };
}
