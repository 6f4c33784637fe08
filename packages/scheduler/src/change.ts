import { updateKind } from "@millwright/jobs/update-kind";
import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import type { GroupInput } from "./group-plan.ts";

/** What the current version of a job means for an allocation where it is. */
export type Change = "same" | "inPlace" | "destructive";

/** Tells it for the allocations of a group. Each older version is compared once. */
export function changeTo(input: GroupInput): (allocation: Allocation) => Change {
  const { job, version, versions, group, nodes, isFeasible } = input;
  const kinds = new Map<number, Change>();
  const kindOf = (old: number) => {
    const known = kinds.get(old);
    if (known) return known;
    const before = versions.get(old);
    const isDestructive = !before || updateKind(before, job, group.name).kind === "destructive";
    const kind = isDestructive ? "destructive" : "inPlace";
    kinds.set(old, kind);
    return kind;
  };
  return (allocation) => {
    if (allocation.version === version) return "same";
    if (hasEnded(allocation)) return "destructive";
    const node = nodes.get(allocation.node);
    return node && isFeasible(node) ? kindOf(allocation.version) : "destructive";
  };
}
