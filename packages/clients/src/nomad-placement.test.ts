import { expect, test } from "vitest";
import { placementLines } from "./nomad-placement.ts";
import type { AllocationMetric } from "./nomad-records.ts";

const none: AllocationMetric = {
  ...{ NodesEvaluated: 3, NodesFiltered: 0, NodesExhausted: 0, NodesInPool: 3, NodesAvailable: { dc1: 3 } },
  ...{ ClassFiltered: {}, ConstraintFiltered: {}, ClassExhausted: {}, DimensionExhausted: {}, QuotaExhausted: [] },
  ...{ ScoreMetaData: [], AllocationTime: 0, CoalescedFailures: 0 },
};

test("a driver that no node has is told with what is there, and what docker needs", () => {
  const lines = placementLines({ ...none, NodesFiltered: 3, ConstraintFiltered: { "missing drivers": 3 } });
  expect(lines[0]).toBe('* Constraint "missing drivers": 3 nodes excluded by filter');
  expect(lines.slice(1).join(" ")).toMatch(/"node status -verbose ID".*docker\.io/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80 - 6);
});

test("nodes that get no new work are told as what to look for where none was looked at", () => {
  const lines = placementLines({ ...none, NodesEvaluated: 0, NodesAvailable: { dc1: 0 } });
  expect(lines.slice(0, 2)).toEqual([
    "* No nodes were eligible for evaluation",
    '* No nodes are available in datacenter "dc1"',
  ]);
  expect(lines.slice(2).join(" ")).toMatch(/ready and eligible\.$/);
});
