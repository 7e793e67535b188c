/**
 * `make rooms DESKTOP=embedded`: a call, a conference of three and an assistance share by themselves, with the real server,
 * Firefox and Chromium, on an embedded desktop. build/rooms/ then holds report.json and four screenshots. The exit status
 * is 1 where something failed.
 */
import {mkdirSync, rmSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Failure} from './lib/failure.js';
import {Play, playAssist, playCall, playConference} from './lib/play.js';
import {closingAll, inRepository, runEmbedded, runMain, say} from './lib/program.js';
import {Rooms} from './lib/rooms.js';

const out = process.env.PORTLIGHT_OUT ?? inRepository('build/rooms');

/** @param {(() => unknown)[]} open  takes what is to be closed at the end */
async function run(open) {
	const rooms = new Rooms();
	open.push(() => rooms.close());
	await rooms.open();
	/** @type {Record<string, string>} */
	const browsers = {};
	for (const [kind, {browser}] of Object.entries(rooms.browsers)) {
		browsers[kind] = await browser.version();
		say(`started ${browsers[kind]}`);
	}
	say(`the rooms are at ${rooms.server.origin}`);
	const play = new Play(rooms, out);
	await play.play('call', () => playCall(play));
	await play.play('conference', () => playConference(play));
	await play.play('assist', () => playAssist(play));
	const {plays, screenshots, errors} = play;
	return {ok: errors.length === 0, browsers, plays, screenshots, errors};
}

runMain(async () => {
	mkdirSync(out, {recursive: true});
	if (!process.env.PORTLIGHT_DESKTOP) {
		for (const name of ['report.json', 'call.png', 'conference.png', 'assist-sharer.png', 'assist-viewer.png']) {
			rmSync(join(out, name), {force: true});
		}
		say('starting an embedded desktop (mutter, PipeWire, the GNOME portal)');
		return runEmbedded(import.meta.url, ['--shell', 'mutter', '--size', '1280x720', '--rate', '10', '--apps', 'marker', ...(process.env.E2E_VERBOSE ? ['--verbose'] : []), '--out', out]);
	}
	const report = await closingAll(run);
	await writeFile(join(out, 'report.json'), `${JSON.stringify(report, null, '\t')}\n`);
	if (!report.ok) {
		throw new Failure(`${report.errors.length} of what was played failed`, `${join(out, 'report.json')} has what, and what was seen before it.`);
	}
	say(`done: ${['report.json', ...report.screenshots].map((name) => join(out, name)).join(', ')}`);
	return 0;
});
