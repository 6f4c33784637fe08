import { hasEnded } from "@millwright/scheduler/allocation";
import { descriptions } from "@millwright/scheduler/group-plan";
import type { NodeId } from "@millwright/scheduler/ids";
import type { Job } from "@millwright/jobs/job";
import type { JobKey, Node } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import { raiseVersion, withEvent } from "../commands/node-commands.ts";
import type { NodeStateRecord } from "../records.ts";
import type { OrchestratorDraft, OrchestratorState } from "../state.ts";
import { ask, type JobName, jobsOf } from "./ask.ts";
import { commitAsLeader, earlier, keepDoing, type Leader, topics } from "./leading.ts";
import type { Members } from "./members.ts";
import { releaseWaiting } from "./waiting.ts";
import { writeLost } from "./write-placement.ts";

/** A node that has just registered may be ahead of the news that it has joined. */
const newsTakes = 10_000;
const perCommit = 30;

/**
 * Says of each node whether it is there, and has the jobs looked at that this means something for: those that were on a node that is
 * gone, and those that belong on every node where one has come.
 */
export function keepNodes(leader: Leader, members: Members): Promise<void> {
  const { context } = leader;
  const seen = new Map<NodeId, Seen>();
  const occasions = {
    topics: [topics.nodes, topics.nodeStates],
    also: (signal: AbortSignal) => members.changed(signal),
  };
  return keepDoing(leader, occasions, async () => {
    const { knownSince } = members;
    if (knownSince === undefined) return { at: undefined };
    const { at, wrong } = statuses(context.projection.state, members, knownSince, context.clock.now());
    for (const some of chunks(wrong, perCommit)) await setStatuses(leader, some);
    await context.projection.fresh();
    await settle(leader, seen);
    return { at };
  });
}

interface Seen {
  /** Of the records of the node: when they were last written. */
  readonly revision: number;
  readonly status: Node["status"];
}

interface Wrong {
  readonly id: NodeId;
  readonly status: "ready" | "down";
}

/** The nodes whose status is not as it should be; `at`: when that may be so of others. */
function statuses(
  state: OrchestratorState,
  members: Members,
  knownSince: Moment,
  now: Moment,
): { readonly wrong: readonly Wrong[]; readonly at: Moment | undefined } {
  const wrong: Wrong[] = [];
  let at: Moment | undefined;
  for (const { id, status } of state.derived.snapshot.nodes.values()) {
    const goneAt = members.goneAt(id);
    const registeredAt = state.row("node", id)?.registeredAt ?? 0;
    const downAt = goneAt === undefined ? Math.max(registeredAt, knownSince) + newsTakes : goneAt;
    const should = downAt === null ? "ready" : "down";
    if (status === should) continue;
    const certainAt = downAt ?? now;
    if (certainAt > now) at = earlier(at, certainAt);
    else wrong.push({ id, status: should });
  }
  return { wrong, at };
}

async function setStatuses(leader: Leader, some: readonly Wrong[]): Promise<void> {
  const { clock, log } = leader.context;
  await commitAsLeader(leader, (draft) => {
    for (const { id, status } of some) setStatus(draft, id, status, clock.now());
  });
  for (const { id, status } of some)
    log.write(status === "down" ? "warn" : "info", `orchestrator: a node is ${status}`, { node: id });
}

function setStatus(draft: OrchestratorDraft, id: NodeId, status: "ready" | "down", now: Moment): void {
  const state = draft.row("nodestate", id);
  if (!draft.row("node", id) || state?.status === status) return;
  const before: NodeStateRecord = state ?? {
    ...{ status: "initializing", description: "", statusAt: now, isEligible: true, drain: null, events: [] },
  };
  const description = status === "down" ? "nothing was heard of it any more" : "";
  const next: NodeStateRecord = { ...before, status, description, statusAt: now };
  const message = status === "down" ? "Node heartbeat missed" : "Node reregistered by heartbeat";
  const isFirst = before.status === "initializing" && status === "ready";
  draft.put("nodestate", id, isFirst ? next : withEvent(next, { at: now, subsystem: "Cluster", message }));
  raiseVersion(draft, id);
}

