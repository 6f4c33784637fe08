import type { JobJson } from "@millwright/clients/nomad-jobs";
import type { JobPlanResponse } from "@millwright/clients/nomad-records";
import { OperationalError } from "@millwright/core/errors";
import type { NomadConnection } from "./connection.ts";
import { placementLines } from "./job-reasons.ts";
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
    const unplaced = placementLines(response.FailedTGAllocs);
    if (unplaced.length > 0) warn(`Not all of ${name} would find a place`, unplaced.join("\n"));
    if (response.Warnings.trim() !== "") warn(`The server warns of ${name}`, response.Warnings.trim());
    return response;
  } catch (error) {
    if (signal.aborted || !(error instanceof OperationalError)) throw error;
    const why = `${error.message} ${addressSource}`;
    warn(`No dry run of ${name}`, `${why}\nIt is planned from what is known; what it would change there is not shown.`);
    return undefined;
  }
}

function withCounts(json: JobJson, counts: ReadonlyMap<string, number>): JobJson {
  const { TaskGroups } = json as {
    readonly TaskGroups: readonly { readonly Name: string; readonly Count: number }[] | null;
  };
  const groups = (TaskGroups ?? []).map((group) => ({ ...group, Count: counts.get(group.Name) ?? group.Count }));
  return counts.size === 0 ? json : { ...json, TaskGroups: groups };
}
