import type { Deployment, DeploymentGroup, GateDecision } from "@millwright/clients/nomad-records";
import { type Detail, id, keyValues, newestFirst, section, table, whenText } from "./format.ts";
import { byGroup } from "@millwright/clients/nomad-placement";
import type { CommandIo } from "../io.ts";

const titles = ["ID", "Job ID", "Job Version", "Status", "Description"] as const;

/** Deployments, a line each. */
export function deploymentList(deployments: readonly Deployment[], detail: Pick<Detail, "verbose">): string {
  const rows = newestFirst(deployments).map((one) => [
    ...[id(one.ID, detail), one.JobID, String(one.JobVersion)],
    ...[one.Status, one.StatusDescription],
  ]);
  return table(titles, rows);
}

/** A deployment by itself: what it is, and how far each group is. */
export function deploymentBlock(deployment: Deployment, detail: Detail, io: CommandIo): string {
  const { ID, JobID, JobVersion, Status, StatusDescription } = deployment;
  const head = keyValues([
    ["ID", id(ID, detail)],
    ["Job ID", JobID],
    ["Job Version", String(JobVersion)],
    ["Status", Status],
    ["Description", StatusDescription],
  ]);
  return head + deployedTable(deployment, detail, io) + gatesTable(deployment, detail, io);
}

/** The latest deployment of a job, as the job's status shows it. */
export function latestDeployment(deployment: Deployment, detail: Detail, io: CommandIo): string {
  const { ID, Status, StatusDescription } = deployment;
  const head = keyValues([
    ["ID", id(ID, detail)],
    ["Status", Status],
    ["Description", StatusDescription],
  ]);
  return (
    section(io, "Latest Deployment", head) + deployedTable(deployment, detail, io) + gatesTable(deployment, detail, io)
  );
}

function deployedTable({ TaskGroups }: Deployment, detail: Detail, io: CommandIo): string {
  const groups = byGroup(TaskGroups);
  if (groups.length === 0) return "";
  const shown = columnsFor(
    groups.map(([, group]) => group),
    detail,
  );
  const rows = groups.map(([name, group]) => [name, ...shown.map(({ cell }) => cell(group))]);
  return section(io, "Deployed", table(["Task Group", ...shown.map(({ title }) => title)], rows));
}

/** What the gates of a deployment have said; the last of them may be why it waits. */
function gatesTable({ Gates }: Deployment, detail: Detail, io: CommandIo): string {
  if (!Gates) return "";
  const { Batch, AskedSince, Wait, Decisions } = Gates;
  const waits = Wait ? [{ ...Wait, Batch, Decision: "wait" }] : [];
  const asked = AskedSince !== "" && !Wait ? [{ ...noAnswer, Batch, Time: AskedSince }] : [];
  const rows = [...Decisions, ...waits, ...asked].map((said) => [
    ...[String(said.Batch), said.Decision, said.Gate, said.Because, whenText(said.Time, detail)],
  ]);
  if (rows.length === 0) return "";
  return section(io, "Gates", table(["After Batch", "Decision", "Gate", "Because", "Time"], rows));
}

const noAnswer = { Decision: "asked", Gate: "", Because: "no answer so far" } as const;

/** A decision with the gate that it came from, in a line. */
export function saidText({ Decision, Gate, Because }: Pick<GateDecision, "Decision" | "Gate" | "Because">): string {
  return [Decision === "wait" ? "waiting" : Decision, Gate, Because].filter((text) => text !== "").join(": ");
}

interface Column {
  readonly title: string;
  readonly cell: (group: DeploymentGroup) => string;
}

// Columns in which no group has a word to tell are left out.
function columnsFor(groups: readonly DeploymentGroup[], detail: Detail): readonly Column[] {
  const hasCanaries = groups.some(({ DesiredCanaries }) => DesiredCanaries > 0);
  const column = (title: string, cell: Column["cell"], shown = true): readonly Column[] =>
    shown ? [{ title, cell }] : [];
  return [
    ...column(
      "Auto Revert",
      (group) => String(group.AutoRevert),
      groups.some(({ AutoRevert }) => AutoRevert),
    ),
    ...column("Promoted", (group) => (group.DesiredCanaries > 0 ? String(group.Promoted) : "N/A"), hasCanaries),
    ...column("Desired", (group) => String(group.DesiredTotal)),
    ...column("Canaries", (group) => (group.DesiredCanaries > 0 ? String(group.DesiredCanaries) : "N/A"), hasCanaries),
    ...column("Placed", (group) => String(group.PlacedAllocs)),
    ...column("Healthy", (group) => String(group.HealthyAllocs)),
    ...column("Unhealthy", (group) => String(group.UnhealthyAllocs)),
    ...column(
      "Progress Deadline",
      (group) => whenText(group.RequireProgressBy, detail),
      groups.some(({ ProgressDeadline }) => ProgressDeadline > 0),
    ),
  ];
}
