import fc from "fast-check";
import { expect, test } from "vitest";
import { atOnce, Cluster, jobOf, nodesOf } from "../test/cluster.ts";
import type { Allocation } from "./allocation.ts";
import { overCapacity } from "./capacity.ts";
import { changesNothing } from "./placement.ts";
import { seededRandom } from "./random.ts";

/* What holds whatever happens to a cluster, from seeds. A failure prints its seed. */

const racks = 3;

/** A cluster of small nodes, so that they fill up, with a job that asks for a bit of everything. */
function clusterOf(seed: string): {
  cluster: Cluster;
  job: (version: number) => ReturnType<typeof jobOf>;
  count: number;
} {
  const random = seededRandom(seed);
  const cluster = new Cluster(
    nodesOf(3 + random.below(8), (i) => ({
      ...{ meta: { rack: `r${i % racks}` }, nodeClass: i % 2 === 0 ? "big" : "small" },
      total: { cpu: 1_000, cores: 2, memory: 1_000 + random.below(2_000), disk: 10_000, mbits: 0 },
    })),
  );
  cluster.seed = seed;
  cluster.sample = random.below(2) === 0 ? "all" : "limited";
  const count = 1 + random.below(8);
  const update = { ...atOnce, maxParallel: 1 + random.below(3), canary: random.below(3), autoPromote: true };
  const constraints = [
    ...(random.below(3) === 0 ? [{ operand: "distinct_hosts", rTarget: "true" }] : []),
    ...(random.below(3) === 0 ? [{ lTarget: "${meta.rack}", operand: "!=", rTarget: "r0" }] : []),
  ];
  const spreads = random.below(3) === 0 ? [{ attribute: "${meta.rack}" }] : [];
  const ports = random.below(2) === 0 ? { reservedPorts: [{ label: "db", value: 6_379 }] } : {};
  const networks = [{ ...ports, dynamicPorts: [{ label: "http" }] }];
  const resources = { cpu: 50 + random.below(400), memory: 64 + random.below(600) };
  const job = (version: number) =>
    jobOf({ count, update, constraints, spreads, networks }, {}, { env: { V: `${version}` }, resources });
  return { cluster, job, count };
}

/** Something happens to the cluster. */
function disturb(cluster: Cluster, random: ReturnType<typeof seededRandom>, register: () => void): void {
  const live = cluster.live();
  const one = live[random.below(live.length)];
  const nodes = [...cluster.nodes.values()];
  const { name, status } = nodes[random.below(nodes.length)]!;
  switch (random.below(7)) {
    case 0:
      return register();
    case 1:
      return cluster.node(name, { status: status === "ready" ? "down" : "ready" });
    case 2:
      return cluster.node(name, { drain: { deadline: cluster.now + 10_000, ignoresSystemJobs: false } });
    case 3:
      return cluster.node(name, { drain: null, status: "ready" });
    case 4:
      return one && cluster.fail(one.id);
    case 5:
      return cluster.settle(({ index }) => index !== 3 || random.below(2) === 0);
    default:
      cluster.now += 30_000;
  }
}

function checkRules(cluster: Cluster, fresh: ReadonlySet<string>): void {
  const live = cluster.live();
  const job = cluster.versions.get(cluster.current)!;
  const group = job.groups[0]!;
  for (const [id, all] of Map.groupBy(live, ({ node }) => node)) {
    expect(overCapacity(cluster.nodes.get(id)!, all)).toBeUndefined();
    if (group.constraints.some(({ operand }) => operand === "distinct_hosts")) expect(all).toHaveLength(1);
  }
  const isForbidden = group.constraints.some(({ operand }) => operand === "!=");
  for (const one of live) {
    const node = cluster.nodes.get(one.node)!;
    if (isForbidden) expect(node.meta.rack).not.toBe("r0");
    if (fresh.has(one.id)) expect([node.status, node.drain]).toEqual(["ready", null]);
  }
}

const runs = { numRuns: 300 };
const seeds = fc.integer({ min: 0, max: 2 ** 31 }).map(String);

test("no node holds more than it has, no port twice, and constraints hold, whatever happens; asking again changes nothing", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { cluster, job, count } = clusterOf(seed);
      const random = seededRandom(`${seed} events`);
      let version = 0;
      cluster.register(job(version));
      for (let round = 0; round < 12; round++) {
        const before = new Set<string>(cluster.allocations.keys());
        let answer = cluster.evaluate();
        // What found no room may find what another of the same answer has left; each such answer places at least one more.
        for (let more = 0; more < count && answer.groups.web!.failed; more++) answer = cluster.evaluate();
        const fresh = new Set([...cluster.allocations.keys()].filter((id) => !before.has(id)));
        checkRules(cluster, fresh);
        expect(changesNothing(cluster.ask()), "a second answer").toBe(true);
        const counted = cluster.live().filter((one) => !isCanary(cluster, one));
        expect(counted.length).toBeLessThanOrEqual(count);
        expect(new Set(counted.map(({ index }) => index)).size).toBe(counted.length);
        disturb(cluster, random, () => cluster.register(job(++version)));
      }
    }),
    runs,
  );
});

test("a rollout never has fewer healthy ones than its count without a batch, and ends with all in the new version", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = seededRandom(seed);
      const [count, maxParallel] = [1 + random.below(9), 1 + random.below(3)];
      const update = { ...atOnce, maxParallel, canary: random.below(count + 1), autoPromote: true };
      const cluster = new Cluster(nodesOf(6));
      cluster.seed = seed;
      cluster.register(jobOf({ count, update }));
      cluster.converge();
      cluster.register(jobOf({ count, update }, {}, { env: { V: "2" } }));
      for (let round = 0; round < 400 && !isDone(cluster, count); round++) {
        cluster.evaluate();
        expect(cluster.healthy()).toBeGreaterThanOrEqual(count - maxParallel);
        const waiting = cluster.live().filter(({ healthy }) => healthy === null);
        const one = waiting[random.below(waiting.length)];
        if (one) cluster.report(one.id, true);
      }
      expect(isDone(cluster, count)).toBe(true);
      expect(cluster.deployment().status).toBe("successful");
    }),
    runs,
  );
});

test("a version that never comes up costs at most a batch, and is taken back", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = seededRandom(seed);
      const [count, maxParallel] = [2 + random.below(8), 1 + random.below(3)];
      const update = { ...atOnce, maxParallel, canary: random.below(3), autoRevert: true, autoPromote: true };
      const cluster = new Cluster(nodesOf(6));
      cluster.seed = seed;
      cluster.register(jobOf({ count, update }));
      cluster.converge();
      cluster.register(jobOf({ count, update }, {}, { env: { V: "bad" } }));
      cluster.evaluate();
      cluster.settle(({ version }) => version !== 1);
      expect(cluster.healthy()).toBeGreaterThanOrEqual(count - maxParallel);
      expect(cluster.current).toBe(2);
      cluster.converge();
      expect(isDone(cluster, count)).toBe(true);
    }),
    runs,
  );
});

function isCanary(cluster: Cluster, { deployment, group }: Allocation): boolean {
  return deployment?.canary === true && cluster.deployments.get(deployment.id)?.groups[group]?.promoted === false;
}

function isDone(cluster: Cluster, count: number): boolean {
  const live = cluster.live();
  return live.length === count && live.every((one) => one.version === cluster.current && one.healthy === true);
}
