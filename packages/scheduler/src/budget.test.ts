import { describe, expect, test } from "vitest";
import { atOnce, buckets, Cluster, jobOf, nodesOf } from "../test/cluster.ts";
import { placedOf, stopsOf } from "./placement.ts";

/** Asks with a bound again and again, at one moment, until there is nothing left to do; gives the sizes of the answers. */
function passes(cluster: Cluster, most: number): readonly number[] {
  cluster.most = most;
  const sizes: number[] = [];
  for (let i = 0; i < 200; i++) {
    const placement = cluster.evaluate();
    const groups = Object.values(placement.groups);
    sizes.push(groups.reduce((sum, group) => sum + placedOf(group).length + stopsOf(group).length, 0));
    if (!placement.isPartial) return sizes;
  }
  throw new Error("it never ends");
}

describe("a placement that is cut", () => {
  test("comes to the same as one that is not", () => {
    const cluster = new Cluster(nodesOf(20));
    cluster.register(jobOf({ count: 100 }));
    const sizes = passes(cluster, 20);
    expect(sizes.length).toBeGreaterThan(10);
    expect(cluster.live().map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("replaces a whole batch, not more, though it takes several answers", () => {
    const cluster = new Cluster(nodesOf(10));
    const update = { ...atOnce, maxParallel: 12 };
    cluster.register(jobOf({ count: 30, update }));
    cluster.converge();
    cluster.now += 1_000;
    cluster.register(jobOf({ count: 30, update }, {}, { env: { V: "2" } }));
    const sizes = passes(cluster, 10);
    expect(sizes.length).toBeGreaterThan(4);
    expect(cluster.live().filter(({ version }) => version === 1)).toHaveLength(12);
    expect(buckets(cluster.ask())).toEqual({ ignore: 30 });
  });

  test("ends a whole job", () => {
    const cluster = new Cluster(nodesOf(4));
    cluster.register(jobOf({ count: 50 }));
    cluster.converge();
    cluster.isStopped = true;
    expect(passes(cluster, 8)).toEqual([8, 8, 8, 8, 8, 8, 2]);
    expect(cluster.live()).toHaveLength(0);
  });

  test("goes over the nodes of a system job so many at a time", () => {
    const cluster = new Cluster(nodesOf(10));
    const update = { stagger: 60_000_000_000, maxParallel: 4 };
    cluster.register(jobOf({ update }, { type: "system" }));
    cluster.converge();
    cluster.now += 1_000;
    cluster.register(jobOf({ update }, { type: "system" }, { env: { V: "2" } }));
    passes(cluster, 5);
    expect(cluster.live().filter(({ version }) => version === 1)).toHaveLength(4);
  });

  test("writes everything that is lost, whether there is room for it elsewhere or not", () => {
    const cluster = new Cluster(nodesOf(2));
    cluster.register(jobOf({ count: 40 }));
    cluster.converge();
    cluster.node("node-0000", { status: "down" });
    cluster.node("node-0001", { isEligible: false });
    passes(cluster, 10);
    const there = [...cluster.allocations.values()].filter(({ node }) => node === "node-0000");
    expect(there.length).toBeGreaterThan(0);
    expect(there.every(({ client }) => client === "lost")).toBe(true);
  });
});
