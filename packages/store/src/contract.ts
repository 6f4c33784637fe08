import type { ErrorKind } from "@millwright/core/errors";

/**
 * The store contract: a small ordered map with revisions, transactions, watches and leases, as etcd v3 has them.
 *
 * Keys are non-empty, well-formed strings compared by their UTF-8 bytes; values are bytes, and those handed out are
 * shared: never write into them. Every commit that changes something gets a revision above all earlier ones; `memory` and
 * `sqlite` count 1, 2, 3 …, while over etcd there are gaps wherever something else was written to the same etcd. What was
 * acknowledged is on disk (for engines that have one). One contract suite (`contract-suite.ts`) runs over every engine,
 * faults included.
 *
 * Operational errors are {@link storeErrors}; every call may reject with `unavailable` and, after {@link Store.close},
 * with `closed`.
 */
export interface Store {
  /**
   * One atomic step: where every comparison of `when` holds, `then` is carried out, else `otherwise`. Operations run in
   * order, and a `get` sees the writes before it. A step that changes nothing (no put, and no deleted key that existed)
   * takes no revision.
   *
   * Rejects with `limitExceeded` where the step is larger than {@link limits} and with `invalidKey` where a key is empty
   * or ill-formed, before anything is read; with `duplicateKey` where two writes of one branch overlap (a key twice, or a
   * deleteRange over a key or range written beside it); with `leaseNotFound` where a put of the branch that is carried
   * out names a lease that has ended; with `undecided` where the answer was lost.
   *
   * Comparisons, deleteRanges and gets over a range are carried out in one go: a caller keeps such ranges to a few
   * thousand keys, and cuts larger work into steps that each leave a valid state. The step and its values must not be
   * changed before the answer.
   */
  txn(step: Transaction): Promise<TransactionResult>;

  /**
   * Keys of `[from, to)` in byte order at one revision. Without `revision` the newest committed one (linearizable).
   * `limit` (1 or more) pages: where `more` is true, go on with `from` = {@link after}(last key) at the same `revision`.
   * Rejects with `compacted` where `revision` is older than the history kept, `futureRevision` where it is not yet there.
   */
  range(range: KeyRange, options?: RangeOptions): Promise<RangeResult>;

  /** The newest committed revision, linearizable: at least that of every commit acknowledged before this call. */
  revision(): Promise<number>;

  /**
   * The changes of keys under any of `prefixes`, from revision `from` on (inclusive), until the signal aborts.
   * All events of one revision come together, in the order they were made, revision after revision, without gap or
   * repeat. When quiet for a while (at most 5 s), or when asked by {@link Watch.requestProgress}, reports `progress`:
   * everything up to that revision was delivered. Fails with `compacted` where `from` is older than the history kept, be
   * it at the start or because the reader was too slow; ends without an error at the abort and at {@link Store.close}.
   */
  watch(prefixes: readonly string[], from: number, signal: AbortSignal): Watch;

  /**
   * Grants a liveness lease of `ttl` seconds (1 … 86400, a whole number; else `limitExceeded`). Not a commit. An engine may
   * raise a short ttl to its least (etcd: 2 s as it comes); {@link lease} tells. A lease survives a restart of the engine,
   * and may then have its full ttl again.
   */
  grantLease(ttl: number): Promise<LeaseId>;
  /** Renews for its ttl again; resolves to the seconds now left, or undefined where the lease has ended. Not a commit. */
  renewLease(lease: LeaseId): Promise<number | undefined>;
  /**
   * Ends a lease now; its keys are deleted in one commit (cut into several where larger than the limits). Of a lease that
   * has ended: nothing happens. A put of a key with another lease, or with none, detaches it from the lease it had.
   */
  revokeLease(lease: LeaseId): Promise<void>;
  /** Seconds left and keys attached, or undefined where the lease has ended. */
  lease(lease: LeaseId): Promise<LeaseState | undefined>;

  /**
   * Drops history older than `revision`: it stays the oldest that can be read and watched from. The store does so by
   * itself at 10 minutes, 100,000 revisions or, where it is held in memory, 256 MiB of values. Rejects with `futureRevision` where it is not yet there; a revision that
   * was compacted before is no error.
   */
  compact(revision: number): Promise<void>;

  /** Finishes what was acknowledged, ends watches, frees files and connections. Later calls reject with `closed`. */
  close(): Promise<void>;
}

export type LeaseId = string & { readonly __brand: "LeaseId" };

export interface LeaseState {
  readonly ttl: number;
  readonly remaining: number;
  readonly keys: readonly string[];
}

/** `[from, to)` by UTF-8 bytes; no `to` means without end. One key is `[key, key + "\0")`. */
export interface KeyRange {
  readonly from: string;
  readonly to?: string;
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision that created the key since it last did not exist. */
  readonly created: number;
  /** Revision that last wrote it. */
  readonly modified: number;
  /** Writes since `created`, starting at 1. */
  readonly version: number;
  readonly lease?: LeaseId;
}

/**
 * Each comparison is about one key (the range is {@link keyRange}) or about every key there is in a range.
 *
 * `absent`: the range holds no key; `present`: it holds one at least. `value`, `created`, `modified`: hold for every key of
 * the range, so they are true where it is empty. Only for one key absence counts: its `created` and `modified` are then
 * 0, and no value equals it. (So a fence "created = r" fails once the key is gone.)
 */
