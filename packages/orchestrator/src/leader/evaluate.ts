import { setImmediate } from "node:timers/promises";
import { isKind } from "@millwright/core/errors";
import type { JobId } from "@millwright/jobs/job";
import { recordsErrors } from "@millwright/records/errors";
import { isActive } from "@millwright/scheduler/deployment";
import { allocId, deploymentId, evalId } from "@millwright/scheduler/ids";
import { changesNothing, type Placement, placedOf, stopsOf } from "@millwright/scheduler/placement";
import { schedule } from "@millwright/scheduler/schedule";
import { jobKey } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import { limits, storeErrors } from "@millwright/store/contract";
import { jobKeyOf } from "../keys.ts";
import type { EvalRecord } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";
import type { JobName } from "./ask.ts";
import { endEvaluation, endWithoutPlacement, type Obstacle, waitsItsTurn } from "./evaluation-end.ts";
import { commitAsLeader, type Leader } from "./leading.ts";
import { writePlacement } from "./write-placement.ts";

/** A job that is to be looked at: as an evaluation of it is pending, or as one that is blocked may find room now. */
export interface Subject {
  readonly namespace: string;
  readonly job: JobId;
  readonly because: "pending" | "blocked";
}

/** What one commit takes beside the records of the evaluation itself, with a comparison and an operation for each. */
const mostWrites = limits.operations - 32;
/** How often a placement is worked out anew because others were faster, before it is left for later. */
const mostAttempts = 5;
const mostFolded = 10;

/**
 * Looks at a job and commits what comes of it: as many commits as it takes, each of which leaves a valid state; the evaluation
 * ends with the last. A leader that ends in between leaves it pending, and the next one goes on from what is there. Resolves to the
 * revision of the last commit.
 */
export async function evaluateJob(leader: Leader, subject: Subject): Promise<number> {
  const now = leader.context.clock.now();
  for (let tooLarge = false; ; ) {
    let attempts = 0;
    try {
      const { value, revision } = await commitAsLeader(leader, (draft) => {
        const obstacle = tooLarge ? "tooLarge" : ++attempts > mostAttempts ? "contended" : undefined;
        return pass(draft, { leader, subject, now, obstacle });
      });
      if (value === "done") return revision;
    } catch (error) {
      // Records of a job can grow without bound (a rollout names all its allocations): others must not wait behind it.
      if (tooLarge || !(isKind(error, recordsErrors.tooLarge) || isKind(error, storeErrors.limitExceeded))) throw error;
      tooLarge = true;
    }
    await setImmediate();
  }
}

interface Pass {
  readonly leader: Leader;
  readonly subject: Subject;
  readonly now: Moment;
  /** What keeps it from being placed now. */
  readonly obstacle: Obstacle | undefined;
}

function pass(draft: OrchestratorDraft, { leader, subject, now, obstacle }: Pass): "done" | "partial" {
  const { context } = leader;
  const own = [...draft.state.derived.evaluationsOfJob(subject.namespace, subject.job)];
  const head = headOf(draft, own, subject, now);
  if (!head) return "done";
  const older = own.filter((one) => one.id !== head.id && one.status === "pending" && !waitsItsTurn(one, now));
  // What is pending sees to the whole job, and is somebody's to wait for.
  if (subject.because === "blocked" && older.length > 0) return "done";
  for (const one of older.slice(0, mostFolded)) fold(draft, one, now);
  if (older.length > mostFolded) return "partial";
  const end = { context, draft, head, own, now };
  if (obstacle) {
    endWithoutPlacement(end, obstacle);
    return "done";
  }
  const began = context.clock.monotonic();
  const placement = answer(draft, leader, head, now);
  const took = context.clock.monotonic() - began;
  if (head.status === "blocked" && changesNothing(placement) && findsNoPlace(placement)) return "done";
  if (placement.allAtOnce && writesOf(placement) > mostWrites) {
    endEvaluation({ ...end, placement, refusal: tooLargeAtOnce(placement) });
    return "done";
  }
  writePlacement(draft, placement, { evaluation: head.id, now, choiceTime: timeOfEach(placement, took) });
  if (placement.isPartial) return "partial";
  endEvaluation({ ...end, placement });
  return "done";
}

/** The newest that is due; it stands for all before it. */
function headOf(
  draft: OrchestratorDraft,
  own: readonly EvalRecord[],
  subject: Subject,
  now: Moment,
): EvalRecord | undefined {
  const status = subject.because;
  const candidates = own.filter((one) => one.status === status && !waitsItsTurn(one, now));
  const newest = candidates.reduce<EvalRecord | undefined>(
    (last, one) => (last && last.createdAt > one.createdAt ? last : one),
    undefined,
  );
  // Read so that the commit is made only if it is still so.
  return newest && draft.row("eval", newest.id);
}

function fold(draft: OrchestratorDraft, { id }: EvalRecord, now: Moment): void {
  const row = draft.row("eval", id);
  if (!row) return;
  const description = "Evaluation cancelled because a newer evaluation of the job stands for it";
  draft.put("eval", id, { ...row, status: "canceled", description, modifiedAt: now });
}

/** What shall become of a job as things stand in the draft, which is committed only if they still do. */
export function answer(
  draft: OrchestratorDraft,
  { context }: Leader,
  { namespace, job, id }: JobName & { readonly id: string },
  now: Moment,
): Placement {
  const { snapshot } = draft.state.derived;
  // What the answer rests on beside the nodes: the job's version and its rollouts.
  draft.row("job", jobKeyOf(namespace, job));
  for (const rollout of snapshot.deploymentsByJob.get(jobKey(namespace, job)) ?? [])
    if (isActive(rollout)) draft.row("deployment", rollout.id);
  const record = snapshot.jobs.get(jobKey(namespace, job));
  const allAtOnce = record?.versions.get(record.current)?.allAtOnce ?? false;
  return schedule({ id: evalId(id), namespace, job }, snapshot, {
    now,
    seed: id,
    newAllocId: () => allocId(context.chance.uuid()),
    newDeploymentId: () => deploymentId(context.chance.uuid()),
    ...(allAtOnce ? {} : { most: mostWrites }),
  });
}

/** In nanoseconds, of milliseconds for all. */
function timeOfEach({ groups }: Placement, took: number): number {
  const placed = Object.values(groups).flatMap(placedOf).length;
  return Math.round((took * 1_000_000) / Math.max(1, placed));
}

function findsNoPlace({ groups }: Placement): boolean {
  return Object.values(groups).some(({ failed }) => failed !== null);
}

function writesOf({ groups }: Placement): number {
  return Object.values(groups)
    .map((group) => placedOf(group).length * 2 + stopsOf(group).length * 2 + group.inPlace.length)
    .reduce((sum, count) => sum + count, 0);
}

function tooLargeAtOnce(placement: Placement): string {
  const placed = Object.values(placement.groups).flatMap(placedOf).length;
  return `The job asks for all_at_once, and its ${placed} allocations are more than one commit takes: ask for fewer, or leave all_at_once out`;
}
