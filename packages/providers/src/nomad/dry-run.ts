import { clientErrors } from "@millwright/clients/errors";
import type { JobJson } from "@millwright/clients/nomad-jobs";
import type { JobPlanResponse } from "@millwright/clients/nomad-records";
import { isKind, type OperationalError } from "@millwright/core/errors";
import { renderDiff, type Tone } from "@millwright/jobs/render-diff";
import { note, type NoteTone, type PlanNote } from "@millwright/provider/plan-note";
import type { NomadConnection } from "./connection.ts";
import { unplacedLines } from "./job-reasons.ts";
import type { JobSpec } from "./job-spec.ts";

export interface DryRunOptions {
  readonly policyOverride: boolean;
  /** Counts of groups that stay as they are, whatever the job says. */
  readonly counts: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
  warn(summary: string, detail: string): void;
}

/**
 * What registering a job would change, and whether all of it would find a place, as the server says. Undefined, with a
 * warning, where the server cannot be asked: what is planned does not depend on it.
 */
export async function dryRun(
  { client, addressSource }: NomadConnection,
  { job, json, namespace }: JobSpec,
  { policyOverride, counts, signal, warn }: DryRunOptions,
): Promise<JobPlanResponse | undefined> {
  const name = JSON.stringify(job.id);
  try {
    const response = await client.jobs.plan(withCounts(json, counts), job.id, { namespace, policyOverride, signal });
    const unplaced = unplacedLines(response.FailedTGAllocs);
    if (unplaced.length > 0) warn(`Not all of ${name} would find a place`, unplaced.join("\n"));
    if (response.Warnings.trim() !== "") warn(`The server warns of ${name}`, response.Warnings.trim());
    return response;
  } catch (error) {
    if (signal.aborted || !isAway(error)) throw error;
    const why = `${error.message} ${addressSource}`;
    warn(`No dry run of ${name}`, `${why}\nIt is planned from what is known; what it would change there is not shown.`);
    return undefined;
  }
}

/** Whether there was nobody to ask. What a server refuses to plan it would refuse to register: that is an error. */
function isAway(error: unknown): error is OperationalError {
  const { unreachable, untrusted, broken, rateLimited, serverFailed } = clientErrors;
  return [unreachable, untrusted, broken, rateLimited, serverFailed].some((kind) => isKind(error, kind));
}

function withCounts(json: JobJson, counts: ReadonlyMap<string, number>): JobJson {
  const { TaskGroups } = json as {
    readonly TaskGroups: readonly { readonly Name: string; readonly Count: number }[] | null;
  };
  const groups = (TaskGroups ?? []).map((group) => ({ ...group, Count: counts.get(group.Name) ?? group.Count }));
  return counts.size === 0 ? json : { ...json, TaskGroups: groups };
}

/** A dry run for people: what differs of the job, and whether all of it would find a place. */
export function dryRunNotes({
  Diff,
  FailedTGAllocs,
  NextPeriodicLaunch,
  Annotations,
}: JobPlanResponse): readonly PlanNote[] {
  const diff = (Diff ? renderDiff(Diff, { verbose: false }) : []).filter((line) => line.length > 0);
  const failed = unplacedLines(FailedTGAllocs);
  const preempted = Annotations?.PreemptedAllocs ?? [];
  return [
    ...diff.map((line) => line.map(({ text, tone }) => ({ text, tone: noteTones[tone] }))),
    note(""),
    note("Scheduler dry-run:", "heading"),
    ...(failed.length === 0
      ? [note("- All tasks successfully allocated.", "create")]
      : [note("- WARNING: Failed to place all allocations.", "warning"), ...failed.map((line) => note(`  ${line}`))]),
    ...preempted.map(({ ID, JobID }) => note(`- Allocation ${ID.slice(0, 8)} of ${JobID} would make room.`, "warning")),
    ...(isMoment(NextPeriodicLaunch)
      ? [note(`- If submitted now, next periodic launch would be at ${NextPeriodicLaunch}.`)]
      : []),
  ];
}

const noteTones: Readonly<Record<Tone, NoteTone>> = {
  plain: "plain",
  heading: "heading",
  create: "create",
  destroy: "destroy",
  change: "change",
  replace: "change",
  inPlace: "accent",
  migrate: "accent",
};

// Go's zero time stands where there is none.
function isMoment(text: string): boolean {
  return text !== "" && !text.startsWith("0001-");
}
