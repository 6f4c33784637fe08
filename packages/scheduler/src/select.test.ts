import { describe, expect, test } from "vitest";
import { buckets, Cluster, jobOf, nodeOf, nodesOf } from "../test/cluster.ts";
import type { Placement } from "./placement.ts";

type Job = ReturnType<typeof jobOf>;

function placed(nodes: Parameters<typeof nodesOf> | Cluster, job: Job): { cluster: Cluster; placement: Placement } {
  const cluster = nodes instanceof Cluster ? nodes : new Cluster(nodesOf(...nodes));
  cluster.register(job);
  return { cluster, placement: cluster.evaluate() };
}

const countBy = (cluster: Cluster, of: (node: string) => string) =>
  Object.fromEntries(
    [...Map.groupBy(cluster.live(), ({ node }) => of(node))].map(([name, all]) => [name, all.length]).sort(),
  );

describe("why there is no place", () => {
  const port = { networks: [{ reservedPorts: [{ label: "db", value: 6379 }] }] };
  const cases: readonly { name: string; job: Job; want: object }[] = [
    {
      name: "too little memory",
      job: jobOf({}, {}, { resources: { memory: 9_000 } }),
      want: { nodesEvaluated: 4, nodesExhausted: 4, dimensionExhausted: { memory: 4 }, classExhausted: { big: 2 } },
    },
    {
      name: "too few cores",
      job: jobOf({}, {}, { resources: { cores: 5 } }),
      want: { dimensionExhausted: { cores: 4 } },
    },
    {
      name: "no node with the driver",
      job: jobOf({}, {}, { driver: "docker" }),
      want: { nodesFiltered: 4, constraintFiltered: { "missing drivers": 4 }, classFiltered: { big: 2 } },
    },
    {
      name: "a constraint",
      job: jobOf({ constraints: [{ lTarget: "${meta.rack}", operand: "=", rTarget: "r9" }] }),
      want: { constraintFiltered: { "${meta.rack} = r9": 4 } },
    },
    {
      name: "a datacenter without nodes",
      job: jobOf({}, { datacenters: ["asia-*", "dc9"] }),
      want: { nodesEvaluated: 0, nodesAvailable: { dc9: 0 }, nodesInPool: 4 },
    },
    {
      name: "another pool",
      job: jobOf({}, { nodePool: "gpu" }),
      want: { nodesEvaluated: 0, nodesInPool: 0 },
    },
    {
      name: "a port that is taken",
      job: jobOf(port),
      want: { dimensionExhausted: { "network: reserved port collision db=6379": 4 } },
    },
    {
      name: "hosts that are all in use",
      job: jobOf({ count: 6, constraints: [{ operand: "distinct_hosts", rTarget: "true" }] }),
      want: { constraintFiltered: { distinct_hosts: 4 }, coalescedFailures: 1 },
    },
    {
      name: "racks that are all in use",
      job: jobOf({ count: 5, constraints: [{ lTarget: "${meta.rack}", operand: "distinct_property", rTarget: "2" }] }),
      want: {
        constraintFiltered: {
          "distinct_property: ${meta.rack}=r0 used by 2 allocs": 2,
          "distinct_property: ${meta.rack}=r1 used by 2 allocs": 2,
        },
      },
    },
  ];
  test.each(cases)("$name", ({ job, want }) => {
    const nodes = nodesOf(4, (i) => ({
      nodeClass: i < 2 ? "big" : "",
      meta: { rack: `r${i % 2}` },
      reservedPorts: [6379],
    }));
    const { placement } = placed(new Cluster(nodes), job);
    expect(placement.groups.web!.failed?.metrics).toMatchObject(want);
  });

  test("nodes that are down, drained or not eligible are not looked at", () => {
    const states = [
      { status: "down" },
      { isEligible: false },
      { drain: { deadline: null, ignoresSystemJobs: false } },
    ] as const;
    const { placement } = placed([3, (i) => states[i]!], jobOf({}));
    expect(placement.groups.web!.failed?.metrics).toMatchObject({ nodesEvaluated: 0, nodesAvailable: {} });
  });
});

