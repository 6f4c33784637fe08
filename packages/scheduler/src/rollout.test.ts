import { describe, expect, test } from "vitest";
import { atOnce, buckets, Cluster, jobOf, nodesOf } from "../test/cluster.ts";

const v = (version: string) => ({ env: { V: version } });

/** Three that are healthy in version 0. */
function three(update: object = atOnce, count = 3): Cluster {
  const cluster = new Cluster(nodesOf(4));
  cluster.register(jobOf({ count, update }));
  cluster.evaluate();
  cluster.settle();
  return cluster;
}

describe("a rollout", () => {
  test("begins with the first version, and makes it stable when all are healthy", () => {
    const cluster = three();
    expect(cluster.deployment()).toMatchObject({
      status: "successful",
      description: "Deployment completed successfully",
    });
    expect([...cluster.stable]).toEqual([0]);
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 3 });
  });

  test("replaces the next only when the last is healthy", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("2")));
    const first = cluster.evaluate();
    expect(buckets(first)).toEqual({ destructive: 1, ignore: 2 });
    expect(first.groups.web!.waiting).toBe(2);
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 3 });
    cluster.settle();
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1, ignore: 2 });
    cluster.settle();
    cluster.converge();
    expect(cluster.live().map(({ version, index }) => [version, index])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(cluster.deployment().status).toBe("successful");
  });

  test("waits for stagger between batches, and says when it goes on", () => {
    const update = { ...atOnce, stagger: 120_000_000_000 };
    const cluster = three(update);
    cluster.register(jobOf({ count: 3, update }, {}, v("2")));
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1, ignore: 2 });
    cluster.now += 10_000;
    cluster.settle();
    const early = cluster.evaluate();
    expect(buckets(early)).toEqual({ ignore: 3 });
    expect(early.followUps).toEqual([{ at: 1_120_000, group: "web", because: "stagger" }]);
    cluster.now = 1_120_000;
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1, ignore: 2 });
  });

  test("stops after the first that is not healthy, and goes back", () => {
    const update = { ...atOnce, autoRevert: true };
    const cluster = three(update);
    cluster.register(jobOf({ count: 3, update }, {}, v("bad")));
    cluster.evaluate();
    cluster.settle(({ version }) => version !== 1);
    const failed = [...cluster.deployments.values()].at(-1)!;
    expect(failed.description).toBe("Failed due to unhealthy allocations - rolling back to job version 0");
    expect(cluster.current).toBe(2);
    expect(cluster.healthy()).toBe(2);
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1, inPlace: 2 });
    cluster.settle();
    cluster.converge();
    expect(cluster.live().map(({ version, healthy }) => [version, healthy])).toEqual([
      [2, true],
      [2, true],
      [2, true],
    ]);
    expect([...cluster.stable]).toEqual([0, 2]);
  });

  test("that failed without auto_revert stays where it is", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("bad")));
    cluster.evaluate();
    cluster.settle(({ version }) => version !== 1);
    expect(cluster.deployment().description).toBe("Failed due to unhealthy allocations");
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 3 });
    expect(
      cluster
        .live()
        .map(({ version }) => version)
        .sort(),
    ).toEqual([0, 0, 1]);
  });

  test("that is paused starts nothing, and keeps replacing lost ones by what they were", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("2")));
    cluster.evaluate();
    cluster.settle();
    cluster.step(cluster.deployment().id, { kind: "pause" });
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 3 });
    const old = cluster.live().find(({ version }) => version === 0)!;
    cluster.node(old.node, { status: "down" });
    const versions = cluster.evaluate().groups.web!.place.map(({ allocation }) => allocation.version);
    expect(versions).toContain(0);
    cluster.step(cluster.deployment().id, { kind: "resume", at: cluster.now });
    cluster.settle();
    cluster.converge();
    expect(cluster.live().every(({ version }) => version === 1)).toBe(true);
  });

  test("of max_parallel 0 replaces all at once, without a deployment", () => {
    const cluster = three({ ...atOnce, maxParallel: 0 });
    expect(cluster.deployments.size).toBe(0);
    cluster.register(jobOf({ count: 3, update: { ...atOnce, maxParallel: 0 } }, {}, v("2")));
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 3 });
  });

  test("holds its batch back for what is placed anyway", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("2")));
    const { node } = cluster.live()[0]!;
    const there = cluster.live().filter((one) => one.node === node).length;
    cluster.node(node, { status: "down" });
    expect(buckets(cluster.evaluate())).toEqual({ place: there, lost: there, ignore: 3 - there });
  });

  test("that failed does not try its failed ones again", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("bad")));
    const { allocation } = cluster.evaluate().groups.web!.destructive[0]!.placed;
    cluster.report(allocation.id, false);
    cluster.fail(allocation.id);
    cluster.now += 3_600_000;
    const placement = cluster.evaluate();
    expect([buckets(placement), placement.followUps]).toEqual([{ ignore: 3 }, []]);
  });

  test("is cancelled by a newer version", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("2")));
    cluster.evaluate();
    cluster.register(jobOf({ count: 3, update: atOnce }, {}, v("3")));
    const { deployments } = cluster.evaluate();
    expect(deployments.map(({ version, description }) => [version, description])).toEqual([
      [1, "Cancelled due to newer version of job"],
      [2, "Deployment is running"],
    ]);
  });
});

