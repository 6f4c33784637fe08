import { readlinkSync } from "node:fs";
import { identify, type ProcessIdentity } from "@millwright/process/identity";
import { readProcess } from "@millwright/process/process-table";

/** The process that holds something, for others on its machine to see whether it still runs. */
export interface HolderProcess extends ProcessIdentity {
  /** Where the pid counts: a container has pids of its own. */
  readonly namespace: string;
}

/** This process; undefined where the machine does not tell. */
export function thisProcess(): HolderProcess | undefined {
  try {
    const identity = identify(process.pid);
    return identity && { ...identity, namespace: readlinkSync("/proc/self/ns/pid") };
  } catch {
    return undefined;
  }
}

/**
 * Whether a holder is known to have ended: it ran where this process runs, since the machine was started, and is not there
 * any more. False where that cannot be told, as of a holder on another machine or in another container.
 */
export function hasEnded(holder: HolderProcess, here: HolderProcess | undefined = thisProcess()): boolean {
  if (holder.boot !== here?.boot || holder.namespace !== here.namespace) return false;
  // /proc may hide the processes of others; the kernel says of each pid whether there is one.
  if (!isThere(holder.pid)) return true;
  const now = readProcess(holder.pid);
  return now !== undefined && (now.isZombie || now.startTime !== holder.startTime);
}

/** Reads what `JSON.stringify` made of one; undefined for anything else. */
export function parseHolderProcess(plain: unknown): HolderProcess | undefined {
  const { pid, startTime, boot, namespace } = (plain ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  if (typeof startTime !== "string" || typeof boot !== "string" || typeof namespace !== "string") return undefined;
  return { pid, startTime, boot, namespace };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
