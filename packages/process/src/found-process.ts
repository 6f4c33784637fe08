import { systemClock } from "@millwright/core/ports";
import { isAlive, type ProcessIdentity } from "./identity.ts";
import type { EndOptions } from "./process-state.ts";
import { ProcessTree } from "./tree.ts";

/** A process that some other program started, found by its identity. Its exit code is its parent's to know. */
export interface FoundProcess {
  readonly pid: number;
  isAlive(): boolean;
  /** To the whole tree; false where nothing of it runs any more. */
  signal(name: NodeJS.Signals): boolean;
  /**
   * Signals the process itself, which ends what is its own and leaves what is to outlive it; kills its whole tree when its time is
   * over. Resolves when it has ended.
   */
  end(options: EndOptions): Promise<void>;
  /** Resolves when it has ended, or rejects with the signal's reason. */
  gone(signal?: AbortSignal): Promise<void>;
}

/**
 * Finds a process again that was started with a group of its own; undefined where it has ended. Its pid alone is never
 * enough: another process may have it by now.
 */
export function findProcess(identity: ProcessIdentity): FoundProcess | undefined {
  if (!isAlive(identity)) return undefined;
  const tree = new ProcessTree(identity.pid, "group");
  const isThere = () => isAlive(identity);
  return {
    pid: identity.pid,
    isAlive: isThere,
    signal: (name) => isThere() && tree.signal(name),
    gone: async (signal) => {
      while (isThere()) await systemClock.sleep(watchMilliseconds, signal);
    },
    end: async ({ signal, graceMilliseconds }) => {
      if (isThere()) process.kill(identity.pid, signal);
      const deadline = systemClock.monotonic() + graceMilliseconds;
      while (isThere()) {
        if (systemClock.monotonic() >= deadline) tree.signal("SIGKILL");
        await systemClock.sleep(lookMilliseconds);
      }
    },
  };
}

const lookMilliseconds = 50;
/** Of one that may run for days: each look costs about 0.2 ms. */
const watchMilliseconds = 250;
