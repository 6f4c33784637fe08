import { topicOf } from "@millwright/records/table";
import type { Allocation } from "@millwright/scheduler/allocation";
import { type Deployment, type GroupRollout, isActive, needsPromotion } from "@millwright/scheduler/deployment";
import {
  type DeploymentAction,
  type DeploymentEvent,
  nextDeadline,
  stepDeployment,
} from "@millwright/scheduler/deployment-step";
import type { DeploymentId } from "@millwright/scheduler/ids";
import type { Moment } from "@millwright/scheduler/time";
import { lists } from "../keys.ts";
import type { OrchestratorDraft, OrchestratorRow, OrchestratorState } from "../state.ts";
import { lastStableOf, writeDeployment } from "./deployment-event.ts";
import { commitAsLeader, earlier, keepDoing, type Leader, topics } from "./leading.ts";

const open = topicOf("deployment", lists.open);

/**
 * Follows every rollout that goes on: whether its allocations come up well, and in time. It compares each with its allocations as
 * they are now, so that nothing is lost when leaders change.
 */
export function keepDeployments(leader: Leader): Promise<void> {
  const { context } = leader;
  const seen = new Map<DeploymentId, number>();
  return keepDoing(leader, { topics: [open, topics.clients, topics.allocations] }, async () => {
    const { state } = context.projection;
    const rollouts = [...state.list("deployment", lists.open)];
    const known = new Set(rollouts.map(({ deployment }) => deployment.id));
    for (const id of seen.keys()) if (!known.has(id)) seen.delete(id);
    let at: Moment | undefined;
    for (const row of rollouts) {
      const { id } = row.deployment;
      const deadline = nextDeadline(row.deployment);
      const revision = lastChange(state, row);
      const isLate = deadline !== undefined && deadline <= context.clock.now();
      if (!isLate) at = earlier(at, deadline);
      if (seen.get(id) !== revision || isLate) await commitAsLeader(leader, (draft) => tend(draft, leader, id));
      seen.set(id, revision);
    }
    return { at };
  });
}

function lastChange(state: OrchestratorState, row: OrchestratorRow<"deployment">): number {
  const { id, namespace, job } = row.deployment;
  const own = [topicOf("alloc", lists.ofDeployment(id)), topicOf("client", lists.ofJob(namespace, job))];
  return Math.max(row.modified, state.changedTopics(own));
}

/** Brings a rollout up to date with its allocations and the time. */
function tend(draft: OrchestratorDraft, { context }: Leader, id: DeploymentId): void {
  const record = draft.row("deployment", id);
  if (!record || !isActive(record.deployment)) return;
  const now = context.clock.now();
  const allocations = draft.state.derived.allocationsOfDeployment(id).map(({ allocation }) => allocation);
  const lastStable = lastStableOf(draft, record.deployment);
  let { deployment } = record;
  const actions = new Map<DeploymentAction["kind"], DeploymentAction>();
  for (const event of [...eventsOf(deployment, allocations, now), { kind: "tick", at: now } as const]) {
    if (!isActive(deployment)) break;
    const step = stepDeployment(deployment, event, lastStable);
    if (!step.ok) continue;
    deployment = step.deployment;
    for (const action of step.actions) actions.set(action.kind, action);
  }
  if (deployment !== record.deployment)
    writeDeployment(draft, context, { record, deployment, actions: [...actions.values()] });
}

/** What a rollout has not heard of yet. */
function* eventsOf(deployment: Deployment, allocations: readonly Allocation[], at: Moment): Generator<DeploymentEvent> {
  const byGroup = Map.groupBy(allocations.filter(isWanted), ({ group }) => group);
  for (const [group, part] of Object.entries(deployment.groups)) {
    const members = byGroup.get(group) ?? [];
    const there = new Set(members.map(({ id }) => id));
    const placed = new Set(part.placed);
    for (const id of placed) if (!there.has(id)) yield { kind: "gone", group, allocation: id };
    for (const { id, deployment: own } of members)
      if (!placed.has(id))
        yield { kind: "placed", group, allocation: id, replaces: null, canary: own?.canary ?? false, at };
    yield* healthOf(group, part, members, at);
  }
}

function* healthOf(
  group: string,
  part: GroupRollout,
  members: readonly Allocation[],
  at: Moment,
): Generator<DeploymentEvent> {
  const [well, ill] = [new Set(part.healthy), new Set(part.unhealthy)];
  for (const { id, client, healthy, deployment } of members) {
    // What came up well has proved the version, whatever becomes of it; but nobody shall promote a canary that is dead.
    const isProved = healthy === true && !(deployment?.canary && needsPromotion(part));
    const isIll = healthy === false || (client === "failed" && !isProved);
    if (isIll ? !ill.has(id) : healthy === true && !well.has(id))
      yield { kind: "health", group, allocation: id, healthy: !isIll, at };
  }
}

function isWanted({ desired, client }: Allocation): boolean {
  return desired === "run" && client !== "lost" && client !== "complete";
}
