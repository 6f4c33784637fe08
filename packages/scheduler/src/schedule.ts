import { isDeepStrictEqual } from "node:util";
import { assertNever, invariant } from "@millwright/core/errors";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import { Budget } from "./budget.ts";
import type { Deployment } from "./deployment.ts";
import { isActive, runningDescription } from "./deployment.ts";
import { stepDeployment } from "./deployment-step.ts";
import type { Evaluation, ScheduleOptions } from "./evaluation.ts";
import { admissionOf, feasibilityOf } from "./feasibility.ts";
import { firstGating } from "./gating.ts";
import { GroupPlacer } from "./group-placer.ts";
import type { GroupInput, GroupPlan } from "./group-plan.ts";
import { descriptions, stopAll } from "./group-plan.ts";
import type { Placement } from "./placement.ts";
import { seededRandom } from "./random.ts";
import { reconcileGroup } from "./reconcile-group.ts";
import { reconcileSystem } from "./reconcile-system.ts";
import { Selector } from "./select.ts";
import type { JobRecord, Node, Snapshot } from "./snapshot.ts";
import { jobKey } from "./snapshot.ts";
import type { Moment } from "./time.ts";

/**
 * What shall become of a job, from how things stood at one moment. Once it is applied, the same question has nothing more to
 * change until something happens or a follow-up is due. A job that the snapshot does not have is one to be stopped.
 */
