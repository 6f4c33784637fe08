import { compareKeys } from "@millwright/store/keys";

/** What the list orders (`key`) and takes the maximum of (`modified`, a revision). */
export interface Keyed {
  readonly key: string;
  readonly modified: number;
}

const largestChunk = 256;

/**
 * Records in byte order of their keys. Lookup, change and the highest `modified` under a prefix cost the square root of
 * the size at most, so that a blocked query over a large prefix can be looked at again at every change.
 */
export class SortedRecords<T extends Keyed> {
  readonly #chunks: Chunk<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const chunk = this.#chunks[this.#chunkAt(key)];
    if (!chunk) return undefined;
    const record = chunk.records[lowerBound(chunk.records, key)];
    return record?.key === key ? record : undefined;
  }

  set(record: T): void {
    const index = Math.max(0, this.#chunkAt(record.key));
    const chunk = this.#chunks[index];
    if (!chunk) {
      this.#chunks.push({ records: [record], highest: record.modified });
      this.#size++;
      return;
    }
    const { records } = chunk;
    const at = lowerBound(records, record.key);
    const known = records[at]?.key === record.key;
    records.splice(at, known ? 1 : 0, record);
    if (!known) this.#size++;
    if (records.length > largestChunk) this.#split(index, at);
    else if (known && record.modified < chunk.highest) chunk.highest = highestOf(records);
    else chunk.highest = Math.max(chunk.highest, record.modified);
  }

  delete(key: string): void {
    const index = this.#chunkAt(key);
    const chunk = this.#chunks[index];
    if (!chunk) return;
    const at = lowerBound(chunk.records, key);
    const record = chunk.records[at];
    if (record?.key !== key) return;
    chunk.records.splice(at, 1);
    this.#size--;
    if (chunk.records.length === 0) this.#chunks.splice(index, 1);
    else if (record.modified === chunk.highest) chunk.highest = highestOf(chunk.records);
  }

  /** The records whose keys start with `prefix`, as they are now: later changes do not reach the result. */
  under(prefix: string): T[] {
    const found: T[] = [];
    this.#scan(
      prefix,
      (records) => {
        for (const record of records) found.push(record);
      },
      (record) => found.push(record),
    );
    return found;
  }

  /** The highest `modified` of the keys that start with `prefix`; 0 where there is none. */
  highestUnder(prefix: string): number {
    let highest = 0;
    this.#scan(
      prefix,
      (_records, chunk) => {
        highest = Math.max(highest, chunk.highest);
      },
      (record) => {
        highest = Math.max(highest, record.modified);
      },
    );
    return highest;
  }

  /** The record of the greatest key below `key`, and that of the least above it. */
  neighbours(key: string): { readonly before: T | undefined; readonly behind: T | undefined } {
    const index = Math.max(0, this.#chunkAt(key));
    const records = this.#chunks[index]?.records ?? [];
    const at = lowerBound(records, key);
    const next = records[at]?.key === key ? at + 1 : at;
    return {
      before: at > 0 ? records[at - 1] : this.#chunks[index - 1]?.records.at(-1),
      behind: next < records.length ? records[next] : this.#chunks[index + 1]?.records[0],
    };
  }

  // Chunks that lie wholly under the prefix are given as they are, of the others each record.
  #scan(prefix: string, whole: (records: readonly T[], chunk: Chunk<T>) => void, single: (record: T) => void): void {
    for (let index = Math.max(0, this.#chunkAt(prefix)); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      const { records } = chunk;
      if (records[0]!.key.startsWith(prefix) && records.at(-1)!.key.startsWith(prefix)) {
        whole(records, chunk);
        continue;
      }
      for (let at = lowerBound(records, prefix); at < records.length; at++) {
        const record = records[at]!;
        if (!record.key.startsWith(prefix)) return;
        single(record);
      }
    }
  }

  #split(index: number, grownAt: number): void {
    const { records } = this.#chunks[index]!;
    // Keys mostly arrive in order: a chunk that grew at its end leaves its full part behind.
    const cut = grownAt === records.length - 1 ? largestChunk : largestChunk / 2;
    const tail = records.splice(cut);
    this.#chunks.splice(
      index,
      1,
      { records, highest: highestOf(records) },
      { records: tail, highest: highestOf(tail) },
    );
  }

  // The last chunk that starts at or before the key; -1 where the key is before all.
  #chunkAt(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#chunks[middle]!.records[0]!.key, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

interface Chunk<T> {
  readonly records: T[];
  highest: number;
}

function lowerBound(records: readonly Keyed[], key: string): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(records[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function highestOf(records: readonly Keyed[]): number {
  let highest = 0;
  for (const { modified } of records) if (modified > highest) highest = modified;
  return highest;
}
