import type { JobPlanResponse } from "@millwright/clients/nomad-records";
import { Failure } from "@millwright/provider/problem";
import { notKnownYet, type PlanChange, type PlanHookCall } from "@millwright/provider/resource";
import type { NomadConnection } from "./connection.ts";
import { dryRun } from "./dry-run.ts";
import { jobAttributes } from "./job-attributes.ts";
import { jobFields, type JobState, settledText } from "./job-fields.ts";
import { JobMemory } from "./job-memory.ts";
import { type JobSpec, readJobSpec } from "./job-spec.ts";

type Call = PlanHookCall<typeof jobFields, NomadConnection>;
type Change = PlanChange<typeof jobFields>;

/**
 * Plans a job: by what its jobspec says, and by what the server says that registering it would do. Where nothing is to be
 * registered the server is not asked.
 */
export async function planJob(call: Call): Promise<Change> {
  const { plan, state, warn } = call;
  const memory = new JobMemory(call.private);
  memory.planned(undefined);
  const text = settledText(plan);
  if (!text) return { plan: allOpen };
  const spec = readJobSpec(text);
  for (const { summary, detail, at } of spec.warnings) warn(summary, detail, at);
  const isSame = state?.id === spec.job.id && state.namespace === spec.namespace;
  const isChanged = !isSame || !says(state, spec, memory);
  const isPast = isSame && memory.isPast(state.modify_index);
  const isRerun = isSame && state.status === "dead" && plan.rerun_if_dead === true;
  if (isSame && !isChanged && !isPast && !isRerun) return { plan: asItIs(state) };
  const counts = new Map(
    isSame && plan.preserve_counts ? state.task_groups.map(({ name, count }) => [name ?? "", count ?? 0]) : [],
  );
  const response = await asked(call, spec, counts);
  if (isSame && !isChanged && !isRerun && !(response && differs(response))) return { plan: asItIs(state) };
  memory.planned(response?.JobModifyIndex);
  const planned = registered(call, spec, counts);
  if (!state || isSame) return { plan: planned };
  const isMoved = state.namespace !== spec.namespace;
  const isReplaced = isMoved || plan.deregister_on_id_change !== false;
  return { plan: planned, replace: isReplaced ? [[isMoved ? "namespace" : "name"]] : [] };
}

async function asked({ client, plan, signal, warn }: Call, spec: JobSpec, counts: ReadonlyMap<string, number>) {
  const policyOverride = plan.policy_override === true;
  return client ? dryRun(client, spec, { policyOverride, counts, signal, warn }) : undefined;
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
    ...{ id: job.id, namespace, region, parent_id: "", stop: false },
    ...(isSame ? { create_index: state.create_index } : {}),
    ...(plan.detach === true
      ? { deployment_id: state?.deployment_id ?? null, deployment_status: state?.deployment_status ?? null }
      : {}),
    ...(plan.read_allocation_ids === false ? { allocation_ids: [] } : {}),
  };
}