describe("the choice of a node", () => {
  test("full nodes come before empty ones", () => {
    const { cluster } = placed([8], jobOf({ count: 2 }, { id: "app" }));
    const used = new Set(cluster.live().map(({ node }) => node));
    // Anti-affinity keeps one group apart; another is packed onto what is in use.
    cluster.sample = "all";
    cluster.register(jobOf({ name: "other" }, {}, { resources: { cpu: 1_000, memory: 2_000 } }));
    const [one] = cluster.evaluate().groups.other!.place;
    expect(used.has(one!.allocation.node) || cluster.live().length === 1).toBe(true);
    expect(Object.keys(one!.metrics.scores[0]!.parts)).toContain("binpack");
  });

  test("those of one group are kept apart", () => {
    const { cluster } = placed([3], jobOf({ count: 3 }));
    expect(Object.values(countBy(cluster, (node) => node))).toEqual([1, 1, 1]);
  });

  test("affinities draw to nodes and away from them", () => {
    const toBig = [{ lTarget: "${node.class}", operand: "=", rTarget: "big", weight: 100 }];
    const from = [{ lTarget: "${node.class}", operand: "=", rTarget: "big", weight: -100 }];
    const nodes: Parameters<typeof nodesOf> = [20, (i) => ({ nodeClass: i === 7 ? "big" : "small" })];
    expect(placed(nodes, jobOf({ affinities: toBig })).cluster.live()[0]!.node).toBe("node-0007");
    expect(
      placed([2, (i) => ({ nodeClass: i === 0 ? "big" : "" })], jobOf({ affinities: from })).cluster.live()[0]!.node,
    ).toBe("node-0001");
  });

  test("spreads follow their percentages, or are even", () => {
    const dc = (node: string) => (Number(node.slice(-4)) % 2 === 0 ? "dc1" : "dc2");
    const nodes: Parameters<typeof nodesOf> = [10, (i) => ({ datacenter: i % 2 === 0 ? "dc1" : "dc2" })];
    const attribute = "${node.datacenter}";
    const targets = [
      { value: "dc1", percent: 70 },
      { value: "dc2", percent: 30 },
    ];
    expect(countBy(placed(nodes, jobOf({ count: 10, spreads: [{ attribute, targets }] })).cluster, dc)).toEqual({
      dc1: 7,
      dc2: 3,
    });
    expect(countBy(placed(nodes, jobOf({ count: 10, spreads: [{ attribute }] })).cluster, dc)).toEqual({
      dc1: 5,
      dc2: 5,
    });
  });

  test("where it failed it is not placed again, if there is anything else", () => {
    const reschedule = { delay: 0, delayFunction: "constant", unlimited: true };
    for (const seed of ["a", "b", "c", "d", "e", "f"]) {
      const cluster = new Cluster(nodesOf(2));
      cluster.seed = seed;
      placed(cluster, jobOf({ reschedule }));
      cluster.settle();
      const [first] = cluster.live();
      cluster.fail(first!.id);
      const { placed: again } = cluster.evaluate().groups.web!.reschedule[0]!;
      expect(again.allocation.node).not.toBe(first!.node);
    }
  });

  test("the same seed gives the same answer, another seed another", () => {
    const answer = (seed: string) => {
      const cluster = new Cluster(nodesOf(50));
      cluster.seed = seed;
      cluster.register(jobOf({ count: 5, networks: [{ dynamicPorts: [{ label: "http" }] }] }));
      return JSON.stringify(cluster.ask());
    };
    expect(answer("a")).toBe(answer("a"));
    expect(answer("a")).not.toBe(answer("b"));
  });
});

