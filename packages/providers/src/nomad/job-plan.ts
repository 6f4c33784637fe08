import type { JobPlanResponse } from "@millwright/clients/nomad-records";
import { Failure, failure } from "@millwright/provider/problem";
import { notKnownYet, type PlanChange, type PlanHookCall } from "@millwright/provider/resource";
import type { NomadConnection } from "./connection.ts";
import { dryRun, dryRunNotes } from "./dry-run.ts";
import { jobAttributes } from "./job-attributes.ts";
import { jobFields, type JobState, settledText } from "./job-fields.ts";
import { JobMemory } from "./job-memory.ts";
import { type JobSpec, readJobSpec } from "./job-spec.ts";

type Call = PlanHookCall<typeof jobFields, NomadConnection>;
type Change = PlanChange<typeof jobFields>;

/**
 * Plans a job: by what its jobspec says, and by what the server says that registering it would do. Where nothing is to be
 * registered the server is not asked; nor where a plan is carried out, which asked.
 */
export async function planJob(call: Call): Promise<Change> {
  const { plan, state, promised, warn } = call;
  const memory = new JobMemory(call.private);
  memory.planned(undefined);
  const text = settledText(plan);
  if (!text) return { plan: allOpen };
  const spec = readJobSpec(text);
  if (!promised) for (const { summary, detail, at } of spec.warnings) warn(summary, detail, at);
  const same = state?.id === spec.job.id && state.namespace === spec.namespace ? state : undefined;
  if (state && !same) {
    const isMoved = state.namespace !== spec.namespace;
    // The replacement is planned by itself, with nothing there before.
    if (isMoved || plan.deregister_on_id_change !== false)
      return { plan: registered(call, spec, noCounts), replace: [[isMoved ? "namespace" : "name"]] };
  }
  const isChanged = !same || !says(same, spec, memory) || (same.status === "dead" && plan.rerun_if_dead === true);
  if (same && !isChanged && !memory.isPast(same.modify_index)) return { plan: asItIs(same) };
  const counts = same && plan.preserve_counts ? countsOf(same) : noCounts;
  const promise = promised && new JobMemory(promised).promise;
  if (promise) {
    memory.planned(promise);
    return { plan: registered(call, spec, counts) };
  }
  const response = await asked(call, spec, counts);
  if (same && !isChanged && !(response && differs(response))) return { plan: asItIs(same) };
  if (same && response && String(response.JobModifyIndex) !== same.modify_index) throw changedMeanwhile(spec);
  const isReplaced = !same && memory.holds(spec);
  if (response) memory.planned(isReplaced ? {} : { seen: response.JobModifyIndex });
  return { plan: registered(call, spec, counts), ...(response ? { notes: dryRunNotes(response) } : {}) };
}

async function asked({ client, plan, signal, warn }: Call, spec: JobSpec, counts: ReadonlyMap<string, number>) {
  const policyOverride = plan.policy_override === true;
  return client ? dryRun(client, spec, { policyOverride, counts, signal, warn }) : undefined;
}

function changedMeanwhile({ job: { id } }: JobSpec) {
  const detail = `${JSON.stringify(id)} was read, and is another since: somebody else changes it. Plan again; with -refresh=false it is not read.`;
  return failure("The job was changed meanwhile", detail);
}

const noCounts: ReadonlyMap<string, number> = new Map();

function countsOf({ task_groups }: JobState): ReadonlyMap<string, number> {
  return new Map(task_groups.map(({ name, count }) => [name ?? "", count ?? 0]));
}

/** Whether a state is of a job that says the same. */
function says(state: JobState, spec: JobSpec, memory: JobMemory): boolean {
  const known = memory.isOf(spec);
  if (known !== undefined) return known;
  try {
    return JSON.stringify(readJobSpec(state).json) === JSON.stringify(spec.json);
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Whether the server's job is another. That it was stopped by hand is not changed: rerun_if_dead is for that. */
function differs({ Diff }: JobPlanResponse): boolean {
  if (!Diff || Diff.Type === "None") return false;
  const { Fields, Objects, TaskGroups } = Diff;
  const inside = [...Fields.filter(({ Name }) => Name !== "Stop"), ...Objects, ...TaskGroups];
  return inside.some(({ Type }) => Type !== "None");
}

const computedNames = Object.entries(jobFields).flatMap(([name, field]) =>
  field.kind === "attribute" && (field.presence === "computed" || name === "id") ? [name] : [],
);

/** All that a server says, not known yet. */
const allOpen = Object.fromEntries(computedNames.map((name) => [name, notKnownYet]));

/** All that a server says as it was; with the text that is there where the new one says the same in other words. */
function asItIs(state: JobState): NonNullable<Change["plan"]> {
  const { jobspec } = state;
  const kept = Object.entries(state).filter(([name]) => computedNames.includes(name));
  return { ...Object.fromEntries(kept), jobspec };
}

function registered(
  { plan, state }: Call,
  { job, draft, namespace }: JobSpec,
  counts: ReadonlyMap<string, number>,
): NonNullable<Change["plan"]> {
  const attributes = jobAttributes(job);
  const isSame = state?.id === job.id && state.namespace === namespace;
  const region = draft.region ?? (isSame ? state.region : notKnownYet);
  return {
    ...allOpen,
    ...attributes,
    task_groups: attributes.task_groups.map((group) => ({ ...group, count: counts.get(group.name) ?? group.count })),
    ...{ namespace, region, parent_id: "", stop: false },
    // Not known of a new job, though it follows from the jobspec: what reads the job by its id has to wait until it is there.
    ...(isSame ? { id: state.id, create_index: state.create_index } : {}),
    ...(plan.detach === true
      ? { deployment_id: state?.deployment_id ?? null, deployment_status: state?.deployment_status ?? null }
      : {}),
    ...(plan.read_allocation_ids === false ? { allocation_ids: [] } : {}),
  };
}
