import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import { diff } from "@millwright/jobs/diff";
import { jobId } from "@millwright/jobs/job";
import { topicOf } from "@millwright/records/table";
import type { JobChanged } from "../commands.ts";
import { lists } from "../keys.ts";
import type { OrchestratorState } from "../state.ts";
import type { JobView } from "../world.ts";
import type { HttpContext } from "./context.ts";
import { jobJson, jobStubJson, summaryJson } from "./job-json.ts";
import { checkRegistrable, jobOf, listed, namedJobOf, sentence, startsAgainIn, warningsIn } from "./job-request.ts";
import { activityOf } from "./job-status.ts";
import { badRequest, readFields, readJsonBody } from "./json-body.ts";
import { capability } from "./needs.ts";
import { flagOf } from "./query.ts";
import { answerList, answerOne, answerWrite, isPretty, read, readHeaders } from "./reading.ts";
import type { Call, Route } from "./route.ts";

/** `/v1/jobs` and `/v1/job/:id`: what there is of jobs, and their coming and going. */
export function jobRoutes(context: HttpContext): Route[] {
  const writes = (method: string): Route[] => [
    {
      method,
      pattern: "/v1/jobs",
      permission: capability("submit-job"),
      blocking: false,
      handle: (call) => register(context, call),
    },
    {
      method,
      pattern: "/v1/job/:id",
      permission: capability("submit-job"),
      blocking: false,
      handle: (call) => register(context, call, call.params.id),
    },
    {
      method,
      pattern: "/v1/validate/job",
      permission: capability("read-job"),
      blocking: false,
      handle: (call) => check(context, call),
    },
  ];
  const reads = (pattern: string, handle: Route["handle"]): Route => {
    return { method: "GET", pattern, permission: capability("read-job"), blocking: true, handle };
  };
  return [
    {
      method: "GET",
      pattern: "/v1/jobs",
      permission: capability("list-jobs"),
      blocking: true,
      handle: (call) => listJobs(context, call),
    },
    ...writes("PUT"),
    ...writes("POST"),
    reads("/v1/job/:id", (call) => showJob(context, call)),
    {
      method: "DELETE",
      pattern: "/v1/job/:id",
      permission: capability("submit-job"),
      blocking: false,
      handle: (call) => deregister(context, call),
    },
    reads("/v1/job/:id/summary", (call) => showSummary(context, call)),
    reads("/v1/job/:id/versions", (call) => showVersions(context, call)),
  ];
}

/** The job that a path names. */
export function jobIn({ namespace, params }: Call, state: OrchestratorState): JobView | undefined {
  return state.derived.job(namespace, jobId(params.id ?? ""));
}

/** What rises whenever a job changes, or what its status depends on. */
export function topicsOfJob({ namespace, params }: Call): readonly string[] {
  const list = lists.ofJob(namespace, jobId(params.id ?? ""));
  return [
    topicOf("job", list),
    topicOf("jobversion", list),
    topicOf("alloc", list),
    topicOf("client", list),
    topicOf("eval", list),
  ];
}

function listJobs(context: HttpContext, call: Call): Promise<HttpReply> {
  const meta = flagOf(call.query, "meta", false);
  return answerList<JobView>(context, call, {
    topics: ["job", "jobversion", "alloc", "client", "eval"].map((table) => topicOf(table)),
    items: (state, prefix) =>
      [...state.rows("job")].flatMap(({ namespace, id }) => {
        const view = id.startsWith(prefix) ? state.derived.job(namespace, id) : undefined;
        return view ? [view] : [];
      }),
    namespaceOf: ({ row }) => row.namespace,
    positionOf: ({ row }) => ({ name: `${row.namespace}.${row.id}` }),
    whole: (view, state) => shownJob(view, state),
    show: (view, state) => jobStubJson(view, state, { meta }),
  });
}

function shownJob(view: JobView, state: OrchestratorState): object {
  return jobJson(view, view.current, activityOf(state.derived, view).status, state);
}

function showJob(context: HttpContext, call: Call): Promise<HttpReply> {
  return answerOne(context, call, {
    absent: "job not found",
    topics: () => topicsOfJob(call),
    value: (state) => {
      const view = jobIn(call, state);
      return view && shownJob(view, state);
    },
  });
}

