import { isActive } from "@millwright/scheduler/deployment";
import type { FollowUp } from "@millwright/scheduler/group-plan";
import type { EvalId } from "@millwright/scheduler/ids";
import type { Placement } from "@millwright/scheduler/placement";
import { jobKey } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import type { OrchestratorContext } from "../context.ts";
import { newEvaluation } from "../evaluation.ts";
import type { EvalRecord, Trigger } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";

/** What the end of an evaluation is written from. */
export interface End {
  readonly context: OrchestratorContext;
  readonly draft: OrchestratorDraft;
  readonly head: EvalRecord;
  /** All of the job, `head` among them. */
  readonly own: readonly EvalRecord[];
  readonly now: Moment;
}

/** Whether it is not yet its time. */
export function waitsItsTurn({ waitUntil }: Pick<EvalRecord, "waitUntil">, now: Moment): boolean {
  return waitUntil !== null && waitUntil > now;
}

/**
 * Writes how an evaluation ended: what found no place, the one blocked evaluation that waits for room for it, and when the job is to
 * be looked at again in any case. `refusal`: why its placement was not carried out.
 */
export function endEvaluation(end: End & { readonly placement: Placement; readonly refusal?: string }): void {
  const { draft, head, placement, refusal, now } = end;
  const failed: EvalRecord["failed"] = refusal
    ? {}
    : Object.fromEntries(
        Object.entries(placement.groups).flatMap(([name, group]) => (group.failed ? [[name, group.failed]] : [])),
      );
  const queued = Object.fromEntries(
    Object.entries(placement.groups).map(([name, group]) => [name, group.failed?.count ?? 0]),
  );
  const shared = { failed, queued, snapshotIndex: snapshotIndex(end), deployment: rolloutOf(end), modifiedAt: now };
  const next = refusal ? null : followUp(end, placement.followUps);
  const finds = Object.keys(failed).length === 0;
  if (head.status === "blocked" && !finds) {
    draft.put("eval", head.id, { ...head, ...shared, next });
    return;
  }
  const blocked = finds ? unblock(end) : block(end, { failed, queued }, "queued-allocs", remaining);
  const status = refusal ? "failed" : "complete";
  draft.put("eval", head.id, { ...head, ...shared, status, description: refusal ?? "", next, blocked });
}

/** Why a placement cannot be committed: others were always faster; or it takes records that are larger than a commit. */
export type Obstacle = "contended" | "tooLarge";

const whyNot: Readonly<Record<Obstacle, string>> = {
  contended: "maximum attempts reached: nodes and the job kept changing while a placement was worked out",
  tooLarge: "the records of the job are larger than one commit takes: split it into several jobs",
};

/** Ends an evaluation without a placement: where others were faster, it is looked at again when something has changed. */
export function endWithoutPlacement(end: End, obstacle: Obstacle): void {
  const { draft, head, now } = end;
  if (head.status === "blocked") return;
  const blocked =
    obstacle === "contended" ? block(end, { failed: {}, queued: {} }, "max-plan-attempts", conflicts) : null;
  const ended = { status: "failed", description: whyNot[obstacle], blocked, modifiedAt: now } as const;
  draft.put("eval", head.id, { ...head, ...ended });
}

const remaining = "created to place remaining allocations";
const conflicts = "created due to placement conflicts";

/** The blocked evaluation of the job, brought up to date or made. */
function block(end: End, found: Pick<EvalRecord, "failed" | "queued">, trigger: Trigger, description: string): EvalId {
  const { context, draft, head, own, now } = end;
  const known = own.find((one) => one.status === "blocked" && one.id !== head.id);
  const row = known && draft.row("eval", known.id);
  const rest = {
    ...found,
    trigger,
    description,
    previous: head.id,
    priority: head.priority,
    snapshotIndex: snapshotIndex(end),
  };
  const record: EvalRecord = row
    ? { ...row, ...rest, type: head.type, modifiedAt: now }
    : newEvaluation(context, jobOf(head), trigger, { ...rest, status: "blocked" });
  draft.put("eval", record.id, record);
  return record.id;
}

function unblock({ draft, head, own, now }: End): null {
  for (const one of own) {
    if (one.status !== "blocked" || one.id === head.id) continue;
    const row = draft.row("eval", one.id);
    const description = "Evaluation cancelled because nothing of the job waits for room any more";
    if (row) draft.put("eval", one.id, { ...row, status: "canceled", description, modifiedAt: now });
  }
  return null;
}

const triggers: Readonly<Record<FollowUp["because"], Trigger>> = {
  reschedule: "alloc-failure",
  stagger: "rolling-update",
  "drain deadline": "node-drain",
};

const whyLater: Readonly<Record<FollowUp["because"], string>> = {
  reschedule: "created for delayed rescheduling",
  stagger: "created for the next batch of a rolling update",
  "drain deadline": "created for the deadline of a node's drain",
};

/** The one evaluation that comes by itself, at the first time that there is for it: what comes later follows from it. */
function followUp({ context, draft, head, own, now }: End, followUps: readonly FollowUp[]): EvalId | null {
  const first = followUps.reduce<FollowUp | undefined>(
    (soon, one) => (soon && soon.at <= one.at ? soon : one),
    undefined,
  );
  const waiting = own.filter((one) => one.id !== head.id && one.status === "pending" && waitsItsTurn(one, now));
  const kept = waiting.find(({ waitUntil }) => waitUntil === first?.at);
  for (const one of waiting) {
    const row = one === kept ? undefined : draft.row("eval", one.id);
    const description = "Evaluation cancelled because the job was looked at before its time";
    if (row) draft.put("eval", one.id, { ...row, status: "canceled", description, modifiedAt: now });
  }
  if (!first || kept) return kept?.id ?? null;
  const rest = { waitUntil: first.at, description: whyLater[first.because], previous: head.id };
  const record = newEvaluation(context, jobOf(head), triggers[first.because], rest);
  draft.put("eval", record.id, record);
  return record.id;
}

function jobOf({ namespace, job, type, priority }: EvalRecord) {
  return { namespace, id: job, type, priority } as Parameters<typeof newEvaluation>[1];
}

/** The rollout that the evaluation is part of. */
function rolloutOf({ draft, head, placement }: End & { readonly placement: Placement }): EvalRecord["deployment"] {
  const begun = placement.deployments.find(isActive);
  if (begun) return begun.id;
  const rollouts = draft.state.derived.snapshot.deploymentsByJob.get(jobKey(head.namespace, head.job)) ?? [];
  const current = rollouts.findLast((one) => isActive(one) && one.version === placement.version);
  return current?.id ?? head.deployment;
}

function snapshotIndex({ context }: End): number {
  const { state, applied } = context.projection;
  return state.indexOf(applied);
}
