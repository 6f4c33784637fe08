import type { Json } from "@millwright/jobs/shape";

/**
 * What runs tasks of one kind. A task outlives the agent: whatever is needed to find it again is in its handle's `saved`, which the
 * agent writes to disk before the task counts as started, and with which an agent that was started anew calls {@link recover}.
 */
export interface TaskDriver {
  /** As jobs name it: `raw_exec`. */
  readonly name: string;
  /** Whether it works on this machine, looked at anew at each call. */
  fingerprint(): Promise<DriverFingerprint>;
  /**
   * Starts a task; resolves when it runs. Rejects with an operational error of `driverErrors` that says what, where and what to do:
   * `configuration` where the job has to change, `missing` where the machine lacks something, `failed` where another try may help.
   */
  start(launch: TaskLaunch): Promise<TaskHandle>;
  /** Finds a task again, also one that has ended meanwhile; undefined where nothing is known of it. */
  recover(saved: SavedHandle, launch: TaskLaunch): Promise<TaskHandle | undefined>;
}

export interface DriverFingerprint {
  readonly detected: boolean;
  readonly healthy: boolean;
  /** Why, in a sentence: `Healthy`, or what is missing and what to do. */
  readonly description: string;
  /** `driver.docker.version` … */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A task as a driver starts it: everything is interpolated, folders are there, templates are rendered. */
export interface TaskLaunch {
  readonly allocation: string;
  readonly group: string;
  readonly task: string;
  /** The job's `config` block. */
  readonly config: Readonly<Record<string, Json>>;
  readonly user: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly folders: TaskFolders;
  readonly resources: TaskResources;
  readonly ports: readonly TaskPort[];
  /** Where its output goes; opened before the start. */
  readonly output: TaskOutput;
  /** Called with what a long start is at: an image that is loaded or pulled. */
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Absolute paths. */
export interface TaskFolders {
  /** The allocation's own folder, which holds the others. */
  readonly allocation: string;
  /** Shared by its tasks (`alloc/`). */
  readonly shared: string;
  readonly task: string;
  readonly local: string;
  readonly secrets: string;
}

/** MHz and MiB; `memoryMax` 0 for none, -1 without bound. */
export interface TaskResources {
  readonly cpu: number;
  readonly cores: number;
  readonly memory: number;
  readonly memoryMax: number;
}

export interface TaskPort {
  readonly label: string;
  /** On the node. */
  readonly value: number;
  /** Inside the task; 0 for the same. */
  readonly to: number;
  readonly hostAddress: string;
}

/** FIFOs that the node's log process drains: what is written there outlives the agent. */
export interface TaskOutput {
  readonly stdout: string;
  readonly stderr: string;
  /**
   * For drivers whose tasks cannot write into FIFOs: the log process itself reads what a container writes, from where it was,
   * until the container ends. Twice is as once; another container of the task takes the place of the one before.
   */
  readonly follow?: (container: FollowedContainer) => Promise<Following>;
}

export interface Following {
  /** Of a container that has ended: resolves when all it wrote is in the log, after a few seconds at the latest. */
  drained(): Promise<void>;
}

export interface FollowedContainer {
  /** The container engine's: `unix:///run/docker.sock`. */
  readonly endpoint: string;
  readonly id: string;
}

/** JSON that the driver alone reads, and no secret in it. */
export type SavedHandle = { readonly driver: string; readonly version: number } & Readonly<Record<string, Json>>;

/** A task that runs, or has ended. */
export interface TaskHandle {
  readonly saved: SavedHandle;
  /** When it began; milliseconds since 1970. */
  readonly startedAt: number;
  /** Resolves with its end, also where that was while no agent ran; never rejects. */
  readonly ended: Promise<TaskExit>;
  /** Sends a signal to its main process (`SIGUSR1`). Of one that has ended: nothing. */
  signal(name: string): Promise<void>;
  /** Sends the signal, waits, kills everything it has started. Resolves with its end. */
  stop(options: { readonly signal: string; readonly timeoutMilliseconds: number }): Promise<TaskExit>;
  /** Undefined once it has ended. */
  stats(): Promise<TaskStats | undefined>;
  /** Removes what is left of it after its end: container, cgroup. */
  destroy(): Promise<void>;
}

export interface TaskExit {
  readonly exitCode: number;
  /** The number of the signal that ended it, or 0. */
  readonly signal: number;
  readonly oomKilled: boolean;
  /** When; milliseconds since 1970. */
  readonly at: number;
  /** Why nothing better is known: its folder is gone, the machine was started anew. Empty otherwise. */
  readonly lost: string;
}

export interface TaskStats {
  /** Bytes resident, of all its processes. */
  readonly memory: number;
  /** Of one core. */
  readonly cpuPercent: number;
  /** Nanoseconds used in all. */
  readonly cpuTotal: number;
  readonly pids: readonly number[];
  readonly at: number;
}
