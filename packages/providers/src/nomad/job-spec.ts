import type { JobJson } from "@millwright/clients/nomad-jobs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { systemChance, systemClock } from "@millwright/core/ports";
import { nodeFiles } from "@millwright/functions/node-files";
import { sourceFile } from "@millwright/hcl/source-file";
import { fromApi, toApi } from "@millwright/jobs/api";
import { canonical } from "@millwright/jobs/canonical";
import type { Job, JobDraft } from "@millwright/jobs/job";
import { jobFunctions } from "@millwright/jobs/job-functions";
import { readJob } from "@millwright/jobs/read-job";
import { validate } from "@millwright/jobs/validate";
import { Failure, failure, type Problem } from "@millwright/provider/problem";

/** What a `nomad_job` says of its job. */
export interface JobText {
  readonly jobspec: string;
  readonly json: boolean | null;
  readonly hcl2: readonly {
    readonly allow_fs: boolean;
    readonly vars: Readonly<Record<string, string>> | null;
  }[];
}

/** A job that was read, and how it is sent to a server. */
export interface JobSpec {
  readonly job: Job;
  /** What the file says itself, with nothing filled in. */
  readonly draft: JobDraft;
  /** In the API's JSON; a region is in it only where the file names one. */
  readonly json: JobJson;
  readonly namespace: string;
  readonly warnings: readonly Problem[];
}

/** Reads a job. Throws a failure with each fault and its place in the jobspec. */
export function readJobSpec(text: JobText): JobSpec {
  const { value, diagnostics } = text.json
    ? jsonJob(text.jobspec)
    : readJob(sourceFile(fileName, text.jobspec), inputsOf(text));
  const job = value && canonical(value.draft);
  const unread = diagnostics.some(({ severity }) => severity === "error");
  const all = [...diagnostics, ...(job && !unread ? validate(job, value.places) : [])].map(problemOf);
  const faults = all.filter(({ severity }) => severity === "error");
  if (!value || !job || faults.length > 0) throw new Failure(faults);
  const { Region, ...json } = toApi(job);
  return {
    job,
    draft: value.draft,
    json: value.draft.region ? { ...json, Region } : json,
    namespace: job.namespace,
    warnings: all,
  };
}

const fileName = "jobspec";

function inputsOf({ hcl2: [options] }: JobText) {
  const ports = { clock: systemClock, chance: systemChance };
  const files = options?.allow_fs ? { files: { port: nodeFiles(), baseDir: "." } } : {};
  return { variables: new Map(Object.entries(options?.vars ?? {})), functions: jobFunctions({ ...ports, ...files }) };
}

/** A job in the API's JSON, by itself or below `Job`. */
function jsonJob(jobspec: string) {
  let json: unknown;
  try {
    json = JSON.parse(jobspec);
  } catch (error) {
    throw failure("The jobspec is not JSON", `${messageOf(error)}. With json = true it is the API's JSON.`, [
      "jobspec",
    ]);
  }
  const { Job: below } = (json ?? {}) as { readonly Job?: unknown };
  const { value: draft, diagnostics } = fromApi(below ?? json);
  return { value: { draft, places: new Map() }, diagnostics };
}

function problemOf({ severity, summary, detail, subject }: Diagnostic): Problem {
  const line = subject && subject.filename === fileName ? ` It is on line ${subject.start.line} of the jobspec.` : "";
  return { severity, summary, detail: `${detail}${line}`, at: ["jobspec"] };
}
