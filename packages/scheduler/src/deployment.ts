import type { JobId } from "@millwright/jobs/job";
import type { Gating } from "./gating.ts";
import type { AllocId, DeploymentId } from "./ids.ts";
import type { Moment } from "./time.ts";

export type DeploymentStatus = "running" | "paused" | "failed" | "successful" | "cancelled";

/** How far a group of a rollout is. The lists hold allocations that are still wanted. */
export interface GroupRollout {
  readonly desiredTotal: number;
  readonly desiredCanaries: number;
  readonly promoted: boolean;
  readonly autoRevert: boolean;
  readonly autoPromote: boolean;
  /** How long without a further healthy allocation ends it, in milliseconds; 0 for never. */
  readonly progressDeadline: number;
  /** When the next has to be healthy; null before the first was placed. */
  readonly requireProgressBy: Moment | null;
  readonly placed: readonly AllocId[];
  readonly canaries: readonly AllocId[];
  readonly healthy: readonly AllocId[];
  readonly unhealthy: readonly AllocId[];
}

/** The rollout of one version of a job. */
export interface Deployment {
  readonly id: DeploymentId;
  readonly namespace: string;
  readonly job: JobId;
  readonly version: number;
  readonly status: DeploymentStatus;
  /** The status in a sentence, with the reason of its end. */
  readonly description: string;
  readonly groups: Readonly<Record<string, GroupRollout>>;
  /** Of a job that has gates; what goes back has none. */
  readonly gating?: Gating;
  /** The version that was registered anew as it failed. */
  readonly goesBackTo?: number;
}

/** Whether it can still go on. */
export function isActive({ status }: Pick<Deployment, "status">): boolean {
  return status === "running" || status === "paused";
}

/** Whether a group's canaries wait for somebody who says that they are good. */
export function needsPromotion({ desiredCanaries, promoted }: GroupRollout): boolean {
  return desiredCanaries > 0 && !promoted;
}

export function healthyCanaries({ canaries, healthy }: GroupRollout): number {
  return canaries.filter((id) => healthy.includes(id)).length;
}

/** The sentence for a rollout that runs. */
export function runningDescription({ groups, gating }: Pick<Deployment, "groups" | "gating">): string {
  if (gating && gating.askedSince !== null)
    return `Deployment is running, and its gates are asked after batch ${gating.batch}`;
  const waiting = Object.values(groups).filter(needsPromotion);
  if (waiting.length === 0) return "Deployment is running";
  if (gating) return "Deployment is running pending promotion by its gates";
  const isAutomatic = waiting.every(({ autoPromote }) => autoPromote);
  return isAutomatic
    ? "Deployment is running pending automatic promotion"
    : "Deployment is running but requires manual promotion";
}
