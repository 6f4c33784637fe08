import { describe, expect, test } from "vitest";
import { atOnce, buckets, Cluster, jobOf, nodeOf, nodesOf } from "../test/cluster.ts";

const second = 1_000_000_000;

function running(
  count: number,
  group: Parameters<typeof jobOf>[0] = {},
  rest: Parameters<typeof jobOf>[1] = {},
): Cluster {
  const cluster = new Cluster(nodesOf(3));
  cluster.register(jobOf({ count, update: atOnce, ...group }, rest));
  cluster.converge();
  return cluster;
}

describe("service jobs", () => {
  test("what is on a lost node is placed elsewhere", () => {
    const cluster = running(3);
    const { node } = cluster.live()[0]!;
    const there = cluster.live().filter((one) => one.node === node).length;
    cluster.node(node, { status: "down" });
    expect(buckets(cluster.evaluate())).toEqual({ lost: there, place: there, ...(there < 3 && { ignore: 3 - there }) });
    expect(cluster.live().map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(cluster.live().some((one) => one.node === node)).toBe(false);
  });

  test("what fails waits longer each time before it is placed anew", () => {
    const reschedule = { delay: 30 * second, delayFunction: "exponential", maxDelay: 100 * second, unlimited: true };
    const cluster = running(1, { reschedule });
    const waits = [];
    for (let round = 0; round < 4; round++) {
      cluster.fail(cluster.live()[0]!.id);
      const [followUp] = cluster.evaluate().followUps;
      waits.push(followUp!.at - cluster.now);
      cluster.now = followUp!.at;
      expect(buckets(cluster.evaluate())).toEqual({ reschedule: 1 });
      cluster.settle();
    }
    expect(waits).toEqual([30_000, 60_000, 100_000, 100_000]);
    expect(cluster.live()[0]!.reschedules).toHaveLength(4);
  });

  test("what a failed rollout brought up well is placed anew when it fails later; what never came up is not", () => {
    const reschedule = { delay: 0, delayFunction: "constant", unlimited: true };
    const cluster = new Cluster(nodesOf(3));
    cluster.register(jobOf({ count: 2, update: { ...atOnce, maxParallel: 2 }, reschedule }));
    cluster.evaluate();
    const [well, ill] = cluster.live();
    cluster.report(well!.id, true);
    cluster.report(ill!.id, false);
    expect(cluster.deployment().status).toBe("failed");
    cluster.fail(ill!.id);
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 2 });
    cluster.fail(well!.id);
    expect(buckets(cluster.evaluate())).toEqual({ reschedule: 1, ignore: 1 });
  });

  test("what failed too often stays as it is", () => {
    const reschedule = { delay: 0, delayFunction: "constant", attempts: 2, interval: 3_600 * second, unlimited: false };
    const cluster = running(1, { reschedule });
    const seen = [];
    for (let round = 0; round < 3; round++) {
      cluster.fail([...cluster.allocations.values()].at(-1)!.id);
      seen.push(buckets(cluster.evaluate()));
      cluster.settle();
    }
    expect(seen).toEqual([{ reschedule: 1 }, { reschedule: 1 }, { ignore: 1 }]);
  });

  test("a drained node is left as many at a time as migrate says, and at once at its deadline", () => {
    const cluster = new Cluster(nodesOf(1));
    cluster.register(jobOf({ count: 4, update: atOnce, migrate: { maxParallel: 2 } }));
    cluster.converge();
    for (const node of nodesOf(3).slice(1)) cluster.nodes.set(node.id, node);
    cluster.node("node-0000", { drain: { deadline: cluster.now + 60_000, ignoresSystemJobs: false } });
    const first = cluster.evaluate();
    expect(buckets(first)).toEqual({ migrate: 2, ignore: 2 });
    expect(first.followUps[0]).toEqual({ at: cluster.now + 60_000, group: "web", because: "drain deadline" });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 4 });
    cluster.now += 60_000;
    expect(buckets(cluster.evaluate())).toEqual({ migrate: 2, ignore: 2 });
  });

  test("at the deadline of a drain what finds no place elsewhere goes, too, and is missing", () => {
    const cluster = new Cluster(nodesOf(1));
    cluster.register(jobOf({ count: 2, update: atOnce }));
    cluster.converge();
    const deadline = cluster.now + 60_000;
    cluster.node("node-0000", { drain: { deadline, ignoresSystemJobs: false } });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 1 });
    expect(cluster.live()).toHaveLength(2);
    cluster.now = deadline;
    const last = cluster.evaluate();
    expect(buckets(last)).toEqual({ stop: 2 });
    expect(last.groups.web!.failed).toMatchObject({ count: 2 });
    expect(cluster.evaluate().groups.web!.failed).toMatchObject({ count: 2 });
    cluster.nodes.set(nodeOf("new").id, nodeOf("new"));
    expect(buckets(cluster.evaluate())).toEqual({ place: 2 });
  });

  test("what a user asks to go elsewhere goes at once", () => {
    const cluster = running(2);
    cluster.change(cluster.live()[0]!.id, { shouldMigrate: true });
    expect(buckets(cluster.evaluate())).toEqual({ migrate: 1, ignore: 1 });
  });

  test("a stopped job stops all, and its rollout is cancelled", () => {
    const cluster = new Cluster(nodesOf(3));
    cluster.register(jobOf({ count: 3, update: atOnce }));
    cluster.evaluate();
    cluster.isStopped = true;
    const placement = cluster.evaluate();
    expect(buckets(placement)).toEqual({ stop: 3 });
    expect(placement.deployments[0]!.description).toBe("Cancelled because job is stopped");
    expect(cluster.evaluate().groups).toEqual({});
  });

  test("a group that the job has no more is stopped", () => {
    const cluster = running(2);
    cluster.register(jobOf({ name: "other", count: 1 }));
    const placement = cluster.evaluate();
    expect(buckets(placement, "web")).toEqual({ stop: 2 });
    expect(buckets(placement, "other")).toEqual({ place: 1 });
  });

  test("what may not stay where it is is replaced, though its tasks are the same", () => {
    const cluster = running(1);
    cluster.register(jobOf({ count: 1, update: atOnce }, { datacenters: ["dc2"] }));
    cluster.nodes.set(nodeOf("far").id, nodeOf("far", { datacenter: "dc2" }));
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1 });
    expect(cluster.live()[0]!.node).toBe("far");
  });

  test("what finds no new place keeps its old one", () => {
    const cluster = running(1);
    cluster.register(jobOf({ count: 1, update: atOnce }, { datacenters: ["dc2"] }));
    const placement = cluster.evaluate();
    expect(buckets(placement)).toEqual({});
    expect(placement.groups.web!.failed).toMatchObject({ count: 1, metrics: { nodesAvailable: { dc2: 0 } } });
    expect(cluster.live()).toHaveLength(1);
  });
});

