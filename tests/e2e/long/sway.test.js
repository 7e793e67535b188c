import {insideDesktop} from '../lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'sway', '--size', '1920x1080']);
const {nativeSuite} = await import('../lib/suite.js');
nativeSuite('firefox');
nativeSuite('chromium');
