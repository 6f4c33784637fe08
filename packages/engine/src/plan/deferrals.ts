import type { DeferralReason as ProviderReason } from "@millwright/provider/protocol";
import { impliedType } from "@millwright/provider/implied-type";
import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { isNull, nullValue, unknownValue, unmarkDeep } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress } from "../addresses.ts";
import { configResourceText } from "../addresses.ts";
import { proposedNew } from "../change/proposed.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import { markLike } from "../objects.ts";
import { parseAddress } from "../parse-address.ts";
import { noPrivate } from "../state.ts";
import { notYetRead } from "./data.ts";
import type { PlanTarget } from "./managed.ts";
import type { Action, Deferral, DeferralReason, InstanceChange } from "./plan.ts";
import type { PriorObject } from "./refresh.ts";
import { noPrior, refreshObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { addChange, report } from "./run.ts";

/** What one planning run leaves to a later plan, since too little is known yet. */
export class Deferrals {
  /** Whether anything may be put off; else what is not known is an error. */
  readonly allowed: boolean;
  readonly all: Deferral[] = [];
  readonly #resources = new Set<string>();
  /** Of these, those that do not merely come after others. */
  readonly #causes = new Set<string>();

  constructor(allowed: boolean) {
    this.allowed = allowed;
  }

  add(deferral: Deferral): void {
    const { address } = deferral.change;
    const resource = configResourceText(address.module, address.resource);
    this.#resources.add(resource);
    if (deferral.reason !== "deferred_prereq") this.#causes.add(resource);
    this.all.push(deferral);
  }

  /** Whether something of a resource is put off; by `configResourceText`. */
  has(resource: string): boolean {
    return this.#resources.has(resource);
  }

  /** Whether something of these resources is put off. */
  hasAny(resources: readonly string[]): boolean {
    return this.#resources.size > 0 && resources.some((resource) => this.#resources.has(resource));
  }

  /** Those of these resources that were put off for a reason of their own. */
  causes(resources: readonly string[]): string[] {
    return resources.filter((resource) => this.#causes.has(resource));
  }
}

/** What a provider's word for it is in a plan. */
export function reasonOf(reason: ProviderReason): DeferralReason {
  return providerReasons[reason];
}

const providerReasons: Readonly<Record<ProviderReason, DeferralReason>> = {
  unknown: "unknown",
  "resource-config-unknown": "resource_config_unknown",
  "provider-config-unknown": "provider_config_unknown",
  "absent-prerequisite": "absent_prereq",
};

/** Puts off all instances of a resource, whose keys are not known yet; `address` stands for them. */
export function putOffAll(
  run: PlanRun,
  address: InstanceAddress,
  provider: ProviderConfigAddress,
  schema: PlanTarget["schema"],
): void {
  const type = impliedType(schema.block);
  const action = address.resource.mode === "data" ? "read" : "create";
  const values = { before: nullValue(type), after: unknownValue(type) };
  const change = { address, provider, action, reason: "none", ...values, ...unplanned } as const;
  run.deferrals.add({ reason: "instance_count_unknown", change });
}

const unplanned = {
  replacePaths: [],
  priorPrivate: noPrivate,
  plannedPrivate: noPrivate,
  dependencies: [],
  createBeforeDestroy: false,
} as const;

/**
 * Puts off one instance, since something that it comes after is put off. Its provider is not asked: it may be configured by
 * just that. False where the instance's configuration or its state are wrong (and that was reported).
 */
export async function putOffAfter(run: PlanRun, target: PlanTarget): Promise<boolean> {
  const { address, resource } = target;
  const stored = resource.address.mode === "managed" ? run.refreshed.instance(address)?.current : undefined;
  const prior = stored ? await refreshObject(run, target, stored, "as-stored") : noPrior(target.schema);
  return prior !== undefined && putOff(run, target, prior, "deferred_prereq");
}

/**
 * Puts off one instance. What refers to it sees `planned`; where the provider has not said that, the configuration, and
 * what is there already.
 */
export function putOff(
  run: PlanRun,
  target: PlanTarget,
  prior: PriorObject,
  reason: DeferralReason,
  planned?: Value,
): boolean {
  const { address, resource, schema, providerAddress } = target;
  const decoded = decodeResourceConfig(run.evaluator, resource, schema, address, target.instance);
  if (!report(run, decoded.diagnostics)) return false;
  const after = planned ?? markLike(expected(target, prior, decoded.value), decoded.value, schema.block);
  const action = actionOf(target, prior.value, after);
  const dependencies = run.dependencies.get(target.nodeId) ?? [];
  const values = { before: prior.value, after, ...unplanned, dependencies };
  const change = { address, provider: providerAddress, action, reason: "none", ...values } as const;
  if (action === "no-op") addChange(run, change);
  else {
    const causes = reason === "deferred_prereq" ? { after: run.deferrals.causes(dependencies) } : {};
    run.deferrals.add({ reason, ...causes, change });
    run.pending.add(target.nodeId);
  }
  run.evaluator.setInstance(address.module, address.resource, address.key, after);
  return true;
}

function expected({ schema }: PlanTarget, prior: PriorObject, config: Value): Value {
  const [bare] = unmarkDeep(config);
  const [before] = unmarkDeep(prior.value);
  return isNull(before) ? notYetRead(schema.block, bare) : proposedNew(schema.block, before, bare);
}

function actionOf({ resource }: PlanTarget, before: Value, after: Value): Action {
  if (resource.address.mode === "data") return "read";
  if (isNull(before)) return "create";
  return rawEquals(before, after) ? "no-op" : "update";
}

/**
 * Takes those destructions out of the plan, and puts them off, of which something that is put off was made: as long as that
 * is there as it was, it needs them. What is replaced with the new one first leaves the old one beside it.
 */
export function keepWhatIsNeeded(run: PlanRun): void {
  const needed = new Set<string>();
  for (const { address, module, instances } of run.refreshed.snapshot().resources.values()) {
    if (!run.deferrals.has(configResourceText(module, address))) continue;
    for (const { current, deposed } of instances.values())
      for (const object of [...(current ? [current] : []), ...deposed.values()])
        for (const resource of object.dependencies) needed.add(resource);
  }
  if (needed.size === 0) return;
  const isNeeded = ({ action, address }: InstanceChange) =>
    action === "delete" && needed.has(configResourceText(address.module, address.resource));
  const leavesOld = ({ action, address }: InstanceChange) =>
    action === "create-delete" && needed.has(configResourceText(address.module, address.resource));
  // What a destruction comes before is needed by it; dependencies are whole, so that once through is enough.
  const kept = run.changes.filter((change) => isNeeded(change) || leavesOld(change));
  for (const { address, dependencies } of kept)
    for (const resource of run.refreshed.instance(address)?.current?.dependencies ?? dependencies) needed.add(resource);
  for (const change of run.changes.filter(isNeeded)) run.deferrals.add({ reason: "deferred_prereq", change });
  const left = run.changes
    .filter((change) => !isNeeded(change))
    .map((change): InstanceChange => (leavesOld(change) ? { ...change, keepsOld: true } : change));
  run.changes.splice(0, run.changes.length, ...left);
}

/** Whether a create that was under way in a killed run is of something that is put off, and so still to be settled. */
export function isPutOff(run: PlanRun, address: string): boolean {
  const parsed = parseAddress(address);
  return (
    parsed?.kind === "instance" && run.deferrals.has(configResourceText(parsed.address.module, parsed.address.resource))
  );
}
