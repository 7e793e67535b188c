/**
 * Beside the page, whose timers a hidden tab slows down. Only a worker writes into a file in place, so that what was
 * recorded is on the disk even when the tab is closed. Messages:
 *   {fps}                 from now on `{tick: true}` comes that often
 *   {open: string}        makes a file of that name in the folder of recordings
 *   {chunk: ArrayBuffer}  adds to it
 *   {close: true}         closes it
 * The last three are answered in order: `{size}`, the bytes written so far, or `{failed}`, an error's words.
 */
/** @type {any} the file, as only workers have it */
let file = null;
let size = 0;
let work = Promise.resolve();

/** @param {{open?: string, chunk?: ArrayBuffer}} message */
async function act({ open, chunk }) {
	if (open) {
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('recordings', { create: true });
		file = await /** @type {any} */ (await folder.getFileHandle(open, { create: true })).createSyncAccessHandle();
	} else if (chunk) {
		const bytes = new Uint8Array(chunk);
		for (let from = 0; from < bytes.length; ) {
			from += file.write(bytes.subarray(from), { at: size + from });
		}
		size += bytes.length;
		file.flush();
	} else {
		file?.close();
	}
}

addEventListener('message', ({ data }) => {
	if (data.fps) {
		setInterval(() => postMessage({ tick: true }), 1000 / data.fps);
		return;
	}
	work = work
		.then(() => act(data))
		.then(
			() => postMessage({ size }),
			(error) => postMessage({ failed: `${error.name}: ${error.message}` }),
		);
});
