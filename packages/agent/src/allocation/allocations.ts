import type { AllocationUpdate, NodeAllocation } from "@millwright/clients/nomad-node-protocol";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { TaskFolders, TaskHandle } from "../driver/driver.ts";
import type { AllocationHost } from "./host.ts";

/** All allocations of a node: what is to run is run, what runs is kept, what has ended is told. */
export interface Allocations {
  /** Takes the whole list of what is to be on the node. What is not in it is ended, and forgotten after a while. */
  set(wanted: readonly NodeAllocation[]): void;
  /** Starts a task anew, or all that run. Rejects with `unknown` or `notRunning`. */
  restart(allocation: string, task?: string): Promise<void>;
  /** Sends a signal (`SIGHUP`) to a task, or to all that run. Rejects with `unknown`, `notRunning`, or the driver's error. */
  signal(allocation: string, task: string | undefined, signal: string): Promise<void>;
  /** Undefined where the node has none of that id. */
  get(allocation: string): HeldAllocation | undefined;
  /** Ids of all that have a folder here. */
  ids(): readonly string[];
  /** What was last reported of each: to be told again to servers that ask for it. */
  updates(): readonly AllocationUpdate[];
  /** Forgets those that have ended, whatever the limits say: `nomad system gc` and `client gc`. */
  collectGarbage(allocation?: string): Promise<void>;
  /** Ends the agent's work on them; tasks go on running. */
  close(): Promise<void>;
  /** Ends every task; for agents that take what they have started with them. */
  stopAll(): Promise<void>;
}

/** An allocation as the node has it. */
export interface HeldAllocation {
  readonly wanted: NodeAllocation;
  readonly job: Job;
  readonly group: TaskGroup;
  readonly folder: string;
  readonly update: AllocationUpdate;
  /** By name. */
  readonly tasks: ReadonlyMap<string, HeldTask>;
}

export interface HeldTask {
  readonly folders: TaskFolders;
  /** Undefined while it does not run. */
  readonly handle: TaskHandle | undefined;
}

/** Opens the allocations below a data folder, and finds the tasks that ran there before. */
export type OpenAllocations = (host: AllocationHost) => Promise<Allocations>;
