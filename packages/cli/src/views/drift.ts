import { absoluteResourceText } from "@millwright/engine/addresses";
import type { InstanceChange, Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { withoutKeys } from "@millwright/engine/targets";
import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { asMap, isKnown, isNull, unmarkDeep } from "@millwright/value/value";

/**
 * What was found changed outside, as far as people need to read of it: all of it where a plan only takes it over; else the
 * attributes that the planned changes take values from, since what is planned is shown anyway.
 */
export function shownDrift(plan: Plan): readonly InstanceChange[] {
  const current = plan.drift.filter((change) => change.deposedKey === undefined);
  if (plan.mode === "refresh-only")
    return current.filter((change) => change.previousAddress !== undefined || hasDrifted(change));
  if (!hasChanges(plan)) return [];
  const relevant = new Map<string, Set<string>>();
  for (const { resource, attribute } of plan.relevant) {
    const first = attribute[0];
    const bare = withoutKeys(resource);
    const names = relevant.get(bare) ?? new Set();
    relevant.set(bare, names.add(first && "attribute" in first ? first.attribute : everything));
  }
  return current.flatMap((change) => {
    const names = relevant.get(withoutKeys(absoluteResourceText(change.address.module, change.address.resource)));
    const part = names && onlyOf(change, names);
    return part && hasDrifted(part) ? [part] : [];
  });
}

const everything = "";

/** Whether an object is really another, and not only seen in another way. */
export function hasDrifted({ before, after }: InstanceChange): boolean {
  return !rawEquals(unmarkDeep(before)[0], unmarkDeep(after)[0]);
}

function onlyOf(change: InstanceChange, names: ReadonlySet<string>): InstanceChange {
  const { before, after } = change;
  if (names.has(everything) || isNull(after) || isNull(before) || !isKnown(after)) return change;
  const now = asMap(after);
  const data = new Map<string, Value>();
  for (const [name, value] of asMap(before)) data.set(name, names.has(name) ? (now.get(name) ?? value) : value);
  return { ...change, after: { ...before, data } };
}