describe("canaries", () => {
  const update = { ...atOnce, canary: 1 };

  test("run beside the old ones until somebody promotes them", () => {
    const cluster = three(update);
    cluster.register(jobOf({ count: 3, update }, {}, v("2")));
    const placement = cluster.evaluate();
    expect(buckets(placement)).toEqual({ canary: 1, ignore: 3 });
    expect(placement.groups.web!.canary[0]!.allocation.index).toBe(0);
    expect(cluster.deployment().description).toBe("Deployment is running but requires manual promotion");
    const { id } = cluster.deployment();
    expect(cluster.step(id, { kind: "promote", groups: null, at: cluster.now })).toBe(
      'Task group "web" has 0/1 healthy canaries. Promote it when all are healthy.',
    );
    cluster.settle();
    expect(buckets(cluster.evaluate())).toEqual({ ignore: 4 });
    expect(cluster.step(id, { kind: "promote", groups: null, at: cluster.now })).toBeUndefined();
    const next = cluster.evaluate();
    expect(buckets(next)).toEqual({ stop: 1, destructive: 1, ignore: 2 });
    cluster.settle();
    cluster.converge();
    expect(cluster.live().map(({ version }) => version)).toEqual([1, 1, 1]);
    expect(cluster.deployment().status).toBe("successful");
  });

  test("as many as the count are blue and green: the old go all at once, when the new are good", () => {
    const blueGreen = { ...atOnce, canary: 3, autoPromote: true };
    const cluster = three(blueGreen);
    cluster.register(jobOf({ count: 3, update: blueGreen }, {}, v("2")));
    expect(buckets(cluster.evaluate())).toEqual({ canary: 3, ignore: 3 });
    cluster.settle();
    expect(buckets(cluster.evaluate())).toEqual({ stop: 3, ignore: 3 });
    expect(cluster.deployment().status).toBe("successful");
  });

  test("stop when their version fails, and the old ones stay", () => {
    const cluster = three(update);
    cluster.register(jobOf({ count: 3, update }, {}, v("bad")));
    cluster.evaluate();
    cluster.settle(({ version }) => version === 0);
    expect(buckets(cluster.evaluate())).toEqual({ stop: 1, ignore: 3 });
    expect(cluster.healthy()).toBe(3);
  });

  test("that are lost are placed again, and lost old ones stay old", () => {
    const cluster = three(update);
    cluster.register(jobOf({ count: 3, update }, {}, v("2")));
    cluster.evaluate();
    cluster.settle();
    for (const node of [...cluster.nodes.values()].slice(0, 2)) cluster.node(node.name, { status: "down" });
    cluster.converge();
    expect(
      cluster
        .live()
        .map(({ version }) => version)
        .sort(),
    ).toEqual([0, 0, 0, 1]);
  });
});

describe("a change of the count", () => {
  test("leaves those that run, and uses the lowest free names", () => {
    const cluster = three();
    cluster.register(jobOf({ count: 5, update: atOnce }));
    const up = cluster.evaluate();
    expect(buckets(up)).toEqual({ place: 2, inPlace: 3 });
    expect(up.groups.web!.place.map(({ allocation }) => allocation.index)).toEqual([3, 4]);
    cluster.settle();
    cluster.register(jobOf({ count: 2, update: atOnce }));
    expect(buckets(cluster.evaluate())).toEqual({ stop: 3, inPlace: 2 });
    expect(cluster.live().map(({ index }) => index)).toEqual([0, 1]);
  });

  test("from blue to green by counts never has fewer than the old healthy ones", () => {
    const cluster = three(atOnce, 19);
    expect(cluster.healthy()).toBe(19);
    cluster.register(jobOf({ count: 20, update: atOnce }));
    cluster.evaluate();
    expect(cluster.live().filter(({ client }) => client === "running").length).toBe(19);
    cluster.settle();
    expect(cluster.healthy()).toBe(20);
  });
});
