import type { JobRecord } from "@millwright/clients/nomad-records";
import type { NomadConnection } from "./connection.ts";
import { serverAttributes } from "./job-attributes.ts";
import type { JobState, Said } from "./job-fields.ts";

/** The state of a job that the server has; `before` is the one that was read last. */
export async function stateOf(
  { client }: NomadConnection,
  record: JobRecord,
  said: Said,
  signal: AbortSignal,
  before?: JobState,
): Promise<JobState> {
  const seen = serverAttributes(record);
  const task_groups = nullsLike(seen.task_groups, before?.task_groups ?? []);
  const state = { ...said, ...seen, task_groups, id: record.ID, allocation_ids: [] };
  if (!said.read_allocation_ids) return state;
  const { value: allocations } = await client.jobs.allocations(record.ID, { namespace: state.namespace, signal });
  return { ...state, allocation_ids: allocations.map(({ ID }) => ID) };
}

/** The file that a job came from; empty where the server does not keep it. */
export async function sourceOf(
  { client }: NomadConnection,
  { ID, Namespace, Version }: JobRecord,
  signal: AbortSignal,
): Promise<string> {
  const path = `/v1/job/${encodeURIComponent(ID)}/submission`;
  const { value } = await client.read(path, { version: Version }, { namespace: Namespace, signal });
  const { Source } = (value ?? {}) as { readonly Source?: unknown };
  return typeof Source === "string" ? Source : "";
}

type Groups = JobState["task_groups"];

/** Groups with null for lists that are empty where there was null before: the registry's provider writes that in states. */
function nullsLike(groups: Groups, before: Groups): Groups {
  const emptied = <T>(now: readonly T[] | null, then: readonly T[] | null | undefined) =>
    now?.length === 0 && then === null ? null : now;
  return groups.map((group, i) => {
    const old = before[i];
    const task = (group.task ?? []).map((one, j) => {
      return { ...one, volume_mounts: emptied(one.volume_mounts, old?.task?.[j]?.volume_mounts) };
    });
    return { ...group, task, volumes: emptied(group.volumes, old?.volumes) };
  });
}
