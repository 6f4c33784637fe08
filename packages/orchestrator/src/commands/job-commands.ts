import { isDeepStrictEqual } from "node:util";
import type { Job, JobId } from "@millwright/jobs/job";
import type { EvalId } from "@millwright/scheduler/ids";
import { jobKey } from "@millwright/scheduler/snapshot";
import { whyStuck } from "@millwright/scheduler/stuck";
import { commitDraft } from "@millwright/records/commit";
import type { JobChanged, RegisterOptions } from "../commands.ts";
import type { OrchestratorContext } from "../context.ts";
import { refusal } from "../errors.ts";
import { newEvaluation } from "../evaluation.ts";
import { jobKeyOf, jobVersionKey } from "../keys.ts";
import type { JobVersionRecord, Trigger } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";

/** A version of a job that there is, with the revision that made it. */
type Version = JobVersionRecord & { readonly created: number };

/** Takes in a new version of a job, unless it is as it was, and has it looked at. */
export async function registerJob(
  context: OrchestratorContext,
  job: Job,
  options: RegisterOptions,
): Promise<JobChanged> {
  return changeJob(
    context,
    job.namespace,
    job.id,
    "job-register",
    (_draft, current) => {
      if (options.enforceIndex !== undefined) enforceIndex(context, current, options.enforceIndex);
      return options.preserveCounts && current && !current.isStopped ? withCountsOf(job, current.job) : job;
    },
    options.priority,
  );
}

/** As many rollouts as are taken out with a job in one commit. */
const mostForgotten = 80;

/** Stops a job. One that is not there stays so. */
export async function deregisterJob(
  context: OrchestratorContext,
  namespace: string,
  id: JobId,
  { purge }: { readonly purge: boolean },
): Promise<JobChanged> {
  const { value, revision } = await commitDraft(context, (draft) => {
    const current = currentVersion(draft, namespace, id);
    if (!current) return { evaluation: null, created: 0 };
    if (purge) {
      draft.delete("job", jobKeyOf(namespace, id));
      draft.deleteAll("jobversion", `${jobKeyOf(namespace, id)}/`);
      for (const { key } of draft.state.derived.deploymentsOfJob(namespace, id).slice(0, mostForgotten))
        draft.delete("deployment", key);
    } else if (!current.isStopped) putVersion(draft, context, current.job, true);
    return {
      evaluation: ask(context, draft, current.job, "job-deregister"),
      created: current.isStopped ? current.created : 0,
    };
  });
  return changed(context, value.evaluation, revision, value.created);
}

/** Registers an older version anew. */
export async function revertJob(
  context: OrchestratorContext,
  namespace: string,
  id: JobId,
  version: number,
  priorVersion: number | undefined,
): Promise<JobChanged> {
  return changeJob(context, namespace, id, "job-register", (draft, current) => {
    const place = `job ${JSON.stringify(id)} in namespace ${JSON.stringify(namespace)}`;
    if (!current) throw refusal("notFound", `${place} not found`);
    if (priorVersion !== undefined && priorVersion !== current.version)
      throw refusal("conflict", `Current job has version ${current.version}; enforcing version ${priorVersion}`);
    if (version === current.version && !current.isStopped) throw refusal("refused", "can't revert to current version");
    const target = draft.row("jobversion", jobVersionKey(namespace, id, version));
    if (!target) throw refusal("notFound", `${place} at version ${version} not found`);
    return target.job;
  });
}

/** Changes how many there are to be of a group. */
export async function scaleJob(
  context: OrchestratorContext,
  namespace: string,
  id: JobId,
  group: string,
  count: number,
): Promise<JobChanged> {
  return changeJob(context, namespace, id, "job-scaling", (_draft, current) => {
    if (!current || current.isStopped) throw refusal("notFound", `job ${JSON.stringify(id)} not found`);
    const { job } = current;
    const found = job.groups.find(({ name }) => name === group);
    if (!found) throw refusal("refused", `task group ${JSON.stringify(group)} does not exist in job`);
    const [least, most] = [found.scaling?.min ?? 0, found.scaling?.max ?? Number.POSITIVE_INFINITY];
    if (count < least)
      throw refusal("refused", `group count was less than scaling policy minimum: ${count} < ${least}`);
    if (count > most)
      throw refusal("refused", `group count was greater than scaling policy maximum: ${count} > ${most}`);
    return { ...job, groups: job.groups.map((one) => (one.name === group ? { ...one, count } : one)) };
  });
}

/** Has a job looked at again. */
export async function evaluateJob(context: OrchestratorContext, namespace: string, id: JobId): Promise<JobChanged> {
  const { value, revision } = await commitDraft(context, (draft) => {
    const current = currentVersion(draft, namespace, id);
    if (!current) throw refusal("notFound", "job not found");
    return { evaluation: ask(context, draft, current.job, "job-register"), created: current.created };
  });
  return changed(context, value.evaluation, revision, value.created);
}

