import { commitDraft } from "@millwright/records/commit";
import type { AllocId, DeploymentId, EvalId } from "@millwright/scheduler/ids";
import type { Commands, OperatorEvent } from "../commands.ts";
import type { OrchestratorContext } from "../context.ts";
import { refusal } from "../errors.ts";
import { newEvaluation } from "../evaluation.ts";
import { collectGarbage } from "../leader/garbage.ts";
import { applyDeploymentEvent } from "../leader/deployment-event.ts";
import {
  currentVersion,
  deregisterJob,
  evaluateJob,
  registerJob,
  revertJob,
  scaleJob,
  setStable,
} from "./job-commands.ts";
import { drainNode, registerNode, setEligibility, updateAllocations } from "./node-commands.ts";

/** The commands over a store. */
export function commandsOver(context: OrchestratorContext): Commands {
  return {
    registerJob: (job, options) => registerJob(context, job, options),
    deregisterJob: (namespace, id, options) => deregisterJob(context, namespace, id, options),
    revertJob: (namespace, id, version, prior) => revertJob(context, namespace, id, version, prior),
    scaleJob: (namespace, id, group, count) => scaleJob(context, namespace, id, group, count),
    setStable: (namespace, id, version, isStable) => setStable(context, namespace, id, version, isStable),
    evaluateJob: (namespace, id) => evaluateJob(context, namespace, id),
    stopAllocation: (id) => stopAllocation(context, id),
    registerNode: (registration) => registerNode(context, registration),
    updateAllocations: (node, updates) => updateAllocations(context, node, updates),
    setEligibility: (node, isEligible) => setEligibility(context, node, isEligible),
    drainNode: (node, drain, marksEligible) => drainNode(context, node, drain, marksEligible),
    deploymentEvent: (id, event) => deploymentEvent(context, id, event),
    collectGarbage: () => collectGarbage(context, "all"),
  };
}

async function stopAllocation(context: OrchestratorContext, id: AllocId) {
  const { value, revision } = await commitDraft(context, (draft): EvalId => {
    const row = draft.row("alloc", id);
    if (!row) throw refusal("notFound", "alloc not found");
    const { allocation } = row;
    draft.put("alloc", id, { ...row, allocation: { ...allocation, shouldMigrate: true }, at: context.clock.now() });
    const current = currentVersion(draft, allocation.namespace, allocation.job);
    if (!current) throw refusal("notFound", "job not found");
    const evaluation = newEvaluation(context, current.job, "alloc-stop");
    draft.put("eval", evaluation.id, evaluation);
    return evaluation.id;
  });
  return { evaluation: value, index: context.projection.state.indexOf(revision) };
}

async function deploymentEvent(context: OrchestratorContext, id: DeploymentId, event: OperatorEvent) {
  const { value, revision } = await commitDraft(context, (draft) => {
    const record = draft.row("deployment", id);
    if (!record) throw refusal("notFound", "deployment not found");
    return applyDeploymentEvent(draft, context, record, event);
  });
  return { evaluation: value, index: context.projection.state.indexOf(revision) };
}
