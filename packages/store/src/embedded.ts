import { invariant, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { checkRange, checkStep, checkTtl } from "./check.ts";
import { CommitLog } from "./commit-log.ts";
import { Committer } from "./committer.ts";
import type {
  Entry,
  KeyRange,
  LeaseId,
  LeaseState,
  RangeOptions,
  RangeResult,
  Store,
  Transaction,
  TransactionResult,
  Watch,
  WatchEvent,
} from "./contract.ts";
import { limits, storeErrors } from "./contract.ts";
import type { Version } from "./history.ts";
import { eventKey, History } from "./history.ts";
import type { Dropped, Journal } from "./journal.ts";
import { compareKeys, isOneKey } from "./keys.ts";
import { Leases } from "./leases.ts";
import { executeStep } from "./step.ts";
import { Turns } from "./turns.ts";
import { compacted, Watches } from "./watches.ts";

/** What an embedded store runs on. */
export interface EmbeddedOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** How much history is kept; the contract's figures unless a test needs others. */
  readonly history?: HistoryBounds;
  readonly journal: Journal;
  /** What the journal held at the start. */
  readonly recovered?: Recovered;
}

/** How much history is kept: what is over any of them goes. */
export interface HistoryBounds {
  readonly milliseconds: number;
  readonly revisions: number;
  /** Of values. */
  readonly bytes: number;
}

/** The state that a journal gives back. */
export interface Recovered {
  readonly history: History;
  readonly log: CommitLog;
  readonly leases: readonly { readonly lease: LeaseId; readonly ttl: number }[];
  /** Versions that a compaction left on disk. */
  readonly dropped: readonly Dropped[];
}

const tickMilliseconds = 250;
const keysPerSlice = 1_000;

/**
 * A store whose state is in this process: all versions in memory, written to a journal before anything is acknowledged or
 * shown. Steps are decided one after another, on top of those still being written; where the journal refuses, all that was
 * decided on top is taken back.
 */
