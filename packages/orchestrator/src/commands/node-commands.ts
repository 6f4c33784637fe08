import type { AllocationUpdate, NodeRegistration, TaskState } from "@millwright/clients/nomad-node-protocol";
import { commitDraft } from "@millwright/records/commit";
import { hasEnded } from "@millwright/scheduler/allocation";
import { type AllocId, allocId, type NodeId, nodeId } from "@millwright/scheduler/ids";
import type { DrainRequest } from "../commands.ts";
import type { OrchestratorContext } from "../context.ts";
import { writeClients } from "../leader/ended.ts";
import type { ClientRecord, NodeEvent, NodeStateRecord } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";
import { refusal } from "../errors.ts";

/** As many updates as fit one commit, with what each lets go on. */
const updatesPerCommit = 30;
const mostEvents = 10;

/** Takes in what a node says of itself. Resolves to the index. */
export async function registerNode(context: OrchestratorContext, registration: NodeRegistration): Promise<number> {
  const { clock, projection } = context;
  const id = nodeId(registration.ID);
  const { revision } = await commitDraft(context, (draft) => {
    draft.put("node", id, { registration, registeredAt: clock.now() });
    // What it can take on may have changed: what was worked out before is not placed there unseen.
    raiseVersion(draft, id);
    const event = { at: clock.now(), subsystem: "Cluster", message: "Node registered" } as const;
    if (draft.row("nodestate", id)) return;
    draft.put("nodestate", id, { ...newNodeState, statusAt: clock.now(), events: [event] });
  });
  return projection.state.indexOf(revision);
}

const newNodeState: Omit<NodeStateRecord, "statusAt" | "events"> = {
  status: "initializing",
  description: "",
  isEligible: true,
  drain: null,
};

/** Takes in what a node says of its allocations. Of those that it does not have nothing is written. Resolves to the index. */
export async function updateAllocations(
  context: OrchestratorContext,
  node: NodeId,
  updates: readonly AllocationUpdate[],
): Promise<number> {
  const { projection, clock } = context;
  let last = projection.applied;
  for (let i = 0; i < updates.length; i += updatesPerCommit) {
    const some = updates.slice(i, i + updatesPerCommit);
    const { revision } = await commitDraft(context, (draft) => {
      const read = some.map((update) => readClient(draft, node, update, clock.now()));
      writeClients(
        draft,
        context,
        read.filter((one) => one !== undefined),
      );
    });
    last = revision;
  }
  return projection.state.indexOf(last);
}

/** What is written of an update; undefined for an allocation that was forgotten meanwhile: its node hears so with its next list. */
function readClient(
  draft: OrchestratorDraft,
  node: NodeId,
  update: AllocationUpdate,
  now: number,
): { readonly id: AllocId; readonly record: ClientRecord } | undefined {
  const id = allocId(update.ID);
  const row = draft.row("alloc", id);
  if (!row) return undefined;
  const { allocation } = row;
  if (allocation.node !== node)
    throw refusal("denied", `Permission denied: the allocation ${id} is another node's, not that of ${node}`);
  const before = draft.row("client", id);
  return {
    id,
    record: clientRecord(update, { node, namespace: allocation.namespace, job: allocation.job }, before, now),
  };
}

function clientRecord(
  update: AllocationUpdate,
  place: Pick<ClientRecord, "node" | "namespace" | "job">,
  before: ClientRecord | undefined,
  now: number,
): ClientRecord {
  const tasks = Object.values(update.TaskStates);
  const isOver = hasEnded({ client: update.ClientStatus });
  const { Health: health } = update;
  return {
    ...place,
    status: update.ClientStatus,
    description: update.ClientDescription,
    tasks: update.TaskStates,
    health: health ? { healthy: health.Healthy, at: health.At, why: health.Why } : (before?.health ?? null),
    started: before?.started ?? earliest(tasks),
    finished: isOver ? (before?.finished ?? latest(tasks) ?? now) : null,
    at: now,
  };
}

function earliest(tasks: readonly TaskState[]): number | null {
  const times = tasks.map(({ StartedAt }) => StartedAt).filter((at) => at > 0);
  return times.length === 0 ? null : Math.min(...times);
}

function latest(tasks: readonly TaskState[]): number | null {
  const times = tasks.map(({ FinishedAt }) => FinishedAt).filter((at) => at > 0);
  return times.length === 0 ? null : Math.max(...times);
}

/** Says whether a node takes on new work. */
export async function setEligibility(context: OrchestratorContext, node: NodeId, isEligible: boolean): Promise<number> {
  return changeNode(context, node, "Cluster", (state) => {
    if (isEligible && state.drain)
      throw refusal("refused", "can not set node's scheduling eligibility to eligible while it is draining");
    return {
      state: { ...state, isEligible },
      message: `Node marked as ${isEligible ? "eligible" : "ineligible"} for scheduling`,
    };
  });
}

/** Begins to empty a node, or ends that. The leader moves what is on it. */
export async function drainNode(
  context: OrchestratorContext,
  node: NodeId,
  drain: DrainRequest | null,
  marksEligible: boolean,
): Promise<number> {
  return changeNode(context, node, "Drain", (state) => {
    if (drain) return { state: { ...state, drain, isEligible: false }, message: "Node drain strategy set" };
    return { state: { ...state, drain: null, isEligible: marksEligible }, message: "Node drain complete" };
  });
}

async function changeNode(
  context: OrchestratorContext,
  id: NodeId,
  subsystem: NodeEvent["subsystem"],
  change: (state: NodeStateRecord) => { readonly state: NodeStateRecord; readonly message: string },
): Promise<number> {
  const { clock, projection } = context;
  const { revision } = await commitDraft(context, (draft) => {
    const row = draft.row("nodestate", id);
    if (!row) throw refusal("notFound", "node not found");
    const { state, message } = change(row);
    draft.put("nodestate", id, withEvent(state, { at: clock.now(), subsystem, message }));
    raiseVersion(draft, id);
  });
  return projection.state.indexOf(revision);
}

/** A node's state with one event more; the last ten are kept. */
export function withEvent(state: NodeStateRecord, event: NodeEvent): NodeStateRecord {
  return { ...state, events: [...state.events, event].slice(-mostEvents) };
}

/** Says that something of a node has changed which a placement must not have missed. */
export function raiseVersion(draft: OrchestratorDraft, node: NodeId): void {
  draft.put("nodeversion", node, { count: (draft.row("nodeversion", node)?.count ?? 0) + 1 });
}