export function schedule(evaluation: Evaluation, snapshot: Snapshot, options: ScheduleOptions): Placement {
  const steps = scheduleInSteps(evaluation, snapshot, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * As {@link schedule}, with a step for each allocation that is placed: whoever has all placed at once may do something else between.
 * What runs where may change meanwhile, and the answer is then of no single moment: one to look at, not to carry out.
 */
export function* scheduleInSteps(
  evaluation: Evaluation,
  snapshot: Snapshot,
  options: ScheduleOptions,
): Generator<undefined, Placement> {
  const key = jobKey(evaluation.namespace, evaluation.job);
  const record = snapshot.jobs.get(key);
  const allocations = snapshot.allocationsByJob.get(key) ?? [];
  const rollouts = snapshot.deploymentsByJob.get(key) ?? [];
  const version = record?.current ?? -1;
  const current = rollouts.findLast((one) => one.version === version);
  const scope: Scope = { snapshot, record, allocations, deployment: current, now: options.now };
  const budget = new Budget(options.most ?? Number.POSITIVE_INFINITY);
  const plans = planGroups(scope).map((plan) => cut(plan, budget));
  const begun = record ? begin(plans, record, rollouts, options) : undefined;
  const active = begun ?? (current && isActive(current) ? current : undefined);
  const selector = selectorFor(scope, plans, options);
  const placers = plans.map(
    (plan) => new GroupPlacer(plan, { snapshot, record, selector, options, deployment: active, budget }),
  );
  for (const placer of placers) yield* placer.place();
  const groups = Object.fromEntries(placers.map((placer) => [placer.group, placer.result()]));
  let grown = active;
  for (const placer of placers) grown &&= yield* placer.grow(grown);
  const cancelled = rollouts
    .filter((one) => isActive(one) && (record === undefined || record.isStopped || one.version !== version))
    .map((one) => cancel(one, record !== undefined && !record.isStopped));
  return {
    evaluation: evaluation.id,
    namespace: evaluation.namespace,
    job: evaluation.job,
    version,
    allAtOnce: record ? jobOf(record).allAtOnce : false,
    groups,
    deployments: [...cancelled, ...(grown && grown !== current && !record?.isStopped ? [grown] : [])],
    followUps: plans.flatMap(({ followUps }) => followUps),
    isPartial: budget.isSpent,
  };
}

/** What ends and what changes in its place, as far as there is room for it. */
function cut(plan: GroupPlan, budget: Budget): GroupPlan {
  const stop = budget.some(plan.stop, ({ isLost }) => (isLost ? 2 : 1));
  const inPlace = budget.some(plan.inPlace, () => 2);
  return { ...plan, stop, inPlace };
}

interface Scope {
  readonly snapshot: Snapshot;
  readonly record: JobRecord | undefined;
  readonly allocations: readonly Allocation[];
  readonly deployment: Deployment | undefined;
  readonly now: Moment;
}

/**
 * What each group needs; those that the job has no more, or all of a stopped job, need to end. Of a job that is forgotten what has
 * ended goes, too: another of the same name shall not take it for its own.
 */
function planGroups(scope: Scope): readonly GroupPlan[] {
  const { record, snapshot, allocations } = scope;
  const byGroup = Map.groupBy(allocations, ({ group }) => group);
  const groups = record && !record.isStopped ? jobOf(record).groups : [];
  const wanted = new Set(groups.map(({ name }) => name));
  const why = groups.length > 0 ? descriptions.notNeeded : descriptions.stopped;
  const leftOver = [...byGroup].flatMap(([name, members]) => {
    const live = members.filter((one) => one.desired === "run" && (!record || !hasEnded(one)));
    return wanted.has(name) || live.length === 0 ? [] : [stopAll(name, live, snapshot.nodes, why)];
  });
  return [...groups.map((group) => planGroup(group, byGroup.get(group.name) ?? [], scope)), ...leftOver];
}

function planGroup(group: TaskGroup, allocations: readonly Allocation[], scope: Scope): GroupPlan {
  const { record, snapshot, deployment, now } = scope;
  invariant(record, "only a job that is there has groups");
  const job = jobOf(record);
  const { hasPool, hasDatacenter } = admissionOf(job);
  const feasibility = feasibilityOf(job, group);
  const input: GroupInput = {
    ...{ job, version: record.current, versions: record.versions, group, allocations, deployment, now },
    deployments: snapshot.deployments,
    nodes: snapshot.nodes,
    isFeasible: (node) => hasPool(node) && hasDatacenter(node) && feasibility(node) === undefined,
  };
  switch (job.type) {
    case "service":
    case "batch":
      return reconcileGroup(input);
    case "system":
    case "sysbatch":
      return reconcileSystem({ ...input, isEmptied: (node) => runsOnlySystemJobs(node, snapshot) });
    default:
      return assertNever(job.type);
  }
}

function runsOnlySystemJobs(node: Node, { allocationsByNode, jobs }: Snapshot): boolean {
  const live = (allocationsByNode.get(node.id) ?? []).filter((one) => !hasEnded(one));
  return live.every(({ namespace, job }) => {
    const record = jobs.get(jobKey(namespace, job));
    return record !== undefined && ["system", "sysbatch"].includes(jobOf(record).type);
  });
}

/** The rollout that the plans begin, if they do. */
function begin(
  plans: readonly GroupPlan[],
  record: JobRecord,
  rollouts: readonly Deployment[],
  options: ScheduleOptions,
): Deployment | undefined {
  const parts = plans.flatMap(({ group, rollout }) => (rollout ? [[group, rollout] as const] : []));
  if (parts.length === 0) return undefined;
  const { namespace, id, gates } = jobOf(record);
  const groups = Object.fromEntries(parts);
  const gating = gates && !goesBack(record, rollouts) ? { gating: firstGating } : {};
  return {
    id: options.newDeploymentId(),
    namespace,
    job: id,
    version: record.current,
    status: "running",
    description: runningDescription({ groups, ...gating }),
    groups,
    ...gating,
  };
}

/** Whether a version takes back what a rollout before it did: no gate holds that up. */
function goesBack({ current, versions }: JobRecord, rollouts: readonly Deployment[]): boolean {
  const to = rollouts.findLast(({ version }) => version === current - 1)?.goesBackTo;
  return to !== undefined && isDeepStrictEqual(versions.get(to), versions.get(current));
}

function cancel(deployment: Deployment, isSuperseded: boolean): Deployment {
  const step = stepDeployment(deployment, { kind: isSuperseded ? "superseded" : "jobStopped" }, null);
  invariant(step.ok, "an active deployment can be cancelled");
  return step.deployment;
}

/** A selector that counts what stays; the room of what stops is free, of what is replaced only once its turn comes. */
function selectorFor(
  { snapshot, allocations }: Scope,
  plans: readonly GroupPlan[],
  options: ScheduleOptions,
): Selector {
  const live = allocations.filter((one) => one.desired === "run" && !hasEnded(one));
  const selector = new Selector(snapshot, live, seededRandom(options.seed), options.sample ?? "limited");
  const stopping = plans.flatMap(({ stop }) => stop.map(({ allocation }) => allocation));
  for (const one of stopping) if (!hasEnded(one)) selector.release(one);
  return selector;
}

function jobOf({ versions, current }: JobRecord): Job {
  const job = versions.get(current);
  invariant(job, `the job's version ${current} is not among its versions`);
  return job;
}
