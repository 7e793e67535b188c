/** What the browsers have and TypeScript's DOM library does not name yet. */

declare var browser: typeof chrome | undefined;

interface Uint8ArrayConstructor {
	fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
}

interface MediaStreamTrackGenerator extends MediaStreamTrack {
	readonly writable: WritableStream<VideoFrame>;
}

declare var MediaStreamTrackGenerator: {
	new (init: { kind: 'video' }): MediaStreamTrackGenerator;
};
