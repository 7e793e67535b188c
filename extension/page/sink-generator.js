/** From pictures to a native track, where the browser has MediaStreamTrackGenerator: pictures go straight into a track. */

/**
 * @typedef {object} Sink
 * @property {MediaStreamTrack} track that the pictures come out of; pages get clones of it
 * @property {(picture: VideoFrame) => void} show takes the picture over
 * @property {((picture: VideoFrame, timestamp: number) => Promise<void>) | null} repeat shows it once more; null where the
 *   track keeps its last picture for a later subscriber
 * @property {(clones: Set<MediaStreamTrack>) => void} end ends the track; the live clones get their `ended`
 */

/** @returns {Sink} */
export function createSink() {
	const generator = new MediaStreamTrackGenerator({ kind: 'video' });
	const writer = generator.writable.getWriter();
	/** @param {VideoFrame} picture */
	const show = (picture) => void writer.write(picture).catch(() => picture.close());
	return {
		track: generator,
		show,
		async repeat(picture, timestamp) {
			// A copy: the generator goes by the time of the pixels, whatever a VideoFrame around them says, and sinks
			// take no picture of the same time twice.
			const data = new Uint8Array(picture.allocationSize());
			const layout = await picture.copyTo(data);
			const { format, visibleRect, colorSpace, displayWidth, displayHeight } = picture;
			if (format && visibleRect) {
				const { width: codedWidth, height: codedHeight } = visibleRect;
				const size = { codedWidth, codedHeight, displayWidth, displayHeight };
				show(new VideoFrame(data, { format, layout, timestamp, colorSpace, ...size }));
			}
		},
		end() {
			writer.close().catch(() => {});
			generator.stop();
		},
	};
}
