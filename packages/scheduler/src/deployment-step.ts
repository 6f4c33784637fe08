import { assertNever } from "@millwright/core/errors";
import type { Deployment, DeploymentStatus, GroupRollout } from "./deployment.ts";
import { isActive, needsPromotion, runningDescription } from "./deployment.ts";
import type { AllocId } from "./ids.ts";
import type { Moment } from "./time.ts";

/** What happens to a rollout. */
export type DeploymentEvent =
  | {
      readonly kind: "placed";
      readonly group: string;
      readonly allocation: AllocId;
      readonly replaces: AllocId | null;
      readonly canary: boolean;
      readonly at: Moment;
    }
  /** An allocation came up well (for as long as `min_healthy_time` asks), or did not, or fell ill. */
  | {
      readonly kind: "health";
      readonly group: string;
      readonly allocation: AllocId;
      readonly healthy: boolean;
      readonly at: Moment;
    }
  /** An allocation is not wanted any more, or was lost, and nothing takes its place so far. */
  | { readonly kind: "gone"; readonly group: string; readonly allocation: AllocId }
  | { readonly kind: "tick"; readonly at: Moment }
  /** Somebody says that the canaries of these groups are good; null for all groups. */
  | { readonly kind: "promote"; readonly groups: readonly string[] | null; readonly at: Moment }
  | { readonly kind: "pause" }
  | { readonly kind: "resume"; readonly at: Moment }
  | { readonly kind: "fail" }
  | { readonly kind: "superseded" }
  | { readonly kind: "jobStopped" };

/** What is to be done besides keeping the new state. */
export type DeploymentAction =
  /** The scheduler is asked again: there is room for the next batch, or something to take back. */
  | { readonly kind: "evaluate" }
  /** The version has proved itself: one to go back to. */
  | { readonly kind: "markStable"; readonly version: number }
  /** The job is registered anew as it was in that version. */
  | { readonly kind: "revert"; readonly toVersion: number };

/** The new state and what follows; or why the event, which a user asked for, is refused. */
export type DeploymentStep =
  | { readonly ok: true; readonly deployment: Deployment; readonly actions: readonly DeploymentAction[] }
  | { readonly ok: false; readonly reason: string };

/** The newest version before a rollout's that proved itself: `sameAs` where its job is the very same; null where there is none. */
export type LastStable = number | { readonly sameAs: number } | null;

/**
 * One step of a rollout. An allocation that
 * did not come up well ends the rollout at once, as does a group without progress until its deadline. What has ended stays.
 */
export function stepDeployment(deployment: Deployment, event: DeploymentEvent, lastStable: LastStable): DeploymentStep {
  if (!isActive(deployment)) {
    const isAsked =
      event.kind === "promote" || event.kind === "pause" || event.kind === "resume" || event.kind === "fail";
    return isAsked ? refused(`The deployment has ended: it is ${deployment.status}.`) : unchanged(deployment);
  }
  switch (event.kind) {
    case "placed":
      return kept(withGroup(deployment, event.group, (group) => withPlaced(group, event)));
    case "health":
      return stepHealth(deployment, event, lastStable);
    case "gone":
      return kept(withGroup(deployment, event.group, (group) => without(group, event.allocation)));
    case "tick":
      return isLate(deployment, event.at)
        ? failed(deployment, "Failed due to progress deadline", lastStable)
        : unchanged(deployment);
    case "promote":
      return promote(deployment, event.groups, event.at);
    case "pause":
      return deployment.status === "paused"
        ? refused("The deployment is paused already.")
        : kept({ ...deployment, status: "paused", description: "Deployment is paused" });
    case "resume":
      return resume(deployment, event.at);
    case "fail":
      return failed(deployment, "Deployment marked as failed", lastStable);
    case "superseded":
      return kept({ ...deployment, status: "cancelled", description: "Cancelled due to newer version of job" });
    case "jobStopped":
      return kept({ ...deployment, status: "cancelled", description: "Cancelled because job is stopped" });
    default:
      return assertNever(event);
  }
}

/** When a tick may change it; undefined for never. */
export function nextDeadline({ status, groups }: Deployment): Moment | undefined {
  if (status !== "running") return undefined;
  const deadlines = Object.values(groups)
    .filter(isWaiting)
    .map((group) => group.requireProgressBy);
  const set = deadlines.filter((at) => at !== null);
  return set.length === 0 ? undefined : Math.min(...set);
}

type Of<Kind extends DeploymentEvent["kind"]> = Extract<DeploymentEvent, { kind: Kind }>;

function withPlaced(group: GroupRollout, { allocation, replaces, canary, at }: Of<"placed">): GroupRollout {
  const rest = replaces === null ? group : without(group, replaces);
  return {
    ...rest,
    placed: [...rest.placed, allocation],
    canaries: canary ? [...rest.canaries, allocation] : rest.canaries,
    requireProgressBy: group.requireProgressBy ?? deadlineFrom(group, at),
  };
}

function without(group: GroupRollout, allocation: AllocId): GroupRollout {
  const others = (list: readonly AllocId[]) => list.filter((id) => id !== allocation);
  const { placed, canaries, healthy, unhealthy } = group;
  return {
    ...group,
    placed: others(placed),
    canaries: others(canaries),
    healthy: others(healthy),
    unhealthy: others(unhealthy),
  };
}

