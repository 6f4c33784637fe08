import { errorDiagnostic } from "@millwright/core/diagnostics";
import { impliedType } from "@millwright/provider/implied-type";
import type { Provider } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { encodeJson } from "@millwright/value/json";
import { transform } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { isKnown, isMarkedDeep, noMarks, nullValue, sensitive, unmarkDeep } from "@millwright/value/value";
import { disagreementText, resultDisagreements } from "../change/agreement.ts";
import { ignoreChanges } from "../change/ignore.ts";
import { proposedNew } from "../change/proposed.ts";
import { replacePathsThatChange } from "../change/replace.ts";
import { asWarnings } from "../check/nested-data.ts";
import { checkRules } from "../checks.ts";
import type { Resource } from "../configuration.ts";
import { decodeResourceConfig } from "../decode-body.ts";
import { instanceDataOf } from "../evaluator.ts";
import { identityAs, judgeIdentity, storedIdentity } from "../identity.ts";
import { markLike, providerDiagnostics, providerDied, shownId, storedObject } from "../objects.ts";
import type { Expansion } from "../expansion.ts";
import { readData } from "../plan/data.ts";
import { expandAgain } from "../plan/expand.ts";
import type { InstanceChange } from "../plan/plan.ts";
import { isReplace } from "../plan/plan.ts";
import { report } from "../plan/run.ts";
import type { RunAction } from "../ports.ts";
import type { ObjectState } from "../state.ts";
import { noPrivate } from "../state.ts";
import { type ProvisionerBlock, provisionersFor } from "../provision/blocks.ts";
import { provision } from "../provision/run.ts";
import type { ApplyRun } from "./run.ts";
import { recordAfter, recordBefore } from "./run.ts";
import type { Settled } from "./settle.ts";
import { settle } from "./settle.ts";
import { noteBegun, sameAsPlanned } from "./unchanged.ts";

/** A change that makes, alters or reads one object. */
export interface MakeTarget {
  readonly sequence: number;
  readonly change: InstanceChange;
  readonly resource: Resource;
  readonly schema: Schema;
  readonly provider: Provider;
  /** Under which key the current object is put aside before the new one is made. */
  readonly deposes?: string;
}

/** Carries out a create, an update, a read, or the making half of a replacement. False where it failed (and was reported). */
export async function make(run: ApplyRun, target: MakeTarget): Promise<boolean> {
  const { resource, change } = target;
  if (resource.check === undefined) return makeOne(run, target);
  await asWarnings(run, resource, change.address, (quiet) => makeOne(quiet, target));
  return true;
}

async function makeOne(run: ApplyRun, target: MakeTarget): Promise<boolean> {
  const { change, resource, schema } = target;
  const { address } = change;
  const expansion = expansionNow(run, target);
  if (!expansion) return false;
  const instance = instanceDataOf(expansion, address.key);
  const { lifecycle } = resource;
  if (!report(run, checkRules(run, address, "Resource precondition failed", lifecycle.preconditions, instance)))
    return false;
  const decoded = decodeResourceConfig(run.evaluator, resource, schema, address, instance);
  if (!report(run, decoded.diagnostics)) return false;
  const made =
    change.action === "read" ? await read(run, target, decoded.value) : await write(run, target, decoded.value);
  if (!made) return false;
  run.evaluator.setInstance(address.module, address.resource, address.key, made);
  return report(
    run,
    checkRules(run, address, "Resource postcondition failed", lifecycle.postconditions, { ...instance, self: made }),
  );
}

// The first instance of a resource to be made asks for what the plan did not know of `for_each`; the others find it.
function expansionNow(run: ApplyRun, { change, resource }: MakeTarget): Expansion | undefined {
  const { module } = change.address;
  const planned = run.evaluator.resourceExpansion(module, resource.address) ?? single;
  const { value, diagnostics } = expandAgain(planned, resource.repetition, run.evaluator, module);
  if (!report(run, diagnostics)) return undefined;
  if (value !== planned) run.evaluator.expandResource(module, resource.address, value);
  return value;
}

const single: Expansion = { kind: "single" };

