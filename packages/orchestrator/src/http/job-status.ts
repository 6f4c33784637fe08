import type { Job } from "@millwright/jobs/job";
import { hasEnded } from "@millwright/scheduler/allocation";
import type { OrchestratorRow } from "../state.ts";
import type { AllocationView, JobView, World } from "../world.ts";

type Evaluation = OrchestratorRow<"eval">;

export type JobStatus = "pending" | "running" | "dead";

/** How many allocations of a group are in which state, and how many still wait for a place. */
export interface GroupSummary {
  readonly Queued: number;
  readonly Complete: number;
  readonly Failed: number;
  readonly Running: number;
  readonly Starting: number;
  readonly Lost: number;
  readonly Unknown: number;
}

/** What a job's allocations and evaluations say of it as a whole. */
export interface JobActivity {
  readonly status: JobStatus;
  readonly groups: Readonly<Record<string, GroupSummary>>;
}

/** As it is now. */
export function activityOf(world: World, { row, current }: JobView): JobActivity {
  const allocations = world.allocationsOfJob(row.namespace, row.id);
  const evaluations = [...world.evaluationsOfJob(row.namespace, row.id)];
  return {
    status: statusOf(current, allocations, evaluations),
    groups: groupsOf(current.job, allocations, evaluations),
  };
}

function statusOf(
  { job, isStopped }: JobView["current"],
  allocations: readonly AllocationView[],
  evaluations: readonly Evaluation[],
): JobStatus {
  // What runs on every node, or is started by something else, is there until somebody stops it.
  if (job.type === "system" || job.periodic || job.parameterized) return isStopped ? "dead" : "running";
  if (allocations.some(({ allocation }) => !hasEnded(allocation))) return "running";
  if (evaluations.some(({ status }) => status === "pending" || status === "blocked")) return "pending";
  return allocations.length + evaluations.length > 0 || isStopped ? "dead" : "pending";
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function groupsOf(
  job: Job,
  allocations: readonly AllocationView[],
  evaluations: readonly Evaluation[],
): Readonly<Record<string, GroupSummary>> {
  const groups = new Map<string, Mutable<GroupSummary>>(job.groups.map(({ name }) => [name, { ...nothing }]));
  for (const { allocation } of allocations) {
    const summary = groups.get(allocation.group) ?? { ...nothing };
    groups.set(allocation.group, summary);
    summary[nameOf[allocation.client]]++;
  }
  for (const [group, count] of Object.entries(waitingIn(evaluations))) {
    const summary = groups.get(group);
    if (summary) summary.Queued = count;
  }
  return Object.fromEntries(groups);
}

/** What the newest evaluation that looked for places says. */
function waitingIn(evaluations: readonly Evaluation[]): Readonly<Record<string, number>> {
  const said = evaluations.filter(({ queued }) => Object.keys(queued).length > 0);
  return said.sort((a, b) => a.modified - b.modified).at(-1)?.queued ?? {};
}

const nothing: GroupSummary = { Queued: 0, Complete: 0, Failed: 0, Running: 0, Starting: 0, Lost: 0, Unknown: 0 };

const nameOf = {
  pending: "Starting",
  running: "Running",
  complete: "Complete",
  failed: "Failed",
  lost: "Lost",
} as const;