describe("batch jobs", () => {
  const batch = { type: "batch" } as const;

  test("what is complete is not run again, but by a new version", () => {
    const cluster = new Cluster(nodesOf(2));
    cluster.register(jobOf({ count: 2 }, batch));
    expect(buckets(cluster.evaluate())).toEqual({ place: 2 });
    for (const { id } of cluster.live()) cluster.change(id, { client: "complete", finished: cluster.now });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 2 });
    cluster.node("node-0000", { status: "down" });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 2 });
    cluster.node("node-0000", { status: "ready" });
    cluster.register(jobOf({ count: 2 }, batch, { env: { V: "2" } }));
    expect(buckets(cluster.evaluate())).toEqual({ place: 2 });
  });

  test("on a drained node they may finish until the deadline", () => {
    const cluster = new Cluster(nodesOf(2));
    cluster.register(jobOf({ count: 1 }, batch));
    cluster.evaluate();
    const { node } = cluster.live()[0]!;
    cluster.node(node, { drain: { deadline: cluster.now + 5_000, ignoresSystemJobs: false } });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 1 });
    cluster.now += 5_000;
    expect(buckets(cluster.evaluate())).toEqual({ migrate: 1 });
  });
});

describe("jobs on every node", () => {
  const system = { type: "system" } as const;
  const constraints = [{ lTarget: "${meta.role}", rTarget: "db", operand: "!=" }];

  test("run once on each node that may run them, also on a new one", () => {
    const cluster = new Cluster([...nodesOf(3), nodeOf("db", { meta: { role: "db" } })]);
    cluster.register(jobOf({ count: 1, constraints }, system));
    expect(buckets(cluster.evaluate())).toEqual({ place: 3 });
    cluster.settle();
    cluster.nodes.set(nodeOf("new").id, nodeOf("new"));
    expect(buckets(cluster.evaluate())).toEqual({ place: 1, ignore: 3 });
    cluster.node("new", { status: "down" });
    expect(buckets(cluster.evaluate())).toEqual({ lost: 1, ignore: 3 });
  });

  test("change so many nodes at a time, stagger apart", () => {
    const update = { maxParallel: 2, stagger: 30 * second };
    const cluster = new Cluster(nodesOf(3));
    cluster.register(jobOf({ count: 1, update }, system));
    cluster.evaluate();
    cluster.settle();
    cluster.register(jobOf({ count: 1, update }, system, { env: { V: "2" } }));
    const first = cluster.evaluate();
    expect(buckets(first)).toEqual({ destructive: 2, ignore: 1 });
    expect(first.followUps).toEqual([{ at: cluster.now + 30_000, group: "web", because: "stagger" }]);
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 3 });
    cluster.now += 30_000;
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1, ignore: 2 });
  });

  test("say on how many nodes there is no room", () => {
    const cluster = new Cluster(nodesOf(3));
    cluster.register(jobOf({ count: 1 }, system, { resources: { memory: 10_000 } }));
    const { failed } = cluster.evaluate().groups.web!;
    expect(failed).toMatchObject({ count: 3, metrics: { nodesExhausted: 3, dimensionExhausted: { memory: 3 } } });
  });

  test("of the kind that ends are not run again where they ended", () => {
    const cluster = new Cluster(nodesOf(2));
    cluster.register(jobOf({ count: 1 }, { type: "sysbatch" }));
    cluster.evaluate();
    for (const { id } of cluster.live()) cluster.change(id, { client: "complete", finished: cluster.now });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 2 });
  });

  test("leave a drained node last", () => {
    const cluster = new Cluster(nodesOf(1));
    cluster.register(jobOf({ count: 1 }, system));
    cluster.converge();
    cluster.node("node-0000", { drain: { deadline: null, ignoresSystemJobs: false } });
    expect(buckets(cluster.evaluate())).toEqual({ stop: 1 });
  });
});
