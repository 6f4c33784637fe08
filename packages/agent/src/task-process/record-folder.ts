import { join } from "node:path";
import type { TaskOutput } from "../driver/driver.ts";

/**
 * Where what outlives the agent is written down for a task: in the allocation's folder, beside the tasks' own folders, for the
 * agent's user alone. No task is called like that: names of tasks are names of folders that users see.
 */
export function recordFolder(allocationFolder: string, task: string): string {
  return join(allocationFolder, recordsName, task);
}

/** The folder of an allocation that is not its tasks' business, and not shown. */
const recordsName = ".millwright";

/** The FIFOs of a task's output; in a folder of their own, since whoever watches the records is not to hear of each write. */
export function outputsOf(folder: string): TaskOutput {
  return { stdout: join(folder, "output", "stdout"), stderr: join(folder, "output", "stderr") };
}
