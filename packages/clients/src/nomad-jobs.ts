import {
  listRequest,
  type NomadAnswer,
  type NomadApi,
  type NomadCallOptions,
  type NomadListOptions,
  type NomadReadOptions,
  segment,
} from "./nomad-api.ts";
import {
  type AllocationListStub,
  allocationListStub,
  type Deployment,
  deployment,
  type Evaluation,
  evaluation,
  type JobDispatchResponse,
  jobDispatchResponse,
  type JobListStub,
  jobListStub,
  type JobPlanResponse,
  jobPlanResponse,
  type JobRecord,
  jobRecord,
  type JobRegisterResponse,
  jobRegisterResponse,
  type JobSummary,
  jobSummary,
  type JobValidateResponse,
  jobValidateResponse,
  type JobVersions,
  jobVersions,
} from "./nomad-records.ts";
import { listOf, nullable, object } from "./nomad-wire.ts";

/** A job in the API's JSON (`toApi` of `@millwright/jobs/api` writes it). */
export type JobJson = Readonly<Record<string, unknown>>;

/** When and how a job is registered. */
export interface RegisterOptions extends NomadCallOptions {
  /** Only if the job is still at this job modify index; 0 for one that must not be there yet. */
  readonly jobModifyIndex?: number;
  /** Keep the counts that the job's groups have now. */
  readonly preserveCounts?: boolean;
  /** 1 to 100; the job's own by default. */
  readonly evaluationPriority?: number;
  /** Register it although a policy advises against it. */
  readonly policyOverride?: boolean;
  /** The file it came from, to be kept beside it. */
  readonly submission?: JobSubmission;
}

/** A job file as it was written, and the values that its variables were given. */
export interface JobSubmission {
  readonly source: string;
  readonly format: "hcl1" | "hcl2" | "json";
  readonly variables?: Readonly<Record<string, string>>;
}

export interface DispatchRequest {
  readonly payload?: Uint8Array;
  readonly meta?: Readonly<Record<string, string>>;
}

export interface ScaleRequest {
  readonly group: string;
  readonly count: number;
  readonly message?: string;
}

/** `/v1/jobs` and `/v1/job`. */
export class NomadJobs {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  list(options: NomadListOptions = {}): Promise<NomadAnswer<readonly JobListStub[]>> {
    return this.#api.read(listRequest("/v1/jobs", options), listOf(jobListStub));
  }

