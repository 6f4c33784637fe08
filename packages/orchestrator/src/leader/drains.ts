import { topicOf } from "@millwright/records/table";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { NodeId } from "@millwright/scheduler/ids";
import { changesNothing } from "@millwright/scheduler/placement";
import { jobKey, type Node, type Snapshot } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import { raiseVersion, withEvent } from "../commands/node-commands.ts";
import { lists } from "../keys.ts";
import { ask, type JobName, jobsOf } from "./ask.ts";
import { answer } from "./evaluate.ts";
import { commitAsLeader, earlier, keepDoing, type Leader, topics } from "./leading.ts";
import { isOnEveryNode } from "./nodes.ts";

type Drained = Node & { readonly drain: NonNullable<Node["drain"]> };

/**
 * Empties nodes: has what is on them looked at as often as something of it has changed, so that the next go as soon as those before
 * have found their place, and ends the drain of a node that is empty.
 */
export function keepDraining(leader: Leader): Promise<void> {
  const { context } = leader;
  const asked = new Map<string, number>();
  const occasions = { topics: [topics.nodeStates, topics.clients, topics.allocations] };
  return keepDoing(leader, occasions, async () => {
    const { snapshot } = context.projection.state.derived;
    const drained = [...snapshot.nodes.values()].filter((node): node is Drained => node.drain !== null);
    if (drained.length === 0) asked.clear();
    let at: Moment | undefined;
    for (const node of drained) {
      const { deadline } = node.drain;
      const isLate = deadline !== null && deadline <= context.clock.now();
      if (deadline !== null && !isLate) at = earlier(at, deadline);
      await empty(leader, node, isLate, asked);
    }
    return { at };
  });
}

async function empty(leader: Leader, node: Drained, isLate: boolean, asked: Map<string, number>): Promise<void> {
  const { state } = leader.context.projection;
  const left = leftOn(node, state.derived.snapshot);
  if (left.length === 0) {
    await endDrain(leader, node.id);
    return;
  }
  for (const [key, name] of jobsOf(left.filter(({ desired }) => desired === "run"))) {
    const ofJob = lists.ofJob(name.namespace, name.job);
    const revision = state.changedTopics([topicOf("client", ofJob), topicOf("alloc", ofJob)]);
    const question = `${node.id} ${key} ${isLate}`;
    const before = asked.get(question);
    if (before === revision) continue;
    await askToLeave(leader, node.id, name, before === undefined);
    asked.set(question, revision);
  }
}

/** What is still there and has to go. */
function leftOn({ id, drain }: Drained, { allocationsByNode, jobs }: Snapshot) {
  const live = (allocationsByNode.get(id) ?? []).filter((one) => !hasEnded(one));
  if (!drain.ignoresSystemJobs) return live;
  return live.filter(({ namespace, job }) => {
    const record = jobs.get(jobKey(namespace, job));
    const current = record?.versions.get(record.current);
    return !current || !isOnEveryNode(current);
  });
}

/** An evaluation: at first in any case, then where it would move something. */
async function askToLeave(leader: Leader, node: NodeId, name: JobName, isFirst: boolean): Promise<void> {
  await commitAsLeader(leader, (draft) => {
    const now = leader.context.clock.now();
    if (isFirst || !changesNothing(answer(draft, leader, { ...name, id: node }, now)))
      ask(draft, leader.context, name, "node-drain", { node });
  });
}

async function endDrain(leader: Leader, id: NodeId): Promise<void> {
  const { clock, log } = leader.context;
  const { value } = await commitAsLeader(leader, (draft) => {
    const state = draft.row("nodestate", id);
    const node = draft.state.derived.snapshot.nodes.get(id);
    if (
      !state?.drain ||
      !node?.drain ||
      leftOn({ ...node, drain: node.drain }, draft.state.derived.snapshot).length > 0
    )
      return false;
    const event = { at: clock.now(), subsystem: "Drain", message: "Node drain complete" } as const;
    draft.put("nodestate", id, withEvent({ ...state, drain: null, isEligible: false }, event));
    raiseVersion(draft, id);
    return true;
  });
  if (value) log.write("info", "orchestrator: a node is empty, its drain has ended", { node: id });
}
