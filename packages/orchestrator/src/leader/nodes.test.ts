import { jobId } from "@millwright/jobs/job";
import { nodeId } from "@millwright/scheduler/ids";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, describe, expect, test } from "vitest";
import { atOnce, type Cluster, healthy, jobOf, live, openCluster, rollout, until } from "../../test/cluster.ts";
import type { SimulatedNodeOptions } from "../../test/simulated-node.ts";

const open: Cluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

async function start(nodes: number, node: Partial<SimulatedNodeOptions> = {}): Promise<Cluster> {
  const cluster = await openCluster();
  open.push(cluster);
  for (let i = 1; i <= nodes; i++) await cluster.join(`n${i}`, node);
  return cluster;
}

const stateOf = ({ context }: Cluster, id: string) => context.projection.state.row("nodestate", id);
const onNode = (cluster: Cluster, id: string) => live(cluster).filter(({ allocation }) => allocation.node === id);
const blockedIn = ({ context }: Cluster) => [...context.projection.state.list("eval", "blocked")];
const pendingIn = ({ context }: Cluster) => [...context.projection.state.list("eval", "open")];

describe("a node that is not heard of", () => {
  test("is down within a second, and its work is placed elsewhere", async () => {
    const cluster = await start(3);
    await cluster.commands.registerJob(jobOf({ count: 6 }), {});
    await until(cluster, () => healthy(cluster) === 6);
    const lost = live(cluster)[0]!.allocation.node;
    await cluster.nodes.get(lost)!.cut();
    cluster.membership.set(lost, false);
    await until(cluster, () => healthy(cluster) === 6 && onNode(cluster, lost).length === 0, 1_000);
    expect(stateOf(cluster, lost)).toMatchObject({ status: "down" });
    const gone = cluster.context.projection.state.derived.allocationsOnNode(nodeId(lost));
    for (const { allocation, alloc } of gone) {
      expect(allocation).toMatchObject({ desired: "stop", client: "lost" });
      expect(alloc.description).toBe("alloc is lost since its node is down");
    }
  });

  test("finds at its return that its work is elsewhere: nothing runs twice", async () => {
    const cluster = await start(2);
    await cluster.commands.registerJob(jobOf({ count: 4 }), {});
    await until(cluster, () => healthy(cluster) === 4);
    const lost = live(cluster)[0]!.allocation.node;
    const node = cluster.nodes.get(lost)!;
    await node.cut();
    cluster.membership.set(lost, false);
    await until(cluster, () => healthy(cluster) === 4 && onNode(cluster, lost).length === 0);
    expect(node.running.length).toBeGreaterThan(0);
    node.start();
    cluster.membership.set(lost, true);
    await until(cluster, () => stateOf(cluster, lost)?.status === "ready" && node.running.length === 0);
    const running = [...cluster.nodes.values()].flatMap(({ running: some }) => some);
    expect(running).toHaveLength(4);
    expect(new Set(running.map(({ allocation }) => allocation.index)).size).toBe(4);
  });

  test("keeps its work where it was away for a moment alone", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(jobOf({ count: 2 }), {});
    await until(cluster, () => healthy(cluster) === 2);
    const before = live(cluster).map(({ allocation }) => allocation.id);
    for (let i = 0; i < 3; i++) {
      cluster.membership.set("n1", false);
      await new Promise((resolve) => setTimeout(resolve, 50));
      cluster.membership.set("n1", true);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(stateOf(cluster, "n1")).toMatchObject({ status: "ready" });
    expect(live(cluster).map(({ allocation }) => allocation.id)).toEqual(before);
  });

  test("holds nothing up that was to wait for what was stopping there", async () => {
    const cluster = await start(2);
    const version = (v: number) => jobOf({ count: 1, update: atOnce }, {}, { env: { V: `${v}` } });
    await cluster.commands.registerJob(version(0), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    const { node } = live(cluster)[0]!.allocation;
    await cluster.nodes.get(node)!.cut();
    await cluster.commands.registerJob(version(1), {});
    await until(cluster, () => live(cluster).some(({ allocation }) => allocation.version === 1));
    expect(live(cluster)[0]!.alloc.waitsFor).not.toBeNull();
    cluster.membership.set(node, false);
    await until(cluster, () => healthy(cluster, 1) === 1);
  });

  test("that nobody knows any more is down after a while for news to arrive", async () => {
    const cluster = await start(1);
    await until(cluster, () => stateOf(cluster, "n1")?.status === "ready");
    expect(stateOf(cluster, "n1")?.events.map(({ message }) => message)).toEqual(["Node registered"]);
    cluster.membership.set("n1", false);
    await until(cluster, () => stateOf(cluster, "n1")?.status === "down");
    cluster.membership.set("n1", true);
    await until(cluster, () => stateOf(cluster, "n1")?.status === "ready");
    expect(stateOf(cluster, "n1")?.events.map(({ message }) => message)).toEqual([
      "Node registered",
      "Node heartbeat missed",
      "Node reregistered by heartbeat",
    ]);
  });
});

describe("discovery that starts again", () => {
  const names = ["n1", "n2", "n3"];

  async function running(): Promise<Cluster> {
    const cluster = await start(3);
    await cluster.commands.registerJob(jobOf({ count: 6 }), {});
    await until(cluster, () => healthy(cluster) === 6);
    return cluster;
  }

  /** That all is where it was, and no node was ever taken for gone. */
  function expectUndisturbed(cluster: Cluster, before: readonly string[]): void {
    expect(live(cluster).map(({ allocation }) => allocation.id)).toEqual(before);
    for (const name of names) expect(stateOf(cluster, name)?.events).toHaveLength(1);
  }

  const ids = (cluster: Cluster) => live(cluster).map(({ allocation }) => allocation.id);
  const pass = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  test("and says of all nodes at first that they are not alive takes none down", async () => {
    const cluster = await running();
    const before = ids(cluster);
    cluster.membership.setAll(names, false);
    await pass(700);
    for (const name of names) {
      cluster.membership.set(name, true);
      await pass(50);
    }
    await pass(400);
    expectUndisturbed(cluster, before);
  });

  test("and does not answer for some seconds, or knows nobody at first, takes none down", async () => {
    const cluster = await running();
    const before = ids(cluster);
    cluster.membership.setAway(true);
    await pass(1_500);
    cluster.membership.setAway(false, []);
    await pass(1_000);
    expectUndisturbed(cluster, before);
    // It is followed again.
    cluster.membership.set("n1", false);
    await until(cluster, () => stateOf(cluster, "n1")?.status === "down");
  });

  test("together with the jobs server, and knows nobody for a moment, takes none down", async () => {
    const store = openMemoryStore();
    const first = await openCluster({ store });
    open.push(first);
    for (const name of names) await first.join(name);
    await first.commands.registerJob(jobOf({ count: 6 }), {});
    await until(first, () => healthy(first) === 6);
    const before = ids(first);
    await first.close();
    open.pop();
    const second = await openCluster({ store });
    open.push(second);
    await pass(700);
    second.membership.setAll(names);
    await pass(400);
    expectUndisturbed(second, before);
  });
});

describe("what waits for room", () => {
  const large = (count: number, id = "app") => jobOf({ count }, { id }, { resources: { cpu: 1_500, memory: 128 } });

  test("is one blocked evaluation of a job, with what is in the way", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(large(3), {});
    await until(cluster, () => healthy(cluster) === 2 && blockedIn(cluster).length === 1);
    expect(blockedIn(cluster)[0]).toMatchObject({
      trigger: "queued-allocs",
      queued: { web: 1 },
      description: "created to place remaining allocations",
    });
    expect(blockedIn(cluster)[0]?.failed.web?.metrics.dimensionExhausted).toEqual({ cpu: 1 });
    await cluster.commands.evaluateJob("default", jobId("app"));
    await until(cluster, () => pendingIn(cluster).length === 0);
    expect(blockedIn(cluster)).toHaveLength(1);
  });

  test("is placed when a node comes", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(large(3), {});
    await until(cluster, () => blockedIn(cluster).length === 1);
    await cluster.join("n9");
    await until(cluster, () => healthy(cluster) === 3);
    await until(cluster, () => blockedIn(cluster).length === 0);
  });

  test("is placed when a node that was barred takes work again", async () => {
    const cluster = await start(1);
    await until(cluster, () => stateOf(cluster, "n1")?.status === "ready");
    await cluster.commands.setEligibility(nodeId("n1"), false);
    await cluster.commands.registerJob(large(1), {});
    await until(cluster, () => blockedIn(cluster).length === 1);
    await cluster.commands.setEligibility(nodeId("n1"), true);
    await until(cluster, () => healthy(cluster) === 1);
  });

  test("is placed when others end", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(large(2, "other"), {});
    await until(cluster, () => live(cluster, "other").length === 2);
    await cluster.commands.registerJob(large(1), {});
    await until(cluster, () => blockedIn(cluster).length === 1);
    await cluster.commands.deregisterJob("default", jobId("other"), { purge: false });
    await until(cluster, () => healthy(cluster) === 1);
    expect(blockedIn(cluster)).toHaveLength(0);
  });

  test("is not waited for any more once the job asks for less", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(large(3), {});
    await until(cluster, () => blockedIn(cluster).length === 1);
    await cluster.commands.registerJob(large(2), {});
    await until(cluster, () => blockedIn(cluster).length === 0);
  });
});