  /** Undefined where there is no such job. */
  get(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<JobRecord | undefined>> {
    return this.#api.find({ path: pathOf(id), options }, jobRecord);
  }

  /** Makes a job, or gives it its next version. Rejects with `refused` where it is not at the index that was named. */
  register(job: JobJson, settings: RegisterOptions = {}): Promise<JobRegisterResponse> {
    const { jobModifyIndex, preserveCounts, evaluationPriority, policyOverride, submission, ...options } = settings;
    const body = {
      Job: job,
      ...(jobModifyIndex === undefined ? {} : { EnforceIndex: true, JobModifyIndex: jobModifyIndex }),
      ...(preserveCounts ? { PreserveCounts: true } : {}),
      ...(evaluationPriority === undefined ? {} : { EvalPriority: evaluationPriority }),
      ...(policyOverride ? { PolicyOverride: true } : {}),
      ...(submission ? { Submission: submissionJson(submission) } : {}),
    };
    return this.#api.write({ path: "/v1/jobs", body, options }, jobRegisterResponse);
  }

  /** What registering a job would change, and where the scheduler would place it now. Nothing is changed. */
  plan(
    job: JobJson,
    id: string,
    settings: NomadCallOptions & { readonly diff?: boolean; readonly policyOverride?: boolean } = {},
  ): Promise<JobPlanResponse> {
    const { diff = true, policyOverride = false, ...options } = settings;
    const body = { Job: job, Diff: diff, PolicyOverride: policyOverride };
    return this.#api.write({ path: `${pathOf(id)}/plan`, body, options, repeatable: true }, jobPlanResponse);
  }

  /** What the server finds wrong with a job. */
  validate(job: JobJson, options: NomadCallOptions = {}): Promise<JobValidateResponse> {
    const request = { path: "/v1/validate/job", body: { Job: job }, options, repeatable: true };
    return this.#api.write(request, jobValidateResponse);
  }

  /** A job file as JSON, read by the server. */
  parse(source: string, settings: NomadCallOptions & ParseOptions = {}): Promise<JobJson> {
    const { canonicalize = false, variables = "", hcl1 = false, ...options } = settings;
    const body = { JobHCL: source, Canonicalize: canonicalize, Variables: variables, HCLv1: hcl1 };
    return this.#api.write({ method: "POST", path: "/v1/jobs/parse", body, options, repeatable: true }, object);
  }

  /** Stops a job; with `purge` it is forgotten, too. Resolves to the evaluation's id; empty for none. */
  async deregister(id: string, settings: NomadCallOptions & { readonly purge?: boolean } = {}): Promise<string> {
    const { purge, ...options } = settings;
    const request = { method: "DELETE", path: pathOf(id), query: { purge }, options } as const;
    return (await this.#api.write(request, jobRegisterResponse)).EvalID;
  }

  summary(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<JobSummary | undefined>> {
    return this.#api.find({ path: `${pathOf(id)}/summary`, options }, jobSummary);
  }

  /** With `all` also those of an earlier job of this id that was purged. */
  allocations(
    id: string,
    settings: NomadReadOptions & { readonly all?: boolean } = {},
  ): Promise<NomadAnswer<readonly AllocationListStub[]>> {
    const { all, ...options } = settings;
    return this.#api.read({ path: `${pathOf(id)}/allocations`, query: { all }, options }, listOf(allocationListStub));
  }

  evaluations(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<readonly Evaluation[]>> {
    return this.#api.read({ path: `${pathOf(id)}/evaluations`, options }, listOf(evaluation));
  }

  deployments(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<readonly Deployment[]>> {
    return this.#api.read({ path: `${pathOf(id)}/deployments`, options }, listOf(deployment));
  }

  /** Null where there was none yet. */
  latestDeployment(id: string, options: NomadReadOptions = {}): Promise<NomadAnswer<Deployment | null>> {
    return this.#api.read({ path: `${pathOf(id)}/deployment`, options }, nullable(deployment));
  }

  versions(
    id: string,
    settings: NomadReadOptions & { readonly diffs?: boolean } = {},
  ): Promise<NomadAnswer<JobVersions | undefined>> {
    const { diffs = false, ...options } = settings;
    return this.#api.find({ path: `${pathOf(id)}/versions`, query: { diffs }, options }, jobVersions);
  }

  /** Makes an earlier version the newest; with `from` only if the newest is still that one. */
  revert(
    id: string,
    version: number,
    settings: NomadCallOptions & { readonly from?: number } = {},
  ): Promise<JobRegisterResponse> {
    const { from, ...options } = settings;
    const body = { JobID: id, JobVersion: version, EnforcePriorVersion: from ?? null };
    return this.#api.write({ path: `${pathOf(id)}/revert`, body, options }, jobRegisterResponse);
  }

  scale(
    id: string,
    { group, count, message }: ScaleRequest,
    options: NomadCallOptions = {},
  ): Promise<JobRegisterResponse> {
    const body = { Count: count, Target: { Job: id, Group: group }, Message: message ?? "" };
    return this.#api.write({ path: `${pathOf(id)}/scale`, body, options }, jobRegisterResponse);
  }

  /** Makes a job of a parameterized one. */
  dispatch(
    id: string,
    { payload, meta }: DispatchRequest,
    options: NomadCallOptions = {},
  ): Promise<JobDispatchResponse> {
    const body = {
      JobID: id,
      ...(payload ? { Payload: Buffer.from(payload).toString("base64") } : {}),
      ...(meta ? { Meta: meta } : {}),
    };
    return this.#api.write({ path: `${pathOf(id)}/dispatch`, body, options }, jobDispatchResponse);
  }

  /** Has the scheduler look at a job again; with `forceReschedule` failed allocations do not wait for their time. */
  evaluate(
    id: string,
    settings: NomadCallOptions & { readonly forceReschedule?: boolean } = {},
  ): Promise<JobRegisterResponse> {
    const { forceReschedule = false, ...options } = settings;
    const body = { JobID: id, EvalOptions: { ForceReschedule: forceReschedule } };
    return this.#api.write({ path: `${pathOf(id)}/evaluate`, body, options }, jobRegisterResponse);
  }

  /** Starts a periodic job now. */
  forcePeriodic(id: string, options: NomadCallOptions = {}): Promise<JobRegisterResponse> {
    return this.#api.write({ path: `${pathOf(id)}/periodic/force`, options }, jobRegisterResponse);
  }
}

export interface ParseOptions {
  /** Have everything that the file leaves open filled in. */
  readonly canonicalize?: boolean;
  /** Values of the file's variables, as a variables file says them. */
  readonly variables?: string;
  readonly hcl1?: boolean;
}

function pathOf(id: string): string {
  return `/v1/job/${segment(id)}`;
}

function submissionJson({ source, format, variables }: JobSubmission) {
  return { Source: source, Format: format, ...(variables ? { VariableFlags: variables } : {}) };
}
