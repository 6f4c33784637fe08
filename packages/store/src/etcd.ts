import { invariant, isKind, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import { checkRange, checkStep, checkTtl } from "./check.ts";
import type { Commit } from "./commit-log.ts";
import { CommitLog } from "./commit-log.ts";
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
} from "./contract.ts";
import { after, limits, storeErrors } from "./contract.ts";
import type { EtcdConnectionOptions } from "./etcd-connection.ts";
import { EtcdConnection } from "./etcd-connection.ts";
import { readFeed } from "./etcd-feed.ts";
import type { Assumptions } from "./etcd-steps.ts";
import { EtcdPlace, etcdOutcome, etcdTxn, leaseIdOf, leaseNumber } from "./etcd-steps.ts";
import { compareKeys } from "./keys.ts";
import { Watches } from "./watches.ts";

export interface EtcdOptions extends EtcdConnectionOptions {
  /**
   * Everything of the store lies under it, e.g. `millwright/`; not empty. Give each store of one etcd its own, none of
   * which begins with another's.
   */
  readonly prefix: string;
  /**
   * Whether this store compacts the etcd at the contract's 10 minutes or 100,000 revisions; true by default. Compaction is
   * for the whole etcd: turn it off where others share it, and set etcd's own --auto-compaction-retention.
   */
  readonly compaction?: boolean;
  readonly clock?: Clock;
}

/**
 * Opens a store in an etcd (v3.4 or later), which any number of servers may have open at once. Revisions are etcd's own:
 * they start above 0 and have gaps wherever something else is written to it.
 *
 * Rejects with `unavailable`, naming the addresses, where no member can be reached.
 */
export async function openEtcdStore(options: EtcdOptions): Promise<Store> {
  invariant(options.prefix !== "" && options.endpoints.length > 0, "an etcd store has a prefix and an endpoint");
  const connection = new EtcdConnection(options);
  const place = new EtcdPlace(options.prefix);
  try {
    const { header } = await connection.read("range", { key: place.tick, count_only: true });
    return new EtcdStore(options, connection, place, Number(header.revision));
  } catch (error) {
    connection.close();
    throw error;
  }
}

const tickMilliseconds = 250;
const reconnectMilliseconds = 100;
/** How long a revision that was read may take to arrive by itself before the tick is moved to show that it has. */
const arrivalMilliseconds = 20;
/** What the log keeps for watches from the near past; older ones read etcd. */
const logCommits = 10_000;
const logMilliseconds = 60_000;
const markMilliseconds = 60_000;
const pageBytes = 512 * 1024;

class EtcdStore implements Store {
  readonly #options: EtcdOptions;
  readonly #connection: EtcdConnection;
  readonly #place: EtcdPlace;
  readonly #clock: Clock;
  readonly #log: CommitLog;
  readonly #watches: Watches;
  readonly #closing = new AbortController();
  readonly #background: Promise<unknown>;
  /** Callers that wait for the log to reach a revision. */
  readonly #arrivals = new Set<{ readonly revision: number; readonly arrived: () => void }>();
  /** Revisions and when they were the newest, for compaction by age. */
  #marks: { readonly at: number; readonly revision: number }[] = [];

