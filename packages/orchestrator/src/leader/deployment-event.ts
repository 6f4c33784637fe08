import { isDeepStrictEqual } from "node:util";
import type { Deployment } from "@millwright/scheduler/deployment";
import type { DeploymentAction, DeploymentEvent, LastStable } from "@millwright/scheduler/deployment-step";
import { stepDeployment } from "@millwright/scheduler/deployment-step";
import type { EvalId } from "@millwright/scheduler/ids";
import { jobKey } from "@millwright/scheduler/snapshot";
import type { OperatorEvent } from "../commands.ts";
import { currentVersion, putVersion } from "../commands/job-commands.ts";
import { refusal } from "../errors.ts";
import type { OrchestratorContext } from "../context.ts";
import { newEvaluation } from "../evaluation.ts";
import { jobKeyOf } from "../keys.ts";
import type { DeploymentRecord } from "../records.ts";
import type { OrchestratorDraft } from "../state.ts";

type Context = Pick<OrchestratorContext, "clock" | "chance">;

/**
 * Takes a step of a rollout that an operator asks for, with all that follows from it. Gives the evaluation that it makes, if it makes
 * one. Throws `refused` with the reason where it does not go.
 */
export function applyDeploymentEvent(
  draft: OrchestratorDraft,
  context: Context,
  record: DeploymentRecord,
  event: OperatorEvent,
): EvalId | null {
  const { deployment } = record;
  const at = context.clock.now();
  const step = stepDeployment(deployment, { ...event, at } as DeploymentEvent, lastStableOf(draft, deployment));
  if (!step.ok) throw refusal("refused", step.reason);
  return writeDeployment(draft, context, { record, deployment: step.deployment, actions: step.actions });
}

/** The version that a rollout goes back to should it fail. */
export function lastStableOf(draft: OrchestratorDraft, { namespace, job, version }: Deployment): LastStable {
  const versions = draft.state.derived.snapshot.jobs.get(jobKey(namespace, job))?.versions;
  const stable = draft.row("job", jobKeyOf(namespace, job))?.stable ?? [];
  const newest = Math.max(-1, ...stable.filter((one) => one < version && versions?.has(one)));
  if (newest < 0) return null;
  return isDeepStrictEqual(versions?.get(newest), versions?.get(version)) ? { sameAs: newest } : newest;
}

/** Writes a rollout as it is to be, and carries out what follows. */
export function writeDeployment(
  draft: OrchestratorDraft,
  context: Context,
  next: {
    readonly record: DeploymentRecord;
    readonly deployment: Deployment;
    readonly actions: readonly DeploymentAction[];
  },
): EvalId | null {
  const { record, deployment, actions } = next;
  draft.put("deployment", deployment.id, { ...record, deployment, modifiedAt: context.clock.now() });
  for (const action of actions) {
    if (action.kind === "markStable") markStable(draft, deployment, action.version);
    if (action.kind === "revert") revert(draft, context, deployment, action.toVersion);
  }
  const current = currentVersion(draft, deployment.namespace, deployment.job);
  if (actions.length === 0 || !current) return null;
  const evaluation = newEvaluation(context, current.job, "deployment-watcher", { deployment: deployment.id });
  draft.put("eval", evaluation.id, evaluation);
  return evaluation.id;
}

function markStable(draft: OrchestratorDraft, { namespace, job }: Deployment, version: number): void {
  const key = jobKeyOf(namespace, job);
  const row = draft.row("job", key);
  if (!row || row.stable.includes(version)) return;
  draft.put("job", key, { ...row, stable: [...row.stable, version].sort((a, b) => a - b) });
}

/** Registers an older version anew, unless somebody has registered another since. */
function revert(draft: OrchestratorDraft, context: Context, deployment: Deployment, toVersion: number): void {
  const { namespace, job, version } = deployment;
  const current = currentVersion(draft, namespace, job);
  const target = draft.state.derived.snapshot.jobs.get(jobKey(namespace, job))?.versions.get(toVersion);
  if (current?.version === version && !current.isStopped && target) putVersion(draft, context, target, false);
}
