import { compareKeys } from "@millwright/store/keys";

/** What a list orders (`key`) and takes the maximum of (`modified`, a revision). */
export interface Keyed {
  readonly key: string;
  readonly modified: number;
}

/** Records in byte order of their keys, as they were when the view was taken. Read it as often and as slowly as needed. */
export class RecordView<T extends Keyed> {
  readonly #pieces: readonly (readonly T[])[];
  readonly size: number;

  /** `pieces` are not empty, in order, and never changed again. */
  constructor(pieces: readonly (readonly T[])[]) {
    this.#pieces = pieces;
    this.size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const piece of this.#pieces) yield* piece;
  }

  /** As iteration, but goes on from the first key at or behind what `next` gives, where it gives something. */
  *skipping(next: (record: T) => string | undefined): Generator<T> {
    let piece = 0;
    let at = 0;
    while (piece < this.#pieces.length) {
      const record = this.#pieces[piece]![at]!;
      yield record;
      const from = next(record);
      if (from !== undefined && compareKeys(from, record.key) > 0) {
        while (piece < this.#pieces.length && compareKeys(this.#pieces[piece]!.at(-1)!.key, from) < 0) piece++;
        at = lowerBound(this.#pieces[piece] ?? [], from);
        continue;
      }
      at++;
      if (at < this.#pieces[piece]!.length) continue;
      piece++;
      at = 0;
    }
  }
}

/** Where the first key at or behind `key` stands. */
export function lowerBound(records: readonly Keyed[], key: string): number {
  const last = records.at(-1);
  if (last && compareKeys(last.key, key) < 0) return records.length;
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(records[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
