/* global otherUsername */
/**
 * For pages of 2012 and of the lesson, before their own script: what browsers have taken away, and the one word that the lesson's
 * client does not say.
 */
(() => {
	const page = /** @type {any} */ (window);
	const own = /** @type {any} */ (navigator);

	// Callbacks in place of promises: navigator.getUserMedia is gone from Firefox, and createOffer(success) from both.
	/** @param {object} wishes @param {(stream: MediaStream) => void} done @param {((error: Error) => void) | null} failed */
	const getUserMedia = (wishes, done, failed) => void navigator.mediaDevices.getUserMedia(wishes).then(done, failed ?? console.error);
	own.getUserMedia ??= getUserMedia;
	own.webkitGetUserMedia ??= getUserMedia;
	page.webkitRTCPeerConnection ??= RTCPeerConnection;
	const connections = /** @type {any} */ (RTCPeerConnection.prototype);
	for (const name of ['createOffer', 'createAnswer']) {
		const modern = connections[name];
		connections[name] = function (/** @type {any[]} */ ...given) {
			return given.length === 1 && typeof given[0] === 'function' ? modern.call(this).then(given[0]) : modern.apply(this, given);
		};
	}

	// A stream's address.
	/** @type {Map<string, MediaStream>} */
	const streams = new Map();
	const createUrl = URL.createObjectURL;
	page.URL.createObjectURL = (/** @type {any} */ object) => {
		if (!(object instanceof MediaStream)) {
			return createUrl.call(URL, object);
		}
		streams.set(`stream:${object.id}`, object);
		return `stream:${object.id}`;
	};
	const source = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'src'));
	Object.defineProperty(HTMLMediaElement.prototype, 'src', {...source, set(url) {
		const stream = streams.get(url);
		stream ? (this.srcObject = stream) : source.set?.call(this, url);
	}});

	// A candidate of no line was one of the first line.
	const Candidate = RTCIceCandidate;
	page.RTCIceCandidate = function (/** @type {RTCIceCandidateInit} */ {sdpMid, sdpMLineIndex, ...rest}) {
		return new Candidate({...rest, sdpMid, sdpMLineIndex: sdpMid === undefined && sdpMLineIndex === undefined ? 0 : sdpMLineIndex});
	};
	page.nil = null;

	// Whom the lesson's client calls, which it knows and does not say.
	const {send} = WebSocket.prototype;
	WebSocket.prototype.send = function (/** @type {any} */ text) {
		const message = JSON.parse(String(text));
		// @ts-expect-error the page's own
		const whom = typeof otherUsername === 'undefined' ? undefined : otherUsername;
		send.call(this, JSON.stringify(message.type === 'offer' ? {otherUsername: whom, ...message} : message));
	};
})();
