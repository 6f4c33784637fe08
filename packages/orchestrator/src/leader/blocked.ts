import { setImmediate } from "node:timers/promises";
import { topicOf } from "@millwright/records/table";
import type { EvalId, NodeId } from "@millwright/scheduler/ids";
import { roomFor } from "@millwright/scheduler/room";
import { jobKey } from "@millwright/scheduler/snapshot";
import { lists } from "../keys.ts";
import type { EvalRecord } from "../records.ts";
import type { OrchestratorState } from "../state.ts";
import { evaluateJob } from "./evaluate.ts";
import { keepDoing, type Leader, topics } from "./leading.ts";

const blocked = topicOf("eval", lists.blocked);

/** Looks again at jobs that wait for room, whenever a node that would do for them has changed and has room now. */
export function keepUnblocking(leader: Leader): Promise<void> {
  const { context } = leader;
  const looked = new Map<EvalId, number>();
  const occasions = { topics: [blocked, topics.nodes, topics.nodeStates, topics.clients, topics.allocations] };
  return keepDoing(leader, occasions, async () => {
    const { state, applied } = context.projection;
    const waiting = [...state.list("eval", lists.blocked)].sort(
      (a, b) => b.priority - a.priority || a.createdAt - b.createdAt,
    );
    const known = new Set(waiting.map(({ id }) => id));
    for (const id of looked.keys()) if (!known.has(id)) looked.delete(id);
    if (waiting.length === 0) return { at: undefined };
    const changes = changesOfNodes(state);
    for (const one of waiting) {
      // With many jobs that wait and many nodes that have changed this takes long: others have a turn between.
      await setImmediate();
      const since = looked.get(one.id) ?? one.snapshotIndex - state.indexOf(0);
      const { namespace, job } = one;
      if (mayFindRoom(state, one, changes, since)) await evaluateJob(leader, { namespace, job, because: "blocked" });
      looked.set(one.id, applied);
    }
    return { at: undefined };
  });
}

/** The revision at which something of each node, or of what is on it, was last written. */
function changesOfNodes(state: OrchestratorState): ReadonlyMap<NodeId, number> {
  const { nodes } = state.derived.snapshot;
  return new Map(
    [...nodes.keys()].map((id) => {
      const there = state.changedTopics([topicOf("alloc", lists.onNode(id)), topicOf("client", lists.onNode(id))]);
      const own = Math.max(state.row("node", id)?.modified ?? 0, state.row("nodestate", id)?.modified ?? 0);
      return [id, Math.max(own, there)];
    }),
  );
}

function mayFindRoom(
  state: OrchestratorState,
  { namespace, job, failed }: EvalRecord,
  changes: ReadonlyMap<NodeId, number>,
  since: number,
): boolean {
  const { jobs, nodes, allocationsByNode } = state.derived.snapshot;
  const record = jobs.get(jobKey(namespace, job));
  const current = record?.versions.get(record.current);
  const changed = [...changes].filter(([, revision]) => revision > since).map(([id]) => id);
  const names = Object.keys(failed);
  if (!current || names.length === 0) return changed.length > 0;
  const rooms = current.groups.filter(({ name }) => names.includes(name)).map((group) => roomFor(current, group));
  return changed.some((id) => {
    const node = nodes.get(id);
    return node !== undefined && rooms.some((hasRoom) => hasRoom(node, allocationsByNode.get(id) ?? []));
  });
}
