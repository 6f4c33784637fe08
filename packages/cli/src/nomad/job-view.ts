import type {
  AllocationListStub,
  Deployment,
  Evaluation,
  JobListStub,
  JobRecord,
  JobSummary,
} from "@millwright/clients/nomad-records";
import type { CommandIo } from "../io.ts";
import { latestDeployment } from "./deployment-view.ts";
import { type Detail, id, keyValues, moment, type Row, section, table, newestFirst, when } from "./format.ts";
import { byGroup, placementLines } from "@millwright/clients/nomad-placement";

/** Jobs, a line each. */
export function jobList(jobs: readonly JobListStub[], { namespaces }: { readonly namespaces: boolean }): string {
  const titles = ["ID", ...(namespaces ? ["Namespace"] : []), "Type", "Priority", "Status", "Submit Date"];
  const rows = jobs.map((job) => [
    ...[job.ID, ...(namespaces ? [job.Namespace] : []), typeOf(job), String(job.Priority)],
    ...[statusOf(job), submitted(job.SubmitTime)],
  ]);
  return table(titles, rows);
}

function typeOf({ Type, Periodic, ParameterizedJob }: JobListStub): string {
  if (Periodic && ParameterizedJob) return `${Type}/periodic/parameterized`;
  if (Periodic) return `${Type}/periodic`;
  return ParameterizedJob ? `${Type}/parameterized` : Type;
}

function statusOf({ Status, Stop }: Pick<JobListStub, "Status" | "Stop">): string {
  return Stop ? `${Status} (stopped)` : Status;
}

export function submitted(time: bigint): string {
  return time === 0n ? "N/A" : moment(Number(time / 1_000_000n));
}

/** What a job is, in the first lines of its status. */
export function jobHead(job: JobRecord): string {
  const isPeriodic = job.Periodic !== null;
  const rows: readonly Row[] = [
    ["ID", job.ID],
    ["Name", job.Name],
    ["Submit Date", submitted(job.SubmitTime)],
    ["Type", job.Type],
    ["Priority", String(job.Priority)],
    ["Datacenters", job.Datacenters.join(",")],
    ["Namespace", job.Namespace],
    ...(job.NodePool === "" ? [] : [["Node Pool", job.NodePool] as const]),
    ["Status", statusOf(job)],
    ["Periodic", String(isPeriodic)],
    ["Parameterized", String(job.ParameterizedJob !== null && !job.Dispatched)],
  ];
  return keyValues(rows);
}

/** Everything around a job that its status shows. */
export interface JobAround {
  /** The jobs that were made of it, where its work is done by such; else undefined. */
  readonly children: readonly JobListStub[] | undefined;
  readonly summary: JobSummary | undefined;
  readonly evaluations: readonly Evaluation[];
  readonly deployment: Deployment | null;
  readonly allocations: readonly AllocationListStub[];
}

export interface JobDetail extends Detail {
  readonly evaluations: boolean;
}

/** What runs of a job, why something does not, and how its last change went. */
export function jobBody(around: JobAround, detail: JobDetail, io: CommandIo): string {
  const { children } = around;
  if (children) return childrenSummary(around.summary, io) + childrenTable(children, io);
  return [
    around.summary ? summaryTable(around.summary, io) : "",
    ...(detail.evaluations ? [evaluationsOf(around.evaluations, detail, io)] : []),
    placementFailure(around.evaluations, io),
    around.deployment ? latestDeployment(around.deployment, detail, io) : "",
    section(io, "Allocations", allocationTable(around.allocations, detail)),
  ].join("");
}

function childrenSummary(summary: JobSummary | undefined, io: CommandIo): string {
  const { Pending = 0, Running = 0, Dead = 0 } = summary?.Children ?? {};
  const counts = [Pending, Running, Dead].map(String);
  return section(io, "Children Job Summary", table(["Pending", "Running", "Dead"], [counts]));
}

function childrenTable(children: readonly JobListStub[], io: CommandIo): string {
  const rows = newestFirst(children).map((job) => [job.ID, statusOf(job), submitted(job.SubmitTime)]);
  const body = rows.length === 0 ? "None yet\n" : table(["ID", "Status", "Submit Date"], rows);
  return section(io, "Launched Jobs", body);
}

function summaryTable({ Summary }: JobSummary, io: CommandIo): string {
  const rows = byGroup(Summary).map(([name, { Queued, Starting, Running, Failed, Complete, Lost, Unknown }]) => [
    name,
    ...[Queued, Starting, Running, Failed, Complete, Lost, Unknown].map(String),
  ]);
  const titles = ["Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown"];
  return rows.length === 0 ? "" : section(io, "Summary", table(titles, rows));
}

function evaluationsOf(evaluations: readonly Evaluation[], detail: Detail, io: CommandIo): string {
  const rows = newestFirst(evaluations).map((one) => [
    ...[id(one.ID, detail), String(one.Priority), one.TriggeredBy],
    ...[one.Status, placementFailures(one)],
  ]);
  return section(io, "Evaluations", table(["ID", "Priority", "Triggered By", "Status", "Placement Failures"], rows));
}

/** Whether an evaluation left something unplaced; one that is not done cannot tell. */
export function placementFailures({ Status, FailedTGAllocs }: Evaluation): string {
  return Status === "blocked" ? "N/A - In Progress" : String(Object.keys(FailedTGAllocs).length > 0);
}

// The newest evaluation that waits for room tells what is missing now.
function placementFailure(evaluations: readonly Evaluation[], io: CommandIo): string {
  const blocked = newestFirst(evaluations).find(({ Status, FailedTGAllocs }) => {
    return Status === "blocked" && Object.keys(FailedTGAllocs).length > 0;
  });
  if (!blocked) return "";
  const lines = byGroup(blocked.FailedTGAllocs).flatMap(([name, metric]) => [
    `Task Group ${JSON.stringify(name)}:`,
    ...placementLines(metric).map((line) => `  ${line}`),
  ]);
  return section(io, "Placement Failure", lines.map((line) => `${line}\n`).join(""));
}

/** Allocations, a line each, the newest first. */
export function allocationTable(allocations: readonly AllocationListStub[], detail: Detail): string {
  if (allocations.length === 0) return "No allocations placed\n";
  const { verbose } = detail;
  const titles = [
    ...(verbose ? ["ID", "Eval ID", "Node ID", "Node Name"] : ["ID", "Node ID"]),
    ...["Task Group", "Version", "Desired", "Status", "Created", "Modified"],
  ];
  const rows = newestFirst(allocations).map((one) => [
    ...[
      id(one.ID, detail),
      ...(verbose ? [one.EvalID] : []),
      id(one.NodeID, detail),
      ...(verbose ? [one.NodeName] : []),
    ],
    ...[one.TaskGroup, String(one.JobVersion), one.DesiredStatus, one.ClientStatus],
    ...[when(one.CreateTime, detail), when(one.ModifyTime, detail)],
  ]);
  return table(titles, rows);
}
