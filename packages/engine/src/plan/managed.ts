import { errorDiagnostic } from "@millwright/core/diagnostics";
import { note } from "@millwright/provider/plan-note";
import type { PlanAnswer, Provider } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import type { Path } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { isMarkedDeep, isNull, nullValue, unknownValue, unmarkDeep } from "@millwright/value/value";
import type { InstanceAddress, ProviderConfigAddress } from "../addresses.ts";
import { disagreementText, planDisagreements } from "../change/agreement.ts";
import { ignoreChanges } from "../change/ignore.ts";
import { proposedNew } from "../change/proposed.ts";
import { replacePathsThatChange } from "../change/replace.ts";
import { checkRules } from "../checks.ts";
import type { Resource } from "../configuration.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import type { InstanceData } from "../evaluator.ts";
import { identityAs, judgeIdentity } from "../identity.ts";
import { markLike, providerDiagnostics, providerDied } from "../objects.ts";
import { noPrivate } from "../state.ts";
import { provisionersFor } from "../provision/blocks.ts";
import type { ImportTargetInstance } from "../refactor/imports.ts";
import { importPrior } from "./imported.ts";
import { putOff, reasonOf } from "./deferrals.ts";
import { planDelete } from "./delete.ts";
import { settleInterrupted } from "./interrupted.ts";
import type { Action, ActionReason, InstanceChange } from "./plan.ts";
import { isReplace } from "./plan.ts";
import { preventedDestroy, preventsDestroy } from "./prevent-destroy.ts";
import type { PriorObject } from "./refresh.ts";
import { noPrior, refreshObject } from "./refresh.ts";
import type { PlanRun } from "./run.ts";
import { addChange, report } from "./run.ts";
import { triggeredReplacement } from "./triggers.ts";

/** One instance of a managed resource that the configuration wants to be there. */
export interface PlanTarget {
  readonly nodeId: string;
  readonly address: InstanceAddress;
  readonly resource: Resource;
  readonly instance: InstanceData;
  readonly schema: Schema;
  readonly provider: Provider;
  readonly providerAddress: ProviderConfigAddress;
  /** The object that an `import` block has found for it. */
  readonly import?: ImportTargetInstance;
}

/** Plans one managed instance: refreshes what is there, then asks the provider for what is to come. False where that failed. */
export async function planManaged(run: PlanRun, target: PlanTarget): Promise<boolean> {
  const { address } = target;
  const prior = await refreshPrior(run, target);
  if (!prior) return false;
  const see = (value: Value) => run.evaluator.setInstance(address.module, address.resource, address.key, value);
  if (run.options.mode === "destroy") {
    see(prior.value);
    return planDelete(run, target, afterWhatItNeeds(run, target, prior), "none", target.resource);
  }
  if (run.options.mode === "refresh-only" || !run.isTargeted(address.text)) {
    // What it will be when a later plan has made it is not known; that it is not there yet is no mistake of what refers to it.
    see(isNull(prior.value) ? unknownValue(prior.value.type) : prior.value);
    return true;
  }
  if (prior.deferral) return putOff(run, target, prior, prior.deferral);
  const planned = await planToward(run, target, prior);
  if (planned === "put off") return true;
  if (!planned) {
    see(prior.value);
    return false;
  }
  addChange(run, planned);
  run.ports.events({ kind: "planned", address: address.text });
  if (planned.action === "no-op") noteOrder(run, target, planned);
  else run.pending.add(target.nodeId);
  see(planned.after);
  const { postconditions } = target.resource.lifecycle;
  const instance = { ...target.instance, self: planned.after };
  return report(run, checkRules(run, target.address, "Resource postcondition failed", postconditions, instance));
}

// Of an object that the import command took over the state does not know what it needs; the configuration does.
function afterWhatItNeeds(
  run: PlanRun,
  { address, nodeId, providerAddress }: PlanTarget,
  prior: PriorObject,
): PriorObject {
  const dependencies = run.dependencies.get(nodeId) ?? [];
  const current = run.refreshed.instance(address)?.current;
  if (!prior.stored || !current || current.dependencies.length > 0 || dependencies.length === 0) return prior;
  run.refreshed.setCurrent(address, providerAddress.text, { ...current, dependencies });
  return { ...prior, stored: { ...prior.stored, dependencies } };
}

