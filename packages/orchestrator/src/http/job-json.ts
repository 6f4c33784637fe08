import { toApi } from "@millwright/jobs/api";
import type { Job } from "@millwright/jobs/job";
import type { Row } from "@millwright/records/row";
import { nanoseconds, orNull } from "./json-values.ts";
import type { OrchestratorState } from "../state.ts";
import type { OrchestratorRecords } from "../tables.ts";
import type { JobView } from "../world.ts";
import { activityOf, type JobActivity, type JobStatus } from "./job-status.ts";

type Version = Row<OrchestratorRecords, "jobversion">;

/** A job at a version, with what the servers say of it. */
export function jobJson(view: JobView, version: Version, status: JobStatus, state: OrchestratorState): object {
  const { row, current } = view;
  return {
    ...versionJson(version, state),
    Stop: current.version === version.version ? current.isStopped : version.isStopped,
    Stable: row.stable.includes(version.version),
    Status: status,
    CreateIndex: state.indexOf(view.created),
    ModifyIndex: state.indexOf(version === current ? view.modified : version.modified),
  };
}

/** A version of a job by itself, as an allocation shows it. */
export function versionJson(version: Version, state: OrchestratorState): Readonly<Record<string, unknown>> {
  const index = state.indexOf(version.modified);
  return {
    ...apiOf(version.job),
    Stop: version.isStopped,
    Stable: false,
    Status: "pending",
    ...unusedFields,
    Version: version.version,
    SubmitTime: nanoseconds(version.submittedAt),
    CreateIndex: index,
    ModifyIndex: index,
    JobModifyIndex: index,
  };
}

/** Versions never change, and are shown with each of their allocations. */
const known = new WeakMap<Job, ReturnType<typeof toApi>>();

function apiOf(job: Job): ReturnType<typeof toApi> {
  const shown = known.get(job) ?? toApi(job);
  known.set(job, shown);
  return shown;
}

/** What is always empty here. */
const unusedFields = {
  StatusDescription: "",
  ParentID: "",
  Multiregion: null,
  Dispatched: false,
  DispatchIdempotencyToken: "",
  Payload: null,
  ConsulToken: "",
  ConsulNamespace: "",
  VaultToken: "",
  VaultNamespace: "",
  NomadTokenID: "",
} as const;

/** A job as a list has it. */
export function jobStubJson(view: JobView, state: OrchestratorState, shown: { readonly meta: boolean }): object {
  const { job, isStopped, submittedAt } = view.current;
  const activity = activityOf(state.derived, view);
  return {
    ID: job.id,
    ParentID: "",
    Name: job.name,
    Namespace: job.namespace,
    Datacenters: job.datacenters,
    NodePool: job.nodePool,
    Multiregion: null,
    Type: job.type,
    Priority: job.priority,
    Periodic: job.periodic !== null,
    ParameterizedJob: job.parameterized !== null,
    Stop: isStopped,
    Status: activity.status,
    StatusDescription: "",
    JobSummary: summaryJson(view, activity, state),
    CreateIndex: state.indexOf(view.created),
    ModifyIndex: state.indexOf(view.modified),
    JobModifyIndex: state.indexOf(view.jobModified),
    SubmitTime: nanoseconds(submittedAt),
    ...(shown.meta ? { Meta: orNull(job.meta) } : {}),
  };
}

export function summaryJson(view: JobView, { groups }: JobActivity, state: OrchestratorState): object {
  const { namespace, id } = view.row;
  const changed = state.derived
    .allocationsOfJob(namespace, id)
    .reduce((last, { modified }) => Math.max(last, modified), view.modified);
  return {
    JobID: id,
    Namespace: namespace,
    Summary: groups,
    Children: { Pending: 0, Running: 0, Dead: 0 },
    CreateIndex: state.indexOf(view.created),
    ModifyIndex: state.indexOf(changed),
  };
}
