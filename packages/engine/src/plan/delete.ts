import { errorDiagnostic } from "@millwright/core/diagnostics";
import { impliedType } from "@millwright/provider/implied-type";
import type { ProviderDiagnostics } from "@millwright/provider/protocol";
import { isNull, nullValue, unmarkDeep } from "@millwright/value/value";
import type { Resource } from "../configuration.ts";
import { identityAs } from "../identity.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import { noPrivate } from "../state.ts";
import { preventedDestroy, preventsDestroy } from "./prevent-destroy.ts";
import type { ActionReason } from "./plan.ts";
import type { ObjectTarget, PriorObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { addChange, report } from "./run.ts";

/** Plans to take one object out of the state, and to leave it where it is. */
export function planForget(run: PlanRun, target: ObjectTarget, prior: PriorObject, reason: ActionReason): void {
  const { address, deposedKey, schema, providerAddress } = target;
  if (isNull(prior.value) || !prior.stored) return;
  const { private: bytes, dependencies, createBeforeDestroy } = prior.stored;
  addChange(run, {
    address,
    ...(deposedKey === undefined ? {} : { deposedKey }),
    provider: providerAddress,
    action: "forget",
    reason,
    before: prior.value,
    after: nullValue(impliedType(schema.block)),
    ...identityAs("beforeIdentity", prior.identity),
    replacePaths: [],
    priorPrivate: bytes,
    plannedPrivate: bytes,
    dependencies,
    createBeforeDestroy,
  });
  run.ports.events({ kind: "planned", address: address.text });
}

/**
 * Plans to destroy one object. The provider is asked about it, if it wants to be. `resource` is its configuration, where it
 * still has one: `prevent_destroy` holds. False where that failed (and was reported).
 */
export async function planDelete(
  run: PlanRun,
  target: ObjectTarget,
  prior: PriorObject,
  reason: ActionReason,
  resource: Resource | undefined,
): Promise<boolean> {
  const { address, deposedKey, schema, provider, providerAddress } = target;
  if (isNull(prior.value) || !prior.stored) return true;
  if (!run.isTargeted(address.text)) return true;
  if (resource) {
    const prevented = preventsDestroy(run, address, resource);
    if (prevented === undefined) return false;
    if (prevented) return report(run, [preventedDestroy(address.text, resource)]);
    if (!resource.lifecycle.destroy) {
      planForget(run, target, prior, reason);
      return true;
    }
  }
  const gone = nullValue(impliedType(schema.block));
  let plannedPrivate = prior.stored.private ?? noPrivate;
  if (run.pool.schema(providerAddress.source)?.capabilities.planDestroy) {
    const [before] = unmarkDeep(prior.value);
    const call = {
      type: address.resource.type,
      prior: before,
      proposed: gone,
      config: gone,
      priorPrivate: plannedPrivate,
      ...identityAs("priorIdentity", prior.identity),
    };
    let answer: {
      readonly plannedPrivate: Uint8Array;
      readonly planned: typeof gone;
      readonly diagnostics: ProviderDiagnostics;
    };
    try {
      answer = await provider.planResourceChange(call);
    } catch (error) {
      return report(run, [providerDied(address.text, "planning to destroy", error)]);
    }
    if (!report(run, providerDiagnostics(answer.diagnostics, address.text))) return false;
    if (!isNull(answer.planned)) {
      const detail = `The provider planned an object for ${address.text} where it was asked to plan its destruction. This is a bug in the provider.`;
      return report(run, [errorDiagnostic("Provider produced invalid plan", detail, { address: address.text })]);
    }
    plannedPrivate = answer.plannedPrivate;
  }
  addChange(run, {
    address,
    ...(deposedKey === undefined ? {} : { deposedKey }),
    provider: providerAddress,
    action: "delete",
    reason,
    before: prior.value,
    after: gone,
    ...identityAs("beforeIdentity", prior.identity),
    replacePaths: [],
    priorPrivate: prior.stored.private,
    plannedPrivate,
    dependencies: prior.stored.dependencies,
    createBeforeDestroy: prior.stored.createBeforeDestroy,
  });
  run.ports.events({ kind: "planned", address: address.text });
  return true;
}
