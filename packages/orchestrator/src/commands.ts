import type { NodeRegistration, AllocationUpdate } from "@millwright/clients/nomad-node-protocol";
import type { Job, JobId } from "@millwright/jobs/job";
import type { AllocId, DeploymentId, EvalId, NodeId } from "@millwright/scheduler/ids";
import type { Moment } from "@millwright/scheduler/time";

/**
 * All that changes what the jobs server keeps, beside the leader's own work. Each is one commit, checked against what it was worked
 * out on, and any server may carry it out. They reject with operational errors of `orchestratorErrors`.
 */
export interface Commands {
  /**
   * Takes a job in, or a new version of it, and has it looked at. A job that is as it was makes no version, unless less of it runs than
   * shall and nothing else will start it.
   */
  registerJob(job: Job, options: RegisterOptions): Promise<JobChanged>;
  /** Stops it; purged, it is forgotten as soon as nothing of it runs. */
  deregisterJob(namespace: string, id: JobId, options: { readonly purge: boolean }): Promise<JobChanged>;
  /** Registers an older version anew. `priorVersion`: only where the job is at that one. */
  revertJob(namespace: string, id: JobId, version: number, priorVersion: number | undefined): Promise<JobChanged>;
  scaleJob(namespace: string, id: JobId, group: string, count: number): Promise<JobChanged>;
  setStable(namespace: string, id: JobId, version: number, isStable: boolean): Promise<number>;
  /** Has it looked at again. */
  evaluateJob(namespace: string, id: JobId): Promise<JobChanged>;
  /** Ends an allocation; another takes its place. */
  stopAllocation(id: AllocId): Promise<{ readonly evaluation: EvalId; readonly index: number }>;

  registerNode(registration: NodeRegistration): Promise<number>;
  /** Takes in what a node says of its allocations; those of other nodes are refused. */
  updateAllocations(node: NodeId, updates: readonly AllocationUpdate[]): Promise<number>;
  setEligibility(node: NodeId, isEligible: boolean): Promise<number>;
  /** Empties a node, or takes it back (null). */
  drainNode(node: NodeId, drain: DrainRequest | null, marksEligible: boolean): Promise<number>;

  /** What an operator says of a rollout; refused where it cannot be. */
  deploymentEvent(
    id: DeploymentId,
    event: OperatorEvent,
  ): Promise<{ readonly evaluation: EvalId | null; readonly index: number }>;
  /** Forgets what has ended and nobody asks for any more, whatever its age. */
  collectGarbage(): Promise<void>;
}

export interface RegisterOptions {
  /** Only where the job's modify index is this one; 0 where there is to be none. */
  readonly enforceIndex?: number;
  /** Groups that are there keep their counts. */
  readonly preserveCounts?: boolean;
  readonly priority?: number;
}

export interface JobChanged {
  /** Null for a job that nothing is to be done for. */
  readonly evaluation: EvalId | null;
  /** The index of the commit. */
  readonly index: number;
  readonly jobModifyIndex: number;
  /** Why a job that is as it was has a new version; null where it has none, or differs. */
  readonly startsAgain: string | null;
}

export interface DrainRequest {
  /** When what is left goes at once; null waits for as long as it takes. */
  readonly deadline: Moment | null;
  readonly ignoresSystemJobs: boolean;
}

export type OperatorEvent =
  | { readonly kind: "promote"; readonly groups: readonly string[] | null }
  | { readonly kind: "pause" | "resume" | "fail" };
