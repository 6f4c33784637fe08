import type { TaskEvent } from "./nomad-records.ts";

/** The event that says best why a task is not well; undefined where none does: others only say what happens. */
export function tellingEvent(events: readonly TaskEvent[]): TaskEvent | undefined {
  // What is unhealthy may be ended for it: how it ended then is no reason.
  const verdict = events.findLastIndex(({ Type }) => Type === "Alloc Unhealthy");
  const before = verdict === -1 ? events : events.slice(0, verdict + 1);
  for (const types of telling) {
    const last = before.findLast(({ Type }) => types.includes(Type));
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
