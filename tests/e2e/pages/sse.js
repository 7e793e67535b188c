/** A client that talks as the demo of Server-Sent Events does, of today's browsers: whoever comes later calls the other. */
/* global ServerConnection */

const connection = new RTCPeerConnection();
// @ts-expect-error server-connection.js
const server = new ServerConnection();
Object.assign(window, {connection, server});

/** @type {Record<string, (message: any) => void>} */
const hears = {
	async offer(offer) {
		await connection.setRemoteDescription(offer);
		await connection.setLocalDescription();
		server.send(connection.localDescription);
	},
	answer: (answer) => connection.setRemoteDescription(answer),
	candidate: ({label, id, candidate}) => connection.addIceCandidate({sdpMLineIndex: label, sdpMid: id, candidate}),
};
let hearing = Promise.resolve();
server.onmessage = (/** @type {string} */ text) => {
	const message = JSON.parse(text);
	hearing = hearing.then(() => hears[message.type](message));
};

connection.ontrack = (/** @type {RTCTrackEvent} */ {streams}) => (/** @type {HTMLVideoElement} */ (document.querySelector('#video')).srcObject = streams[0]);
connection.onicecandidate = (/** @type {RTCPeerConnectionIceEvent} */ {candidate}) => candidate && server.send({type: 'candidate', label: candidate.sdpMLineIndex, id: candidate.sdpMid, candidate: candidate.candidate});
const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
stream.getTracks().forEach((track) => connection.addTrack(track, stream));
await connection.setLocalDescription();
server.send(connection.localDescription);
