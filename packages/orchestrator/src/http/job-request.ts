import { type Diagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { OperationalError } from "@millwright/core/errors";
import { jobFromApi } from "@millwright/jobs/api";
import type { Job } from "@millwright/jobs/job";
import { validate } from "@millwright/jobs/validate";
import type { OrchestratorContext, ServerIdentity } from "../context.ts";
import { orchestratorErrors } from "../errors.ts";
import { refusals } from "../plan/refusals.ts";
import { badRequest } from "./json-body.ts";
import { checkPermission } from "./permissions.ts";
import type { Call } from "./route.ts";

/** What of a server decides what it takes. */
type Server = Pick<OrchestratorContext, "identity" | "gates">;

/** A job that came with a request, and what there is to say of it. */
export interface RequestedJob {
  readonly job: Job;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the job of a request, in the API's JSON: where it says no region, the server's is meant; the query's namespace wins over its
 * own. `id` is that of the path, where there is one. Throws `badRequest` for what is no job, and for the job of another region.
 */
export function namedJobOf(json: unknown, call: Call, context: Server, id?: string): RequestedJob {
  const name = objectOf(json)?.get("id");
  if (objectOf(json) && (typeof name !== "string" || name === "")) throw badRequest("Job ID hasn't been provided");
  return jobOf(json, call, context, id);
}

/** As {@link namedJobOf}, for a job that may have no id: that is told with all else that is wrong with it. */
export function jobOf(json: unknown, call: Call, { identity, gates }: Server, id?: string): RequestedJob {
  const given = objectOf(json);
  if (!given) throw badRequest("Job must be specified");
  const { value, diagnostics } = jobFromApi(json);
  if (id !== undefined && value.id !== id) throw badRequest("Job ID does not match");
  if (hasErrors(diagnostics)) throw badRequest(listed(diagnostics));
  const job = { ...value, region: regionOf(given, call, identity), namespace: namespaceOf(value, call) };
  return {
    job,
    diagnostics: [...diagnostics, ...validate(job), ...refusals(job, { runsCommands: gates.commands !== null })],
  };
}

/** Throws `badRequest` that names all that is wrong with a job, `denied` where it may not be registered in its namespace. */
export function checkRegistrable({ job, diagnostics }: RequestedJob, call: Call): void {
  checkPermission(call.grants, { resource: "namespace", capability: "submit-job", namespace: job.namespace });
  const faults = diagnostics.filter(({ severity }) => severity === "error");
  if (faults.length > 0) throw badRequest(listed(faults));
  if (job.namespace !== "default")
    throw badRequest(`job "${job.id}" is in nonexistent namespace "${job.namespace}": there is only "default".`);
}

/** Warnings as one text, as clients print it; empty where there are none. */
export function warningsIn(diagnostics: readonly Diagnostic[]): string {
  const warnings = diagnostics.filter(({ severity }) => severity === "warning").map(sentence);
  if (warnings.length === 0) return "";
  return `${warnings.length} warning${warnings.length === 1 ? "" : "s"}:\n\n${warnings.map((one) => `* ${one}`).join("\n")}`;
}

/** That a job is started again though it is as it was, and why. */
export function startsAgainIn({ startsAgain }: { readonly startsAgain: string | null }): readonly Diagnostic[] {
  if (startsAgain === null) return [];
  const detail = `It is registered as it was, and gets a new version all the same: ${startsAgain}.`;
  return [warningDiagnostic("The job starts again", detail)];
}

/** Faults as one text, as clients know it. */
export function listed(faults: readonly Diagnostic[]): string {
  const heading = `${faults.length} error${faults.length === 1 ? "" : "s"} occurred:`;
  return `${heading}\n${faults.map((fault) => `\t* ${sentence(fault)}\n`).join("")}\n`;
}

export function sentence({ summary, detail }: Diagnostic): string {
  return `${summary}. ${detail}`;
}

function namespaceOf({ namespace }: Job, { query }: Call): string {
  return query.get("namespace") || namespace || "default";
}

/** `global` is what clients write where nobody says anything. */
function regionOf(given: ReadonlyMap<string, unknown>, { query }: Call, { region }: ServerIdentity): string {
  const wanted = query.get("region") || given.get("region");
  if (wanted && wanted !== "global" && wanted !== region)
    throw new OperationalError(orchestratorErrors.otherRegion, "No path to region");
  return region;
}

function objectOf(json: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]));
}
