/** Portlight's page API 1: docs/PAGES.md. */
/** Questions and shares, by id. */
const known = new Map();

addEventListener('message', ({ source, data }) => {
	if (source === window && data?.portlight === 1 && !data.ask) {
		known.get(data.id ?? data.share)?.(data);
		known.delete(data.id);
	}
});

const ask = (verb, said) =>
	new Promise((done, fail) => {
		const id = Math.random();
		known.set(id, ({ ok, error }) =>
			error ? fail(Object.assign(Error(error.message), error)) : done(ok),
		);
		postMessage({ ...said, portlight: 1, id, ask: verb }, '/');
	});

export const version = (ms = 1000) =>
	Promise.race([ask('version'), new Promise((done) => setTimeout(done, ms, null))]);

export const capabilities = () => ask('capabilities');

export class Share extends EventTarget {
	constructor(id, stream) {
		super();
		Object.assign(this, { id, stream, track: stream.getVideoTracks()[0] });
		known.set(id, (detail) => this.dispatchEvent(new CustomEvent(detail.event, { detail })));
		for (const verb of ['source', 'pause', 'resume', 'snapshot']) {
			this[verb] = (as) => ask(verb, { as, share: id });
		}
	}
	async change(wish = {}) {
		const { sourceId } = await ask('request', wish);
		return ask('change', { sourceId, region: wish.region, share: this.id });
	}
	stop() {
		this.track.stop();
	}
}

async function redeem(id, wish) {
	const ours = id.startsWith('portlight:');
	const wanted = {
		chromeMediaSource: 'desktop',
		chromeMediaSourceId: id,
		maxWidth: wish.width,
		maxHeight: wish.height,
		maxFrameRate: wish.frameRate,
		...(ours && { portlightFidelity: wish.fidelity, portlightRegion: wish.region }),
	};
	const video = { mandatory: JSON.parse(JSON.stringify(wanted)) };
	const share = new Share(id, await navigator.mediaDevices.getUserMedia({ video }));
	await (ours && share.source());
	return share;
}

export async function request(wish = {}) {
	const { sourceIds } = await ask('request', wish);
	const all = sourceIds.map((id) => redeem(id, wish));
	return wish.multiple ? Promise.all(all) : all[0];
}
