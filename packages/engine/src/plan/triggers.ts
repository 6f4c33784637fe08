import { rawEquals } from "@millwright/value/operations";
import { applyPath, type Path } from "@millwright/value/path";
import { asNumber, asString, type Value } from "@millwright/value/value";
import { absoluteResourceText } from "../addresses.ts";
import type { Expression, TraversalStep } from "@millwright/hcl/ast";
import type { InstanceKey } from "../addresses.ts";
import { parseReference } from "../references.ts";
import type { PlanTarget } from "./managed.ts";
import type { InstanceChange } from "./plan.ts";
import { isReplace } from "./plan.ts";
import type { PlanRun } from "./run.ts";

/** Whether one of the things in `replace_triggered_by` is going to change: a resource, an instance, or a part of one. */
export function triggeredReplacement(run: PlanRun, target: PlanTarget): boolean {
  return target.resource.lifecycle.replaceTriggeredBy.some((trigger) => isTriggered(run, target, trigger));
}

function isTriggered(run: PlanRun, target: PlanTarget, trigger: Expression): boolean {
  const place = readTrigger(run, target, trigger);
  if (!place) return false;
  const { text, key, path } = place;
  return (run.changesOf.get(text) ?? []).some((change) => {
    if (key !== "any" && change.address.key !== key) return false;
    return path.length === 0 ? change.action === "update" || isReplace(change.action) : partChanges(change, path);
  });
}

interface TriggerPlace {
  readonly text: string;
  readonly key: InstanceKey | "any";
  readonly path: Path;
}

// `aws_thing.a`, `aws_thing.a[0].id`, and `aws_thing.a[each.key].id`, whose key must be computed first.
function readTrigger(run: PlanRun, target: PlanTarget, trigger: Expression): TriggerPlace | undefined {
  if (trigger.kind === "relativeTraversal" || trigger.kind === "index") {
    const index = trigger.kind === "index" ? trigger : trigger.source;
    if (index.kind !== "index") return undefined;
    const base = readTrigger(run, target, index.collection);
    const { value } = run.evaluator.evaluate(index.key, target.address.module, target.instance);
    const key = instanceKeyOf(value);
    if (!base || key === undefined) return undefined;
    return { ...base, key, path: trigger.kind === "index" ? [] : pathOf(trigger.steps) };
  }
  if (trigger.kind !== "scopeTraversal") return undefined;
  const parsed = parseReference(trigger);
  if (!parsed.ok || parsed.reference.subject.kind !== "resource") return undefined;
  const text = absoluteResourceText(target.address.module, parsed.reference.subject.address);
  const [first, ...rest] = parsed.reference.rest;
  const key = first?.kind === "index" ? instanceKeyOf(first.key) : undefined;
  if (key !== undefined) return { text, key, path: pathOf(rest) };
  return { text, key: "any", path: pathOf(parsed.reference.rest) };
}

function instanceKeyOf(value: Value): number | string | undefined {
  if (typeof value.data === "string") return asString(value);
  return value.type.kind === "number" && value.data !== null ? asNumber(value).toNumber() : undefined;
}

function pathOf(steps: readonly TraversalStep[]): Path {
  return steps.map((step) => (step.kind === "attribute" ? { attribute: step.name } : { index: step.key }));
}

function partChanges(change: InstanceChange, path: Path): boolean {
  if (change.action === "no-op") return false;
  const before = applyPath(change.before, path);
  const after = applyPath(change.after, path);
  if (!before || !after) return before !== after;
  return !rawEquals(before, after);
}