function stepHealth(deployment: Deployment, event: Of<"health">, lastStable: LastStable): DeploymentStep {
  const { group: name, allocation, healthy, at } = event;
  const before = deployment.groups[name];
  if (!before?.placed.includes(allocation)) return unchanged(deployment);
  if (!healthy) {
    const next = withGroup(deployment, name, (group) => ({
      ...group,
      healthy: group.healthy.filter((id) => id !== allocation),
      unhealthy: [...new Set([...group.unhealthy, allocation])],
    }));
    return failed(next, "Failed due to unhealthy allocations", lastStable);
  }
  if (before.healthy.includes(allocation)) return unchanged(deployment);
  const next = withGroup(deployment, name, (group) => ({
    ...group,
    healthy: [...group.healthy, allocation],
    requireProgressBy: deadlineFrom(group, at),
  }));
  return settled(mayPromoteItself(next) ? promoted(next, Object.keys(next.groups), at) : next);
}

/** A running rollout after a step forward: at its end, or with room for the next batch. */
function settled(deployment: Deployment): DeploymentStep {
  const isDone = Object.values(deployment.groups).every(
    (group) => group.healthy.length >= group.desiredTotal && !needsPromotion(group),
  );
  if (!isDone || deployment.status !== "running") return kept(deployment, [{ kind: "evaluate" }]);
  const done: Deployment = {
    ...deployment,
    status: "successful",
    description: "Deployment completed successfully",
  };
  return kept(done, [{ kind: "markStable", version: deployment.version }, { kind: "evaluate" }]);
}

function promote(deployment: Deployment, groups: readonly string[] | null, at: Moment): DeploymentStep {
  const names = groups ?? Object.keys(deployment.groups);
  for (const name of names) {
    const group = deployment.groups[name];
    if (!group) return refused(`The deployment has no group "${name}".`);
    if (needsPromotion(group) && healthyCanaries(group) < group.desiredCanaries)
      return refused(
        `Task group "${name}" has ${healthyCanaries(group)}/${group.desiredCanaries} healthy canaries. Promote it when all are healthy.`,
      );
  }
  if (!names.some((name) => needsPromotion(deployment.groups[name]!)))
    return refused("No canaries wait for promotion.");
  return settled(promoted(deployment, names, at));
}

function promoted(deployment: Deployment, names: readonly string[], at: Moment): Deployment {
  let next = deployment;
  for (const name of names)
    next = withGroup(next, name, (group) =>
      needsPromotion(group) ? { ...group, promoted: true, requireProgressBy: deadlineFrom(group, at) } : group,
    );
  return next.status === "running" ? { ...next, description: runningDescription(next.groups) } : next;
}

/** Automatic promotion is for all groups together: none goes on while another's canaries are not healthy. */
function mayPromoteItself({ status, groups }: Deployment): boolean {
  const waiting = Object.values(groups).filter(needsPromotion);
  if (status !== "running" || waiting.length === 0) return false;
  return waiting.every((group) => group.autoPromote && healthyCanaries(group) >= group.desiredCanaries);
}

function healthyCanaries({ canaries, healthy }: GroupRollout): number {
  return canaries.filter((id) => healthy.includes(id)).length;
}

/** Time that it was paused does not count against it. */
function resume(deployment: Deployment, at: Moment): DeploymentStep {
  if (deployment.status !== "paused") return refused("The deployment is not paused.");
  const groups = Object.fromEntries(
    Object.entries(deployment.groups).map(([name, group]) => [
      name,
      group.requireProgressBy === null ? group : { ...group, requireProgressBy: deadlineFrom(group, at) },
    ]),
  );
  return settled({ ...deployment, groups, status: "running", description: runningDescription(groups) });
}

function failed(deployment: Deployment, why: string, lastStable: LastStable): DeploymentStep {
  const status: DeploymentStatus = "failed";
  const wantsRevert = Object.values(deployment.groups).some(({ autoRevert }) => autoRevert);
  if (!wantsRevert) return kept({ ...deployment, status, description: why }, [{ kind: "evaluate" }]);
  if (lastStable !== null && typeof lastStable === "object") {
    const same = `not rolling back to stable job version ${lastStable.sameAs} as current job has same specification`;
    return kept({ ...deployment, status, description: `${why} - ${same}` }, [{ kind: "evaluate" }]);
  }
  if (lastStable === null || lastStable === deployment.version) {
    const description = `${why} - no stable job version to auto revert to`;
    return kept({ ...deployment, status, description }, [{ kind: "evaluate" }]);
  }
  const description = `${why} - rolling back to job version ${lastStable}`;
  return kept({ ...deployment, status, description }, [{ kind: "revert", toVersion: lastStable }]);
}

function isLate({ status, groups }: Deployment, at: Moment): boolean {
  if (status !== "running") return false;
  return Object.values(groups).some(
    (group) => isWaiting(group) && group.requireProgressBy !== null && at >= group.requireProgressBy,
  );
}

/** Whether progress is awaited of a group: not of one that is whole, nor of one whose healthy canaries wait for a person. */
function isWaiting(group: GroupRollout): boolean {
  if (needsPromotion(group) && healthyCanaries(group) >= group.desiredCanaries) return false;
  return group.healthy.length < group.desiredTotal;
}

function deadlineFrom({ progressDeadline }: GroupRollout, at: Moment): Moment | null {
  return progressDeadline > 0 ? at + progressDeadline : null;
}

function withGroup(deployment: Deployment, name: string, change: (group: GroupRollout) => GroupRollout): Deployment {
  const group = deployment.groups[name];
  if (!group) return deployment;
  return { ...deployment, groups: { ...deployment.groups, [name]: change(group) } };
}

function kept(deployment: Deployment, actions: readonly DeploymentAction[] = []): DeploymentStep {
  return { ok: true, deployment, actions };
}

function unchanged(deployment: Deployment): DeploymentStep {
  return kept(deployment);
}

function refused(reason: string): DeploymentStep {
  return { ok: false, reason };
}
