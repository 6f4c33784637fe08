import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import type { Deployment } from "./deployment.ts";
import { isActive } from "./deployment.ts";
import type { GroupInput } from "./group-plan.ts";
import { isGone } from "./group-plan.ts";
import { rescheduleDecision } from "./reschedule.ts";
import type { Node } from "./snapshot.ts";
import type { Moment } from "./time.ts";

/** What an allocation of a service or batch group is to its group, apart from its version. */
export type Fate =
  /** Over and done with: it neither counts nor holds its name. */
  | { readonly kind: "past" }
  /** It counts. `wakeAt` is when that may change without anything happening. */
  | {
      readonly kind: "kept";
      readonly wake?: { readonly at: Moment; readonly because: "reschedule" | "drain deadline" };
    }
  | { readonly kind: "lost" }
  /** It goes elsewhere: at once, or as one of so many at a time. `isOverdue`: also where there is no place for it. */
  | {
      readonly kind: "migrate";
      readonly atOnce: boolean;
      readonly isOverdue: boolean;
      readonly deadline: Moment | null;
    }
  | { readonly kind: "reschedule"; readonly delay: number }
  /** A canary of a version that did not make it. */
  | { readonly kind: "unneededCanary" }
  /** A canary of the rollout that goes on. */
  | { readonly kind: "canary" };

export function fateOf(allocation: Allocation, input: GroupInput): Fate {
  if (allocation.desired !== "run" || allocation.client === "lost") return { kind: "past" };
  const { job, version, nodes } = input;
  const isBatch = job.type === "batch";
  // What an older version of a batch job finished says nothing of the new one, which runs in full.
  if (isBatch && hasEnded(allocation) && allocation.version !== version) return { kind: "past" };
  if (allocation.client === "complete") return { kind: isBatch ? "kept" : "past" };
  const rollout = allocation.deployment ? input.deployments.get(allocation.deployment.id) : undefined;
  if (isUnpromotedCanary(allocation, rollout)) return fateOfCanary(allocation, rollout, input);
  if (allocation.client === "failed") return fateOfFailed(allocation, rollout, input);
  const node = nodes.get(allocation.node);
  if (isGone(node)) return { kind: input.group.preventRescheduleOnLost ? "kept" : "lost" };
  const ofDrain: Fate = node?.drain ? fateOnDrained(node.drain, isBatch, input.now) : { kind: "kept" };
  const isOverdue = ofDrain.kind === "migrate" && ofDrain.isOverdue;
  return allocation.shouldMigrate ? { kind: "migrate", atOnce: true, isOverdue, deadline: null } : ofDrain;
}

/** A canary whose rollout is forgotten has long been promoted. */
function isUnpromotedCanary({ deployment, group }: Allocation, rollout: Deployment | undefined): boolean {
  return deployment?.canary === true && rollout?.groups[group]?.promoted === false;
}

function fateOfCanary(
  allocation: Allocation,
  rollout: Deployment | undefined,
  { deployment, nodes }: GroupInput,
): Fate {
  const isCurrent = rollout !== undefined && rollout.id === deployment?.id && isActive(rollout);
  if (!isCurrent) return { kind: "unneededCanary" };
  const node = nodes.get(allocation.node);
  const mustGo = isGone(node) || node?.drain || allocation.shouldMigrate;
  return { kind: mustGo && !hasEnded(allocation) ? "unneededCanary" : "canary" };
}

/** A rollout that goes on or has failed does not try again what it never saw well: such a failure is what it is there to find. */
function fateOfFailed(allocation: Allocation, rollout: Deployment | undefined, input: GroupInput): Fate {
  const { group, deployment, now } = input;
  if (allocation.replacedBy !== null) return { kind: "past" };
  const goesOn = rollout !== undefined && isActive(rollout) && rollout.id === deployment?.id;
  if (allocation.healthy !== true && (goesOn || rollout?.status === "failed")) return { kind: "kept" };
  const decision = rescheduleDecision(group.reschedule, allocation, now);
  switch (decision.kind) {
    case "now":
      return { kind: "reschedule", delay: decision.delay };
    case "later":
      return { kind: "kept", wake: { at: decision.at, because: "reschedule" } };
    case "never":
      return { kind: "kept" };
  }
}

/** Batch work may finish until the deadline; services leave a few at a time. */
function fateOnDrained({ deadline }: NonNullable<Node["drain"]>, isBatch: boolean, now: Moment): Fate {
  if (deadline !== null && now >= deadline) return { kind: "migrate", atOnce: true, isOverdue: true, deadline };
  if (!isBatch) return { kind: "migrate", atOnce: false, isOverdue: false, deadline };
  return deadline === null ? { kind: "kept" } : { kind: "kept", wake: { at: deadline, because: "drain deadline" } };
}
