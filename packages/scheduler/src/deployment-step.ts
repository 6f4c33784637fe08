import { assertNever } from "@millwright/core/errors";
import type { Deployment, DeploymentStatus, GroupRollout } from "./deployment.ts";
import { healthyCanaries, isActive, needsPromotion, runningDescription } from "./deployment.ts";
import { type GateQuestion, hasPassed, letThrough, questionOf, withDecision, withQuestion } from "./gating.ts";
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
  /** What its gates say to what they were asked. */
  | {
      readonly kind: "gates";
      readonly question: GateQuestion;
      readonly said: {
        readonly kind: "go" | "wait" | "stop" | "back";
        readonly gate: string;
        readonly because: string;
      };
      readonly at: Moment;
    }
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
 * did not come up well ends the rollout at once, as does a group without progress until its deadline. A job's gates are asked
 * after each batch that is healthy as a whole, the last one among them. What has ended stays.
 */
export function stepDeployment(deployment: Deployment, event: DeploymentEvent, lastStable: LastStable): DeploymentStep {
  const step = stepOf(deployment, event, lastStable);
  return step.ok ? { ...step, deployment: withQuestion(step.deployment, "at" in event ? event.at : undefined) } : step;
}

function stepOf(deployment: Deployment, event: DeploymentEvent, lastStable: LastStable): DeploymentStep {
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
    case "gates":
      return stepGates(deployment, event, lastStable);
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
export function nextDeadline(deployment: Deployment): Moment | undefined {
  if (deployment.status !== "running" || questionOf(deployment)) return undefined;
  const deadlines = Object.values(deployment.groups)
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
  if (!isDone || !hasPassed(deployment) || deployment.status !== "running")
    return kept(deployment, [{ kind: "evaluate" }]);
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
  const said = { at, kind: "go", gate: "", because: "promoted by a person" } as const;
  return settled(promoted(letThrough(deployment, names, said), names, at));
}

/** An answer to what is asked no more is passed over. */
function stepGates(deployment: Deployment, event: Of<"gates">, lastStable: LastStable): DeploymentStep {
  const { question, at } = event;
  const { kind, gate, because } = event.said;
  const asked = questionOf(deployment);
  if (!deployment.gating || asked?.batch !== question.batch || asked.askedSince !== question.askedSince)
    return unchanged(deployment);
  if (kind === "wait") return kept({ ...deployment, gating: { ...deployment.gating, waits: { at, gate, because } } });
  if (kind === "go") {
    const names = Object.keys(deployment.groups);
    const through = letThrough(deployment, names, { at, kind, gate, because });
    return settled(withDeadlines(promoted(through, names, at), at));
  }
  const decided = withDecision(deployment, { batch: question.batch, at, kind, gate, because });
  const why = `Failed due to gate ${JSON.stringify(gate)} after batch ${question.batch}: ${because}`;
  return failed(decided, why, lastStable, kind === "back");
}

function promoted(deployment: Deployment, names: readonly string[], at: Moment): Deployment {
  let next = deployment;
  for (const name of names)
    next = withGroup(next, name, (group) =>
      needsPromotion(group) ? { ...group, promoted: true, requireProgressBy: deadlineFrom(group, at) } : group,
    );
  return next.status === "running" ? { ...next, description: runningDescription(next) } : next;
}

/** Automatic promotion is for all groups together: none goes on while another's canaries are not healthy. */
function mayPromoteItself({ status, groups, gating }: Deployment): boolean {
  const waiting = Object.values(groups).filter(needsPromotion);
  if (status !== "running" || waiting.length === 0 || gating) return false;
  return waiting.every((group) => group.autoPromote && healthyCanaries(group) >= group.desiredCanaries);
}

/** Time that it was paused does not count against it. */
function resume(deployment: Deployment, at: Moment): DeploymentStep {
  if (deployment.status !== "paused") return refused("The deployment is not paused.");
  const next: Deployment = { ...withDeadlines(deployment, at), status: "running" };
  return settled({ ...next, description: runningDescription(next) });
}

/** What was waited for does not count against it. */
function withDeadlines(deployment: Deployment, at: Moment): Deployment {
  const groups = Object.fromEntries(
    Object.entries(deployment.groups).map(([name, group]) => [
      name,
      group.requireProgressBy === null ? group : { ...group, requireProgressBy: deadlineFrom(group, at) },
    ]),
  );
  return { ...deployment, groups };
}

/** `wantsRevert`: whether it goes back; by default as its groups say. */
function failed(
  deployment: Deployment,
  why: string,
  lastStable: LastStable,
  wantsRevert = Object.values(deployment.groups).some(({ autoRevert }) => autoRevert),
): DeploymentStep {
  const status: DeploymentStatus = "failed";
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
  return kept({ ...deployment, status, description, goesBackTo: lastStable }, [
    { kind: "revert", toVersion: lastStable },
  ]);
}

function isLate(deployment: Deployment, at: Moment): boolean {
  if (deployment.status !== "running" || questionOf(deployment)) return false;
  return Object.values(deployment.groups).some(
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
