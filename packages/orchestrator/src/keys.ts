import type { JobId } from "@millwright/jobs/job";
import { joined } from "@millwright/records/table";
import type { DeploymentId, EvalId, NodeId } from "@millwright/scheduler/ids";

/** The key of a job's record, and the name of the lists of what belongs to it. */
export function jobKeyOf(namespace: string, job: JobId): string {
  return joined(namespace, job);
}

/** The key of a version's record; versions of a job stand in their order. */
export function jobVersionKey(namespace: string, job: JobId, version: number): string {
  return `${jobKeyOf(namespace, job)}/${String(version).padStart(10, "0")}`;
}

/** The lists that records stand in (see `Table.lists`). A topic is `TABLE/LIST`. */
export const lists = {
  /** Of `alloc` and `client`. */
  onNode: (node: NodeId) => joined("node", node),
  /** Of `job`, `jobversion`, `alloc`, `client`, `eval` and `deployment`. */
  ofJob: (namespace: string, job: JobId) => joined("job", namespace, job),
  /** Of `alloc`. */
  ofEvaluation: (evaluation: EvalId) => joined("eval", evaluation),
  /** Of `alloc` and `eval`. */
  ofDeployment: (deployment: DeploymentId) => joined("deployment", deployment),
  /** Of `eval`: those that are pending; of `deployment`: those that can still go on. */
  open: "open",
  /** Of `eval`: those that wait for room. */
  blocked: "blocked",
} as const;

/** Held by the server that does the leader's work: places jobs, steps rollouts, and says which nodes are down. */
export const leaderKey = "orchestrator/leader/jobs";
