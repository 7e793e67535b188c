import {insideDesktop} from './lib/inside.js';

await insideDesktop(import.meta.url, ['--shell', 'mutter']);
const {nativeSuite} = await import('./lib/suite.js');
nativeSuite('chromium');
