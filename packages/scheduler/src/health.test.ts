import { expect, test } from "vitest";
import { type HealthEvent, type HealthState, nextHealthTick, stepHealth } from "./health.ts";

const rule = { minHealthyTime: 10, deadline: 100 };
const start: HealthState = { kind: "waiting", since: 0 };

const cases: readonly { name: string; events: readonly HealthEvent[]; want: object }[] = [
  {
    name: "it is well, but not long enough",
    events: [
      { kind: "well", at: 5 },
      { kind: "tick", at: 14 },
    ],
    want: { kind: "well" },
  },
  {
    name: "it is well for long enough",
    events: [
      { kind: "well", at: 5 },
      { kind: "tick", at: 15 },
    ],
    want: { kind: "proved" },
  },
  {
    name: "a break begins the time anew",
    events: [
      { kind: "well", at: 5 },
      { kind: "unwell", at: 9 },
      { kind: "well", at: 12 },
      { kind: "tick", at: 20 },
    ],
    want: { kind: "well", wellSince: 12 },
  },
  { name: "it is not well in time", events: [{ kind: "tick", at: 100 }], want: { kind: "failed" } },
  { name: "a task fails", events: [{ kind: "taskFailed", task: "web", at: 3 }], want: { why: 'Task "web" failed' } },
  {
    name: "the end is the end",
    events: [
      { kind: "well", at: 5 },
      { kind: "tick", at: 15 },
      { kind: "taskFailed", task: "web", at: 20 },
    ],
    want: { kind: "proved" },
  },
];

test.each(cases)("$name", ({ events, want }) => {
  expect(events.reduce<HealthState>((state, event) => stepHealth(state, event, rule), start)).toMatchObject(want);
});

test("the next tick is when the state may change by itself", () => {
  expect(nextHealthTick(start, rule)).toBe(100);
  expect(nextHealthTick({ kind: "well", since: 0, wellSince: 5 }, rule)).toBe(15);
  expect(nextHealthTick({ kind: "proved" }, rule)).toBeUndefined();
});