// What an unchanged object comes after may have changed all the same: its end goes by what the state says of that.
function noteOrder(run: PlanRun, { address, providerAddress }: PlanTarget, planned: InstanceChange): void {
  const current = run.refreshed.instance(address)?.current;
  if (!current) return;
  const { dependencies, createBeforeDestroy, preventDestroy = false } = planned;
  const { preventDestroy: _, ...rest } = current;
  const protection = preventDestroy ? { preventDestroy } : {};
  run.refreshed.setCurrent(address, providerAddress.text, {
    ...rest,
    dependencies,
    createBeforeDestroy,
    ...protection,
  });
}

async function refreshPrior(run: PlanRun, target: PlanTarget): Promise<PriorObject | undefined> {
  const { address, schema } = target;
  const stored = run.refreshed.instance(address);
  for (const [deposedKey, object] of stored?.deposed ?? []) {
    const deposed = { ...target, deposedKey };
    const prior = await refreshObject(run, deposed, object);
    if (!prior) return undefined;
    if (run.options.mode === "refresh-only") continue;
    if (!(await planDelete(run, deposed, prior, "none", undefined))) return undefined;
  }
  // An import block is the user's word on a create that may have happened.
  if (target.import && !stored?.current) run.interrupted.delete(address.text);
  if (!stored?.current && !(await settleInterrupted(run, target, keptIfFound(run, target)))) return undefined;
  const current = run.refreshed.instance(address)?.current;
  if (!current) return target.import ? importPrior(run, target, target.import) : noPrior(schema);
  return refreshObject(run, target, current);
}

function keptIfFound(run: PlanRun, { nodeId, resource }: PlanTarget) {
  const hasProvisioners = provisionersFor(resource, "create").length > 0;
  return { dependencies: run.dependencies.get(nodeId) ?? [], status: hasProvisioners ? "tainted" : "ready" } as const;
}

async function planToward(
  run: PlanRun,
  target: PlanTarget,
  prior: PriorObject,
): Promise<InstanceChange | "put off" | undefined> {
  const { address, resource, schema } = target;
  const { lifecycle } = resource;
  if (!report(run, checkRules(run, address, "Resource precondition failed", lifecycle.preconditions, target.instance)))
    return undefined;
  const decoded = decodeResourceConfig(run.evaluator, resource, schema, address, target.instance);
  if (!report(run, decoded.diagnostics)) return undefined;
  const config = decoded.value;
  if (!(await validateConfig(run, target, config))) return undefined;
  const [bareConfig] = unmarkDeep(config);
  const [barePrior] = unmarkDeep(prior.value);
  const effective = isNull(barePrior) ? bareConfig : ignoreChanges(lifecycle.ignoreChanges, barePrior, bareConfig);
  const kept = { private: prior.stored?.private ?? noPrivate, ...identityAs("identity", prior.identity) };
  const first = await callPlan(run, target, barePrior, effective, kept);
  if (!first) return undefined;
  if (first.deferral) {
    const known = markLike(first.planned, config, schema.block);
    return putOff(run, target, prior, reasonOf(first.deferral), known) ? "put off" : undefined;
  }
  const planned =
    first.legacyTypeSystem && !isNull(barePrior)
      ? ignoreChanges(lifecycle.ignoreChanges, barePrior, first.planned)
      : first.planned;
  const replacePaths = isNull(barePrior)
    ? []
    : replacePathsThatChange(first.requiresReplace, barePrior, planned, schema.block);
  const after = markLike(planned, config, schema.block);
  const prevented = preventsDestroy(run, address, resource);
  if (prevented === undefined) return undefined;
  const { action, reason } = decide(run, target, prior, after, replacePaths);
  const change = {
    address,
    provider: target.providerAddress,
    action,
    reason,
    before: prior.value,
    after,
    ...identityAs("beforeIdentity", prior.identity),
    ...identityAs("afterIdentity", isReplace(action) ? undefined : (first.plannedIdentity ?? prior.identity)),
    replacePaths,
    priorPrivate: prior.stored?.private ?? noPrivate,
    plannedPrivate: first.plannedPrivate,
    dependencies: run.dependencies.get(target.nodeId) ?? [],
    createBeforeDestroy: run.createBeforeDestroy.has(target.nodeId),
    ...(prior.importing ? { importing: prior.importing } : {}),
    ...(prevented ? { preventDestroy: true } : {}),
    ...(action === "no-op" ? {} : notesOf(first, config)),
  } satisfies InstanceChange;
  if (!isReplace(action)) return change;
  if (prevented) {
    report(run, [preventedDestroy(address.text, resource)]);
    return undefined;
  }
  // A replacement is a new object: it is planned once more as if nothing were there, with what was ignored taken back in.
  const anew = { private: first.plannedPrivate };
  const second = await callPlan(run, target, nullValue(barePrior.type), bareConfig, anew);
  if (!second) return undefined;
  if (second.deferral) return putOff(run, target, prior, reasonOf(second.deferral), after) ? "put off" : undefined;
  const { planned: after2, plannedPrivate } = second;
  const identity = identityAs("afterIdentity", second.plannedIdentity);
  const made = { after: markLike(after2, config, schema.block), ...identity, plannedPrivate };
  return { ...change, ...made, ...notesOf(second, config) };
}