/** Says of a version whether it is one to go back to. Resolves to the index. */
export async function setStable(
  context: OrchestratorContext,
  namespace: string,
  id: JobId,
  version: number,
  isStable: boolean,
): Promise<number> {
  const { revision } = await commitDraft(context, (draft) => {
    const row = draft.row("job", jobKeyOf(namespace, id));
    if (!row || !draft.row("jobversion", jobVersionKey(namespace, id, version)))
      throw refusal("notFound", `job ${JSON.stringify(id)} at version ${version} not found`);
    const others = row.stable.filter((one) => one !== version);
    const stable = isStable ? [...others, version].sort((a, b) => a - b) : others;
    draft.put("job", jobKeyOf(namespace, id), { namespace, id, current: row.current, stable });
  });
  return context.projection.state.indexOf(revision);
}

/** The version of a job that holds; undefined for a job that is not there. */
export function currentVersion(draft: OrchestratorDraft, namespace: string, id: JobId): Version | undefined {
  const row = draft.row("job", jobKeyOf(namespace, id));
  return row && draft.row("jobversion", jobVersionKey(namespace, id, row.current));
}

async function changeJob(
  context: OrchestratorContext,
  namespace: string,
  id: JobId,
  trigger: Trigger,
  next: (draft: OrchestratorDraft, current: Version | undefined) => Job,
  priority?: number,
): Promise<JobChanged> {
  const { value, revision } = await commitDraft(context, (draft) => {
    const current = currentVersion(draft, namespace, id);
    const job = next(draft, current);
    const differs = !current || current.isStopped || !isDeepStrictEqual(current.job, job);
    const { snapshot } = draft.state.derived;
    const isAsked = !differs && trigger === "job-register";
    const startsAgain = (isAsked && whyStuck(snapshot, jobKey(job.namespace, job.id), context.clock.now())) || null;
    const isNew = differs || startsAgain !== null;
    if (isNew) putVersion(draft, context, job, false);
    const evaluation = ask(context, draft, priority === undefined ? job : { ...job, priority }, trigger);
    return { evaluation, created: isNew ? 0 : current.created, startsAgain };
  });
  return { ...changed(context, value.evaluation, revision, value.created), startsAgain: value.startsAgain };
}

/** Writes the next version of a job. */
export function putVersion(
  draft: OrchestratorDraft,
  { clock }: Pick<OrchestratorContext, "clock">,
  job: Job,
  isStopped: boolean,
): number {
  const { namespace, id } = job;
  const row = draft.row("job", jobKeyOf(namespace, id));
  const version = row ? row.current + 1 : firstVersion(draft, namespace, id);
  draft.put("job", jobKeyOf(namespace, id), { namespace, id, current: version, stable: row?.stable ?? [] });
  const record = { namespace, id, version, job, isStopped, submittedAt: clock.now() };
  draft.put("jobversion", jobVersionKey(namespace, id, version), record);
  return version;
}

/** Of what is left of a job of the same name that was purged nothing must look as if it were of this one. */
function firstVersion({ state }: OrchestratorDraft, namespace: string, id: JobId): number {
  const allocations = state.derived.allocationsOfJob(namespace, id).map(({ allocation }) => allocation);
  const wanted = allocations.filter(({ desired }) => desired === "run");
  const rollouts = state.derived.deploymentsOfJob(namespace, id).map(({ deployment }) => deployment);
  return [...wanted, ...rollouts].reduce((next, { version }) => Math.max(next, version + 1), 0);
}

function ask(context: OrchestratorContext, draft: OrchestratorDraft, job: Job, trigger: Trigger): EvalId {
  const evaluation = newEvaluation(context, job, trigger);
  draft.put("eval", evaluation.id, evaluation);
  return evaluation.id;
}

function enforceIndex({ projection }: OrchestratorContext, current: Version | undefined, wanted: number): void {
  const there = current ? projection.state.indexOf(current.created) : 0;
  if (there === wanted) return;
  const why =
    wanted === 0
      ? "job already exists"
      : current
        ? `job exists with conflicting job modify index: ${there}`
        : "job does not exist";
  throw refusal("conflict", `Enforcing job modify index ${wanted}: ${why}`);
}

function withCountsOf(job: Job, before: Job): Job {
  const counts = new Map(before.groups.map(({ name, count }) => [name, count]));
  return { ...job, groups: job.groups.map((one) => ({ ...one, count: counts.get(one.name) ?? one.count })) };
}

// `created` is the revision that made the version that holds; 0 for the one that this commit made.
function changed(
  { projection }: OrchestratorContext,
  evaluation: EvalId | null,
  revision: number,
  created: number,
): JobChanged {
  const { state } = projection;
  return {
    evaluation,
    index: state.indexOf(revision),
    jobModifyIndex: state.indexOf(created === 0 ? revision : created),
    startsAgain: null,
  };
}