/** Has looked at what changes of nodes mean something for. A leader that is new sees to all nodes once. */
async function settle(leader: Leader, seen: Map<NodeId, Seen>): Promise<void> {
  const { state } = leader.context.projection;
  const { nodes } = state.derived.snapshot;
  for (const id of seen.keys()) if (!nodes.has(id)) seen.delete(id);
  const changed = [...nodes.values()].flatMap((node) => {
    const revision = Math.max(
      state.row("node", node.id)?.modified ?? 0,
      state.row("nodestate", node.id)?.modified ?? 0,
    );
    const before = seen.get(node.id);
    return before?.revision === revision ? [] : [{ node, revision, before }];
  });
  if (changed.length === 0) return;
  const system = [...systemJobs(state)];
  const jobs = new Map<JobKey, JobName & { readonly node: NodeId }>();
  for (const { node, before } of changed) {
    if (node.status === "down") await loseStopping(leader, node.id);
    const there = jobsOn(state, node.id);
    const concerned = concernedBy(node, { hasComeBack: before?.status === "down", there, system });
    for (const [key, name] of concerned) jobs.set(key, { ...name, node: node.id });
  }
  for (const some of chunks([...jobs.values()], perCommit))
    await commitAsLeader(leader, (draft) => {
      for (const { node, ...name } of some) ask(draft, leader.context, name, "node-update", { node });
    });
  for (const { node, revision } of changed) seen.set(node.id, { revision, status: node.status });
}

interface Concern {
  readonly hasComeBack: boolean;
  /** With allocations there that are to run. */
  readonly there: ReadonlyMap<JobKey, JobName>;
  readonly system: readonly (readonly [JobKey, JobName])[];
}

function concernedBy(
  { status, isEligible, drain }: Node,
  { hasComeBack, there, system }: Concern,
): Iterable<readonly [JobKey, JobName]> {
  if (status === "down") return there;
  if (status !== "ready") return [];
  const missing = isEligible && drain === null ? system.filter(([key]) => !there.has(key)) : [];
  return hasComeBack ? [...there, ...missing] : missing;
}

function jobsOn({ derived }: OrchestratorState, node: NodeId): ReadonlyMap<JobKey, JobName> {
  const all = derived.snapshot.allocationsByNode.get(node) ?? [];
  return jobsOf(all.filter((one) => one.desired === "run" && !hasEnded(one)));
}

/** The jobs that belong on every node. */
function* systemJobs({ derived }: OrchestratorState): Generator<readonly [JobKey, JobName]> {
  for (const [key, { current, versions, isStopped }] of derived.snapshot.jobs) {
    const job = versions.get(current);
    if (!isStopped && job && isOnEveryNode(job)) yield [key, { namespace: job.namespace, job: job.id }];
  }
}

/** Whether a job runs once on each node. */
export function isOnEveryNode({ type }: Pick<Job, "type">): boolean {
  return type === "system" || type === "sysbatch";
}

/** Nobody will say how what was stopping on a node that is gone has ended. */
async function loseStopping(leader: Leader, node: NodeId): Promise<void> {
  const { projection, clock } = leader.context;
  const all = projection.state.derived.snapshot.allocationsByNode.get(node) ?? [];
  const stopping = all.filter((one) => one.desired !== "run" && !hasEnded(one));
  for (const some of chunks(stopping, perCommit))
    await commitAsLeader(leader, (draft) => {
      for (const { id } of some) {
        const row = draft.row("alloc", id);
        const client = draft.row("client", id);
        if (!row || (client && hasEnded({ client: client.status }))) continue;
        writeLost(draft, row.allocation, descriptions.lost, clock.now());
        releaseWaiting(draft, id);
      }
    });
}

/** The items in pieces of at most `size`. */
export function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) pieces.push(items.slice(i, i + size));
  return pieces;
}