describe("a drain", () => {
  test("moves services a few at a time, and ends with the node not eligible", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(jobOf({ count: 4 }), {});
    await until(cluster, () => healthy(cluster) === 4);
    await cluster.join("n2");
    await until(cluster, () => stateOf(cluster, "n2")?.status === "ready");
    let least = 4;
    const watch = setInterval(() => {
      const running = [...cluster.nodes.values()].flatMap((node) => node.running);
      least = Math.min(least, running.length);
    }, 1);
    await cluster.commands.drainNode(nodeId("n1"), { deadline: null, ignoresSystemJobs: false }, false);
    await until(cluster, () => stateOf(cluster, "n1")?.drain === null);
    clearInterval(watch);
    expect(least).toBeGreaterThanOrEqual(3);
    await until(cluster, () => healthy(cluster) === 4);
    expect(onNode(cluster, "n1")).toHaveLength(0);
    expect(stateOf(cluster, "n1")).toMatchObject({ isEligible: false });
    expect(stateOf(cluster, "n1")?.events.map(({ message }) => message)).toEqual([
      "Node registered",
      "Node drain strategy set",
      "Node drain complete",
    ]);
  });

  test("ends at its deadline, though there is no room for its work elsewhere: that waits for room", async () => {
    for (const wait of [0, 300]) {
      const cluster = await start(1);
      await cluster.commands.registerJob(jobOf({ count: 2 }), {});
      await until(cluster, () => healthy(cluster) === 2);
      const deadline = Date.now() + wait;
      await cluster.commands.drainNode(nodeId("n1"), { deadline, ignoresSystemJobs: false }, false);
      await until(cluster, () => stateOf(cluster, "n1")?.drain === null);
      expect(Date.now()).toBeGreaterThanOrEqual(deadline);
      expect(stateOf(cluster, "n1")?.events.at(-1)?.message).toBe("Node drain complete");
      expect(cluster.nodes.get("n1")?.running).toEqual([]);
      expect(blockedIn(cluster)).toMatchObject([{ queued: { web: 2 } }]);
      await cluster.join("n2");
      await until(cluster, () => onNode(cluster, "n2").length === 2 && blockedIn(cluster).length === 0);
    }
  });

  test("lets batch work finish until its deadline", async () => {
    const cluster = await start(1, { outcome: () => "hangs" });
    await cluster.commands.registerJob(jobOf({ count: 1 }, { type: "batch" }), {});
    await until(cluster, () => live(cluster).some(({ allocation }) => allocation.client === "running"));
    await cluster.join("n2");
    const begun = Date.now();
    await cluster.commands.drainNode(nodeId("n1"), { deadline: begun + 300, ignoresSystemJobs: false }, false);
    await until(cluster, () => onNode(cluster, "n2").length === 1);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(290);
    await until(cluster, () => stateOf(cluster, "n1")?.drain === null);
  });

  test("takes what runs on every node last, and leaves it where that is asked for", async () => {
    const cluster = await start(1);
    await cluster.commands.registerJob(jobOf({}, { type: "system", id: "agent" }), {});
    await cluster.commands.registerJob(jobOf({ count: 1 }), {});
    await until(cluster, () => live(cluster).length === 1 && live(cluster, "agent").length === 1);
    await cluster.join("n2");
    await until(cluster, () => live(cluster, "agent").length === 2);
    const there = () => live(cluster, "agent").filter(({ allocation }) => allocation.node === "n1").length;
    await cluster.commands.drainNode(nodeId("n1"), { deadline: null, ignoresSystemJobs: true }, false);
    await until(cluster, () => stateOf(cluster, "n1")?.drain === null);
    expect(there()).toBe(1);
    await cluster.commands.drainNode(nodeId("n1"), { deadline: null, ignoresSystemJobs: false }, false);
    await until(cluster, () => stateOf(cluster, "n1")?.drain === null && there() === 0);
  });
});

test("a job of every node comes with each node", async () => {
  const cluster = await start(2);
  await cluster.commands.registerJob(jobOf({}, { type: "system" }), {});
  await until(cluster, () => live(cluster).length === 2);
  await cluster.join("n3");
  await until(cluster, () => live(cluster).length === 3);
  cluster.membership.set("n3", false);
  await until(cluster, () => live(cluster).length === 2);
  cluster.membership.set("n3", true);
  await until(cluster, () => live(cluster).length === 3);
});
