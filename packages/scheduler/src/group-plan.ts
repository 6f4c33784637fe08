import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import type { Deployment, GroupRollout } from "./deployment.ts";
import type { DeploymentId, NodeId } from "./ids.ts";
import type { Node } from "./snapshot.ts";
import type { Moment } from "./time.ts";

/** What a group's allocations are compared with. */
export interface GroupInput {
  readonly job: Job;
  readonly version: number;
  readonly versions: ReadonlyMap<number, Job>;
  readonly group: TaskGroup;
  /** All that are kept of this group, also those that have ended. */
  readonly allocations: readonly Allocation[];
  /** The rollout of this version, whatever became of it. */
  readonly deployment: Deployment | undefined;
  readonly deployments: ReadonlyMap<DeploymentId, Deployment>;
  readonly nodes: ReadonlyMap<NodeId, Node>;
  /** Whether a node may run this version of the group at all. */
  readonly isFeasible: (node: Node) => boolean;
  readonly now: Moment;
}

/** What shall become of a group, before nodes are chosen. */
export interface GroupPlan {
  readonly group: string;
  readonly intents: readonly Intent[];
  readonly stop: readonly Stopping[];
  /** Allocations of older versions that take on the new one as they run. */
  readonly inPlace: readonly Allocation[];
  readonly ignore: readonly Allocation[];
  /** How many of those that are ignored later batches replace. */
  readonly waiting: number;
  readonly followUps: readonly FollowUp[];
  /** The group's part in a new rollout, where this begins one. */
  readonly rollout: GroupRollout | null;
}

/** An allocation that is wanted, and what it comes instead of. */
export interface Intent {
  readonly kind: "place" | "canary" | "destructive" | "migrate" | "reschedule" | "lost";
  readonly index: number;
  readonly version: number;
  readonly previous: Allocation | null;
  /** How long a failed one waited for it, in milliseconds. */
  readonly delay: number;
  /** The only node that it may be on, for jobs that run on every node. */
  readonly node: NodeId | null;
  /** Whether what it comes instead of ends though there is no place for it: the node is gone, or its drain has no time left. */
  readonly endsAnyway: boolean;
}

export interface Stopping {
  readonly allocation: Allocation;
  readonly description: string;
  /** Whether its node is gone, so that nobody will say how it ended. */
  readonly isLost: boolean;
}

/** When the scheduler wants to be asked again if nothing happens before; what a newer placement says replaces it. */
export interface FollowUp {
  readonly at: Moment;
  readonly group: string;
  readonly because: "reschedule" | "stagger" | "drain deadline";
}

/** Why allocations stop, in the words that users know. */
export const descriptions = {
  notNeeded: "alloc not needed due to job update",
  stopped: "alloc not needed as job is stopped",
  updated: "alloc is being updated due to job update",
  migrating: "alloc is being migrated",
  rescheduled: "alloc was rescheduled because it failed",
  lost: "alloc is lost since its node is down",
  tainted: "alloc not needed as node is tainted",
} as const;

export function intent(kind: Intent["kind"], index: number, version: number, rest: Partial<Intent> = {}): Intent {
  return { kind, index, version, previous: null, delay: 0, node: null, endsAnyway: kind === "lost", ...rest };
}

export function isGone(node: Node | undefined): boolean {
  return node === undefined || node.status === "down";
}

/** The plan that ends all of a group's allocations; those on lost nodes as lost. */
export function stopAll(
  group: string,
  allocations: readonly Allocation[],
  nodes: GroupInput["nodes"],
  description: string,
): GroupPlan {
  const stop = allocations.map((allocation) => stopping(allocation, nodes, description));
  return { group, intents: [], stop, inPlace: [], ignore: [], waiting: 0, followUps: [], rollout: null };
}

export function stopping(allocation: Allocation, nodes: GroupInput["nodes"], description: string): Stopping {
  const isLost = isGone(nodes.get(allocation.node)) && !hasEnded(allocation);
  return { allocation, description: isLost ? descriptions.lost : description, isLost };
}
