/** What the toolbar and the browser's settings for extensions lack, in popup and first run. */
import { ext } from '../background/ext.js';
import { ask, element } from './text.js';

export async function showHints() {
	const [toolbar, access] = await Promise.all([ask('toolbar'), ask('access')]);
	element('pin').hidden = toolbar?.pinned !== false;
	element('access').hidden = access?.granted !== false;
}

element('allow').addEventListener('click', async () => {
	// At once: browsers allow this only in the click's own turn.
	await ext.permissions.request({ origins: ext.runtime.getManifest().host_permissions }).catch(() => false);
	await showHints();
	element('settings').focus();
});
