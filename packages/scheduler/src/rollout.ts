import type { Allocation } from "./allocation.ts";
import { type GroupRollout, needsPromotion } from "./deployment.ts";
import { isProvedBy } from "./gating.ts";
import type { GroupInput } from "./group-plan.ts";
import type { Moment } from "./time.ts";
import { milliseconds } from "./time.ts";

/** A group in the middle of its change: what stays, by what the new version means for it. */
export interface RolloutView extends GroupInput {
  readonly staying: readonly Allocation[];
  /** Canaries that nobody has called good yet; they are beside the count. */
  readonly canaries: readonly Allocation[];
  readonly destructive: readonly Allocation[];
  readonly inPlace: readonly Allocation[];
  /** How many are placed anyway: for those that are lost, failed or migrate, and those that are missing. */
  readonly placing: number;
}

/** What a rollout lets a group do now. */
export interface Allowance {
  /** How many allocations may be replaced by the new version. */
  readonly batch: number;
  readonly canaries: number;
  /** The rollout is paused or has failed: nothing of the new version starts. */
  readonly isHeld: boolean;
  /** The new version runs as canaries only. */
  readonly isCanarying: boolean;
  /** Gates have not let the batch pass that is there: what is replaced stays what it was. */
  readonly isOnTrial: boolean;
  /** When the next batch may start, where only time is in its way. */
  readonly resumesAt: Moment | null;
}

/**
 * A batch starts when the last is healthy as a whole and began at least `stagger` ago. Without a strategy, or with
 * `max_parallel` 0, all go at once. Of a job with gates, they have to let it pass as well. What was placed at this very moment belongs to the batch that is being placed.
 */
export function allowanceOf(view: RolloutView): Allowance {
  const { group, deployment, staying, destructive, now } = view;
  const strategy = strategyOf(view);
  const isHeld = deployment !== undefined && ["paused", "failed", "cancelled"].includes(deployment.status);
  const none: Allowance = { batch: 0, canaries: 0, isHeld, isCanarying: false, isOnTrial: false, resumesAt: null };
  if (isHeld) return none;
  if (!strategy) return { ...none, batch: Number.POSITIVE_INFINITY };
  const rollout = deployment?.groups[group.name];
  const beginsWithCanaries = deployment === undefined && strategy.canary > 0 && destructive.length > 0;
  const wantsCanaries = rollout ? needsPromotion(rollout) : beginsWithCanaries;
  if (wantsCanaries) {
    const canaries = Math.max(0, strategy.canary - view.canaries.length);
    return { ...none, canaries, isCanarying: true };
  }
  const own = staying.filter((one) => deployment !== undefined && one.deployment?.id === deployment.id);
  const isProved = isProvedBy(deployment?.gating);
  const [unproved, proved] = [own.filter((one) => !isProved(one)), own.filter(isProved)];
  if (unproved.some(({ created, healthy }) => created < now || healthy))
    return { ...none, isOnTrial: deployment?.gating !== undefined };
  const resumesAt = Math.max(...proved.map(({ created }) => created)) + milliseconds(strategy.stagger);
  if (now < resumesAt) return { ...none, resumesAt };
  return { ...none, batch: Math.max(0, strategy.maxParallel - unproved.length - view.placing) };
}

/** The group's part in a rollout that this change begins; null where it begins none. */
export function beginsRollout(view: RolloutView): GroupRollout | null {
  const { group, version, deployment, staying, destructive, inPlace } = view;
  const strategy = strategyOf(view);
  if (!strategy || deployment !== undefined || group.count === 0) return null;
  const isRunning = staying.some((one) => one.version === version);
  if (isRunning && destructive.length === 0 && inPlace.length === 0) return null;
  return {
    desiredTotal: group.count,
    desiredCanaries: destructive.length > 0 ? strategy.canary : 0,
    promoted: false,
    autoRevert: strategy.autoRevert,
    autoPromote: strategy.autoPromote,
    // A batch that waits for its time is not late.
    progressDeadline: strategy.progressDeadline === 0 ? 0 : milliseconds(strategy.progressDeadline + strategy.stagger),
    requireProgressBy: null,
    placed: [],
    canaries: [],
    healthy: [],
    unhealthy: [],
  };
}

/** Batch jobs have no rollouts. */
function strategyOf({ job, group }: GroupInput) {
  return job.type === "service" && group.update !== null && group.update.maxParallel > 0 ? group.update : undefined;
}
