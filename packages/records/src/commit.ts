import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { Draft } from "./draft.ts";
import { recordsErrors } from "./errors.ts";
import type { Projection } from "./projection.ts";
import type { Derived } from "./row.ts";
import type { RecordState } from "./state.ts";

export interface CommitContext<R, D extends Derived<R> = Derived<R>> {
  readonly store: Store;
  readonly projection: Projection<RecordState<R, D>>;
  readonly clock: Clock;
}

export interface Committed<T> {
  readonly value: T;
  /** Of the commit; where nothing was to be written, up to which the state held everything. */
  readonly revision: number;
}

const attempts = 100;

/**
 * Works a commit out on the state in memory and commits it if what it rests on is still so in the store; else works it out
 * anew. `work` may run several times. A draft that writes nothing commits nothing. Rejects with `contended`.
 */
export async function commitDraft<R, D extends Derived<R>, T>(
  context: CommitContext<R, D>,
  work: (draft: Draft<R, D>) => T,
): Promise<Committed<T>> {
  const { store, projection, clock } = context;
  await projection.fresh();
  for (let tries = 0; tries < attempts; tries++) {
    const { state, applied } = projection;
    const draft = new Draft(state);
    const value = work(draft);
    if (draft.isEmpty) return { value, revision: applied };
    const result = await store.txn(draft.step({ revision: applied, now: clock.now() }));
    if (result.succeeded) return { value, revision: result.revision };
    await projection.reached(result.revision);
  }
  throw new OperationalError(recordsErrors.contended, "Other requests kept changing the same records. Try again.");
}
