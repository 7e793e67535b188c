/** What page/track.js and page/sinks.js use of a browser's media: fresh classes each time, since the scripts change them. */
export function makeMedia() {
	class MediaStreamTrack extends EventTarget {
		readyState = 'live';
		kind = 'video';
		get label() {
			return 'native label';
		}
		stop() {
			this.readyState = 'ended';
		}
		clone() {
			return Object.assign(new MediaStreamTrack(), { readyState: this.readyState, kind: this.kind });
		}
		getSettings() {
			return {};
		}
		getConstraints() {
			return {};
		}
		getCapabilities() {
			return {};
		}
		async applyConstraints() {}
	}
	const { clone } = MediaStreamTrack.prototype;
	class MediaStream {
		constructor(tracks) {
			this.tracks = tracks;
		}
		getTracks() {
			return this.tracks;
		}
		getVideoTracks() {
			return this.tracks.filter(({ kind }) => kind === 'video');
		}
		getAudioTracks() {
			return this.tracks.filter(({ kind }) => kind === 'audio');
		}
		addTrack(track) {
			this.tracks.push(track);
		}
		clone() {
			return new MediaStream(this.tracks.map((track) => clone.call(track)));
		}
	}
	class VideoFrame {
		/** @param {object} from another picture, or the bytes of one */
		constructor(from, init) {
			Object.assign(this, ArrayBuffer.isView(from) ? { data: from } : from, init);
		}
		clone() {
			return new VideoFrame(this, {});
		}
		close() {
			this.closed = true;
		}
	}
	return { MediaStreamTrack, MediaStream, VideoFrame };
}
