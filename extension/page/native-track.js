/** The methods of tracks as they are before page/track.js gives ours other answers. */
export const { clone: nativeClone, stop: nativeStop } = MediaStreamTrack.prototype;
