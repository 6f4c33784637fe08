import type { Bucket } from "./bucket.ts";
import { NameTree } from "./name-tree.ts";

/** Which bucket holds which paths: what is kept in memory of a barrier, without the values. */
export class BucketIndex {
  readonly #byKey = new Map<string, KnownBucket>();
  readonly #byBits = new Map<string, KnownBucket>();
  readonly #names = new NameTree();
  #shortest = Number.POSITIVE_INFINITY;
  #longest = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /** Takes in what a bucket holds now; gives the paths that were written or deleted. */
  put(key: string, bucket: Bucket): readonly string[] {
    const before = this.#byKey.get(key)?.revisions ?? nothing;
    const revisions = new Map([...bucket.entries].map(([path, { revision }]) => [path, revision]));
    const known = { key, bits: bucket.bits, revisions };
    this.#byKey.set(key, known);
    this.#byBits.set(bucket.bits, known);
    this.#shortest = Math.min(this.#shortest, bucket.bits.length);
    this.#longest = Math.max(this.#longest, bucket.bits.length);
    const removed = [...before.keys()].filter((path) => !revisions.has(path));
    const written = [...revisions].filter(([path, revision]) => before.get(path) !== revision).map(([path]) => path);
    for (const path of removed) this.#names.remove(path);
    for (const path of written) this.#names.add(path);
    return [...removed, ...written];
  }

  /** Takes out a bucket that was split: its halves are put in behind. */
  remove(key: string): readonly string[] {
    const known = this.#byKey.get(key);
    if (!known) return [];
    this.#byKey.delete(key);
    this.#byBits.delete(known.bits);
    for (const path of known.revisions.keys()) this.#names.remove(path);
    return [...known.revisions.keys()];
  }

  /** The bucket that holds, or would hold, the path with this hash. */
  locate(hash: Uint8Array): KnownBucket | undefined {
    const bits = leadingBits(hash, this.#longest);
    for (let length = this.#shortest; length <= this.#longest; length++) {
      const known = this.#byBits.get(bits.slice(0, length));
      if (known) return known;
    }
    return undefined;
  }

  /** The index must not change while they are read. */
  *paths(): Generator<string> {
    for (const { revisions } of this.#byKey.values()) yield* revisions.keys();
  }

  list(folder: string): readonly string[] {
    return this.#names.list(folder);
  }
}

export interface KnownBucket {
  /** In the store. */
  readonly key: string;
  readonly bits: string;
  readonly revisions: ReadonlyMap<string, number>;
}

/** The first bits of a hash as text of `0` and `1`. */
export function leadingBits(hash: Uint8Array, length: number): string {
  let bits = "";
  for (let i = 0; i < length; i++) bits += (hash[i >> 3]! >> (7 - (i & 7))) & 1;
  return bits;
}

const nothing: ReadonlyMap<string, number> = new Map();
