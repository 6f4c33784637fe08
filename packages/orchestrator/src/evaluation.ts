import type { Chance, Clock } from "@millwright/core/ports";
import type { Job } from "@millwright/jobs/job";
import { evalId } from "@millwright/scheduler/ids";
import type { EvalRecord, Trigger } from "./records.ts";

/** An evaluation of a job that waits for its turn; `rest` says what is special about it. */
export function newEvaluation(
  { clock, chance }: { readonly clock: Clock; readonly chance: Chance },
  job: Pick<Job, "namespace" | "id" | "type" | "priority">,
  trigger: Trigger,
  rest: Partial<EvalRecord> = {},
): EvalRecord {
  const now = clock.now();
  return {
    id: evalId(chance.uuid()),
    namespace: job.namespace,
    job: job.id,
    type: job.type,
    priority: job.priority,
    trigger,
    node: null,
    deployment: null,
    status: "pending",
    description: "",
    waitUntil: null,
    next: null,
    previous: null,
    blocked: null,
    failed: {},
    queued: {},
    snapshotIndex: 0,
    createdAt: now,
    modifiedAt: now,
    ...rest,
  };
}
