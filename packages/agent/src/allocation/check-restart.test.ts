import { second } from "@millwright/jobs/nanoseconds";
import { expect, test } from "vitest";
import { stepCheckRestart } from "./check-restart.ts";

const rule = {
  restart: { limit: 3, grace: 5 * second, ignoreWarnings: false },
  interval: 2 * second,
  startedAt: 10_000,
};
const none = { since: undefined, restarts: false, lookAt: undefined };

test.each([
  { name: "one that passes is forgotten", before: 20_000, status: "passing", at: 21_000, want: none },
  {
    name: "a failure within the grace does not count, and is looked at when that is over",
    before: undefined,
    status: "critical",
    at: 12_000,
    want: { ...none, lookAt: 15_000 },
  },
  {
    name: "the first failure counts as one of three",
    before: undefined,
    status: "critical",
    at: 20_000,
    want: { since: 20_000, restarts: false, lookAt: 24_000 },
  },
  { name: "the third restarts", before: 20_000, status: "critical", at: 24_000, want: { ...none, restarts: true } },
  { name: "a warning is a failure", before: 20_000, status: "warning", at: 24_000, want: { ...none, restarts: true } },
] as const)("$name", ({ before, status, at, want }) => {
  expect(stepCheckRestart(before, { status, at }, rule)).toEqual(want);
});

test("a warning that is to be ignored is none, and a limit of one restarts at once", () => {
  const lenient = { ...rule, restart: { ...rule.restart, ignoreWarnings: true } };
  expect(stepCheckRestart(20_000, { status: "warning", at: 30_000 }, lenient)).toEqual(none);
  const strict = { ...rule, restart: { ...rule.restart, limit: 1 } };
  expect(stepCheckRestart(undefined, { status: "critical", at: 20_000 }, strict).restarts).toBe(true);
});
