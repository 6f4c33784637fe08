import type { JobRecord } from "@millwright/clients/nomad-records";
import type { NomadConnection } from "./connection.ts";
import { serverAttributes } from "./job-attributes.ts";
import type { JobState, Said } from "./job-fields.ts";

/** The state of a job that the server has. */
export async function stateOf(
  { client }: NomadConnection,
  record: JobRecord,
  said: Said,
  signal: AbortSignal,
): Promise<JobState> {
  const state = { ...said, ...serverAttributes(record), id: record.ID, allocation_ids: [] };
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