/** What the provider has people read. It may repeat what it was given: with secrets among that, it is held back. */
function notesOf({ notes }: PlanAnswer, config: Value): Pick<InstanceChange, "notes"> {
  if (!notes || notes.length === 0) return {};
  if (!isMarkedDeep(config)) return { notes };
  return { notes: [note("(the provider's notes are not shown: the configuration has sensitive values)")] };
}

async function validateConfig(run: PlanRun, target: PlanTarget, config: Value): Promise<boolean> {
  const { address, resource, provider } = target;
  try {
    const answer = await provider.validateResourceConfig({
      type: address.resource.type,
      config: unmarkDeep(config)[0],
    });
    return report(run, providerDiagnostics(answer.diagnostics, address.text, resource.body));
  } catch (error) {
    report(run, [providerDied(address.text, "checking the configuration", error)]);
    return false;
  }
}

async function callPlan(
  run: PlanRun,
  target: PlanTarget,
  prior: Value,
  config: Value,
  { private: priorPrivate, identity }: { readonly private: Uint8Array; readonly identity?: Value },
): Promise<PlanAnswer | undefined> {
  const { address, schema, provider, resource } = target;
  const proposed = proposedNew(schema.block, prior, config);
  try {
    const deferralAllowed = run.deferrals.allowed;
    const call = { type: address.resource.type, prior, proposed, config, priorPrivate, deferralAllowed };
    const given = await provider.planResourceChange({ ...call, ...identityAs("priorIdentity", identity) });
    if (!report(run, providerDiagnostics(given.diagnostics, address.text, resource.body))) return undefined;
    const judged = judgeIdentity(given.plannedIdentity, address, schema.identity, "plan");
    if (!report(run, judged.diagnostics)) return undefined;
    const { plannedIdentity: _, ...rest } = given;
    const answer: PlanAnswer = { ...rest, ...identityAs("plannedIdentity", judged.value) };
    if (answer.legacyTypeSystem || answer.deferral) return answer;
    const wrong = planDisagreements(schema.block, prior, config, answer.planned);
    if (wrong.length === 0) return answer;
    const detail = `The provider planned an invalid value for ${address.text}: ${wrong.map(disagreementText).join("; ")}.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.`;
    report(run, [errorDiagnostic("Provider produced invalid plan", detail, { address: address.text })]);
    return undefined;
  } catch (error) {
    report(run, [providerDied(address.text, "planning", error)]);
    return undefined;
  }
}

function decide(
  run: PlanRun,
  target: PlanTarget,
  prior: PriorObject,
  after: Value,
  replacePaths: readonly Path[],
): { readonly action: Action; readonly reason: ActionReason } {
  if (isNull(prior.value)) return { action: "create", reason: "none" };
  const madeFirst: Action = run.createBeforeDestroy.has(target.nodeId) ? "create-delete" : "delete-create";
  const replace = target.resource.lifecycle.destroy ? madeFirst : "forget-create";
  if (prior.stored?.status === "tainted") return { action: replace, reason: "replace_because_tainted" };
  if (run.options.forceReplace.includes(target.address.text)) return { action: replace, reason: "replace_by_request" };
  if (replacePaths.length > 0) return { action: replace, reason: "replace_because_cannot_update" };
  if (triggeredReplacement(run, target)) return { action: replace, reason: "replace_by_triggers" };
  // Marks count too: what becomes sensitive, or stops being so, is written to the state by an update.
  return { action: rawEquals(prior.value, after) ? "no-op" : "update", reason: "none" };
}
