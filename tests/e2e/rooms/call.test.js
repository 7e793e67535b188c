import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {insideDesktop} from '../lib/inside.js';
import {rest} from '../lib/turns.js';

await insideDesktop(import.meta.url, ['--shell', 'scripted']);
const {askUntil} = await import('../lib/own.js');
const {openBrowser} = await import('../lib/browser.js');
const {arrives, calling, chat, dial, login, send, two} = await import('../lib/calls.js');
const {moves, plays, press, until, useRooms} = await import('../lib/rooms.js');

/** @typedef {import('puppeteer-core').Page} Page */


describe('a call by name, Firefox with Chromium', () => {
	const rooms = useRooms();

	/** @param {(folder: string) => Promise<void>} use */
	async function withFolder(use) {
		const folder = await mkdtemp(join(process.env.PORTLIGHT_TMP ?? tmpdir(), 'files-'));
		await use(folder).finally(() => rm(folder, {recursive: true}));
	}

	rest('names that are taken or reserved, nobody of that name, oneself: each is said', async () => {
		const {fiona, carl} = await two(rooms);
		const third = await rooms.page('chromium', 'call.html');
		await login(third, 'carl');
		await until(third, '#notice', /Somebody has this name/);
		await login(third, 'Admin');
		await until(third, '#notice', /reserved/);
		await dial(fiona, 'Nobody');
		await until(fiona, '#notice', /Nobody of this name is here/);
		await dial(carl, 'Carl');
		await until(carl, '#notice', /oneself/);
	});

	rest('declined, cancelled, busy: both sides are told', async () => {
		const {fiona, carl} = await two(rooms);
		await dial(fiona, 'Carl');
		await press(carl, '#decline');
		await until(fiona, '#notice', /Carl declined/);
		await dial(carl, 'Fiona');
		await until(fiona, '#caller', /Carl calls you/);
		await press(carl, '#giveUp');
		await until(fiona, '#notice', /gave up/);
		await dial(fiona, 'Carl');
		await until(carl, '#caller', /Fiona calls you/);
		const third = await rooms.page('chromium', 'call.html');
		await login(third, 'Third');
		await until(third, '#title', /Third/);
		await dial(third, 'Carl');
		await until(third, '#notice', /another call/);
	});

	test('cameras, chat, a screen added and removed in mid-call, the end', async () => {
		const {fiona, carl} = await calling(rooms);
		for (const page of [fiona, carl]) {
			await page.bringToFront();
			await askUntil(() => plays(page), ({count}) => count === 2);
		}
		await chat(fiona, 'Can you see me?');
		await until(carl, '#log', /Can you see me\?/);
		await chat(carl, 'Yes');
		await until(fiona, '#log', /Yes/);
		await rooms.share(carl, '#screen', 'deny');
		await until(carl, '#notice', /you declined/);
		for (const [sharer, other] of [[carl, fiona], [fiona, carl]]) {
			await rooms.share(sharer, '#screen');
			await until(sharer, '#notice', /by Portlight/);
			await moves(other);
			await press(sharer, '#screen');
			await other.bringToFront();
			await askUntil(() => plays(other), ({count}) => count === 2);
		}
		await press(carl, '#showQuality');
		await until(carl, '#quality', /direct, UDP/);
		await press(fiona, '#hangUp');
		await until(carl, '#notice', /Fiona ended the call/);
		await until(carl, '#title', /Logged in as Carl/);
	});

	rest('a file arrives whole and is checked; another is cancelled, one is declined', async () => {
		const {fiona, carl} = await calling(rooms);
		await withFolder(async (folder) => {
			// Checked by 8 MiB.
			const bytes = randomBytes(20_000_003);
			const digests = [0, 1, 2].map((at) => createHash('sha256').update(bytes.subarray(at * 2 ** 23, (at + 1) * 2 ** 23)).digest('hex'));
			await writeFile(join(folder, 'twenty.bin'), bytes);
			await send(fiona, join(folder, 'twenty.bin'));
			await press(carl, '#transfers .main');
			await until(carl, '#transfers', /Complete/);
			await until(fiona, '#transfers', /Arrived/);
			const [digest, saved] = await carl.$eval('#transfers li', (item) => [item.getAttribute('data-sha256'), item.querySelector('a')?.download]);
			assert.deepEqual([digest, saved], [digests.join(' '), 'twenty.bin']);

			await writeFile(join(folder, 'large.bin'), Buffer.alloc(400_000_000, 'x'));
			await send(carl, join(folder, 'large.bin'));
			await press(fiona, '#transfers .main');
			await until(fiona, '#transfers li', /so far/);
			await press(fiona, '#transfers li button');
			await until(fiona, '#transfers li', /You cancelled/);
			await until(carl, '#transfers li', /The other side cancelled/);

			await send(fiona, join(folder, 'twenty.bin'));
			await until(carl, '#transfers li', /Do you want it/);
			await press(carl, '#transfers li button:not(.main)');
			await until(fiona, '#transfers li', /did not want it/);
		});
		await chat(fiona, 'Still here');
		await until(carl, '#log', /Still here/);
	});

	rest('the carrier changes in mid-call, and the session goes on', async () => {
		const {fiona, carl} = await calling(rooms, {fiona: '?carrier=events'});
		assert.equal(await fiona.evaluate(async () => (await import('/rooms/call.js')).server.carrierName), 'events');
		await carl.evaluate(async () => {
			const {server} = await import('/rooms/call.js');
			const {EventsCarrier} = await import('/rooms/carriers.js');
			server.kinds = [EventsCarrier];
			server.reopen();
		});
		await askUntil(() => carl.evaluate(async () => {
			const {server} = await import('/rooms/call.js');
			return `${server.state} ${server.carrierName} ${server.resumes}`;
		}), (state) => state === 'connected events 1');
		await rooms.share(fiona, '#screen');
		await moves(carl);
		await press(carl, '#hangUp');
		await until(fiona, '#notice', /Carl ended the call/);
	});

	rest('devices that are allowed after the call is over are switched off', async () => {
		const {fiona, carl} = await two(rooms);
		await carl.evaluate(() => {
			const devices = navigator.mediaDevices;
			const ask = devices.getUserMedia.bind(devices);
			/** What was asked for waits for `allow`. @type {{asked: number, given: MediaStreamTrack[], allow: () => void}} */
			const prompt = {asked: 0, given: [], allow: () => {}};
			Object.assign(window, {prompt});
			devices.getUserMedia = async (constraints) => {
				prompt.asked++;
				await new Promise((resolve) => (prompt.allow = () => resolve(undefined)));
				const stream = await ask(constraints);
				prompt.given.push(...stream.getTracks());
				return stream;
			};
		});
		const asked = (/** @type {number} */ count) => askUntil(() => carl.evaluate(() => /** @type {any} */ (window).prompt.asked), (times) => times === count);
		const allow = () => carl.evaluate(() => /** @type {any} */ (window).prompt.allow());
		await dial(fiona, 'Carl');
		await press(carl, '#accept');
		await asked(1);
		await press(fiona, '#giveUp');
		await until(carl, '#notice', /gave up/);
		// First the microphone, then the camera.
		await allow();
		await asked(2);
		await allow();
		const states = () => carl.evaluate(() => /** @type {any} */ (window).prompt.given.map((/** @type {MediaStreamTrack} */ {readyState}) => readyState));
		await askUntil(states, (all) => all.length === 2 && all.every((state) => state === 'ended'));
		assert.equal(await carl.$$eval('.tile', (all) => all.length), 0);
	});

	rest('pages that close between two carriers free their names at once', async () => {
		const metrics = async () => (await fetch(`${rooms.server.origin}/metrics`)).text();
		const silent = async () => /ended_total\{code="silent"\} (\d+)/.exec(await metrics())?.[1];
		const before = await silent();
		for (const page of Object.values(await two(rooms))) {
			await page.evaluate(async () => (await import('/rooms/call.js')).server.reopen(600_000));
			await page.close();
		}
		await askUntil(metrics, (said) => /users_named 0$/m.test(said));
		assert.equal(await silent(), before, 'they were not waited for');
	});

	rest('the server is killed and started again: pictures go on, and so do the call and a file', async () => {
		const {fiona, carl} = await calling(rooms);
		await rooms.share(carl, '#screen');
		await moves(fiona);
		await withFolder(async (folder) => {
			await writeFile(join(folder, 'large.bin'), Buffer.alloc(40_000_000, 'x'));
			await send(fiona, join(folder, 'large.bin'));
			await press(carl, '#transfers .main');
			await until(carl, '#transfers li', /so far/);
			await rooms.server.stop('SIGKILL');
			assert.equal(await carl.$eval('#transfers li', (item) => item.getAttribute('data-state')), 'moving');
			await askUntil(() => fiona.evaluate(async () => (await import('/rooms/call.js')).server.state), (state) => state === 'interrupted');
			await moves(fiona);
			await chat(fiona, 'No server, still here');
			await until(carl, '#log', /No server, still here/);
			await rooms.server.start();
			for (const page of [fiona, carl]) {
				await askUntil(() => page.evaluate(async () => (await import('/rooms/call.js')).server.state), (state) => state === 'connected');
			}
			await moves(fiona);
			await arrives(carl);
			await until(carl, '#transfers', /Complete/);
		});
		// What needs the server works again: another screen, and the end.
		await rooms.share(fiona, '#screen');
		await moves(carl);
		await press(fiona, '#hangUp');
		await until(carl, '#notice', /Fiona/);
	});

	/** What comes from the other side moves. @param {Page} page */
	async function changes(page) {
		const picture = () => page.$eval('[data-key^="their "] video', (found) => {
			const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(32, 24).getContext('2d'));
			context.drawImage(/** @type {HTMLVideoElement} */ (found), 0, 0, 32, 24);
			return context.getImageData(0, 0, 32, 24).data.join();
		});
		const first = await askUntil(picture);
		await askUntil(picture, (next) => next !== first);
	}

	/** Chooses by its name. @param {Page} page @param {string} list @param {RegExp} name */
	async function choose(page, list, name) {
		const value = await askUntil(() => page.$$eval(`${list} option`, (all, source) => /** @type {HTMLOptionElement[]} */ (all).find(({text}) => new RegExp(source).test(text))?.value, name.source));
		await page.select(list, String(value));
	}

	rest('other devices in mid-call, without a new offer; the browser’s own screen with its sound', async () => {
		const {chromium} = rooms.browsers;
		// Of Chromium's own cameras the second makes pictures that Chromium can't send.
		rooms.browsers.chromium = await openBrowser({kind: 'chromium', extension: false, fakeCamera: true, args: ['--use-fake-device-for-media-stream=device-count=3']});
		try {
			const {fiona, carl} = await calling(rooms);
			const sent = () => carl.evaluate(async () => {
				const {pc} = /** @type {import('/rooms/peer.js').Peer} */ ((await import('/rooms/call.js')).now().peer);
				return {sdp: pc.currentLocalDescription?.sdp, labels: pc.getSenders().map(({track}) => track?.label)};
			});
			await fiona.bringToFront();
			await changes(fiona);
			const {sdp} = await sent();
			await press(carl, '#showDevices');
			await choose(carl, '#cameras', /fake_device_2/);
			await askUntil(sent, (now) => now.labels.includes('fake_device_2'));
			// The first one is switched off: what comes now is the other's.
			await changes(fiona);
			await choose(carl, '#microphones', /Audio Input 2/);
			const {labels} = await askUntil(sent, (now) => now.labels.includes('Fake Audio Input 2'));
			assert.deepEqual([labels.sort(), (await sent()).sdp], [['Fake Audio Input 2', 'fake_device_2'], sdp]);
			await choose(carl, '#speakers', /Audio Output 1/);
			const speaker = await carl.$eval('#speakers', (list) => /** @type {HTMLSelectElement} */ (list).value);
			await askUntil(() => carl.$eval('[data-key^="their "] video', (video) => /** @type {any} */ (video).sinkId), (id) => id === speaker);

			await press(carl, '#screen');
			await until(carl, '#notice', /by the browser, with its sound/);
			await fiona.bringToFront();
			await askUntil(() => plays(fiona), ({count}) => count === 3);
			await askUntil(() => heard(fiona, 'screen'), (energy) => energy > 0);
			await press(carl, '#screen');
			await askUntil(() => plays(fiona), ({count}) => count === 2);
		} finally {
			await rooms.tidy();
			await rooms.browsers.chromium.close();
			rooms.browsers.chromium = chromium;
		}
	});

	/** The energy of what was heard of that stream. @param {Page} page @param {string} kind */
	const heard = (page, kind) => page.evaluate(async (wanted) => {
		const peer = /** @type {import('/rooms/peer.js').Peer} */ ((await import('/rooms/call.js')).now().peer);
		const track = peer.streams().find((stream) => stream.kind === wanted)?.stream.getAudioTracks()[0];
		const stats = track ? [...(await peer.pc.getStats(track)).values()] : [];
		return stats.find(({type}) => type === 'inbound-rtp')?.totalAudioEnergy ?? 0;
	}, kind);

	/** Two connected peers without a server: what carries their signals, what they are like, and what they are told to do. @param {import('../lib/browser.js').Kind} [polite] */
	async function peers(polite = 'chromium') {
		const pages = await Promise.all([rooms.page('firefox', 'call.html'), rooms.page('chromium', 'call.html')]);
		await Promise.all(pages.map((page, index) => page.evaluate(async (gives) => {
			const {Peer} = await import('/rooms/peer.js');
			/** @type {any} */
			const own = {out: []};
			own.peer = new Peer({polite: gives, send: (/** @type {any} */ signal) => own.out.push(signal)});
			Object.assign(window, {own});
		}, polite === ['firefox', 'chromium'][index])));
		/** What each said, in order. @type {import('/rooms/peer.js').Signal[][]} */
		const log = [[], []];
		/** Carries what each said to the other, until nothing is left for a while. */
		const carry = async () => {
			const said = await Promise.all(pages.map((page) => page.evaluate(() => /** @type {any} */ (window).own.out.splice(0))));
			said.forEach((signals, index) => log[index].push(...signals));
			await Promise.all(pages.map((page, index) => page.evaluate((signals) => Promise.all(signals.map((/** @type {any} */ signal) => /** @type {any} */ (window).own.peer.receive(signal))), said[1 - index])));
		};
		const states = () => Promise.all(pages.map((page) => page.evaluate(() => {
			const {peer} = /** @type {any} */ (window).own;
			const {pc} = peer;
			return {
				state: peer.state, glares: peer.glares, kinds: peer.streams().map((/** @type {any} */ {kind}) => kind), open: peer.channel.readyState,
				stable: pc.signalingState === 'stable' && Object.values(peer.turn).every((waits) => !waits), ufrag: /ice-ufrag:(.*)/.exec(pc.currentLocalDescription?.sdp ?? '')?.[1],
			};
		})));
		/** Both get another stream of each other, added at the same time. @param {string} kind */
		const add = async (kind) => {
			const before = (await states())[0].kinds.length;
			await Promise.all(pages.map((page) => page.evaluate(async (as) => {
				const {peer} = /** @type {any} */ (window).own;
				peer.add(new MediaStream((await navigator.mediaDevices.getUserMedia({video: true})).getTracks()), as);
			}, kind)));
			await askUntil(async () => (await carry(), states()), (now) => now.every(({kinds, stable}) => stable && kinds.length === before + 1));
		};
		await askUntil(async () => (await carry(), states()), (all) => all.every(({open}) => open === 'open'));
		await carry();
		return {pages, log, carry, states, add};
	}

	rest('both add a stream at the same time: each gets the other’s', async () => {
		const {states, add} = await peers();
		await add('camera');
		await add('screen');
		const all = await states();
		assert.deepEqual(all.map(({kinds, open}) => [kinds.sort(), open]), [[['camera', 'screen'], 'open'], [['camera', 'screen'], 'open']]);
	});

	for (const polite of /** @type {const} */ (['chromium', 'firefox'])) {
		rest(`both look for another path at the same time, and ${polite} is the polite one: Firefox alone offers, with a port to try, none is taken back, and more can be added`, async () => {
			const {pages, log, carry, states, add} = await peers(polite);
			await add('camera');
			const before = await states();
			log.forEach((signals) => signals.splice(0));
			await Promise.all(pages.map((page) => page.evaluate(() => {
				const {peer} = /** @type {any} */ (window).own;
				peer.state = 'interrupted';
				peer.restart();
			})));
			const after = await askUntil(async () => (await carry(), states()), (all) => all.every(({stable, ufrag}, at) => stable && ufrag !== before[at].ufrag));
			assert.deepEqual(after.map(({glares}) => glares), [0, 0]);
			assert.deepEqual(after.map(({glares}) => glares), [0, 0]);
			const offers = log.map((signals) => signals.flatMap(({description}) => (description?.type === 'offer' ? [description.sdp] : [])));
			assert.deepEqual(offers.map(({length}) => length), [1, 0]);
			assert.match(offers[0][0] ?? '', /^a=candidate:/m);
			assert.equal(log[1].filter(({restart}) => restart).length, 1, 'Chromium asks for it');
			await add('screen');
		});
	}
});
