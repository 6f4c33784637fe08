import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@millwright/core/ports";
import { annotate, type DesiredUpdates } from "@millwright/jobs/annotate";
import { diff, type JobDiff } from "@millwright/jobs/diff";
import type { Job } from "@millwright/jobs/job";
import type { FollowUp } from "@millwright/scheduler/group-plan";
import { allocId, deploymentId, evalId } from "@millwright/scheduler/ids";
import type { Placement } from "@millwright/scheduler/placement";
import { scheduleInSteps } from "@millwright/scheduler/schedule";
import { jobKey, type Snapshot } from "@millwright/scheduler/snapshot";
import { whyStuck } from "@millwright/scheduler/stuck";
import type { Moment } from "@millwright/scheduler/time";
import type { EvalRecord } from "../records.ts";
import type { OrchestratorState } from "../state.ts";

export interface DryRunOptions {
  /** Whether to say what differs from the version that holds. */
  readonly diff: boolean;
  readonly now: Moment;
  /** The same seed and state give the same answer. */
  readonly seed: string;
  readonly clock: Pick<Clock, "monotonic">;
}

/** What registering a job would do. */
export interface DryRun {
  /** Annotated; null where it was not asked for. */
  readonly diff: JobDiff | null;
  /** By group, of the first step alone, as Nomad counts. */
  readonly updates: Readonly<Record<string, DesiredUpdates>>;
  /** By group: how many of those that the first step ignores later batches of the rollout replace. */
  readonly waiting: Readonly<Record<string, number>>;
  /** The groups that would find no place. */
  readonly failed: EvalRecord["failed"];
  /** When it would be looked at again in any case: the next batch after `stagger`. */
  readonly followUps: readonly FollowUp[];
  /** Of the job as it is; 0 for one that is not there. What a check-index is compared with. */
  readonly jobModifyIndex: number;
  /** Why a job that is as it is would get a new version; null where it would not, or differs. */
  readonly startsAgain: string | null;
}

/** Asks the scheduler what it would do with a job, were it registered now. Nothing is written. */
export async function dryRun(state: OrchestratorState, job: Job, options: DryRunOptions): Promise<DryRun> {
  const { derived } = state;
  const current = derived.job(job.namespace, job.id);
  const { snapshot } = derived;
  const isSame = current && !current.current.isStopped && isDeepStrictEqual(current.current.job, job);
  const startsAgain = (isSame && whyStuck(snapshot, jobKey(job.namespace, job.id), options.now)) || null;
  const jobModifyIndex = current ? state.indexOf(current.jobModified) : 0;
  const asIf = isSame && startsAgain === null ? snapshot : withJob(snapshot, job);
  const placement = await placementOf(job, { ...asIf, nodes: new Map(snapshot.nodes) }, options);
  const groups = Object.entries(placement.groups);
  const updates = Object.fromEntries(groups.map(([name, { desired }]) => [name, desired]));
  const waiting = Object.fromEntries(groups.map(([name, group]) => [name, group.waiting]));
  const failed = Object.fromEntries(groups.flatMap(([name, group]) => (group.failed ? [[name, group.failed]] : [])));
  const difference = options.diff
    ? withStop(diff(current?.current.job, job), current?.current.isStopped ?? false)
    : null;
  return {
    diff: difference && annotate(difference, updates, waiting),
    updates,
    waiting,
    failed,
    followUps: placement.followUps,
    jobModifyIndex,
    startsAgain,
  };
}

/** Works it out in slices: a large job takes long, and whoever else asks this server something shall not wait for it. */
async function placementOf(job: Job, snapshot: Snapshot, { now, seed, clock }: DryRunOptions): Promise<Placement> {
  let ids = 0;
  const evaluation = { id: evalId(seed), namespace: job.namespace, job: job.id };
  const steps = scheduleInSteps(evaluation, snapshot, {
    now,
    seed,
    newAllocId: () => allocId(`dry-run-${ids++}`),
    newDeploymentId: () => deploymentId(`dry-run-${ids++}`),
  });
  for (let began = clock.monotonic(); ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (clock.monotonic() - began < slice) continue;
    await setImmediate();
    began = clock.monotonic();
  }
}

/** So long nobody else has a turn, in milliseconds. */
const slice = 5;

/** The snapshot in which the job is registered as its next version. */
function withJob(snapshot: Snapshot, job: Job): Snapshot {
  const key = jobKey(job.namespace, job.id);
  const record = snapshot.jobs.get(key);
  const current = record ? record.current + 1 : 0;
  const versions = new Map(record?.versions).set(current, job);
  return { ...snapshot, jobs: new Map(snapshot.jobs).set(key, { current, versions, isStopped: false }) };
}

/** A job that is stopped starts again, whatever else differs. */
function withStop(difference: JobDiff, isStopped: boolean): JobDiff {
  if (!isStopped) return difference;
  const stop = { Type: "Edited", Name: "Stop", Old: "true", New: "false", Annotations: null } as const;
  return { ...difference, Type: "Edited", Fields: [...(difference.Fields ?? []), stop] };
}
