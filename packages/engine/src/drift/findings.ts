import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, isKnown, isNull, unmarkDeep } from "@millwright/value/value";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import type { DriftIgnore } from "./ignore-list.ts";
import { coversFinding } from "./ignore-list.ts";

/** One object that is no longer what the state says. */
export interface DriftFinding {
  readonly change: InstanceChange;
  readonly kind: "changed" | "deleted";
  /** The ways to what differs, as `tags.owner`; none of an object that is gone. */
  readonly attributes: readonly string[];
}

/** What of the drift counts, and what somebody has said may be so. */
export interface DriftReport {
  readonly found: readonly DriftFinding[];
  readonly ignored: readonly { readonly finding: DriftFinding; readonly by: DriftIgnore }[];
}

/**
 * What a refresh has found, with what the ignore list covers put aside. Of an object that it covers in part, the rest counts.
 * `today` is a date, YYYY-MM-DD: entries of before that do not hold any more.
 */
export function driftReport(plan: Pick<Plan, "drift">, list: readonly DriftIgnore[], today: string): DriftReport {
  const found: DriftFinding[] = [];
  const ignored: { finding: DriftFinding; by: DriftIgnore }[] = [];
  const valid = list.filter((entry) => entry.until >= today);
  for (const finding of plan.drift.flatMap(findingOf)) {
    const { change, kind, attributes } = finding;
    if (kind === "deleted") {
      const by = valid.find((entry) => coversFinding(entry, change.address.text, undefined));
      if (by) ignored.push({ finding, by });
      else found.push(finding);
      continue;
    }
    const left: string[] = [];
    for (const attribute of attributes) {
      const by = valid.find((entry) => coversFinding(entry, change.address.text, attribute));
      if (by) ignored.push({ finding: { ...finding, attributes: [attribute] }, by });
      else left.push(attribute);
    }
    if (left.length > 0) found.push({ ...finding, attributes: left });
  }
  return { found, ignored };
}

function findingOf(change: InstanceChange): DriftFinding[] {
  if (change.deposedKey !== undefined) return [];
  if (isNull(change.after)) return isNull(change.before) ? [] : [{ change, kind: "deleted", attributes: [] }];
  const attributes = differences(unmarkDeep(change.before)[0], unmarkDeep(change.after)[0], "");
  return attributes.length === 0 ? [] : [{ change, kind: "changed", attributes }];
}

function differences(before: Value, after: Value, path: string): string[] {
  if (rawEquals(before, after)) return [];
  const inside = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (isPlainMap(before) && isPlainMap(after)) {
    const [old, now] = [asMap(before), asMap(after)];
    return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name) => {
      const [a, b] = [old.get(name), now.get(name)];
      return a && b ? differences(a, b, inside(name)) : [inside(name)];
    });
  }
  const { kind } = after.type;
  if ((kind === "list" || kind === "tuple") && isPlainArray(before) && isPlainArray(after)) {
    const [old, now] = [asArray(before), asArray(after)];
    if (old.length === now.length) return old.flatMap((a, i) => differences(a, now[i]!, inside(String(i))));
  }
  return [path];
}

function isPlainMap(value: Value): boolean {
  return isKnown(value) && value.data instanceof Map;
}

function isPlainArray(value: Value): boolean {
  return isKnown(value) && Array.isArray(value.data);
}
