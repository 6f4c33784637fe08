import type { DesiredUpdates } from "@millwright/jobs/annotate";
import type { JobId } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import type { Deployment } from "./deployment.ts";
import type { FollowUp } from "./group-plan.ts";
import type { AllocId, EvalId, NodeId } from "./ids.ts";
import type { PlacementMetrics } from "./metrics.ts";

/** A new allocation, and why it is where it is. */
export interface Placed {
  readonly allocation: Allocation;
  readonly metrics: PlacementMetrics;
}

/** An allocation that is not wanted any more. */
export interface Stop {
  readonly allocation: AllocId;
  readonly node: NodeId;
  readonly description: string;
  /** Its node is gone: its client status becomes `lost`. */
  readonly isLost: boolean;
  readonly replacedBy: AllocId | null;
}

export interface Replacement {
  readonly stop: Stop;
  readonly placed: Placed;
}

/** What becomes of a group. Each bucket holds another reason. */
export interface GroupPlacement {
  /** New ones, also for those in `lost`. */
  readonly place: readonly Placed[];
  readonly canary: readonly Placed[];
  readonly destructive: readonly Replacement[];
  readonly migrate: readonly Replacement[];
  readonly reschedule: readonly Replacement[];
  readonly stop: readonly Stop[];
  /** Stopped as their nodes are gone. */
  readonly lost: readonly Stop[];
  /** As they are to be from now on. */
  readonly inPlace: readonly Allocation[];
  readonly ignore: readonly AllocId[];
  /**
   * Those that found no node, with what was in the way; what they would have replaced stays, but where it has
   * to leave its node now.
   */
  readonly failed: { readonly count: number; readonly metrics: PlacementMetrics } | null;
  /** How many of each a dry run shows: of this step alone. */
  readonly desired: DesiredUpdates;
  /** How many of those ignored now the next batches of the rollout replace. */
  readonly waiting: number;
}

/** The scheduler's answer: all that shall change, as plain values. Nothing has changed yet. */
export interface Placement {
  readonly evaluation: EvalId;
  readonly namespace: string;
  readonly job: JobId;
  readonly version: number;
  /** Whether it is committed as a whole or not at all. */
  readonly allAtOnce: boolean;
  readonly groups: Readonly<Record<string, GroupPlacement>>;
  /** Rollouts as they are to be from now on: begun, grown by what is placed, or cancelled. */
  readonly deployments: readonly Deployment[];
  /** They take the place of those of the job's placement before. */
  readonly followUps: readonly FollowUp[];
  /** Whether there is more to do at once than was allowed: what is missing is placed by the next answer. */
  readonly isPartial: boolean;
}

/** All that a group's placement stops, for whatever reason. */
export function stopsOf({ stop, lost, destructive, migrate, reschedule }: GroupPlacement): readonly Stop[] {
  return [...stop, ...lost, ...[...destructive, ...migrate, ...reschedule].map((one) => one.stop)];
}

/** All that a group's placement starts, for whatever reason. */
export function placedOf({ place, canary, destructive, migrate, reschedule }: GroupPlacement): readonly Placed[] {
  return [...place, ...canary, ...[...destructive, ...migrate, ...reschedule].map((one) => one.placed)];
}

/** Whether there is nothing to write. Something may still have found no node. */
export function changesNothing({ deployments, groups }: Placement): boolean {
  const writes = (group: GroupPlacement) => stopsOf(group).length + placedOf(group).length + group.inPlace.length;
  return deployments.length === 0 && Object.values(groups).every((group) => writes(group) === 0);
}