function showSummary(context: HttpContext, call: Call): Promise<HttpReply> {
  return answerOne(context, call, {
    absent: "job not found",
    topics: () => topicsOfJob(call),
    value: (state) => {
      const view = jobIn(call, state);
      return view && summaryJson(view, activityOf(state.derived, view), state);
    },
  });
}

function showVersions(context: HttpContext, call: Call): Promise<HttpReply> {
  const withDiffs = flagOf(call.query, "diffs", false);
  return answerOne(context, call, {
    absent: "job versions not found",
    topics: () => topicsOfJob(call),
    value: (state) => {
      const view = jobIn(call, state);
      if (!view) return undefined;
      const { status } = activityOf(state.derived, view);
      const versions = [...view.versions].sort((a, b) => b.version - a.version);
      const pairs = versions.slice(1).map((older, i) => diff(older.job, versions[i]!.job));
      return {
        Versions: versions.map((version) => jobJson(view, version, status, state)),
        Diffs: withDiffs && pairs.length > 0 ? pairs : null,
        ...readMeta(state.indexOf(view.modified)),
      };
    },
  });
}

/** What some answers say in their body that others say in their headers. */
export function readMeta(index: number): object {
  return { Index: index, LastContact: 0, KnownLeader: true, NextToken: "" };
}

async function register(context: HttpContext, call: Call, id?: string): Promise<HttpReply> {
  const fields = readFields(await readJsonBody(call.request), "the request", (given) => ({
    job: given.raw("Job"),
    enforced: given.flag("EnforceIndex") ? given.whole("JobModifyIndex") : undefined,
    preserveCounts: given.flag("PreserveCounts"),
    priority: given.whole("EvalPriority"),
  }));
  const asked = namedJobOf(fields.job, call, context, id);
  checkRegistrable(asked, call);
  if (fields.priority < 0 || fields.priority > 100)
    throw badRequest("EvalPriority must be between 1 and 100 inclusively");
  const changed = await context.commands.registerJob(asked.job, {
    ...(fields.enforced === undefined ? {} : { enforceIndex: fields.enforced }),
    preserveCounts: fields.preserveCounts,
    ...(fields.priority === 0 ? {} : { priority: fields.priority }),
  });
  return answerWrite(
    context,
    call,
    changed.index,
    jobChangedJson(changed, warningsIn([...asked.diagnostics, ...startsAgainIn(changed)])),
  );
}

/** What a change of a job led to. */
export function jobChangedJson(
  { evaluation, index, jobModifyIndex }: Omit<JobChanged, "startsAgain">,
  warnings = "",
): object {
  return {
    EvalID: evaluation ?? "",
    EvalCreateIndex: evaluation === null ? 0 : index,
    JobModifyIndex: jobModifyIndex,
    Warnings: warnings,
    ...readMeta(index),
  };
}

async function deregister(context: HttpContext, call: Call): Promise<HttpReply> {
  const purge = flagOf(call.query, "purge", false);
  const { Warnings: _, ...answer } = {
    ...jobChangedJson(await context.commands.deregisterJob(call.namespace, jobId(call.params.id ?? ""), { purge })),
  } as Record<string, unknown>;
  return answerWrite(context, call, Number(answer.Index), { ...answer, VolumeEvalID: "", VolumeEvalIndex: 0 });
}

async function check(context: HttpContext, call: Call): Promise<HttpReply> {
  const json = readFields(await readJsonBody(call.request), "the request", (fields) => fields.raw("Job"));
  const { diagnostics } = jobOf(json, call, context);
  const faults = diagnostics.filter(({ severity }) => severity === "error");
  const { index } = await read(context, call, { topics: () => [topicOf("job")], value: () => undefined });
  return jsonReply(
    {
      DriverConfigValidated: true,
      ValidationErrors: faults.length > 0 ? faults.map(sentence) : null,
      Error: faults.length > 0 ? listed(faults) : "",
      Warnings: warningsIn(diagnostics),
    },
    isPretty(context, call),
    200,
    readHeaders(context, index),
  );
}
