/** What the demo of Server-Sent Events leaves out of its text: `send` posts to /, and what comes on /stream goes to `onmessage`. */
(() => {
	class ServerConnection {
		/** @type {(text: string) => void} */
		onmessage = () => {};
		/** In the order of sending. */
		sent = Promise.resolve();

		constructor() {
			this.source = new EventSource('/stream');
			this.source.onmessage = ({data}) => this.onmessage(data);
			this.open = new Promise((resolve) => (this.source.onopen = () => resolve(undefined)));
		}

		/** @param {object} message */
		send(message) {
			const body = JSON.stringify(message);
			this.sent = this.sent.then(async () => {
				// The stream brings the cookie that says who posts.
				await this.open;
				await fetch('/', {method: 'POST', headers: {'content-type': 'application/json'}, body});
			});
		}
	}
	Object.assign(window, {ServerConnection});
})();
