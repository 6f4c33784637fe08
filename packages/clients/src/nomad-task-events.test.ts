import { expect, test } from "vitest";
import { tellingEvent } from "./nomad-task-events.ts";

const cases: readonly {
  readonly name: string;
  readonly events: readonly string[];
  readonly want: string | undefined;
}[] = [
  { name: "a driver's fault before an end", events: ["Driver Failure", "Terminated"], want: "Driver Failure" },
  { name: "the last end of a task that ends again and again", events: ["Started", "Terminated"], want: "Terminated" },
  {
    name: "an end before the time was over",
    events: ["Started", "Terminated", "Alloc Unhealthy"],
    want: "Terminated",
  },
  {
    name: "a check that does not pass, and not how the task was ended for it",
    events: ["Started", "Alloc Unhealthy", "Killing", "Terminated", "Killed"],
    want: "Alloc Unhealthy",
  },
  { name: "nothing where all that is known is what happens", events: ["Received", "Task Setup"], want: undefined },
];

test.each(cases)("what says why a task is not well: $name", ({ events, want }) => {
  const records = events.map((Type) => ({
    Type,
    Time: 0n,
    DisplayMessage: "",
    Message: "",
    Details: {},
    ExitCode: 0,
    Signal: 0,
  }));
  expect(tellingEvent(records)?.Type).toBe(want);
});
