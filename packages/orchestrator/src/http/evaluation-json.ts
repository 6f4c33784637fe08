import type { Row } from "@millwright/records/row";
import type { OrchestratorState } from "../state.ts";
import type { OrchestratorRecords } from "../tables.ts";
import { nanoseconds, orNull, timeJson, withoutEmpty } from "./json-values.ts";
import { failedJson } from "./metrics-json.ts";

type Evaluation = Row<OrchestratorRecords, "eval">;

/** An evaluation; what is empty is left out. */
export function evaluationJson(row: Evaluation, state: OrchestratorState, related: readonly Evaluation[] = []): object {
  const { JobID, ...stub } = evaluationStubJson(row, state);
  const job = state.derived.job(row.namespace, row.job);
  return withoutEmpty({
    ...stub,
    JobID,
    JobModifyIndex: job ? state.indexOf(job.jobModified) : 0,
    FailedTGAllocs: failedJson(row.failed),
    QueuedAllocations: orNull(row.queued),
    RelatedEvals: related.map((one) => evaluationStubJson(one, state)),
    SnapshotIndex: row.snapshotIndex,
  });
}

function evaluationStubJson(row: Evaluation, state: OrchestratorState) {
  return {
    ID: row.id,
    Namespace: row.namespace,
    Priority: row.priority,
    Type: row.type,
    TriggeredBy: row.trigger,
    JobID: row.job,
    NodeID: row.node ?? "",
    DeploymentID: row.deployment ?? "",
    Status: row.status,
    StatusDescription: row.description,
    WaitUntil: timeJson(row.waitUntil),
    NextEval: row.next ?? "",
    PreviousEval: row.previous ?? "",
    BlockedEval: row.blocked ?? "",
    CreateIndex: state.indexOf(row.created),
    ModifyIndex: state.indexOf(row.modified),
    CreateTime: nanoseconds(row.createdAt),
    ModifyTime: nanoseconds(row.modifiedAt),
  };
}
