import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import { NodeUse } from "./capacity.ts";
import { demandOf } from "./demand.ts";
import { admissionOf, feasibilityOf, takesWork } from "./feasibility.ts";
import { seededRandom } from "./random.ts";
import type { Node } from "./snapshot.ts";

/**
 * Tells of nodes whether they have room for one more of a group, beside these allocations. Where the job's others are is not looked
 * at: a node with room may still not be chosen.
 */
export function roomFor(job: Job, group: TaskGroup): (node: Node, allocations: Iterable<Allocation>) => boolean {
  const { hasPool, hasDatacenter } = admissionOf(job);
  const feasibility = feasibilityOf(job, group);
  const demand = demandOf(group);
  const random = seededRandom("");
  return (node, allocations) =>
    takesWork(node) &&
    hasPool(node) &&
    hasDatacenter(node) &&
    feasibility(node) === undefined &&
    new NodeUse(node, allocations).fit(demand, random).ok;
}
