import type { Evaluation } from "@millwright/clients/nomad-records";
import type { CommandIo } from "../io.ts";
import { type Detail, id, keyValues, momentOf, type Row, section, table, when } from "./format.ts";
import { placementFailures } from "./job-view.ts";
import { byGroup, failedGroupLines } from "@millwright/clients/nomad-placement";

/** Evaluations of any job, a line each. Columns in which all are the same or nothing are left out. */
export function evaluationList(evaluations: readonly Evaluation[], detail: Pick<Detail, "verbose">): string {
  const hasNamespaces = new Set(evaluations.map(({ Namespace }) => Namespace)).size > 1;
  const hasNodes = evaluations.some(({ NodeID }) => NodeID !== "");
  const titles = [
    ...["ID", "Priority", "Triggered By", "Job ID", ...(hasNamespaces ? ["Namespace"] : [])],
    ...[...(hasNodes ? ["Node ID"] : []), "Status", "Placement Failures"],
  ];
  const rows = evaluations.map((one) => [
    ...[id(one.ID, detail), String(one.Priority), one.TriggeredBy, one.JobID],
    ...(hasNamespaces ? [one.Namespace] : []),
    ...(hasNodes ? [id(one.NodeID, detail)] : []),
    ...[one.Status, placementFailures(one)],
  ]);
  return table(titles, rows);
}

/** An evaluation by itself. */
export function evaluationBlock(evaluation: Evaluation, detail: Detail, io: CommandIo): string {
  const { verbose } = detail;
  const rows: readonly Row[] = [
    ["ID", id(evaluation.ID, detail)],
    ["Create Time", when(evaluation.CreateTime, detail)],
    ["Modify Time", when(evaluation.ModifyTime, detail)],
    ["Status", evaluation.Status],
    ["Status Description", evaluation.StatusDescription || evaluation.Status],
    ["Type", evaluation.Type],
    ["TriggeredBy", evaluation.TriggeredBy],
    evaluation.TriggeredBy === "node-update"
      ? ["Node ID", id(evaluation.NodeID, detail)]
      : ["Job ID", evaluation.JobID],
    ["Namespace", evaluation.Namespace],
    ["Priority", String(evaluation.Priority)],
    ["Placement Failures", placementFailures(evaluation)],
    ...waiting(evaluation),
    ...(verbose
      ? ([
          ["Previous Eval", evaluation.PreviousEval],
          ["Next Eval", evaluation.NextEval],
          ["Blocked Eval", evaluation.BlockedEval],
        ] as const)
      : []),
  ];
  return keyValues(rows) + failed(evaluation, detail, io);
}

function waiting({ WaitUntil }: Evaluation): readonly Row[] {
  const until = momentOf(WaitUntil, "");
  return until === "" ? [] : [["Wait Until", until]];
}

function failed({ FailedTGAllocs, BlockedEval }: Evaluation, detail: Detail, io: CommandIo): string {
  const lines = byGroup(FailedTGAllocs).flatMap(([group, metric]) => failedGroupLines(group, metric));
  if (lines.length === 0) return "";
  const body = lines.map((line) => `${line}\n`).join("");
  const next =
    BlockedEval === ""
      ? ""
      : `\nEvaluation ${JSON.stringify(id(BlockedEval, detail))} waiting for additional capacity to place remainder\n`;
  return section(io, "Failed Placements", body) + next;
}
