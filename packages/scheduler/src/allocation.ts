import type { JobId } from "@millwright/jobs/job";
import type { AllocId, DeploymentId, NodeId } from "./ids.ts";
import type { Moment } from "./time.ts";

/** What the servers want of an allocation. */
export type DesiredStatus = "run" | "stop" | "evict";

/** What its node says of it; `lost` is said by the servers when the node is gone. */
export type ClientStatus = "pending" | "running" | "complete" | "failed" | "lost";

/** A port of the node that is an allocation's, by the label of its task or, where `task` is null, of its group. */
export interface AssignedPort {
  readonly task: string | null;
  readonly label: string;
  readonly value: number;
  /** The port inside the task; 0 for the same. */
  readonly to: number;
  readonly hostNetwork: string;
  /** Whether others may have it as well: its tasks know how to share it. */
  readonly ignoreCollision: boolean;
}

/** What an allocation holds of its node: MHz, whole cores, MiB and megabits per second. */
export interface Holding {
  readonly cpu: number;
  readonly cores: number;
  readonly memory: number;
  /** What it may take where there is some to spare; -1 without bound. Nothing is set aside for it. */
  readonly memoryMax: number;
  readonly disk: number;
  readonly mbits: number;
  readonly ports: readonly AssignedPort[];
}

/** One time that a failed allocation was placed anew. */
export interface RescheduleEvent {
  readonly at: Moment;
  readonly from: AllocId;
  readonly node: NodeId;
  /** How long was waited, in milliseconds. */
  readonly delay: number;
}

/** One run of a group's tasks on a node. It names its job by version and does not hold it. */
export interface Allocation {
  readonly id: AllocId;
  readonly namespace: string;
  readonly job: JobId;
  readonly version: number;
  readonly group: string;
  /** Its place among those of its group: `job.group[index]` is its name. */
  readonly index: number;
  readonly node: NodeId;
  readonly desired: DesiredStatus;
  readonly client: ClientStatus;
  readonly holding: Holding;
  /** Whether it came up well: by its checks for as long as its job asks, or not within the time it allows; null so far. */
  readonly healthy: boolean | null;
  readonly deployment: { readonly id: DeploymentId; readonly canary: boolean } | null;
  /** Whether a user asked for it to go elsewhere. */
  readonly shouldMigrate: boolean;
  readonly created: Moment;
  /** When its tasks had begun and ended, as far as they have. */
  readonly started: Moment | null;
  readonly finished: Moment | null;
  readonly replaces: AllocId | null;
  readonly replacedBy: AllocId | null;
  readonly reschedules: readonly RescheduleEvent[];
}

/** `job.group[index]`, as it is shown. */
export function allocationName({ job, group, index }: Pick<Allocation, "job" | "group" | "index">): string {
  return `${job}.${group}[${index}]`;
}

/** Whether its tasks have ended, or are taken to have. */
export function hasEnded({ client }: Pick<Allocation, "client">): boolean {
  return client === "complete" || client === "failed" || client === "lost";
}

/** Whether it still holds its part of the node: until its tasks have ended, also after they were asked to. */
export function holdsRoom(allocation: Pick<Allocation, "client">): boolean {
  return !hasEnded(allocation);
}
