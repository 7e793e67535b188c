/** What `make run` found, and whether it is what was promised. */

/**
 * @typedef {object} Facts
 * @property {'firefox' | 'chromium'} browser
 * @property {'native' | 'desktopCapture'} path
 * @property {string} sourceId
 * @property {string | null} codec
 * @property {number} consentAt  milliseconds since 1970
 * @property {number | null} firstFrameAt  when the page's video showed its first frame
 * @property {any} seen  FrameWatch's summary
 * @property {number} framesDecoded
 * @property {Cost | null} host
 * @property {Cost | null} capture
 */

/** @typedef {{cpuNs: number, peakMiB: number}} Cost */

/** @param {number | null} value @param {number} [digits] */
function rounded(value, digits = 1) {
	return value === null ? null : Number(value.toFixed(digits));
}

/** @param {Facts} facts */
export function makeReport(facts) {
	const {seen} = facts;
	/** @param {Cost | null} cost */
	const perFrame = (cost) => (cost && seen.distinct ? rounded(cost.cpuNs / 1e6 / seen.distinct, 2) : null);
	return {
		browser: facts.browser,
		path: facts.path,
		sourceId: facts.sourceId,
		width: seen.last?.width ?? 0,
		height: seen.last?.height ?? 0,
		codec: facts.codec,
		framesDecoded: facts.framesDecoded,
		fps: rounded(seen.fps),
		firstFrameMs: rounded(facts.firstFrameAt && facts.firstFrameAt - facts.consentAt, 0),
		glassToTrackMs: {p50: rounded(seen.p50), p95: rounded(seen.p95)},
		cpuMsPerFrame: {host: perFrame(facts.host), capture: perFrame(facts.capture)},
		rssMiB: {host: rounded(facts.host?.peakMiB ?? null), capture: rounded(facts.capture?.peakMiB ?? null)},
	};
}

/**
 * Why the page did not show the desktop, and what to do about it; null when it did.
 * @param {any} seen  FrameWatch's summary
 */
export function notReal(seen) {
	if (seen.frames === 0) {
		return {
			reason: 'the page got no frame',
			remedy: 'Look for errors of portlight-host and portlight-capture above; `portlight doctor` checks the portal.',
		};
	}
	if (!seen.last) {
		return {
			reason: `the page got ${seen.frames} frames, none with the marker that the desktop shows`,
			remedy: 'Look at build/run/page.png. On your own desktop share the whole screen that the marker window is on, and leave it uncovered.',
		};
	}
	if (seen.last.drawnAt < seen.since) {
		return {
			reason: `the newest marker in the page was ${(seen.last.latencyMs / 1000).toFixed(1)} s old`,
			remedy: 'The picture is stuck. Look at build/run/page.png, and run it again with PORTLIGHT_LOG=debug.',
		};
	}
	if (seen.distinct < 2) {
		return {
			reason: 'the picture in the page did not change',
			remedy: 'Look at build/run/page.png, and run it again with PORTLIGHT_LOG=debug.',
		};
	}
	return null;
}

/**
 * The promises of the report that were not kept, as lines for a person.
 * @param {ReturnType<typeof makeReport>} report
 */
export function shortfalls(report) {
	const lines = [];
	if (report.firstFrameMs === null || report.firstFrameMs > 1500) {
		lines.push(`the first frame took ${report.firstFrameMs} ms from consent; 1500 are promised`);
	}
	if (report.path === 'native' && (report.fps ?? 0) < 24) {
		lines.push(`${report.fps} distinct frames a second; 24 are promised at 1920x1080 on two cores`);
	}
	if ((report.rssMiB.host ?? 0) >= 20) {
		lines.push(`portlight-host took ${report.rssMiB.host} MiB; less than 20 are promised`);
	}
	if ((report.rssMiB.capture ?? 0) >= 256) {
		lines.push(`portlight-capture took ${report.rssMiB.capture} MiB; less than 256 are promised`);
	}
	return lines;
}