export type Comparison =
  | { readonly range: KeyRange; readonly is: "absent" }
  | { readonly range: KeyRange; readonly is: "present" }
  | { readonly range: KeyRange; readonly is: "value"; readonly equals: Uint8Array }
  | { readonly range: KeyRange; readonly is: "created"; readonly op: CompareOp; readonly revision: number }
  | { readonly range: KeyRange; readonly is: "modified"; readonly op: CompareOp; readonly revision: number };

export type CompareOp = "=" | "!=" | "<" | ">";

export type Operation =
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly lease?: LeaseId }
  | { readonly op: "delete"; readonly key: string }
  | { readonly op: "deleteRange"; readonly range: KeyRange }
  | { readonly op: "get"; readonly range: KeyRange; readonly limit?: number };

export interface Transaction {
  readonly when?: readonly Comparison[];
  readonly then: readonly Operation[];
  readonly otherwise?: readonly Operation[];
}

export interface TransactionResult {
  /** Whether `then` was carried out. */
  readonly succeeded: boolean;
  /** Of this commit where something was written, else the newest at the time it was read. */
  readonly revision: number;
  /** One a operation, in order. `deleted` counts keys that existed. */
  readonly results: readonly OperationResult[];
}

export type OperationResult =
  | { readonly op: "put" }
  | { readonly op: "delete" | "deleteRange"; readonly deleted: number }
  | { readonly op: "get"; readonly entries: readonly Entry[]; readonly more: boolean };

export interface RangeOptions {
  readonly revision?: number;
  readonly limit?: number;
  /** Entries come with empty values. */
  readonly keysOnly?: boolean;
  /** Only the number of keys is wanted; `entries` stays empty. */
  readonly countOnly?: boolean;
}

export interface RangeResult {
  readonly entries: readonly Entry[];
  readonly more: boolean;
  /** Keys in the whole range at that revision; where a limit has left some out, only those that are here. */
  readonly count: number;
  /** The revision that was read. */
  readonly revision: number;
}

export type WatchEvent =
  /** `previous` is what the key held before; not there where it held nothing, or where that is compacted. */
  | { readonly type: "put"; readonly entry: Entry; readonly previous?: Entry }
  | { readonly type: "delete"; readonly key: string; readonly revision: number; readonly previous?: Entry };

export type WatchMessage =
  | { readonly type: "changes"; readonly revision: number; readonly events: readonly WatchEvent[] }
  | { readonly type: "progress"; readonly revision: number };

export interface Watch extends AsyncIterable<WatchMessage> {
  /** Asks for a `progress` message as soon as the watch has delivered everything up to now. */
  requestProgress(): void;
}

/** The same on every engine, enforced by each before anything is read. */
export const limits = {
  comparisons: 128,
  /** In each branch. */
  operations: 128,
  /** Keys, values and compared values of a step together, both branches. */
  bytes: 1024 * 1024,
  leaseSeconds: 86_400,
  historyMilliseconds: 10 * 60 * 1000,
  historyRevisions: 100_000,
  /** Of values; the embedded engines hold them in memory. */
  historyBytes: 256 * 1024 * 1024,
} as const;

export const storeErrors = {
  limitExceeded: { code: "STORE_LIMIT_EXCEEDED", status: 413, retryable: false },
  /** A key that is empty, or not well-formed Unicode (a lone surrogate). */
  invalidKey: { code: "STORE_INVALID_KEY", status: 400, retryable: false },
  duplicateKey: { code: "STORE_DUPLICATE_KEY", status: 400, retryable: false },
  compacted: { code: "STORE_COMPACTED", status: 500, retryable: false },
  futureRevision: { code: "STORE_FUTURE_REVISION", status: 500, retryable: false },
  leaseNotFound: { code: "STORE_LEASE_NOT_FOUND", status: 404, retryable: false },
  closed: { code: "STORE_CLOSED", status: 503, retryable: false },
  /** The engine cannot be reached, or its disk refuses: nothing is known to have been written. */
  unavailable: { code: "STORE_UNAVAILABLE", status: 503, retryable: true },
  /** The call was sent and no answer came: it may or may not have been committed. */
  undecided: { code: "STORE_UNDECIDED", status: 500, retryable: false },
  /** At opening: another process holds the file. */
  locked: { code: "STORE_LOCKED", status: 503, retryable: true },
  /** At opening: not a store, damaged, or written by a newer version. */
  unusable: { code: "STORE_UNUSABLE", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;

/** The range that holds just this key. */
export function keyRange(key: string): KeyRange {
  return { from: key, to: `${key}\0` };
}

/** The range of all keys that start with `prefix`; everything for the empty prefix. */
export function prefixRange(prefix: string): KeyRange {
  const end = prefixEnd(prefix);
  return end === undefined ? { from: prefix } : { from: prefix, to: end };
}

/** The first key behind `key`, for paging. */
export function after(key: string): string {
  return `${key}\0`;
}

// The least string above every string with this prefix: the last code point that can be raised is raised by one.
function prefixEnd(prefix: string): string | undefined {
  const points = [...prefix];
  for (let i = points.length - 1; i >= 0; i--) {
    const code = points[i]!.codePointAt(0)!;
    if (code === 0x10ffff) continue;
    const next = code + 1 === 0xd800 ? 0xe000 : code + 1;
    return points.slice(0, i).join("") + String.fromCodePoint(next);
  }
  return undefined;
}