async function read(
  run: ApplyRun,
  { change, resource, schema, provider }: MakeTarget,
  config: Value,
): Promise<Value | undefined> {
  const { address } = change;
  const result = await readData(run, { address, resource, schema, provider }, config);
  if (!report(run, result.diagnostics) || !result.value) return undefined;
  const parts = {
    status: "ready",
    private: noPrivate,
    dependencies: [],
    createBeforeDestroy: false,
  } as const;
  run.state.setCurrent(change.address, change.provider.text, storedObject(result.value, schema, parts));
  return result.value;
}

async function write(run: ApplyRun, target: MakeTarget, config: Value): Promise<Value | undefined> {
  const { change } = target;
  const fresh = change.action === "create" || isReplace(change.action);
  // Where the old object goes first, that is when it was looked at.
  const replacesFirst = change.action === "create-delete";
  if ((!fresh || replacesFirst) && !(await sameAsPlanned(run, target))) return undefined;
  noteBegun(run, change);
  const [bareConfig] = unmarkDeep(config);
  const [before] = unmarkDeep(change.before);
  const prior = fresh ? nullValue(bareConfig.type) : before;
  const planned = await planAgain(run, target, bareConfig, prior, fresh);
  if (!planned) return undefined;
  const action: RunAction = fresh ? "create" : "update";
  return call(run, target, action, prior, planned, bareConfig, config);
}

interface FinalPlan {
  readonly planned: Value;
  readonly plannedIdentity?: Value;
  readonly plannedPrivate: Uint8Array;
}

// What was unknown is known now: the provider plans once more, and must stay within what was shown.
async function planAgain(
  run: ApplyRun,
  target: MakeTarget,
  config: Value,
  prior: Value,
  fresh: boolean,
): Promise<FinalPlan | undefined> {
  const { change, resource, schema, provider } = target;
  const { address } = change;
  const effective = fresh ? config : ignoreChanges(resource.lifecycle.ignoreChanges, prior, config);
  const proposed = proposedNew(schema.block, prior, effective);
  try {
    const request = {
      type: address.resource.type,
      prior,
      proposed,
      config: effective,
      priorPrivate: fresh ? noPrivate : change.priorPrivate,
      ...identityAs("priorIdentity", fresh ? undefined : change.beforeIdentity),
      promised: change.plannedPrivate,
    };
    const answer = await provider.planResourceChange(request);
    if (!report(run, providerDiagnostics(answer.diagnostics, address.text, resource.body))) return undefined;
    const judged = judgeIdentity(answer.plannedIdentity, address, schema.identity, "plan");
    if (!report(run, judged.diagnostics)) return undefined;
    const planned =
      answer.legacyTypeSystem && !fresh
        ? ignoreChanges(resource.lifecycle.ignoreChanges, prior, answer.planned)
        : answer.planned;
    const wrong = answer.legacyTypeSystem
      ? []
      : resultDisagreements(schema.block, unmarkDeep(change.after)[0], planned);
    if (!fresh && replacePathsThatChange(answer.requiresReplace, prior, planned, schema.block).length > 0)
      wrong.push({ path: [], problem: "planned as an update, it now needs a new object" });
    const identity = identityAs("plannedIdentity", judged.value ?? (fresh ? undefined : change.beforeIdentity));
    if (wrong.length === 0) return { planned, plannedPrivate: answer.plannedPrivate, ...identity };
    const detail = `When expanding the plan for ${address.text} to include new values learned so far during apply, the provider produced an invalid new value: ${wrong.map(disagreementText).join("; ")}.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.`;
    report(run, [errorDiagnostic("Provider produced inconsistent final plan", detail, { address: address.text })]);
  } catch (error) {
    report(run, [providerDied(address.text, "planning", error)]);
  }
  return undefined;
}

