import { setImmediate } from "node:timers/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { hasEnded } from "@millwright/scheduler/allocation";
import { isActive } from "@millwright/scheduler/deployment";
import { jobKey, type JobKey } from "@millwright/scheduler/snapshot";
import type { Moment } from "@millwright/scheduler/time";
import { commitDraft } from "@millwright/records/commit";
import type { OrchestratorContext } from "../context.ts";
import { jobKeyOf, jobVersionKey } from "../keys.ts";
import type { EvalRecord } from "../records.ts";
import type { OrchestratorDraft, OrchestratorState } from "../state.ts";
import type { AllocationView, JobView } from "../world.ts";
import { commitAsLeader, type Leader } from "./leading.ts";
import { chunks } from "./nodes.ts";

const hour = 3_600_000;
const collectEvery = 5 * 60_000;
/** How long what is over is kept for people to look at, in milliseconds. */
const keptFor = { evaluation: hour, job: 4 * hour, node: 24 * hour, deployment: hour } as const;
/** How many versions of a job are kept beside those that are in use or proved themselves. */
const keptVersions = 6;
const perCommit = 30;
const perTurn = 500;

/** What is forgotten: the old, or all that is over. */
export type Age = "old" | "all";

/** Forgets every few minutes what is over. */
export async function keepCollecting(leader: Leader): Promise<void> {
  const { clock, log } = leader.context;
  const { signal } = leader.term;
  while (!signal.aborted) {
    await clock.sleep(collectEvery, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await collect(leader.context, "old", async (work) => {
        await commitAsLeader(leader, work);
      });
    } catch (error) {
      if (signal.aborted || !(error instanceof OperationalError)) throw error;
      log.write("warn", "orchestrator: what is over is forgotten later", { error: messageOf(error) });
    }
  }
}

/** Forgets what has ended and what nothing needs any more; any server may. */
export function collectGarbage(context: OrchestratorContext, age: Age): Promise<void> {
  return collect(context, age, async (work) => {
    await commitDraft(context, work);
  });
}

type Commit = (work: (draft: OrchestratorDraft) => void) => Promise<void>;

// In this order: what refers goes before what it refers to.
async function collect(context: OrchestratorContext, age: Age, commit: Commit): Promise<void> {
  const { projection, clock } = context;
  const isOver = (at: Moment, kept: number) => age === "all" || at <= clock.now() - kept;
  for (const sweep of [sweepJobs, sweepAllocations, sweepEvaluations, sweepDeployments, sweepVersions, sweepNodes]) {
    await projection.fresh();
    const { state } = projection;
    const removals: Removal[] = [];
    let looked = 0;
    for (const removal of sweep(state, isOver)) {
      if (removal) removals.push(removal);
      if (++looked % perTurn === 0) await setImmediate();
    }
    for (const some of chunks(removals, perCommit)) await commit((draft) => some.forEach((remove) => remove(draft)));
  }
}

type IsOver = (at: Moment, kept: number) => boolean;
/** Takes one thing out, if it is still as it was found. */
type Removal = (draft: OrchestratorDraft) => void;
/** What may go; undefined for each that stays, so that others have a turn between. */
type Sweep = Generator<Removal | undefined>;

/** Jobs that are stopped, or batch work that is done, and of which nothing runs. */
function* sweepJobs(state: OrchestratorState, isOver: IsOver): Sweep {
  for (const { namespace, id } of state.rows("job")) {
    const view = state.derived.job(namespace, id);
    yield undefined;
    if (!view || !isDead(state, view, isOver)) continue;
    yield (draft) => {
      const row = draft.row("job", jobKeyOf(namespace, id));
      if (row?.modified !== view.row.modified) return;
      draft.delete("job", row.key);
      draft.deleteAll("jobversion", `${row.key}/`);
    };
  }
}

function isDead(state: OrchestratorState, { row, current }: JobView, isOver: IsOver): boolean {
  const { namespace, id } = row;
  const allocations = state.derived.allocationsOfJob(namespace, id).map(({ allocation }) => allocation);
  const isDone =
    current.job.type === "batch" &&
    allocations.length > 0 &&
    allocations.every((one) => one.client === "complete" || one.desired !== "run");
  if (!current.isStopped && !isDone) return false;
  const waits = [...state.derived.evaluationsOfJob(namespace, id)].some(isWaiting);
  const last = Math.max(current.submittedAt, ...allocations.map(({ finished, created }) => finished ?? created));
  return !waits && allocations.every(hasEnded) && isOver(last, keptFor.job);
}

