/** What a test measured but does not judge: tests/run-checks collects these lines, and the benchmark judges them. */

/**
 * @param {string} what  took so long, the same words each time
 * @param {number} ms
 */
export function took(what, ms) {
	console.log(`TIME\t${what}\t${Math.round(ms)}`);
}
