import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import { type Change, changeTo } from "./change.ts";
import { takesWork } from "./feasibility.ts";
import type { FollowUp, GroupInput, GroupPlan, Intent, Stopping } from "./group-plan.ts";
import { descriptions, intent, isGone, stopping } from "./group-plan.ts";
import { rescheduleDecision } from "./reschedule.ts";
import type { Node } from "./snapshot.ts";
import type { Moment } from "./time.ts";
import { milliseconds } from "./time.ts";

export interface SystemInput extends GroupInput {
  /** Whether a node is only left by what runs on every node: it may be emptied of that too. */
  readonly isEmptied: (node: Node) => boolean;
}

/**
 * What shall become of a group of a job that runs once on each node that may run it. A new version goes over the nodes
 * `max_parallel` at a time, `stagger` apart; there is no rollout with a state. What a sysbatch job has finished is not run again.
 */
export function reconcileSystem(input: SystemInput): GroupPlan {
  const { group, allocations, nodes, now } = input;
  const sorted = new Sorted(changeTo(input));
  const present = new Set<string>();
  const live = allocations.filter(({ desired, client }) => desired === "run" && client !== "lost");
  for (const one of live.sort((a, b) => b.version - a.version || b.created - a.created)) {
    if (present.has(one.node) || group.count === 0) {
      if (!hasEnded(one)) sorted.stop.push(stopping(one, nodes, descriptions.notNeeded));
      continue;
    }
    if (sort(one, input, sorted)) present.add(one.node);
  }
  const missing = group.count === 0 ? [] : [...nodes.values()].filter((node) => isMissing(node, present, input));
  const places = missing.map((node) => intent("place", 0, input.version, { node: node.id }));
  const { batch, resumesAt } = batchOf(live, input);
  const [changing, waiting] = [sorted.destructive.slice(0, batch), sorted.destructive.slice(batch)];
  const followUps = [...sorted.followUps];
  if (waiting.length > 0) followUps.push({ at: resumesAt ?? now, group: group.name, because: "stagger" });
  return {
    group: group.name,
    intents: [...sorted.again, ...places, ...changing.map((one) => instead("destructive", one, input))],
    stop: sorted.stop,
    inPlace: sorted.inPlace,
    ignore: [...sorted.same, ...waiting],
    waiting: waiting.length,
    followUps,
    rollout: null,
  };
}

class Sorted {
  readonly changeOf: (allocation: Allocation) => Change;
  readonly same: Allocation[] = [];
  readonly inPlace: Allocation[] = [];
  readonly destructive: Allocation[] = [];
  readonly stop: Stopping[] = [];
  readonly again: Intent[] = [];
  readonly followUps: FollowUp[] = [];

  constructor(changeOf: (allocation: Allocation) => Change) {
    this.changeOf = changeOf;
  }
}

/** Puts an allocation where it belongs, and says whether its node has what it should have by that. */
function sort(one: Allocation, input: SystemInput, sorted: Sorted): boolean {
  const { nodes, isFeasible } = input;
  const node = nodes.get(one.node);
  if (hasEnded(one)) return sortEnded(one, input, sorted);
  if (isGone(node) || !node || !isFeasible(node) || mustLeave(node, input)) {
    sorted.stop.push(stopping(one, nodes, descriptions.tainted));
    return true;
  }
  if (one.shouldMigrate) sorted.again.push(instead("migrate", one, input));
  else sorted[sorted.changeOf(one)].push(one);
  return true;
}

/** What ended well is over for sysbatch jobs and missing for system jobs; what failed may be tried again. */
function sortEnded(one: Allocation, input: SystemInput, sorted: Sorted): boolean {
  const { job, version, group, nodes, now } = input;
  if (one.version !== version || one.replacedBy !== null) return false;
  if (one.client === "complete") {
    if (job.type === "sysbatch") sorted.same.push(one);
    return job.type === "sysbatch";
  }
  const node = nodes.get(one.node);
  const decision = rescheduleDecision(group.reschedule, one, now);
  if (decision.kind === "later") sorted.followUps.push({ at: decision.at, group: group.name, because: "reschedule" });
  if (decision.kind === "now" && node && takesWork(node))
    sorted.again.push({ ...instead("reschedule", one, input), delay: decision.delay });
  else sorted.same.push(one);
  return true;
}

function instead(kind: Intent["kind"], previous: Allocation, { version }: SystemInput): Intent {
  return intent(kind, 0, version, { previous, node: previous.node });
}

/** Jobs that run on every node are the last to leave one. */
function mustLeave(node: Node, { now, isEmptied }: SystemInput): boolean {
  const { drain } = node;
  if (!drain || drain.ignoresSystemJobs) return false;
  return (drain.deadline !== null && now >= drain.deadline) || isEmptied(node);
}

function isMissing(node: Node, present: ReadonlySet<string>, { isFeasible }: SystemInput): boolean {
  return !present.has(node.id) && takesWork(node) && isFeasible(node);
}

/** How many nodes may change now, and when the next may. What was changed at this very moment belongs to the same batch. */
function batchOf(
  live: readonly Allocation[],
  { group, version, now }: SystemInput,
): {
  readonly batch: number;
  readonly resumesAt: Moment | null;
} {
  const { update } = group;
  if (!update || update.maxParallel === 0) return { batch: Number.POSITIVE_INFINITY, resumesAt: null };
  const stagger = milliseconds(update.stagger);
  const changed = live.filter((one) => one.version === version && one.replaces !== null).map(({ created }) => created);
  const before = changed.filter((created) => created < now);
  const resumesAt = Math.max(...before) + stagger;
  if (now < resumesAt) return { batch: 0, resumesAt };
  const batch = Math.max(0, update.maxParallel - (changed.length - before.length));
  return { batch, resumesAt: now + stagger };
}