function isWaiting({ status }: EvalRecord): boolean {
  return status === "pending" || status === "blocked";
}

/** Allocations that have ended and that no decision rests on. */
function* sweepAllocations(state: OrchestratorState, isOver: IsOver): Sweep {
  for (const { key } of state.rows("alloc")) {
    const view = state.derived.allocation(key);
    yield undefined;
    if (!view || isNeeded(state, view)) continue;
    if (!isOver(Math.max(view.alloc.at, view.client?.at ?? 0), keptFor.evaluation)) continue;
    yield (draft) => {
      if (draft.row("alloc", key)?.modified !== view.alloc.modified) return;
      draft.delete("alloc", key);
      draft.delete("client", key);
    };
  }
}

function isNeeded(state: OrchestratorState, { allocation }: AllocationView): boolean {
  if (!hasEnded(allocation)) return true;
  const { namespace, job, desired, version } = allocation;
  const record = state.derived.snapshot.jobs.get(jobKey(namespace, job));
  if (!record || record.isStopped) return false;
  if (desired === "run") return allocation.client !== "lost" && record.current === version;
  const next = allocation.replacedBy === null ? undefined : state.derived.allocation(allocation.replacedBy);
  return next?.alloc.waitsFor === allocation.id;
}

/** Evaluations that have ended, with all that they placed. */
function* sweepEvaluations(state: OrchestratorState, isOver: IsOver): Sweep {
  for (const row of state.rows("eval")) {
    yield undefined;
    const isEnded = !isWaiting(row) || !state.row("job", jobKeyOf(row.namespace, row.job));
    if (!isEnded || row.status === "pending" || !isOver(row.modifiedAt, keptFor.evaluation)) continue;
    if (state.derived.allocationsOfEvaluation(row.id).length > 0) continue;
    yield (draft) => {
      if (draft.row("eval", row.id)?.modified === row.modified) draft.delete("eval", row.id);
    };
  }
}

/** Rollouts that have ended, but for that of a version that holds: whether it has failed decides what comes next. */
function* sweepDeployments(state: OrchestratorState, isOver: IsOver): Sweep {
  for (const { key, deployment, modified, modifiedAt } of state.rows("deployment")) {
    yield undefined;
    const { namespace, job, version, id } = deployment;
    const record = state.derived.snapshot.jobs.get(jobKey(namespace, job));
    const holds = record !== undefined && !record.isStopped && record.current === version;
    if (isActive(deployment) || holds || !isOver(modifiedAt, keptFor.deployment)) continue;
    if (state.derived.allocationsOfDeployment(id).some(({ allocation }) => !hasEnded(allocation))) continue;
    yield (draft) => {
      if (draft.row("deployment", key)?.modified === modified) draft.delete("deployment", key);
    };
  }
}

/** Old versions of jobs. */
function* sweepVersions(state: OrchestratorState): Sweep {
  const used = new Map<JobKey, Set<number>>();
  for (const { allocation } of state.rows("alloc")) {
    const key = jobKey(allocation.namespace, allocation.job);
    used.set(key, (used.get(key) ?? new Set()).add(allocation.version));
  }
  for (const { key, namespace, id, current, stable } of state.rows("job")) {
    yield undefined;
    const proved = stable.slice(-keptVersions);
    const needed = new Set([...proved, ...(used.get(jobKey(namespace, id)) ?? [])]);
    const versions = [...(state.derived.job(namespace, id)?.versions ?? [])];
    const old = versions.filter(({ version }) => version <= current - keptVersions && !needed.has(version));
    for (const { version } of old)
      yield (draft) => {
        const row = draft.row("job", key);
        draft.delete("jobversion", jobVersionKey(namespace, id, version));
        if (row) draft.put("job", key, { ...row, stable: row.stable.filter((one) => one !== version) });
      };
  }
}

/** Nodes that are gone, with nothing left on them. */
function* sweepNodes(state: OrchestratorState, isOver: IsOver): Sweep {
  const { nodes, allocationsByNode } = state.derived.snapshot;
  for (const { id, status } of nodes.values()) {
    yield undefined;
    const row = state.row("nodestate", id);
    const isLeft = (allocationsByNode.get(id) ?? []).every(hasEnded);
    if (status !== "down" || !row || !isLeft || !isOver(row.statusAt, keptFor.node)) continue;
    yield (draft) => {
      if (draft.row("nodestate", id)?.modified !== row.modified) return;
      for (const table of ["node", "nodestate", "nodeversion"] as const) draft.delete(table, id);
    };
  }
}
