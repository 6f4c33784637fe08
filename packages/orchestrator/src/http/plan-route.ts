import type { HttpReply } from "@millwright/core/http";
import type { Job } from "@millwright/jobs/job";
import { newEvaluation } from "../evaluation.ts";
import type { EvalRecord } from "../records.ts";
import { evaluationJson } from "./evaluation-json.ts";
import { dryRun } from "../plan/dry-run.ts";
import type { HttpContext } from "./context.ts";
import { checkRegistrable, namedJobOf, startsAgainIn, warningsIn } from "./job-request.ts";
import { readFields, readJsonBody } from "./json-body.ts";
import { failedJson } from "./metrics-json.ts";
import { capability } from "./needs.ts";
import { answerWrite } from "./reading.ts";
import type { Call, Route } from "./route.ts";

/** `/v1/job/:id/plan`: what registering a job would change, and where the scheduler would place it now. Nothing is written. */
export function planRoutes(context: HttpContext): Route[] {
  return ["PUT", "POST"].map((method) => ({
    method,
    pattern: "/v1/job/:id/plan",
    permission: capability("submit-job"),
    blocking: false,
    handle: (call) => plan(context, call),
  }));
}

async function plan(context: HttpContext, call: Call): Promise<HttpReply> {
  const { projection, clock, chance } = context;
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => {
    return { job: fields.raw("Job"), diff: fields.flag("Diff") };
  });
  const requested = namedJobOf(asked.job, call, context, call.params.id);
  checkRegistrable(requested, call);
  await projection.fresh();
  const { state, applied } = projection;
  const index = state.indexOf(applied);
  const run = await dryRun(state, requested.job, { diff: asked.diff, now: clock.now(), seed: chance.uuid(), clock });
  const updates = Object.entries(run.updates).map(([group, counts]) => [group, { ...counts, Preemptions: 0 }]);
  return answerWrite(context, call, index, {
    Annotations: { DesiredTGUpdates: Object.fromEntries(updates), PreemptedAllocs: null },
    FailedTGAllocs: failedJson(run.failed),
    JobModifyIndex: run.jobModifyIndex,
    CreatedEvals: isEmpty(run.failed) ? null : [blockedJson(context, requested.job, run.failed)],
    Diff: run.diff,
    NextPeriodicLaunch: null,
    Warnings: warningsIn([...requested.diagnostics, ...startsAgainIn(run)]),
    Index: index,
  });
}

function isEmpty(failed: EvalRecord["failed"]): boolean {
  return Object.keys(failed).length === 0;
}

/** The evaluation that would wait for room. */
function blockedJson(context: HttpContext, job: Job, failed: EvalRecord["failed"]): object {
  const rest = { status: "blocked", description: "created to place remaining allocations", failed } as const;
  const evaluation = newEvaluation(context, job, "queued-allocs", rest);
  return evaluationJson({ ...evaluation, key: evaluation.id, created: 0, modified: 0 }, context.projection.state);
}
