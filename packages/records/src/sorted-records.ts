import { compareKeys } from "@millwright/store/keys";
import { type Keyed, lowerBound, RecordView } from "./record-view.ts";

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
      this.#chunks.push({ records: [record], highest: record.modified, viewed: false });
      this.#size++;
      return;
    }
    const records = owned(chunk);
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
    const records = owned(chunk);
    records.splice(at, 1);
    this.#size--;
    if (records.length === 0) this.#chunks.splice(index, 1);
    else if (record.modified === chunk.highest) chunk.highest = highestOf(records);
  }

  /** The records whose keys start with `prefix`, as they are now: later changes do not reach it. Copies next to nothing. */
  view(prefix: string): RecordView<T> {
    const pieces: (readonly T[])[] = [];
    this.#scan(prefix, (chunk, from, to) => {
      if (from === 0 && to === chunk.records.length) {
        chunk.viewed = true;
        pieces.push(chunk.records);
      } else pieces.push(chunk.records.slice(from, to));
    });
    return new RecordView(pieces);
  }

  /** The highest `modified` of the keys that start with `prefix`; 0 where there is none. */
  highestUnder(prefix: string): number {
    let highest = 0;
    this.#scan(prefix, (chunk, from, to) => {
      const whole = from === 0 && to === chunk.records.length;
      highest = Math.max(highest, whole ? chunk.highest : highestOf(chunk.records.slice(from, to)));
    });
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

  // Gives each chunk that has keys under the prefix, and which part of it that is.
  #scan(prefix: string, take: (chunk: Chunk<T>, from: number, to: number) => void): void {
    for (let index = Math.max(0, this.#chunkAt(prefix)); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      const { records } = chunk;
      const from = lowerBound(records, prefix);
      let to = records.length;
      if (!records[to - 1]!.key.startsWith(prefix)) {
        to = from;
        while (records[to]?.key.startsWith(prefix)) to++;
      }
      if (to > from) take(chunk, from, to);
      if (to < records.length && from < records.length) return;
    }
  }

  #split(index: number, grownAt: number): void {
    const { records } = this.#chunks[index]!;
    // Keys mostly arrive in order: a chunk that grew at its end leaves its full part behind.
    const cut = grownAt === records.length - 1 ? largestChunk : largestChunk / 2;
    const tail = records.splice(cut);
    this.#chunks.splice(index, 1, newChunk(records), newChunk(tail));
  }

  // The last chunk that starts at or before the key; -1 where the key is before all.
  #chunkAt(key: string): number {
    const last = this.#chunks.at(-1);
    // Keys mostly arrive in order, a million of them at a rebuild.
    if (last && compareKeys(last.records[0]!.key, key) <= 0) return this.#chunks.length - 1;
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
  records: T[];
  highest: number;
  /** Whether a view holds `records`: they are then copied before the next change. */
  viewed: boolean;
}

function newChunk<T extends Keyed>(records: T[]): Chunk<T> {
  return { records, highest: highestOf(records), viewed: false };
}

function owned<T>(chunk: Chunk<T>): T[] {
  if (chunk.viewed) {
    chunk.records = [...chunk.records];
    chunk.viewed = false;
  }
  return chunk.records;
}

function highestOf(records: readonly Keyed[]): number {
  let highest = 0;
  for (const { modified } of records) if (modified > highest) highest = modified;
  return highest;
}
