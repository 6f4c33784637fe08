import { minute, second } from "@millwright/jobs/nanoseconds";
import { expect, test } from "vitest";
import { decideRestart } from "./restart-policy.ts";

const policy = { attempts: 2, interval: minute, delay: 10 * second, mode: "fail", renderTemplates: false };
const within = "Restart within policy";

test.each([
  {
    name: "the first failure is tried again after the delay",
    at: { at: 1_000, fraction: 0 },
    want: { kind: "restart", after: 10_000, reason: within, tally: { count: 1, since: 0 } },
  },
  {
    name: "up to a quarter more of the delay is chance",
    at: { at: 1_000, fraction: 0.5 },
    want: { kind: "restart", after: 11_250, reason: within, tally: { count: 1, since: 0 } },
  },
  {
    name: "as many as the interval allows",
    before: { count: 1, since: 0 },
    at: { at: 50_000, fraction: 0 },
    want: { kind: "restart", after: 10_000, reason: within, tally: { count: 2, since: 0 } },
  },
  {
    name: "one more is too many",
    before: { count: 2, since: 0 },
    at: { at: 59_999, fraction: 0 },
    want: {
      kind: "giveUp",
      reason: 'Exceeded allowed attempts 2 in interval 1m0s and mode is "fail"',
      tally: { count: 3, since: 0 },
    },
  },
  {
    name: "a new interval counts anew",
    before: { count: 2, since: 0 },
    at: { at: 60_000, fraction: 0 },
    want: { kind: "restart", after: 10_000, reason: within, tally: { count: 1, since: 60_000 } },
  },
  {
    name: "with mode delay it is tried again in the next interval",
    policy: { mode: "delay" },
    before: { count: 2, since: 0 },
    at: { at: 20_000, fraction: 0.9 },
    want: {
      kind: "restart",
      after: 40_000,
      reason: "Exceeded allowed attempts, applying a delay",
      tally: { count: 3, since: 0 },
    },
  },
  {
    name: "no attempts are none",
    policy: { attempts: 0 },
    at: { at: 1_000, fraction: 0 },
    want: { kind: "giveUp", reason: "Policy allows no restarts", tally: { count: 0, since: 0 } },
  },
])("$name", ({ policy: own, before = { count: 0, since: 0 }, at, want }) => {
  expect(decideRestart({ ...policy, ...own }, before, at)).toEqual(want);
});