export class EmbeddedStore implements Store {
  readonly #options: EmbeddedOptions;
  readonly #history: History;
  readonly #log: CommitLog;
  readonly #watches: Watches;
  readonly #committer: Committer;
  readonly #leases = new Leases();
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  readonly #housekeeping: Promise<void>;
  /** Revisions that a running range reads. */
  readonly #reading = new Map<symbol, number>();
  #dropped: Dropped[];
  #compacting: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#history = options.recovered?.history ?? new History();
    this.#log = options.recovered?.log ?? new CommitLog(0, 0);
    this.#dropped = [...(options.recovered?.dropped ?? [])];
    this.#watches = new Watches({ log: this.#log, clock: options.clock, upToDate: async () => undefined });
    this.#committer = new Committer({
      history: this.#history,
      log: this.#log,
      watches: this.#watches,
      journal: options.journal,
    });
    for (const { lease, ttl } of options.recovered?.leases ?? []) this.#leases.grant(lease, ttl, this.#now());
    this.#housekeeping = this.#keepHouse();
  }

  async txn(step: Transaction): Promise<TransactionResult> {
    checkStep(step);
    for (;;) {
      if (this.#turns.spent) await this.#turns.next();
      this.#assertOpen();
      const newest = this.#committer.decided;
      const outcome = executeStep(this.#history, newest, step, (lease) => this.#leases.has(lease));
      const { succeeded, results } = outcome;
      if (outcome.events.length > 0) {
        const revision = await this.#commit(outcome.events);
        return { succeeded, revision, results };
      }
      // What it read may still be on its way to the disk; where that fails, the step is decided again.
      if (await this.#committer.reached(newest)) return { succeeded, revision: newest, results };
    }
  }

  async range(range: KeyRange, options: RangeOptions = {}): Promise<RangeResult> {
    if (this.#turns.spent) await this.#turns.next();
    this.#assertOpen();
    checkRange(range);
    const limit = options.limit ?? Infinity;
    invariant(options.limit === undefined || options.limit >= 1, "a range is limited to one entry at least");
    const revision = options.revision ?? this.#log.newest;
    if (revision > this.#log.newest) throw futureRevision(revision, this.#log.newest);
    if (revision < this.#log.oldest) throw compacted(revision, this.#log.oldest);
    const entries: Entry[] = [];
    let count = 0;
    let more = false;
    await this.#scan(range, revision, (entry) => {
      more = !options.countOnly && count === limit;
      // One behind the last that is wanted tells that there is more; all others behind it are not looked at.
      if (more) return false;
      count++;
      if (!options.countOnly) entries.push(options.keysOnly ? { ...entry, value: noBytes } : entry);
      return true;
    });
    return { entries, more, count, revision };
  }

  async revision(): Promise<number> {
    if (this.#turns.spent) await this.#turns.next();
    this.#assertOpen();
    return this.#log.newest;
  }

  watch(prefixes: readonly string[], from: number, signal: AbortSignal): Watch {
    this.#assertOpen();
    return this.#watches.open(prefixes, from, signal);
  }

  async grantLease(ttl: number): Promise<LeaseId> {
    this.#assertOpen();
    checkTtl(ttl);
    const lease = Buffer.from(this.#options.chance.bytes(8)).toString("hex") as LeaseId;
    await this.#committer.write([{ kind: "leaseGranted", lease, ttl }]);
    this.#leases.grant(lease, ttl, this.#now());
    return lease;
  }

  async renewLease(lease: LeaseId): Promise<number | undefined> {
    this.#assertOpen();
    return this.#leases.renew(lease, this.#now());
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.#assertOpen();
    await this.#endLease(lease);
  }

  async lease(lease: LeaseId): Promise<LeaseState | undefined> {
    this.#assertOpen();
    const state = this.#leases.get(lease, this.#now());
    return state && { ...state, keys: [...this.#history.leased(lease)].sort(compareKeys) };
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    if (revision > this.#log.newest) throw futureRevision(revision, this.#log.newest);
    await this.#compact(revision);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#watches.close();
    await this.#housekeeping;
    await this.#compacting;
    await this.#committer.idle();
    await this.#options.journal.close();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new OperationalError(storeErrors.closed, "The store is closed.");
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #commit(events: readonly WatchEvent[]): Promise<number> {
    return this.#committer.commit({ revision: this.#committer.decided + 1, at: this.#now(), events });
  }

  // Shows the entries of a range at one revision until `visit` returns false, giving way to others between slices.
  async #scan(range: KeyRange, revision: number, visit: (entry: Entry) => boolean): Promise<void> {
    if (isOneKey(range)) {
      const entry = this.#history.at(range.from, revision);
      if (entry) visit(entry);
      return;
    }
    const reading = Symbol();
    this.#reading.set(reading, revision);
    try {
      let rest: KeyRange | undefined = range;
      while (rest) {
        const next = this.#history.scan(rest, revision, keysPerSlice, visit);
        rest = next === undefined ? undefined : { ...range, from: next };
        if (rest && this.#turns.spent) await this.#turns.next();
      }
    } finally {
      this.#reading.delete(reading);
    }
  }

  async #endLease(lease: LeaseId): Promise<void> {
    if (!this.#leases.beginEnd(lease)) return;
    for (;;) {
      const keys = partWithinLimits(this.#history.leased(lease));
      if (keys.length === 0) break;
      const revision = this.#committer.decided + 1;
      await this.#commit(keys.flatMap((key) => this.#history.delete(revision, key) ?? []));
    }
    await this.#committer.write([{ kind: "leaseEnded", lease }]);
    this.#leases.end(lease);
  }

  // One compaction at a time; memory first, then the disk, which may lag behind.
  #compact(oldest: number): Promise<void> {
    const done = this.#compacting.then(() => this.#prune(oldest));
    this.#compacting = done.catch(() => undefined);
    return done;
  }

  async #prune(oldest: number): Promise<void> {
    if (oldest > this.#log.oldest) {
      const dropped = this.#log.dropBefore(oldest);
      while (Math.min(...this.#reading.values()) < oldest) await this.#turns.next();
      for (const commit of dropped) {
        for (const event of commit.events)
          this.#dropped.push(...this.#history.prune(eventKey(event), oldest).map(nameOf));
        if (this.#turns.spent) await this.#turns.next();
      }
    }
    while (this.#dropped.length > 0) {
      const part = this.#dropped.slice(0, keysPerSlice);
      await this.#committer.write([{ kind: "compacted", oldest: this.#log.oldest, dropped: part }]);
      this.#dropped = this.#dropped.slice(part.length);
    }
  }

  // What the contract says happens by itself. A refused write is met again at the next tick.
  async #keepHouse(): Promise<void> {
    const { clock } = this.#options;
    while (await slept(clock, tickMilliseconds, this.#closing.signal)) {
      this.#watches.tick();
      try {
        for (const lease of this.#leases.due(this.#now())) await this.#endLease(lease);
        const oldest = this.#oldestToKeep();
        if (oldest > this.#log.oldest || this.#dropped.length > 0) await this.#compact(oldest);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
      }
    }
  }

  // Compacting in steps of a tenth keeps it from being done at every tick.
  #oldestToKeep(): number {
    const { milliseconds, revisions, bytes } = this.#options.history ?? {
      milliseconds: limits.historyMilliseconds,
      revisions: limits.historyRevisions,
      bytes: limits.historyBytes,
    };
    const first = this.#log.first;
    if (!first) return this.#log.oldest;
    const tooMany = this.#log.length > revisions * 1.1;
    const tooOld = this.#now() - first.at > milliseconds * 1.1;
    const tooLarge = this.#log.bytes > bytes * 1.1;
    if (!tooMany && !tooOld && !tooLarge) return this.#log.oldest;
    const byCount = this.#log.newest - revisions + 1;
    return Math.max(byCount, this.#log.revisionAt(this.#now() - milliseconds), this.#log.oldestWithin(bytes));
  }
}

const noBytes = new Uint8Array();

function nameOf(version: Version): Dropped {
  return { key: version.key, modified: version.modified };
}

// As many of the keys as one step may delete.
function partWithinLimits(keys: Iterable<string>): string[] {
  const part: string[] = [];
  let bytes = 0;
  for (const key of keys) {
    bytes += Buffer.byteLength(key);
    if (part.length === limits.operations || bytes > limits.bytes) break;
    part.push(key);
  }
  return part;
}

function futureRevision(wanted: number, newest: number): OperationalError {
  return new OperationalError(
    storeErrors.futureRevision,
    `Revision ${wanted} of the store is not there yet; the newest is ${newest}.`,
  );
}

async function slept(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(milliseconds, signal);
    return true;
  } catch {
    return false;
  }
}
