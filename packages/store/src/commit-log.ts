import type { WatchEvent } from "./contract.ts";

/** One revision that changed something. `at` is when it was committed, on the store's monotonic clock. */
export interface Commit {
  readonly revision: number;
  readonly at: number;
  readonly events: readonly WatchEvent[];
}

/** The commits that are kept, by rising revision. */
export class CommitLog {
  #commits: Commit[] = [];
  // Dropped commits stay in front until they are worth moving the array for.
  #start = 0;
  #oldest: number;
  #newest: number;
  #bytes = 0;

  /** A log that begins behind `newest`. */
  constructor(oldest: number, newest: number) {
    this.#oldest = oldest;
    this.#newest = newest;
  }

  /** From this revision on nothing is missing. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Up to this revision everything is here. */
  get newest(): number {
    return this.#newest;
  }

  get length(): number {
    return this.#commits.length - this.#start;
  }

  get first(): Commit | undefined {
    return this.#commits[this.#start];
  }

  /** Of the values in the commits that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  append(commit: Commit): void {
    this.#commits.push(commit);
    this.#bytes += bytesOf(commit);
    this.#newest = commit.revision;
  }

  /** Notes that nothing was committed up to `revision` but what is here. */
  advance(revision: number): void {
    this.#newest = Math.max(this.#newest, revision);
  }

  /** Forgets everything, and goes on behind `newest`. */
  restartBehind(newest: number): void {
    this.#commits = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#oldest = newest + 1;
    this.#newest = newest;
  }

  /** The revision of the commit that is the `count`th from the end. */
  last(count: number): number {
    return this.#commits[Math.max(this.#start, this.#commits.length - count)]?.revision ?? this.#newest;
  }

  /** Forgets what is older than `oldest`; gives the commits dropped. */
  dropBefore(oldest: number): Commit[] {
    const end = this.#indexFrom(oldest);
    const dropped = this.#commits.slice(this.#start, end);
    for (const commit of dropped) this.#bytes -= bytesOf(commit);
    this.#oldest = Math.max(this.#oldest, oldest);
    this.#start = end;
    if (this.#start > 1024 && this.#start > this.length) {
      this.#commits = this.#commits.slice(this.#start);
      this.#start = 0;
    }
    return dropped;
  }

  /** Up to `most` commits of revision `from` and later. */
  from(from: number, most: number): readonly Commit[] {
    if (from > this.#newest) return [];
    const index = this.#indexFrom(from);
    return this.#commits.slice(index, index + most);
  }

  /** The oldest revision committed at `time` or later; behind the newest where there is none. */
  revisionAt(time: number): number {
    let low = this.#start;
    let high = this.#commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#commits[middle]!.at < time) low = middle + 1;
      else high = middle;
    }
    return this.#commits[low]?.revision ?? this.#newest;
  }

  /** The oldest revision from which on the values have at most so many bytes; the newest where that one alone has more. */
  oldestWithin(bytes: number): number {
    let sum = 0;
    for (let index = this.#commits.length - 1; index >= this.#start; index--) {
      sum += bytesOf(this.#commits[index]!);
      if (sum > bytes) return this.#commits[index + 1]?.revision ?? this.#newest;
    }
    return this.#oldest;
  }

  #indexFrom(revision: number): number {
    let low = this.#start;
    let high = this.#commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#commits[middle]!.revision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function bytesOf({ events }: Commit): number {
  return events.reduce((sum, event) => sum + (event.type === "put" ? event.entry.value.byteLength : 0), 0);
}
