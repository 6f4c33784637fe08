import type { JobId } from "@millwright/jobs/job";
import { describe, expect, test } from "vitest";
import type { Deployment, GroupRollout } from "./deployment.ts";
import { type DeploymentEvent, type LastStable, nextDeadline, stepDeployment } from "./deployment-step.ts";
import { allocId, deploymentId } from "./ids.ts";

const [a, b] = [allocId("a"), allocId("b")];

function deploymentOf(group: Partial<GroupRollout> = {}): Deployment {
  const web: GroupRollout = {
    ...{ desiredTotal: 2, desiredCanaries: 0, promoted: false, autoRevert: false, autoPromote: false },
    ...{
      progressDeadline: 600_000,
      requireProgressBy: 600_000,
      placed: [a, b],
      canaries: [],
      healthy: [],
      unhealthy: [],
    },
    ...group,
  };
  return {
    ...{ id: deploymentId("d"), namespace: "default", job: "app" as JobId, version: 3 },
    ...{ status: "running", description: "Deployment is running", groups: { web } },
  };
}

const health = (allocation = a, healthy = true, at = 1_000): DeploymentEvent => ({
  ...{ kind: "health", group: "web", allocation, healthy, at },
});

function after(deployment: Deployment, events: readonly DeploymentEvent[], lastStable: LastStable = 1) {
  let [now, actions]: [Deployment, unknown[]] = [deployment, []];
  for (const event of events) {
    const step = stepDeployment(now, event, lastStable);
    if (!step.ok) return { refused: step.reason };
    [now, actions] = [step.deployment, [...actions, ...step.actions]];
  }
  return { status: now.status, description: now.description, actions };
}

const canary = { desiredCanaries: 1, canaries: [a] };
const evaluate = { kind: "evaluate" };

const cases: readonly {
  name: string;
  from: Deployment;
  events: readonly DeploymentEvent[];
  want: object;
  lastStable?: LastStable;
}[] = [
  {
    name: "the first healthy one makes room for the next",
    from: deploymentOf(),
    events: [health()],
    want: { status: "running", actions: [evaluate] },
  },
  {
    name: "the same report twice counts once",
    from: deploymentOf(),
    events: [health(), health()],
    want: { status: "running", actions: [evaluate] },
  },
  {
    name: "one that is gone counts no more",
    from: deploymentOf({ healthy: [b] }),
    events: [{ kind: "gone", group: "web", allocation: b }, health(a)],
    want: { status: "running", actions: [evaluate] },
  },
  {
    name: "it does not go back to what is the same",
    from: deploymentOf({ autoRevert: true }),
    events: [health(a, false)],
    lastStable: { sameAs: 1 },
    want: {
      status: "failed",
      description:
        "Failed due to unhealthy allocations - not rolling back to stable job version 1 as current job has same specification",
      actions: [evaluate],
    },
  },
  {
    name: "an allocation of another rollout does not count",
    from: deploymentOf(),
    events: [health(allocId("x"), false)],
    want: { status: "running", actions: [] },
  },
  {
    name: "with all healthy the version is stable",
    from: deploymentOf(),
    events: [health(a), health(b)],
    want: { status: "successful", actions: [evaluate, { kind: "markStable", version: 3 }, evaluate] },
  },
  {
    name: "one that is not healthy ends it",
    from: deploymentOf(),
    events: [health(a, false)],
    want: { status: "failed", description: "Failed due to unhealthy allocations", actions: [evaluate] },
  },
  {
    name: "and takes it back to the last stable version, where that is wanted",
    from: deploymentOf({ autoRevert: true }),
    events: [health(a, false)],
    want: {
      description: "Failed due to unhealthy allocations - rolling back to job version 1",
      actions: [{ kind: "revert", toVersion: 1 }],
    },
  },
  {
    name: "where there is no stable version it says so",
    from: deploymentOf({ autoRevert: true }),
    events: [health(a, false)],
    lastStable: null,
    want: {
      description: "Failed due to unhealthy allocations - no stable job version to auto revert to",
      actions: [evaluate],
    },
  },
  {
    name: "without progress until the deadline it fails",
    from: deploymentOf(),
    events: [
      { kind: "tick", at: 599_999 },
      { kind: "tick", at: 600_000 },
    ],
    want: { description: "Failed due to progress deadline" },
  },
  {
    name: "progress moves the deadline",
    from: deploymentOf(),
    events: [health(a, true, 500_000), { kind: "tick", at: 600_000 }],
    want: { status: "running" },
  },
  {
    name: "a pause holds the deadline",
    from: deploymentOf(),
    events: [
      { kind: "pause" },
      { kind: "tick", at: 700_000 },
      { kind: "resume", at: 700_000 },
      { kind: "tick", at: 700_001 },
    ],
    want: { status: "running", description: "Deployment is running" },
  },
  {
    name: "healthy canaries wait for a person as long as it takes",
    from: deploymentOf(canary),
    events: [health(a), { kind: "tick", at: 900_000 }],
    want: { status: "running" },
  },
  {
    name: "or promote themselves",
    from: deploymentOf({ ...canary, autoPromote: true }),
    events: [health(a)],
    want: { status: "running", description: "Deployment is running", actions: [evaluate] },
  },
  {
    name: "a user may end it",
    from: deploymentOf(),
    events: [{ kind: "fail" }],
    want: { status: "failed", description: "Deployment marked as failed" },
  },
  {
    name: "what has ended takes no orders",
    from: { ...deploymentOf(), status: "failed" },
    events: [{ kind: "promote", groups: null, at: 1 }],
    want: { refused: "The deployment has ended: it is failed." },
  },
  {
    name: "nothing is promoted where nothing waits",
    from: deploymentOf(),
    events: [{ kind: "promote", groups: null, at: 1 }],
    want: { refused: "No canaries wait for promotion." },
  },
];

describe("a step of a rollout", () => {
  test.each(cases)("$name", ({ from, events, want, lastStable }) => {
    expect(after(from, events, lastStable)).toMatchObject(want);
  });

  test("what replaces another takes its place in the account", () => {
    const placed = {
      kind: "placed",
      group: "web",
      allocation: allocId("c"),
      replaces: a,
      canary: false,
      at: 5,
    } as const;
    const step = stepDeployment(deploymentOf({ healthy: [a] }), placed, null);
    expect(step.ok && step.deployment.groups.web).toMatchObject({ placed: ["b", "c"], healthy: [] });
  });

  test("the next tick is wanted at the earliest deadline", () => {
    expect(nextDeadline(deploymentOf())).toBe(600_000);
    expect(nextDeadline(deploymentOf({ healthy: [a, b] }))).toBeUndefined();
  });
});
