import type { Job, JobId } from "@millwright/jobs/job";
import type { Allocation } from "./allocation.ts";
import type { Deployment } from "./deployment.ts";
import type { DeploymentId, NodeId } from "./ids.ts";
import type { Moment } from "./time.ts";

/** What a node has, or keeps for itself: MHz, whole cores, MiB and megabits per second. */
export interface Capacity {
  readonly cpu: number;
  readonly cores: number;
  readonly memory: number;
  readonly disk: number;
  /** 0 of a node that does not say: any bandwidth fits. */
  readonly mbits: number;
}

/** A machine that runs work, as its agent described it. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  readonly datacenter: string;
  /** The operator's own word for machines of one kind; empty for none. */
  readonly nodeClass: string;
  readonly pool: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
  readonly total: Capacity;
  readonly reserved: Capacity;
  readonly reservedPorts: readonly number[];
  /** Where ports without a number of their own come from, both ends included. */
  readonly dynamicPorts: { readonly from: number; readonly to: number };
  /** The task drivers that work on it. */
  readonly drivers: readonly string[];
  readonly status: "initializing" | "ready" | "down";
  readonly isEligible: boolean;
  /** Not null while it is being emptied: at `deadline` what is left goes at once; null waits for as long as it takes. */
  readonly drain: { readonly deadline: Moment | null; readonly ignoresSystemJobs: boolean } | null;
}

/** A job with its versions. */
export interface JobRecord {
  readonly current: number;
  readonly versions: ReadonlyMap<number, Job>;
  readonly isStopped: boolean;
}

/** All that the scheduler reads, at one moment. */
export interface Snapshot {
  readonly nodes: ReadonlyMap<NodeId, Node>;
  readonly jobs: ReadonlyMap<JobKey, JobRecord>;
  readonly deployments: ReadonlyMap<DeploymentId, Deployment>;
  /** Oldest first. */
  readonly deploymentsByJob: Lookup<JobKey, readonly Deployment[]>;
  readonly allocationsByJob: Lookup<JobKey, readonly Allocation[]>;
  readonly allocationsByNode: Lookup<NodeId, readonly Allocation[]>;
}

/** A map that is only asked for what it holds under a key. */
export type Lookup<K, V> = Pick<ReadonlyMap<K, V>, "get">;

/** A job's name in all namespaces. */
export type JobKey = string & { readonly __brand: "JobKey" };

export function jobKey(namespace: string, job: JobId): JobKey {
  return `${namespace}/${job}` as JobKey;
}

/** What a snapshot is made from. */
export interface Records {
  readonly nodes: Iterable<Node>;
  readonly jobs: Iterable<JobRecord>;
  readonly deployments: Iterable<Deployment>;
  readonly allocations: Iterable<Allocation>;
}

/** The snapshot of these records, its indexes built. */
export function snapshotOf({ nodes, jobs, deployments, allocations }: Records): Snapshot {
  const all = [...allocations];
  const rollouts = [...deployments];
  return {
    nodes: new Map([...nodes].map((node) => [node.id, node])),
    jobs: new Map([...jobs].map((record) => [keyOfJob(record), record])),
    deployments: new Map(rollouts.map((one) => [one.id, one])),
    deploymentsByJob: Map.groupBy(rollouts, ({ namespace, job }) => jobKey(namespace, job)),
    allocationsByJob: Map.groupBy(all, ({ namespace, job }) => jobKey(namespace, job)),
    allocationsByNode: Map.groupBy(all, ({ node }) => node),
  };
}

function keyOfJob({ versions, current }: JobRecord): JobKey {
  const { namespace, id } = versions.get(current)!;
  return jobKey(namespace, id);
}