  constructor(options: EtcdOptions, connection: EtcdConnection, place: EtcdPlace, newest: number) {
    this.#options = options;
    this.#connection = connection;
    this.#place = place;
    this.#clock = options.clock ?? systemClock;
    this.#log = new CommitLog(newest + 1, newest);
    this.#watches = new Watches({
      log: this.#log,
      clock: this.#clock,
      past: (from, signal) => this.#past(from, signal),
      upToDate: (signal) => this.#upToDate(signal),
    });
    this.#background = Promise.all([this.#follow(), this.#keepHouse()]);
  }

  async txn(step: Transaction): Promise<TransactionResult> {
    checkStep(step);
    this.#assertOpen();
    let assumptions: Assumptions = new Map();
    for (;;) {
      const response = await this.#connection.write("txn", etcdTxn(this.#place, step, assumptions));
      const outcome = etcdOutcome(this.#place, step, response);
      if (outcome.done) {
        const { succeeded, results } = outcome;
        return { succeeded, revision: Number(response.header.revision), results };
      }
      assumptions = outcome.assumptions;
    }
  }

  async range(range: KeyRange, options: RangeOptions = {}): Promise<RangeResult> {
    this.#assertOpen();
    checkRange(range);
    invariant(options.limit === undefined || options.limit >= 1, "a range is limited to one entry at least");
    if (options.revision === 0) throw new OperationalError(storeErrors.compacted, "An etcd has no revision 0.");
    const limit = options.limit ?? Infinity;
    const entries: Entry[] = [];
    let count: number | undefined;
    let revision = options.revision;
    let from = range.from;
    let page = 100;
    // Page by page, so that no answer keeps the event loop for long.
    for (;;) {
      const response = await this.#connection.read("range", {
        ...this.#place.range({ ...range, from }),
        limit: Math.min(page, limit - entries.length),
        revision: revision ?? 0,
        keys_only: options.keysOnly ?? false,
        count_only: options.countOnly ?? false,
      });
      revision ??= Number(response.header.revision);
      count ??= Number(response.count);
      for (const kv of response.kvs) entries.push(this.#place.entry(kv));
      if (!response.more || options.countOnly || entries.length >= limit) break;
      from = after(entries.at(-1)!.key);
      const bytes = response.kvs.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 1);
      page = Math.max(1, Math.min(2_000, Math.floor((pageBytes / bytes) * response.kvs.length)));
    }
    const more = !options.countOnly && count > entries.length;
    return { entries, more, count: more ? entries.length : count, revision };
  }

  async revision(): Promise<number> {
    this.#assertOpen();
    const { header } = await this.#connection.read("range", { key: this.#place.tick, count_only: true });
    return Number(header.revision);
  }

  watch(prefixes: readonly string[], from: number, signal: AbortSignal): Watch {
    this.#assertOpen();
    return this.#watches.open(prefixes, from, signal);
  }

  async grantLease(ttl: number): Promise<LeaseId> {
    this.#assertOpen();
    checkTtl(ttl);
    return leaseIdOf((await this.#connection.write("leaseGrant", { TTL: ttl })).ID);
  }

  async renewLease(lease: LeaseId): Promise<number | undefined> {
    this.#assertOpen();
    const ID = leaseNumber(lease);
    if (ID === undefined) return undefined;
    const stream = await this.#connection.stream("leaseKeepAlive");
    const deadline = AbortSignal.timeout(this.#options.timeoutMilliseconds ?? 10_000);
    deadline.addEventListener("abort", () => stream.cancel(), { once: true });
    try {
      const left = await new Promise<number>((resolve, reject) => {
        stream.on("data", (response: { readonly TTL: string }) => resolve(Number(response.TTL)));
        stream.on("error", reject);
        stream.write({ ID });
      });
      return left > 0 ? left : undefined;
    } catch (error) {
      throw this.#connection.explain(error);
    } finally {
      stream.end();
    }
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.#assertOpen();
    const ID = leaseNumber(lease);
    if (ID === undefined) return;
    try {
      await this.#connection.write("leaseRevoke", { ID });
    } catch (error) {
      if (!isKind(error, storeErrors.leaseNotFound)) throw error;
    }
  }

  async lease(lease: LeaseId): Promise<LeaseState | undefined> {
    this.#assertOpen();
    const ID = leaseNumber(lease);
    if (ID === undefined) return undefined;
    const state = await this.#connection.read("leaseTimeToLive", { ID, keys: true });
    if (state.TTL === "-1") return undefined;
    const keys = state.keys.map((key) => this.#place.name(key)).sort(compareKeys);
    return { ttl: Number(state.grantedTTL), remaining: Math.max(0, Number(state.TTL)), keys };
  }

  async compact(revision: number): Promise<void> {
    const newest = await this.revision();
    if (revision > newest)
      throw new OperationalError(
        storeErrors.futureRevision,
        `Revision ${revision} of the store is not there yet; the newest is ${newest}.`,
      );
    await this.#compact(revision);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#watches.close();
    await this.#background;
    this.#connection.close();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new OperationalError(storeErrors.closed, "The store is closed.");
  }

  // etcd removes deletions at the revision it compacts to; the contract keeps that revision whole. So one less.
  async #compact(oldest: number): Promise<void> {
    this.#log.dropBefore(oldest);
    if (oldest <= 1) return;
    try {
      await this.#connection.write("compact", { revision: oldest - 1 });
    } catch (error) {
      if (!isKind(error, storeErrors.compacted)) throw error;
    }
  }

  // Keeps the log at the newest revision for as long as the store is open.
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const source = { connection: this.#connection, place: this.#place, clock: this.#clock };
    let lost = false;
    while (!signal.aborted) {
      try {
        if (lost) await this.#beginAnew();
        lost = false;
        for await (const commit of readFeed(source, this.#log.newest + 1, signal)) this.#received(commit);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        lost = isKind(error, storeErrors.compacted);
      }
      await this.#slept(reconnectMilliseconds, signal);
    }
  }

  // While there was no connection, what comes next was compacted. Watches that have not read it will be told so.
  async #beginAnew(): Promise<void> {
    this.#log.restartBehind(await this.revision());
    this.#watches.interrupted();
  }

  #received(commit: Commit): void {
    if (commit.events.length > 0) this.#log.append(commit);
    else this.#log.advance(commit.revision);
    this.#watches.published(commit);
    for (const waiting of this.#arrivals) if (waiting.revision <= commit.revision) waiting.arrived();
  }

  // etcd 3.4 may report progress ahead of events still on their way (etcd issue 15220), so it is not asked for progress.
  // Instead the tick is written, whose event can only come behind all earlier ones.
  async #upToDate(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const revision = await this.revision();
        if (await this.#arrived(revision, arrivalMilliseconds, signal)) return;
        await this.#tick();
        await this.#arrived(revision, Infinity, signal);
        return;
      } catch (error) {
        if (!(error instanceof OperationalError) || isKind(error, storeErrors.closed)) throw error;
        await this.#slept(reconnectMilliseconds, signal);
      }
    }
  }

  // Whether the log has reached the revision, within that time.
  #arrived(revision: number, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (this.#log.newest >= revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (reached: boolean) => {
        this.#arrivals.delete(waiting);
        signal.removeEventListener("abort", late);
        clearTimeout(timer);
        resolve(reached);
      };
      const late = () => settle(false);
      const waiting = { revision, arrived: () => settle(true) };
      const timer = Number.isFinite(milliseconds) ? setTimeout(late, milliseconds) : undefined;
      this.#arrivals.add(waiting);
      signal.addEventListener("abort", late, { once: true });
    });
  }

  async #tick(): Promise<void> {
    const put = { request_put: { key: this.#place.tick, value: new Uint8Array() } };
    await this.#connection.write("txn", { compare: [], success: [put], failure: [] });
  }

  // A watch of its own for a reader of the far past. The tick makes sure that it gets to where the log begins.
  async *#past(from: number, signal: AbortSignal): AsyncGenerator<Commit> {
    const source = { connection: this.#connection, place: this.#place, clock: this.#clock };
    let next = from;
    while (!signal.aborted) {
      try {
        await this.#tick();
        for await (const commit of readFeed(source, next, signal)) {
          yield commit;
          next = commit.revision + 1;
        }
      } catch (error) {
        if (!(error instanceof OperationalError) || isKind(error, storeErrors.compacted)) throw error;
        await this.#slept(reconnectMilliseconds, signal);
      }
    }
  }

  async #keepHouse(): Promise<void> {
    let marked = this.#clock.monotonic();
    while (await this.#slept(tickMilliseconds, this.#closing.signal)) {
      this.#watches.tick();
      const now = this.#clock.monotonic();
      if (this.#log.length > logCommits * 1.1) this.#log.dropBefore(this.#log.last(logCommits));
      if (now - marked < markMilliseconds) continue;
      marked = now;
      this.#log.dropBefore(this.#log.revisionAt(now - logMilliseconds));
      try {
        await this.#keepHistory(now);
      } catch (error) {
        // An etcd that cannot be reached is asked again a minute later.
        if (!(error instanceof OperationalError)) throw error;
      }
    }
  }

  async #keepHistory(now: number): Promise<void> {
    const newest = await this.revision();
    // Others write much and we little: moves our place on, so that a broken watch does not begin in what was compacted.
    if (newest - this.#log.newest > 1_000) await this.#tick();
    if (this.#options.compaction === false) return;
    this.#marks.push({ at: now, revision: newest });
    const old = this.#marks.findLast((mark) => mark.at <= now - limits.historyMilliseconds);
    const oldest = Math.max(old?.revision ?? 0, newest - limits.historyRevisions);
    if (old) this.#marks = this.#marks.filter((mark) => mark.at > old.at);
    if (oldest > 1) await this.#compact(oldest);
  }

  #slept(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    return this.#clock.sleep(milliseconds, signal).then(
      () => true,
      () => false,
    );
  }
}
