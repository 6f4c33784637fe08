import { compareKeys } from "./keys.ts";

const largestChunk = 512;

/** A set of keys in byte order: sorted chunks, found by binary search. Reading on goes by key, so it survives changes. */
export class SortedKeys {
  readonly #chunks: string[][] = [];

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(key: string): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push([key]);
      return;
    }
    const index = Math.max(0, this.#chunkAt(key));
    const chunk = this.#chunks[index]!;
    const at = lowerBound(chunk, key);
    if (chunk[at] === key) return;
    chunk.splice(at, 0, key);
    if (chunk.length <= largestChunk) return;
    // Keys mostly arrive in order: a chunk that grew at its end leaves its full part behind.
    const cut = at === chunk.length - 1 ? largestChunk : largestChunk / 2;
    this.#chunks.splice(index + 1, 0, chunk.splice(cut));
  }

  delete(key: string): void {
    const index = this.#chunkAt(key);
    const chunk = this.#chunks[index];
    if (!chunk) return;
    const at = lowerBound(chunk, key);
    if (chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** The keys from `from` on, in order. The set must not change while this is read; stop and start again by key instead. */
  *from(from: string): Generator<string> {
    const first = Math.max(0, this.#chunkAt(from));
    for (let index = first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      for (let at = index === first ? lowerBound(chunk, from) : 0; at < chunk.length; at++) yield chunk[at]!;
    }
  }

  // The last chunk that starts at or before the key; -1 where the key is before all.
  #chunkAt(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#chunks[middle]![0]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function lowerBound(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(chunk[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
