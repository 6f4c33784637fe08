import type { TaskEvent } from "./nomad-records.ts";

/** The event that says best why a task is not well; undefined where none does: others only say what happens. */
export function tellingEvent(events: readonly TaskEvent[]): TaskEvent | undefined {
  for (const types of telling) {
    const last = events.findLast(({ Type }) => types.includes(Type));
    if (last) return last;
  }
  return undefined;
}

/** The best first. */
const telling: readonly (readonly string[])[] = [
  ["Driver Failure", "Setup Failure", "Failed Artifact Download", "Failed Validation", "Hook Failed", "Template"],
  ["Terminated"],
  ["Alloc Unhealthy", "Not Restarting"],
];
