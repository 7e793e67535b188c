/** SHA-256 piece by piece: the browser's own digest wants a whole file at once, and files may be larger than memory. */

/** The first 32 bits of the fractions of roots of the first primes, as FIPS 180-4 says. @param {number} count @param {number} root */
function constants(count, root) {
	const found = [];
	for (let n = 2; found.length < count; n++) {
		let prime = true;
		for (let d = 2; d * d <= n; d++) {
			prime &&= n % d !== 0;
		}
		if (prime) {
			const value = n ** (1 / root);
			found.push(((value - Math.floor(value)) * 2 ** 32) | 0);
		}
	}
	return Int32Array.from(found);
}

const K = constants(64, 3);
const START = constants(8, 2);

export class Sha256 {
	#state = START.slice();
	#words = new Int32Array(64);
	#block = new Uint8Array(64);
	#view = new DataView(this.#block.buffer);
	#filled = 0;
	#length = 0;

	/** @param {Uint8Array} bytes */
	update(bytes) {
		this.#length += bytes.length;
		for (let at = 0; at < bytes.length; ) {
			const part = bytes.subarray(at, at + 64 - this.#filled);
			this.#block.set(part, this.#filled);
			this.#filled += part.length;
			at += part.length;
			if (this.#filled === 64) {
				this.#mix();
				this.#filled = 0;
			}
		}
		return this;
	}

	/** @returns {string} in hexadecimal; nothing can be added after it */
	digest() {
		const length = this.#length;
		const zeros = (119 - (length % 64)) % 64;
		const end = new Uint8Array(zeros + 9);
		end[0] = 0x80;
		const view = new DataView(end.buffer);
		view.setUint32(zeros + 1, Math.floor(length / 2 ** 29));
		view.setUint32(zeros + 5, (length << 3) >>> 0);
		this.update(end);
		return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
	}

	#mix() {
		const w = this.#words;
		for (let i = 0; i < 16; i++) {
			w[i] = this.#view.getInt32(4 * i);
		}
		for (let i = 16; i < 64; i++) {
			const x = w[i - 15];
			const y = w[i - 2];
			const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
			const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
			w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
		}
		const state = this.#state;
		let a = state[0], b = state[1], c = state[2], d = state[3];
		let e = state[4], f = state[5], g = state[6], h = state[7];
		for (let i = 0; i < 64; i++) {
			const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
			const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
			const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
			const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
			h = g;
			g = f;
			f = e;
			e = (d + t1) | 0;
			d = c;
			c = b;
			b = a;
			a = (t1 + t2) | 0;
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}
