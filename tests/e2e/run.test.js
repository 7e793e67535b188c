/** `make run`, once in each browser. */
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {checkRun, makeRun} from './lib/make-run.js';
import {turns} from './lib/turns.js';

for (const browser of /** @type {const} */ (['firefox', 'chromium'])) {
	turns(browser)(`make run in ${browser}: picture, video and report of a real share`, () => checkRun(browser, 'native'));
}

test('a choice that is not known is named', async () => {
	const {status, text} = await makeRun({BROWSER: 'lynx'});
	assert.equal(status, 1);
	assert.match(text, /BROWSER=lynx is not known\n(.*\n)*Remedy: Use BROWSER=firefox or chromium/);
});
