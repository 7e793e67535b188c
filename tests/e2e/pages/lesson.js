/** A client that talks as the lesson's does, of today's browsers: it names the other side itself. Its document is the lesson's. */

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);
const socket = new WebSocket('ws://localhost:8080');
/** @type {RTCPeerConnection} */
let connection;
/** @type {string | undefined} */
let other;

/** @param {object} message */
const say = (message) => socket.send(JSON.stringify(message));

async function start() {
	const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
	connection = new RTCPeerConnection();
	Object.assign(window, {connection});
	stream.getTracks().forEach((track) => connection.addTrack(track, stream));
	connection.ontrack = ({streams}) => (find('video#remote').srcObject = streams[0]);
	connection.onicecandidate = ({candidate}) => candidate && say({type: 'candidate', candidate, otherUsername: other});
	find('video#local').srcObject = stream;
	find('div#login').style.display = 'none';
	find('div#call').style.display = 'block';
}

/** @type {Record<string, (message: any) => void>} */
const hears = {
	login({success}) {
		if (success) {
			void start();
		} else {
			alert('Another name, please');
		}
	},
	async offer({offer, username}) {
		other = username;
		await connection.setRemoteDescription(offer);
		await connection.setLocalDescription();
		say({type: 'answer', answer: connection.localDescription, otherUsername: other});
	},
	answer: ({answer}) => connection.setRemoteDescription(answer),
	candidate: ({candidate}) => connection.addIceCandidate(candidate),
	close: () => connection.close(),
};

// One after the other: a candidate waits for its description.
let hearing = Promise.resolve();
socket.onmessage = (/** @type {MessageEvent} */ {data}) => {
	const message = JSON.parse(data);
	hearing = hearing.then(() => hears[message.type](message));
};
find('button#login').onclick = () => say({type: 'login', username: find('#username').value});
find('button#call').onclick = async () => {
	other = find('#username-to-call').value;
	await connection.setLocalDescription();
	say({type: 'offer', offer: connection.localDescription, otherUsername: other});
};
find('button#close-call').onclick = () => {
	say({type: 'close', otherUsername: other});
	connection.close();
};