async function call(
  run: ApplyRun,
  target: MakeTarget,
  action: RunAction,
  prior: Value,
  final: FinalPlan,
  config: Value,
  markedConfig: Value,
): Promise<Value | undefined> {
  const { change, schema, provider, sequence, deposes } = target;
  const { address } = change;
  const providerText = change.provider.text;
  const started = run.ports.clock.monotonic();
  const elapsed = () => (run.ports.clock.monotonic() - started) / 1000;
  // What is being made has no id yet, also where it takes the place of something.
  const id = action === "create" ? undefined : shownId(change.before);
  const common = { address: address.text, action };
  run.ports.events({ kind: "apply-start", ...common, ...(id === undefined ? {} : { id }) });
  const { type } = address.resource;
  const sent = sentText(final.planned, markedConfig, schema);
  const asked = { address: address.text, provider: providerText, type, schemaVersion: schema.version, sent };
  const begun = await recordBefore(run, { sequence, ...asked, action, ...(deposes === undefined ? {} : { deposes }) });
  if (!begun) {
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return undefined;
  }
  if (deposes !== undefined) run.state.depose(address, providerText, deposes);
  const request = { type, prior, config, ...final };
  const [answer, died] = await provider.applyResourceChange(request).then(
    (given) => [given, undefined] as const,
    (error: unknown) => [undefined, error] as const,
  );
  const result = settle(run, target, prior, final.planned, answer, died);
  if (!answer && action === "create") {
    // The object may be there all the same: the journal keeps the question open, and the next plan settles it.
    run.unanswered.push({ ...asked, at: new Date(run.ports.clock.now()).toISOString() });
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return undefined;
  }
  const value = result.value && markLike(result.value, markedConfig, schema.block);
  // Until its provisioners have run it counts as half made: a kill meanwhile must not leave it as if it were whole.
  const provisioners = action === "create" && result.ok ? provisionersFor(target.resource, "create") : [];
  const isWhole = (result.ok || action === "update") && provisioners.length === 0;
  const object = value && objectOf(run, target, value, result, isWhole, action);
  if (object) run.state.setCurrent(address, providerText, object);
  const restored = !object && deposes !== undefined && run.state.restoreDeposed(address, providerText, deposes);
  if (!object && deposes === undefined) run.state.setCurrent(address, providerText, undefined);
  const recorded = await recordAfter(run, {
    sequence,
    address: address.text,
    provider: providerText,
    ok: result.ok,
    ...(object ? { object } : {}),
    ...(restored ? { restores: deposes } : {}),
  });
  if (result.ok && value) {
    if (action === "update") run.counts.changed++;
    else run.counts.added++;
  }
  if (!result.ok || !value || !recorded) {
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return undefined;
  }
  if (object && provisioners.length > 0 && !(await finish(run, target, provisioners, value, object))) {
    run.ports.events({ kind: "apply-failed", ...common, seconds: elapsed() });
    return undefined;
  }
  const newId = shownId(value);
  run.ports.events({
    kind: "apply-done",
    ...common,
    seconds: elapsed(),
    ...(newId === undefined ? {} : { id: newId }),
  });
  return value;
}

/** Runs the provisioners of a new object, which is whole only then. */
async function finish(
  run: ApplyRun,
  { change, sequence }: MakeTarget,
  provisioners: readonly ProvisionerBlock[],
  self: Value,
  object: ObjectState,
): Promise<boolean> {
  const { address, provider } = change;
  const expansion = run.evaluator.resourceExpansion(address.module, address.resource) ?? single;
  const instance = { ...instanceDataOf(expansion, address.key), self };
  if (!(await provision(run, provisioners, address, instance))) return false;
  const whole: ObjectState = { ...object, status: "ready" };
  run.state.setCurrent(address, provider.text, whole);
  return recordAfter(run, { sequence, address: address.text, provider: provider.text, ok: true, object: whole });
}

function objectOf(
  run: ApplyRun,
  target: MakeTarget,
  value: Value,
  { private: bytes, identity }: Settled,
  good: boolean,
  action: RunAction,
): ObjectState {
  const { change, schema } = target;
  const before = run.state.instance(change.address)?.current;
  const status = good ? (action === "update" ? (before?.status ?? "ready") : "ready") : "tainted";
  const { dependencies, createBeforeDestroy, preventDestroy } = change;
  const protection = preventDestroy ? { preventDestroy } : {};
  const kept = { status, private: bytes, dependencies, createBeforeDestroy, ...protection } as const;
  return storedObject(value, schema, { ...kept, ...storedIdentity(identity, schema) });
}

/** The planned object as the journal keeps it: unknown and sensitive parts are null, so that it can be shown to anyone. */
function sentText(planned: Value, config: Value, schema: Schema): string {
  const marked = markLike(planned, config, schema.block);
  const shown = transform(marked, (_, part) =>
    !isKnown(part) || part.marks.has(sensitive) ? nullValue(part.type) : part,
  );
  const [bare] = isMarkedDeep(shown) ? unmarkDeep(shown) : [{ ...shown, marks: noMarks }];
  return encodeJson(bare, impliedType(schema.block));
}
