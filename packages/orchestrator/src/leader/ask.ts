import type { JobId } from "@millwright/jobs/job";
import { type JobKey, jobKey } from "@millwright/scheduler/snapshot";
import type { OrchestratorContext } from "../context.ts";
import { newEvaluation } from "../evaluation.ts";
import type { EvalRecord, Trigger } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";

/** A job, whether it is still there or not. */
export interface JobName {
  readonly namespace: string;
  readonly job: JobId;
}

/** Has a job looked at. One that is forgotten is too: what is left of it ends. */
export function ask(
  draft: OrchestratorDraft,
  context: Pick<OrchestratorContext, "clock" | "chance">,
  { namespace, job: id }: JobName,
  trigger: Trigger,
  rest: Partial<EvalRecord> = {},
): void {
  const record = draft.state.derived.snapshot.jobs.get(jobKey(namespace, id));
  const job = record?.versions.get(record.current);
  const evaluation = newEvaluation(context, job ?? { namespace, id, type: "service", priority: 50 }, trigger, rest);
  draft.put("eval", evaluation.id, evaluation);
}

/** Each job once. */
export function jobsOf<T extends JobName>(items: Iterable<T>): ReadonlyMap<JobKey, JobName> {
  return new Map([...items].map(({ namespace, job }) => [jobKey(namespace, job), { namespace, job }]));
}
