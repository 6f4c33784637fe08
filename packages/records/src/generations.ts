import { setImmediate } from "node:timers/promises";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import {
  after,
  type Comparison,
  type KeyRange,
  keyRange,
  type LeaseId,
  prefixRange,
  type Store,
} from "@millwright/store/contract";
import { recordsErrors } from "./errors.ts";
import type { Projection } from "./projection.ts";
import type { Derived } from "./row.ts";
import type { RecordState } from "./state.ts";

export interface GenerationsContext<R, D extends Derived<R> = Derived<R>> {
  readonly store: Store;
  readonly projection: Projection<RecordState<R, D>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The right to write or remove generations that do not hold: one server has it at a time, for as long as it lives. */
export interface GenerationLock {
  /** To be compared in every step that is made under the lock. */
  readonly held: Comparison;
}

const lockSeconds = 30;

/** Runs `work` under the lock. Rejects with `restoreUnderWay` where another has it. */
export async function withGenerationLock<R, D extends Derived<R>, T>(
  { store, clock, projection }: GenerationsContext<R, D>,
  work: (lock: GenerationLock) => Promise<T>,
): Promise<T> {
  const { layout } = projection.state;
  const lease = await store.grantLease(lockSeconds);
  const done = new AbortController();
  const renewing = keepRenewing(store, clock, lease, done.signal);
  try {
    const taken = await store.txn({
      when: [{ range: keyRange(layout.restoring), is: "absent" }],
      then: [{ op: "put", key: layout.restoring, value: new Uint8Array(), lease }],
    });
    if (!taken.succeeded) {
      throw new OperationalError(
        recordsErrors.restoreUnderWay,
        "Another restore is under way. Try again when it is done.",
      );
    }
    const held = { range: keyRange(layout.restoring), is: "created", op: "=", revision: taken.revision } as const;
    return await work({ held });
  } finally {
    done.abort();
    await renewing;
    // Where it cannot be revoked now, it ends by itself.
    await store.revokeLease(lease).catch(() => undefined);
  }
}

/** Removes what an earlier restore left behind: the generation it replaced, or the one it did not finish. */
export async function removeOtherGenerations<R, D extends Derived<R>>(
  context: GenerationsContext<R, D>,
  lock: GenerationLock,
): Promise<void> {
  await context.projection.fresh();
  const { otherGenerations, layout } = context.projection.state;
  for (const generation of otherGenerations) {
    await removeRange(context.store, prefixRange(layout.generation(generation)), lock);
  }
}

/** As {@link removeOtherGenerations}, where there is any and nobody restores just now; failures are logged. */
export async function cleanGenerations<R, D extends Derived<R>>(context: GenerationsContext<R, D>): Promise<void> {
  if (context.projection.state.otherGenerations.length === 0) return;
  try {
    await withGenerationLock(context, (lock) => removeOtherGenerations(context, lock));
  } catch (error) {
    if (isKind(error, recordsErrors.restoreUnderWay)) return;
    const { name } = context.projection.state.layout;
    context.log.write("warn", `${name}: an old generation could not be removed`, { error: messageOf(error) });
  }
}

async function removeRange(store: Store, range: KeyRange, lock: GenerationLock): Promise<void> {
  for (;;) {
    const page = await store.range(range, { keysOnly: true, limit: 1_000 });
    const [first, last] = [page.entries[0], page.entries.at(-1)];
    if (!first || !last) return;
    const step = { from: first.key, to: after(last.key) };
    const result = await store.txn({ when: [lock.held], then: [{ op: "deleteRange", range: step }] });
    if (!result.succeeded) throw lostLock();
    await setImmediate();
  }
}

/** The error for work whose lock has ended under it. */
export function lostLock(): OperationalError {
  const text = "The restore was interrupted: the store did not hear of this server for too long. Nothing was changed.";
  return new OperationalError(recordsErrors.restoreUnderWay, text);
}

async function keepRenewing(store: Store, clock: Clock, lease: LeaseId, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep((lockSeconds * 1000) / 3, signal).catch(() => undefined);
    if (signal.aborted) return;
    // A renewal that fails is tried again; if none succeeds the lock ends, and the next step under it is refused.
    await store.renewLease(lease).catch(() => undefined);
  }
}
