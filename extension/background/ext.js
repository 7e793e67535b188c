/**
 * The one place that picks the WebExtension API: `browser` where there is one, else `chrome`. Both give promises.
 * @type {typeof chrome}
 */
export const ext = globalThis.browser ?? globalThis.chrome;
