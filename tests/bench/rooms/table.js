/** The rooms' table: what was measured beside what it must be. */

/** @param {number} value @param {number} [digits] */
const number = (value, digits = 0) => (value === undefined ? '' : value.toLocaleString('en', {minimumFractionDigits: digits, maximumFractionDigits: digits}));

/** @param {any} row */
const ms = (row) => (row ? `${number(row.ms.p50, 2)} / ${number(row.ms.p99, 1)}` : '');

/** Prints it. @param {any} report @returns {boolean} whether all targets are met */
export function printTable({servers: {rooms, ws, epoll}, exact}) {
	/** @type {[string, string, string, string, string, boolean][]} */
	const rows = [
		['KiB for each user (Pss)', ...[rooms, ws, epoll].map((row) => number(row.memoryEach, 1)), '10, and 1.6 x ws', rooms.memoryEach <= Math.min(10, 1.6 * ws.memoryEach)],
		['came a second, by name', ...[rooms, ws, epoll].map((row) => number(row.connect.perSecond)), '', true],
		['came a second, with a token', number(rooms.tokens.perSecond), '', '', '2,500', rooms.tokens.perSecond >= 2500],
		['messages a second', ...[rooms, ws, epoll].map((row) => number(row.most.perSecond)), "ws's", rooms.most.perSecond >= ws.most.perSecond],
		['at 8,000 a second p50 / p99, ms', ...[rooms, ws, epoll].map((row) => ms(row.rate)), "0.5 / 12, and ws's p99", rooms.rate.ms.p50 <= 0.5 && rooms.rate.ms.p99 <= Math.min(12, ws.rate.ms.p99)],
		['3,000 calls set up at once p50 / p99, ms', ...[rooms, ws, epoll].map((row) => ms(row.setups)), 'p99 1,000', rooms.setups.setUp === rooms.setups.calls && rooms.setups.ms.p99 <= 1000],
		['idle, % of a core', number(100 * rooms.idle, 2), '', '', '0.5', rooms.idle <= 0.005],
		['never reads: KiB more', ...[rooms, ws, epoll].map((row) => number(row.flood.keptKiB)), '', true],
		['never reads: closed after, s', ...[rooms, ws, epoll].map((row) => (row.flood.closedSeconds < 0 ? 'never' : number(row.flood.closedSeconds, 1))), '10', rooms.flood.closedSeconds >= 0 && rooms.flood.closedSeconds <= 10],
		["never reads: others' p99 before -> then, ms", ...[rooms, ws, epoll].map((row) => `${number(row.flood.before.p99, 1)} -> ${number(row.flood.during.p99, 1)}`), 'no slower', true],
		['all came back after, s', number(rooms.back.seconds, 1), '', '', '8', rooms.back.there === rooms.connect.there && rooms.back.seconds <= 8],
		['connections dropped by the kernel then', number(rooms.back.synDrops), '', '', '0', rooms.back.synDrops === 0],
		[`lost / twice of ${number(exact.relayed)} over ${exact.broken} broken carriers`, `${exact.missing + exact.lost} / ${exact.twice}`, '', '', '0 / 0', exact.missing + exact.lost + exact.twice === 0],
	];
	const head = ['10,000 users connected', 'rooms', 'ws', 'epoll', 'at least', ''];
	const cells = [head, ...rows.map((row) => row.map((cell) => (cell === true ? '' : cell === false ? 'MISSED' : cell)))];
	const widths = head.map((_, i) => Math.max(...cells.map((row) => String(row[i]).length)));
	console.log();
	cells.forEach((row) => console.log(row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  ').trimEnd()));
	return rows.every((row) => row[5]);
}
