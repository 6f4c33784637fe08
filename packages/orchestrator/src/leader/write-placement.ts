import type { Allocation } from "@millwright/scheduler/allocation";
import type { EvalId } from "@millwright/scheduler/ids";
import {
  type GroupPlacement,
  type Placed,
  type Placement,
  placedOf,
  type Stop,
  stopsOf,
} from "@millwright/scheduler/placement";
import type { Moment } from "@millwright/scheduler/time";
import { raiseVersion } from "../commands/node-commands.ts";
import type { ClientRecord, ServerHalf } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";
import { releaseWaiting, waitsFor } from "./waiting.ts";

/** What a placement is written for, and when. */
export interface Writing {
  readonly evaluation: EvalId;
  readonly now: Moment;
  /** See `AllocRecord`. */
  readonly choiceTime: number;
}

/**
 * Writes a placement that was worked out on the draft's state. Each node on which something is placed is compared and raised, so
 * that the commit is not made where a node has moved meanwhile.
 */
export function writePlacement(draft: OrchestratorDraft, placement: Placement, writing: Writing): void {
  for (const group of Object.values(placement.groups)) writeGroup(draft, group, writing);
  for (const deployment of placement.deployments) {
    const row = draft.row("deployment", deployment.id);
    const createdAt = row?.createdAt ?? writing.now;
    draft.put("deployment", deployment.id, { deployment, createdAt, modifiedAt: writing.now });
  }
}

function writeGroup(draft: OrchestratorDraft, group: GroupPlacement, writing: Writing): void {
  const stops = stopsOf(group);
  const lost = new Set(stops.filter(({ isLost }) => isLost).map(({ allocation }) => allocation));
  for (const stop of stops) writeStop(draft, stop, writing);
  for (const placed of placedOf(group)) {
    const { replaces } = placed.allocation;
    writePlaced(draft, placed, replaces !== null && lost.has(replaces), writing);
  }
  for (const allocation of group.inPlace) writeUpdated(draft, allocation, writing);
  for (const id of lost) releaseWaiting(draft, id);
}

function writeStop(draft: OrchestratorDraft, stop: Stop, { now }: Writing): void {
  const { allocation: id, description, isLost, replacedBy } = stop;
  const row = draft.row("alloc", id);
  if (!row) return;
  const allocation: ServerHalf = {
    ...row.allocation,
    desired: "stop",
    replacedBy: replacedBy ?? row.allocation.replacedBy,
  };
  draft.put("alloc", id, { ...row, allocation, description, at: now });
  if (isLost) writeLost(draft, row.allocation, description, now);
}

/** Says of an allocation whose node is gone that it has ended. */
export function writeLost(
  draft: OrchestratorDraft,
  { id, node, namespace, job }: ServerHalf,
  description: string,
  now: Moment,
): void {
  const before = draft.row("client", id);
  const said: ClientRecord = before ?? {
    ...{ node, namespace, job, status: "pending", description: "", tasks: {} },
    ...{ health: null, started: null, finished: null, at: now },
  };
  draft.put("client", id, { ...said, status: "lost", description, finished: said.finished ?? now, at: now });
}

function writePlaced(
  draft: OrchestratorDraft,
  { allocation, metrics }: Placed,
  isLost: boolean,
  { evaluation, now, choiceTime }: Writing,
): void {
  draft.put("alloc", allocation.id, {
    allocation: serverHalf(allocation),
    description: "",
    evaluation,
    nodeName: draft.state.derived.snapshot.nodes.get(allocation.node)?.name ?? "",
    metrics,
    choiceTime,
    waitsFor: waitsFor(draft, allocation, isLost),
    at: now,
  });
  raiseVersion(draft, allocation.node);
}

function writeUpdated(
  draft: OrchestratorDraft,
  { id, version, deployment }: Allocation,
  { evaluation, now }: Writing,
): void {
  const row = draft.row("alloc", id);
  if (!row) return;
  const joins = deployment !== null && deployment.id !== row.allocation.deployment?.id;
  draft.put("alloc", id, { ...row, allocation: { ...row.allocation, version, deployment }, evaluation, at: now });
  // It proves itself anew: what its node said before was of another rollout.
  const client = joins ? draft.row("client", id) : undefined;
  if (client?.health) draft.put("client", id, { ...client, health: null });
}

function serverHalf(allocation: Allocation): ServerHalf {
  const { client: _client, healthy: _healthy, started: _started, finished: _finished, ...half } = allocation;
  return half;
}
