import { NomadRefusal } from "@millwright/clients/nomad-api";
import type { JobRecord, JobRegisterResponse } from "@millwright/clients/nomad-records";
import { OperationalError } from "@millwright/core/errors";
import { failure } from "@millwright/provider/problem";
import type { CreateCall, UpdateCall } from "@millwright/provider/resource";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import type { NomadConnection } from "./connection.ts";
import type { jobFields, JobPlan, JobState, Said } from "./job-fields.ts";
import { JobMemory } from "./job-memory.ts";
import { type JobSpec, readJobSpec } from "./job-spec.ts";
import { stateOf } from "./job-state.ts";
import { untilHealthy } from "./job-wait.ts";

type Create = CreateCall<typeof jobFields, NomadConnection>;
type Update = UpdateCall<typeof jobFields, NomadConnection>;

/** Has the server run a job, and where it is wanted waits until it is healthy. */
export async function registerJob(call: Create, before?: JobState): Promise<JobState> {
  const { client: connection, plan, keep, signal, warn } = call;
  const memory = new JobMemory(call.private);
  const spec = readJobSpec(plan);
  const { job, namespace } = spec;
  const isSame = before?.id === job.id && before.namespace === namespace;
  const index = isSame ? Number(before.modify_index) : memory.promise?.seen;
  const answer = await register(call, spec, index);
  memory.registered(spec, answer.JobModifyIndex);
  const said = saidOf(plan, before);
  const registered = await stateOf(connection, await recordOf(connection, spec, signal), said, signal);
  keep(registered);
  if (plan.detach || answer.EvalID === "") return registered;
  const limit = limitOf(plan, before ? "update" : "create");
  const deployment = await untilHealthy(connection, answer.EvalID, { jobId: job.id, namespace, limit, signal, warn });
  const outcome = { deployment_id: deployment?.ID ?? null, deployment_status: deployment?.Status ?? null };
  return stateOf(connection, await recordOf(connection, spec, signal), { ...said, ...outcome }, signal);
}

/** Registers a job anew where what it says has changed; what only this resource knows of changes by itself. */
export async function changeJob(call: Update): Promise<JobState> {
  if (call.plan.modify_index === undefined) return registerJob(call, call.state);
  return { ...call.state, ...saidOf(call.plan, call.state) };
}

function saidOf(plan: JobPlan, before: JobState | undefined): Said {
  const { deployment_id = before?.deployment_id ?? null, deployment_status = before?.deployment_status ?? null } = plan;
  return {
    jobspec: plan.jobspec,
    json: plan.json,
    hcl2: plan.hcl2,
    policy_override: plan.policy_override,
    preserve_counts: plan.preserve_counts,
    preserve_resources: plan.preserve_resources,
    deregister_on_destroy: plan.deregister_on_destroy,
    deregister_on_id_change: plan.deregister_on_id_change,
    purge_on_destroy: plan.purge_on_destroy,
    detach: plan.detach,
    rerun_if_dead: plan.rerun_if_dead,
    read_allocation_ids: plan.read_allocation_ids,
    timeouts: plan.timeouts,
    deployment_id,
    deployment_status,
  };
}

async function register(
  { client: { client }, plan, signal }: Create,
  { job, json, namespace }: JobSpec,
  index: number | undefined,
): Promise<JobRegisterResponse> {
  const variables = plan.hcl2[0]?.vars;
  const format = plan.json ? "json" : "hcl2";
  try {
    return await client.jobs.register(json, {
      ...{ namespace, signal },
      ...(index === undefined ? {} : { jobModifyIndex: index }),
      preserveCounts: plan.preserve_counts,
      policyOverride: plan.policy_override === true,
      submission: { source: plan.jobspec, format, ...(variables ? { variables } : {}) },
    });
  } catch (error) {
    if (!isConflict(error)) throw error;
    const why = `It is not as the plan saw it: somebody else changed it since. Plan again to see what it is now.`;
    throw failure(`The job ${JSON.stringify(job.id)} was changed meanwhile`, `${error.message}\n${why}`);
  }
}

function isConflict(error: unknown): error is OperationalError {
  if (!(error instanceof OperationalError)) return false;
  return error.cause instanceof NomadRefusal && /enforcing job modify index/i.test(error.cause.message);
}

async function recordOf(
  { client }: NomadConnection,
  { job: { id }, namespace }: JobSpec,
  signal: AbortSignal,
): Promise<JobRecord> {
  const { value: record } = await client.jobs.get(id, { namespace, signal });
  if (record) return record;
  throw failure("The job is gone", `${JSON.stringify(id)} was registered, and the server has no such job now.`);
}

const fiveMinutes = 300_000;

function limitOf({ timeouts }: JobPlan, verb: "create" | "update"): number {
  const parsed = parseDuration(timeouts?.[verb] ?? "");
  return parsed.ok ? toMilliseconds(parsed.duration) : fiveMinutes;
}
