import { seedTable } from "./go-seed-table.ts";

const length = seedTable.length;
const tap = 273;

/**
 * The numbers that Go's `math/rand` gives for a seed, so that a seed gives here what it gives with the Go provider.
 *
 * The seed is a text, of which the CRC-64 (ISO) seeds the generator. Not for secrets.
 * Source: an additive lagged Fibonacci generator with lags 607 and 273, as Go's package math/rand (version 1) has it.
 */
export class SeededRandom {
  readonly #state: BigUint64Array;
  #tap = 0;
  #feed = length - tap;

  constructor(seed: string) {
    this.#state = stateOf(BigInt.asIntN(64, crc64(Buffer.from(seed, "utf8"))));
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return limit <= 2 ** 31 - 1 ? Number(this.#fair(31n, BigInt(limit))) : Number(this.#fair(63n, BigInt(limit)));
  }

  /** The numbers from 0 to `count` - 1 in an order of chance. */
  order(count: number): number[] {
    const order: number[] = [];
    for (let i = 0; i < count; i++) {
      const j = this.below(i + 1);
      // The number that was at j moves to the end, and i takes its place.
      order[i] = order[j] ?? i;
      order[j] = i;
    }
    return order;
  }

  /** A number of so many bits, brought below `limit` without preferring any. */
  #fair(bits: bigint, limit: bigint): bigint {
    const next = () => this.#next() >> (63n - bits);
    if ((limit & (limit - 1n)) === 0n) return next() & (limit - 1n);
    const largest = (1n << bits) - 1n - ((1n << bits) % limit);
    let drawn = next();
    while (drawn > largest) drawn = next();
    return drawn % limit;
  }

  /** 63 bits. */
  #next(): bigint {
    this.#tap = (this.#tap + length - 1) % length;
    this.#feed = (this.#feed + length - 1) % length;
    this.#state[this.#feed]! += this.#state[this.#tap]!;
    return this.#state[this.#feed]! & 0x7fff_ffff_ffff_ffffn;
  }
}

const largestSeed = 2n ** 31n - 1n;

function stateOf(seed: bigint): BigUint64Array {
  const inRange = ((seed % largestSeed) + largestSeed) % largestSeed;
  let x = inRange === 0n ? 89482311n : inRange;
  const step = () => {
    // The minimal standard generator of Lehmer, with multiplier 48271.
    x = (x * 48271n) % largestSeed;
    return x;
  };
  for (let i = 0; i < 20; i++) step();
  return BigUint64Array.from(seedTable, (constant) => {
    const mixed = (step() << 40n) ^ (step() << 20n) ^ step();
    return BigInt.asUintN(64, mixed) ^ constant;
  });
}

/** CRC-64 with the polynomial of ISO 3309. */
function crc64(bytes: Uint8Array): bigint {
  const all = 0xffff_ffff_ffff_ffffn;
  let crc = all;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xd800_0000_0000_0000n : crc >> 1n;
  }
  return crc ^ all;
}
