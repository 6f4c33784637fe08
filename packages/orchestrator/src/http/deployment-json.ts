import type { Row } from "@millwright/records/row";
import type { Gating } from "@millwright/scheduler/gating";
import type { GroupRollout } from "@millwright/scheduler/deployment";
import { jobVersionKey } from "../keys.ts";
import type { OrchestratorState } from "../state.ts";
import type { OrchestratorRecords } from "../tables.ts";
import { nanoseconds, orNull, timeJson } from "./json-values.ts";

/** A rollout, group by group. */
export function deploymentJson(row: Row<OrchestratorRecords, "deployment">, state: OrchestratorState): object {
  const { id, namespace, job, version, status, description, groups, gating } = row.deployment;
  const rolled = state.row("jobversion", jobVersionKey(namespace, job, version));
  const jobIndex = rolled ? state.indexOf(rolled.modified) : 0;
  const view = state.derived.job(namespace, job);
  return {
    ID: id,
    Namespace: namespace,
    JobID: job,
    JobVersion: version,
    JobModifyIndex: jobIndex,
    JobSpecModifyIndex: jobIndex,
    JobCreateIndex: view ? state.indexOf(view.created) : 0,
    IsMultiregion: false,
    TaskGroups: Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, groupJson(group)])),
    Status: status,
    StatusDescription: description,
    EvalPriority: rolled?.job.priority ?? 50,
    CreateIndex: state.indexOf(row.created),
    ModifyIndex: state.indexOf(row.modified),
    ...(gating ? { Gates: gatingJson(gating) } : {}),
  };
}

/** What the gates of a rollout were asked, and what they said: ours beside Nomad's fields. */
function gatingJson({ batch, askedSince, waits, decisions }: Gating): object {
  return {
    Batch: batch,
    AskedSince: timeJson(askedSince),
    Wait: waits && { Gate: waits.gate, Because: waits.because, Time: timeJson(waits.at) },
    Decisions: orNull(
      decisions.map(({ batch: after, kind, gate, because, at }) => ({
        ...{ Batch: after, Decision: kind, Gate: gate, Because: because, Time: timeJson(at) },
      })),
    ),
  };
}

function groupJson(group: GroupRollout): object {
  return {
    AutoRevert: group.autoRevert,
    AutoPromote: group.autoPromote,
    ProgressDeadline: nanoseconds(group.progressDeadline),
    RequireProgressBy: timeJson(group.requireProgressBy),
    Promoted: group.promoted,
    PlacedCanaries: orNull(group.canaries),
    DesiredCanaries: group.desiredCanaries,
    DesiredTotal: group.desiredTotal,
    PlacedAllocs: group.placed.length,
    HealthyAllocs: group.healthy.length,
    UnhealthyAllocs: group.unhealthy.length,
  };
}
