import type { HttpReply } from "@millwright/core/http";
import { jobId } from "@millwright/jobs/job";
import { topicOf } from "@millwright/records/table";
import { hasEnded } from "@millwright/scheduler/allocation";
import { isActive } from "@millwright/scheduler/deployment";
import { OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";
import { lists } from "../keys.ts";
import type { OrchestratorState } from "../state.ts";
import type { AllocationView, JobView } from "../world.ts";
import { allocationListing } from "./allocation-routes.ts";
import type { HttpContext } from "./context.ts";
import { deploymentJson } from "./deployment-json.ts";
import { evaluationJson } from "./evaluation-json.ts";
import { jobChangedJson, jobIn, topicsOfJob } from "./job-routes.ts";
import { badRequest, notFound, readFields, readJsonBody, readOptionalBody } from "./json-body.ts";
import { capability } from "./needs.ts";
import { answerList, answerOne, answerWrite, isPretty, positionOf, read, readHeaders } from "./reading.ts";
import { jsonReply, textReply } from "@millwright/core/http-reply";
import type { Capability } from "./permissions.ts";
import type { Call, Route } from "./route.ts";

/** `/v1/job/:id/…`: what belongs to a job, and what is done with one. */
export function jobPartRoutes(context: HttpContext): Route[] {
  const reads = (tail: string, handle: Route["handle"], needed: Capability = "read-job"): Route => {
    return { method: "GET", pattern: `/v1/job/:id/${tail}`, permission: capability(needed), blocking: true, handle };
  };
  const writes = (tail: string, handle: Route["handle"], needed: Capability = "submit-job"): Route[] =>
    ["PUT", "POST"].map((method) => {
      return { method, pattern: `/v1/job/:id/${tail}`, permission: capability(needed), blocking: false, handle };
    });
  return [
    reads("allocations", (call) => listAllocations(context, call)),
    reads("evaluations", (call) => listEvaluations(context, call)),
    reads("deployments", (call) => listDeployments(context, call)),
    reads("deployment", (call) => latestDeployment(context, call)),
    reads("scale", (call) => scaleStatus(context, call), "read-job-scaling"),
    ...writes("scale", (call) => scale(context, call), "scale-job"),
    ...writes("evaluate", (call) => evaluate(context, call), "read-job"),
    ...writes("revert", (call) => revert(context, call)),
    ...writes("stable", (call) => stable(context, call)),
    // The file that a job came from is its user's to keep.
    { ...reads("submission", async () => textReply(404, "job source not found")), blocking: false },
    ...writes("dispatch", (call) => refuse(context, call, "A parameterized job cannot be dispatched yet.")),
    ...writes("periodic/force", (call) => refuse(context, call, "A periodic job cannot be started by hand yet.")),
  ];
}

async function refuse({ projection }: HttpContext, call: Call, text: string): Promise<never> {
  await projection.fresh();
  if (!jobIn(call, projection.state)) throw notFound(`job "${call.params.id}" not found`);
  throw new OperationalError(orchestratorErrors.notThereYet, `${text} Register it as a batch job of its own.`);
}

function listAllocations(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const list = lists.ofJob(call.namespace, id);
  return answerList(context, call, {
    ...allocationListing(call),
    topics: [topicOf("alloc", list), topicOf("client", list)],
    items: (state) => state.derived.allocationsOfJob(call.namespace, id),
  });
}

function listEvaluations(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  return answerList(context, call, {
    topics: [topicOf("eval", lists.ofJob(call.namespace, id))],
    items: (state) => [...state.derived.evaluationsOfJob(call.namespace, id)],
    positionOf: (row, state) => positionOf(row, state, ""),
    isNewestFirst: true,
    show: (row, state) => evaluationJson(row, state),
  });
}

function listDeployments(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  return answerList(context, call, {
    topics: [topicOf("deployment", lists.ofJob(call.namespace, id))],
    items: (state) => state.derived.deploymentsOfJob(call.namespace, id),
    positionOf: (row, state) => positionOf(row, state, ""),
    isNewestFirst: true,
    show: (row, state) => deploymentJson(row, state),
  });
}

async function latestDeployment(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const { index, value } = await read(context, call, {
    topics: () => [topicOf("deployment", lists.ofJob(call.namespace, id))],
    value: (state) => {
      const last = state.derived.deploymentsOfJob(call.namespace, id).at(-1);
      return last ? deploymentJson(last, state) : null;
    },
  });
  return jsonReply(value, isPretty(context, call), 200, readHeaders(context, index));
}

function scaleStatus(context: HttpContext, call: Call): Promise<HttpReply> {
  return answerOne(context, call, {
    absent: "job not found",
    topics: () => topicsOfJob(call),
    value: (state) => {
      const view = jobIn(call, state);
      return view && scaleJson(view, state);
    },
  });
}

function scaleJson(view: JobView, state: OrchestratorState): object {
  const { row, current } = view;
  const allocations = state.derived
    .allocationsOfJob(row.namespace, row.id)
    .filter(({ allocation }) => !hasEnded(allocation));
  const count = (group: string, is: (one: AllocationView["allocation"]) => boolean) =>
    allocations.filter(({ allocation }) => allocation.group === group && is(allocation)).length;
  const groups = current.job.groups.map(({ name, count: desired }) => [
    name,
    {
      Desired: desired,
      Placed: count(name, ({ desired: wanted }) => wanted === "run"),
      Running: count(name, ({ client }) => client === "running"),
      Healthy: count(name, ({ healthy }) => healthy === true),
      Unhealthy: count(name, ({ healthy }) => healthy === false),
      Events: null,
    },
  ]);
  return {
    JobID: row.id,
    Namespace: row.namespace,
    JobCreateIndex: state.indexOf(view.created),
    JobModifyIndex: state.indexOf(view.modified),
    JobStopped: current.isStopped,
    TaskGroups: Object.fromEntries(groups),
  };
}

async function scale(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const { group, count } = readFields(await readJsonBody(call.request), "the request", (fields) => {
    const target = readFields(fields.raw("Target") ?? {}, "Target", (given) => [
      given.text("Job"),
      given.text("Group"),
    ]);
    if (target[0] && target[0] !== id) throw badRequest("job ID in payload did not match URL");
    return { group: target[1] ?? "", count: fields.has("Count") ? fields.whole("Count") : undefined };
  });
  if (group === "") throw badRequest("missing task group name for scaling action: name it as Group of Target");
  await context.projection.fresh();
  const view = jobIn(call, context.projection.state);
  if (!view) throw notFound(`job "${id}" not found`);
  checkScalable(view, group);
  if (count === undefined) {
    // A message alone; it is not kept.
    const index = context.projection.state.indexOf(view.modified);
    return answerWrite(context, call, index, jobChangedJson({ evaluation: null, index, jobModifyIndex: index }));
  }
  if (
    context.projection.state.derived.deploymentsOfJob(call.namespace, id).some(({ deployment }) => isActive(deployment))
  )
    throw badRequest("job scaling blocked due to active deployment");
  if (count < 0) throw badRequest(`job scaling count must be 0 or more, and is ${count}`);
  const changed = await context.commands.scaleJob(call.namespace, id, group, count);
  return answerWrite(context, call, changed.index, jobChangedJson(changed));
}

function checkScalable({ current }: JobView, group: string): void {
  if (current.job.type === "system") throw badRequest('cannot scale jobs of type "system"');
  if (!current.job.groups.some(({ name }) => name === group))
    throw badRequest(`task group "${group}" specified for scaling does not exist in job`);
}

async function evaluate(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const named = readFields(await readOptionalBody(call.request), "the request", (fields) => fields.text("JobID"));
  if (named !== "" && named !== id) throw badRequest("JobID not same as job name");
  const changed = await context.commands.evaluateJob(call.namespace, id);
  return answerWrite(context, call, changed.index, jobChangedJson(changed));
}

async function revert(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => ({
    id: fields.text("JobID"),
    version: fields.whole("JobVersion"),
    prior: fields.has("EnforcePriorVersion") ? fields.whole("EnforcePriorVersion") : undefined,
  }));
  checkNamed(asked.id, id);
  const changed = await context.commands.revertJob(call.namespace, id, asked.version, asked.prior);
  return answerWrite(context, call, changed.index, jobChangedJson(changed));
}

async function stable(context: HttpContext, call: Call): Promise<HttpReply> {
  const id = jobId(call.params.id ?? "");
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => {
    return { id: fields.text("JobID"), version: fields.whole("JobVersion"), isStable: fields.flag("Stable") };
  });
  checkNamed(asked.id, id);
  const index = await context.commands.setStable(call.namespace, id, asked.version, asked.isStable);
  return answerWrite(context, call, index, { Index: index });
}

function checkNamed(named: string, id: string): void {
  if (named === "") throw badRequest("JobID must be specified");
  if (named !== id) throw badRequest("Job ID does not match");
}