describe("ports", () => {
  test("those without a number get one, told apart by task; -1 is the same inside", () => {
    const networks = [
      { mbits: 10, dynamicPorts: [{ label: "api", to: -1 }], reservedPorts: [{ label: "db", value: 6379 }] },
    ];
    const { cluster } = placed([1], jobOf({}, {}, { resources: { networks } }));
    const { ports, mbits } = cluster.live()[0]!.holding;
    expect(mbits).toBe(10);
    const [db, api] = ports;
    expect(db).toMatchObject({ task: "web", label: "db", value: 6379 });
    expect(api!.value).toBeGreaterThanOrEqual(20_000);
    expect(api!.value).toBeLessThanOrEqual(32_000);
    expect(api!.to).toBe(api!.value);
  });

  test("a range that is nearly full is used to its last port", () => {
    const dynamicPorts = { from: 20_000, to: 20_009 };
    const { cluster, placement } = placed(
      [1, () => ({ dynamicPorts })],
      jobOf({ count: 11, networks: [{ dynamicPorts: [{ label: "http" }] }] }),
    );
    expect(new Set(cluster.live().map(({ holding }) => holding.ports[0]!.value)).size).toBe(10);
    expect(placement.groups.web!.failed?.metrics.dimensionExhausted).toEqual({
      "network: dynamic port selection failed": 1,
    });
  });

  test("one that replaces another may have its port", () => {
    const group = { networks: [{ reservedPorts: [{ label: "db", value: 6379 }] }] };
    const { cluster } = placed([1], jobOf(group));
    cluster.settle();
    cluster.register(jobOf(group, {}, { env: { V: "2" } }));
    expect(buckets(cluster.evaluate())).toEqual({ destructive: 1 });
  });

  test("bandwidth counts on a node that says how much it has", () => {
    const networks = [{ mbits: 60 }];
    const total = { ...nodeOf("n").total, mbits: 100 };
    const { placement } = placed([1, () => ({ total })], jobOf({ count: 2, networks }));
    expect(placement.groups.web!.failed?.metrics.dimensionExhausted).toEqual({ "network: bandwidth exceeded": 1 });
  });
});

test("what finds no new place gives up none of its room", () => {
  const total = { cpu: 1_000, cores: 1, memory: 8_192, disk: 10_000, mbits: 0 };
  const update = { maxParallel: 0 };
  const { cluster } = placed([1, () => ({ total })], jobOf({ count: 2, update }, {}, { resources: { cpu: 500 } }));
  cluster.register(jobOf({ count: 2, update }, {}, { resources: { cpu: 600 } }));
  const placement = cluster.evaluate();
  expect(buckets(placement)).toEqual({});
  expect(placement.groups.web!.failed).toMatchObject({ count: 2, metrics: { dimensionExhausted: { cpu: 1 } } });
});

test("what replaces another is not kept from its host by it", () => {
  const constraints = [{ operand: "distinct_hosts", rTarget: "true" }];
  const { cluster } = placed([1], jobOf({ constraints }));
  cluster.settle();
  cluster.register(jobOf({ constraints }, {}, { env: { V: "2" } }));
  expect(buckets(cluster.evaluate())).toEqual({ destructive: 1 });
});

test("whole cores are asked for by number, and what they stand for is set aside", () => {
  const { cluster, placement } = placed([1], jobOf({ count: 3 }, {}, { resources: { cores: 2 } }));
  expect(cluster.live().map(({ holding }) => holding.cpu)).toEqual([2_000, 2_000]);
  expect(placement.groups.web!.failed?.metrics.dimensionExhausted).toEqual({ cores: 1 });
});

test("tasks that run one after the other share their room", () => {
  const task = (name: string, memory: number, lifecycle?: { hook: string; sidecar?: boolean }) => ({
    ...{ name, driver: "raw_exec", resources: { cpu: 100, memory } },
    ...(lifecycle && { lifecycle }),
  });
  const tasks = [
    task("main", 500),
    task("prepare", 800, { hook: "prestart" }),
    task("log", 50, { hook: "prestart", sidecar: true }),
  ];
  const { cluster } = placed([1], jobOf({ tasks }));
  expect(cluster.live()[0]!.holding).toMatchObject({ memory: 850, cpu: 200, disk: 300 });
});
