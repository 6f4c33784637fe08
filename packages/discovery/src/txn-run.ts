import { OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import { pendingRevision } from "@millwright/records/draft";
import { recordsErrors } from "@millwright/records/errors";
import type { Store } from "@millwright/store/contract";
import { discoveryErrors } from "./errors.ts";
import type { Grants } from "./permissions.ts";
import type { DiscoveryProjection } from "./state.ts";
import { transactionStep } from "./txn-step.ts";
import { planTransaction, type TxnError, type TxnOperation, type TxnResult } from "./txn.ts";

export interface TxnContext {
  readonly store: Store;
  readonly projection: DiscoveryProjection;
  readonly clock: Clock;
  readonly chance: Chance;
}

export type TxnOutcome =
  | { readonly done: true; readonly results: readonly TxnResult[]; indexOf(revision: number): number }
  | { readonly done: false; readonly errors: readonly TxnError[] };

const attempts = 100;

/**
 * Carries out all operations as one commit, or none. It is worked out on the state in memory and committed if what it
 * rests on is still so in the store; else worked out anew.
 */
export async function runTransaction(
  context: TxnContext,
  operations: readonly TxnOperation[],
  grants: Grants,
): Promise<TxnOutcome> {
  const { store, projection, clock, chance } = context;
  await projection.fresh();
  for (let tries = 0; tries < attempts; tries++) {
    const { state, applied } = projection;
    const plan = planTransaction(state, operations, grants);
    if (plan.errors.length > 0) return { done: false, errors: plan.errors };
    const { base } = state.meta;
    if (plan.writes.size === 0 && plan.draft.isEmpty)
      return { done: true, results: plan.results, indexOf: publicIndex(base, applied) };
    const step = transactionStep(plan, { state, revision: applied, now: clock.now(), uuid: chance.uuid() });
    if (!step) throw tooLarge();
    const result = await store.txn(step);
    if (result.succeeded) return { done: true, results: plan.results, indexOf: publicIndex(base, result.revision) };
    await projection.reached(result.revision);
  }
  throw new OperationalError(recordsErrors.contended, "Other requests kept changing the same keys. Try again.");
}

function publicIndex(base: number, committed: number): (revision: number) => number {
  return (revision) => {
    // The entry that "get-or-empty" makes up was never written.
    if (revision === 0) return 0;
    return base + (revision === pendingRevision ? committed : revision);
  };
}

function tooLarge(): OperationalError {
  const text =
    "The transaction changes more than fits one step together with what remembers deletions: use 127 at most.";
  return new OperationalError(discoveryErrors.tooLarge, text);
}
