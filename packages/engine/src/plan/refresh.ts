import { errorDiagnostic } from "@millwright/core/diagnostics";
import { disagreementText } from "../change/agreement.ts";
import { normalized } from "../change/normalized.ts";
import { conforms, impliedType } from "@millwright/provider/implied-type";
import type { DeferrableAnswer, Provider, ReadAnswer } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { sameButVolatile } from "@millwright/provider/volatile";
import type { Value } from "@millwright/value/value";
import { isNull, nullValue, unmarkDeep } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress } from "../addresses.ts";
import { identityAs, judgeIdentity, readWithIdentity, storedIdentity } from "../identity.ts";
import type { ReadObject } from "../objects.ts";
import { markLike, providerDiagnostics, providerDied, shownId, storedObject } from "../objects.ts";
import type { ObjectState } from "../state.ts";
import { reasonOf } from "./deferrals.ts";
import type { DeferralReason, Importing } from "./plan.ts";
import { writtenBack, writtenBackProblems } from "../write-only.ts";
import type { PlanRun } from "./run.ts";
import { report } from "./run.ts";

/** A prior object as a planning step needs it: what it is now, and how it is stored. */
export interface PriorObject {
  /** Marked; null where there is none (any more). */
  readonly value: Value;
  /** As `stored` has it. */
  readonly identity?: Value;
  readonly stored: ObjectState | undefined;
  /** Set where the provider has put off reading it: why. */
  readonly deferral?: DeferralReason;
  /** Set where it is not in the state yet, and is taken over. */
  readonly importing?: Importing;
}

/** Which object it is, and who knows of it. */
export interface ObjectTarget {
  readonly address: InstanceAddress;
  /** Set for an object that is no longer the current one. */
  readonly deposedKey?: string;
  readonly schema: Schema;
  readonly provider: Provider;
  readonly providerAddress: ProviderConfigAddress;
}

/** Nothing there. */
export function noPrior(schema: Schema): PriorObject {
  return { value: nullValue(impliedType(schema.block)), stored: undefined };
}

/**
 * Brings one stored object up to date: to the current schema, and to what the provider now sees. Writes the result into the
 * run's refreshed state, and what differs into its drift. Undefined where that failed (and was reported).
 */
export async function refreshObject(
  run: PlanRun,
  target: ObjectTarget,
  stored: ObjectState,
  how: "read" | "as-stored" = "read",
): Promise<PriorObject | undefined> {
  const { address, deposedKey, schema, provider, providerAddress } = target;
  const before = await readWithIdentity(stored, address, schema, provider);
  if (!report(run, before.diagnostics)) return undefined;
  const write = (object: ObjectState | undefined) => {
    if (deposedKey === undefined) run.refreshed.setCurrent(address, providerAddress.text, object);
    else run.refreshed.setDeposed(address, providerAddress.text, deposedKey, object);
  };
  if (how === "as-stored" || !run.options.refresh || isNull(before.value) || !run.isTargeted(address.text)) {
    const kept = storedObject(before.value, schema, { ...stored, ...storedIdentity(before.identity, schema) });
    write(kept);
    return { value: before.value, ...identityAs("identity", before.identity), stored: kept };
  }
  const id = shownId(before.value);
  const idPart = id === undefined ? {} : { id };
  const ahead = deposedKey === undefined ? run.readAhead.get(address.text) : undefined;
  run.readAhead.delete(address.text);
  if (ahead?.unread) run.unread.push(address.text);
  else run.ports.events({ kind: "refresh-start", address: address.text, ...idPart });
  const after = await readNow(run, { ...target, before, stored, ...(ahead ? { ahead } : {}) });
  if (!after) return undefined;
  if (after.deferral) return { value: before.value, stored, deferral: reasonOf(after.deferral) };
  if (!ahead?.unread) run.ports.events({ kind: "refresh-done", address: address.text, ...idPart });
  const unchanged = sameButVolatile(unmarkDeep(before.value)[0], unmarkDeep(after.value)[0], schema.block);
  const moved = deposedKey === undefined ? run.movedFrom.get(address.text) : undefined;
  if (!unchanged || (moved && run.options.mode === "refresh-only")) {
    run.drift.push({
      address,
      ...(deposedKey === undefined ? {} : { deposedKey }),
      ...(moved ? { previousAddress: moved.text } : {}),
      provider: providerAddress,
      action: isNull(after.value) ? "delete" : unchanged ? "no-op" : "update",
      reason: "none",
      before: before.value,
      after: after.value,
      ...identityAs("beforeIdentity", before.identity),
      ...identityAs("afterIdentity", isNull(after.value) ? undefined : after.identity),
      replacePaths: [],
      priorPrivate: stored.private,
      plannedPrivate: after.private,
      dependencies: stored.dependencies,
      createBeforeDestroy: stored.createBeforeDestroy,
    });
  }
  if (isNull(after.value)) {
    write(undefined);
    return { value: after.value, stored: undefined };
  }
  const kept = { ...stored, private: after.private, ...storedIdentity(after.identity, schema) };
  const object = storedObject(after.value, schema, kept);
  write(object);
  return { value: after.value, ...identityAs("identity", after.identity), stored: object };
}

interface Reading extends ObjectTarget {
  readonly before: ReadObject;
  readonly stored: ObjectState;
  /** What the provider has said already. */
  readonly ahead?: ReadAnswer;
}

async function readNow(
  run: PlanRun,
  { address, schema, provider, before, stored, ahead }: Reading,
): Promise<
  (DeferrableAnswer & { readonly value: Value; readonly identity?: Value; readonly private: Uint8Array }) | undefined
> {
  try {
    const current = unmarkDeep(before.value)[0];
    const identity = identityAs("identity", before.identity);
    const call = { type: address.resource.type, current, private: stored.private, ...identity };
    const answer = ahead ?? (await provider.readResource({ ...call, deferralAllowed: run.deferrals.allowed }));
    if (!report(run, providerDiagnostics(answer.diagnostics, address.text))) return undefined;
    if (answer.deferral) return { value: before.value, private: stored.private, deferral: answer.deferral };
    const wrong = conforms(answer.newState, schema.block);
    if (wrong.length > 0) {
      const detail = `The provider returned an object of ${address.text} that does not fit its own schema: ${wrong.map(disagreementText).join("; ")}. This is a bug in the provider.`;
      report(run, [errorDiagnostic("Provider produced invalid object", detail, { address: address.text })]);
      return undefined;
    }
    const secrets = writtenBack(answer.newState, schema.block);
    if (!report(run, writtenBackProblems(address.text, secrets, "when it read it"))) return undefined;
    const judged = judgeIdentity(answer.identity, address, schema.identity, "read");
    if (!report(run, judged.diagnostics)) return undefined;
    return {
      value: markLike(normalized(answer.newState, schema.block), before.value, schema.block),
      // A provider that says nothing of it has not taken it back.
      ...identityAs("identity", judged.value ?? before.identity),
      private: answer.private,
    };
  } catch (error) {
    report(run, [providerDied(address.text, "reading the object", error)]);
    return undefined;
  }
}
