import type { NodeRegistration, TaskState, ClientStatus } from "@millwright/clients/nomad-node-protocol";
import type { Job, JobId } from "@millwright/jobs/job";
import type { Allocation } from "@millwright/scheduler/allocation";
import type { Deployment } from "@millwright/scheduler/deployment";
import type { AllocId, DeploymentId, EvalId, NodeId } from "@millwright/scheduler/ids";
import type { PlacementMetrics } from "@millwright/scheduler/metrics";
import type { Moment } from "@millwright/scheduler/time";

/** A node as it described itself; the record's key is its id. Written by the node's own request alone. */
export interface NodeRecord {
  readonly registration: NodeRegistration;
  readonly registeredAt: Moment;
}

/** What the servers know of a node beside that; the same key. */
export interface NodeStateRecord {
  readonly status: "initializing" | "ready" | "down";
  /** Why, in a sentence; empty where there is nothing to say. */
  readonly description: string;
  readonly statusAt: Moment;
  readonly isEligible: boolean;
  readonly drain: { readonly deadline: Moment | null; readonly ignoresSystemJobs: boolean } | null;
  /** The last ten, oldest first. */
  readonly events: readonly NodeEvent[];
}

export interface NodeEvent {
  readonly at: Moment;
  readonly subsystem: "Cluster" | "Drain" | "Scheduler";
  readonly message: string;
}

/**
 * Counts the placements at a node and what forbids placing there (down, drained, not eligible); the same key. A placement is
 * committed at a node only where this is as the scheduler saw it.
 */
export interface NodeVersionRecord {
  readonly count: number;
}

/** What holds of a job whatever its version; the key is `jobKey`. */
export interface JobRecord {
  readonly namespace: string;
  readonly id: JobId;
  readonly current: number;
  /** Versions whose rollout ended well: what a failed one goes back to. */
  readonly stable: readonly number[];
}

/** A version of a job: it never changes. The key is `jobVersionKey`. */
export interface JobVersionRecord {
  readonly namespace: string;
  readonly id: JobId;
  readonly version: number;
  readonly job: Job;
  /** The job is stopped in this version. */
  readonly isStopped: boolean;
  readonly submittedAt: Moment;
}

/** The servers' half of an allocation; the key is its id. */
export interface AllocRecord {
  readonly allocation: ServerHalf;
  /** Why it is wanted so: `alloc not needed due to job update`. */
  readonly description: string;
  readonly evaluation: EvalId;
  readonly nodeName: string;
  readonly metrics: PlacementMetrics;
  /** How long the scheduler took to choose its node, in nanoseconds: the mean of those that it placed with it. */
  readonly choiceTime: number;
  /** What has to have ended before it starts. */
  readonly waitsFor: AllocId | null;
  readonly at: Moment;
}

/** An allocation without what its node says of it. */
export type ServerHalf = Omit<Allocation, "client" | "healthy" | "started" | "finished">;

/** The node's half of an allocation; the same key. The servers write it where the node is lost. */
export interface ClientRecord {
  readonly node: NodeId;
  readonly namespace: string;
  readonly job: JobId;
  readonly status: ClientStatus;
  readonly description: string;
  readonly tasks: Readonly<Record<string, TaskState>>;
  readonly health: { readonly healthy: boolean; readonly at: Moment; readonly why: string } | null;
  readonly started: Moment | null;
  readonly finished: Moment | null;
  readonly at: Moment;
}

/** Why an evaluation is there, in Nomad's words. */
export type Trigger =
  | "job-register"
  | "job-deregister"
  | "job-scaling"
  | "node-update"
  | "node-drain"
  | "alloc-stop"
  | "alloc-failure"
  | "deployment-watcher"
  | "rolling-update"
  | "queued-allocs"
  | "scheduled"
  | "max-plan-attempts"
  | "failed-follow-up";

export type EvalStatus = "pending" | "blocked" | "complete" | "failed" | "canceled";

/** One look at whether a job is as it should be; the key is its id. */
export interface EvalRecord {
  readonly id: EvalId;
  readonly namespace: string;
  readonly job: JobId;
  readonly type: string;
  readonly priority: number;
  readonly trigger: Trigger;
  readonly node: NodeId | null;
  readonly deployment: DeploymentId | null;
  readonly status: EvalStatus;
  readonly description: string;
  /** Not before this. */
  readonly waitUntil: Moment | null;
  readonly next: EvalId | null;
  readonly previous: EvalId | null;
  /** The one that waits for room, where some found none. */
  readonly blocked: EvalId | null;
  /** Groups that found no place, and what was in the way. */
  readonly failed: Readonly<Record<string, { readonly count: number; readonly metrics: PlacementMetrics }>>;
  /** How many of each group still wait. */
  readonly queued: Readonly<Record<string, number>>;
  /** The public index that it was worked out on. */
  readonly snapshotIndex: number;
  readonly createdAt: Moment;
  readonly modifiedAt: Moment;
}

/** A rollout; the key is its id. */
export interface DeploymentRecord {
  readonly deployment: Deployment;
  readonly createdAt: Moment;
  readonly modifiedAt: Moment;
}

/** The public half of a key that a server signs identities with; the record's key is its `kid`. The private half never leaves its server. */
export interface SignerRecord {
  readonly jwk: Readonly<Record<string, string>>;
  /** Until when what it signed may hold. */
  readonly until: Moment;
}
