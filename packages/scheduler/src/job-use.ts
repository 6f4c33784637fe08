import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import { constraintsOf, reasonOf } from "./feasibility.ts";
import type { NodeId } from "./ids.ts";
import type { Node } from "./snapshot.ts";
import { targetOf } from "./target.ts";

/** Where a job's allocations are while a placement is made: what rules that look at its other allocations ask. */
export class JobUse {
  readonly #nodes: ReadonlyMap<NodeId, Node>;
  readonly #byNode = new Map<NodeId, Map<string, number>>();

  constructor(nodes: ReadonlyMap<NodeId, Node>, allocations: Iterable<Allocation>) {
    this.#nodes = nodes;
    for (const { node, group } of allocations) this.add(node, group);
  }

  add(node: NodeId, group: string): void {
    const groups = this.#byNode.get(node) ?? new Map<string, number>();
    groups.set(group, (groups.get(group) ?? 0) + 1);
    this.#byNode.set(node, groups);
  }

  remove(node: NodeId, group: string): void {
    const groups = this.#byNode.get(node);
    groups?.set(group, groups.get(group)! - 1);
  }

  /** How many of a group, or of the whole job, are on a node. */
  on(node: NodeId, group: string | undefined): number {
    const groups = this.#byNode.get(node);
    if (!groups) return 0;
    if (group !== undefined) return groups.get(group) ?? 0;
    return [...groups.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How many there are by what `valueOf` gives for their nodes; those without a value are not counted. */
  countBy(valueOf: (node: Node) => string | undefined, group: string | undefined): Map<string, number> {
    const counts = new Map<string, number>();
    for (const id of this.#byNode.keys()) {
      const node = this.#nodes.get(id);
      const value = node && valueOf(node);
      const count = this.on(id, group);
      if (value !== undefined && count > 0) counts.set(value, (counts.get(value) ?? 0) + count);
    }
    return counts;
  }
}

/** What keeps a node from one more allocation because of the job's others; undefined for nothing. */
export type Distinctness = (node: Node) => string | undefined;

/** The rule of `distinct_hosts` and `distinct_property`, as things stand in `use`. Those of a job are over all its groups. */
export function distinctnessOf(job: Job, group: TaskGroup, use: JobUse): Distinctness {
  const own = new Set(job.constraints);
  const checks = constraintsOf(job, group).flatMap((constraint): Distinctness[] => {
    const among = own.has(constraint) ? undefined : group.name;
    if (constraint.operand === "distinct_hosts") {
      if (constraint.rTarget === "false") return [];
      return [({ id }) => (use.on(id, among) > 0 ? "distinct_hosts" : undefined)];
    }
    if (constraint.operand !== "distinct_property") return [];
    const valueOf = targetOf(constraint.lTarget);
    const allowed = Number(constraint.rTarget || "1");
    const counts = use.countBy(valueOf, among);
    return [
      (node) => {
        const value = valueOf(node);
        if (value === undefined) return reasonOf(constraint);
        const count = counts.get(value) ?? 0;
        if (count < allowed) return undefined;
        return `distinct_property: ${constraint.lTarget}=${value} used by ${count} allocs`;
      },
    ];
  });
  return (node) => {
    for (const check of checks) {
      const reason = check(node);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}
