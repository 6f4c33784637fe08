import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { type Comparison, keyRange, type LeaseId, type Store, storeErrors, type Watch } from "./contract.ts";

/** What one process may do alone, among all that work over one store. */
export interface LeadershipOptions {
  readonly store: Store;
  /** The key that the leader holds: one for each kind of work. */
  readonly key: string;
  /** What the key says, for people: who leads. */
  readonly name: string;
  /** Seconds that a leader may be silent before another takes its place; 5 by default. */
  readonly ttl?: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Ends it: the leadership is given back, so that another has it at once. */
  readonly signal: AbortSignal;
}

/** One time of leading. */
export interface Term {
  /**
   * To be among the comparisons of every write of this work: it holds as long as the key is the one that this term made, so that
   * a leader that was replaced without having noticed writes nothing.
   */
  readonly fence: Comparison;
  /** Aborts when the leadership is lost or given back: the work then ends soon. */
  readonly signal: AbortSignal;
}

/**
 * Campaigns for a leadership, and carries out `work` each time it is gained, until the signal aborts. Work that returns early is
 * not begun again in the same term; work that rejects with an operational error gives the leadership back, and it is
 * campaigned for again after a pause. A bug in the work rejects.
 */
export async function keepLeading(options: LeadershipOptions, work: (term: Term) => Promise<void>): Promise<void> {
  const { clock, chance, log, key, signal } = options;
  while (!signal.aborted) {
    try {
      await leadOnce(options, work);
    } catch (error) {
      if (signal.aborted || isKind(error, storeErrors.closed)) return;
      if (!(error instanceof OperationalError)) throw error;
      log.write("warn", "leadership: given up for now", { key, error: messageOf(error) });
      await pause(clock, 500 + 500 * chance.fraction(), signal);
    }
  }
}

async function leadOnce(options: LeadershipOptions, work: (term: Term) => Promise<void>): Promise<void> {
  const { store, key, name, ttl = 5, log, signal } = options;
  const lease = await store.grantLease(ttl);
  try {
    const range = keyRange(key);
    const { succeeded, revision } = await store.txn({
      when: [{ range, is: "absent" }],
      then: [{ op: "put", key, value: Buffer.from(name), lease }],
    });
    if (!succeeded) {
      await untilDeleted(store.watch([key], revision + 1, signal), key);
      return;
    }
    log.write("debug", "leadership: gained", { key });
    const fence: Comparison = { range, is: "created", op: "=", revision };
    await duringTerm(options, { fence, lease, ttl }, work);
    log.write("debug", "leadership: ended", { key });
  } finally {
    // It may have ended by itself, or the store may be gone: then there is nothing to give back.
    await store.revokeLease(lease).catch(ignoreOperational);
  }
}

interface Held {
  readonly fence: Comparison;
  readonly lease: LeaseId;
  readonly ttl: number;
}

async function duringTerm(
  options: LeadershipOptions,
  { fence, lease, ttl }: Held,
  work: (term: Term) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);
  const renewing = keepRenewing(options, { lease, ttl, signal }).finally(() => lost.abort());
  try {
    await work({ fence, signal });
    await renewing;
  } catch (error) {
    lost.abort();
    await renewing;
    // What the work says at its end because the term is over is no failure of its own.
    if (!(signal.aborted && isAbort(error, signal))) throw error;
  }
}

// Resolves when the lease has ended, when too long nothing was heard of it, or at the abort.
async function keepRenewing(
  { store, clock }: LeadershipOptions,
  { lease, ttl, signal }: { readonly lease: LeaseId; readonly ttl: number; readonly signal: AbortSignal },
): Promise<void> {
  let heard = clock.monotonic();
  while (!signal.aborted) {
    await pause(clock, (ttl * 1000) / 4, signal);
    if (signal.aborted) return;
    try {
      if ((await store.renewLease(lease)) === undefined) return;
      heard = clock.monotonic();
    } catch (error) {
      ignoreOperational(error);
      if (clock.monotonic() - heard > (ttl * 1000 * 2) / 3) return;
    }
  }
}

async function untilDeleted(watch: Watch, key: string): Promise<void> {
  for await (const message of watch) {
    if (message.type !== "changes") continue;
    if (message.events.some((event) => event.type === "delete" && event.key === key)) return;
  }
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(milliseconds, signal).catch((error) => {
    if (!signal.aborted) throw error;
  });
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

function ignoreOperational(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
