/** A reporter of node:test for once-more.js: lines of JSON for each test that failed, each time that was told, and how many passed. */

/** What failed because something within it did. */
const derived = ['subtestsFailed', 'cancelledByParent', 'parentAlreadyFinished'];

/** @param {AsyncIterable<{type: string, data: any}>} source */
export default async function* report(source) {
	let passed = 0;
	for await (const {type, data} of source) {
		if (type === 'test:fail') {
			const {error} = data.details;
			if (!derived.includes(error?.failureType)) {
				const whole = data.details.type === 'suite' || data.name === data.file;
				const reason = String(error?.cause?.message ?? error?.message ?? error).split('\n')[0];
				yield `${JSON.stringify({file: data.file, name: data.name, whole, reason})}\n`;
			}
		} else if (type === 'test:pass') {
			passed += data.details.type !== 'suite' && data.skip === undefined ? 1 : 0;
		} else if (type === 'test:stdout') {
			for (const [, what, ms] of String(data.message).matchAll(/^TIME\t(.+)\t(\d+)$/gm)) {
				yield `${JSON.stringify({file: data.file, what, ms})}\n`;
			}
		}
	}
	yield `${JSON.stringify({passed})}\n`;
}
