import type { Clock, Log } from "@millwright/core/ports";
import type { TaskOutput } from "../driver/driver.ts";

/**
 * Where the output of a node's tasks goes: one process of its own for each data folder, which outlives the agent, reads the
 * tasks' FIFOs and writes their log files. This is the agent's end of it.
 */
export interface Logs {
  /**
   * Makes a task's FIFOs, where they are not there, and has them drained from now on into `<folder>/alloc/logs/<task>.stdout.N`
   * and `.stderr.N`. To be called before each start of a task, and before it is found again; twice is as once, and new limits
   * hold from then on. Rejects with `logErrors`.
   */
  attach(task: LoggedTask): Promise<TaskOutput>;
  /**
   * Of a task that has ended: resolves when what its FIFOs hold is in the files and they are closed, after
   * `detachMilliseconds` at the latest. Of one that is not attached: at once.
   */
  detach(task: LoggedName): Promise<void>;
  /** What the process says of itself; rejects where it does not answer. */
  status(): Promise<LogsStatus>;
  /** Lets go of the process. It goes on as long as a task is attached. */
  close(): Promise<void>;
}

export interface LoggedName {
  /** The allocation's id. */
  readonly allocation: string;
  readonly task: string;
}

export interface LoggedTask extends LoggedName {
  /** The allocation's own folder, absolute. Its `alloc/logs` is made where it is not there. */
  readonly folder: string;
  readonly limits: LogLimits;
}

/** The job's `logs` block, for each of stdout and stderr. */
export interface LogLimits {
  readonly maxFiles: number;
  /** MiB. */
  readonly maxFileSize: number;
}

export interface LogsStatus {
  readonly pid: number;
  /** What it understands: a process of another version of this program is replaced. */
  readonly protocol: number;
  /** Bytes resident. */
  readonly memory: number;
  readonly attached: number;
  /** Outputs that cannot be written at present: their tasks wait, and nothing of theirs is lost. */
  readonly stuck: readonly { readonly allocation: string; readonly task: string; readonly why: string }[];
}

export interface LogsPorts {
  readonly clock: Clock;
  readonly log: Log;
}

/** How long {@link Logs.detach} waits for what is left at most. */
export const detachMilliseconds = 5_000;
