import type { Constraint } from "@millwright/jobs/constraint";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import { compileGlob } from "@millwright/text/glob";
import { comparisonOf } from "./comparison.ts";
import type { Node } from "./snapshot.ts";

/** What keeps a node from running a group, whatever else runs there: as it is counted in metrics; undefined for nothing. */
export type Feasibility = (node: Node) => string | undefined;

/** The check of a group's drivers and of the constraints of its job, itself and its tasks. */
export function feasibilityOf(job: Job, group: TaskGroup): Feasibility {
  const drivers = new Set(group.tasks.map(({ driver }) => driver));
  const checks = constraintsOf(job, group)
    .filter(({ operand }) => !operand.startsWith("distinct_"))
    .map((constraint) => ({ holds: comparisonOf(constraint), reason: reasonOf(constraint) }));
  return (node) => {
    for (const driver of drivers) if (!node.drivers.includes(driver)) return "missing drivers";
    return checks.find(({ holds }) => !holds(node))?.reason;
  };
}

/** `${attr.kernel.name} = linux`, as metrics name what filtered a node. */
export function reasonOf({ lTarget, operand, rTarget }: Constraint): string {
  return [lTarget, operand, rTarget].filter((part) => part !== "").join(" ");
}

export function constraintsOf(job: Job, group: TaskGroup): readonly Constraint[] {
  return [...job.constraints, ...group.constraints, ...group.tasks.flatMap(({ constraints }) => constraints)];
}

/** Which nodes a job may use at all: of its pool (`all` is every pool), in its datacenters, which may be patterns. */
export function admissionOf({ nodePool, datacenters }: Job): Admission {
  const patterns = datacenters.map((pattern) => {
    const compiled = compileGlob(pattern);
    return compiled.ok ? (name: string) => compiled.glob.matches(name) : (name: string) => name === pattern;
  });
  // Nodes are many, their datacenters few.
  const known = new Map<string, boolean>();
  return {
    hasPool: ({ pool }) => nodePool === "all" || pool === nodePool,
    hasDatacenter: ({ datacenter }) => {
      const before = known.get(datacenter);
      if (before !== undefined) return before;
      const matches = patterns.some((one) => one(datacenter));
      known.set(datacenter, matches);
      return matches;
    },
  };
}

export interface Admission {
  readonly hasPool: (node: Node) => boolean;
  readonly hasDatacenter: (node: Node) => boolean;
}

/** Whether a node takes on new work now. */
export function takesWork({ status, isEligible, drain }: Node): boolean {
  return status === "ready" && isEligible && drain === null;
}
