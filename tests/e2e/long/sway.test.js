import assert from 'node:assert/strict';
import {after} from 'node:test';
import {Desktop} from '../lib/desktop.js';
import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'sway', '--size', '1920x1080']);
const {nativeSuite} = await import('../lib/suite.js');
nativeSuite('firefox');
nativeSuite('chromium');
after(async () => assert.deepEqual(await new Desktop().tell('deaths'), [], "the portal's backend outlives every share"));
